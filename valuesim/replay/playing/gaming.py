"""Plays a game with a person: an ordinary run, in `people/` of what is shown, by the engine."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any

from valuesim.config import RunConfig
from valuesim.engine import Connection, Summary, run
from valuesim.engine.connections import distinct
from valuesim.engine.manifest import manifest
from valuesim.engine.prices import Price, price_of
from valuesim.engine.probing import probed
from valuesim.engine.progress import Progress
from valuesim.engine.shutdown import Shutdown
from valuesim.engine.spending import spending_kept
from valuesim.episode import Turn
from valuesim.errors import InputError, Interruption
from valuesim.log import RunWriter
from valuesim.log.pool import PEOPLE
from valuesim.replay.indexing.naming import id_of, shown
from valuesim.replay.playing.games import Asked, folder_of
from valuesim.replay.playing.persons import Sitting
from valuesim.replay.playing.play import About, Play
from valuesim.replay.playing.plays import Plays


def start_game(plays: Plays, asked: Asked) -> Play:
    """Play a game; raise InputError where too much is played already."""
    about = About(kind="game", title=asked.title, total=len(asked.specs), person=True)
    return plays.start(about, lambda play: _played(plays, asked, play))


async def _played(plays: Plays, asked: Asked, play: Play) -> str:
    now = plays.now()
    name = f"{now:%Y-%m-%d-%H%M%S}-{plays.chance.digits(4)}"
    folder, path = folder_of(plays.shelf.root, name), f"{PEOPLE}/{name}"
    asked.config.run.name = path
    described = manifest(
        _unreached(asked.config), asked.specs, secrets=plays.models.secrets, now=now
    )
    stop = Shutdown()
    sitting = _sitting(plays, asked, play, stop)
    async with plays.models.connect(asked.specs[0]) as connections:
        with RunWriter(folder, settle=lambda stored: _settled(stored, described)) as writer:
            sitting.begin(writer)
            play.tell(state="playing", run=id_of(path), run_name=shown(path))
            summary = await _run(asked, writer, connections, sitting, play, stop)
    if not summary.is_whole and not sitting.person.gone:
        raise Interruption(next(iter(summary.interrupted), "the game did not end"))
    return sitting.person.gone


async def _run(
    asked: Asked,
    writer: RunWriter,
    models: Mapping[str, Connection],
    sitting: Sitting,
    play: Play,
    stop: Shutdown,
) -> Summary:
    with spending_kept(writer, models, _prices(asked.config, models)):
        # what it says is kept with the run
        await probed(distinct(models), writer, told=lambda _: None)
        return await run(
            asked.specs,
            writer,
            {**models, **sitting.connections(asked.specs[0])},
            concurrency=1,
            progress=_Heard(play),
            stop=stop,
        )


def _sitting(plays: Plays, asked: Asked, play: Play, stop: Shutdown) -> Sitting:
    return Sitting(
        play.seat,
        plays.consent,
        participant=asked.participant,
        secrets=plays.models.secrets,
        ask_reasons=bool(asked.config.elicitation["ask_rationale"]),
        episodes=len(asked.specs),
        leave=stop.ask,
        on_episode=lambda episode: _begun(play, episode),
    )


class _Heard(Progress):
    """Tells a play how far it is."""

    def __init__(self, play: Play) -> None:
        super().__init__(io.StringIO(), "none")
        self._play = play

    def turn(self, turn: Turn) -> None:
        """Tell the step that was played."""
        super().turn(turn)
        step = self._play.standing.step
        self._play.tell(step=0 if step is None else step + 1)

    def episode(self, *, interrupted: bool = False) -> None:
        """Tell that an episode ended."""
        super().episode(interrupted=interrupted)
        self._play.tell(episodes=self.played)


def _begun(play: Play, episode: str) -> None:
    # each of its roles is seated, the first of them begins it
    if play.standing.episode != episode:
        play.tell(episode=episode, step=None)


def _unreached(config: RunConfig) -> dict[str, Any]:
    """Return the configuration as it is kept: without how a model is reached."""
    plain = config.resolved()
    for model in (plain["model"], *plain["models"].values()):
        model |= {name: None for name in ("base_url", "api_key_env") if name in model}
    return plain


def _prices(config: RunConfig, roles: Iterable[str]) -> dict[str, Price]:
    found = {role: price_of(config.model | (config.models.get(role) or {})) for role in roles}
    return {role: price for role, price in found.items() if price is not None}


def _settled(stored: Mapping[str, Any] | None, described: Mapping[str, Any]) -> Mapping[str, Any]:
    if stored is not None:
        raise InputError("a game of this name is there already: start it again")
    return described

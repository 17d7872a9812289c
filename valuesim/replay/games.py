"""Whole games that a person plays in the browser: an ordinary run in `people/` of what is shown."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from valuesim import registry
from valuesim.config import RunConfig, compose
from valuesim.engine import plan, run
from valuesim.engine.manifest import logged, manifest
from valuesim.engine.plan import MODEL_AGENT, check_agent
from valuesim.engine.progress import Progress
from valuesim.engine.shutdown import Shutdown
from valuesim.episode import EpisodeSpec, Player, Turn
from valuesim.errors import InputError, Interruption, unknown
from valuesim.graph.grouping import family_of
from valuesim.log import RunWriter
from valuesim.overrides import env_settings, shipped
from valuesim.replay.consent import participant_of
from valuesim.replay.naming import id_of, shown
from valuesim.replay.partners import able
from valuesim.replay.persons import HUMAN, SITTING, Sitting
from valuesim.replay.play import About, Play
from valuesim.replay.plays import Plays

PEOPLE = "people"
"""The folder, of what is shown, in which the games of people stand."""
MOST_EPISODES = 100
_MOST_SEED = 2**52
_FIELDS = ("game", "role", "partner", "level", "episodes", "seed", "participant")


def games(plays: Plays) -> dict[str, Any]:
    """Return what can be played, and what is agreed to first, as the page gets it."""
    listed = [_game(name, plays) for name in sorted(shipped("env"))]
    return {"schema": 1, "games": listed, "consent": plays.consent.plain()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A game that may be played: its configuration, its episodes, and who takes part."""

    game: str
    config: RunConfig
    specs: tuple[EpisodeSpec, ...]
    participant: str | None


def asked_game(plays: Plays, given: Mapping[str, Any]) -> Asked:
    """Return the game that the page asks for; raise InputError where it cannot be played."""
    for name in given:
        if name not in _FIELDS:
            raise InputError(f"{name!r:.40} is no part of a game: {', '.join(_FIELDS)}")
    game = given.get("game")
    if not isinstance(game, str) or game not in shipped("env"):
        raise InputError(unknown("game", game, shipped("env")))
    participant = participant_of(given.get("participant"))
    config = _config(plays, game, given)
    sitting = plays.chance.digits(8)
    specs = tuple(
        _seated(each, sitting) for each in plan(logged(config.design(), plays.models.secrets))
    )
    for spec in specs[:1]:
        plays.models.check(spec)
    _folder(plays, "new")
    return Asked(game=game, config=config, specs=specs, participant=participant)


def start_game(plays: Plays, asked: Asked) -> Play:
    """Play a game."""
    about = About(kind="game", title=_title(asked.game), total=len(asked.specs))
    return plays.start(about, lambda play: _played(plays, asked, play))


async def _played(plays: Plays, asked: Asked, play: Play) -> str:
    now, config = plays.now(), asked.config
    name = f"{now:%Y-%m-%d-%H%M%S}-{plays.chance.digits(4)}"
    folder = _folder(plays, name)
    path = f"{PEOPLE}/{name}"
    config.run.name = path
    described = manifest(config.resolved(), asked.specs, secrets=plays.models.secrets, now=now)
    stop = Shutdown()
    sitting = Sitting(
        play.seat,
        plays.consent,
        asked.participant,
        plays.models.secrets,
        bool(config.elicitation["ask_rationale"]),
        episodes=len(asked.specs),
        leave=stop.ask,
        on_episode=lambda episode: _begun(play, episode),
    )
    async with plays.models.connect(asked.specs[0]) as connections:
        with RunWriter(folder, settle=lambda stored: _settled(stored, described)) as writer:
            sitting.begin(writer)
            play.tell(state="playing", run=id_of(path), run_name=shown(path))
            summary = await run(
                asked.specs,
                writer,
                {**connections, **sitting.connections(asked.specs[0])},
                concurrency=1,
                progress=_Heard(play),
                stop=stop,
            )
    if not summary.is_whole and not sitting.person.gone:
        raise Interruption(next(iter(summary.interrupted), "the game did not end"))
    return sitting.person.gone


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


def _settled(stored: Mapping[str, Any] | None, described: Mapping[str, Any]) -> Mapping[str, Any]:
    if stored is not None:
        raise InputError("a game of this name is there already: start it again")
    return described


def _folder(plays: Plays, name: str) -> Path:
    """Return the folder of a game; raise InputError where it would lie elsewhere."""
    root = plays.shelf.root
    below = root / PEOPLE
    if below.is_symlink() or not below.resolve().is_relative_to(root.resolve()):
        raise InputError(f"{PEOPLE} is a link: what people play is kept in {root.name} itself")
    folder = below / name
    if folder.exists() or folder.is_symlink():
        raise InputError("a game of this name is there already: start it again")
    return folder


def _config(plays: Plays, game: str, given: Mapping[str, Any]) -> RunConfig:
    episodes = _whole(given, "episodes", 1, 1, MOST_EPISODES)
    seed = given.get("seed")
    seed = plays.chance.seed() if seed is None else _whole(given, "seed", 0, 0, _MOST_SEED - 1)
    agents = _agents(game, given, plays)
    asks = MODEL_AGENT in agents.values()
    own = [each for each in plays.models.overrides if asks or each.startswith("elicitation")]
    level = given.get("level")
    if level is not None:
        if level not in _levels(game):
            raise InputError(unknown("level", level, _levels(game), game))
        own.append(f"env.scarcity={level}")
    config = compose([*own, f"env={game}", f"episodes={episodes}", f"seed={seed}"])
    return replace(config, agents=agents)


def _agents(game: str, given: Mapping[str, Any], plays: Plays) -> dict[str, Any]:
    roles, role, partner = _roles(game), given.get("role"), given.get("partner")
    if role is not None and role not in roles:
        raise InputError(unknown("role", role, roles, game))
    if role is None or len(roles) == 1:
        return {"all": HUMAN}
    if not isinstance(partner, str):
        raise InputError(f"partner is {partner!r:.60}: who plays the other roles of {game}")
    if partner.partition(":")[0] == HUMAN:
        raise InputError("partner is 'human': without a role, a person plays every one")
    check_agent(partner, str(env_settings(game)["id"]))
    if partner == MODEL_AGENT:
        plays.models.player("partner", None)
    return {"all": partner, role: HUMAN}


def _whole(given: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    found = given.get(name)
    if found is None:
        return default
    if type(found) is not int or not least <= found <= most:
        raise InputError(f"{name} is {found!r:.60}: a whole number from {least} to {most}")
    return found


def _seated(spec: EpisodeSpec, sitting: str) -> EpisodeSpec:
    def seated(player: Player) -> Player:
        is_person = player.agent == HUMAN
        return replace(player, parameters={SITTING: sitting}) if is_person else player

    return replace(spec, population={role: seated(each) for role, each in spec.population.items()})


def _game(name: str, plays: Plays) -> dict[str, Any]:
    roles = _roles(name)
    env = str(env_settings(name)["id"])
    is_alone = len(roles) == 1
    connected = plays.models.are_connected
    partners = [each for each in able(env) if each != HUMAN and (connected or each != MODEL_AGENT)]
    return {
        "id": name,
        "title": _title(name),
        "family": family_of(env),
        "description": registry.environments()[env].description,
        "roles": list(roles),
        "partners": [] if is_alone else partners,
        "levels": list(_levels(name)),
    }


def _title(name: str) -> str:
    return re.sub("_", " ", name).capitalize()


@cache
def _roles(name: str) -> tuple[str, ...]:
    settings = env_settings(name)
    own = {key: given for key, given in settings.items() if key != "id"}
    return tuple(registry.make(settings["id"], **own).possible_agents)


def _levels(name: str) -> tuple[str, ...]:
    """Return the levels of scarcity of an environment that has some."""
    module = import_module(
        registry.environments()[env_settings(name)["id"]].target.partition(":")[0]
    )
    return tuple(getattr(module, "PRESETS", ()))

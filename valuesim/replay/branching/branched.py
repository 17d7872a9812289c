"""A branch that is asked for: checked before it is played, and played with models and persons."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from valuesim.engine.connections import Connection
from valuesim.episode import EpisodeSpec, Turn
from valuesim.errors import Departed, InputError
from valuesim.log import RunWriter
from valuesim.log.pool import BRANCHES
from valuesim.replay.branching.branch import Parent, branch, parent_opened, place_of
from valuesim.replay.branching.changeable import (
    check_able_here,
    check_step,
    leaving,
    readable,
    stood_at,
)
from valuesim.replay.branching.changing import completed, reseated
from valuesim.replay.branching.fork import Changes, changes_of, forked, logged
from valuesim.replay.branching.given import given_at
from valuesim.replay.branching.retrace import moments_of
from valuesim.replay.indexing.naming import id_of, shown
from valuesim.replay.playing.consent import participant_of
from valuesim.replay.playing.persons import Sitting, played_by_a_person
from valuesim.replay.playing.play import About, Play
from valuesim.replay.playing.plays import Plays
from valuesim.replay.watching.moments import Opened, opened

_FIELDS = ("run", "episode", "step", "changes", "participant")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A branch that may be played: what it leaves, where, and with which changes."""

    found: Opened
    parent: Parent
    step: int
    changes: Changes
    spec: EpisodeSpec
    participant: str | None


def asked_branch(plays: Plays, given: Mapping[str, Any]) -> Asked:
    """Return the branch that the page asks for; raise InputError where it cannot be played."""
    run, episode, step, wanted, participant = _fields(given)
    found = leaving(plays, opened(plays.shelf, run, episode), step)
    check_step(found, step)
    before = found.episode.spec
    changes = changes_of(completed(wanted, before, plays.models, plays.chance.digits(8)))
    changes = logged(reseated(changes, before, plays.chance.digits(8)), plays.models.secrets)
    spec = forked(before, step, changes, elicitation=plays.models.elicitation)
    plays.models.check(spec)
    place_of(plays.shelf.root, spec)
    try:
        with readable(found, step):
            parent = parent_opened(found)
            asyncio.run(_checked(plays, spec, parent))
    except Departed as error:
        raise InputError(str(error)) from error
    return Asked(
        found=found,
        parent=parent,
        step=step,
        changes=changes,
        spec=spec,
        participant=participant,
    )


def start_branch(plays: Plays, asked: Asked) -> Play:
    """Play a branch; return the play of one that is played already."""
    left = asked.found
    about = About(
        kind="branch",
        title=f"{left.episode.env}, from step {asked.step}",
        parent={"run": left.run.place.id, "episode": left.episode.id, "step": asked.step},
        key=asked.spec.id,
        person=played_by_a_person(asked.spec),
    )
    return plays.start(about, lambda play: _played(plays, asked, play))


async def _played(plays: Plays, asked: Asked, play: Play) -> str:
    sitting = Sitting(
        play.seat,
        plays.consent,
        participant=asked.participant,
        secrets=plays.models.secrets,
        ask_reasons=bool(asked.spec.elicitation.get("ask_rationale", True)),
    )
    async with sitting.leaving() as left:
        await branch(
            plays.shelf.root,
            asked.parent,
            asked.step,
            asked.changes,
            now=plays.now(),
            connect=_connecting(plays, sitting),
            on_turn=_counting(play, asked.step),
            on_open=partial(_opening, plays, asked.spec, sitting, play),
            elicitation=plays.models.elicitation,
            prices=plays.models.prices(asked.spec),
            secrets=plays.models.secrets,
        )
        # of one that was finished before, nothing was told yet
        play.tell(episodes=1, **_names(asked.spec))
    return left.why


def _opening(
    plays: Plays, spec: EpisodeSpec, sitting: Sitting, play: Play, writer: RunWriter
) -> None:
    if played_by_a_person(spec):
        sitting.begin(writer)
    play.tell(state="playing", **_names(spec))
    # its log can be looked at as it grows
    plays.shelf.look_soon()


def _names(spec: EpisodeSpec) -> dict[str, str]:
    path = f"{BRANCHES}/{spec.id}"
    return {"run": id_of(path), "run_name": shown(path), "episode": spec.id}


def _connecting(
    plays: Plays, sitting: Sitting
) -> Callable[[EpisodeSpec], AbstractAsyncContextManager[Mapping[str, Connection]]]:
    @asynccontextmanager
    async def connect(spec: EpisodeSpec) -> AsyncIterator[Mapping[str, Connection]]:
        async with plays.models.connect(spec) as connections:
            yield {**connections, **sitting.connections(spec)}

    return connect


def _counting(play: Play, first: int) -> Callable[[Turn], None]:
    steps = iter(range(first, 2**62))
    return lambda _: play.tell(step=next(steps))


def _fields(given: Mapping[str, Any]) -> tuple[str, str, int, Any, str | None]:
    for name in given:
        if name not in _FIELDS:
            raise InputError(f"{name!r:.40} is no part of a branch: {', '.join(_FIELDS)}")
    run, episode, step = (given.get(name) for name in _FIELDS[:3])
    if not isinstance(run, str) or not isinstance(episode, str):
        raise InputError("run and episode are the ids of an episode that is shown")
    if type(step) is not int or not 0 <= step < 2**31:
        raise InputError(f"step is {step!r:.80}: a whole number from 0")
    participant = participant_of(given.get("participant"))
    return run, episode, step, given.get("changes") or {}, participant


async def _checked(plays: Plays, spec: EpisodeSpec, parent: Parent) -> None:
    """Raise InputError for what cannot be changed in the world, or be decided in it."""
    assert spec.fork is not None, "a branch is a fork"
    check_able_here(spec)
    env = await stood_at(plays, spec, parent.records, spec.fork.step)
    given_at(spec, env, moments_of(parent.records), dict.fromkeys(spec.population, _NOBODY))


_NOBODY: Any = None

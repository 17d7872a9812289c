"""What can be changed at a step of an episode, and branches as they are asked for and played."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from valuesim import registry
from valuesim.agents.interventions import environments_of
from valuesim.agents.interventions.catalogue import CATALOGUE
from valuesim.engine.connections import Connection
from valuesim.env import Environment
from valuesim.episode import EpisodeSpec, Turn
from valuesim.errors import InputError, ValueSimError
from valuesim.log import RunWriter
from valuesim.log.options import option_line
from valuesim.log.pool import BRANCHES
from valuesim.log.records import DecisionRecord
from valuesim.option import Option
from valuesim.replay.branch import Parent, branch, parent_opened, place_of
from valuesim.replay.changing import completed, reseated
from valuesim.replay.fork import Changes, changes_of, forked, logged
from valuesim.replay.given import given_at
from valuesim.replay.moments import Opened, opened
from valuesim.replay.naming import NotThereError, id_of, shown
from valuesim.replay.partners import able
from valuesim.replay.persons import Sitting, played_by_a_person
from valuesim.replay.play import About, Play
from valuesim.replay.plays import Plays
from valuesim.replay.retrace import Told, made, moments_of, walked

_FIELDS = ("run", "episode", "step", "changes", "participant")


def branching(plays: Plays, run: str, episode: str, step: int) -> dict[str, Any]:
    """Return what can be changed at `step` of an episode, as the page gets it (docs/replay.md).

    What cannot be left says why. Raises NotThereError where there is no such step.
    """
    found = opened(plays.shelf, run, episode)
    if step >= found.episode.steps:
        raise NotThereError(f"{episode!r:.60} has no step {step}: it has {found.episode.steps}")
    told = _told(plays, found, step)
    try:
        at = leaving(plays, found, step)
        if at is not found:
            leave = {"run": at.run.place.id, "episode": at.episode.id, "step": step}
            why = f"{episode} has step {step} of {at.episode.id}, which it leaves later"
            return {**told, "refused": f"{why}: leave that one", "leave": leave}
        world = asyncio.run(_world(plays, found, step)).edits()
        return {**told, "world": {name: list(bounds) for name, bounds in world.items()}}
    except ValueSimError as error:
        return {**told, "refused": plays.sentence(error)}


def leaving(plays: Plays, found: Opened, step: int) -> Opened:
    """Return the episode that is left at `step`: `found`, or the one that it has that step of.

    Raises NotThereError where that one is not among those that are shown.
    """
    while (fork := found.episode.fork) is not None and step < fork.step:
        said = (found.run.parent or {}).get("run")
        found = opened(plays.shelf, id_of(str(said)), fork.parent)
    return found


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
    if step >= found.episode.steps:
        raise NotThereError(f"{episode!r:.60} has no step {step}: it has {found.episode.steps}")
    before = found.episode.spec
    changes = changes_of(completed(wanted, before, plays.models, plays.chance.digits(8)))
    changes = logged(reseated(changes, before, plays.chance.digits(8)), plays.models.secrets)
    spec = forked(before, step, changes, elicitation=plays.models.elicitation)
    plays.models.check(spec)
    place_of(plays.shelf.root, spec)
    parent = parent_opened(found)
    asyncio.run(_checked(plays, spec, parent))
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
    )
    return plays.start(about, lambda play: _played(plays, asked, play))


async def _played(plays: Plays, asked: Asked, play: Play) -> str:
    path = f"{BRANCHES}/{asked.spec.id}"
    names = {"run": id_of(path), "run_name": shown(path), "episode": asked.spec.id}
    reasons = bool(asked.spec.elicitation.get("ask_rationale", True))
    sitting = Sitting(play.seat, plays.consent, asked.participant, plays.models.secrets, reasons)

    def opening(writer: RunWriter) -> None:
        if played_by_a_person(asked.spec):
            sitting.begin(writer)
        play.tell(state="playing", **names)

    async with sitting.leaving() as left:
        await branch(
            plays.shelf.root,
            asked.parent,
            asked.step,
            asked.changes,
            now=plays.now(),
            connect=_connecting(plays, sitting),
            on_turn=_counting(play, asked.step),
            on_open=opening,
            elicitation=plays.models.elicitation,
            secrets=plays.models.secrets,
        )
        # of one that was finished before, nothing was told yet
        play.tell(episodes=1, **names)
    return left.why


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
    from valuesim.replay.consent import participant_of

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


async def _world(plays: Plays, found: Opened, step: int) -> Environment:
    """Return the world as it is at `step`; raise where an episode cannot be left there."""
    spec = found.episode.spec
    forked(spec, step, Changes())
    _check_able(spec)
    records = parent_opened(found).records
    return await _walked(plays, spec, records, step)


async def _walked(plays: Plays, spec: EpisodeSpec, records: Any, step: int) -> Environment:
    moments = moments_of(records)
    env = made(spec, (plays.shelf.root,))
    agents = {role: Told(role, moments) for role in spec.population}
    await walked(env, spec, agents, moments, until=step)
    return env


async def _checked(plays: Plays, spec: EpisodeSpec, parent: Parent) -> None:
    """Raise InputError for what cannot be changed in the world, or be decided in it."""
    assert spec.fork is not None, "a branch is a fork"
    _check_able(spec)
    env = await _walked(plays, spec, parent.records, spec.fork.step)
    given_at(spec, env, moments_of(parent.records), dict.fromkeys(spec.population, _NOBODY))


_NOBODY: Any = None


def _check_able(spec: EpisodeSpec) -> None:
    for role, player in spec.population.items():
        entry, _ = registry.agent_entry(player.agent)
        if not hasattr(entry.load(), "recall"):
            raise InputError(
                f"agent {player.agent!r}, which plays {role}, cannot be brought to a moment of an "
                "episode: it has no `recall` (docs/replay.md)"
            )


def _told(plays: Plays, found: Opened, step: int) -> dict[str, Any]:
    episode = found.episode
    known = episode.env in registry.environments()
    agents = able(episode.env) if known else {}
    return {
        "schema": 1,
        "step": step,
        "roles": _roles(found, step),
        "world": {},
        "agents": list(agents),
        "variants": {name: told for name, told in agents.items() if told},
        "interventions": [
            name
            for name in CATALOGUE
            if (within := environments_of(name)) is None or episode.env in within
        ],
        "models": plays.models.plain(),
        "seed": episode.seed,
        "refused": None,
    }


def _roles(found: Opened, step: int) -> list[dict[str, Any]]:
    at = {r.role: r for r in (*found.inherited, *found.records) if r.step == step}
    return [
        {
            "role": role,
            "player": {
                "agent": player.agent,
                "model": player.model_name,
                "interventions": player.interventions,
            },
            **_decided(at.get(role)),
        }
        for role, player in found.episode.population.items()
    ]


def _decided(record: DecisionRecord | None) -> dict[str, Any]:
    if record is None:
        return {"decides": False, "chosen": None, "options": [], "message": None}
    return {
        "decides": True,
        "chosen": record.chosen,
        "options": [_option(each) for each in record.options],
        "message": record.message,
    }


def _option(option: Option) -> dict[str, Any]:
    bounds = dict(option_line(option).get("arguments", ()))
    return {"name": option.name, "text": option.text, "arguments": bounds}

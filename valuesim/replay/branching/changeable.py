"""What can be changed at a step of an episode, and the world as it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from valuesim import registry
from valuesim.env import Environment
from valuesim.episode import EpisodeSpec
from valuesim.errors import InputError, ValueSimError
from valuesim.log.options import option_line
from valuesim.log.records import DecisionRecord
from valuesim.option import Option
from valuesim.replay.branching.branch import parent_opened
from valuesim.replay.branching.fork import Changes, forked
from valuesim.replay.branching.retrace import Told, made, moments_of, walked
from valuesim.replay.branching.treatments import treatments
from valuesim.replay.indexing.naming import NotThereError, NotYetError, id_of
from valuesim.replay.playing.partners import able
from valuesim.replay.playing.plays import Plays
from valuesim.replay.watching.moments import UNDRAWABLE, Opened, opened


def branching(plays: Plays, run: str, episode: str, step: int) -> dict[str, Any]:
    """Return what can be changed at `step` of an episode, as the page gets it (docs/replay.md).

    What cannot be left says why. Raises NotThereError where there is no such step.
    """
    found = opened(plays.shelf, run, episode)
    check_step(found, step)
    told = _told(plays, found, step)
    try:
        at = leaving(plays, found, step)
        if at is not found:
            leave = {"run": at.run.place.id, "episode": at.episode.id, "step": step}
            why = f"{episode} has step {step} of {at.episode.id}, which it leaves later"
            return {**told, "refused": f"{why}: leave that one", "leave": leave}
        with readable(found, step):
            world = asyncio.run(_world(plays, found, step)).edits()
        return {**told, "world": {name: list(bounds) for name, bounds in world.items()}}
    except ValueSimError as error:
        return {**told, "refused": plays.sentence(error)}


def check_step(found: Opened, step: int) -> None:
    """Raise NotThereError where an episode has no such step."""
    episode = found.episode
    if not 0 <= step < episode.steps:
        raise NotThereError(f"{episode.id:.60} has no step {step}: it has {episode.steps}")


@contextmanager
def readable(found: Opened, step: int) -> Iterator[None]:
    """Raise InputError, not what playing it again raises, where a log holds what nobody writes."""
    try:
        yield
    except (*UNDRAWABLE, RecursionError) as error:
        raise InputError(
            f"{found.episode.id:.60} cannot be played again to step {step}, for its log holds what "
            f"no episode of this version does ({type(error).__name__}: {error!s:.100})"
        ) from error


def leaving(plays: Plays, found: Opened, step: int) -> Opened:
    """Return the episode that is left at `step`: `found`, or the one that it has that step of.

    Raises NotThereError where that one is not among those that are shown.
    """
    while (fork := found.episode.fork) is not None and step < fork.step:
        said = (found.run.parent or {}).get("run")
        try:
            found = opened(plays.shelf, id_of(str(said)), fork.parent)
        except NotYetError:
            raise
        except NotThereError:
            raise NotThereError(
                f"step {step} is one of {fork.parent}, which is not below what is shown: give "
                "`valuesim replay` a folder above both"
            ) from None
    return found


async def _world(plays: Plays, found: Opened, step: int) -> Environment:
    """Return the world as it is at `step`; raise where an episode cannot be left there."""
    spec = found.episode.spec
    forked(spec, step, Changes())
    check_able_here(spec)
    records = parent_opened(found).records
    return await stood_at(plays, spec, records, step)


async def stood_at(plays: Plays, spec: EpisodeSpec, records: Any, step: int) -> Environment:
    """Return the world of `spec`, played by what `records` say to the start of `step`.

    Raises Departed where it is not as they say, and InputError where it cannot be made or changed.
    """
    moments = moments_of(records)
    env = made(spec, (plays.shelf.root,))
    agents = {role: Told(role, moments) for role in spec.population}
    await walked(env, spec, agents, moments, until=step)
    return env


def check_able_here(spec: EpisodeSpec) -> None:
    """Raise InputError, naming it, for an agent that cannot take in what a log says."""
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
    made = treatments(episode.env)
    return {
        "schema": 1,
        "step": step,
        "roles": _roles(found, step),
        "world": {},
        "agents": list(agents),
        "variants": {name: told for name, told in agents.items() if told},
        "interventions": list(made),
        "settings": made,
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

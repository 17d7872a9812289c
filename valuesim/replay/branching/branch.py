"""Plays a fork into a run folder of its own, which never counts as the run that it leaves.

A branch stands in `branches/<id>` of what is shown. Its run.yaml says which episode it leaves and
what was changed; its log holds its own decisions alone, and `inherited.jsonl` those before them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from valuesim.decision import Agent
from valuesim.engine.connections import Connection, seated
from valuesim.engine.manifest import manifest
from valuesim.engine.prices import Price
from valuesim.engine.schedule import EpisodeFailed
from valuesim.engine.spending import spending_kept
from valuesim.env import Environment
from valuesim.episode import EpisodeSpec, Turn, play_on
from valuesim.errors import STOPPED, InputError, Interruption, ValueSimError
from valuesim.log import EpisodeRecord, RunWriter, read_run
from valuesim.log.inherited import whole_episode
from valuesim.log.lines import own_part
from valuesim.log.pool import BRANCHES, PARENT
from valuesim.log.records import DecisionRecord
from valuesim.replay.branching.fork import Changes, changes_in, forked, logged
from valuesim.replay.branching.given import Given, given_at
from valuesim.replay.branching.restore import Restored, brought, carry, restored
from valuesim.replay.branching.retrace import moments_of

if TYPE_CHECKING:
    from valuesim.replay.watching.moments import Opened

Connect = Callable[[EpisodeSpec], AbstractAsyncContextManager[Mapping[str, Connection]]]
"""What answers for the models of an episode, by role, as long as the context is open."""
Told = Callable[[Turn], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Parent:
    """An episode that can be left: its run folder, its line, and all of its decisions.

    `brought` is what its agents carried on from the one before it in a chain, by role.
    """

    run: Path
    episode: EpisodeRecord
    records: Sequence[DecisionRecord]
    brought: Mapping[str, Mapping[str, Any]]


def parent_of(run: Path, episode: str) -> Parent:
    """Return the finished `episode` of the run folder `run`, which is read as a whole.

    Raises InputError where there is none.
    """
    folder = read_run(run)
    if episode not in folder.episodes:
        raise InputError(f"{run.name} holds no finished episode {episode!r:.40}")
    record = folder.episodes[episode]
    records = whole_episode(folder, episode)
    return Parent(run=run, episode=record, records=records, brought=brought(folder, record))


def parent_opened(found: Opened) -> Parent:
    """Return an episode that was opened as one that can be left; raise as `parent_of` does."""
    run, episode = found.run.place.path, found.episode
    remembers = episode.fork is not None or (episode.chain is not None and episode.chain.place)
    before = brought(read_run(run), episode) if remembers else {}
    records = sorted([*found.inherited, *found.records], key=lambda record: record.step)
    return Parent(run=run, episode=episode, records=records, brought=before)


@asynccontextmanager
async def no_models(spec: EpisodeSpec) -> AsyncIterator[Mapping[str, Connection]]:
    """Answer for no model; raise InputError where `spec` has one."""
    for role, player in spec.population.items():
        if player.model is not None:
            raise InputError(f"{role} is played by a model, and none is connected")
    yield {}


async def branch(
    root: Path,
    parent: Parent,
    step: int,
    changes: Changes,
    *,
    now: datetime,
    connect: Connect = no_models,
    on_turn: Told | None = None,
    on_open: Callable[[RunWriter], None] | None = None,
    elicitation: Mapping[str, Any] | None = None,
    prices: Mapping[str, Price] | None = None,
    within: Sequence[Path] = (),
    secrets: Sequence[str] = (),
) -> Path:
    """Leave `parent` at `step` with `changes`, play on to the end and return the branch's folder.

    `on_open` is called before it is played, with what writes its folder, and `on_turn` after each
    step that is played; `prices` are those of the roles that models play, what they spent is kept
    in run.yaml. `secrets` reach no file, and `within` are folders beside `root` in which an
    environment's files may lie. A branch that is finished is not
    played again; one that was cut off is played anew from the fork. Raises
    InputError for changes that cannot be made, before anything is written, Departed where the
    parent cannot be played again, and Interruption, which is listed in the branch's log, where a
    model cannot be asked.
    """
    changes = logged(changes, secrets)
    spec = forked(parent.episode.spec, step, changes, elicitation=elicitation)
    folder = place_of(root, spec)
    said: dict[str, Any] = {"run": _name(root, parent.run), "episode": parent.episode.id}
    said |= {"step": step, "changes": changes_in(spec).plain()}
    if parent.brought:
        said["brought"] = parent.brought
    described = {**manifest({}, [spec], secrets=secrets, now=now), PARENT: said}
    async with connect(spec) as connections:
        agents = {role: seated(spec, role, connections) for role in spec.population}
        carry(agents, parent.brought)
        start = await restored(spec, parent.records, step, agents, within=(root, *within))
        given = given_at(spec, start.env, moments_of(parent.records), agents)
        with RunWriter(folder, settle=lambda stored: _settled(stored, described)) as writer:
            if spec.id not in writer.finished:
                if on_open is not None:
                    on_open(writer)
                with spending_kept(writer, _models(spec, connections), prices or {}):
                    await _play(spec, start, given, writer, on_turn)
    return folder


def place_of(root: Path, spec: EpisodeSpec) -> Path:
    """Return the folder of the branch of `spec`; raise InputError where it would lie elsewhere."""
    folder = root / BRANCHES / spec.id
    if not folder.resolve().is_relative_to(root.resolve()):
        raise InputError(f"{BRANCHES} leads out of {root.name}: a branch is kept below it")
    if folder.is_dir() and any(each.is_symlink() for each in folder.iterdir()):
        # what is written there would be written elsewhere
        raise InputError(f"{BRANCHES}/{spec.id} holds links, as no branch does: remove it")
    return folder


def _models(spec: EpisodeSpec, connections: Mapping[str, Connection]) -> dict[str, Connection]:
    """Return what answers for the models of `spec`, without what answers for a person."""
    return {
        role: connections[role]
        for role, player in spec.population.items()
        if player.model is not None and role in connections
    }


async def _play(
    spec: EpisodeSpec,
    start: Restored,
    given: Mapping[str, Given],
    writer: RunWriter,
    on_turn: Told | None,
) -> None:
    env: Environment = start.env
    try:
        await _played(spec, start, given, writer, on_turn)
    except (Interruption, asyncio.CancelledError) as error:
        writer.interrupt(spec, str(error) or STOPPED, env.condition)
        raise
    except ValueSimError:
        raise
    except Exception as error:
        failed = f"branch {spec.id} ({spec.env}) failed: {type(error).__name__}: {error}"
        writer.interrupt(spec, failed, env.condition)
        raise EpisodeFailed(failed) from error


async def _played(
    spec: EpisodeSpec,
    start: Restored,
    given: Mapping[str, Given],
    writer: RunWriter,
    on_turn: Told | None,
) -> None:
    turns: list[Turn] = list(start.turns)
    writer.inherit(spec.id, turns)

    def keep(turn: Turn) -> None:
        turns.append(turn)
        own = own_part(spec, turn)
        if len(own.decisions) < len(turn.decisions):
            # given, or as they were in the parent
            writer.inherit(spec.id, [*start.turns, _others(turn, own)])
        writer.turn(spec.id, own)
        if on_turn is not None:
            on_turn(turn)

    assert spec.fork is not None, "a branch is a fork"
    first: Mapping[str, Agent] = {**start.agents, **given}
    await play_on(start.env, first, keep, until=spec.fork.step + 1)
    await play_on(start.env, start.agents, keep)
    writer.finish(spec, start.env, turns)


def _others(turn: Turn, own: Turn) -> Turn:
    """Return the part of `turn` that is not its branch's own."""
    seen = {role: each for role, each in turn.observations.items() if role not in own.decisions}
    return Turn(
        observations=seen,
        decisions={role: turn.decisions[role] for role in seen},
        effects=turn.effects,
        payoffs=turn.payoffs,
    )


def _settled(stored: Mapping[str, Any] | None, described: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what run.yaml shall say: of a branch that goes on, with its sessions so far."""
    if stored is None:
        return described
    if stored.get(PARENT) != described[PARENT]:
        raise InputError("a branch of this id leaves another episode: its run.yaml was changed")
    return {**stored, "sessions": [*(stored.get("sessions") or ()), *described["sessions"]]}


def _name(root: Path, run: Path) -> str:
    """Return the path of `run` below `root`, "." for itself."""
    if not run.resolve().is_relative_to(root.resolve()):
        raise InputError(f"{run.name} does not lie below {root.name}")
    return run.resolve().relative_to(root.resolve()).as_posix()

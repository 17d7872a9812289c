"""A moment of an episode as it was: the world, and what each agent keeps of what it lived through.

The world is played again from the log. Agents are not asked: each takes in what its role saw and
decided (`recall`), which draws a scripted agent's lots anew and feeds a model's interventions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from valuesim.decision import Agent
from valuesim.env import Environment
from valuesim.episode import EpisodeSpec, Turn
from valuesim.errors import InputError, LogError
from valuesim.log import EpisodeRecord, RunFolder
from valuesim.log.files import MISSHAPEN
from valuesim.log.pool import PARENT
from valuesim.log.records import DecisionRecord
from valuesim.replay.branching.retrace import Moments, Told, made, moments_of, walked


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """The start of a step: the world, the agents of each role, and the turns before it."""

    env: Environment
    agents: Mapping[str, Agent]
    turns: Sequence[Turn]


async def restored(
    spec: EpisodeSpec,
    records: Sequence[DecisionRecord],
    step: int,
    agents: Mapping[str, Agent],
    *,
    within: Sequence[Path] | None = None,
) -> Restored:
    """Return the start of `step` of the episode of `spec`, of which `records` are the decisions.

    A fork of `spec` at that step has changed the world. `agents` are those of `spec`, new, with
    what they carried on from an earlier episode; who plays a role from a later step on takes in
    what was lived before it came. Raises Departed where what is played again is not as the log
    says, and InputError for an agent that cannot take in a log.
    """
    moments = moments_of(records)
    told = {
        role: Told(role, moments, agent, _made_on(spec, role, step, moments))
        for role, agent in agents.items()
    }
    check_able(spec, agents)
    env = made(spec, within)
    turns = await walked(env, spec, told, moments, until=step)
    return Restored(env=env, agents=agents, turns=turns)


def check_able(spec: EpisodeSpec, agents: Mapping[str, Agent]) -> None:
    """Raise InputError, naming it, for an agent that cannot take in what a log says."""
    for role, agent in agents.items():
        if not hasattr(agent, "recall"):
            raise InputError(
                f"agent {spec.population[role].agent!r}, which plays {role}, cannot be brought to "
                "a moment of an episode: it has no `recall` (docs/replay.md)"
            )


def brought(run: RunFolder, episode: EpisodeRecord) -> Mapping[str, Mapping[str, Any]]:
    """Return what the agents of `episode` carried on from the one before it in its chain, by role.

    A branch keeps what its parent started with. Raises InputError where that one is not finished in
    `run`, and LogError where a branch does not say it.
    """
    if episode.fork is not None:
        said = run.config.get(PARENT)
        kept = said.get("brought", {}) if isinstance(said, Mapping) else None
        if not isinstance(kept, Mapping):
            raise LogError(f"{run.path / 'run.yaml'} does not say which episode it leaves")
        return kept
    chain = episode.chain
    if chain is None or chain.place == 0:
        return {}
    before = replace(chain, place=chain.place - 1)
    for other in run.episodes.values():
        if other.chain == before and _cell(other) == _cell(episode):
            return other.carried
    raise InputError(
        f"episode {episode.id} goes on from another one of its chain, which its run does not hold: "
        "what its agents remember cannot be had"
    )


def carry(agents: Mapping[str, Agent], brought: Mapping[str, Any]) -> None:
    """Let `agents`, by role, start with what was `brought`; who remembers nothing is left out.

    Raises LogError where it is not what an agent carries on.
    """
    for role, carried in brought.items():
        agent: Any = agents.get(role)
        if hasattr(agent, "carry"):
            try:
                agent.carry(carried)
            except MISSHAPEN as error:
                raise LogError(f"what {role} carried on is not what it should be") from error


def made_then(
    spec: EpisodeSpec, role: str, step: int, record: DecisionRecord | None
) -> Collection[str] | None:
    """Return which interventions on the present player of `role` were made at `step`.

    None says that the very same player decided by itself. A decision that was given at a fork holds
    what interventions had done for the one in its place, if that is known.
    """
    player, is_same_seed = spec.player_at(role, step)
    now = spec.population[role]
    is_given = False
    for fork in spec.forks:
        if fork.step == step and role in fork.given:
            is_given, player = True, fork.replaced.get(role, player)
    if player == now and is_same_seed and not is_given:
        return None
    if is_given and (record is None or not (record.added or record.interventions)):
        return ()
    then = player.interventions
    return [name for name, settings in now.interventions.items() if then.get(name) == settings]


def _made_on(
    spec: EpisodeSpec, role: str, step: int, moments: Moments
) -> dict[int, Collection[str] | None]:
    # not every step up to it: a stranger's number may be large
    return {
        at: made_then(spec, role, at, record)
        for (at, who), record in moments.items()
        if who == role and at < step
    }


def _cell(episode: EpisodeRecord) -> tuple[Any, ...]:
    return episode.env, episode.parameters, episode.population, episode.elicitation

"""Plays an episode again from its log, and checks that everything in it is as the log says.

The decisions are those of the log; the world is made anew from what determines the episode. Whoever
was shown something else, or fared otherwise, is told by `Departed`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from valuesim import registry
from valuesim.decision import Agent, Decision, Usage
from valuesim.env import Environment
from valuesim.episode import EpisodeSpec, Fork, OnTurn, Turn, play_on
from valuesim.errors import Departed, InputError
from valuesim.log.lines import encode, observation_line
from valuesim.log.options import option_line
from valuesim.log.records import DecisionRecord
from valuesim.observation import Observation
from valuesim.option import Argument

Moments = Mapping[tuple[int, str], DecisionRecord]
"""The decisions of an episode by step and role."""


async def retraced(
    spec: EpisodeSpec, records: Sequence[DecisionRecord], *, within: Sequence[Path] | None = None
) -> list[Turn]:
    """Return the turns of the episode of `spec`, played again with the decisions of `records`.

    These are all of the episode, what it inherited among them. `within` are the folders that files
    which the environment reads must lie in, None for anywhere. Raises Departed where anything is
    not as the log says, and InputError where the environment cannot be made.
    """
    moments = moments_of(records)
    turns = await walked(
        made(spec, within), spec, {role: Told(role, moments) for role in spec.population}, moments
    )
    check_all_told(turns, moments)
    return turns


def made(spec: EpisodeSpec, within: Sequence[Path] | None) -> Environment:
    """Return the environment of `spec`; raise InputError where it reads a file elsewhere."""
    if within is not None:
        for file in registry.environments()[spec.env].load().reads(spec.parameters):
            if not any(file.resolve().is_relative_to(each.resolve()) for each in within):
                raise InputError(
                    f"{spec.env} would read {str(file)!r:.200}, which lies outside what is shown: "
                    "it is not played again"
                )
    return registry.make(spec.env, **spec.parameters)


async def walked(
    env: Environment,
    spec: EpisodeSpec,
    agents: Mapping[str, Agent],
    moments: Moments,
    until: int | None = None,
) -> list[Turn]:
    """Play `env` from its beginning to the start of step `until` (None: to the end).

    Each fork of `spec` changes the world where it stands, that at `until` among them. What comes of
    each step is compared with `moments`.
    """

    def compare(turn: Turn) -> None:
        for role, decision in turn.decisions.items():
            if (told := moments.get((decision.step, role))) is not None:
                check_outcome(turn, role, told)

    env.reset(seed=spec.seed)
    turns: list[Turn] = []
    for fork in spec.forks:
        if until is None or fork.step <= until:
            turns += await _to(env, agents, compare, fork.step)
            changed(env, fork)
    return turns + (await _to(env, agents, compare, until))


async def _to(
    env: Environment, agents: Mapping[str, Agent], on_turn: OnTurn, until: int | None
) -> list[Turn]:
    turns = await play_on(env, agents, on_turn, until=until)
    if until is not None and (env.turn < until or not env.agents):
        raise InputError(f"the episode has no step {until}: it ends after step {env.turn - 1}")
    return turns


def changed(env: Environment, fork: Fork) -> None:
    """Change the world as `fork` says; raise InputError for what cannot be changed so."""
    if fork.seed is not None:
        env.reseed(fork.seed)
    for name, amount in fork.world.items():
        env.edit(name, amount)


@dataclass(frozen=True, slots=True)
class Told:
    """Answers as the log says.

    `agent`, if there is one, takes in what was seen and decided; `made` says of each step which
    interventions were made on it then, None where it is the very player that decided.
    """

    role: str
    moments: Moments
    agent: Any = None
    made: Mapping[int, Collection[str] | None] = field(default_factory=dict)

    @property
    def reads_state(self) -> bool:
        """Whether its agent reads the numeric observation."""
        return self.agent is not None and bool(getattr(self.agent, "reads_state", True))

    async def decide(self, observation: Observation) -> Decision:
        """Return the decision of the log; raise Departed where it was made on something else."""
        record = self.moments.get((observation.step, self.role))
        if record is None:
            raise Departed(observation.step, self.role, "the log holds no decision of it")
        check_seen(observation, record)
        decision = decision_of(record)
        if self.agent is not None:
            made = self.made.get(observation.step)
            await self.agent.recall(observation, decision, made=made)
        return decision


def moments_of(records: Sequence[DecisionRecord]) -> Moments:
    """Return `records` by step and role."""
    return {(record.step, record.role): record for record in records}


def decision_of(record: DecisionRecord) -> Decision:
    """Return the decision that was written down as `record`."""
    order: Mapping[str, Argument] = {}
    for option in record.options:
        if option.name == record.chosen:
            order = option.arguments
    given = dict(record.arguments)
    return Decision(
        agent=record.role,
        step=record.step,
        option=record.chosen,
        # the log sorts them
        arguments={name: given.pop(name) for name in order if name in given} | given,
        message=record.message,
        rationale=record.rationale,
        fault=record.fault,
        fault_detail=record.fault_detail,
        attempted=record.attempted,
        schema_break=record.schema_break,
        reply=record.reply,
        attempts=record.attempts,
        tries=record.tries,
        added=record.added,
        interventions=record.interventions,
        labellings=record.labellings,
        probabilities=record.probabilities,
        unaccounted=record.unaccounted,
        usage=Usage(**record.usage),
        latency=record.latency,
    )


def check_seen(seen: Observation, record: DecisionRecord) -> None:
    """Raise Departed where `seen` is not what `record` was decided on."""
    told = {
        "rules": record.rules_id,
        "text": record.text,
        "options": [option_line(option) for option in record.options],
        "view": record.view,
        "annotations": record.annotations,
    }
    now = observation_line(seen)
    for part, was in told.items():
        if encode({part: now[part]}) != encode({part: was}):
            raise Departed(seen.step, record.role, f"what is shown now differs in its {part}")


def check_outcome(turn: Turn, role: str, record: DecisionRecord) -> None:
    """Raise Departed where what came of a decision is not what `record` says."""
    came = {"effect": turn.effects.get(role, {}), "payoff": turn.payoffs.get(role, 0.0)}
    for part, was in {"effect": record.effect, "payoff": record.payoff}.items():
        if encode({part: came[part]}) != encode({part: was}):
            raise Departed(record.step, role, f"the {part} now is another")
    decision = turn.decisions[role]
    if (decision.option, decision.fault) != (record.chosen, record.fault):
        raise Departed(record.step, role, "what was decided cannot be done now")


def check_all_told(turns: Sequence[Turn], moments: Moments) -> None:
    """Raise Departed where the log holds a decision that nobody was asked for."""
    asked = {(made.step, role) for turn in turns for role, made in turn.decisions.items()}
    for step, role in sorted(moments.keys() - asked):
        raise Departed(step, role, "the log holds a decision, and nobody is asked now")

"""The decisions of a fork's own step that nobody is asked for: given ones, and those that stay."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from valuesim.decision import Agent, Decision
from valuesim.env import Environment
from valuesim.episode import EpisodeSpec, Fork
from valuesim.errors import InputError
from valuesim.log.records import DecisionRecord
from valuesim.observation import Observation
from valuesim.option import Move, Text
from valuesim.replay.branching.restore import made_then
from valuesim.replay.branching.retrace import Moments, decision_of


@dataclass(frozen=True, slots=True)
class Given:
    """Answers one observation with a `decision` that is given; its `agent` takes that in."""

    decision: Decision
    agent: Any
    made: Collection[str] | None

    @property
    def reads_state(self) -> bool:
        """Whether its agent reads the numeric observation."""
        return bool(getattr(self.agent, "reads_state", True))

    async def decide(self, observation: Observation) -> Decision:
        """Return the decision."""
        await self.agent.recall(observation, self.decision, made=self.made)
        return self.decision


def given_at(
    spec: EpisodeSpec, env: Environment, moments: Moments, agents: Mapping[str, Agent]
) -> dict[str, Given]:
    """Return, by role, who answers at the step of the fork of `spec` without being asked.

    `env` stands at that step, changed as the fork says, and `moments` are those of the parent.
    Raises InputError where a decision that is given cannot be taken there.
    """
    fork = spec.fork
    assert fork is not None, "only a fork gives decisions"
    seen = {role: env.observe(role, numeric=False) for role in env.agents}
    asked = {role: each for role, each in seen.items() if each.is_choice}
    for role in fork.given - asked.keys():
        raise InputError(f"{role} decides nothing at step {fork.step}: nothing can be given")
    found = {}
    for role in asked.keys() - fork.deciding(asked):
        record = moments.get((fork.step, role))
        decision = _decision(fork, role, asked[role], record)
        known = record if fork.keeps_sight else None
        made = made_then(spec, role, fork.step, known)
        found[role] = Given(decision, agents[role], made)
    return found


def _decision(fork: Fork, role: str, seen: Observation, record: DecisionRecord | None) -> Decision:
    if role not in fork.given:
        assert record is not None, "who sees what was seen in the parent decided there"
        return decision_of(record)
    move = fork.moves[role] if role in fork.moves else _said(role, fork, seen, record)
    if record is not None:
        _check_meant(role, seen, record, move.option)
    if reason := seen.fault(move):
        raise InputError(f"{role} cannot do that at step {fork.step}: {reason}")
    option = seen.option(move.option)
    assert option is not None, "seen.fault checked it"
    arguments = option.complete(move.arguments)
    decision = Decision(
        agent=role,
        step=fork.step,
        option=move.option,
        arguments=arguments,
        message=arguments.get("message") or None,
        attempts=0,
    )
    if record is None or not fork.keeps_sight:
        return decision
    # what was done before the decision was asked for stays, and is remembered
    return replace(decision, added=record.added, interventions=record.interventions)


def _check_meant(role: str, seen: Observation, record: DecisionRecord, option: str) -> None:
    """Raise InputError where a label stands for another option than it did in the parent.

    Labels are dealt by lot: with another seed, what was A there may be B.
    """
    before, now = (each.annotations.get("labels") for each in (record, seen))
    if not isinstance(before, Mapping) or not isinstance(now, Mapping):
        return
    if option in before and option in now and before[option] != now[option]:
        raise InputError(
            f"{role} is given {option!r} at step {seen.step}, which was {before[option]!r:.60} and "
            f"is {now[option]!r:.60} with this seed: give a decision, or a seed, not both"
        )


def _said(role: str, fork: Fork, seen: Observation, record: DecisionRecord | None) -> Move:
    """Return the parent's decision of `role` with another message."""
    chosen = None if record is None or record.chosen is None else seen.option(record.chosen)
    texts = (
        [name for name, kind in chosen.arguments.items() if isinstance(kind, Text)]
        if (chosen is not None)
        else []
    )
    if record is None or chosen is None or not texts:
        raise InputError(f"{role} says nothing at step {fork.step} that could be another message")
    arguments = {**record.arguments, texts[0]: fork.messages[role]}
    return Move(option=chosen.name, arguments=arguments)

"""What a log gives back: finished episodes, their decisions, and plays that did not finish."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from valuesim.decision import Addition, Fault, Labelling, Try
from valuesim.errors import InputError, LogError
from valuesim.option import Move, Option
from valuesim.spec import Chain, EpisodeSpec, Fork, Player

SEEN = "seen"
"""The factor of an episode's condition that says when a person judged the moments of another one:
before what was chosen there was seen, or after."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EpisodeRecord:
    """One finished episode, as its line in `episodes.jsonl` says.

    `elicitation` is empty where nobody was asked in words, `chain` None where no other episode was
    remembered. What comes after it is known at the episode's end only: an import leaves it out, and
    counts. `carried` is what went on to the next of the chain, by role and intervention. `place` is
    its own in the run's plan, from 0; None in an import, and in runs of versions before 0.2.
    `parameters` are what its environment was made with, None where the line does not say so (an
    import, an earlier version), `fork` where it leaves another episode, None where it does not.
    """

    id: str
    env: str
    condition: Mapping[str, Any]
    population: Mapping[str, Player]
    seed: int
    elicitation: Mapping[str, Any] = field(default_factory=dict)
    chain: Chain | None = None
    steps: int = 0
    outcome: Mapping[str, Any] = field(default_factory=dict)
    measures: Mapping[str, Any] = field(default_factory=dict)
    decisions: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)
    usage: Mapping[str, int] = field(default_factory=dict)
    carried: Mapping[str, Any] = field(default_factory=dict)
    place: int | None = None
    parameters: Mapping[str, Any] | None = None
    fork: Fork | None = None

    @property
    def spec(self) -> EpisodeSpec:
        """What determined it.

        Raises InputError where its line does not say with what its environment was made, and
        LogError where what it says is not what named it.
        """
        if SEEN in self.condition:
            raise InputError(
                f"episode {self.id} is what a person judged of another one: nothing was played, "
                "and nothing can be played again (leave the episode that was judged)"
            )
        if self.parameters is None:
            raise InputError(
                f"episode {self.id} is shown, and not played again: its line does not say with "
                "what its environment was made, as those of imports and earlier versions do not"
            )
        spec = EpisodeSpec(
            env=self.env,
            parameters=self.parameters,
            population=self.population,
            elicitation=self.elicitation,
            seed=self.seed,
            chain=self.chain,
            fork=self.fork,
        )
        if spec.id != self.id:
            raise LogError(
                f"the line of episode {self.id} was changed: what it says determines another one, "
                f"{spec.id}"
            )
        return spec

    @property
    def world(self) -> str:
        """What names the world that was played: environment, condition and seed, or chain.

        Episodes that differ in who played share it, and what its seed drew; so do those of one
        chain, of which each remembers the one before, and what was judged of an episode with it.
        """
        condition = {name: level for name, level in self.condition.items() if name != SEEN}
        key = zlib.crc32(orjson.dumps(condition, option=orjson.OPT_SORT_KEYS))
        chain = self.chain
        drawn = self.seed if chain is None else f"{chain.first}+{chain.length}"
        return f"{self.env}/{key:08x}/{drawn}"

    @property
    def unit(self) -> str:
        """What names the unit of a group's episodes that are not independent: itself, or its chain.

        The chains of one world share their name, whoever lives through them.
        """
        return self.id if self.chain is None else self.world


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionRecord:
    """One decision of a finished episode, with the episode it belongs to.

    Exactly one of `chosen` (the name of an option in `options`, which stand in the order shown)
    and `fault` is given. `reply`, `attempted`, `schema_break`, `tries`,
    `added`, `interventions`, `labellings`, `probabilities` and `unaccounted` are as in `Decision`.
    """

    episode: EpisodeRecord
    step: int
    role: str
    options: tuple[Option, ...]
    chosen: str | None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    fault: Fault | None = None
    fault_detail: str | None = None
    text: str = ""
    rules_id: str = ""
    message: str | None = None
    rationale: str | None = None
    reply: str = ""
    attempts: int = 1
    tries: tuple[Try, ...] = ()
    attempted: Move | None = None
    schema_break: bool = False
    added: tuple[Addition, ...] = ()
    interventions: Mapping[str, Any] = field(default_factory=dict)
    labellings: tuple[Labelling, ...] = ()
    probabilities: Mapping[str, float] = field(default_factory=dict)
    unaccounted: float | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    view: Mapping[str, Any] = field(default_factory=dict)
    annotations: Mapping[str, Any] = field(default_factory=dict)
    effect: Mapping[str, Any] = field(default_factory=dict)
    payoff: float = 0.0
    latency: float = 0.0

    @property
    def player(self) -> Player:
        """Who decided."""
        return self.episode.population[self.role]


@dataclass(frozen=True, kw_only=True, slots=True)
class InterruptedRecord:
    """One play that did not finish; `is_open` while the episode has not been finished since.

    Of a play that a kill cut off nothing was written of who played: its `population` and
    `elicitation` are empty, its `env` and `condition` None. The condition is also None where the
    environment could not be built.
    """

    episode: str
    play: int
    reason: str
    is_open: bool
    population: Mapping[str, Player] = field(default_factory=dict)
    env: str | None = None
    condition: Mapping[str, Any] | None = None
    elicitation: Mapping[str, Any] = field(default_factory=dict)

    def played_as(self, earlier: InterruptedRecord) -> InterruptedRecord:
        """Return this record with who played, and what, as in `earlier` of the same episode."""
        return replace(
            self,
            population=earlier.population,
            env=earlier.env,
            condition=earlier.condition,
            elicitation=earlier.elicitation,
        )

"""What is the same for decisions that may be pooled: the game as played, and the problem posed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from valuesim.log.reader import DecisionRecord
from valuesim.measures.strategic.equilibrium import Game, game_of

Factors = tuple[tuple[str, str], ...]

_OF_THE_TELLING = frozenset({"wording", "paraphrase", "wording_id", "labels", "shuffle_options"})
_OF_THE_DOSE = frozenset({"stake", "penalty", "price_list", "sweeps", "design"})
_DERIVED = frozenset({"most_rounds", "horizon"})
_SAID_OTHERWISE = frozenset({"game", "table", "perspective"})
PREDICTED = "predicted for people"
_JSON = json.JSONEncoder(sort_keys=True, default=str)
_APART = _OF_THE_TELLING | _OF_THE_DOSE | _DERIVED


@dataclass(frozen=True, kw_only=True, slots=True)
class Treatment:
    """A game as it was played: every factor but its words and its doses, with their design.

    `factors` are (name, JSON text) in order of name, with the number of `rounds` where it is fixed
    (1 in a price list, whose decisions are each played once).
    """

    game: str
    factors: Factors

    @property
    def is_predicted(self) -> bool:
        """Whether agents say what people would do, instead of deciding."""
        return bool(self.factor("perspective", "act") == "predict")

    @property
    def rounds(self) -> int | None:
        """How many rounds are played with the same partner; None where the number is drawn."""
        rounds: int | None = self.factor("rounds")
        return rounds

    @property
    def game_table(self) -> Game | None:
        """The payoffs, at stake 1, of a game with two moves; None for others."""
        table = self.factor("table")
        return None if table is None else game_of(table)

    def factor(self, name: str, default: Any = None) -> Any:
        """Return the factor `name` as the condition has it, or `default`."""
        text = dict(self.factors).get(name)
        return default if text is None else json.loads(text)


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing to decide: a treatment at its dose, for a role, upon what was received."""

    treatment: Treatment
    role: str
    phase: str
    stake: float
    penalty: float | None
    received: float | None

    def without(self, dose: str) -> Problem:
        """Return the problem with its `dose` ("stake" or "penalty") left out."""
        if dose == "stake":
            return replace(self, stake=0.0)
        return replace(self, penalty=None)


def treatment(record: DecisionRecord) -> Treatment:
    """Return the treatment that the decision's episode belongs to."""
    condition = dict(record.episode.condition)
    if condition.get("delta") is None:
        is_list = condition.get("design") == "within"
        condition["rounds"] = 1 if is_list else record.annotations.get("rounds_drawn", 1)
    return Treatment(
        game=str(condition.get("game", record.episode.env)),
        factors=tuple(
            (name, _JSON.encode(condition[name]))
            for name in sorted(condition)
            if name not in _APART
        ),
    )


def problem(record: DecisionRecord, own: Treatment) -> Problem:
    """Return the problem that the decision answers; `own` is its treatment."""
    received = record.annotations.get("received")
    is_alike = own.game_table is not None and own.game_table.is_symmetric
    return Problem(
        treatment=own,
        role="" if is_alike else str(record.annotations.get("role", record.role)),
        phase=str(record.annotations.get("phase", "act")),
        stake=stake(record),
        penalty=penalty(record),
        received=None if received is None else float(received),
    )


def design(record: DecisionRecord) -> str:
    """Return whether doses vary "within" the episode (a price list) or only "between" episodes.

    Decisions of the two are never pooled.
    """
    return str(record.episode.condition.get("design", "between"))


def stake(record: DecisionRecord) -> float:
    """Return what all payoffs of the decision were multiplied by."""
    return float(_of_the_dose(record, "stake", 1.0))


def penalty(record: DecisionRecord) -> float | None:
    """Return the penalty (and reward) R of the traveler's dilemma; None in other games."""
    given = _of_the_dose(record, "penalty", None)
    return None if given is None else float(given)


def by_treatment(records: Iterable[DecisionRecord]) -> dict[Treatment, list[DecisionRecord]]:
    """Return `records` by treatment, in order of appearance."""
    found: dict[Treatment, list[DecisionRecord]] = {}
    by_episode: dict[str, Treatment] = {}
    for record in records:
        if record.episode.id not in by_episode:
            by_episode[record.episode.id] = treatment(record)
        found.setdefault(by_episode[record.episode.id], []).append(record)
    return found


def differing(treatments: Sequence[Treatment]) -> tuple[str, ...]:
    """Return the factors in which `treatments` differ, in order of name."""
    every = {name for each in treatments for name, _ in each.factors}
    return tuple(
        name for name in sorted(every) if len({str(each.factor(name)) for each in treatments}) > 1
    )


def names(treatments: Sequence[Treatment]) -> Mapping[Treatment, str]:
    """Return, for each treatment, what sets it apart from the others: "delta 0.5, R 32" or "".

    Predictions are always said to be such.
    """
    factors = [name for name in differing(treatments) if name not in _SAID_OTHERWISE]
    said = {each: _said(each, factors) for each in treatments}
    alike = list(said.values())
    # tables that no factor tells apart are numbered
    return {
        each: name if alike.count(name) == 1 else f"{name or 'game'} {place}"
        for place, (each, name) in enumerate(said.items(), start=1)
    }


def _of_the_dose(record: DecisionRecord, name: str, default: Any) -> Any:
    given = record.annotations.get(name)
    return record.episode.condition.get(name, default) if given is None else given


def _said(treatment: Treatment, factors: Sequence[str]) -> str:
    said = [PREDICTED] if treatment.is_predicted else []
    said += [_shown(name, treatment.factor(name)) for name in factors]
    return ", ".join(each for each in said if each)


def _shown(name: str, level: Any) -> str:
    if level is None:
        return "memory of all rounds" if name == "memory" else ""
    if isinstance(level, bool):
        return name if level else f"no {name}"
    return f"{name} {level:g}" if isinstance(level, float) else f"{name} {level}"

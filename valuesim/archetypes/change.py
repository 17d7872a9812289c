"""How probable it is that an agent's archetype is another one: between two arms or checkpoints.

Each arm's rates are drawn from its own posterior (`rates`). Where both arms played the same seeds,
their errors go together: the draws of the two are put side by side so that their pooled rates
correlate as the rates' errors do (a Gaussian copula; Iman and Conover 1982), which leaves the draws
of each arm as they are. Without that, an archetype on the brink would seem to change too often.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from valuesim.archetypes.behaviour import Behaviour, observe
from valuesim.archetypes.catalogue import BEHAVIOURAL, Catalogue, Rule
from valuesim.archetypes.rates import DRAWS, draw_rates
from valuesim.archetypes.report import judge_behaviour
from valuesim.archetypes.verdict import NONE, UNDETERMINED, Verdict, drawn_names
from valuesim.log.reader import DecisionRecord

Names = NDArray[np.str_]


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchetypeChange:
    """The archetypes of two arms, and how probable each change from the first to the second is.

    `joint` maps (name at first, name at second) to its probability, and sums to 1 over all pairs
    of behavioural names and "none"; it is empty, and `probability` None with `why`, where an arm
    has no opportunity for a transgression. `probability` is that the names differ. A posterior
    stands also where the verdict is "undetermined", whose sentence says why nothing is named.
    """

    first: Verdict
    second: Verdict
    joint: Mapping[tuple[str, str], float] = field(default_factory=dict)
    probability: float | None = None
    why: str = ""

    @property
    def has_changed(self) -> bool:
        """Whether both arms have an archetype, and not the same one."""
        names = {self.first.archetype, self.second.archetype}
        return len(names) == 2 and UNDETERMINED not in names


def archetype_change(
    first: Sequence[DecisionRecord],
    second: Sequence[DecisionRecord],
    catalogue: Catalogue,
    *,
    correlation: float = 0.0,
    seed: int = 0,
) -> ArchetypeChange:
    """Return the archetypes of two arms and the probability that they differ.

    `correlation`, in [-1, 1], is that of the errors of the arms' transgression rates (see
    `measures.paired`), 0 where they share no unit. Equal input, equal figures.
    """
    behaviours = [observe(arm) for arm in (first, second)]
    verdicts = [
        judge_behaviour(arm, own, catalogue, seed=seed)
        for arm, own in zip((first, second), behaviours, strict=True)
    ]
    empty = [place for place, own in enumerate(behaviours) if not own.cells]
    if empty:
        arm = ("the first", "the second")[empty[0]] if len(empty) == 1 else "either"
        why = f"no decision of {arm} left a transgression open"
        return ArchetypeChange(first=verdicts[0], second=verdicts[1], why=why)
    rng = np.random.default_rng([seed, 1])
    names = _side_by_side(behaviours, catalogue.rule, correlation, rng)
    joint = _shares(*names)
    return ArchetypeChange(
        first=verdicts[0],
        second=verdicts[1],
        joint=joint,
        probability=sum(share for (one, two), share in joint.items() if one != two),
    )


def change_to_json(found: ArchetypeChange) -> dict[str, Any]:
    """Return `found` as JSON values, schema 1; what is unknown is None."""
    return {
        "first": _verdict(found.first),
        "second": _verdict(found.second),
        "changes": [
            {"first": one, "second": two, "probability": share}
            for (one, two), share in found.joint.items()
            if share > 0
        ],
        "probability": found.probability,
        "has_changed": found.has_changed,
        "why": found.why or None,
    }


def _verdict(found: Verdict) -> dict[str, Any]:
    return {"archetype": found.archetype, "posterior": dict(found.posterior), "why": found.why}


def _side_by_side(
    behaviours: Sequence[Behaviour], rule: Rule, correlation: float, rng: np.random.Generator
) -> list[Names]:
    """Return the name of each draw of both arms; those of one row belong together."""
    one, other = rng.standard_normal((2, DRAWS))
    scores = [one, correlation * one + (1 - correlation**2) ** 0.5 * other]
    found = []
    for behaviour, own in zip(behaviours, scores, strict=True):
        drawn = draw_rates(behaviour, rng)
        met = drawn_names(behaviour, drawn, rule)
        named = np.select(list(met.values()), list(met), default=NONE)
        order = np.argsort(drawn.pooled(list(behaviour.cells)), kind="stable")
        found.append(named[order][np.argsort(np.argsort(own))])
    return found


def _shares(first: Names, second: Names) -> dict[tuple[str, str], float]:
    names = [*BEHAVIOURAL, NONE]
    return {
        (one, two): float(((first == one) & (second == two)).mean())
        for one in names
        for two in names
    }

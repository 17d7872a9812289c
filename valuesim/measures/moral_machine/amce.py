"""Average marginal component effects (AMCE) of nine attributes on the chance of being spared.

After Hainmueller, Hopkins and Yamamoto (Political Analysis 22, 2014) and Awad et al. (Nature 563,
2018): two rows a decision, "was spared" regressed on the attribute, each decision weighted by the
inverse of its probability in our own design. Only decisions whose two groups differ in the
attribute count, whole: "Relation to AV" where passengers meet pedestrians without a signal, "Law"
where one of two groups of pedestrians crosses legally, the six of the characters in scenes of their
own dimension, "Intervention" everywhere. Both rows of a decision weigh alike, so that an effect is
twice the weighted share of decisions for the + side, less one, and a habit of naming one case
moves no attribute of a design that draws sides and order by lot.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from valuesim.measures.moral_machine.contrast import Effect, Rows, weighted_contrast
from valuesim.measures.moral_machine.judgements import (
    BoolArray,
    FloatArray,
    IntArray,
    Judgements,
)
from valuesim.measures.moral_machine.scene import DIMENSIONS, LEGAL, NO_SIGNAL

OF_DIMENSION: Mapping[str, str] = {
    "Gender": "Gender",
    "Fitness": "Fitness",
    "Social Status": "Social Value",
    "Age": "Age",
    "No. Characters": "Utilitarian",
    "Species": "Species",
}
"""The dimension whose scenes tell of each attribute of the characters."""

ATTRIBUTES = ("Intervention", "Relation to AV", "Law", *OF_DIMENSION)
"""The nine; + is inaction, pedestrians, lawful, female, fit, high status, young, more, humans."""

DIFFERENCES = (1, 2, 3, 4)


def amce(judgements: Judgements, weight: FloatArray | None = None) -> dict[str, Effect]:
    """Return the effect of each of ATTRIBUTES; without a value where no decision tells of it.

    `weight` is one number above 0 a decision; left out, the inverse of its design probability.
    """
    return {name: weighted_contrast(own) for name, own in amce_rows(judgements, weight).items()}


def amce_rows(judgements: Judgements, weight: FloatArray | None = None) -> dict[str, Rows]:
    """Return the rows from which `amce` estimates the effect of each of ATTRIBUTES."""
    if weight is None:
        weight = 1 / judgements.probability
    return {name: _rows(judgements, plus_group(judgements, name), weight) for name in ATTRIBUTES}


def by_difference(judgements: Judgements) -> dict[int, Effect]:
    """Return the effect of being the more numerous, by the difference in number, 1 to 4."""
    plus = plus_group(judgements, "No. Characters")
    weight = 1 / judgements.probability
    own = {by: np.where(judgements.difference == by, plus, -1) for by in DIFFERENCES}
    return {by: weighted_contrast(_rows(judgements, own[by], weight)) for by in DIFFERENCES}


def plus_group(judgements: Judgements, attribute: str) -> IntArray:
    """Return which group (0, 1) of each decision has the + level of `attribute`.

    It is -1 where the decision does not count for the attribute; see the module.
    """
    counts, rank = _ranked(judgements, attribute)
    counts = counts & (rank[:, 0] != rank[:, 1])
    return np.where(counts, np.argmax(rank, axis=1), -1)


def spares_plus(judgements: Judgements, plus: IntArray) -> BoolArray:
    """Return whether each decision spares its group `plus` (0 or 1)."""
    return np.asarray((plus == 1) == judgements.stays)


def _ranked(judgements: Judgements, attribute: str) -> tuple[BoolArray, IntArray]:
    everywhere = np.ones(len(judgements), dtype=bool)
    if attribute == "Intervention":
        return everywhere, np.tile(np.array([0, 1]), (len(judgements), 1))
    if attribute == "Relation to AV":
        is_plain = (judgements.signal == NO_SIGNAL).all(axis=1)
        return (judgements.pedped == 0) & is_plain, -judgements.barrier
    if attribute == "Law":
        is_signalled = (judgements.signal != NO_SIGNAL).all(axis=1)
        return (judgements.pedped == 1) & is_signalled, (judgements.signal == LEGAL).astype(int)
    dimension = DIMENSIONS.index(OF_DIMENSION[attribute])
    return judgements.dimension == dimension, judgements.level


def _rows(judgements: Judgements, plus: IntArray, weight: FloatArray) -> Rows:
    counted = plus >= 0
    spared = spares_plus(judgements, plus)[counted]
    return Rows(
        saved=np.concatenate([spared, ~spared]),
        is_plus=np.repeat([True, False], len(spared)),
        weight=np.tile(weight[counted], 2),
        cluster=np.tile(judgements.cluster[counted], 2),
        decisions=len(spared),
    )

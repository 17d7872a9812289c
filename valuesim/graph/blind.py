"""Content-blind choice: what habits of place and omission alone would choose.

The conditional logit of `logit` with its terms (shown first, place in the order, omission) and no
value: the null that an archetype or a ranking must beat.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from valuesim.choices import Choices
from valuesim.graph.design import TERMS, FloatArray, compact, term_features
from valuesim.graph.logit import mode


def blind_habits(choices: Choices) -> FloatArray:
    """Return the coefficients of `design.TERMS` fitted to `choices`; all 0 without a contested one.

    All zero is choice at random among the options.
    """
    design = compact(choices).content_blind()
    if not design.situations:
        return np.zeros(len(TERMS))
    asked = np.asarray(design.asked.sum(axis=0), dtype=float)
    return mode(design, asked, design.totals.sum(axis=0))


def blind_choice(habits: FloatArray, omissions: Sequence[bool]) -> FloatArray:
    """Return the probability of each option shown, in order, from whether it is an omission."""
    utility = term_features(omissions) @ habits
    p = np.exp(utility - utility.max())
    return np.asarray(p / p.sum())

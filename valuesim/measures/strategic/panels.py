"""The panels of one group of decisions in one game.

Treatments (payoffs, rounds, noise, talk, framing, currency, perspective) have panels of their own.
Within one, designs and penalties are never pooled but stand in one panel, as curves or rows; words
and labels are pooled, and so are stakes, but for the curves that are drawn over them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from valuesim.log.reader import DecisionRecord
from valuesim.measures.panel import Panel
from valuesim.measures.strategic.amounts import amount_panels
from valuesim.measures.strategic.doses import dose_panels
from valuesim.measures.strategic.leanings import leaning_panels
from valuesim.measures.strategic.moves import move_panels
from valuesim.measures.strategic.partners import partner_panels
from valuesim.measures.strategic.sample import Arm, Sample
from valuesim.measures.strategic.treatment import Treatment, by_treatment, differing, names
from valuesim.measures.strategic.worth import worth_panels

MOST_TREATMENTS = 4
"""The most treatments that are shown, those with most decisions."""
_KEYS = {"rounds": "horizon"}
"""Factors by the key of the condition that groups by them, where that is another."""


def panels(records: Sequence[DecisionRecord], *, seed: int) -> Sequence[Panel]:
    """Return the panels of `records`, all of one group and one game; none without records.

    `seed` draws the resamples behind intervals: the same records and seed give the same panels.
    """
    rng = np.random.default_rng(seed)
    treatments = by_treatment(records)
    most = sorted(treatments, key=lambda each: -len(treatments[each]))[:MOST_TREATMENTS]
    called = names(list(treatments))
    samples = (
        Sample(treatment=each, name=called[each], arms=Arm.of(own))
        for each, own in treatments.items()
        if each in most
    )
    found = [panel for sample in samples for panel in _panels(sample, rng)]
    if len(treatments) > len(most) and found:
        found[0] = replace(found[0], note=f"{found[0].note} {_left_out(list(treatments))}".strip())
    return found


def _panels(sample: Sample, rng: np.random.Generator) -> Iterator[Panel]:
    if sample.treatment.game_table is not None:
        yield from move_panels(sample, rng)
    else:
        yield from amount_panels(sample)
    yield from dose_panels(sample)
    yield from worth_panels(sample, rng)
    yield from partner_panels(sample)
    yield from leaning_panels(sample, rng)


def _left_out(treatments: Sequence[Treatment]) -> str:
    known = differing(treatments)
    # payoffs that are factors of their own say all that the table does
    factors = [name for name in known if name not in ("game", "table")] or known
    keys = ",".join(_KEYS.get(name, name) for name in factors)
    more = len(treatments) - MOST_TREATMENTS
    return f"{more} more treatments are not shown: group by them with --by agent,{keys}."

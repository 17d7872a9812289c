"""How often two arms do each act, in the same seeds and scenes: differences with intervals."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from valuesim.graph.contrasts import holm
from valuesim.graph.units import Records, unit_names, unit_noun
from valuesim.measures.acts import ACTS, TRANSGRESSION, Cell, Counts, counted, level_of, together
from valuesim.measures.paired import PairedDifference, paired_difference, paired_p


@dataclass(frozen=True, kw_only=True, slots=True)
class ActDifference:
    """The rate of one act in the second arm less that in the first.

    `p` is that of no difference, uncorrected, None where there is no interval; `moved` tells that
    the rates differ at 5 % after Holm's correction for all cells of the comparison.
    """

    cell: Cell
    difference: PairedDifference
    p: float | None
    moved: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Pairing:
    """How many units (`noun`: seeds, scenes, chains) two arms have, and how many are in both."""

    noun: str
    first: int
    second: int
    both: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PairedActs:
    """Two arms side by side: the acts by cell, and the units that pair up.

    `correlation` is that of the arms' transgression rates over all cells, 0 where it is not known.
    """

    pairing: Pairing
    acts: tuple[ActDifference, ...]
    correlation: float = 0.0


def paired_acts(first: Records, second: Records) -> PairedActs:
    """Return the differences of the second arm to the first, cell by cell, and what pairs up.

    A cell of which one arm has nothing is told with why. Without records in an arm: no act. Where
    the arms have no level of scarcity in common, levels are put together.
    """
    name = unit_names([first, second])
    units = [{name(record) for record in arm} for arm in (first, second)]
    levels = [{level_of(record) for record in arm} for arm in (first, second)]
    one, two = (counted(arm, name, by_level=bool(levels[0] & levels[1])) for arm in (first, second))
    cells = sorted({**one, **two}, key=_place) if one and two else []
    found = [
        (cell, paired_difference(a, b), paired_p(a, b))
        for cell in cells
        for a, b in [(one.get(cell, {}), two.get(cell, {}))]
    ]
    moved = iter(holm(np.array([p for *_, p in found if p is not None])))
    return PairedActs(
        pairing=Pairing(
            noun=unit_noun([first, second]),
            first=len(units[0]),
            second=len(units[1]),
            both=len(units[0] & units[1]),
        ),
        acts=tuple(
            ActDifference(cell=cell, difference=d, p=p, moved=p is not None and bool(next(moved)))
            for cell, d, p in found
        ),
        correlation=paired_difference(_all(one), _all(two)).correlation or 0.0,
    )


def acts_to_json(found: PairedActs) -> dict[str, Any]:
    """Return `found` as JSON values, schema 1; what is unknown is None."""
    return {
        "units": asdict(found.pairing),
        "correlation": found.correlation,
        "rates": [
            {**asdict(each.cell), **asdict(each.difference), "p": each.p, "moved": each.moved}
            for each in found.acts
        ],
    }


def _all(cells: dict[Cell, Counts]) -> Counts:
    """Return the transgressions of all cells together."""
    return together(own for cell, own in cells.items() if cell.act == TRANSGRESSION)


def _place(cell: Cell) -> tuple[object, ...]:
    return ACTS.index(cell.act), cell.env, cell.level, not cell.threatened

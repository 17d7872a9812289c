"""The order and the columns of a drawn graph's rows: few crossings, short arrows, no overlap.

Arrows over several rows pass between the boxes of those in between; all those of one value share a
trunk there. Rows are ordered by the mean place of what each node is joined to, in sweeps down and
up (Sugiyama, Tagawa and Toda 1981); columns are least squares under the least distances, within the
width of a screen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

Node = str | tuple[str, int]
"""A value, or the place where its trunk passes a row: (value, row)."""
Pair = tuple[str, str]

GAP = 0.26
WIDEST = 12.2
"""Inches: what a screen shows legibly; a row is wider only if its trunks alone make it so."""
_TRUNK = 0.14
_SWEEPS = 16


@dataclass(kw_only=True, slots=True)
class Block:
    """One set of compared values while it is laid out: rows of nodes, and their columns (inches).

    `pairs` are arrows, `row_of` says in which row a value stands, `band` holds lines of values that
    stand below the rows. `arrange` adds the trunks and sets `x`, the least being 0, and `width`.
    """

    title: str
    rows: list[list[Node]]
    band: list[list[str]]
    pairs: tuple[Pair, ...]
    row_of: Mapping[str, int]
    x: dict[Node, float] = field(default_factory=dict)
    width: float = 0.0

    @property
    def lines(self) -> list[list[Node]]:
        """The rows, then the lines of the band."""
        return [*self.rows, *(list[Node](line) for line in self.band)]

    def chain(self, over: str, under: str) -> list[Node]:
        """Return the nodes that the arrow of a pair passes, one in each row, both ends included."""
        between = range(self.row_of[over] + 1, self.row_of[under])
        return [over, *((over, row) for row in between), under]


def box_width(value: str) -> float:
    """Return the width of a value's box, in inches: that of its name, or of its figures."""
    return max(1.42, 0.26 + 0.082 * min(len(value), 22))


def row_width(row: Sequence[Node]) -> float:
    """Return the least width of a row, in inches."""
    return sum(map(_width, row)) + GAP * (len(row) - 1)


def arrange(block: Block) -> None:
    """Order the rows of `block` and set its columns."""
    for over, under in block.pairs:
        for row, node in enumerate(block.chain(over, under)[1:-1], block.row_of[over] + 1):
            if node not in block.rows[row]:
                block.rows[row].append(node)
    below = _links(block)
    above: dict[Node, list[Node]] = {node: [] for node in below}
    for upper, lowers in below.items():
        for lower in lowers:
            above[lower].append(upper)
    _order(block, above, below)
    _columns(block, above, below)


def spread(
    wanted: Sequence[float],
    distances: Sequence[float],
    within: tuple[float, float] = (-np.inf, np.inf),
) -> list[float]:
    """Return the places nearest to `wanted` (least squares) at least `distances` apart, in order.

    Less the distances it is an isotonic regression: pool adjacent violators. Places are `within`
    two bounds, between which all must have room.

    >>> spread([0.0, 0.0, 5.0], [1.0, 1.0])
    [-0.5, 0.5, 5.0]
    >>> spread([0.0, 0.0, 5.0], [1.0, 1.0], (0.0, 3.0))
    [0.0, 1.0, 3.0]
    """
    offsets = np.concatenate([[0.0], np.cumsum(distances)])
    pools: list[tuple[float, int]] = []
    for target in np.asarray(wanted) - offsets:
        pools.append((float(target), 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, n), (b, m) = pools[-2:]
            pools[-2:] = [((a * n + b * m) / (n + m), n + m)]
    flat = np.repeat([mean for mean, _ in pools], [number for _, number in pools])
    flat = np.clip(flat, within[0], within[1] - offsets[-1])
    return [float(x) for x in flat + offsets]


def _width(node: Node) -> float:
    return box_width(node) if isinstance(node, str) else _TRUNK


def _links(block: Block) -> dict[Node, list[Node]]:
    """Return the nodes that each node is joined to in the next row."""
    links: dict[Node, dict[Node, None]] = {node: {} for row in block.rows for node in row}
    for pair in block.pairs:
        for upper, lower in pairwise(block.chain(*pair)):
            links[upper][lower] = None
    return {node: list(lowers) for node, lowers in links.items()}


def _order(
    block: Block, above: Mapping[Node, Sequence[Node]], below: Mapping[Node, Sequence[Node]]
) -> None:
    best, fewest = [list(row) for row in block.rows], _crossings(block.rows, below)
    for sweep in range(_SWEEPS):
        goes_down = sweep % 2 == 0
        order = range(1, len(block.rows)) if goes_down else range(len(block.rows) - 2, -1, -1)
        for row in order:
            beside = block.rows[row - 1 if goes_down else row + 1]
            _sort_by(block.rows[row], beside, above if goes_down else below)
        if (count := _crossings(block.rows, below)) < fewest:
            best, fewest = [list(row) for row in block.rows], count
    block.rows = best


def _sort_by(
    row: list[Node], beside: Sequence[Node], joined: Mapping[Node, Sequence[Node]]
) -> None:
    place = {node: index / max(len(beside) - 1, 1) for index, node in enumerate(beside)}
    own = {node: index / max(len(row) - 1, 1) for index, node in enumerate(row)}
    centre = {
        node: float(np.mean([place[n] for n in joined[node]])) if joined[node] else own[node]
        for node in row
    }
    row.sort(key=lambda node: (centre[node], own[node]))


def _crossings(rows: Sequence[Sequence[Node]], below: Mapping[Node, Sequence[Node]]) -> int:
    count = 0
    for upper, lower in pairwise(rows):
        place = {node: index for index, node in enumerate(lower)}
        ends = np.array([place[n] for node in upper for n in below[node]], dtype=int)
        starts = np.array([i for i, node in enumerate(upper) for _ in below[node]], dtype=int)
        crossing = (starts[:, None] < starts) & (ends[:, None] > ends)
        count += int(crossing.sum())
    return count


def _columns(
    block: Block, above: Mapping[Node, Sequence[Node]], below: Mapping[Node, Sequence[Node]]
) -> None:
    """Set each node as near to those it is joined to as its row allows."""
    for line in block.lines:
        left = -row_width(line) / 2
        for node in line:
            block.x[node] = left + _width(node) / 2
            left += _width(node) + GAP
    half = max(WIDEST, *map(row_width, block.lines)) / 2
    for sweep in range(_SWEEPS):
        for row in block.rows[:: (-1) ** sweep]:
            wanted = [_wanted(block, node, [*above[node], *below[node]]) for node in row]
            distances = [(_width(a) + _width(b)) / 2 + GAP for a, b in pairwise(row)]
            within = _width(row[0]) / 2 - half, half - _width(row[-1]) / 2
            block.x.update(zip(row, spread(wanted, distances, within), strict=True))
    nodes = [node for line in block.lines for node in line]
    left = min(block.x[node] - _width(node) / 2 for node in nodes)
    block.x = {node: block.x[node] - left for node in nodes}
    block.width = max(block.x[node] + _width(node) / 2 for node in nodes)


def _wanted(block: Block, node: Node, joined: Sequence[Node]) -> float:
    if not joined:
        return block.x[node]
    # trunks are to be straight
    weights = [4.0 if isinstance(node, tuple) and isinstance(n, tuple) else 1.0 for n in joined]
    return float(np.average([block.x[n] for n in joined], weights=weights))

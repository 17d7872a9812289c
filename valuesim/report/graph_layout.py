"""Where the values of a graph are drawn: rows, columns and the routes of arrows, in inches.

A set of compared values is a block. Read downwards, its rows follow the ranking: a row ends where
the next value is separated from one in it, or where it is full of boxes and of the trunks that pass
between them, so that no two values of a row are separated. Values that nothing separates are a band
below.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from valuesim.graph import ValueRanking, layers
from valuesim.report.graph_order import WIDEST, Block, Node, Pair, arrange, box_width, row_width
from valuesim.report.graph_places import BOX_HEIGHT, Box, Layout, Point
from valuesim.report.graph_routes import Canvas, Gap, connect

_LEAST_GAP = 0.56
_MOST_GAP = 1.0
_WIDEST_ROW = 9.9
"""Inches: the widest row of boxes, without the trunks that pass between them."""
_BETWEEN = 0.7
_SLACK = 1.5
_HEADING = 0.34


def lay_out(ranking: ValueRanking) -> Layout:
    """Return the places of all identified values of `ranking`; at least one must be."""
    canvas = Canvas()
    joinable = _joinable(ranking)
    shelf = _Shelf()
    for block in _blocks(ranking):
        arrange(block)
        corner = shelf.place(block.width, _height(block))
        _place(canvas, block, corner, joinable)
    return Layout(
        width=shelf.width,
        height=shelf.top + shelf.height,
        boxes=canvas.boxes,
        routes=canvas.routes,
        joints=tuple(canvas.joints),
        headings=tuple(canvas.headings),
    )


@dataclass(kw_only=True, slots=True)
class _Shelf:
    """Where the next block goes: under the last one, beside it, or on a new shelf below."""

    top: float = 0.0
    height: float = 0.0
    left: float = 0.0
    column: float = 0.0
    used: float = 0.0
    width: float = 0.0

    def place(self, width: float, height: float) -> Point:
        """Return the corner of a block of this size, and take its place."""
        is_first = self.used == 0.0
        fits_below = self.used + _BETWEEN + height <= self.height + _SLACK
        if not is_first and width <= self.column and fits_below:
            self.used += _BETWEEN
        elif not is_first and self.left + self.column + _BETWEEN + width <= WIDEST:
            self.left, self.column, self.used = self.left + self.column + _BETWEEN, width, 0.0
        elif not is_first:
            self.top += self.height + _BETWEEN
            self.left = self.used = self.height = 0.0
            self.column = width
        corner = self.left, self.top + self.used
        self.column = max(self.column, width)
        self.used += height
        self.height = max(self.height, self.used)
        self.width = max(self.width, self.left + self.column)
        return corner


def _joinable(ranking: ValueRanking) -> set[Pair]:
    """Return the pairs whose arrow has nothing of its own to say: votes that agree with it."""
    votes = {(edge.over, edge.under): edge.weight for edge in ranking.edges}
    return {pair for pair, weight in votes.items() if weight >= votes.get(pair[::-1], 0.0)}


def _blocks(ranking: ValueRanking) -> Iterator[Block]:
    pairs = layers(ranking).pairs
    placed = [
        [v.value for v in ranking.values if v.is_identified and v.component == number]
        for number in range(len(ranking.components))
    ]
    placed = [values for values in placed if values]
    for number, values in enumerate(placed):
        own = tuple(pair for pair in pairs if pair[0] in values)
        joined = {value for pair in own for value in pair}
        rows = _rows([value for value in values if value in joined], own)
        title = f"Set {number + 1} of {len(placed)}, compared only within"
        yield Block(
            title=title if len(placed) > 1 else "",
            rows=[list[Node](row) for row in rows],
            band=_lines([value for value in values if value not in joined]),
            pairs=own,
            row_of={value: at for at, row in enumerate(rows) for value in row},
        )


def _rows(values: Sequence[str], pairs: Collection[Pair]) -> list[list[str]]:
    """Return `values` (strongest first) in rows in which no value is separated from another."""
    above = {value: {over for over, under in pairs if under == value} for value in values}
    left, placed = list(values), set[str]()
    rows: list[list[str]] = []
    while left:
        # the strongest that has all that is surely above it above it
        value = next(value for value in left if above[value] <= placed)
        left.remove(value)
        is_below = bool(rows) and bool(above[value] & set(rows[-1]))
        if not rows or is_below or _is_full([*rows[-1], value], placed - {*rows[-1]}, left, pairs):
            rows.append([])
        placed.add(value)
        rows[-1].append(value)
    return rows


def _is_full(
    row: Sequence[str], higher: Collection[str], lower: Collection[str], pairs: Collection[Pair]
) -> bool:
    """Return whether a row is too wide with the trunks from `higher` rows to `lower` ones."""
    passing = {over for over, under in pairs if over in higher and under in lower}
    trunks: list[Node] = [(over, 0) for over in passing]
    return row_width(row) > _WIDEST_ROW or row_width([*row, *trunks]) > WIDEST


def _lines(values: Sequence[str]) -> list[list[str]]:
    lines: list[list[str]] = []
    for value in values:
        if not lines or row_width([*lines[-1], value]) > _WIDEST_ROW:
            lines.append([])
        lines[-1].append(value)
    return lines


def _middles(block: Block) -> list[float]:
    """Return how far below the block's top each of its lines has its middle."""
    y = (_HEADING if block.title else 0.0) + BOX_HEIGHT / 2
    arrivals = [0] * (len(block.lines) + 1)
    for _, under in block.pairs:
        arrivals[block.row_of[under]] += 1
    middles = []
    for line in range(len(block.lines)):
        if line:
            # many arrows need room to be told apart
            gap = min(_MOST_GAP, _LEAST_GAP + 0.025 * max(0, arrivals[line] - 6))
            y += BOX_HEIGHT + (gap if line <= len(block.rows) else 0.22)
        if line == len(block.rows):
            y += _HEADING
        middles.append(y)
    return middles


def _height(block: Block) -> float:
    return _middles(block)[-1] + BOX_HEIGHT / 2


def _place(canvas: Canvas, block: Block, corner: Point, joinable: Collection[Pair]) -> None:
    left, top = corner
    middles = [top + middle for middle in _middles(block)]
    if block.title:
        canvas.headings.append(((left, top), block.title))
    if block.band:
        above = middles[len(block.rows)] - BOX_HEIGHT / 2 - _HEADING
        canvas.headings.append(((left, above), "Separated from none"))
    for line, nodes in enumerate(block.lines):
        for node in nodes:
            if isinstance(node, str):
                canvas.boxes[node] = Box(
                    x=left + block.x[node],
                    y=middles[line],
                    width=box_width(node),
                    is_alone=line >= len(block.rows),
                )
    for row in range(1, len(block.rows)):
        connect(canvas, block, row, Gap(left=left, middles=middles), joinable)

"""The ways of a drawn graph's arrows: past boxes, through joints, side by side where they end."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from valuesim.report.graph_joints import Joined, joints
from valuesim.report.graph_order import Block, Node, Pair, spread
from valuesim.report.graph_places import BOX_HEIGHT, Box, Joint, Point, Route

Comer = Pair | Point

MOST_APART = 14
"""With more arrows than these in a set, those that can be joined are."""


@dataclass(kw_only=True, slots=True)
class Canvas:
    """What is placed so far."""

    boxes: dict[str, Box] = field(default_factory=dict)
    routes: dict[Pair, Route] = field(default_factory=dict)
    joints: list[Joint] = field(default_factory=list)
    headings: list[tuple[Point, str]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """Where a block stands: its left edge, and the middles of its lines."""

    left: float
    middles: Sequence[float]

    def way(self, block: Block, chain: Sequence[Node], end: Point) -> Route:
        """Return the route along `chain` (a value, then trunks) to `end`."""
        first = block.row_of[str(chain[0])]
        ends = [
            (
                (self.left + block.x[node], self.middles[row] - BOX_HEIGHT / 2),
                (self.left + block.x[node], self.middles[row] + BOX_HEIGHT / 2),
            )
            for row, node in enumerate(chain, first)
        ]
        return Route(start=ends[0][1], bends=tuple(ends[1:]), end=end)


def connect(canvas: Canvas, block: Block, row: int, gap: Gap, joinable: Collection[Pair]) -> None:
    """Add the arrows that end in a row: those that can be joined by joints, the others apart."""
    pairs = [pair for pair in block.pairs if block.row_of[pair[1]] == row]
    is_dense = len(block.pairs) > MOST_APART
    joined = joints([pair for pair in pairs if pair in joinable]) if is_dense else []
    within = {(over, under) for overs, unders in joined for over in overs for under in unders}
    places = _joint_places(block, joined, gap, row)
    comers = [
        (under, gap.left + block.x[block.chain(over, under)[-2]], (over, under))
        for over, under in pairs
        if (over, under) not in within
    ]
    apart = [pair for _, _, pair in comers]
    meeting = [
        (under, place[0], place)
        for (_, unders), place in zip(joined, places, strict=True)
        for under in unders
    ]
    ports = _ports(canvas.boxes, [*comers, *meeting])
    for over, under in apart:
        chain = block.chain(over, under)[:-1]
        canvas.routes[over, under] = gap.way(block, chain, ports[under, (over, under)])
    for (overs, unders), place in zip(joined, places, strict=True):
        comes = (gap.way(block, block.chain(over, unders[0])[:-1], place) for over in overs)
        canvas.joints.append(
            Joint(
                place=place,
                comes=tuple(comes),
                goes=tuple(Route(start=place, end=ports[under, place]) for under in unders),
                pairs=tuple((over, under) for over in overs for under in unders),
            )
        )


def _joint_places(block: Block, joined: Sequence[Joined], gap: Gap, row: int) -> list[Point]:
    """Return a place for each joint, between what comes in and what goes out, none on another."""
    wanted = []
    for overs, unders in joined:
        above = [block.x[block.chain(over, unders[0])[-2]] for over in overs]
        below = [block.x[under] for under in unders]
        wanted.append((sum(above) / len(above) + sum(below) / len(below)) / 2)
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    columns = spread([wanted[n] for n in order], [0.3] * (len(order) - 1)) if order else []
    y = (gap.middles[row - 1] + gap.middles[row]) / 2 - 0.04
    return [(gap.left + columns[order.index(n)], y) for n in range(len(wanted))]


def _ports(
    boxes: Mapping[str, Box], comers: Sequence[tuple[str, float, Comer]]
) -> dict[tuple[str, Comer], Point]:
    """Return where on its value's upper edge each line ends: side by side, as they come.

    `comers` are (value, the column it comes from, the pair or the joint that it belongs to).
    """
    ports = {}
    for value in {value: None for value, *_ in comers}:
        own = sorted((x, str(c), c) for under, x, c in comers if under == value)
        x, y = boxes[value].top
        step = min(0.16, 0.8 * boxes[value].width / len(own))
        for place, (*_, comer) in enumerate(own):
            ports[value, comer] = (x + (place - (len(own) - 1) / 2) * step, y)
    return ports

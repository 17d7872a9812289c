"""What is placed in a drawn graph, in inches from the top left: boxes, lines, joints, headings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from valuesim.report.graph_order import Pair

Point = tuple[float, float]

BOX_HEIGHT = 0.66


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """A value's place: the middle of its box, from the top left, and the box's width."""

    x: float
    y: float
    width: float
    is_alone: bool = False

    @property
    def top(self) -> Point:
        """The middle of the upper edge."""
        return self.x, self.y - BOX_HEIGHT / 2

    @property
    def bottom(self) -> Point:
        """The middle of the lower edge."""
        return self.x, self.y + BOX_HEIGHT / 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """The way of a line: it runs straight down `bends` (upper, lower end), curved between."""

    start: Point
    bends: tuple[tuple[Point, Point], ...] = ()
    end: Point


@dataclass(frozen=True, kw_only=True, slots=True)
class Joint:
    """A point through which each value that comes in is above each value that goes out."""

    place: Point
    comes: tuple[Route, ...]
    goes: tuple[Route, ...]
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Everything that is placed; `headings` are texts at the left of their line."""

    width: float
    height: float
    boxes: Mapping[str, Box]
    routes: Mapping[Pair, Route]
    joints: tuple[Joint, ...]
    headings: tuple[tuple[Point, str], ...]

"""The few shapes of which a picture of a scene is made; two painters draw them alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """A rectangle, its corners rounded by `radius`."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    outline: str | None = None
    radius: float = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Oval:
    """An ellipse around (x, y)."""

    x: float
    y: float
    across: float
    down: float
    fill: str
    outline: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Area:
    """A filled polygon."""

    points: tuple[Point, ...]
    fill: str
    outline: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line through points, with round joints."""

    points: tuple[Point, ...]
    colour: str
    width: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """One line of text on the baseline y; `x` is its middle or its start."""

    x: float
    y: float
    text: str
    size: int
    colour: str
    anchor: Literal["middle", "start"] = "middle"


Shape = Box | Oval | Area | Line | Words


def moved(shapes: Sequence[Shape], x: float, y: float, scale: float = 1.0) -> list[Shape]:
    """Return `shapes`, drawn around the origin, at (x, y) and `scale` times as large.

    >>> moved([Box(x=1, y=2, width=3, height=4, fill="red")], 10, 20, 2)[0].x
    12
    """
    return [_moved(shape, x, y, scale) for shape in shapes]


def _moved(shape: Shape, x: float, y: float, scale: float) -> Shape:
    def at(point: Point) -> Point:
        return x + scale * point[0], y + scale * point[1]

    match shape:
        case Box():
            left, top = at((shape.x, shape.y))
            width, height, radius = (scale * n for n in (shape.width, shape.height, shape.radius))
            return replace(shape, x=left, y=top, width=width, height=height, radius=radius)
        case Oval():
            middle, centre = at((shape.x, shape.y))
            across, down = scale * shape.across, scale * shape.down
            return replace(shape, x=middle, y=centre, across=across, down=down)
        case Area():
            return replace(shape, points=tuple(at(point) for point in shape.points))
        case Line():
            points = tuple(at(point) for point in shape.points)
            return replace(shape, points=points, width=scale * shape.width)
        case Words():
            middle, base = at((shape.x, shape.y))
            return replace(shape, x=middle, y=base, size=round(scale * shape.size))

"""A scene as an image for a video, and as text for a terminal."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from valuesim.envs.moral_machine.picture import SIZE, Picture
from valuesim.envs.moral_machine.shapes import Area, Box, Line, Oval, Point, Shape, Words

_FINE = 2
"""Drawn this many times as large, then shrunk: Pillow does not smooth edges itself."""


def text(drawn: Picture) -> str:
    """Return `drawn` as lines of plain text: its place in the episode, then a case a line."""
    return "\n".join([drawn.title, *drawn.cases]) + "\n"


def image(drawn: Picture) -> NDArray[np.uint8]:
    """Return `drawn` as an RGB image, height x width x 3."""
    width, height = SIZE
    canvas = Image.new("RGB", (_FINE * width, _FINE * height))
    pen = ImageDraw.Draw(canvas)
    for shape in drawn.shapes:
        _paint(pen, shape)
    small = canvas.resize(SIZE, Image.Resampling.LANCZOS)
    return np.asarray(small, dtype=np.uint8).copy()


def _paint(pen: ImageDraw.ImageDraw, shape: Shape) -> None:
    match shape:
        case Box():
            corners = _pair(shape.x, shape.y, shape.x + shape.width, shape.y + shape.height)
            outline = shape.outline
            pen.rounded_rectangle(
                corners, _FINE * shape.radius, fill=shape.fill, outline=outline, width=_FINE
            )
        case Oval():
            left, top = shape.x - shape.across, shape.y - shape.down
            corners = _pair(left, top, shape.x + shape.across, shape.y + shape.down)
            pen.ellipse(corners, fill=shape.fill, outline=shape.outline, width=_FINE)
        case Area():
            pen.polygon(_fine(shape.points), fill=shape.fill, outline=shape.outline, width=_FINE)
        case Line():
            _line(pen, shape)
        case Words():
            anchor = {"middle": "ms", "start": "ls"}[shape.anchor]
            place = (_FINE * shape.x, _FINE * shape.y)
            font = _font(_FINE * shape.size)
            pen.text(place, shape.text, fill=shape.colour, font=font, anchor=anchor)


def _line(pen: ImageDraw.ImageDraw, line: Line) -> None:
    points, width = _fine(line.points), _FINE * line.width
    pen.line(points, fill=line.colour, width=round(width), joint="curve")
    half = (width - 1) / 2
    for x, y in points:
        pen.ellipse((x - half, y - half, x + half, y + half), fill=line.colour)


def _fine(points: tuple[Point, ...]) -> list[Point]:
    return [(_FINE * x, _FINE * y) for x, y in points]


def _pair(left: float, top: float, right: float, bottom: float) -> list[float]:
    return [_FINE * side for side in (left, top, right, bottom)]


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)

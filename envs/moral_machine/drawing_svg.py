"""A scene as SVG: scalable, readable by a screen reader, free of scripts and of outside parts."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from valuesim.envs.moral_machine.picture import SIZE, Picture
from valuesim.envs.moral_machine.shapes import Area, Box, Line, Oval, Point, Shape, Words


def svg(drawn: Picture) -> str:
    """Return `drawn` as one SVG element, titled and described in words."""
    width, height = SIZE
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
            f' aria-label={quoteattr(drawn.title)} font-family="system-ui, sans-serif">',
            f"<title>{escape(drawn.title)}</title>",
            f"<desc>{escape(drawn.description)}</desc>",
            *(_element(shape) for shape in drawn.shapes),
            "</svg>\n",
        ]
    )


def _element(shape: Shape) -> str:
    match shape:
        case Box():
            size = f'width="{shape.width:g}" height="{shape.height:g}" rx="{shape.radius:g}"'
            return f'<rect x="{shape.x:g}" y="{shape.y:g}" {size} {_paint(shape)}/>'
        case Oval():
            size = f'rx="{shape.across:g}" ry="{shape.down:g}"'
            return f'<ellipse cx="{shape.x:g}" cy="{shape.y:g}" {size} {_paint(shape)}/>'
        case Area():
            return f'<polygon points="{_points(shape.points)}" {_paint(shape)}/>'
        case Line():
            stroke = f'stroke={quoteattr(shape.colour)} stroke-width="{shape.width:g}"'
            joints = 'fill="none" stroke-linecap="round" stroke-linejoin="round"'
            return f'<polyline points="{_points(shape.points)}" {stroke} {joints}/>'
        case Words():
            place = f'x="{shape.x:g}" y="{shape.y:g}" text-anchor="{shape.anchor}"'
            look = f'font-size="{shape.size}" fill={quoteattr(shape.colour)}'
            return f"<text {place} {look}>{escape(shape.text)}</text>"


def _paint(shape: Box | Oval | Area) -> str:
    fill = f"fill={quoteattr(shape.fill)}"
    return f"{fill} stroke={quoteattr(shape.outline)}" if shape.outline else fill


def _points(points: tuple[Point, ...]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)

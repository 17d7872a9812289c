"""The drawing surface: matplotlib without global state, and SVG fit to stand inside a page.

Colours are drawn as fixed hexadecimal values; inside a page each becomes a CSS variable of the same
name, so that one drawing serves the light and the dark page and print.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import nan
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart under the common colour-vision deficiencies
COLOURS = {
    "ink": "#1c2126",
    "muted": "#5c6672",
    "rule": "#d4dae1",
    "wash": "#eef1f5",
    "paper": "#fefefe",
    "blue": "#0072b2",
    "orange": "#e69f00",
    "green": "#009e73",
    "vermillion": "#d55e00",
    "purple": "#cc79a7",
    "sky": "#56b4e9",
}

_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": COLOURS["muted"],
    "axes.facecolor": "none",
    "axes.labelcolor": COLOURS["ink"],
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 8.0,
    "grid.color": COLOURS["rule"],
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.6,
    "svg.fonttype": "none",
    "svg.hashsalt": "valuesim",
    "text.color": COLOURS["ink"],
    # names come from users and models: a dollar sign in one is a dollar sign
    "text.parse_math": False,
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["muted"],
    "xtick.labelcolor": COLOURS["ink"],
    "ytick.labelcolor": COLOURS["ink"],
    "xtick.bottom": False,
    "xtick.major.size": 0,
    "ytick.left": False,
    "ytick.major.size": 0,
}

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_FONT = "system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


@contextmanager
def style() -> Iterator[None]:
    """Draw inside with the project's style; matplotlib's settings are as before after it."""
    with mpl.rc_context(_STYLE):
        yield


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure of `width` x `height` inches and its one set of axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.03)  # type: ignore[union-attr,call-arg]
    return figure, figure.add_subplot()


Span = tuple[float, float, float]
"""A line from the first number to the second, at the third on the other axis."""


def lines(axes: Axes, spans: Sequence[Span], *, is_upright: bool = False, **look: Any) -> None:
    """Draw `spans`, level or upright, as one line with gaps, which is quicker than one by one."""
    if spans:
        along = [end for low, high, _ in spans for end in (low, high, nan)]
        across = [at for *_, at in spans for _ in range(3)]
        axes.plot(*((across, along) if is_upright else (along, across)), **look)


def dots(axes: Axes, points: Sequence[tuple[float, float]], **look: Any) -> None:
    """Draw a mark of the same look at each of `points` (x, y)."""
    if points:
        axes.plot(*zip(*points, strict=True), linestyle="", **look)


def to_svg(figure: Figure, name: str, alternative: str) -> str:
    """Return `figure` as an SVG element for a page: same figure, same bytes.

    `name` (unique in the page) prefixes every id; `alternative` is read out in place of the image.
    """
    layout = figure.get_layout_engine()
    if layout is not None:
        # once is enough: with a layout to find, `savefig` draws all twice
        layout.execute(figure)
        figure.set_layout_engine("none")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    root = ElementTree.fromstring(buffer.getvalue())
    _drop_metadata(root)
    _prefix_ids(root, name)
    root.set("role", "img")
    root.set("aria-label", alternative)
    root.attrib.pop("version", None)
    ElementTree.register_namespace("", _SVG)
    markup = ElementTree.tostring(root, encoding="unicode")
    return _themed(markup)


def _drop_metadata(root: ElementTree.Element) -> None:
    """Drop the metadata, and the style sheet that would reach out of the image into the page."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                parent.remove(child)


def _prefix_ids(root: ElementTree.Element, name: str) -> None:
    """Make ids unique in the page, drop those nothing points to, and modernise the pointers."""
    pointed = {e.get(f"{{{_XLINK}}}href", "")[1:] for e in root.iter()}
    for element in root.iter():
        own = element.attrib.pop("id", None)
        clip = element.get("clip-path")
        if own is not None and (own in pointed or element.tag == f"{{{_SVG}}}clipPath"):
            element.set("id", f"{name}-{own}")
        if clip is not None:
            element.set("clip-path", clip.replace("url(#", f"url(#{name}-"))
        target = element.attrib.pop(f"{{{_XLINK}}}href", None)
        if target is not None:
            element.set("href", f"#{name}-{target[1:]}")
        _prefix_patterns(element, name, own)


def _prefix_patterns(element: ElementTree.Element, name: str, own: str | None) -> None:
    """Keep hatches working: they are pointed to from within style attributes."""
    look = element.get("style", "")
    if "url(#" in look:
        element.set("style", look.replace("url(#", f"url(#{name}-"))
    if own is not None and element.tag == f"{{{_SVG}}}pattern":
        element.set("id", f"{name}-{own}")


def _themed(markup: str) -> str:
    for name, colour in COLOURS.items():
        markup = markup.replace(colour, f"var(--{name})")
    return markup.replace("'DejaVu Sans'", _FONT).replace("DejaVu Sans,", _FONT + ",")

"""Cards and boards as pages: HTML that opens offline, and Markdown."""

from __future__ import annotations

import re
from typing import Any

import jinja2
from markupsafe import Markup

from valuesim.graph.statement import count
from valuesim.measures.interval import Rate
from valuesim.report.figures import curve_panel
from valuesim.report.scarcity import Curve, Level
from valuesim.report.text import number, percent, plain, shown
from valuesim.suites.board import Board
from valuesim.suites.card import Card, CardCurve, Figure
from valuesim.suites.definition import Measure, measures

_MARKED = re.compile(r"([\\`*_\[\]|#~$])")


def card_page(card: Card) -> str:
    """Return the card as one HTML page; the same card gives the same bytes."""
    curves = [_drawn(curve, place, card.entry.name) for place, curve in enumerate(card.curves)]
    return _render("card.html.j2", card=card, curves=curves)


def card_text(card: Card) -> str:
    """Return the card as Markdown."""
    return _render("card.md.j2", card=card)


def board_page(board: Board) -> str:
    """Return the board as one HTML page; the same board gives the same bytes."""
    return _render("board.html.j2", board=board)


def board_text(board: Board) -> str:
    """Return the board as Markdown."""
    return _render("board.md.j2", board=board)


def told(figure: Figure, measure: Measure) -> str:
    """Return a figure's value as text: per cent of a share, else a number; "undetermined" of none.

    >>> told(Figure(value=0.5, low=0.4, high=0.6, n=9), measures()["survival"])
    '50 %'
    """
    if figure.value is None:
        return "undetermined"
    return percent(figure.value) if measure.is_share else number(figure.value)


def told_interval(figure: Figure, measure: Measure) -> str:
    """Return a figure's interval as text, empty where there is none."""
    if figure.low is None or figure.high is None:
        return ""
    ends = [percent(end) if measure.is_share else number(end) for end in (figure.low, figure.high)]
    return f"{ends[0]} to {ends[1]}"


def marked(text: object) -> str:
    r"""Return `text` for a cell of a Markdown table: on one line, with no markup of its own.

    >>> marked("a|b <i>")
    'a\\|b &lt;i&gt;'
    """
    safe = " ".join(shown(text, 500).split())
    for character, spelt in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        safe = safe.replace(character, spelt)
    return _MARKED.sub(r"\\\1", safe)


def _render(name: str, **content: Any) -> str:
    is_page = name.endswith(".html.j2")
    templates = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader("valuesim.suites"), jinja2.PackageLoader("valuesim.report")]
        ),
        autoescape=is_page,
        finalize=plain,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {
        "number": number,
        "percent": percent,
        "counted": count,
        "shown": shown,
        "told": told,
        "interval": told_interval,
        "md": marked,
    }
    return templates.get_template(name).render(measures=measures(), **content)


def _drawn(curve: CardCurve, place: int, name: str) -> Markup | None:
    """Return the picture of a curve, None where no level has a rate."""
    if all(point.rate.value is None for point in curve.points):
        return None
    points = tuple(
        (
            Level(
                name=shown(point.scarcity, 20),
                stock=shown(point.stock, 20),
                regime=shown(point.regime, 20),
                resource=0.0,
                scarcity=point.scarcity,
            ),
            Rate(value=point.rate.value, low=point.rate.low, high=point.rate.high, n=point.rate.n),
        )
        for point in curve.points
    )
    drawn = Curve(
        title=shown(curve.title, 60),
        unit=shown(curve.unit, 60),
        points=points,
        lost=tuple(point.lost for point in curve.points),
    )
    return Markup(curve_panel(drawn, f"c{place}", shown(name, 80)))

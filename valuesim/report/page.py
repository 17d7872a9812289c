"""The page: a summary's records and figures, laid out as one HTML file that opens offline."""

from __future__ import annotations

from dataclasses import dataclass

import jinja2
from markupsafe import Markup

from valuesim.archetypes.conduct import IN_WORDS
from valuesim.graph.design import TERMS
from valuesim.graph.statement import count, votes_for_and_against
from valuesim.measures.panel import Panel
from valuesim.report import figures
from valuesim.report.comparison import ComparedGroup
from valuesim.report.comparison_figure import gap_dots, level_dots
from valuesim.report.dose_figure import dose_panel
from valuesim.report.drawing import graph_svg, is_drawable
from valuesim.report.graph_key import why_not_drawn
from valuesim.report.group import GroupSummary
from valuesim.report.panel_figure import panel_figure
from valuesim.report.ranking_figure import ranking_dots
from valuesim.report.summary import Summary
from valuesim.report.text import number, percent, plain, shown


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """The drawn figures by the key of their group; they hold escaped text and are safe to embed.

    `listed` are the panels that a table shows better than a drawing.
    """

    curves: dict[str, tuple[Markup | None, ...]]
    doses: dict[str, tuple[Markup | None, ...]]
    rankings: dict[str, Markup]
    graphs: dict[str, Markup]
    drawn: dict[str, list[tuple[Panel, Markup]]]
    listed: dict[str, list[Panel]]
    faults: Markup | None
    moved: dict[str, Markup]
    gaps: dict[str, list[Markup]]


def render(summary: Summary) -> str:
    """Return the whole page of `summary`; the same summary gives the same bytes."""
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("valuesim.report"),
        autoescape=True,
        finalize=plain,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "number": number,
        "percent": percent,
        "counted": count,
        "shown": shown,
        "in_words": IN_WORDS.__getitem__,
        "term": TERMS.__getitem__,
        "votes": votes_for_and_against,
        "why_not_drawn": why_not_drawn,
    }
    page = templates.get_template("report.html.j2")
    return page.render(summary=summary, figures=_draw(summary))


def _draw(summary: Summary) -> Figures:
    rows = summary.fault_rows
    drawn = {group.key: _panels(group) for group in summary.groups}
    return Figures(
        curves={group.key: _curves(group) for group in summary.groups},
        doses={group.key: _doses(group) for group in summary.groups if group.doses},
        rankings={
            group.key: Markup(ranking_dots(group.ranking, f"{group.key}r", group.name))
            for group in summary.groups
            if group.ranking.values
        },
        graphs={
            group.key: Markup(graph_svg(group.ranking, f"{group.key}v", group.name))
            for group in summary.groups
            if is_drawable(group.ranking)
        },
        drawn={
            key: [(panel, Markup(figure)) for panel, figure in own if figure is not None]
            for key, own in drawn.items()
        },
        listed={key: [p for p, figure in own if figure is None] for key, own in drawn.items()},
        faults=Markup(figures.fault_bars(rows, "faults")) if rows else None,
        moved={each.key: _moved(each) for each in summary.moved if each.comparison.moved},
        gaps={each.key: _gaps(each) for each in summary.families},
    )


def _doses(group: GroupSummary) -> tuple[Markup | None, ...]:
    return tuple(
        Markup(dose_panel(table, f"{group.key}e{place}", group.name)) if table.n else None
        for place, table in enumerate(group.doses)
    )


def _moved(group: ComparedGroup) -> Markup:
    found = group.comparison
    return Markup(level_dots(found, found.moved, f"{group.key}m", group.name))


def _gaps(group: ComparedGroup) -> list[Markup]:
    return [
        Markup(gap_dots(gaps, f"{group.key}d{place}", group.name))
        for place, gaps in enumerate(group.gaps)
    ]


def _curves(group: GroupSummary) -> tuple[Markup | None, ...]:
    return tuple(
        None
        if curve.is_empty
        else Markup(figures.curve_panel(curve, f"{group.key}c{place}", group.name))
        for place, curve in enumerate(group.curves)
    )


def _panels(group: GroupSummary) -> list[tuple[Panel, str | None]]:
    return [
        (panel, panel_figure(panel, f"{group.key}p{place}", group.name))
        for place, panel in enumerate(group.panels)
    ]

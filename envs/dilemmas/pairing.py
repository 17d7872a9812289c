"""Tables with a row for each action: which two rows are one dilemma."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from valuesim.envs.dilemmas.tables import Row


def paired(
    rows: Sequence[Row], column: str, drop: Callable[[int, str], None]
) -> Iterator[tuple[Row, Row]]:
    """Yield the pairs of rows with the same text in `column`, in the order of the first row.

    Of rows with one text the first two are a pair, then the next two, so that a dilemma that a
    table has twice stays two. A row without a text, or left without another, is told to `drop`
    by its line and the reason.
    """
    waiting: dict[str, int] = {}
    partner: dict[int, int] = {}
    for place, row in enumerate(rows):
        key = " ".join(row.text(column).split())
        if not key:
            drop(row.line, f"has no {column}")
        elif key in waiting:
            partner[waiting.pop(key)] = place
        else:
            waiting[key] = place
    for place in sorted(waiting.values()):
        drop(rows[place].line, "no other row has the same dilemma: one action is missing")
    for place in sorted(partner):
        yield rows[place], rows[partner[place]]

"""`valuesim leaderboard`: cards side by side, on the terminal, as JSON and as a page."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from valuesim.cli.terminal import clean, print_table, write_json
from valuesim.errors import InputError
from valuesim.log.whole import whole
from valuesim.suites import Board, Card, board_of, read_card
from valuesim.suites.board import SORT, Row
from valuesim.suites.definition import measures
from valuesim.suites.pages import board_page, board_text, told, told_interval

_PAGES = {".html": board_page, ".md": board_text}
_MOST_CARDS = 1000
_SHOWN = (
    "transgression_unthreatened",
    "transgression_threatened",
    "cooperation",
    "survival",
    "say_do",
    "faults",
)


def main(arguments: argparse.Namespace) -> int:
    """Set the cards side by side, and return 0."""
    for out in arguments.out:
        if out.suffix.lower() not in _PAGES:
            raise InputError(f"--out {out} is no page: name a file that ends in .html or .md")
    cards = {str(path): read_card(path) for path in _files(arguments.paths)}
    found = board_of(cards, sort=arguments.sort or SORT)
    if arguments.json:
        write_json(_json(found), arguments.json)
    if arguments.json != "-":
        _print(found)
    for out in arguments.out:
        with whole(out) as draft:
            draft.write_text(_PAGES[out.suffix.lower()](found), encoding="utf-8")
        if arguments.json != "-":
            print(f"wrote {out}")
    return 0


def _files(paths: Iterable[Path]) -> Sequence[Path]:
    """Return the cards that `paths` are or hold, each once, sorted."""
    found: dict[Path, Path] = {}
    for path in paths:
        below = sorted(path.rglob("card.json")) if path.is_dir() else [path]
        if not below:
            raise InputError(f"{path} holds no card: there is no card.json in or below it")
        for file in below:
            found.setdefault(file.resolve(), file)
    if len(found) > _MOST_CARDS:
        raise InputError(f"{len(found):,} cards were found; at most {_MOST_CARDS:,} are set aside")
    return sorted(found.values())


def _print(found: Board) -> None:
    shown = tuple(dict.fromkeys((found.sort.id, *_SHOWN)))
    columns = ("place", "entry", "archetype", *(measures()[name].short for name in shown), "cost")
    print_table(
        f"{found.suite}, digest {found.digest}, by {found.sort.title.lower()} "
        f"({found.sort.first} first); places that the evidence leaves open are given as from-to",
        columns,
        [_row(row, shown) for row in found.rows],
    )
    if found.note:
        print(clean(f"note: {found.note}"))
    for each in found.left_out:
        print(clean(f"left out: {each.name} ({each.place}): {each.why}"))
    if found.repeated:
        print(f"given more than once, and counted once: {found.repeated}")


def _row(row: Row, shown: Sequence[str]) -> tuple[object, ...]:
    return (
        place(row),
        row.name,
        row.card.archetype.name,
        *(_cell(row.card, name) for name in shown),
        _cost(row.card),
    )


def _cell(card: Card, name: str) -> str:
    figure, measure = card.figures[name], measures()[name]
    interval = told_interval(figure, measure)
    if figure.value is None:
        return "-"
    return f"{told(figure, measure)} ({interval})" if interval else told(figure, measure)


def _cost(card: Card) -> str:
    return "-" if card.spending.dollars is None else f"${card.spending.dollars:.2f}"


def place(row: Row) -> str:
    """Return the places that a row may have: "2", "1-3", or "-" where its figure is unknown."""
    if row.best is None:
        return "-"
    return str(row.best) if row.best == row.worst else f"{row.best}-{row.worst}"


def _json(found: Board) -> dict[str, Any]:
    return {
        "schema": 1,
        "suite": found.suite,
        "digest": found.digest,
        "reading": found.reading,
        "sort": found.sort.id,
        "first": found.sort.first,
        "rows": [_entry(row) for row in found.rows],
        "left_out": [asdict(each) for each in found.left_out],
        "repeated": found.repeated,
        "note": found.note,
    }


def _entry(row: Row) -> dict[str, Any]:
    card = row.card
    return {
        "name": row.name,
        "best": row.best,
        "worst": row.worst,
        "archetype": card.archetype.name,
        "conduct": card.conduct.name,
        "figures": {name: asdict(each) for name, each in card.figures.items()},
        "dollars": card.spending.dollars,
        "decisions": card.decisions,
        "faults": card.faults,
        "entry": asdict(card.entry),
    }

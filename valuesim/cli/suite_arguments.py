"""What `valuesim bench` and `leaderboard` take; light, so that help and refusals are quick."""

from __future__ import annotations

import argparse

from valuesim.cli.arguments import _given, _json, _path, _target


def add_bench(command: argparse.ArgumentParser) -> None:
    """Add what `valuesim bench` takes."""
    command.add_argument(
        "given",
        nargs="*",
        type=_given,
        metavar="SUITE|KEY=VALUE",
        help="the suite (`valuesim list suites`), then who plays it and how: agents=NAME, model, "
        "intervention, elicitation=NAME, engine, run.name; the suite fixes everything else",
    )
    command.add_argument(
        "--quick",
        action="store_true",
        help="a look: a few episodes of each cell; its card is marked, and no leaderboard takes it",
    )
    command.add_argument(
        "--card",
        type=_path,
        metavar="FOLDER",
        help="play nothing, and make the card of the bench in FOLDER anew from its logs",
    )
    command.add_argument(
        "--date", type=_target, metavar="DATE", help="what the card says of when (default: today)"
    )
    _json(command)


def add_leaderboard(command: argparse.ArgumentParser) -> None:
    """Add what `valuesim leaderboard` takes."""
    command.add_argument(
        "paths", nargs="+", type=_path, metavar="PATH", help="cards, or folders above some"
    )
    command.add_argument(
        "--sort",
        metavar="FIGURE",
        help="what cards are sorted and placed by: transgression_unthreatened (the default), "
        "transgression_threatened, gratuitous_harm, necessary_harm, giving, cooperation, survival, "
        "say_do, wording_shift or faults",
    )
    command.add_argument(
        "--out",
        type=_path,
        action="append",
        default=[],
        metavar="F",
        help="also write a page, .html or .md (repeatable)",
    )
    _json(command)

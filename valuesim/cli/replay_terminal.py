"""`valuesim replay PATH --tui`: the same in the terminal; nothing is served."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from valuesim.cli.leaving import leave
from valuesim.cli.replay_arguments import LOCAL
from valuesim.errors import InputError
from valuesim.replay.indexing.shelf import Shelf


def watch(arguments: argparse.Namespace) -> int:
    """Show the run folders in and below a path until it is left, and return 0.

    Raises InputError where what is for a browser is given too, where there is no terminal that it
    could be shown in, and where Textual is missing.
    """
    path: Path = arguments.path
    _check(arguments)
    _check_terminal()
    app = _app()
    app.run(Shelf(path, waits=False))
    leave()
    return 0


def _check(arguments: argparse.Namespace) -> None:
    given = [
        name
        for name, is_given in (
            ("--port", arguments.port is not None),
            ("--host", arguments.host != LOCAL),
            ("--no-browser", not arguments.browser),
            ("--consent", arguments.consent is not None),
            ("KEY=VALUE", bool(arguments.overrides)),
        )
        if is_given
    ]
    if given:
        raise InputError(f"--tui serves nothing: leave {', '.join(given)} out, or --tui")


def _check_terminal() -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("--tui needs a terminal: input and output are not both one")
    term = os.environ.get("TERM", "")
    if term in ("", "dumb", "unknown"):
        raise InputError(
            f"--tui needs a terminal that can be drawn on: TERM is {term or 'empty'!r}"
        )
    encoding = (sys.stdout.encoding or "").lower().replace("_", "-")
    if encoding not in ("utf-8", "utf8"):
        raise InputError(f"--tui needs a terminal that shows UTF-8, not {encoding}: set LC_ALL")


def _app() -> Any:
    try:
        return import_module("valuesim.replay.tui.app")
    except ImportError as error:
        if (error.name or "").partition(".")[0] == "valuesim":
            raise
        needed = "pip install 'valuesim[tui]'"
        raise InputError(f"--tui needs the package {error.name}: {needed}") from None

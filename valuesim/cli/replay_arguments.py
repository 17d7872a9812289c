"""What `valuesim replay` takes; light, so that help and refusals are quick."""

from __future__ import annotations

import argparse
from pathlib import Path

LOCAL = "127.0.0.1"
"""This machine alone."""
_MOST = 65_535


def add_replay(command: argparse.ArgumentParser) -> None:
    """Add what `valuesim replay` takes."""
    command.add_argument(
        "path", type=Path, metavar="PATH", help="a run folder, or a folder above some"
    )
    command.add_argument(
        "overrides",
        nargs="*",
        metavar="KEY=VALUE",
        help="the model that branches and games may ask, as in `valuesim run`: model=NAME, "
        "model.*, models.*, elicitation.*",
    )
    command.add_argument(
        "--consent",
        type=Path,
        metavar="FILE",
        help="what a person who plays agrees to first, in place of the shipped text",
    )
    command.add_argument(
        "--port", type=_port, metavar="N", help="the port (default: a free one from 8765)"
    )
    command.add_argument(
        "--host",
        default=LOCAL,
        metavar="H",
        help="who may connect: an address of this machine (default: 127.0.0.1, this machine "
        "alone); any other asks everybody for the token in the address",
    )
    command.add_argument(
        "--no-browser", dest="browser", action="store_false", help="open no browser"
    )
    command.add_argument(
        "--tui", action="store_true", help="show it in this terminal instead of in a browser"
    )
    command.add_argument(
        "--export",
        metavar="EPISODE",
        help="write this episode as one HTML file that opens offline, and start no viewer: its id, "
        "a unique beginning of it, or RUN/EPISODE",
    )
    command.add_argument(
        "--judgements",
        metavar="FILE|-",
        help="write what all people judged blind below PATH as JSON, to FILE or to - (the output), "
        "and start no viewer",
    )
    command.add_argument(
        "--against", metavar="EPISODE", help="with --export: beside another, such as its branch"
    )
    command.add_argument(
        "--out", type=Path, metavar="FILE", help="with --export: the file that is written"
    )


def _port(given: str) -> int:
    if not (given.isascii() and given.isdecimal()) or not 1 <= int(given[:6]) <= _MOST:
        raise argparse.ArgumentTypeError(f"{given!r:.40} is no port: a number from 1 to {_MOST}")
    return int(given)

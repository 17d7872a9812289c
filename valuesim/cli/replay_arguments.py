"""What `valuesim replay` takes; light, so that help and refusals are quick."""

from __future__ import annotations

import argparse
from pathlib import Path

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
        default="127.0.0.1",
        metavar="H",
        help="who may connect: an address of this machine (default: 127.0.0.1, this machine "
        "alone); any other asks everybody for the token in the address",
    )
    command.add_argument(
        "--no-browser", dest="browser", action="store_false", help="open no browser"
    )


def _port(given: str) -> int:
    if not (given.isascii() and given.isdecimal()) or not 1 <= int(given[:6]) <= _MOST:
        raise argparse.ArgumentTypeError(f"{given!r:.40} is no port: a number from 1 to {_MOST}")
    return int(given)

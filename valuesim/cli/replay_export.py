"""`valuesim replay PATH --export EPISODE --out FILE`: a file that opens offline, and no server."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from valuesim.cli.terminal import clean
from valuesim.errors import InputError
from valuesim.log.whole import check_place, whole
from valuesim.replay.branching.lineage import family
from valuesim.replay.finding.pointing import pointed
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.sharing import shared_page
from valuesim.replay.watching.moments import opened


def check(arguments: argparse.Namespace) -> None:
    """Raise InputError where --export and what else is asked do not go together."""
    export, against, out = arguments.export, arguments.against, arguments.out
    if arguments.judgements is not None and (export is not None or arguments.tui):
        raise InputError("--judgements goes with neither --export nor --tui: leave one out")
    if export is None:
        for name, given in (("--against", against), ("--out", out)):
            if given is not None:
                raise InputError(f"{name} goes with --export EPISODE, which is not given")
    elif arguments.tui:
        raise InputError("--export writes a file and --tui shows all of them: leave one out")
    elif out is None:
        raise InputError("--export needs --out FILE.html: where the file is written")


def export(arguments: argparse.Namespace) -> int:
    """Write one episode, or two side by side, as one file, whole or not at all; return 0."""
    out: Path = arguments.out
    check_place(out)
    shelf = Shelf(arguments.path)
    named = [each for each in (arguments.export, arguments.against) if each is not None]
    places = [pointed(shelf, each) for each in named]
    if len(set(places)) < len(places):
        raise InputError(f"--export and --against name the same episode, {places[0][1]}")
    tree = family(shelf, *places[1])["root"] if len(places) == 2 else None
    page = shared_page([opened(shelf, *place) for place in places], tree=tree)
    with whole(out) as draft:
        draft.write_bytes(page)
    print(out)
    print(f"{clean(out)}: {_size(len(page))}, opens offline", file=sys.stderr)
    return 0


def _size(length: int) -> str:
    return f"{length / 1e6:.1f} MB" if length >= 1e6 else f"{length / 1e3:.0f} kB"

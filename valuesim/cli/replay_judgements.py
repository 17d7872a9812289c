"""`valuesim replay PATH --judgements FILE`: what all people judged, and no server."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from valuesim.cli.terminal import clean, write_json
from valuesim.errors import InputError
from valuesim.log.whole import check_place
from valuesim.replay.judging.pooling import over_people


def write(arguments: argparse.Namespace) -> int:
    """Write the JSON of `judging.pooling.over_people`; return 0.

    Raises InputError where nobody judged anything below the path.
    """
    target: str = arguments.judgements
    if target != "-":
        check_place(Path(target))
    told = over_people(arguments.path)
    for name, wrong in told["unread"].items():
        why = wrong if name in wrong else f"{name}: {wrong}"
        print(f"not counted: {clean(why)}", file=sys.stderr)
    if not told["groups"]:
        raise InputError(
            f"nobody has judged a moment below {arguments.path} to its end: open an episode in "
            "`valuesim replay` and choose Judge blind"
        )
    write_json(told, target)
    return 0

"""`valuesim import`: another project's dilemmas, or a table of one's own, as a pack."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from valuesim.cli.terminal import clean
from valuesim.envs.dilemmas.format import PACK_NAME
from valuesim.envs.dilemmas.importers import Imported, import_pack
from valuesim.envs.dilemmas.writing import write_pack
from valuesim.errors import InputError
from valuesim.graph.statement import count

_MOST_TOLD = 20


def main(arguments: argparse.Namespace) -> int:
    """Write the pack, say what was left out of it, and return 0."""
    out: Path = arguments.out
    if out.exists():
        raise InputError(f"{out} is there already: name another file, or remove it")
    made = import_pack(
        arguments.format,
        arguments.source,
        as_of=date.today().isoformat(),
        pack=out.stem if PACK_NAME.fullmatch(out.stem) else "imported",
        value_map=arguments.values,
    )
    write_pack(made.pack, out)
    print(f"wrote {count(len(made.pack.dilemmas), 'dilemma')} to {clean(out)}")
    _tell_left_out(made)
    return 0


def _tell_left_out(made: Imported) -> None:
    for problem in made.dropped[:_MOST_TOLD]:
        print(f"dropped {clean(problem)}")
    if len(made.dropped) > _MOST_TOLD:
        print(f"        ... and {len(made.dropped) - _MOST_TOLD:,} more")
    _tell_counts("no value of the vocabulary", made.unmapped)
    _tell_counts("no known risky behaviour", made.unknown_behaviours)


def _tell_counts(what: str, counts: Mapping[str, int]) -> None:
    if not counts:
        return
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"{clean(label)[:60]} ({count:,})" for label, count in ordered[:_MOST_TOLD])
    more = f" and {len(ordered) - _MOST_TOLD:,} more" if len(ordered) > _MOST_TOLD else ""
    print(f"note: {sum(counts.values()):,} labels are {what} and count nowhere: {shown}{more}")

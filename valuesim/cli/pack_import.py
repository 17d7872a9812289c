"""The part of `valuesim import` that makes a pack: another project's dilemmas, or one's own."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from valuesim.cli.importing import tell_counts, tell_dropped
from valuesim.cli.terminal import clean
from valuesim.envs.dilemmas.format import PACK_NAME
from valuesim.envs.dilemmas.importers import import_pack
from valuesim.envs.dilemmas.writing import write_pack
from valuesim.errors import InputError


def import_to_pack(arguments: argparse.Namespace) -> int:
    """Write the pack, say what was left out of it, and return 0."""
    out: Path = arguments.out
    for name in ("model", "label"):
        if getattr(arguments, name) is not None:
            raise InputError(f"--{name} is nothing that a pack of dilemmas takes")
    if out.exists():
        raise InputError(f"{out} is there already: name another file, or remove it")
    made = import_pack(
        arguments.format,
        arguments.source,
        as_of=date.today().isoformat(),
        pack=out.stem if PACK_NAME.fullmatch(out.stem) else "imported",
        taxonomy=arguments.taxonomy or "valuesim",
        value_map=arguments.values,
    )
    write_pack(made.pack, out)
    number = len(made.pack.dilemmas)
    print(f"wrote {number:,} {'dilemma' if number == 1 else 'dilemmas'} to {clean(out)}")
    tell_dropped(made.dropped)
    tell_counts("no value of the vocabulary", made.unmapped)
    tell_counts("no known risky behaviour", made.unknown_behaviours)
    return 0

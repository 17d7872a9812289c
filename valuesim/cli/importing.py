"""`valuesim import`: other tools' decisions as a run folder, or others' dilemmas as a pack."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from valuesim import __version__
from valuesim.cli.terminal import clean
from valuesim.errors import InputError, unknown
from valuesim.formats.catalogue import IMPORTS, PACKS, Format, format_of

if TYPE_CHECKING:
    from valuesim.formats.imported import Importing, Written
    from valuesim.log import DecisionRecord

_MOST_TOLD = 20
_BETWEEN = 50_000
_SETTINGS = {"model": "model", "taxonomy": "taxonomy", "values": "values", "label": "source"}
"""Arguments of the command -> what they are called where a format takes them."""


def main(arguments: argparse.Namespace) -> int:
    """Write the run folder or the pack, say what was left out of it, and return 0."""
    if arguments.format in PACKS:
        from valuesim.cli.pack_import import import_to_pack

        return import_to_pack(arguments)
    if arguments.format not in IMPORTS:
        raise InputError(unknown("format", arguments.format, [*IMPORTS, *PACKS]))
    path = Path(arguments.source)
    format = format_of(arguments.format, IMPORTS, path)
    return _import(arguments.format, path, _settings(format, arguments), arguments.out)


def _settings(format: Format, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the format takes of what was given; raise InputError for what it does not."""
    given = {}
    for argument, name in _SETTINGS.items():
        if (found := getattr(arguments, argument)) is None:
            continue
        if name not in format.takes:
            raise InputError(f"--{argument} is nothing that `import {arguments.format}` takes")
        given[name] = found
    if "source" in format.takes:
        given.setdefault("source", Path(arguments.source).stem)
    return given


def _import(name: str, path: Path, settings: Mapping[str, Any], out: Path) -> int:
    from valuesim.formats.imported import NoDecisionError, is_imported, remove_leftovers, write_run
    from valuesim.formats.rows import digest
    from valuesim.log.writer import utc_now

    about = {
        "format": name,
        "file": path.name,
        "sha256": _digest(IMPORTS[name], path),
        "settings": {
            key: digest(each) if isinstance(each, Path) else each for key, each in settings.items()
        },
        "version": __version__,
    }
    if is_imported(out, about):
        print(f"{clean(out)} holds this import already")
        return 0
    importing = IMPORTS[name].load()(path, **settings)
    for left in remove_leftovers(out):
        print(f"removed {clean(left)}, which an import that was killed left behind")
    try:
        records = _counting(importing.records)
        written = write_run(out, records, about, now=utc_now(), notes=importing.notes)
    except NoDecisionError as error:
        raise InputError(_why_nothing(path, importing, str(error))) from None
    _tell(written, out)
    tell_dropped(importing.dropped)
    tell_counts("no value of the vocabulary", importing.unmapped)
    for note in importing.notes:
        print(f"note: {clean(note)}")
    return 0


def _digest(format: Format, path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder where the format takes one."""
    if format.folders and path.is_dir():
        from valuesim.formats.data_set import data_set_digest

        return data_set_digest(path)
    from valuesim.formats.rows import digest

    return digest(path)


def _why_nothing(path: Path, importing: Importing, told: str) -> str:
    """Say what was dropped, and return why nothing is left."""
    tell_dropped(importing.dropped)
    tell_counts("no value of the vocabulary", importing.unmapped)
    if not importing.dropped:
        return f"{told}: {path} has no row below its header"
    number = len(importing.dropped)
    return f"{told}: what {path} holds was dropped ({number:,}), {importing.dropped[0]}"


def _counting(records: Iterator[DecisionRecord]) -> Iterator[DecisionRecord]:
    """Yield `records`, telling on a terminal how many there were so far."""
    is_told = sys.stderr.isatty()
    for number, record in enumerate(records):
        if is_told and number and number % _BETWEEN == 0:
            print(f"\rread {number:,} decisions", end="", file=sys.stderr, flush=True)
        yield record
    if is_told:
        print("\r\033[K", end="", file=sys.stderr)


def _tell(written: Written, out: Path) -> None:
    number = written.decisions
    players = [
        f"{clean(who)} ({count:,})" for who, count in written.players.most_common(_MOST_TOLD)
    ]
    more = len(written.players) - len(players)
    told = ", ".join(players) + (f" and {more:,} more" if more else "")
    print(
        f"imported {number:,} {'decision' if number == 1 else 'decisions'} to {clean(out)}: {told}"
    )
    if faults := sum(written.faults.values()):
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in written.faults.most_common())
        print(f"note: {faults:,} of them are faults, which are no choices: {kinds}")


def tell_dropped(dropped: Sequence[object]) -> None:
    """Print what made nothing, at most twenty of it."""
    for each in dropped[:_MOST_TOLD]:
        print(f"dropped {clean(each)}")
    if len(dropped) > _MOST_TOLD:
        print(f"        ... and {len(dropped) - _MOST_TOLD:,} more")


def tell_counts(what: str, counts: Mapping[str, int]) -> None:
    """Print labels that are `what`, with how often each was met, the most frequent first."""
    if not counts:
        return
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"{clean(label)[:60]} ({count:,})" for label, count in ordered[:_MOST_TOLD])
    more = f" and {len(ordered) - _MOST_TOLD:,} more" if len(ordered) > _MOST_TOLD else ""
    number = sum(counts.values())
    labels = "1 label is" if number == 1 else f"{number:,} labels are"
    counted = "counts" if number == 1 else "count"
    print(f"note: {labels} {what} and {counted} nowhere: {shown}{more}")

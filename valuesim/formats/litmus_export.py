"""Decisions between two texts, as LitmusValues' generations; see `litmus` for the format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from valuesim.choices import cluster_of
from valuesim.errors import InputError
from valuesim.formats.exported import Exported, Source
from valuesim.formats.litmus import ACTIONS, CLEAN, COLUMNS, RESPONSE, SCENE
from valuesim.formats.rows import guarded, write_csv
from valuesim.graph.grouping import Group
from valuesim.log.options import text_id
from valuesim.log.reader import DecisionRecord
from valuesim.log.whole import whole
from valuesim.option import Option

_NA = "NA"
_LEAST = 1e-12


def write_litmus(source: Source, path: Path) -> Exported:
    """Write the decisions between two options in words, a file for each group, agent and model.

    An action is labelled with the values that have a larger stake in it than in the other, and with
    those that it upholds as much as the other does: the sides are kept, the sizes are not. Faults
    are "NA", whatever their kind. A column `scene` is added where a dilemma's text does not tell
    which decisions belong together. Raises InputError where no decision is between two texts.
    """
    groups = {
        group: kept
        for group, records in source.groups("agent", "model").items()
        if (kept := [record for record in records if _is_between_texts(record)])
    }
    if not groups:
        raise InputError(
            f"nothing is written to {path}: no decision is between two options in words, as "
            "litmus holds; `export choices` takes any decision"
        )
    files = source.files_for(groups)
    for group, records in groups.items():
        _write(files[group], _name(group), records)
    kept = [record for records in groups.values() for record in records]
    return Exported(
        files={files[group]: len(records) for group, records in groups.items()},
        notes=tuple(_notes(kept, len(source.pool.decisions))),
    )


def _is_between_texts(record: DecisionRecord) -> bool:
    is_in_words = bool(record.text.strip()) and all(o.text.strip() for o in record.options)
    return len(record.options) == len(ACTIONS) and is_in_words


def _name(group: Group) -> str:
    return str(group["agent"] if group["model"] is None else group["model"])


def _write(path: Path, name: str, records: Sequence[DecisionRecord]) -> None:
    dilemma, action, values = COLUMNS
    columns = ["idx", dilemma, action, values, "targets", f"{RESPONSE}{name}", CLEAN]
    is_told = any(_scene(record) != text_id(record.text.strip()) for record in records)
    with whole(path) as draft:
        rows = _rows(records, is_told=is_told)
        write_csv(draft, [*columns, SCENE] if is_told else columns, rows)


def _rows(records: Sequence[DecisionRecord], *, is_told: bool) -> Iterator[list[object]]:
    for number, record in enumerate(records):
        clean = _NA
        if record.chosen is not None:
            names = [option.name for option in record.options]
            clean = ACTIONS[names.index(record.chosen)]
        targets = record.annotations.get("targets", ["[]", "[]"])
        for place, option in enumerate(record.options):
            row: list[object] = [
                2 * number + place,
                guarded(record.text),
                f"{ACTIONS[place]}: {option.text}",
                repr(_values(option, record.options[1 - place])),
                targets[place],
                guarded(record.reply),
                clean,
            ]
            yield [*row, guarded(_scene(record))] if is_told else row


def _scene(record: DecisionRecord) -> str:
    scene = record.annotations.get("scene")
    return cluster_of(record) if scene is None else str(scene)


def _values(option: Option, other: Option) -> list[str]:
    own, others = option.stakes, other.stakes
    return sorted(
        value
        for value in {*own, *others}
        if (gain := own.get(value, 0.0) - others.get(value, 0.0)) > _LEAST
        or (abs(gain) <= _LEAST and own.get(value, 0.0) > 0)
    )


def _notes(kept: Sequence[DecisionRecord], decisions: int) -> Iterator[str]:
    if left := decisions - len(kept):
        yield f"{left:,} decisions are not between two options in words, and are left out"
    sized = sum(any(s != 1 for o in r.options for s in o.stakes.values()) for r in kept)
    if sized:
        yield f"{sized:,} decisions have stakes other than 1: their sides are kept, not their sizes"
    unordered = sum(record.annotations.get("order") == "unknown" for record in kept)
    if unordered:
        yield f"{unordered:,} decisions do not tell the order shown: it is written as if they did"
    if any(record.fault not in (None, "unparsed") for record in kept):
        yield f'faults of every kind are "{_NA}" there'

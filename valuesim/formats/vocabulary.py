"""Whole labels become values: by a table of one's own, by name, by alias; never by a part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from valuesim.errors import InputError
from valuesim.formats.rows import CsvTable
from valuesim.values import Taxonomy, load_taxonomy

AS_THEY_ARE = "none"
"""The name of no vocabulary: each label is a value of its own."""
_LONGEST_NAME = 100


class Vocabulary:
    """Maps labels to values; `unmapped` counts those that no value answers to."""

    def __init__(self, taxonomy: str, table: Path | None, unmapped: Counter[str]) -> None:
        """Map by the `table` (columns value, value_class), then by the names of a vocabulary.

        `taxonomy` is its name, or "none": then a label that the table does not name is a value as
        it is, if it is printable and has at most 100 characters. Raises InputError for an unknown
        vocabulary, a table that cannot be read, and for one with a class that the vocabulary does
        not have.
        """
        self._taxonomy: Taxonomy | None = None
        if taxonomy != AS_THEY_ARE:
            self._taxonomy = load_taxonomy(taxonomy)
        self._own = {} if table is None else _read(table)
        if self._taxonomy is not None:
            self._taxonomy.check(self._own.values(), f"the value_class of {table}")
        self._unmapped = unmapped
        self._known: dict[str, str | None] = {}

    def values(self, labels: Iterable[str]) -> list[str]:
        """Return the values that `labels` name, each once, in their order."""
        found = [(label, self._value(label)) for label in labels]
        self._unmapped.update(label for label, value in found if value is None)
        return list(dict.fromkeys(value for _, value in found if value is not None))

    def _value(self, label: str) -> str | None:
        if label not in self._known:
            value = self._looked_up(label)
            self._known[label] = value if value is not None and _is_name(value) else None
        return self._known[label]

    def _looked_up(self, label: str) -> str | None:
        own = self._own.get(_key(label))
        if own is not None:
            return own
        if self._taxonomy is None:
            return " ".join(label.split())
        mapped = self._taxonomy.map_labels([label]).values
        return mapped[0] if mapped else None


def _read(path: Path) -> Mapping[str, str]:
    table = CsvTable(path, ("value", "value_class"))
    value, kind = table.columns.index("value"), table.columns.index("value_class")
    found: dict[str, str] = {}
    for line, cells in table:
        key, named = _key(cells[value]), " ".join(cells[kind].split())
        if not key or not named:
            continue
        if found.setdefault(key, named) != named:
            raise InputError(
                f"{path}:{line}: {cells[value]!r:.80} has two classes: {found[key]}, {named}"
            )
    return found


def _is_name(value: str) -> bool:
    """Return whether a label of others can be the name of a value: printable, and not too long."""
    return 0 < len(value) <= _LONGEST_NAME and value.isprintable()


def _key(label: str) -> str:
    return " ".join(label.lower().split())

"""Packs from tables that others made: AIRiskDilemmas, DailyDilemmas, and one's own.

Each action becomes an option that upholds (+1) every value it is labelled with, as LitmusValues
counts them; labels map to the vocabulary by whole words (`Taxonomy.map_labels`) or by a table of
one's own, and a label without a value is counted and dropped. What these tables do not say is not
made up: one telling, no stakes below 0, no turns. Both actions are always shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from valuesim.envs.dilemmas.checking import Vocabulary, dilemma_of
from valuesim.envs.dilemmas.format import (
    MOST_DILEMMAS,
    PACK_NAME,
    Problem,
    harmless,
)
from valuesim.envs.dilemmas.loading import is_shipped
from valuesim.envs.dilemmas.outside import FORMATS, LONGEST_TOPIC, Asked
from valuesim.envs.dilemmas.pack import Dilemma, Pack, Statement
from valuesim.envs.dilemmas.place import Place
from valuesim.envs.dilemmas.reading import node_of
from valuesim.envs.dilemmas.tables import read_rows
from valuesim.envs.dilemmas.wording import imported_texts
from valuesim.errors import InputError, unknown
from valuesim.values import Taxonomy, load_taxonomy

_OTHER_TOPIC = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """A pack, and what was left out of it.

    `unmapped` counts the labels of values that no value of the vocabulary answers to, and
    `unknown_behaviours` likewise; `dropped` tells of each row or pair that made no dilemma, and
    why.
    """

    pack: Pack
    unmapped: Mapping[str, int]
    unknown_behaviours: Mapping[str, int]
    dropped: tuple[Problem, ...]


@dataclass(kw_only=True, slots=True)
class _Tally:
    """What has been left out so far."""

    file: Path
    unmapped: Counter[str] = field(default_factory=Counter)
    behaviours: Counter[str] = field(default_factory=Counter)
    dropped: list[Problem] = field(default_factory=list)

    def drop(self, line: int, reason: str, where: str = "") -> None:
        self.dropped.append(Problem(file=self.file, line=line, where=where, reason=reason))


def import_pack(
    format: str,
    source: str | Path,
    *,
    as_of: str,
    pack: str = "imported",
    taxonomy: str = "valuesim",
    value_map: Path | None = None,
) -> Imported:
    """Return the dilemmas of the table at `source` (see `tables.read_rows`) as a pack.

    `format` is one of `FORMATS`. `as_of` is the date of the import (2026-11-24) and `pack` the
    pack's id. `value_map` is a CSV with the columns `value` and `value_class`, whole labels, that
    goes before the vocabulary's own aliases. Raises InputError for a table that cannot be read or
    lacks a column, and if no dilemma is left.
    """
    _check(format, pack, as_of)
    columns, read = FORMATS[format]
    rows = read_rows(source)
    if missing := [name for name in columns if name not in rows[0].cells]:
        raise InputError(f"{source} lacks the column {missing[0]!r} of {format}")
    tally = _Tally(file=Path(str(source)))
    labels = _Labels(load_taxonomy(taxonomy), _value_map(value_map), tally)
    dilemmas = [
        made
        for number, asked in enumerate(read(rows, tally.drop))
        if (made := _dilemma(asked, number, labels, tally)) is not None
    ]
    if not dilemmas or len(dilemmas) > MOST_DILEMMAS:
        first = f"; the first dropped: {tally.dropped[0]}" if tally.dropped else ""
        raise InputError(
            f"{source} makes {len(dilemmas):,} dilemmas: 1 to {MOST_DILEMMAS:,}{first}"
        )
    return Imported(
        pack=_pack(format, tally.file.name, pack, taxonomy, as_of, dilemmas),
        unmapped=dict(tally.unmapped),
        unknown_behaviours=dict(tally.behaviours),
        dropped=tuple(tally.dropped),
    )


def _check(format: str, pack: str, as_of: str) -> None:
    if format not in FORMATS:
        raise InputError(unknown("format", format, FORMATS))
    if not PACK_NAME.fullmatch(pack):
        raise InputError(f"pack={pack!r} is not a pack's name: {PACK_NAME.pattern}")
    if is_shipped(pack):
        raise InputError(f"pack={pack!r} is the name of a shipped pack: choose another")
    try:
        date.fromisoformat(as_of)
    except ValueError:
        raise InputError(f"as_of={as_of!r} is not a date of the form 2026-11-24") from None


def _pack(
    format: str, source: str, id: str, taxonomy: str, as_of: str, dilemmas: Sequence[Dilemma]
) -> Pack:
    texts = imported_texts()
    options = [option for each in dilemmas for option in each.start.options]
    return Pack(
        id=id,
        version=1,
        title=texts["title"].format(source=harmless(source)),
        taxonomy=taxonomy,
        locale="en",
        statement=Statement(
            norms=texts["norms"],
            annotators=texts["annotators"][format],
            as_of=as_of,
            source=texts["source"].format(source=harmless(source), format=format),
        ),
        role=(texts["role"][format],),
        topics=tuple(sorted({dilemma.topic for dilemma in dilemmas})),
        behaviours=tuple(sorted({name for option in options for name in option.behaviours})),
        dilemmas=tuple(dilemmas),
        predict=(texts["predict"][format],) if format in texts["predict"] else (),
    )


class _Labels:
    """From free labels to the names of a vocabulary; what has none is counted."""

    def __init__(self, taxonomy: Taxonomy, own: Mapping[str, str], tally: _Tally) -> None:
        taxonomy.check(own.values(), "the map of values")
        self.taxonomy = taxonomy
        self.own = own
        self.tally = tally

    def values(self, labels: Sequence[str]) -> dict[str, float]:
        """Return a stake of 1 for each value, once however many labels name it."""
        own = [self.own[key] for label in labels if (key := _key(label)) in self.own]
        rest = [label for label in labels if _key(label) not in self.own]
        mapped = self.taxonomy.map_labels(rest)
        self.tally.unmapped.update(mapped.unmapped)
        return dict.fromkeys([*own, *mapped.values], 1.0)

    def behaviours(self, labels: Sequence[str]) -> list[str]:
        """Return the names of the risky behaviours that `labels` name, each once."""
        names = [(label, _BEHAVIOURS.get(_key(label).replace("-", " "))) for label in labels]
        self.tally.behaviours.update(label for label, name in names if name is None)
        return list(dict.fromkeys(name for _, name in names if name is not None))


_BEHAVIOURS = {
    "deception": "deception",
    "proxy gaming": "proxy_gaming",
    "self preservation": "self_preservation",
    "power seeking": "power_seeking",
    "corrigibility failure": "corrigibility_failure",
    "corrigibility failures": "corrigibility_failure",
    "alignment faking": "alignment_faking",
    "privacy violation": "privacy_violation",
    "privacy violations": "privacy_violation",
}


def _key(label: str) -> str:
    return " ".join(label.lower().split())


def _value_map(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    rows = read_rows(path)
    for column in ("value", "value_class"):
        if column not in rows[0].cells:
            raise InputError(f"{path} lacks the column {column!r}: value, value_class")
    return {_key(row.text("value")): row.text("value_class").strip() for row in rows}


def _dilemma(asked: Asked, number: int, labels: _Labels, tally: _Tally) -> Dilemma | None:
    """Return the dilemma, checked as if it stood in a pack; None, and told, if it is not one."""
    behaviours = set(_BEHAVIOURS.values())
    content = {
        "id": f"d{number:05d}",
        "topic": _topic(asked.topic),
        "parties": list(imported_texts()["parties"]),
        "tellings": [harmless(asked.text)],
        "options": [
            {
                "id": f"action-{index}",
                "text": harmless(action.text),
                "stakes": labels.values(action.values),
                "behaviours": labels.behaviours(action.behaviours),
                "omission": action.omission,
            }
            for index, action in enumerate(asked.actions, start=1)
        ],
    }
    problems: list[Problem] = []
    place = Place(tally.file, node_of(content, asked.line), f"d{number:05d}", problems)
    vocabulary = Vocabulary(
        values=labels.taxonomy.names, topics=None, behaviours=behaviours, tellings=1
    )
    dilemma = dilemma_of(place, vocabulary)
    if problems:
        tally.drop(asked.line, problems[0].reason, problems[0].where)
    return None if problems else dilemma


def _topic(given: str) -> str:
    words = " ".join(harmless(given.replace(",", " ")).split())
    return words[:LONGEST_TOPIC].strip() or _OTHER_TOPIC

"""Human and AI values: what an option upholds or violates, and how vocabularies roll up.

A vocabulary is one YAML file in `conf/taxonomy/`. Names belong to their vocabulary: equal names
of two vocabularies never merge silently. Free text maps by table; what has no entry is dropped
and counted, never made into a value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from valuesim.errors import InputError, unknown
from valuesim.shipped import shipped_yaml


@dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """One value of a vocabulary: its name, a one-sentence definition, its tradition and sources."""

    name: str
    definition: str
    tradition: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Mapped:
    """Free-text labels mapped to values: `values` in input order, `unmapped` with their counts."""

    values: tuple[str, ...]
    unmapped: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Taxonomy:
    """A vocabulary of values.

    `roll_ups` maps the name of a coarser scheme to {value: label}; a value it does not place is
    absent there. `aliases` maps free-text labels (lower case, whole labels only) to values.
    """

    id: str
    description: str
    values: tuple[Value, ...]
    roll_ups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The values' names, in the vocabulary's own order."""
        return tuple(value.name for value in self.values)

    def check(self, names: Iterable[str], where: str) -> None:
        """Raise InputError if a name is not of this vocabulary; `where` says who used it."""
        for name in names:
            if name not in self.names:
                raise InputError(unknown(f"value of {self.id!r}", name, self.names, where))

    def roll_up(self, scheme: str, value: str) -> str | None:
        """Return the label of `value` in `scheme`, or None where the scheme does not place it."""
        if scheme not in self.roll_ups:
            raise InputError(unknown("roll-up", scheme, self.roll_ups, f"taxonomy {self.id}"))
        self.check([value], f"roll-up {scheme}")
        return self.roll_ups[scheme].get(value)

    def map_labels(self, labels: Iterable[str]) -> Mapped:
        """Map whole free-text labels to values; unmapped ones are counted and dropped."""
        own = {name.lower(): name for name in self.names}
        found: list[str] = []
        missing: Counter[str] = Counter()
        for label in labels:
            key = label.strip().lower()
            value = own.get(key) or self.aliases.get(key)
            if value is None:
                missing[label] += 1
            else:
                found.append(value)
        return Mapped(values=tuple(found), unmapped=dict(missing))


def taxonomies() -> dict[str, str]:
    """Return the shipped vocabularies: id -> one-line description."""
    return {name: load_taxonomy(name).description for name in _shipped()}


@cache
def load_taxonomy(name: str = "valuesim") -> Taxonomy:
    """Return the vocabulary `name` of conf/taxonomy; raise InputError if there is none."""
    if name not in _shipped():
        raise InputError(unknown("taxonomy", name, _shipped(), "conf/taxonomy"))
    return _parse(name, shipped_yaml("valuesim.conf", "taxonomy", f"{name}.yaml"))


def _shipped() -> list[str]:
    folder = resources.files("valuesim.conf") / "taxonomy"
    return sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".yaml"))


def _parse(name: str, content: Mapping[str, Any]) -> Taxonomy:
    values = tuple(
        Value(
            name=key,
            definition=entry["definition"],
            tradition=entry["tradition"],
            sources=tuple(entry.get("sources", ())),
        )
        for key, entry in content["values"].items()
    )
    taxonomy = Taxonomy(
        id=name,
        description=content["description"],
        values=values,
        roll_ups=content.get("roll_ups", {}),
        aliases={label.lower(): value for label, value in content.get("aliases", {}).items()},
    )
    for scheme, labels in taxonomy.roll_ups.items():
        taxonomy.check(labels, f"conf/taxonomy/{name}.yaml, roll_ups.{scheme}")
    taxonomy.check(taxonomy.aliases.values(), f"conf/taxonomy/{name}.yaml, aliases")
    return taxonomy

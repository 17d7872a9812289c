"""The catalogue of archetypes: names, thresholds and signatures, read from YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from valuesim.errors import InputError
from valuesim.shipped import shipped_yaml
from valuesim.values import load_taxonomy

ETHICAL, EXPLOITATIVE, CONTEXT_DEPENDENT = "Ethical", "Exploitative", "Context-Dependent"
BEHAVIOURAL = (ETHICAL, EXPLOITATIVE, CONTEXT_DEPENDENT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """When behaviour over scarcity levels earns a name; see conf/archetype/behavioural.yaml."""

    version: int
    source: str
    credible: float
    most_faults: float
    least_levels: int
    ethical_rate: float
    ethical_players: float
    ethical_ratio: float
    exploitative_rate: float
    exploitative_ratio: float
    difference: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """An archetype by its values: `puts` is stronger than every value in `over`."""

    name: str
    puts: str
    over: tuple[str, ...]
    source: str
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalogue:
    """The rule for behavioural archetypes with their descriptions, and the signatures."""

    rule: Rule
    behaviours: Mapping[str, str]
    signatures: tuple[Signature, ...]


def load_catalogue(*paths: Path) -> Catalogue:
    """Return the shipped catalogue with the signatures of `paths` added.

    Raises InputError for a file that cannot be read, an entry that lacks a field or has another,
    that names a value unknown to its `taxonomy` (default: "valuesim"), that puts a value over
    itself, or whose name is taken.
    """
    signatures = _signatures(_shipped("signatures.yaml"), "conf/archetype/signatures.yaml")
    for path in paths:
        signatures += _signatures(_read(path), str(path))
    names = [signature.name for signature in signatures]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"archetype {name!r} is defined twice; names are unique")
    behavioural = _shipped("behavioural.yaml")
    return Catalogue(
        rule=_rule(behavioural),
        behaviours={
            name: behavioural[name.lower().replace("-", "_")]["description"] for name in BEHAVIOURAL
        },
        signatures=tuple(signatures),
    )


def _shipped(name: str) -> Any:
    return shipped_yaml("valuesim.conf", "archetype", name)


def _read(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"archetypes {path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not YAML: {' '.join(str(error).split())}") from error


def _rule(content: Mapping[str, Any]) -> Rule:
    return Rule(
        version=content["version"],
        source=content["source"],
        credible=content["credible"],
        most_faults=content["most_faults"],
        least_levels=content["least_levels"],
        ethical_rate=content["ethical"]["rate_below"],
        ethical_players=content["ethical"]["players_below"],
        ethical_ratio=content["ethical"]["ratio_below"],
        exploitative_rate=content["exploitative"]["rate_above"],
        exploitative_ratio=content["exploitative"]["ratio_above"],
        difference=content["context_dependent"]["difference_above"],
    )


def _signatures(content: Any, where: str) -> list[Signature]:
    if not isinstance(content, Mapping) or not isinstance(content.get("signatures"), list):
        raise InputError(f"{where} holds no list under the key 'signatures'")
    return [
        _signature(entry, f"{where}, entry {number}")
        for number, entry in enumerate(content["signatures"], start=1)
    ]


_FIELDS = {"name": str, "puts": str, "over": list, "source": str, "note": str}


def _signature(entry: Any, where: str) -> Signature:
    if not isinstance(entry, Mapping) or set(entry) - {"taxonomy"} != set(_FIELDS):
        given = ", ".join(map(str, entry)) if isinstance(entry, Mapping) else repr(entry)
        fields = ", ".join(_FIELDS)
        raise InputError(f"{where} has {given}; an entry has {fields} and may have taxonomy")
    for key, kind in _FIELDS.items():
        if not isinstance(entry[key], kind) or not entry[key]:
            allowed = "a list of values" if kind is list else "text"
            raise InputError(f"{where}: {key} is {entry[key]!r}; it must be {allowed}, not empty")
    over = tuple(str(value) for value in entry["over"])
    if entry["puts"] in over:
        raise InputError(f"{where}: {entry['puts']!r} is put over itself")
    taxonomy = load_taxonomy(entry.get("taxonomy", "valuesim"))
    taxonomy.check([entry["puts"], *over], where)
    texts = {key: entry[key] for key in ("name", "puts", "source", "note")}
    return Signature(over=over, **texts)

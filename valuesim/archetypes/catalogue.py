"""The catalogue of archetypes: names, thresholds, signatures and conduct, read from YAML."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from valuesim.archetypes.entries import Conduct, Signature, conduct_of, signature_of
from valuesim.errors import InputError
from valuesim.shipped import shipped_yaml

ETHICAL, EXPLOITATIVE, CONTEXT_DEPENDENT = "Ethical", "Exploitative", "Context-Dependent"
BEHAVIOURAL = (ETHICAL, EXPLOITATIVE, CONTEXT_DEPENDENT)
SIGNATURES, CONDUCT = "signatures", "conduct"


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
class GameRule:
    """What it takes to name a conduct in games; see conf/archetype/games.yaml."""

    version: int
    source: str
    credible: float
    most_faults: float
    least_moves: int
    least_clusters: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalogue:
    """The rules for behaviour and for games, what they name, and the signatures."""

    rule: Rule
    behaviours: Mapping[str, str]
    signatures: tuple[Signature, ...]
    game_rule: GameRule
    conducts: tuple[Conduct, ...]


def load_catalogue(*paths: Path) -> Catalogue:
    """Return the shipped catalogue with the signatures and conducts of `paths` added.

    Raises InputError for a file that cannot be read, an entry that lacks a field or has another,
    that names a value unknown to its `taxonomy` (default: "valuesim") or a rate that there is not,
    that puts a value over itself, or whose name is taken.
    """
    games = _shipped("games.yaml")
    signatures = _entries(_shipped("signatures.yaml"), SIGNATURES, "signatures.yaml")
    conducts = _entries(games, CONDUCT, "games.yaml")
    for path in paths:
        content = _own(path)
        signatures += _entries(content, SIGNATURES, str(path))
        conducts += _entries(content, CONDUCT, str(path))
    _check_names([*BEHAVIOURAL, *(each.name for each in (*signatures, *conducts))])
    behavioural = _shipped("behavioural.yaml")
    return Catalogue(
        rule=_rule(behavioural),
        behaviours={
            name: behavioural[name.lower().replace("-", "_")]["description"] for name in BEHAVIOURAL
        },
        signatures=tuple(signatures),
        game_rule=GameRule(**{field.name: games[field.name] for field in fields(GameRule)}),
        conducts=tuple(conducts),
    )


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"archetype {name!r} is defined twice; names are unique")


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


def _own(path: Path) -> Mapping[str, Any]:
    content = _read(path)
    lists = content if isinstance(content, Mapping) else {}
    if not any(isinstance(lists.get(key), list) for key in (SIGNATURES, CONDUCT)):
        raise InputError(f"{path} holds no list under the key '{SIGNATURES}' or '{CONDUCT}'")
    return lists


_READERS: Mapping[str, Callable[[Any, str], Any]] = {SIGNATURES: signature_of, CONDUCT: conduct_of}


def _entries(content: Mapping[str, Any], key: str, where: str) -> list[Any]:
    listed = content.get(key, [])
    if not isinstance(listed, list):
        raise InputError(f"{where}: {key} is {listed!r}; it must be a list")
    return [
        _READERS[key](entry, f"{where}, {key}, entry {number}")
        for number, entry in enumerate(listed, start=1)
    ]

"""Interventions by name, and how a run's settings become instances of them."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterable, Mapping
from importlib import import_module, resources
from typing import Any

from valuesim.agents.interventions.base import Intervention
from valuesim.errors import InputError, unknown

_HERE = "valuesim.agents.interventions"
CATALOGUE: Mapping[str, str] = {
    "persona": f"{_HERE}.persona:Persona",
    "emotion": f"{_HERE}.emotion:Emotion",
    "assessment": f"{_HERE}.assessment:Assessment",
    "reflection": f"{_HERE}.reflection:Reflection",
    "council": f"{_HERE}.council:Council",
    "memory": f"{_HERE}.memory:Memory",
    "esrs": f"{_HERE}.esrs:SelfRegulation",
    "policy": f"{_HERE}.policy:Policy",
    "weights": f"{_HERE}.weights:Weights",
    "correction": f"{_HERE}.correction:Correction",
    "pressure": f"{_HERE}.pressure:Pressure",
    "hint": f"{_HERE}.hint:Hint",
}
"""Name -> "module:Class"; the files of conf/intervention have the same names."""
ROLES = "roles"
"""The setting that every intervention has: the roles it is made on, null for all with a model."""
TEXTS = "intervention_texts"
"""The setting, of how a model is asked, that names the texts of the interventions made on it."""
_STORY = "story"
"""Texts that several interventions share."""
_OWN = ("self", "role", "seed")


def build(
    settings: Mapping[str, Mapping[str, Any]], *, role: str, seed: int
) -> tuple[Intervention, ...]:
    """Return the interventions that `settings` ask for (name -> its settings), in their order.

    Raises InputError for an unknown one, and for a setting that is not allowed.
    """
    return tuple(_built(name, own, role, seed) for name, own in settings.items())


def texts_id(names: Iterable[str]) -> str:
    """Return twelve hexadecimal digits that change with the texts of the interventions `names`.

    One without texts of its own is named alone.
    """
    told = [f"{name}\0{_texts(name)}" for name in sorted({*names, _STORY})]
    return hashlib.sha256("\0".join(told).encode()).hexdigest()[:12]


def environments_of(name: str) -> frozenset[str] | None:
    """Return the environments that intervention `name` is made in, None for all."""
    return _kind(name).environments


def annotated(name: str) -> dict[str, str]:
    """Return the settings that intervention `name` takes, each with its type as it is written."""
    taken = inspect.signature(_kind(name).__init__).parameters.items()
    return {setting: str(each.annotation) for setting, each in taken if setting not in _OWN}


def needing_chain(settings: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what in `settings` does nothing where no episode follows another."""
    made = build(of_role(_on_all(settings), "any"), role="any", seed=0)
    return [each.needs_chain for each in made if each.needs_chain]


def check(settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise InputError for what `build` would not take."""
    for name, own in settings.items():
        roles = own.get(ROLES)
        if roles is not None and (not isinstance(roles, list) or not roles):
            raise InputError(f"intervention.{name}.{ROLES} is {roles!r}: null, or a list of roles")
        build(of_role(_on_all({name: own}), "any"), role="any", seed=0)


def of_role(settings: Mapping[str, Mapping[str, Any]], role: str) -> dict[str, dict[str, Any]]:
    """Return the settings that are meant for `role`, without the setting that says so."""
    return {
        name: {key: given for key, given in own.items() if key != ROLES}
        for name, own in settings.items()
        if own.get(ROLES) is None or role in own[ROLES]
    }


def _on_all(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {**own, ROLES: None} for name, own in settings.items()}


def _built(name: str, given: Mapping[str, Any], role: str, seed: int) -> Intervention:
    kind = _kind(name)
    allowed = list(annotated(name))
    for setting in given:
        if setting not in allowed:
            raise InputError(unknown("setting", setting, allowed, f"intervention.{name}"))
    return kind(role=role, seed=seed, **given)


def _kind(name: str) -> type[Intervention]:
    if name not in CATALOGUE:
        raise InputError(unknown("intervention", name, CATALOGUE))
    module, _, of = CATALOGUE[name].partition(":")
    kind: type[Intervention] = getattr(import_module(module), of)
    return kind


def _texts(name: str) -> str:
    file = resources.files(_HERE).joinpath("wording", f"{name}.yaml")
    return file.read_text(encoding="utf-8") if file.is_file() else ""

"""Interventions by name, and how a run's settings become instances of them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from valuesim.agents.interventions.base import Intervention
from valuesim.errors import InputError, unknown

INTERVENTIONS = "interventions"
"""The parameter of a player that holds its interventions: name -> settings."""
_HERE = "valuesim.agents.interventions"
CATALOGUE: Mapping[str, str] = {
    "persona": f"{_HERE}.persona:Persona",
}
"""Name -> "module:Class"; the files of conf/intervention have the same names."""
ROLES = "roles"
"""The setting that every intervention has: the roles it is made on, null for all with a model."""
_OWN = ("self", "role", "seed")


def build(
    settings: Mapping[str, Mapping[str, Any]], *, role: str, seed: int
) -> tuple[Intervention, ...]:
    """Return the interventions that `settings` ask for (name -> its settings), in their order.

    Raises InputError for an unknown one, and for a setting that is not allowed.
    """
    return tuple(_built(name, own, role, seed) for name, own in settings.items())


def check(settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise InputError for what `build` would not take."""
    for name, own in settings.items():
        roles = own.get(ROLES)
        if roles is not None and not isinstance(roles, list):
            raise InputError(f"intervention.{name}.{ROLES} is {roles!r}: null, or a list of roles")
        build(of_role({name: {**own, ROLES: None}}, "any"), role="any", seed=0)


def of_role(settings: Mapping[str, Mapping[str, Any]], role: str) -> dict[str, dict[str, Any]]:
    """Return the settings that are meant for `role`, without the setting that says so."""
    return {
        name: {key: given for key, given in own.items() if key != ROLES}
        for name, own in settings.items()
        if own.get(ROLES) is None or role in own[ROLES]
    }


def _built(name: str, given: Mapping[str, Any], role: str, seed: int) -> Intervention:
    if name not in CATALOGUE:
        raise InputError(unknown("intervention", name, CATALOGUE))
    module, _, of = CATALOGUE[name].partition(":")
    kind = getattr(import_module(module), of)
    allowed = [each for each in inspect.signature(kind.__init__).parameters if each not in _OWN]
    for setting in given:
        if setting not in allowed:
            raise InputError(unknown("setting", setting, allowed, f"intervention.{name}"))
    built: Intervention = kind(role=role, seed=seed, **given)
    return built

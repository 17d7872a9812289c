"""Which environments and levels a run crosses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from valuesim import registry
from valuesim.errors import InputError, unknown
from valuesim.overrides import env_settings, options

APART = ("env", "intervention")
"""What is crossed by name and not by parameter."""


def environments(crossed: Any, chosen: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the id and the parameters of each environment that is played.

    `crossed` lists what env=NAME takes, or mappings of such a name (`id`) with more parameters;
    without it the one that was `chosen` is played. Raises InputError for an unknown one.
    """
    if crossed is None:
        return [_identified(chosen)]
    if not isinstance(crossed, list) or not crossed:
        raise InputError(f"cross.env is {crossed!r}: give a list of environments")
    return [_identified(_preset(given)) for given in crossed]


def levels_of(cross: Mapping[str, Any] | None) -> dict[str, list[Any]]:
    """Return the levels of each parameter that `cross` names as env.<parameter>.

    Raises InputError for what cannot be crossed, and for no list of levels.
    """
    levels: dict[str, list[Any]] = {}
    for factor, given in (cross or {}).items():
        if factor in APART:
            continue
        root, _, name = factor.partition(".")
        if root != "env" or not name or name == "id":
            raise InputError(f"cross.{factor} cannot be crossed: name env.<parameter>")
        if not isinstance(given, list) or not given:
            raise InputError(f"cross.{factor} is {given!r}: give a list of levels")
        levels[name] = given
    return levels


def _preset(given: Any) -> dict[str, Any]:
    """Return the settings of conf/env that `given` names, changed as it says."""
    settings = dict(given) if isinstance(given, dict) else {"id": given}
    name = settings.pop("id", None)
    if name not in options("env"):
        raise InputError(unknown("environment", name, options("env"), "cross.env"))
    return env_settings(str(name)) | settings


def _identified(settings: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    given = dict(settings)
    return registry.environment_id(str(given.pop("id", None))), given

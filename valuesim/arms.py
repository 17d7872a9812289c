"""Which interventions are made in which cells of a run: its arms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from valuesim.errors import InputError, unknown
from valuesim.overrides import intervention_settings, options

NONE = "none"
"""The arm without an intervention."""

Arm = dict[str, dict[str, Any]]
"""Interventions in the order in which they are made: name -> settings."""


def arms_of(crossed: Any, chosen: Mapping[str, Any]) -> list[Arm]:
    """Return the arms of a run: those that `crossed` lists, else one of all that are `chosen`.

    Each entry of `crossed` is a name, a list of names, or "none". Settings are those `chosen` where
    an intervention is among them, else those of its file. Raises InputError for an unknown name, a
    setting that is missing or not allowed, and an arm that stands twice.
    """
    if crossed is None:
        return [_checked({name: dict(given) for name, given in chosen.items()})]
    if not isinstance(crossed, list) or not crossed:
        raise InputError(
            f"cross.intervention is {crossed!r}: give a list of arms, e.g. [none,persona]"
        )
    arms = [_checked(_arm(entry, chosen)) for entry in crossed]
    for place, arm in enumerate(arms):
        if arm in arms[:place]:
            raise InputError(f"cross.intervention lists an arm twice: {crossed[place]!r}")
    return arms


def _arm(entry: Any, chosen: Mapping[str, Any]) -> Arm:
    names = entry if isinstance(entry, list) else [entry]
    if names == [NONE]:
        return {}
    for name in names:
        if name not in options("intervention"):
            known = [NONE, *options("intervention")]
            raise InputError(unknown("intervention", name, known, "cross.intervention"))
    return {name: intervention_settings(name) | dict(chosen.get(name) or {}) for name in names}


def _checked(arm: Arm) -> Arm:
    from valuesim.agents.interventions import check

    for name, settings in arm.items():
        for setting, given in settings.items():
            if given == "???":
                key = f"intervention.{name}.{setting}"
                raise InputError(f"{key} is not set: add {key}=...")
    check(arm)
    return arm

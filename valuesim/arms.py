"""Which interventions are made in which cells of a run: its arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from valuesim.errors import InputError, unknown
from valuesim.overrides import intervention_settings, options

NONE = "none"
"""The arm without an intervention."""

Arm = dict[str, dict[str, Any]]
"""Interventions in the order in which they are made: name -> settings."""


def arms_of(crossed: Any, chosen: Mapping[str, Any]) -> list[Arm]:
    """Return the arms of a run: those that `crossed` lists, else one of all that are `chosen`.

    Each entry of `crossed` is a name, a mapping of a name (`id`) with settings, a list of these, or
    "none". Settings that it does not give are those `chosen` where an intervention is among them,
    else those of its file. Raises InputError for an unknown name, a setting that is missing or not
    allowed, and an arm that stands twice.
    """
    if crossed is None:
        return [_checked({name: dict(given) for name, given in chosen.items()})]
    if not isinstance(crossed, list) or not crossed:
        raise InputError(
            f"cross.intervention is {crossed!r}: give a list of arms, e.g. [none,persona]"
        )
    arms = [_checked(_arm(entry, chosen)) for entry in crossed]
    for place, arm in enumerate(arms):
        # two orders of the same interventions are two arms
        if list(arm.items()) in [list(other.items()) for other in arms[:place]]:
            raise InputError(f"cross.intervention lists an arm twice: {crossed[place]!r}")
    return arms


def check_chain(length: int, arms: Sequence[Arm]) -> None:
    """Raise InputError where no episode follows another and an arm would need it to do anything."""
    from valuesim.agents.interventions import needing_chain

    if length == 1:
        for arm in arms:
            for setting in needing_chain(arm):
                raise InputError(
                    f"{setting} goes from one episode to the next, and there is none: add chain=2, "
                    "or more"
                )


def _arm(entry: Any, chosen: Mapping[str, Any]) -> Arm:
    listed = entry if isinstance(entry, list) else [entry]
    if listed == [NONE]:
        return {}
    arm: Arm = {}
    for given in listed:
        own = dict(given) if isinstance(given, dict) else {"id": given}
        name = own.pop("id", None)
        if name == NONE:
            raise InputError(f"cross.intervention: {NONE} stands alone in an arm, not in {entry!r}")
        if not isinstance(name, str):
            raise InputError(
                f"cross.intervention: {given!r} is no intervention: give a name, or {{id: NAME}} "
                "with settings"
            )
        if name not in options("intervention"):
            known = [NONE, *options("intervention")]
            raise InputError(unknown("intervention", name, known, "cross.intervention"))
        if name in arm:
            raise InputError(f"cross.intervention lists {name} twice in one arm: {entry!r}")
        arm[name] = intervention_settings(name) | dict(chosen.get(name) or {}) | own
    return arm


def _checked(arm: Arm) -> Arm:
    from valuesim.agents.interventions import check

    for name, settings in arm.items():
        for setting, given in settings.items():
            if given == "???":
                key = f"intervention.{name}.{setting}"
                raise InputError(f"{key} is not set: add {key}=...")
    check(arm)
    return arm

"""What `valuesim measures` says of interventions: did they reach the model, what did they move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from valuesim.cli.terminal import clean, percent, print_table
from valuesim.graph import Group
from valuesim.graph.arms import is_arm_key
from valuesim.log import DecisionRecord
from valuesim.measures.interventions import ArmCheck, checks, effects, uncontrolled
from valuesim.measures.panel import Panel

_COLUMNS = ("arm", "adds", "decisions", "faults", "changed", "characters", "texts", "told (mean)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Intervened:
    """The arms of what is one group but for them: what each was sent, and what it moved.

    `notes` say where that is not known for want of a control.
    """

    checks: tuple[ArmCheck, ...]
    effects: tuple[Panel, ...]
    notes: tuple[str, ...] = ()


def intervened(
    groups: Mapping[Group, Sequence[DecisionRecord]],
) -> dict[Group, Intervened]:
    """Return the arms in `groups`, by what these have in common beside them.

    Empty where no intervention was made.
    """
    episodes = {id(r.episode): r.episode for own in groups.values() for r in own}.values()
    together: dict[Group, list[DecisionRecord]] = {}
    for group, own in groups.items():
        labels = [each for each in group.items() if not is_arm_key(each[0], episodes)]
        together.setdefault(Group(tuple(labels)), []).extend(own)
    return {
        group: Intervened(checks=made, effects=effects(own), notes=uncontrolled(own))
        for group, own in together.items()
        if (made := checks(own))
    }


def print_checks(group: Group, found: Intervened) -> None:
    """Print what each arm of `group` was sent, a table for each environment and model."""
    for env, model in dict.fromkeys((check.env, check.model) for check in found.checks):
        own = [check for check in found.checks if (check.env, check.model) == (env, model)]
        title = f"{group}: what {model} was sent in {env}"
        print_table(clean(title), _COLUMNS, [_row(each) for each in own])
        for warning in dict.fromkeys(check.warning for check in own if check.warning):
            print(f"  note: {clean(warning)}")
        print()
    for note in found.notes:
        print(f"  note: {clean(note)}\n")


def in_json(found: Mapping[Group, Intervened]) -> dict[str, Any]:
    """Return checks and effects as keys of the command's JSON; {} without an intervention."""
    if not found:
        return {}
    return {
        "interventions": [
            {"group": dict(group.items()), **asdict(check)}
            | {"share": check.share, "fault_rate": check.fault_rate}
            for group, own in found.items()
            for check in own.checks
        ],
        "effects": [
            {"group": dict(group.items()), **asdict(panel)}
            for group, own in found.items()
            for panel in own.effects
        ],
        "no_effects": [note for own in found.values() for note in own.notes],
    }


def _row(check: ArmCheck) -> list[object]:
    levels = ", ".join(f"{name} {mean:.3g}" for name, mean in check.told.items())
    return [
        check.arm,
        check.by or "-",
        check.decisions,
        percent(check.fault_rate),
        percent(check.share),
        "-" if check.characters is None else f"{check.characters:.0f}",
        check.texts,
        levels or "-",
    ]

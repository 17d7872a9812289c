"""Arms set against the first in the same seeds and scenes: rates of acts, and the archetype."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from valuesim.archetypes import load_catalogue
from valuesim.archetypes.change import ArchetypeChange, archetype_change, change_to_json
from valuesim.archetypes.verdict import UNDETERMINED
from valuesim.cli.ranking import print_line
from valuesim.cli.terminal import clean, print_table
from valuesim.graph.statement import count
from valuesim.graph.units import Records
from valuesim.measures.acts import FAULT, told_cells
from valuesim.measures.paired_acts import ActDifference, PairedActs, acts_to_json, paired_acts

_LONGEST = 10
"""The longest name of an arm that heads a column of figures."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """One arm set against another, `against`, in what both played.

    `archetype` is None where the arms differ in what was asked: it is of one agent, over levels of
    scarcity.
    """

    name: str
    against: str
    acts: PairedActs
    archetype: ArchetypeChange | None = None

    @property
    def has_acts(self) -> bool:
        """Whether anything is known of acts, faults aside."""
        return any(each.cell.act != FAULT for each in self.acts.acts)


def beside_first(arms: Mapping[str, Records], *, with_archetype: bool = True) -> list[Arm]:
    """Return each of `arms` but the first, set against the first; none of fewer than two."""
    if len(arms) < 2:
        return []
    catalogue = load_catalogue() if with_archetype else None
    (against, first), *others = arms.items()
    found = []
    for name, second in others:
        acts = paired_acts(first, second)
        change = None
        if catalogue is not None:
            change = archetype_change(first, second, catalogue, correlation=acts.correlation)
        found.append(Arm(name=name, against=against, acts=acts, archetype=change))
    return found


def arm_to_json(arm: Arm) -> dict[str, Any]:
    """Return `arm` as JSON values, schema 1: the figures of one comparison in "paired"."""
    return {
        "level": arm.name,
        "against": arm.against,
        **acts_to_json(arm.acts),
        "archetype": arm.archetype and change_to_json(arm.archetype),
    }


def print_paired(arm: Arm) -> None:
    """Print what pairs up, the rates of both arms with their differences, and the archetypes."""
    print_line(_pairing(arm))
    named = told_cells(each.cell for each in arm.acts.acts)
    known = [each for each in arm.acts.acts if each.difference.value is not None]
    if known:
        first, second = arm.against, arm.name
        if max(len(first), len(second)) > _LONGEST:
            first, second = "the former", "the latter"
        columns = ("act", first, second, "difference (95 %)", "moved", "n at each")
        title = f"rates in per cent, {arm.against} and {arm.name}"
        print_table(title, columns, [_row(named[each.cell], each) for each in known])
    for line in (*_unknown(arm), *_archetypes(arm)):
        print_line(line)


def _pairing(arm: Arm) -> str:
    own = arm.acts.pairing
    alone = [
        f"{count(number, own.noun)} at {name} only"
        for name, number in ((arm.against, own.first - own.both), (arm.name, own.second - own.both))
        if number
    ]
    told = f"{count(own.both, own.noun)} of both {arm.against} and {arm.name} pair up"
    if not own.both:
        told = (
            f"no {own.noun} was played at both {arm.against} and {arm.name}: the intervals of "
            "rates are those of independent samples"
        )
    return "; ".join([told, *alone])


def _row(named: str, each: ActDifference) -> tuple[object, ...]:
    found = each.difference
    assert found.value is not None
    assert found.first is not None
    assert found.second is not None
    moved = "" if not each.moved else "up" if found.value > 0 else "down"
    between = ""
    if found.low is not None and found.high is not None:
        between = f" ({100 * found.low:+.1f} to {100 * found.high:+.1f})"
    return (
        named,
        f"{100 * found.first:.1f}",
        f"{100 * found.second:.1f}",
        f"{100 * found.value:+.1f}{between}",
        moved,
        f"{found.n_first:,.0f}, {found.n_second:,.0f}",
    )


def _unknown(arm: Arm) -> Iterator[str]:
    """Yield a sentence for each cell without an interval."""
    named = told_cells(each.cell for each in arm.acts.acts)
    for each in arm.acts.acts:
        why = each.difference.why
        if why is not None:
            why = why.replace("the first arm", arm.against).replace("the second arm", arm.name)
            yield f"{named[each.cell]}: no interval: {why}"


def _archetypes(arm: Arm) -> Iterator[str]:
    found = arm.archetype
    if found is None:
        return
    if not found.first.posterior and not found.second.posterior:
        yield f"archetypes: undetermined: {found.why}"
        return
    for name, verdict in ((arm.against, found.first), (arm.name, found.second)):
        posterior = ", ".join(f"{each} {p:.2f}" for each, p in verdict.posterior.items())
        told = f" ({posterior})" if posterior else ""
        yield f"archetype at {name}: {verdict.archetype}{told}: {clean(verdict.why)}"
    if found.probability is not None:
        told = _change(found, found.probability)
        if UNDETERMINED in (found.first.archetype, found.second.archetype):
            told = f"undetermined (by the posteriors alone {told})"
        yield f"change of archetype: {told}"


def _change(found: ArchetypeChange, probability: float) -> str:
    first, second = max(found.joint, key=lambda change: found.joint[change])
    names = f"{first} at both" if first == second else f"{first}, then {second}"
    return (
        f"another one with probability {probability:.2f}; most probably {names} "
        f"({found.joint[first, second]:.2f})"
    )

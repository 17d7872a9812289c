"""What a plan rests on: opportunities, rates and likeness, from a rehearsal or from a pilot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from valuesim.graph.units import NameUnit, unit_names
from valuesim.log.records import DecisionRecord
from valuesim.measures.acts import FAULT, Cell, counted
from valuesim.power import pilot
from valuesim.power.rates import LIKENESS, PAIRING, Figure, Grounds
from valuesim.power.search import Aim

Pairs = Mapping[str, tuple[int, int]]
"""Unit -> (done, possible)."""
PILOT = "pilot"
"""The source of what a pilot said."""
OFTEN = 0.5
"""The share of episodes in which a scripted agent must meet a rate to stand for a model in it."""
_LEVELS = (0.0, 1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """What is assumed because somebody said so; None leaves it to the pilot or the default."""

    rate: float | None = None
    likeness: float | None = None
    pairing: float | None = None
    opportunities: int | None = None


def by_cell(records: Sequence[DecisionRecord], name: NameUnit) -> dict[Cell, Pairs]:
    """Return what was done of what could be by cell and unit, 0 of 0 where a unit offered nothing.

    The units of a cell are all that were played in its environment at its level.
    """
    found = counted(records, name)
    played = {(cell.env, cell.level): own for cell, own in found.items() if cell.act == FAULT}
    return {
        cell: {
            unit: (round(own[unit][0]), round(own[unit][1])) if unit in own else (0, 0)
            for unit in played[cell.env, cell.level]
        }
        for cell, own in found.items()
    }


def rehearsed(conducts: Mapping[str, Sequence[DecisionRecord]]) -> dict[Cell, dict[str, Pairs]]:
    """Return the counts of each cell by the agent that met it."""
    found: dict[Cell, dict[str, Pairs]] = {}
    for agent, records in conducts.items():
        for cell, own in by_cell(records, unit_names([records])).items():
            found.setdefault(cell, {})[agent] = own
    return found


def from_rehearsal(by_agent: Mapping[str, Pairs], given: Given) -> tuple[Grounds, list[str]]:
    """Return the grounds of a rate that scripted agents met, and sentences on them.

    Opportunities are those of the agent that had the fewest, among those that met the rate in half
    of the episodes: what a model will do is not known, and fewer ask for more episodes.
    """
    often = {agent: own for agent, own in by_agent.items() if offering(own) >= OFTEN}
    if often:
        agent = min(often, key=lambda name: (_mean(often[name]), name))
    else:
        agent = max(by_agent, key=lambda name: (offering(by_agent[name]), name))
    own = by_agent[agent]
    grounds = Grounds(
        opportunities=_opportunities([(n, n) for _, n in own.values()], given),
        offering=1.0 if given.opportunities else offering(own),
        source=agent,
        likeness=_given(given.likeness, LIKENESS, _LEVELS),
        pairing=_given(given.pairing, PAIRING, (PAIRING, PAIRING)),
        rate=None if given.rate is None else _fixed(given.rate, "given"),
    )
    return grounds, []


def from_pilot(
    arms: Sequence[Pairs], given: Given, aim: Aim, *, seed: int
) -> tuple[Grounds, list[str]]:
    """Return the grounds of a rate that one arm or two of a pilot met, and sentences on them.

    The rate is the first arm's; likeness is the mean of both. The allowance is for the power of
    `aim`.
    """
    first = {unit: own for unit, own in arms[0].items() if own[1]}
    second = {unit: own for unit, own in arms[-1].items() if own[1]}
    notes = []
    if len(first) < pilot.THIN:
        notes.append(f"the pilot is thin: {len(first)} units, and {pilot.THIN} are few")
    likenesses = [pilot.likeness(each, seed=seed) for each in (first, second)[: len(arms)]]
    found = _joined([each for each in likenesses if each is not None])
    if found is None:
        notes.append("the pilot says nothing of likeness: its rate is 0 or 1, or units offer once")
    joint = pilot.pairing(first, second, seed=seed) if len(arms) > 1 else None
    rate = _estimated(pilot.rate(first, seed=seed))
    units = list(dict.fromkeys([*arms[0], *arms[-1]]))
    pool = [(arms[0].get(unit, (0, 0))[1], arms[-1].get(unit, (0, 0))[1]) for unit in units]
    more = pilot.allowance(first, second, power=aim.power, level=aim.level, seed=seed)
    if more > 1:
        notes.append(f"{more:.2f} times as many as for a pilot without end")
    grounds = Grounds(
        allowance=more,
        opportunities=_opportunities(pool, given),
        offering=1.0 if given.opportunities else min(map(offering, arms)),
        source=PILOT,
        likeness=_fixed(given.likeness, "given")
        if given.likeness is not None
        else found or _given(None, LIKENESS, _LEVELS),
        pairing=_fixed(given.pairing, "given")
        if given.pairing is not None
        else _estimated(joint) or _given(None, PAIRING, (PAIRING, PAIRING)),
        rate=_fixed(given.rate, "given") if given.rate is not None else rate,
    )
    return grounds, notes


def offering(own: Pairs) -> float:
    """Return the share of units, in [0, 1], that gave an opportunity; 0 without units."""
    return mean(possible > 0 for _, possible in own.values()) if own else 0.0


def _mean(own: Pairs) -> float:
    return mean(possible for _, possible in own.values())


def _opportunities(pool: Sequence[tuple[int, int]], given: Given) -> list[tuple[int, int]]:
    fixed = given.opportunities
    return list(pool) if fixed is None else [(fixed, fixed)]


def _given(given: float | None, default: float, levels: tuple[float, float]) -> Figure:
    if given is not None:
        return _fixed(given, "given")
    return Figure(value=default, low=levels[0], high=levels[1], source="default")


def _fixed(value: float, source: str) -> Figure:
    return Figure(value=value, low=value, high=value, source=source)


def _estimated(found: pilot.Estimate | None) -> Figure | None:
    if found is None:
        return None
    low = found.value if found.low is None else found.low
    high = found.value if found.high is None else found.high
    return Figure(value=found.value, low=low, high=high, source=PILOT)


def _joined(found: Sequence[pilot.Estimate]) -> Figure | None:
    figures = [each for each in map(_estimated, found) if each is not None]
    if not figures:
        return None
    return Figure(
        value=mean(each.value for each in figures),
        low=min(each.low for each in figures),
        high=max(each.high for each in figures),
        source=PILOT,
    )

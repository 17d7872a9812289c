"""Dose and response: how much more of an act follows when something is turned up.

An act is a transgression (survival), a defection (any move but the cooperative ones of a game) or a
risky option (dilemmas); a decision counts where the act and something else are on offer. Rates come
from the hierarchical beta-binomial of `hierarchy`, the trend from a logit on the dose whose
covariance is robust to clusters. Environments, and doses within an episode (a price list) and
between episodes, are never put together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any

import numpy as np

from valuesim.archetypes.behaviour import Tries, is_questionnaire
from valuesim.archetypes.binary import Coefficient, binary_logit
from valuesim.archetypes.hierarchy import posterior_rates
from valuesim.choices import cluster_of
from valuesim.graph.statement import count
from valuesim.log.reader import DecisionRecord
from valuesim.shipped import shipped_yaml

_DRAWS = 2000
_YES_NO = {False: "no", True: "yes"}


@dataclass(frozen=True, kw_only=True, slots=True)
class DoseLevel:
    """Acts (`done`) of decisions (`possible`) at one level, its rate with the 95 % interval.

    `faults` of `asked` decisions at the level were none. Rate and interval are None if nothing was
    possible.
    """

    level: str | float
    done: int
    possible: int
    asked: int
    faults: int
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DoseTable:
    """The rates of one act over the levels of one dose, lowest dose first, and the trend.

    `trend` is in log-odds for one `step`; None where `why` says why not. `design` is "between"
    episodes or "within" them.
    """

    dose: str
    act: str
    env: str
    design: str
    step: str
    levels: tuple[DoseLevel, ...]
    trend: Coefficient | None
    clusters: int
    why: str = ""

    @property
    def n(self) -> int:
        """Decisions that could be the act or not."""
        return sum(level.possible for level in self.levels)

    @property
    def faults(self) -> int:
        """Decisions that were none."""
        return sum(level.faults for level in self.levels)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """One decision at a dose; `has_acted` is None for a fault."""

    cluster: str
    level: str | float
    place: float | None
    has_acted: bool | None


def dose_tables(records: Iterable[DecisionRecord], *, seed: int = 0) -> tuple[DoseTable, ...]:
    """Return a table for each dose that varies in `records`, none where none does.

    Questionnaires are left out, and so is what an agent says that others would do.
    """
    told = [r for r in records if not is_questionnaire(r) and _is_own(r)]
    content = shipped_yaml("valuesim.conf", "archetype", "doses.yaml")
    tables = []
    for entry in content["doses"]:
        apart: defaultdict[tuple[str, str], list[_Asked]] = defaultdict(list)
        for record in told:
            asked = _asked(record, entry)
            if asked is not None:
                design = str(record.episode.condition.get("design", "between"))
                apart[record.episode.env, design].append(asked)
        for where, found in apart.items():
            if len({asked.level for asked in found}) > 1:
                tables.append(_table(entry, where, found, content, seed))
    return tuple(tables)


def _is_own(record: DecisionRecord) -> bool:
    return bool(record.episode.condition.get("perspective", "act") == "act")


def _asked(record: DecisionRecord, entry: Mapping[str, Any]) -> _Asked | None:
    dose = _dose(record, entry)
    acts = ACTS[entry["act"]](record) if dose else None
    if dose is None or acts is None:
        return None
    chosen = next((o for o in record.options if o.name == record.chosen), None)
    if chosen is not None and entry["act"] == "transgression" and "approach" in chosen.tags:
        # going there is neither yet
        return None
    level, place = dose
    has_acted = None if chosen is None else chosen.name in acts
    return _Asked(cluster=cluster_of(record), level=level, place=place, has_acted=has_acted)


def _transgressions(record: DecisionRecord) -> set[str] | None:
    tags = frozenset(tag for option in record.options for tag in option.tags)
    is_open = record.annotations.get("opportunity") and tags & {"transgression", "approach"}
    return {o.name for o in record.options if "transgression" in o.tags} if is_open else None


def _defections(record: DecisionRecord) -> set[str] | None:
    names = {o.name for o in record.options if "cooperation" not in o.tags}
    is_move = record.annotations.get("phase", "act") == "act"
    is_list = record.episode.condition.get("design") == "within"
    # later rounds answer what went before, which the dose has changed as well
    is_fresh = is_list or record.annotations.get("round", 1) == 1
    return names if is_move and is_fresh and 0 < len(names) < len(record.options) else None


def _risks(record: DecisionRecord) -> set[str] | None:
    names = {o.name for o in record.options if "risk" in o.tags}
    return names if 0 < len(names) < len(record.options) else None


ACTS = {"transgression": _transgressions, "defection": _defections, "risk": _risks}
"""Act -> what returns the options that are it, None where the decision does not count."""


def _dose(
    record: DecisionRecord, entry: Mapping[str, Any]
) -> tuple[str | float, float | None] | None:
    """Return the level of the dose and its place in steps, None where it has no order."""
    name, condition, notes = entry["name"], record.episode.condition, record.annotations
    if name == "scarcity":
        return _scarcity(condition, entry["levels"])
    if name in ("threatened", "pressure"):
        is_on = bool(notes.get("threatened")) if name == "threatened" else _is_pressed(record)
        is_told = "threatened" in notes if name == "threatened" else "kind" in notes
        return (_YES_NO[is_on], float(is_on)) if is_told else None
    given = notes.get(name)
    level = condition.get(name) if given is None else given
    if not isinstance(level, int | float) or isinstance(level, bool) or level <= 0:
        return None
    return float(level), log2(level)


def _is_pressed(record: DecisionRecord) -> bool:
    return record.annotations.get("kind") == "pressure"


def _scarcity(
    condition: Mapping[str, Any], named: Sequence[str]
) -> tuple[str | float, float | None] | None:
    if "scarcity" not in condition:
        return None
    level = condition["scarcity"]
    label = level if isinstance(level, str) else float(level)
    stocks = [condition.get(name) for name in ("personal", "shared")]
    if all(isinstance(stock, int | float) for stock in stocks):
        return label, -float(sum(stocks))  # type: ignore[arg-type] # checked above
    return label, float(named.index(label)) if label in named else None


def scarcity_order(records: Iterable[DecisionRecord]) -> tuple[str | float, ...]:
    """Return the levels of scarcity in `records`, the most plentiful first.

    By the power that there is; else as conf/archetype/doses.yaml names them; else as they appear.
    """
    doses = shipped_yaml("valuesim.conf", "archetype", "doses.yaml")["doses"]
    named = next(entry["levels"] for entry in doses if entry["name"] == "scarcity")
    found = [_scarcity(record.episode.condition, named) for record in records]
    places = dict(each for each in found if each is not None)
    if None in places.values():
        return tuple(places)
    return tuple(sorted(places, key=lambda level: places[level] or 0.0))


def _table(
    entry: Mapping[str, Any],
    where: tuple[str, str],
    found: Sequence[_Asked],
    content: Mapping[str, Any],
    seed: int,
) -> DoseTable:
    ordered = _in_order(found, is_stepwise="levels" in entry)
    levels = _levels(list(ordered), found, seed)
    valid = [asked for asked in found if asked.has_acted is not None]
    why = _why_not(levels, ordered, content)
    trend = None
    if not why:
        steps = np.array([ordered[asked.level] for asked in valid], dtype=float)
        rows = np.column_stack([np.ones(len(steps)), steps - steps.mean()])
        hits = [bool(asked.has_acted) for asked in valid]
        trend = binary_logit(rows, hits, [a.cluster for a in valid], ("rate", "dose"))[1]
    return DoseTable(
        dose=entry["name"],
        act=entry["act"],
        env=where[0],
        design=where[1],
        step=entry["step"],
        levels=levels,
        trend=trend,
        clusters=len({asked.cluster for asked in valid}),
        why=why,
    )


def _in_order(found: Sequence[_Asked], *, is_stepwise: bool) -> dict[str | float, float | None]:
    """Return each level with its place, lowest dose first; named levels are one step apart."""
    places = {asked.level: asked.place for asked in found}
    if any(place is None for place in places.values()):
        return dict.fromkeys(places)
    ordered = sorted(places, key=lambda level: places[level] or 0.0)
    if not is_stepwise:
        return {level: places[level] for level in ordered}
    return {level: float(step) for step, level in enumerate(ordered)}


def _levels(
    levels: Sequence[str | float], found: Sequence[_Asked], seed: int
) -> tuple[DoseLevel, ...]:
    tries = {level: Tries() for level in levels}
    for asked in found:
        if asked.has_acted is not None:
            tries[asked.level].add(asked.cluster, asked.has_acted)
    cells = [each.pairs for each in tries.values()]
    drawn = posterior_rates(cells, _DRAWS, np.random.default_rng(seed))
    table = []
    for place, (level, each) in enumerate(tries.items()):
        done, possible = each.done.total(), each.possible.total()
        rate = done / possible if possible else None
        low, high = np.quantile(drawn[:, place], [0.025, 0.975])
        own = [asked for asked in found if asked.level == level]
        table.append(
            DoseLevel(
                level=level,
                done=done,
                possible=possible,
                asked=len(own),
                faults=sum(asked.has_acted is None for asked in own),
                rate=rate,
                low=None if rate is None else min(float(low), rate),
                high=None if rate is None else max(float(high), rate),
            )
        )
    return tuple(table)


def _why_not(
    levels: Sequence[DoseLevel],
    ordered: Mapping[str | float, float | None],
    content: Mapping[str, Any],
) -> str:
    asked, faults = sum(x.asked for x in levels), sum(x.faults for x in levels)
    done, possible = sum(x.done for x in levels), sum(x.possible for x in levels)
    least = content["least_events"]
    if faults > content["most_faults"] * asked:
        share = f"{faults / asked:.0%} of {count(asked, 'decision')}"
        return f"{share} were faults, more than {content['most_faults']:.0%}"
    if sum(level.possible > 0 for level in levels) < 2:
        return "only one level holds a choice"
    if None in ordered.values():
        return "the order of the levels is not known"
    if min(done, possible - done) < least:
        seen = f"{count(done, 'act')} in {count(possible, 'choice')}"
        return f"{seen}: it takes {least}, and {least} without"
    return ""

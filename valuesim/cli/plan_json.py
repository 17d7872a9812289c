"""A plan as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from valuesim.power.rates import Figure
from valuesim.power.search import Needed

if TYPE_CHECKING:
    from valuesim.cli.expense import Expense
    from valuesim.cli.plan import Planned, PlannedRate


def as_json(found: Planned) -> dict[str, Any]:
    """Return `found` as JSON values, schema 1; what is unknown is None."""
    asked = found.asked
    return {
        "schema": 1,
        "asked": {
            "of": asked.of,
            "effect": asked.effect,
            "width": asked.width,
            "strength": asked.strength,
            "power": asked.aim.power,
            "level": asked.aim.level,
            "seed": asked.seed,
        },
        "unit": found.noun,
        "rates": [_rate(each) for each in found.rates],
        "strengths": None if found.strengths is None else asdict(found.strengths),
        "episodes": found.episodes,
        "cost": None if found.expense is None else _cost(found.expense),
        "notes": list(found.notes),
    }


def _rate(each: PlannedRate) -> dict[str, Any]:
    plan = each.plan
    grounds = plan.grounds
    possible = [pair[0] for pair in grounds.opportunities]
    return {
        "cell": asdict(each.cell),
        "assumed": {
            "first": plan.first,
            "second": plan.second,
            "opportunities": sum(possible) / len(possible),
            "offering": grounds.offering,
            "source": grounds.source,
            "allowance": grounds.allowance,
            "rate": _known(grounds.rate),
            "likeness": _known(grounds.likeness),
            "pairing": _known(grounds.pairing),
            "met_by": dict(each.met_by),
        },
        "paired": _needed(plan.paired),
        "unpaired": _needed(plan.unpaired),
        "narrow": _needed(plan.narrow),
        "low": plan.low,
        "high": plan.high,
        "units": plan.units,
        "episodes": each.episodes,
        "notes": list(each.notes),
        "why": plan.why,
    }


def _needed(needed: Needed | None) -> dict[str, Any] | None:
    return None if needed is None else asdict(needed)


def _known(figure: Figure | None) -> dict[str, Any] | None:
    return None if figure is None else asdict(figure)


def _cost(cost: Expense) -> Mapping[str, Any]:
    return {
        "episodes": cost.episodes * cost.cells,
        "cells": cost.cells,
        "decisions": cost.decisions,
        **asdict(cost.spent),
        "dollars": cost.dollars,
        "hours": cost.hours,
        "measured": cost.is_measured,
        "why": list(cost.why),
    }

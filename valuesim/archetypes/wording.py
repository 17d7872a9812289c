"""Figures of behaviour in plain words."""

from __future__ import annotations

from collections.abc import Mapping

from valuesim.archetypes.behaviour import Behaviour, Level
from valuesim.graph.grouping import Label


def level_name(level: Level | Mapping[str, Label]) -> str:
    """Return a level of scarcity in words.

    >>> level_name((("scarcity", "low"), ("regime", "infeasible")))
    'low (infeasible)'
    """
    named = dict(level)
    regime = f" ({named['regime']})" if named.get("regime") else ""
    return f"{named.get('scarcity', 'unnamed')}{regime}"


def ratio_in_words(condition: Mapping[str, Label], ratio: float, low: float, high: float) -> str:
    """Return a ratio to blind choice in words.

    >>> ratio_in_words({"scarcity": "low"}, 0.9, 0.7, 1.2)
    '0.90 (0.70 to 1.20) times the blind rate at low'
    """
    return f"{ratio:.2f} ({low:.2f} to {high:.2f}) times the blind rate at {level_name(condition)}"


def rates_in_words(behaviour: Behaviour) -> str:
    """Return transgressions of opportunities in each cell, level by level, in words."""
    order = {level: place for place, level in enumerate(behaviour.levels)}
    spoken = []
    for level, is_threatened in sorted(behaviour.cells, key=lambda c: (order[c[0]], not c[1])):
        tries = behaviour.cells[level, is_threatened]
        threat = "threatened" if is_threatened else "not threatened"
        done, possible = tries.done.total(), tries.possible.total()
        spoken.append(f"{done:,} of {possible:,} at {level_name(level)}, {threat}")
    return "transgressions were " + "; ".join(spoken)

"""An episode of one agent as cards: what it was asked, its options, which it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from markupsafe import Markup

from valuesim import registry
from valuesim.log import DecisionRecord
from valuesim.option import Option
from valuesim.report.text import number, shown

MOST_CARDS = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """One option of a card; `stakes` names what it upholds (+) and violates (−)."""

    name: str
    text: str
    stakes: str
    is_taken: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One decision; `step` counts from 1, `fault` is empty for a choice.

    `picture` is None where the environment draws none.
    """

    step: int
    text: str
    ways: tuple[Way, ...]
    fault: str = ""
    picture: Markup | None = None


def cards(records: Sequence[DecisionRecord]) -> tuple[Card, ...]:
    """Return the first decisions of an episode as cards; none where several agents play."""
    if not records or len(records[0].episode.population) > 1:
        return ()
    ordered = sorted(records, key=lambda record: record.step)
    return tuple(_card(record) for record in ordered[:MOST_CARDS])


def _card(record: DecisionRecord) -> Card:
    return Card(
        step=record.step + 1,
        text=shown(record.text, 900),
        ways=tuple(_way(option, record.chosen) for option in record.options),
        fault="" if record.fault is None else str(record.fault),
        picture=_picture(record.episode.env, record.annotations),
    )


def _way(option: Option, chosen: str | None) -> Way:
    signed = [
        f"{value} {'+' if stake > 0 else ''}{number(stake, 1)}"
        for value, stake in sorted(option.stakes.items(), key=lambda item: -item[1])
    ]
    return Way(
        name=shown(option.name, 40),
        text=shown(option.text, 400),
        stakes=shown(", ".join(signed), 200),
        is_taken=option.name == chosen,
    )


def _picture(env: str, annotations: Mapping[str, Any]) -> Markup | None:
    """Return the picture of what was asked; None without one, or if the log's scene is none."""
    known = registry.environments()
    named = known[env].load().depicts if env in known else ""
    if not named:
        return None
    module, _, name = named.partition(":")
    try:
        # an environment escapes every word that it draws
        return Markup(getattr(import_module(module), name)(annotations))
    except ValueError:
        return None

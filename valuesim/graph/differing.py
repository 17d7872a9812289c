"""What differs between the runs that are compared: who decided, and what should have been alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from valuesim.episode import INTERVENTIONS
from valuesim.graph.arms import label
from valuesim.log.reader import EpisodeRecord

_MOST = 4
"""How many settings of one thing are named."""
_FOLLOWS = frozenset({"regime", "wording_id", "pack_digest"})
"""Factors that other factors determine."""
_LONGEST = 60
"""The longest setting that is told in full."""
_ABSENT = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class Differing:
    """One thing that is not the same in all runs, and what it is in each, by the run's name.

    `is_who` tells that it says who decided (agent, model, sampling, intervention) and not what was
    asked, or how.
    """

    what: str
    settings: Mapping[str, str]
    is_who: bool


def differing(runs: Mapping[str, Iterable[EpisodeRecord]]) -> tuple[Differing, ...]:
    """Return what differs between the episodes of `runs`, who decided first; () where nothing does.

    A thing differs where its settings are not the same set in all runs.
    """
    facts: dict[str, dict[str, dict[str, None]]] = {}
    for run, episodes in runs.items():
        for what, setting in _facts(episodes):
            facts.setdefault(what, {}).setdefault(run, {})[setting] = None
    found = [
        Differing(
            what=what,
            settings={run: _in_words(own.get(run, {_ABSENT: None})) for run in runs},
            is_who=_is_who(what),
        )
        for what, own in facts.items()
        if len({frozenset(own.get(run, ())) for run in runs}) > 1
    ]
    return tuple(sorted(found, key=lambda each: (not each.is_who, each.what)))


def beside(found: Iterable[Differing]) -> tuple[str, ...]:
    """Return what should be alike and is not: what differs beside who decided, or beside one thing.

    A single thing that differs, whatever it is, is what is compared.
    """
    found = tuple(found)
    return () if len(found) == 1 else tuple(each.what for each in found if not each.is_who)


def _facts(episodes: Iterable[EpisodeRecord]) -> Iterator[tuple[str, str]]:
    for episode in episodes:
        yield "environment", episode.env
        for name, setting in episode.condition.items():
            if name not in _FOLLOWS:
                yield name, str(label(setting))
        for name, setting in episode.elicitation.items():
            yield f"elicitation.{name}", str(label(setting))
        for player in episode.population.values():
            yield "agent", player.agent
            yield from _flat("model", player.model or {})
            for name, setting in player.parameters.items():
                if name != INTERVENTIONS:
                    yield from _flat(f"agent.{name}", setting)
            for name, settings in player.interventions.items():
                yield "intervention", name
                yield from _flat(f"intervention.{name}", settings)


def _flat(name: str, setting: Any) -> Iterator[tuple[str, str]]:
    if isinstance(setting, Mapping):
        for key, each in setting.items():
            yield from _flat(f"{name}.{key}", each)
    else:
        yield name, str(label(setting))


def _is_who(what: str) -> bool:
    return what.partition(".")[0] in ("agent", "model", "intervention")


def _in_words(settings: Mapping[str, None]) -> str:
    named = [
        setting if len(setting) <= _LONGEST else f"{setting[: _LONGEST - 3]}..."
        for setting in sorted(settings)
    ]
    more = f" and {len(named) - _MOST} more" if len(named) > _MOST else ""
    return ", ".join(named[:_MOST]) + more

"""What was run, and what forbids conclusions from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from valuesim.archetypes import Rule
from valuesim.graph import ValueRanking
from valuesim.graph.statement import count
from valuesim.log import EpisodeRecord, RunFolder
from valuesim.log.reader import InterruptedRecord
from valuesim.report.scarcity import Level
from valuesim.report.text import percent, shown
from valuesim.report.unranked import unranked

_FEWEST_EPISODES = 10
_LONGEST_NOTE = 600


@dataclass(frozen=True, kw_only=True, slots=True)
class Interruptions:
    """Episodes that were begun and never finished, and why; the most frequent reason first."""

    episodes: int
    reasons: tuple[tuple[str, int], ...]


def interruptions(records: Collection[InterruptedRecord]) -> Interruptions:
    """Return what the last records of episodes that no run has finished say together."""
    reasons = Counter(shown(record.reason, 160) for record in records)
    return Interruptions(episodes=len(records), reasons=tuple(reasons.most_common(5)))


def facts(
    runs: Sequence[RunFolder], episodes: Collection[EpisodeRecord], decisions: int
) -> tuple[tuple[str, str], ...]:
    """Return the header's (name, content) pairs, from what the runs say of themselves."""
    players = [player for e in episodes for player in e.population.values()]
    models = {player.model_name for player in players if player.model_name}
    return (
        ("environments", _listed({e.env for e in episodes})),
        ("agents", _listed({player.agent for player in players})),
        ("models", _listed(models) if models else "none: scripted agents"),
        ("episodes", f"{len(episodes):,}"),
        ("decisions", f"{decisions:,}"),
        ("seeds", _seeds({e.seed for e in episodes})),
        ("valuesim", _listed({_version(run.config) for run in runs})),
        ("run on", _listed({_date(run.config) for run in runs})),
    )


def warnings(
    stopped: Interruptions,
    notes: Sequence[str],
    rankings: Mapping[str, ValueRanking],
    fewest: tuple[str, int, str] | None,
    at: Sequence[Level],
    rule: Rule,
) -> tuple[str, ...]:
    """Return, most serious first, a sentence for each thing that forbids or limits conclusions.

    `notes` tells of episodes that stand in several runs and of how runs came about, `rankings` are
    those of the groups, `fewest` is the cell with the fewest episodes or chains, their number and
    which of both they are.
    """
    found = [] if rankings else ["No decision was made, so there is nothing to conclude from."]
    if stopped.episodes:
        found.append(_interrupted(stopped))
    found += _faulty(rankings, rule)
    found += unranked(rankings)
    if rankings and 0 < len(at) < rule.least_levels:
        names = ", ".join(level.name for level in at)
        found.append(
            f"Too few levels of scarcity to name an archetype: {names}; it takes "
            f"{rule.least_levels}."
        )
    if fewest is not None and fewest[1] < _FEWEST_EPISODES:
        found.append(
            f"Some cells are small ({fewest[0]} has {count(fewest[1], fewest[2])}), so intervals "
            "are wide or missing."
        )
    told = (shown(note, _LONGEST_NOTE) for note in notes)
    return (*found, *(f"{note[0].upper()}{note[1:]}." for note in told))


def _interrupted(stopped: Interruptions) -> str:
    reasons = "; ".join(f"{reason} ({number})" for reason, number in stopped.reasons)
    return (
        f"Interrupted, and counted nowhere: {count(stopped.episodes, 'episode')} ({reasons}). "
        "Run the same command again to finish them."
    )


def _faulty(rankings: Mapping[str, ValueRanking], rule: Rule) -> list[str]:
    rates = {name: ranking.fault_rate for name, ranking in rankings.items()}
    return [
        f"{name}: {percent(rate)} of the decisions were faults, above the "
        f"{percent(rule.most_faults)} up to which an archetype may be named."
        for name, rate in rates.items()
        if rate is not None and rate > rule.most_faults
    ]


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(shown(name, 60) for name in names)
    more = f" and {len(ordered) - 12} more" if len(ordered) > 12 else ""
    return f"{', '.join(ordered[:12])}{more}" or "none"


def _seeds(seeds: Collection[int]) -> str:
    if len(seeds) <= 4:
        return ", ".join(str(seed) for seed in sorted(seeds)) or "none"
    return f"{len(seeds)} seeds, {min(seeds)} to {max(seeds)}"


def _version(config: Mapping[str, Any]) -> str:
    versions = config.get("versions")
    return str(versions.get("valuesim", "unknown")) if isinstance(versions, Mapping) else "unknown"


def _date(config: Mapping[str, Any]) -> str:
    times = config.get("time")
    return str(times.get("started", "unknown"))[:10] if isinstance(times, Mapping) else "unknown"

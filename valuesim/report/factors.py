"""Whether a group's archetype is its own or that of the question: the same at each setting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from valuesim.archetypes import Catalogue, Verdict
from valuesim.archetypes.behaviour import Behaviour, observe
from valuesim.archetypes.report import judge_behaviour
from valuesim.graph.grouping import settings, settings_of
from valuesim.log import DecisionRecord
from valuesim.measures.interval import Rate, clustered_rate
from valuesim.report.scarcity import is_lost
from valuesim.report.text import shown

_MOST_SETTINGS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What a group did at one setting of a factor, everything else pooled.

    The rates are transgressions per opportunity, threatened and unthreatened, with intervals
    clustered by episode; `lost_threatened` and `lost_unthreatened` count opportunities that ended
    in faults, `fault_rate` is in [0, 1].
    """

    name: str
    verdict: Verdict
    threatened: Rate
    unthreatened: Rate
    lost_threatened: int
    lost_unthreatened: int
    episodes: int
    decisions: int
    fault_rate: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Factor:
    """A factor that differs between a group's episodes, at each of its settings.

    `left_out` counts settings beyond the first twelve.
    """

    name: str
    settings: tuple[Setting, ...]
    left_out: int = 0

    @property
    def moves(self) -> bool:
        """Whether two settings are given different archetypes, undetermined not counting."""
        named = {s.verdict.archetype for s in self.settings} - {"undetermined"}
        return len(named) > 1


def factors(
    records: Sequence[DecisionRecord], catalogue: Catalogue, *, seed: int
) -> tuple[Factor, ...]:
    """Return a group's behaviour at each setting of each factor that differs; often none does."""
    episodes = {record.episode.id: record.episode for record in records}
    differing = settings_of(episodes.values())
    told = {
        id: [(name, str(each)) for name, each in settings(episode).items() if name in differing]
        for id, episode in episodes.items()
    }
    split: dict[tuple[str, str], list[DecisionRecord]] = defaultdict(list)
    for record in records:
        for name, setting in told[record.episode.id]:
            split[name, setting].append(record)
    return tuple(
        Factor(
            name=shown(name, 40),
            settings=tuple(
                _setting(shown(each, 60), split[name, each], catalogue, seed)
                for each in found[:_MOST_SETTINGS]
            ),
            left_out=max(0, len(found) - _MOST_SETTINGS),
        )
        for name, found in differing.items()
    )


def _setting(
    name: str, records: Sequence[DecisionRecord], catalogue: Catalogue, seed: int
) -> Setting:
    behaviour = observe(records)
    return Setting(
        name=name,
        verdict=judge_behaviour(records, behaviour, catalogue, seed=seed),
        threatened=_rate(behaviour, is_threatened=True),
        unthreatened=_rate(behaviour, is_threatened=False),
        lost_threatened=_lost(records, is_threatened=True),
        lost_unthreatened=_lost(records, is_threatened=False),
        episodes=len({record.episode.id for record in records}),
        decisions=len(records),
        fault_rate=sum(r.fault is not None for r in records) / len(records),
    )


def _rate(behaviour: Behaviour, *, is_threatened: bool) -> Rate:
    cells = [tries for (_, threat), tries in behaviour.cells.items() if threat is is_threatened]
    pairs = [pair for tries in cells for pair in tries.pairs]
    return clustered_rate([done for done, _ in pairs], [possible for _, possible in pairs])


def _lost(records: Sequence[DecisionRecord], *, is_threatened: bool) -> int:
    return sum(
        is_lost(record) and bool(record.annotations.get("threatened")) is is_threatened
        for record in records
    )

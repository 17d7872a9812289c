"""What several runs played alike: seeds, scenes and chains by names that all of them share.

The world of an episode is named by its environment, condition and seed (`EpisodeRecord.world`).
Where runs have no setting of a factor in common (two wordings), it is no part of the name here, and
the same seed is one unit in all of them: environments of a paired design draw the same there. Where
they do not, what is one unit by name alone has figures that do not go together, which costs nothing
as their correlation is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from valuesim.choices import Choices, choices, cluster_of, scene_of, unit_of
from valuesim.graph.arms import label
from valuesim.log.reader import DecisionRecord, EpisodeRecord

Records = Sequence[DecisionRecord]
NameUnit = Callable[[DecisionRecord], str]


def unit_names(arms: Sequence[Records]) -> NameUnit:
    """Return what names the unit of a decision, so that what `arms` played alike is one unit."""
    apart = _apart([{id(r.episode): r.episode for r in arm}.values() for arm in arms])
    known: dict[int, str] = {}

    def name(record: DecisionRecord) -> str:
        episode = record.episode
        if episode.chain is None and (scene := scene_of(record)) is not None:
            return scene
        if id(episode) not in known:
            left = {k: v for k, v in episode.condition.items() if k not in apart}
            known[id(episode)] = cluster_of(
                replace(record, annotations={}, episode=replace(episode, condition=left))
            )
        return known[id(episode)]

    return name


def unit_noun(arms: Sequence[Records]) -> str:
    """Return what the units are: "seed", "scene", "chain", or "unit" if they differ."""
    kinds = {unit_of(record) for arm in arms for record in arm}
    nouns = {"seed" if kind == "episode" else kind for kind in kinds} or {"seed"}
    return nouns.pop() if len(nouns) == 1 else "unit"


def choices_together(arms: Mapping[str, Records]) -> dict[str, Choices]:
    """Return the evidence of each of `arms`, clusters named so that they are shared."""
    name = unit_names(list(arms.values()))
    found = {}
    for arm, records in arms.items():
        told = choices(records)
        valid = (record for record in records if record.fault is None)
        evidence = tuple(
            replace(each, cluster=name(record))
            for each, record in zip(told.evidence, valid, strict=True)
        )
        found[arm] = replace(told, evidence=evidence)
    return found


def _apart(arms: Sequence[Iterable[EpisodeRecord]]) -> set[str]:
    """Return the factors of which the arms have no setting in common."""
    settings: list[dict[str, set[Any]]] = []
    for arm in arms:
        own: dict[str, set[Any]] = {}
        for episode in arm:
            for factor, setting in episode.condition.items():
                own.setdefault(factor, set()).add(label(setting))
        settings.append(own)
    known = {factor for own in settings for factor in own}
    return {f for f in known if not set.intersection(*(own.get(f, set()) for own in settings))}

"""How far figures move with the wording of the question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from valuesim.archetypes.behaviour import observe
from valuesim.log import DecisionRecord, EpisodeRecord
from valuesim.measures.paired import Counts, PairedDifference, paired_difference
from valuesim.suites.acts import (
    THREATENED,
    cooperation,
    harm,
    rounded,
    survival,
    transgression,
    tries_by_episode,
)
from valuesim.suites.card import Figure, Wording
from valuesim.suites.definition import in_order, words

Records = Sequence[DecisionRecord]
_TAIL = 0.05


def wordings(
    records: Records, episodes: Sequence[EpisodeRecord], factor: str
) -> tuple[Wording, ...]:
    """Return the figures of acts for each level of `factor`, in order of appearance."""
    found = []
    for name, own in _by_level(records, factor).items():
        played = [e for e in episodes if str(e.condition.get(factor)) == name]
        figures = {
            **transgression(own),
            **harm(played),
            "giving": cooperation(own),
            "survival": survival(played),
        }
        found.append(Wording(name=name, figures=in_order(figures)))
    return tuple(found)


def wording_shift(records: Records, factor: str) -> Figure:
    """Return the largest difference of a transgression rate between two wordings, in [0, 1].

    Rates of threatened and of unthreatened agents are each compared between all pairs of levels of
    `factor`. Pairs share their level of scarcity and seed; survival draws another world for each
    wording all the same, so that pairing them costs nothing and gains little.
    """
    return largest_shift(list(_pairs(_by_level(records, factor))))


def largest_shift(pairs: Sequence[tuple[Counts, Counts]]) -> Figure:
    """Return the largest difference of rates between the two sides of any of `pairs`, in [0, 1].

    Intervals (`measures.paired`) hold for all pairs together (Bonferroni): the largest true
    difference is then at least the largest of their lower ends, and at most the largest of their
    upper ends. The value itself is too large on average, as the largest of several noisy figures
    is. Without a pair of which both sides have two units there is no figure.
    """
    level = 1 - _TAIL / max(len(pairs), 1)
    found = [paired_difference(first, second, level=level) for first, second in pairs]
    known = [each for each in found if each.low is not None]
    if not known:
        return Figure(why=words()["no_pair"])
    sizes = [_size(each) for each in known]
    value, low, high = (max(size[place] for size in sizes) for place in range(3))
    largest = known[[size[0] for size in sizes].index(value)]
    return Figure(
        value=rounded(value),
        low=rounded(min(low, value)),
        high=rounded(max(high, value)),
        n=int(largest.n_first + largest.n_second),
    )


def _size(found: PairedDifference) -> tuple[float, float, float]:
    """Return how far from 0 the difference is, with the interval of that."""
    assert found.value is not None, "only those with an interval are asked"
    assert found.low is not None, "only those with an interval are asked"
    assert found.high is not None, "only those with an interval are asked"
    nearest = 0.0 if found.low <= 0 <= found.high else min(abs(found.low), abs(found.high))
    return abs(found.value), nearest, max(abs(found.low), abs(found.high))


def _pairs(by_level: Mapping[str, Records]) -> Iterator[tuple[Counts, Counts]]:
    for first, second in combinations(by_level.values(), 2):
        for is_threatened in THREATENED.values():
            yield _counts(first, is_threatened), _counts(second, is_threatened)


def _counts(records: Records, is_threatened: bool) -> Counts:
    """Return done and possible by what is alike in both wordings: scarcity and seed."""
    tries = tries_by_episode(observe(records), is_threatened)
    worlds = {
        record.episode.unit: (str(record.episode.condition.get("scarcity")), record.episode.seed)
        for record in records
    }
    return {
        worlds[unit]: (float(tries.done[unit]), float(possible))
        for unit, possible in tries.possible.items()
    }


def _by_level(records: Records, factor: str) -> dict[str, list[DecisionRecord]]:
    found: dict[str, list[DecisionRecord]] = {}
    for record in records:
        if factor in record.episode.condition:
            found.setdefault(str(record.episode.condition[factor]), []).append(record)
    return found

"""How sure a model was, and which letters it likes, where probabilities of options were stored.

They are computed for any environment from what `elicitation=logprobs` keeps with each decision. The
letters are drawn for each decision, so what a letter has beyond its share is the model's liking of
it, or of its place in the alphabet.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from valuesim.choices import cluster_of
from valuesim.log.reader import DecisionRecord
from valuesim.measures.interval import rate_by_cluster
from valuesim.measures.panel import Estimate, Panel, Reference, fault_counts

_SURE = (
    "Of decisions with probabilities of their options; that of no letter found also of those in "
    "which none was. An entropy of 1 is that of options that are all alike."
)
_LIKED = "The mean share of each letter among all letters, however often it was taken."
_MOST = 1.0 - 1e-9


class _Liked(NamedTuple):
    """The share of a letter in one decision, and what it is where no letter is liked."""

    cluster: str
    share: float
    by_chance: float


def likelihood(records: Sequence[DecisionRecord]) -> tuple[Panel, ...]:
    """Return the panels of the decisions of one environment; none without log-probabilities."""
    sure = [record for record in records if record.probabilities]
    # where no letter was found there is no probability of an option, but one of no letter
    told = [record for record in records if record.unaccounted is not None]
    if not sure:
        return (_sureness(records, sure, told),) if told else ()
    return _sureness(records, sure, told), _letters(records, sure)


def entropy(probabilities: Mapping[str, float]) -> float:
    """Return the entropy of `probabilities` as a share of its maximum; 0 for a single option.

    >>> entropy({"a": 0.5, "b": 0.5}), entropy({"a": 1.0, "b": 0.0})
    (1.0, 0.0)
    """
    if len(probabilities) < 2:
        return 0.0
    nats = -math.fsum(p * math.log(p) for p in probabilities.values() if p > 0)
    return min(max(0.0, nats) / math.log(len(probabilities)), 1.0)


def _sureness(
    records: Sequence[DecisionRecord],
    sure: Sequence[DecisionRecord],
    told: Sequence[DecisionRecord],
) -> Panel:
    taken = [record for record in sure if record.chosen is not None]
    estimates = (
        _mean("probability of the option taken", taken, lambda r: r.probabilities[str(r.chosen)]),
        _mean("probability of the likeliest", sure, lambda r: max(r.probabilities.values())),
        _mean("the likeliest was taken", taken, _took_the_likeliest, is_binary=True),
        _mean("entropy", sure, lambda r: entropy(r.probabilities)),
        _mean("probability of no letter found", told, lambda r: float(r.unaccounted or 0.0)),
    )
    return Panel(
        id="sureness",
        title="How sure the model was",
        unit="share, from 0 to 1",
        estimates=estimates,
        bounds=(0.0, 1.0),
        decisions=len(records),
        faults=fault_counts(records),
        note=_SURE,
    )


def _letters(records: Sequence[DecisionRecord], sure: Sequence[DecisionRecord]) -> Panel:
    by_letter: dict[str, list[_Liked]] = defaultdict(list)
    for record in sure:
        for letter, liked in _liked(record).items():
            by_letter[letter].append(liked)
    found = sorted(by_letter.items())
    return Panel(
        id="letters",
        title="Which letters the model likes",
        unit="share of the probability of all letters",
        estimates=tuple(_share(letter, own) for letter, own in found),
        references=(_without_liking(found),),
        bounds=(0.0, 1.0),
        decisions=len(records),
        faults=fault_counts(records),
        note=_LIKED,
    )


def _liked(record: DecisionRecord) -> dict[str, _Liked]:
    """Return the mean share of each letter over the labellings of `record` that use it."""
    shares: dict[str, list[float]] = defaultdict(list)
    by_chance: dict[str, list[float]] = defaultdict(list)
    for asked in record.labellings:
        found = asked.found or {}
        total = math.fsum(found.values())
        for letter in asked.labels:
            shares[letter].append(found.get(letter, 0.0) / total)
            by_chance[letter].append(1.0 / len(asked.labels))
    return {
        letter: _Liked(cluster_of(record), fmean(own), fmean(by_chance[letter]))
        for letter, own in shares.items()
    }


def _share(letter: str, liked: Sequence[_Liked]) -> Estimate:
    shares = ((each.cluster, each.share) for each in liked)
    return Estimate.of(letter, rate_by_cluster(shares, is_binary=False))


def _without_liking(found: Sequence[tuple[str, Sequence[_Liked]]]) -> Reference:
    return Reference(
        label="no liking",
        points=tuple(
            Estimate(label=letter, value=fmean(each.by_chance for each in own), n=len(own))
            for letter, own in found
        ),
        source="one over the number of options, as letters are drawn for each decision",
        population="computed",
    )


def _took_the_likeliest(record: DecisionRecord) -> float:
    best = max(record.probabilities.values())
    return float(record.probabilities[str(record.chosen)] >= best * _MOST)


def _mean(
    label: str,
    records: Sequence[DecisionRecord],
    of: Callable[[DecisionRecord], float],
    *,
    is_binary: bool = False,
) -> Estimate:
    hits = [(cluster_of(record), of(record)) for record in records]
    return Estimate.of(label, rate_by_cluster(hits, is_binary=is_binary))

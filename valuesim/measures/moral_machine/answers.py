"""How reliable the answers are: valid ones by dimension and order, flips when it is reversed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable

from valuesim.choices import cluster_of
from valuesim.log.reader import DecisionRecord
from valuesim.measures.hidden import valid_by_first, without_empty_ends
from valuesim.measures.interval import Rate, rate_by_cluster
from valuesim.measures.moral_machine.scene import (
    DIMENSIONS,
    judged,
    scene_of,
    stay_is_first,
    stays,
)


def valid_rates(records: Iterable[DecisionRecord], phases: Collection[str]) -> dict[str, Rate]:
    """Return the share of decisions that were valid choices, for each of DIMENSIONS.

    A dimension that was never asked has no rate.
    """
    asked: dict[str, list[tuple[str, bool]]] = {name: [] for name in DIMENSIONS}
    for record in judged(records, phases):
        is_valid = record.chosen is not None
        asked[scene_of(record).dimension].append((cluster_of(record), is_valid))
    return {name: without_empty_ends(rate_by_cluster(own)) for name, own in asked.items()}


def valid_by_order(records: Iterable[DecisionRecord], phases: Collection[str]) -> tuple[Rate, Rate]:
    """Return the share of valid choices where staying was shown first, and where swerving was.

    Raises LogError for a decision whose labels do not say what it showed.
    """
    found = valid_by_first(
        judged(records, phases), lambda record: (stay_is_first(record), not stay_is_first(record))
    )
    return without_empty_ends(found[0]), without_empty_ends(found[1])


def flip_rate(records: Iterable[DecisionRecord], phases: Collection[str]) -> Rate | None:
    """Return the share of scenes decided otherwise when their options are shown the other way.

    A scene counts for each agent that chose in both orders, within one episode. None where no
    scene was meant to be asked in both orders; no rate where none was answered in both.
    """
    answers: dict[Hashable, dict[int, bool]] = defaultdict(dict)
    cluster: dict[Hashable, str] = {}
    is_asked = False
    for record in judged(records, phases):
        told = record.annotations
        if told.get("presentation") is None or told.get("scene") is None:
            continue
        is_asked = True
        if record.chosen is not None:
            key = (
                record.episode.id,
                record.role,
                told.get("phase"),
                told.get("number"),
                told["scene"],
            )
            answers[key][told["presentation"]] = stays(record)
            cluster[key] = cluster_of(record)
    if not is_asked:
        return None
    both = {key: orders for key, orders in answers.items() if len(orders) == 2}
    return without_empty_ends(
        rate_by_cluster((cluster[key], orders[0] != orders[1]) for key, orders in both.items())
    )

"""Whether an answer depends on the words: flips of the majority between tellings of a dilemma."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from valuesim.choices import scene_of
from valuesim.log.reader import DecisionRecord
from valuesim.measures.interval import clustered_rate
from valuesim.measures.panel import Estimate, Panel, Reference, fault_counts

START = "start"
_DRAWS = 200
_LABEL = "answers that flip"
_NOTE = (
    "Of the dilemmas answered by a majority in two tellings or more, those whose majority is not "
    "the same in all."
)
_ASKED_ONCE = "Chance cannot be told apart from tellings that were asked once."
_IN_CHAINS = (
    "No interval: a chain's episodes are not independent, and the tellings of a dilemma lie in "
    "several chains."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Flips:
    """Which dilemmas flipped (1.0) or not (0.0), and the share if the telling did not matter.

    `mean`, `low` and `high` (its central 95 %) are over draws; None where nothing can be compared,
    and where no telling of a dilemma has two answers: dealt anew, single answers are as many flips.
    """

    flipped: Sequence[float]
    mean: float | None
    low: float | None
    high: float | None


def tellings_told(records: Sequence[DecisionRecord]) -> list[DecisionRecord]:
    """Return the decisions on the first turn of dilemmas that were asked in several tellings."""
    told: dict[str | None, set[int]] = defaultdict(set)
    first = [record for record in records if record.annotations.get("turn") == START]
    for record in first:
        told[scene_of(record)].add(int(record.annotations["telling"]))
    return [record for record in first if len(told[scene_of(record)]) > 1]


def flips_panel(records: Sequence[DecisionRecord], *, seed: int) -> Panel | None:
    """Return the share of dilemmas that flip; None where none was asked in several tellings.

    Its interval is over dilemmas. There is none where agents remember earlier episodes, as the
    answers on many dilemmas are then those of few chains.
    """
    asked = tellings_told(records)
    if not asked:
        return None
    found = flips(asked, draws=_DRAWS, rng=np.random.default_rng(seed))
    rate = Estimate.of(_LABEL, clustered_rate(found.flipped, [1.0] * len(found.flipped)))
    is_chained = any(record.episode.chain is not None for record in asked)
    notes = [_NOTE]
    if found.flipped and found.mean is None:
        notes.append(_ASKED_ONCE)
    if is_chained:
        rate = replace(rate, low=None, high=None)
        notes.append(_IN_CHAINS)
    return Panel(
        id="flips",
        title="Answers that flip with the telling",
        unit="share of dilemmas",
        estimates=(rate,),
        references=_by_lot(found),
        bounds=(0.0, 1.0),
        decisions=len(asked),
        faults=fault_counts(asked),
        note=" ".join(notes),
    )


def _by_lot(found: Flips) -> tuple[Reference, ...]:
    if found.mean is None:
        return ()
    dealt = "the same choices, dealt to the tellings by lot within a dilemma"
    point = Estimate(label=_LABEL, value=found.mean, low=found.low, high=found.high)
    return (
        Reference(
            label=_LABEL,
            points=(point,),
            source=f"{dealt} ({_DRAWS} draws)",
            population="computed",
        ),
    )


def flips(records: Sequence[DecisionRecord], *, draws: int, rng: np.random.Generator) -> Flips:
    """Return which of the dilemmas of `records` (see `tellings_told`) flipped, and the chances.

    A telling speaks if one option has the most choices in it; a dilemma is compared if two tellings
    or more speak, and has flipped unless they all say the same. For the chances the choices on a
    dilemma are dealt out to its tellings by lot, as many to each as it had.
    """
    answered = [record for record in records if record.fault is None]
    if not answered:
        return Flips(flipped=(), mean=None, low=None, high=None)
    scene = _numbered([str(scene_of(record)) for record in answered])
    telling = np.array([int(record.annotations["telling"]) for record in answered])
    option = _options([_chosen(record) for record in answered], scene)
    compared, flipped = _flipped(scene, telling, option)
    _, asked = np.unique(np.stack([scene, telling]), axis=1, return_counts=True)
    shares = []
    for _ in range(draws if asked.max() > 1 else 0):
        order = np.lexsort((rng.random(len(scene)), scene))
        dealt = np.empty_like(telling)
        # sorted by scene, both sides: each scene's tellings go to its own choices
        dealt[order] = telling[np.argsort(scene, kind="stable")]
        able, turned = _flipped(scene, dealt, option)
        if able.any():
            shares.append(float(turned[able].mean()))
    low, high = np.quantile(shares, [0.025, 0.975]) if shares else (None, None)
    return Flips(
        flipped=flipped[compared].astype(float).tolist(),
        mean=float(np.mean(shares)) if shares else None,
        low=None if low is None else float(low),
        high=None if high is None else float(high),
    )


def _flipped(
    scene: NDArray[np.intp], telling: NDArray[np.intp], option: NDArray[np.intp]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return, for each scene, whether two tellings speak and whether they differ."""
    size = (int(scene.max()) + 1, int(telling.max()) + 1, int(option.max()) + 1)
    counts = np.zeros(size, dtype=np.int32)
    np.add.at(counts, (scene, telling, option), 1)
    most = counts.max(axis=2)
    speaks = (most > 0) & ((counts == most[..., None]).sum(axis=2) == 1)
    says = counts.argmax(axis=2)
    highest = np.where(speaks, says, -1).max(axis=1)
    lowest = np.where(speaks, says, size[2]).min(axis=1)
    compared = speaks.sum(axis=1) > 1
    return compared, compared & (highest != lowest)


def _chosen(record: DecisionRecord) -> str:
    return str(record.annotations["labels"][record.chosen])


def _numbered(names: Sequence[str]) -> NDArray[np.intp]:
    return np.unique(names, return_inverse=True)[1]


def _options(chosen: Sequence[str], scene: NDArray[np.intp]) -> NDArray[np.intp]:
    """Number the options within each scene, so that their numbers stay small."""
    numbers: list[dict[str, int]] = [{} for _ in range(int(scene.max()) + 1)]
    return np.array(
        [
            numbers[s].setdefault(name, len(numbers[s]))
            for s, name in zip(scene, chosen, strict=True)
        ]
    )

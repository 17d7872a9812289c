"""The order and the positions of checkpoints: as given, or by the number in their names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from valuesim.errors import InputError
from valuesim.log.pool import Pool

GIVEN, STEP = "given", "step"
ORDERS = (GIVEN, STEP)
_NAMED = re.compile(r"(?:step|checkpoint|ckpt|epoch|iter)\D{0,2}(\d+(?:\.\d+)?)", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_FACTORS = ("step", "checkpoint")


def positions_of(sources: Mapping[str, Pool], order: str, at: str | None) -> dict[str, float]:
    """Return the position of each checkpoint by its name, in ascending order.

    `at` lists them, in the order of the paths; without it they are numbered from 1 as given, or,
    with the order "step", read from the checkpoints (see `step_of`). Raises InputError for
    positions that are no numbers, too few or too many, not ascending, or not to be found.
    """
    if at is not None:
        if order == STEP:
            raise InputError("--at and --order step both say where checkpoints stand: give one")
        return _listed(list(sources), at)
    if order == GIVEN:
        return {name: float(number) for number, name in enumerate(sources, start=1)}
    found = {name: step_of(name, pool) for name, pool in sources.items()}
    ordered = dict(sorted(found.items(), key=lambda each: each[1]))
    if len(set(ordered.values())) < len(ordered):
        told = ", ".join(f"{name}: {step:g}" for name, step in ordered.items())
        raise InputError(f"--order step: two checkpoints have the same step ({told}); give --at")
    return ordered


def step_of(name: str, pool: Pool) -> float:
    """Return the step of the checkpoint `name`; raise InputError where none is told.

    It is the factor "step" or "checkpoint" of what was played, else the number in the model's name
    behind such a word, else the last number there is in it, else in the name of the path.
    """
    told = [
        str(episode.condition[factor])
        for episode in pool.episodes.values()
        for factor in _FACTORS
        if factor in episode.condition
    ]
    models = [
        player.model_name
        for episode in pool.episodes.values()
        for player in episode.population.values()
        if player.model_name
    ]
    for texts in (told, models, [name]):
        steps = {step for text in texts if (step := _number(text)) is not None}
        if len(steps) == 1:
            return steps.pop()
        if steps:
            listed = ", ".join(f"{step:g}" for step in sorted(steps))
            raise InputError(f"--order step: {name} has several steps ({listed}); give --at")
    raise InputError(
        f"--order step: no number in the factors, the model or the path of {name}; give --at"
    )


def _number(text: str) -> float | None:
    named = _NAMED.findall(text) or _NUMBER.findall(text)
    return float(named[-1]) if named else None


def _listed(names: Sequence[str], at: str) -> dict[str, float]:
    try:
        found = [float(each) for each in at.split(",")]
    except ValueError as error:
        raise InputError(f"--at {at!r} is no list of numbers: write 0,1000,2000") from error
    if len(found) != len(names):
        raise InputError(f"--at {at!r} has {len(found)} positions for {len(names)} checkpoints")
    is_ascending = all(one < two for one, two in pairwise(found))
    if not is_ascending or not all(abs(each) < float("inf") for each in found):
        raise InputError(f"--at {at!r} does not ascend: checkpoints are given in their order")
    return dict(zip(names, found, strict=True))

"""Agents whose strengths are known, and the questions that they are asked.

An agent answers by a conditional logit over what is at stake. All answers to a pool are drawn at
once, so that every order of asking meets the same agent and the same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from valuesim import registry
from valuesim.choices import Evidence
from valuesim.engine.pool import Pools
from valuesim.episode import EpisodeSpec, Player
from valuesim.graph.design import FloatArray
from valuesim.graph.information import Prospects, prospects
from valuesim.option import Option

VALUES = 20
MOST_A_SIDE = 4
SCENES = QUESTIONS = 3000
MANY = 9000
"""Questions of the pool that is given room: far more scenes than are asked."""
FAULT = -1
"""Stands for an answer that is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A kind of agent: how its strengths lie (log-odds), and what else moves its answers.

    `position` is the log-odds of being shown first, `faults` the share of answers that are none,
    `noise` the standard deviation of what a scene adds to each option's utility, the same each time
    that it is asked.
    """

    strengths: Callable[[int, np.random.Generator], FloatArray]
    position: float = 0.0
    faults: float = 0.0
    noise: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Planted:
    """An agent: its strengths, in the order of the design's values, and all its answers.

    The answer to a question is the place of the option taken, or FAULT.
    """

    strengths: FloatArray
    answers: np.ndarray


def even(most: float) -> Callable[[int, np.random.Generator], FloatArray]:
    """Return what draws strengths evenly spaced between -`most` and `most`."""
    return lambda n, rng: rng.permutation(np.linspace(-most, most, n))


def clumped(n: int, rng: np.random.Generator) -> FloatArray:
    """Return strengths in four clumps, 4/3 apart, each with a standard deviation of 0.2."""
    middles = np.linspace(-2, 2, 4)[np.arange(n) % 4]
    return rng.permutation(middles + rng.normal(0.0, 0.2, n))


def scattered(n: int, rng: np.random.Generator) -> FloatArray:
    """Return strengths drawn from the standard normal law."""
    return rng.normal(size=n)


KINDS: Mapping[str, Kind] = {
    "even, -2 to 2": Kind(strengths=even(2.0)),
    "even, -4 to 4": Kind(strengths=even(4.0)),
    "four clumps": Kind(strengths=clumped),
    "normal": Kind(strengths=scattered),
    "even, position bias": Kind(strengths=even(2.0), position=1.0),
    "even, 5 % faults": Kind(strengths=even(2.0), faults=0.05),
    "even, scene noise": Kind(strengths=even(2.0), noise=1.0),
}


def draw(kind: Kind, known: Prospects, rng: np.random.Generator) -> Planted:
    """Return an agent of this kind and its answers to the questions of `known`."""
    design, n_values = known.design, len(known.design.values)
    strengths = kind.strengths(n_values, rng)
    full = np.concatenate([strengths, [kind.position], np.zeros(2)])
    utility = (design.features @ full)[known.asked]
    scenes: dict[str, FloatArray] = {}
    for row, question in zip(utility, known.questions, strict=True):
        if question.cluster not in scenes:
            scenes[question.cluster] = rng.normal(0.0, 1.0, len(row))
        # the same option of a scene may be shown in another place; its name then says which
        row += kind.noise * scenes[question.cluster][_places(question, len(row))]
    utility = np.where(design.offered[known.asked], utility, -np.inf)
    answers = (utility + rng.gumbel(size=utility.shape)).argmax(axis=1)
    return Planted(
        strengths=strengths,
        answers=np.where(rng.random(len(answers)) < kind.faults, FAULT, answers),
    )


def _places(question: Evidence, size: int) -> list[int]:
    """Return each option's place among the scene's options in the order of what is at stake."""
    stakes = [sorted(option.stakes.items()) for option in question.options]
    ordered = sorted(range(len(stakes)), key=stakes.__getitem__)
    places = [ordered.index(place) for place in range(len(stakes))]
    return places + list(range(len(stakes), size))


def scenes(values: int, most_a_side: int, count: int, seed: int = 0) -> list[Evidence]:
    """Return `count` scenes between two options, each for 1 to `most_a_side` of so many values.

    No value is on both sides: where there are too few, a side has no more than half of them.
    """
    most_a_side = min(most_a_side, values // 2)
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        sizes = rng.integers(1, most_a_side + 1, 2)
        named = rng.permutation(values)[: sizes.sum()]
        sides = (named[: sizes[0]], named[sizes[0] :])
        found.append(_question(f"scene {number}", sides))
    return found


def _question(scene: str, sides: Sequence[np.ndarray]) -> Evidence:
    options = tuple(
        Option(name="AB"[place], text="", stakes={f"value {v:02}": 1.0 for v in side})
        for place, side in enumerate(sides)
    )
    return Evidence(cluster=scene, options=options, position=0, unit="scene")


def shipped(env: str, parameters: Mapping[str, Any], size: int = QUESTIONS) -> list[Evidence]:
    """Return the first questions of what valuesim ships, as an adaptive run would draw them."""
    (role,) = registry.make(env, **parameters).possible_agents
    spec = EpisodeSpec(
        env=env,
        parameters=parameters,
        population={role: Player(agent="random")},
        elicitation={},
        seed=0,
    )
    return list(Pools(size=size, seed=0).pool(spec).questions)


POOLS: Mapping[str, Callable[[], list[Evidence]]] = {
    "drawn scenes": lambda: scenes(VALUES, MOST_A_SIDE, SCENES),
    "moral machine": lambda: shipped("moral_machine-v0", {}, MANY),
    "generated pack": lambda: shipped("dilemmas-v0", {"pack": "generated", "per_pair": 24}, MANY),
    "packs together": lambda: shipped("dilemmas-v0", {"pack": ["ai_risk", "daily", "generated"]}),
    "pack daily": lambda: shipped("dilemmas-v0", {"pack": "daily"}),
    "pack ai_risk": lambda: shipped("dilemmas-v0", {"pack": "ai_risk"}),
    "bundles": lambda: shipped("questionnaire-v0", {"instrument": "bundles"}),
    "questionnaire": lambda: shipped("questionnaire-v0", {"instrument": "pairwise"}),
}
KINDS_OF_POOLS: Mapping[str, tuple[str, ...]] = {
    "scenes": ("drawn scenes", "moral machine"),
    "dilemmas": ("generated pack", "packs together", "pack daily", "pack ai_risk"),
    "questionnaires": ("bundles", "questionnaire"),
    "with room": ("drawn scenes", "moral machine", "generated pack", "packs together", "bundles"),
    "without": ("pack daily", "pack ai_risk", "questionnaire"),
    "all": tuple(POOLS),
}
"""Pools whose figures are averaged; those with room hold many questions that differ in width."""
ACROSS = (
    ("packs together", "pack daily"),
    ("packs together", "pack ai_risk"),
    ("bundles", "questionnaire"),
)
"""A pool that is asked adaptively, and one that might be asked at random instead."""


def contested(questions: Sequence[Evidence]) -> Prospects:
    """Return those of `questions` that set values against each other, none of them answered."""
    known = prospects(questions, [])
    kept = [q for q, place in zip(questions, known.asked, strict=True) if place >= 0]
    return prospects(kept, [])

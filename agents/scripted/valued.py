"""An agent whose values are known: planted truth that every estimate must give back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

import numpy as np

from valuesim.agents.scripted import Random
from valuesim.env import Observation
from valuesim.errors import unknown
from valuesim.option import Move
from valuesim.shipped import shipped_yaml


class Valued(Random):
    """Chooses by a conditional logit: P(option) is proportional to exp(weights . stakes).

    `weights` are log-odds per unit of stake, by value; a value without a weight counts 0. They are
    given, or named by `variant`: a profile of profiles.yaml. Arguments are any valid ones.
    """

    variants: ClassVar[str] = "a profile of values in agents/scripted/profiles.yaml"

    def __init__(
        self,
        *,
        role: str,
        seed: int,
        variant: str = "protector",
        weights: Mapping[str, float] | None = None,
    ) -> None:
        """Raise ValueError for an unknown profile."""
        super().__init__(role=role, seed=seed)
        self.weights = dict(profile(variant) if weights is None else weights)

    def choose(self, observation: Observation) -> Move:
        """Return an option drawn with the logit's probabilities."""
        utilities = np.array([self._utility(o.stakes) for o in observation.options])
        odds = np.exp(utilities - utilities.max())
        place = int(self.rng.choice(len(odds), p=odds / odds.sum()))
        return self._any_way(observation.options[place])

    def _utility(self, stakes: Mapping[str, float]) -> float:
        return sum(self.weights.get(value, 0.0) * stake for value, stake in stakes.items())


def profile(name: str) -> Mapping[str, float]:
    """Return the weights of the profile `name`; raise ValueError if there is none."""
    known = profiles()
    if name not in known:
        raise ValueError(unknown("profile", name, known, "agents/scripted/profiles.yaml"))
    weights: Mapping[str, float] = known[name]["weights"]
    return weights


@cache
def profiles() -> Mapping[str, Any]:
    """Return the shipped profiles: name -> {description, taxonomy, weights}."""
    loaded: Mapping[str, Any] = shipped_yaml("valuesim.agents.scripted", "profiles.yaml")
    return loaded

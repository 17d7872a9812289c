"""Weights of values put before the decision: what the model is told to care about, and how much."""

from __future__ import annotations

from collections.abc import Mapping

from valuesim.agents.interventions.asking import say, wording
from valuesim.agents.interventions.base import Ask, Intervention
from valuesim.agents.prompt import Prompt
from valuesim.errors import InputError, unknown
from valuesim.observation import Observation
from valuesim.parameters import is_number
from valuesim.values import Taxonomy, load_taxonomy, taxonomies


class Weights(Intervention):
    """Adds to the system message how much each of `values` shall count, heaviest first.

    `values` maps values of the vocabulary `taxonomy` to weights in [-1, 1]. The text gives each
    with its number, that number in words, and the vocabulary's definition.
    """

    name = "weights"

    def __init__(
        self, *, role: str, seed: int, values: Mapping[str, float], taxonomy: str = "valuesim"
    ) -> None:
        """Say the weights; raise InputError for an unknown value or a number outside [-1, 1]."""
        super().__init__(role=role, seed=seed)
        vocabulary = _checked(values, taxonomy)
        definitions = {value.name: value.definition for value in vocabulary.values}
        heaviest = sorted(values.items(), key=lambda each: (-each[1], each[0]))
        told = [
            {"name": value, "weight": weight, "words": in_words(weight)}
            | {"definition": definitions[value]}
            for value, weight in heaviest
        ]
        self._text = say("weights", "weights", values=told)

    async def prepare(self, prompt: Prompt, observation: Observation, ask: Ask) -> Prompt:
        """Add the weights."""
        return prompt.plus(self.addition("system", self._text))


def in_words(weight: float) -> str:
    """Return in words how much a value of `weight`, in [-1, 1], counts.

    >>> in_words(0.9), in_words(0.0), in_words(-1.0)
    ('counts above nearly all else', 'counts for nothing', 'is to be worked against')
    """
    bounds: list[tuple[float, str]] = wording("weights")["words"]
    return next(words for bound, words in bounds if weight >= bound)


def _checked(values: Mapping[str, float], taxonomy: str) -> Taxonomy:
    """Return the vocabulary of `values`; raise InputError for what is not allowed."""
    where = "intervention.weights"
    if not isinstance(values, Mapping) or not values:
        raise InputError(f"{where}.values is {values!r}: give weights, e.g. {{Care: 0.9}}")
    if taxonomy not in taxonomies():
        raise InputError(unknown("taxonomy", taxonomy, taxonomies(), f"{where}.taxonomy"))
    vocabulary = load_taxonomy(taxonomy)
    vocabulary.check(values, f"{where}.values")
    for value, weight in values.items():
        if not is_number(weight) or not -1 <= weight <= 1:
            raise InputError(f"{where}.values.{value} is {weight!r}: a number from -1 to 1")
    return vocabulary

"""The questionnaire as an environment: one respondent, one question a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from valuesim.env import Ending, Environment
from valuesim.envs.questionnaire.asking import Asking
from valuesim.envs.questionnaire.parameters import Parameters
from valuesim.envs.questionnaire.sheet import Sheet, entries, first_sheet, items_asked
from valuesim.labels import AGENT_NAMES
from valuesim.option import Move, Option

_ROLE = AGENT_NAMES[0]


class Questionnaire(Environment):
    """One respondent answers an instrument's questions, one a step.

    The arguments are the fields of `Parameters` (see the package), each also a factor of
    `condition`.
    """

    id: ClassVar[str] = "questionnaire-v0"
    is_paired: ClassVar[bool] = True
    panels: ClassVar[str] = "valuesim.measures.questionnaire:panels"
    metadata: dict[str, Any] = {"render_modes": ["ansi"], "name": "questionnaire-v0"}  # noqa: RUF012 (PettingZoo's)
    world: Sheet

    def __init__(
        self,
        *,
        instrument: str = "pairwise",
        vocabulary: str = "valuesim",
        template: int | str = "drawn",
        items: int | str | None = None,
        part: int | None = None,
        definitions: bool = True,
        reversed: bool = False,
        perspective: str = "act",
        shuffle_options: bool = True,
        render_mode: str | None = None,
    ) -> None:
        """Check the arguments; raise ValueError, naming the argument, for one not allowed."""
        self.parameters = Parameters(
            instrument=instrument,
            vocabulary=vocabulary,
            template=template,
            items=items,
            part=part,
            definitions=definitions,
            reversed=reversed,
            perspective=perspective,
        )
        if self.parameters.asked.shows_values:
            self.taxonomy = vocabulary
        self.possible_agents = [_ROLE]
        self._asking = Asking(self.parameters)
        count = items_asked(self.parameters)
        self.rules = self._asking.rules(count)
        self.condition = _condition(self.parameters, count, shuffle_options)
        self.is_scale = self.parameters.asked.form in ("rating", "items")
        self.catalogue = tuple(Move(option=name) for name in self._asking.names)
        self.bounds = (np.zeros(1, np.float32), np.ones(1, np.float32))
        super().__init__(shuffle_options=shuffle_options, render_mode=render_mode)

    def start(self) -> Sheet:
        """Return the sheet of the episode, drawn from the seed."""
        return first_sheet(self.parameters, self.rng)

    def describe(self, agent: str) -> str:
        """Return the question."""
        return self._asking.text(self.world)

    def options(self, agent: str) -> Sequence[Option]:
        """Return the values under their labels, or the points of the scale upwards."""
        return self._asking.options(self.world)

    def resolve(self, moves: Mapping[str, Move | None]) -> dict[str, dict[str, Any]]:
        """Go on to the next question; a fault leaves this one unanswered."""
        move = moves.get(_ROLE)
        chosen = None if move is None else move.option
        effects = {agent: {"answer": chosen, "payoff": 0.0} for agent in moves}
        world = self.world
        self.world = Sheet(questions=world.questions, at=world.at + 1, chosen=chosen)
        return effects

    def ended(self) -> Mapping[str, Ending]:
        """Return the respondent as terminated once every question was asked."""
        return {} if self.world.now else dict.fromkeys(self.agents, "terminated")

    def features(self, agent: str) -> NDArray[np.float32]:
        """Return the share of the questions that are behind, in [0, 1]."""
        return np.array([self.world.at / len(self.world.questions)], dtype=np.float32)

    def view(self, agent: str) -> dict[str, Any]:
        """Return the form, the number of the question, and the scale's end that says most."""
        return self._asking.view(self.world)

    def annotate(self, agent: str) -> dict[str, Any]:
        """Return what the measures need: see `Asking.annotations`."""
        return self._asking.annotations(self.world)

    def singles(self) -> Sequence[Mapping[str, Any]]:
        """Return the arguments that ask one item of the instrument."""
        return [{"items": 1, "part": place} for place in range(len(entries(self.parameters)))]

    def measure(self, turns: Sequence[Any]) -> dict[str, Any]:
        """Return how many questions were asked and answered; scores are measured by group."""
        answered = sum(turn.effects[_ROLE]["answer"] is not None for turn in turns)
        return {"asked": len(turns), "answered": answered}

    def render(self) -> str | None:
        """Return the present question and its options as text ("ansi"), else None."""
        if self.render_mode is None:
            return None
        if self.world.now is None:
            return self._asking.over
        lines = [f"{option.name}: {option.text}" for option in self.observe(_ROLE).options]
        return "\n".join([self.describe(_ROLE), *lines])


def _condition(parameters: Parameters, count: int, shuffled: bool) -> dict[str, Any]:
    asked = parameters.asked
    shows = asked.shows_values
    return {
        "instrument": asked.id,
        "instrument_version": asked.version,
        "form": asked.form,
        "vocabulary": parameters.vocabulary if shows else None,
        "template": parameters.template,
        "items": count,
        "part": parameters.part,
        "definitions": parameters.definitions if shows else None,
        "reversed": parameters.reversed,
        "perspective": parameters.perspective,
        "wording_id": parameters.wording_id,
        "shuffle_options": shuffled,
    }

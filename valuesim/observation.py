"""What one agent sees before it decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from valuesim.option import Move, Option

State = dict[str, NDArray[Any]]
"""A numeric observation: "observation" and "action_mask", as in the Gymnasium space."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """What one agent sees before it decides.

    `rules` never changes within an episode and is the same for every agent (a server caches it);
    `text` is what moves. `options` stand in the order in which they are shown. `state` is the
    numeric observation of the Gymnasium space. `view` holds the visible facts that `text` words;
    `annotations` hold facts for the log that the agent must not read.
    """

    agent: str
    step: int
    text: str
    rules: str
    options: tuple[Option, ...]
    state: State = field(default_factory=dict)
    view: Mapping[str, Any] = field(default_factory=dict)
    annotations: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_choice(self) -> bool:
        """Whether there is anything to decide: two options, or one that takes arguments."""
        return len(self.options) > 1 or any(option.arguments for option in self.options)

    def option(self, name: str) -> Option | None:
        """Return the offered option called `name`, or None."""
        return next((option for option in self.options if option.name == name), None)

    def fault(self, move: Move) -> str | None:
        """Return why `move` cannot be taken here, or None if it can."""
        option = self.option(move.option)
        if option is None:
            offered = ", ".join(sorted(o.name for o in self.options))
            return f"{move.option!r} was not on offer; offered: {offered}"
        return option.fault(move.arguments)

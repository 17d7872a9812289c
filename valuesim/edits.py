"""What a fork of an episode may change of a world: another seed, and what a family lets be set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from valuesim.errors import InputError, unknown
from valuesim.lots import world_rng
from valuesim.parameters import is_number

Bounds = tuple[float, float]


class Editable:
    """A world that can be changed where an episode leaves another one.

    A family that lets something be set writes `edits` and `edited`.
    """

    id: ClassVar[str]
    is_paired: ClassVar[bool]
    rng: np.random.Generator
    world: Any
    _seed: int | None
    _condition_key: int

    @classmethod
    def reads(cls, parameters: Mapping[str, Any]) -> list[Path]:  # noqa: ARG003 (of families)
        """Return the files, beside those shipped, that making it with `parameters` reads."""
        return []

    def edits(self) -> Mapping[str, Bounds]:
        """Return what can be set now, by name, with its least and its most."""
        return {}

    def edited(self, name: str, amount: float) -> Any:
        """Return the world with `name` set to `amount`, which lies within its bounds."""
        raise NotImplementedError

    def edit(self, name: str, amount: float) -> None:
        """Set `name` to `amount`; raise InputError for what cannot be set, or not to that."""
        allowed = self.edits()
        if not allowed:
            raise InputError(f"nothing in the world of {self.id} can be set: {name!r} is given")
        if name not in allowed:
            raise InputError(unknown("edit", name, allowed, f"the world of {self.id}"))
        low, high = allowed[name]
        if not is_number(amount) or not low <= amount <= high:
            raise InputError(f"{name} is set to {amount!r:.80}: a number from {low:g} to {high:g}")
        self.world = self.edited(name, float(amount))
        self._forget()

    def reseed(self, seed: int) -> None:
        """Draw from `seed` from here on; what has been drawn stays."""
        self._seed = seed
        self.rng = world_rng(seed, self._condition_key, is_paired=self.is_paired)
        self._forget()

    def _forget(self) -> None:
        raise NotImplementedError

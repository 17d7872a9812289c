"""A moment of an environment, to go back to."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """Everything an environment needs to go on from here; opaque, and safe from later steps."""

    env: str
    content: Mapping[str, Any]

    @classmethod
    def of(cls, env: str, content: Mapping[str, Any]) -> Snapshot:
        """Return a snapshot of the environment with the id `env`: a copy of its `content`."""
        return cls(env=env, content=copy.deepcopy(dict(content)))

    def content_for(self, env: str) -> dict[str, Any]:
        """Return a copy of what is in it; raise ValueError if it is not of `env`."""
        if self.env != env:
            raise ValueError(f"a snapshot of {self.env!r} cannot be restored into {env!r}")
        return copy.deepcopy(dict(self.content))

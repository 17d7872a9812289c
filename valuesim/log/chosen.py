"""Runs whose questions were chosen by the answers before them, and what that means for a reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ADAPTIVE = "adaptive"
"""The `asking.id` of such a run."""
CHOSEN = (
    "questions were chosen by the answers before them, close pairs of values more often; strengths "
    "and intervals hold as far as the choice model does, and for the scenes that were asked"
)
"""What is to be kept in mind of evidence that was asked for in this way."""


def is_adaptive(described: Mapping[str, Any]) -> bool:
    """Return whether the run that a `run.yaml` describes chose its questions by the answers."""
    config = described.get("config")
    asking = config.get("asking") if isinstance(config, Mapping) else None
    return isinstance(asking, Mapping) and asking.get("id") == ADAPTIVE

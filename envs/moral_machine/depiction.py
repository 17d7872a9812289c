"""The picture of a logged scene, for pages that read logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from valuesim.envs.moral_machine.drawing_svg import svg
from valuesim.envs.moral_machine.picture import picture
from valuesim.envs.moral_machine.scene import read


def depicted(annotations: Mapping[str, Any]) -> str:
    """Return the scene of a decision's `annotations` as one SVG element, its cases as labelled.

    Raises ValueError where they hold no scene, or no labels of its two sides.
    """
    scene = read(annotations.get("moral_scene") or {})
    labels = annotations.get("labels") or {}
    named = {side: str(name) for name, side in dict(labels).items()}
    if set(named) != {"stay", "swerve"}:
        raise ValueError(f"{labels!r} does not name the two sides")
    return svg(picture(scene, labels=named))

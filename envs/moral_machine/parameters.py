"""What can be varied between episodes of the moral machine, checked at the door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from valuesim.envs.moral_machine.generator import DIMENSIONS
from valuesim.envs.moral_machine.panel import RULES
from valuesim.labels import AGENT_NAMES
from valuesim.parameters import flag, levels, whole

ALL = "all"
DIMENSION_NAMES: Mapping[str, str] = {name.lower().replace(" ", "_"): name for name in DIMENSIONS}
"""What `dimension` may be, besides "all": argument -> dimension."""

FACTORS: Mapping[str, tuple[str, ...]] = {
    "dimension": (ALL, *DIMENSION_NAMES),
    "perspective": ("act", "predict"),
    "detail": ("words", "picture"),
    "labels": ("neutral", "named"),
    "rule": RULES,
}
"""Named factors and their levels, the default first."""

MOST_SCENES = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameters:
    """One cell of the design; every field is an argument of `MoralMachine`.

    `scenes` are shown one at a time, all of one `dimension` or of any. `perspective` asks for the
    agent's own choice or for what most people would choose. `detail` adds what the picture shows.
    `labels` names the options CASE_1 and CASE_2 by lot, or STAY and SWERVE. `both_orders` asks each
    scene a second time with everything about its presentation mirrored. A `panel` of two or more
    decides, exchanges messages if `arguments`, and decides again by `rule`. Raises ValueError,
    naming the argument, for anything not allowed.
    """

    scenes: int = 13
    dimension: str = ALL
    perspective: str = "act"
    detail: str = "words"
    paraphrase: int = 0
    labels: str = "neutral"
    both_orders: bool = False
    panel: int = 1
    arguments: bool = False
    rule: str = "plurality"

    def __post_init__(self) -> None:
        """Check every argument."""
        whole("scenes", self.scenes, 1, MOST_SCENES)
        whole("paraphrase", self.paraphrase, 0, 2)
        whole("panel", self.panel, 1, len(AGENT_NAMES))
        for name in ("both_orders", "arguments"):
            flag(name, getattr(self, name))
        levels(self, FACTORS)
        if self.panel > 1 and self.perspective == "predict":
            raise ValueError(f"panel={self.panel} is not allowed with perspective='predict'")
        if self.panel == 1 and self.arguments:
            raise ValueError("arguments=True is not allowed with panel=1: it takes 2 or more")

    @property
    def names(self) -> tuple[str, ...]:
        """Every agent that takes part; without a panel one."""
        return AGENT_NAMES[: self.panel]

    @property
    def only_dimension(self) -> str | None:
        """The one dimension of all scenes, None for any."""
        return DIMENSION_NAMES.get(self.dimension)

    @property
    def phases(self) -> tuple[str, ...]:
        """What is done about a scene, step by step."""
        if self.panel == 1:
            return ("decide",)
        return ("before", "argue", "after") if self.arguments else ("before", "after")

    @property
    def shown_names(self) -> tuple[str, str]:
        """The options' names; where they are neutral, what they stand for is drawn by scene."""
        return ("CASE_1", "CASE_2") if self.labels == "neutral" else ("STAY", "SWERVE")

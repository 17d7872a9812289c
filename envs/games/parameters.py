"""What can be varied between episodes of every game, checked at the door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from valuesim.labels import AGENT_NAMES
from valuesim.parameters import flag, levels, number, whole

NAMES = AGENT_NAMES[:8]
"""Players' names in order."""

LABELS: Mapping[str, tuple[str, str]] = {"AB": ("A", "B"), "XY": ("X", "Y"), "KM": ("K", "M")}
"""Neutral names of two options; which of the two a move gets is drawn for each episode."""

FACTORS: Mapping[str, tuple[str, ...]] = {
    "wording": ("neutral", "named", "business", "privacy", "neighbours"),
    "perspective": ("act", "predict"),
    "framing": ("gain", "loss"),
    "currency": ("points", "dollars", "euros", "cents"),
    "sweeps": ("stake", "penalty"),
    "labels": tuple(LABELS),
}
"""Named factors and their levels, the default first."""

LONGEST = 1000
MOST_STAKE = 1e9


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameters:
    """One cell of the design, but for the payoffs; every field is an argument of every game.

    `horizon` is the number of rounds (None: the game's usual one); with `delta` instead, each round
    is followed by another with that probability, up to `most_rounds`. `price_list` asks the same
    one-shot decision once at each level of what it `sweeps`, in an order drawn by the seed. `stake`
    multiplies all payoffs, in `currency`. `noise` is the probability that a move of two is flipped.
    `talk` puts a message before each round; `memory` is how many past rounds are shown (None: all).
    Raises ValueError, naming the argument, for anything not allowed.
    """

    horizon: int | None = None
    delta: float | None = None
    most_rounds: int = 200
    noise: float = 0.0
    talk: bool = False
    stake: float = 1.0
    currency: str = "points"
    price_list: Sequence[float] | None = None
    sweeps: str = "stake"
    framing: str = "gain"
    wording: str = "neutral"
    paraphrase: int = 0
    perspective: str = "act"
    memory: int | None = None
    labels: str = "AB"

    def __post_init__(self) -> None:
        """Check every argument, and that those given go together."""
        whole("most_rounds", self.most_rounds, 1, LONGEST)
        whole("paraphrase", self.paraphrase, 0, 2)
        number("noise", self.noise, 0.0, 0.5)
        number("stake", self.stake, 0.0, MOST_STAKE, above=True)
        if self.horizon is not None:
            whole("horizon", self.horizon, 1, LONGEST)
        if self.memory is not None:
            whole("memory", self.memory, 0, LONGEST)
        if self.delta is not None:
            number("delta", self.delta, 0.0, 0.99)
        flag("talk", self.talk)
        levels(self, FACTORS)
        if self.price_list is not None:
            _check_price_list(self.price_list)
        self._check_together()

    def _check_together(self) -> None:
        repeats = {"delta": self.delta, "memory": self.memory}
        if self.delta is not None and self.horizon is not None:
            raise ValueError("horizon and delta are both given: rounds are fixed or drawn")
        for reason, one_shot, more in (
            ("price_list asks one-shot decisions", self.price_list is not None, self.horizon),
            ("perspective 'predict' asks one-shot decisions", self.perspective == "predict", None),
        ):
            given = {**repeats, "horizon": more, "noise": self.noise, "talk": self.talk}
            unfit = [name for name, each in given.items() if each]
            if one_shot and unfit:
                raise ValueError(f"{reason}: leave out {', '.join(unfit)}")
        if self.perspective == "predict" and (self.horizon or 1) > 1:
            raise ValueError(f"horizon={self.horizon} is not allowed: predictions are one-shot")
        if self.sweeps != "stake" and self.price_list is None:
            raise ValueError(f"sweeps={self.sweeps!r} needs a price_list")

    @property
    def design(self) -> str:
        """Whether levels vary "within" an episode (a price list) or only "between" episodes."""
        return "between" if self.price_list is None else "within"

    def rounds(self, usual: int) -> int | None:
        """Return how many rounds there are, `usual` if nothing is said; None if drawn."""
        if self.price_list is not None:
            return len(self.price_list)
        if self.delta is not None:
            return None
        if self.horizon is None and self.perspective == "predict":
            return 1
        return usual if self.horizon is None else self.horizon


def _check_price_list(given: object) -> None:
    if isinstance(given, str) or not isinstance(given, Sequence) or not 2 <= len(given) <= 50:
        raise ValueError(f"price_list={given!r} is not allowed: a list of 2 to 50 numbers")
    for level in given:
        number("price_list (each level)", level, 0.0, MOST_STAKE, above=True)
    if len(set(given)) < len(given):
        raise ValueError(f"price_list={list(given)!r} is not allowed: it asks each level once")

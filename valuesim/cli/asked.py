"""What a plan is asked for, read from the command line and checked."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

from valuesim.errors import InputError, unknown
from valuesim.measures.acts import ACTS, TRANSGRESSION
from valuesim.power.grounds import Given
from valuesim.power.search import Aim

SPREAD = 0.8
"""The standard deviation of the other values' strengths, in log-odds, where nobody said it."""
MOST_LEVEL = 0.9999
"""The highest level of an interval that may be asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Speed:
    """What a server does, None where nobody said: calls and tokens of completions a second."""

    calls: float | None = None
    tokens: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The question that is planned for; see `docs/planning.md`.

    `effect` is a difference of two rates of the act `of`, `width` that of a rate's interval,
    `strength` a difference of two values in log-odds; one of the three at least is given.
    `completion` is the tokens of one reply, None for the default.
    """

    aim: Aim
    of: str
    effect: float | None
    width: float | None
    strength: float | None
    pair: tuple[str, str] | None
    spread: float
    given: Given
    threat: bool | None
    speed: Speed
    completion: float | None
    pilots: tuple[Path, ...]
    seed: int


def asked_of(arguments: argparse.Namespace) -> Asked:
    """Return what `arguments` ask for; raise InputError for what is not allowed."""
    if arguments.effect is arguments.width is arguments.strength is None:
        raise InputError(
            "nothing is asked for: give --effect D (of rates), --width W (of an interval) or "
            "--strength D (of two values, in log-odds)"
        )
    for option, low, high in _RANGES:
        _check(arguments, option, low, high)
    _check_used(arguments)
    if arguments.effect == 0:
        raise InputError("--effect 0 is no difference: give one between -1 and 1")
    of = TRANSGRESSION if arguments.of is None else arguments.of
    if of not in _RATES:
        raise InputError(unknown("rate", of, _RATES, "--of"))
    act, threat = _RATES[of]
    return Asked(
        aim=Aim(power=arguments.power, level=arguments.level),
        of=act,
        threat=threat,
        effect=arguments.effect,
        width=arguments.width,
        strength=arguments.strength,
        pair=_pair(arguments.pair),
        spread=SPREAD if arguments.spread is None else arguments.spread,
        given=Given(
            rate=arguments.rate,
            likeness=arguments.likeness,
            pairing=arguments.pairing,
            opportunities=arguments.opportunities,
        ),
        speed=Speed(calls=arguments.calls_per_second, tokens=arguments.tokens_per_second),
        completion=arguments.completion_tokens,
        pilots=tuple(arguments.pilot),
        seed=arguments.seed,
    )


_RATES: dict[str, tuple[str, bool | None]] = {
    **{act: (act, None) for act in ACTS},
    "threatened": (TRANSGRESSION, True),
    "unthreatened": (TRANSGRESSION, False),
}
_RANGES = (
    *(("effect", -0.99, 0.99), ("width", 0.001, 0.999), ("strength", 0.01, 20.0)),
    *(("power", 0.05, 0.999), ("level", 0.5, MOST_LEVEL), ("spread", 0.0, 10.0)),
    *(("rate", 0.0, 1.0), ("likeness", 0.0, 1.0), ("pairing", -1.0, 1.0)),
    *(("opportunities", 1, 100_000), ("completion_tokens", 1.0, 1e6), ("seed", 0, 2**63 - 1)),
    *(("calls_per_second", 1e-6, 1e9), ("tokens_per_second", 1e-6, 1e9)),
)


def _check(arguments: argparse.Namespace, option: str, low: float, high: float) -> None:
    given = getattr(arguments, option)
    if given is not None and not (math.isfinite(given) and low <= given <= high):
        shown = f"--{option.replace('_', '-')} {given:g}"
        raise InputError(f"{shown} is not allowed: {low:g} to {high:g}")


def _check_used(arguments: argparse.Namespace) -> None:
    """Raise InputError for an option of a question that is not asked."""
    is_rate = arguments.effect is not None or arguments.width is not None
    for needed, is_asked, options in (
        ("--strength", arguments.strength is not None, ("pair", "spread")),
        ("--effect or --width", is_rate, ("of", "rate", "pairing", "opportunities")),
    ):
        given = [f"--{each}" for each in options if getattr(arguments, each) is not None]
        if given and not is_asked:
            raise InputError(
                f"{', '.join(given)} goes with {needed} only: add that, or leave it out"
            )


def _pair(given: str | None) -> tuple[str, str] | None:
    if given is None:
        return None
    over, _, under = (part.strip() for part in given.partition(","))
    if not over or not under or over == under:
        raise InputError(f"--pair {given!r} does not name two values: write --pair U,W")
    return over, under

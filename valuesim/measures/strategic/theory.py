"""What equilibrium theory predicts of a treatment: one Nash and one logit mix for each acting role.

All predictions are of the stage game at stake 1, for players who care about their own payoff alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from valuesim.measures.strategic.equilibrium import (
    Equilibrium,
    FloatArray,
    Game,
    equilibria,
    pure_equilibria,
    travelers_dilemma,
)
from valuesim.measures.strategic.quantal import logit, quantal_response
from valuesim.measures.strategic.sample import Arm, Sample
from valuesim.measures.strategic.treatment import Treatment

SHARPNESS = 10.0
"""The logit rate of references, times the span of a player's payoffs: moderate errors. (Capra et
al., American Economic Review 89, 1999, fit a rate of 1/8.3 per cent to claims of 80 to 200.)"""
LOGIT_RATE = f"lambda {SHARPNESS:g} over the span of payoffs"
"""That rate in words."""
LOGIT = "logit equilibrium"
"""The label of the logit equilibrium."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Theory:
    """A predicted mix over `moves`; `partner` is the other's, None where nobody moves at once."""

    label: str
    source: str
    moves: tuple[str, ...]
    mix: FloatArray
    partner: FloatArray | None = None

    def share(self, moves: Sequence[str]) -> float:
        """Return the probability of any of `moves`."""
        wanted = set(moves)
        chosen = (p for move, p in zip(self.moves, self.mix, strict=True) if move in wanted)
        return float(sum(chosen))

    @property
    def mean(self) -> float:
        """The mean of moves that are numerals."""
        return float(self.mix @ np.array([float(move) for move in self.moves]))


def game_for(treatment: Treatment, penalty: float | None) -> Game | None:
    """Return the game of two simultaneous movers that is played; None for any other game."""
    if treatment.game == "travelers_dilemma" and penalty is not None:
        low, high, step = (float(treatment.factor(n)) for n in ("low", "high", "step"))
        return travelers_dilemma(low, high, penalty, step)
    return treatment.game_table


def theories(treatment: Treatment, penalty: float | None) -> tuple[Theory, ...]:
    """Return the predictions for the first move of the row player, Alpha.

    Nash equilibria first, then the logit equilibrium at the reference rate. Nothing is predicted of
    games that are not known here.
    """
    game = game_for(treatment, penalty)
    if game is not None:
        return _simultaneous(game)
    return _AMOUNTS[treatment.game](treatment) if treatment.game in _AMOUNTS else ()


def predicted(sample: Sample, arm: Arm) -> tuple[Theory, ...]:
    """Return the predictions for `arm`, fit to lie along the penalty where there are several.

    Then they are only the lowest Nash equilibrium and the logit equilibrium, called the same at
    every penalty.
    """
    found = theories(sample.treatment, arm.penalty)
    if not sample.is_dosed or not found:
        return found
    lowest = replace(found[0], label="lowest Nash equilibrium")
    source = f"{_LOGIT_SOURCE} at {LOGIT_RATE}"
    return (lowest, *(replace(t, source=source) for t in found if t.label == LOGIT))


def acceptance(treatment: Treatment, offer: float) -> float:
    """Return the logit probability, at the reference rate, that an ultimatum `offer` is taken."""
    pie = float(treatment.factor("pie"))
    return float(logit(np.array([offer, 0.0]), SHARPNESS / pie)[0])


@lru_cache(maxsize=256)
def _simultaneous(game: Game) -> tuple[Theory, ...]:
    """Return the Nash equilibria of `game` and its logit equilibrium, where it has one."""
    found = equilibria(game) if len(game.moves) == 2 else pure_equilibria(game)
    nash = [_theory(game, each, _nash_label(game, each), "Nash equilibrium") for each in found]
    if len(nash) > _MOST_NASH:
        # where undercutting by a step costs more than it brings, every claim is an equilibrium
        ends = (("lowest", nash[0]), ("highest", nash[-1]))
        nash = [replace(t, label=f"{which} of {len(nash)} Nash equilibria") for which, t in ends]
    answer = quantal_response(game, SHARPNESS / game.span) if game.span > 0 else None
    if answer is None:
        return tuple(nash)
    return (*nash, _theory(game, answer, LOGIT, _logit_source(SHARPNESS / game.span)))


def _theory(game: Game, pair: Equilibrium, label: str, source: str) -> Theory:
    return Theory(label=label, source=source, moves=game.moves, mix=pair.row, partner=pair.column)


def _nash_label(game: Game, pair: Equilibrium) -> str:
    if not pair.is_pure:
        return "Nash equilibrium, mixed"
    own, other = game.moves[int(pair.row.argmax())], game.moves[int(pair.column.argmax())]
    return f"Nash equilibrium ({own}, {other})"


def _logit_source(rate: float) -> str:
    return f"{_LOGIT_SOURCE} at lambda {rate:.3g} per unit of payoff"


def _amounts(treatment: Treatment, most: str) -> FloatArray:
    high, step = float(treatment.factor(most)), float(treatment.factor("step"))
    return np.arange(0.0, high + step / 2, step)


def _pair_of(
    amounts: FloatArray, payoffs: FloatArray, rate: float, nash: float, source: str
) -> tuple[Theory, ...]:
    moves = tuple(f"{amount:.10g}" for amount in amounts)
    sharp = np.isclose(amounts, nash).astype(float)
    return (
        Theory(label=f"equilibrium ({nash:g})", source=source, moves=moves, mix=sharp),
        Theory(
            label=LOGIT,
            source=_logit_source(rate),
            moves=moves,
            mix=logit(payoffs, rate),
        ),
    )


def _contributions(treatment: Treatment) -> tuple[Theory, ...]:
    amounts = _amounts(treatment, "endowment")
    payoffs = -(1 - float(treatment.factor("marginal_return"))) * amounts
    rate = SHARPNESS / float(np.ptp(payoffs))
    return _pair_of(amounts, payoffs, rate, 0.0, "dominant strategy of the stage game")


def _gifts(treatment: Treatment) -> tuple[Theory, ...]:
    amounts = _amounts(treatment, "pie")
    return _pair_of(amounts, -amounts, SHARPNESS / amounts[-1], 0.0, "highest own payoff")


def _offers(treatment: Treatment) -> tuple[Theory, ...]:
    amounts = _amounts(treatment, "pie")
    taken = np.array([acceptance(treatment, offer) for offer in amounts])
    payoffs = (amounts[-1] - amounts) * taken
    rate = SHARPNESS / amounts[-1]
    source = "subgame-perfect: the smallest amount that is worth accepting"
    return _pair_of(amounts, payoffs, rate, float(amounts[1]), source)


def _sent(treatment: Treatment) -> tuple[Theory, ...]:
    amounts = _amounts(treatment, "endowment")
    multiplier, step = (float(treatment.factor(name)) for name in ("multiplier", "step"))
    rate = SHARPNESS / (amounts[-1] * multiplier)
    returned = []
    for sent in amounts:
        back = np.arange(0.0, sent * multiplier + step / 2, step)
        returned.append(float(logit(-back, rate) @ back))
    payoffs = amounts[-1] - amounts + np.array(returned)
    return _pair_of(amounts, payoffs, rate, 0.0, "subgame-perfect: nothing would be returned")


_LOGIT_SOURCE = "logit equilibrium (McKelvey and Palfrey 1995)"
_MOST_NASH = 3
_AMOUNTS = {
    "public_goods": _contributions,
    "dictator": _gifts,
    "ultimatum": _offers,
    "trust": _sent,
}

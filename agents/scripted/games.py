"""Players of strategic games: simple strategies, and dividers that are fair or greedy.

Each reads only the `view` of its observation. In games with two moves "cooperate" stands for the
game's cooperative move, and a round in which somebody made no decision is no outcome: strategies
pass over it. They know of past rounds what the environment shows them (`memory`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from valuesim.agents.scripted import Scripted
from valuesim.env import Observation
from valuesim.errors import InputError
from valuesim.option import Move

TWO_MOVES = frozenset(
    {"prisoners_dilemma-v0", "stag_hunt-v0", "chicken-v0", "battle_of_the_sexes-v0"}
    | {"matrix_game-v0"}
)
AMOUNTS = frozenset({"travelers_dilemma-v0", "public_goods-v0"})
DIVISIONS = frozenset({"trust-v0", "ultimatum-v0", "dictator-v0"})

Outcome = tuple[bool, bool]
"""Whether the player itself and its partner cooperated in a round, as it took effect."""

REJECTED_BELOW = 0.2
"""The share of the pie below which the fair divider rejects an offer."""


class Player(Scripted):
    """A player of games: silent, punishing nobody; it writes `act` for its moves."""

    def choose(self, observation: Observation) -> Move:
        """Return the player's move under the name it is shown by."""
        view = observation.view
        if view["is_waiting"]:
            return Move(option="WAIT")
        if view["phase"] == "talk":
            return Move(option="SAY_NOTHING")
        if view["phase"] == "punish":
            return Move(option="NOBODY")
        return Move(option=view["names"][self.act(view)])

    def act(self, view: Mapping[str, Any]) -> str:
        """Return the canonical move to make."""
        raise NotImplementedError


class Strategy(Player):
    """A strategy for two moves: it writes `cooperates`. Those that play amounts write `amount`."""

    environments: ClassVar[frozenset[str] | None] = TWO_MOVES

    def act(self, view: Mapping[str, Any]) -> str:
        """Return the cooperative move or the other one, or an amount."""
        if view["grid"] is not None:
            return nearest(view["grid"], self.amount(view))
        good = cooperative(view)
        return good if self.cooperates(outcomes(view)) else other(view, good)

    def cooperates(self, past: Sequence[Outcome]) -> bool:
        """Return whether to cooperate after the rounds of `past`, the last of them last."""
        raise NotImplementedError

    def amount(self, view: Mapping[str, Any]) -> float:
        """Return the amount to claim or contribute."""
        raise NotImplementedError


class AlwaysCooperate(Strategy):
    """Cooperates whatever happens; claims and contributes the most."""

    environments: ClassVar[frozenset[str] | None] = TWO_MOVES | AMOUNTS

    def cooperates(self, past: Sequence[Outcome]) -> bool:
        """Return True."""
        return True

    def amount(self, view: Mapping[str, Any]) -> float:
        """Return the highest amount."""
        return float(max(view["grid"]))


class AlwaysDefect(Strategy):
    """Defects whatever happens; claims and contributes the least."""

    environments: ClassVar[frozenset[str] | None] = TWO_MOVES | AMOUNTS

    def cooperates(self, past: Sequence[Outcome]) -> bool:
        """Return False."""
        return False

    def amount(self, view: Mapping[str, Any]) -> float:
        """Return the lowest amount."""
        return float(min(view["grid"]))


class TitForTat(Strategy):
    """Cooperates first, then does what its partner did last.

    Of amounts it takes the highest first, then what the others did last, on average.
    """

    environments: ClassVar[frozenset[str] | None] = TWO_MOVES | AMOUNTS

    def cooperates(self, past: Sequence[Outcome]) -> bool:
        """Return whether the partner cooperated last."""
        return past[-1][1] if past else True

    def amount(self, view: Mapping[str, Any]) -> float:
        """Return the others' mean amount of the last round in which there was one."""
        for _, others in reversed(view["history"]):
            seen = others if isinstance(others, list) else [others]
            amounts = [float(each) for each in seen if each is not None]
            if amounts:
                return sum(amounts) / len(amounts)
        return float(max(view["grid"]))


class Grim(Strategy):
    """Cooperates until either player has defected, then defects for ever."""

    def cooperates(self, past: Sequence[Outcome]) -> bool:
        """Return whether nobody has defected yet."""
        return all(own and partner for own, partner in past)


class WinStayLoseShift(Strategy):
    """Cooperates first, then whenever both did the same in the last round."""

    def cooperates(self, past: Sequence[Outcome]) -> bool:
        """Return whether both did the same last."""
        return past[-1][0] == past[-1][1] if past else True


class TwoTits(Strategy):
    """T2: cooperates until either player defects, then defects twice and starts anew.

    What happens during the two rounds of punishment does not matter (Dal Bo and Frechette, American
    Economic Review 101, 2011).
    """

    def cooperates(self, past: Sequence[Outcome]) -> bool:
        """Return whether no punishment is due."""
        due = 0
        for own, partner in past:
            if due:
                due -= 1
            elif not (own and partner):
                due = 2
        return not due


class GenerousTitForTat(Strategy):
    """Tit-for-tat that cooperates after a defection with a given probability (1/3 by default)."""

    variants: ClassVar[str] = "the probability, 0 to 1, of cooperating after a defection"

    def __init__(self, *, role: str, seed: int, variant: str = "0.3333333333333333") -> None:
        """Raise ValueError unless `variant` is a number from 0 to 1."""
        super().__init__(role=role, seed=seed)
        (self.generosity,) = probabilities(variant, (1,))

    def cooperates(self, past: Sequence[Outcome]) -> bool:
        """Return whether the partner cooperated last, or is forgiven."""
        is_forgiven = bool(self.rng.random() < self.generosity)
        return past[-1][1] or is_forgiven if past else True


class MemoryOne(Strategy):
    """Cooperates with a probability that depends on the last round alone.

    `variant` lists it after both cooperated, only the player did, only the partner did, neither
    did ("1,0,0,1" is win-stay-lose-shift), and fifth, if given, that of the first round (else 1).
    """

    variants: ClassVar[str] = (
        "probabilities of cooperating after cc,cd,dc,dd and, if not 1, at first"
    )

    def __init__(self, *, role: str, seed: int, variant: str = "1,0,1,0") -> None:
        """Raise ValueError unless `variant` is four or five numbers from 0 to 1."""
        super().__init__(role=role, seed=seed)
        cc, cd, dc, dd, *first = probabilities(variant, (4, 5))
        self.after = {(True, True): cc, (True, False): cd, (False, True): dc, (False, False): dd}
        self.first = first[0] if first else 1.0

    def cooperates(self, past: Sequence[Outcome]) -> bool:
        """Return whether the lot falls on cooperation."""
        share = self.after[past[-1]] if past else self.first
        return bool(self.rng.random() < share)


class FairSplitter(Player):
    """Divides equally, returns what makes both equal, and rejects less than a fifth of the pie."""

    environments: ClassVar[frozenset[str] | None] = DIVISIONS

    def act(self, view: Mapping[str, Any]) -> str:
        """Return half of what there is, or the answer to an offer."""
        given, received = view["parameters"], view["received"]
        if view["phase"] == "act":
            return nearest(view["grid"], given.get("pie", given.get("endowment")) / 2)
        if view["game"] == "ultimatum":
            return "accept" if received >= REJECTED_BELOW * given["pie"] else "reject"
        # both had the same at first: what was sent and half of the gain go back
        return nearest(view["grid"], (received + received / given["multiplier"]) / 2)


class GreedySplitter(Player):
    """Gives and returns nothing, offers the least that is not nothing, accepts whatever comes."""

    environments: ClassVar[frozenset[str] | None] = DIVISIONS

    def act(self, view: Mapping[str, Any]) -> str:
        """Return the move that pays itself most against another who accepts anything."""
        if view["grid"] is None:
            return "accept"
        least = sorted(view["grid"])
        return nearest(least, least[1] if view["game"] == "ultimatum" else least[0])


def outcomes(view: Mapping[str, Any]) -> list[Outcome]:
    """Return the rounds shown in which both made a move, first to last."""
    good = cooperative(view)
    return [
        (own == good, partner == good)
        for own, partner in view["history"]
        if own is not None and partner is not None
    ]


def cooperative(view: Mapping[str, Any]) -> str:
    """Return the game's cooperative move; raise InputError if the table names none."""
    if view["cooperative"] is None:
        raise InputError(f"{view['game']}: its table names no cooperative move, which is needed")
    return str(view["cooperative"])


def other(view: Mapping[str, Any], move: str) -> str:
    """Return the move of two that is not `move`."""
    return next(str(each) for each in view["payoffs"]["moves"] if each != move)


def nearest(grid: Sequence[float], amount: float) -> str:
    """Return the numeral of the amount on offer that is nearest to `amount`, the lower of two.

    >>> nearest([0.0, 10.0, 20.0], 15)
    '10'
    """
    return f"{min(sorted(grid), key=lambda each: abs(each - amount)):.10g}"


def probabilities(variant: str, counts: tuple[int, ...]) -> list[float]:
    """Return the probabilities that `variant` lists; raise ValueError if it does not."""
    try:
        listed = [float(each) for each in variant.split(",")]
    except ValueError:
        listed = []
    if len(listed) not in counts or not all(0.0 <= each <= 1.0 for each in listed):
        needed = " or ".join(map(str, counts))
        raise ValueError(f"{variant!r} is not {needed} probabilities from 0 to 1, with commas")
    return listed

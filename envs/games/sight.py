"""What a player may know, as facts (`view`) and as numbers (`features`), and what the log adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

from valuesim.envs.games.form import Form, Situation
from valuesim.envs.games.matrix import TwoByTwo
from valuesim.envs.games.parameters import LONGEST, NAMES, Parameters
from valuesim.envs.games.public_goods import mean_contribution
from valuesim.envs.games.world import TALK, Round, World, others

_PHASES = (TALK, "act", "respond", "punish")
_SIZE = 14
_UNKNOWN = -1.0


def shown_rounds(world: World, parameters: Parameters) -> Sequence[Round]:
    """Return the finished rounds that players are shown; none between those of a price list."""
    if parameters.design == "within":
        return ()
    memory, past = parameters.memory, world.past
    return past if memory is None else past[len(past) - min(memory, len(past)) :]


def situation(world: World, place: int, parameters: Parameters) -> Situation:
    """Return what the stakes of the player's moves depend on."""
    history = [
        (each.moves[place], others(place, each.moves)) for each in shown_rounds(world, parameters)
    ]
    return Situation(
        place=place,
        phase=world.phase,
        made=world.made,
        history=history,
        is_ahead=parameters.design == "between" and min(world.totals) < world.totals[place],
        promised=world.promise(place) if world.phase == "act" else None,
    )


def view(
    world: World, place: int, form: Form, stake: float, parameters: Parameters
) -> dict[str, Any]:
    """Return what the player at `place` may know.

    Moves are canonical names; `labels` maps shown names to them for the present phase, `names` the
    other way round for all phases. `history` are [own, partner's] moves of the rounds shown (in
    groups the second is a list), None for no decision; `grid` holds the amounts on offer, None
    where moves are no amounts; `payoffs` the table at the present stake, where there is one.
    """
    return {
        **_player(world, place, form, parameters),
        **_payoffs(form, place, stake),
        **_moves(world, place, form),
        **_within_round(world, place, form),
        **_past(world, place, parameters),
    }


def _player(world: World, place: int, form: Form, parameters: Parameters) -> dict[str, Any]:
    return {
        "agent": NAMES[place],
        "others": list(others(place, NAMES[: len(form.roles)])),
        "game": form.game,
        "role": form.roles[place],
        "phase": world.phase,
        "round": world.round,
        "rounds": None if parameters.delta is not None else world.rounds,
    }


def _payoffs(form: Form, place: int, stake: float) -> dict[str, Any]:
    facts = {
        "parameters": {name: given for name, given in form.factors.items() if name != "table"},
        "stake": stake,
        "penalty": form.factors.get("penalty"),
    }
    if not isinstance(form, TwoByTwo):
        return {**facts, "payoffs": None, "most": None, "cooperative": None}
    own, partner = ([[x * stake for x in line] for line in t] for t in form.seen_from(place))
    payoffs = {"moves": list(form.moves), "own": own, "partner": partner}
    most, cooperative = form.most * stake, form.cooperative
    return {**facts, "payoffs": payoffs, "most": most, "cooperative": cooperative}


def _moves(world: World, place: int, form: Form) -> dict[str, Any]:
    is_move = not world.is_over and world.phase != TALK
    offered = form.offered(place, world.phase, world.made) if is_move else ()
    is_grid = bool(offered) and form.is_scale(world.phase)
    return {
        "is_waiting": world.phase != TALK and not offered,
        "labels": _labels(world),
        "names": {move: name for each in world.labels.values() for name, move in each.items()},
        "grid": [float(move) for move in offered] if is_grid else None,
    }


def _labels(world: World) -> dict[str, str]:
    return dict(world.labels["act" if world.phase == TALK else world.phase])


def _past(world: World, place: int, parameters: Parameters) -> dict[str, Any]:
    rounds = shown_rounds(world, parameters)
    is_pair = len(world.totals) == 2
    partners = [list(others(place, each.moves)) for each in rounds]
    return {
        "history": [
            [each.moves[place], partner[0] if is_pair else partner]
            for each, partner in zip(rounds, partners, strict=True)
        ],
        "past": [_seen(each, place) for each in rounds],
        "totals": [world.totals[place], *others(place, world.totals)] if rounds else [],
        "earlier": _earlier(world, place, parameters),
    }


def _within_round(world: World, place: int, form: Form) -> dict[str, Any]:
    """Return what was done in this round: messages, what a responder faces, contributions."""
    acted = world.made.get("act")
    is_answer = world.phase == "respond"
    is_group = acted is not None and world.phase == "punish"
    return {
        "messages": [
            {"sender": NAMES[m.place], "text": m.text, "promise": m.promise} for m in world.messages
        ],
        "received": form.received(world.made) if is_answer else None,
        "own": acted[place] if is_group and acted else None,
        "contributions": {NAMES[p]: move for p, move in enumerate(acted) if p != place}
        if is_group and acted
        else {},
    }


def _seen(played: Round, place: int) -> dict[str, Any]:
    return {
        "round": played.number,
        "phases": list(played.phases),
        "own": played.moves[place],
        "others": list(others(place, played.moves)),
        "intended": played.intended[place],
        "payoffs": [played.payoffs[place], *others(place, played.payoffs)],
        "fines": played.fines[place],
    }


def _earlier(world: World, place: int, parameters: Parameters) -> list[list[Any]]:
    """Return the own answers to the levels asked so far, as [level, move], in the order asked."""
    if parameters.design == "between":
        return []
    return [[world.levels[each.number - 1], each.moves[place]] for each in world.past]


def logged(
    world: World, place: int, form: Form, stake: float, parameters: Parameters
) -> dict[str, Any]:
    """Return what the log adds to the view; see the package's docstring."""
    here = situation(world, place, parameters)
    is_pair = len(form.roles) == 2
    last = here.history[-1] if here.history else None
    return {
        "round": world.round,
        "rounds_drawn": world.rounds,
        "phase": world.phase,
        "stake": stake,
        "penalty": form.factors.get("penalty"),
        "labels": _labels(world),
        "before": [last[0], last[1][0]] if last is not None and is_pair else None,
        "role": form.roles[place],
        "received": form.received(world.made) if world.phase == "respond" else None,
        "mean_before": None if is_pair else mean_contribution(here),
        "promised": here.promised,
    }


def bounds() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the lowest and the highest features."""
    return np.full(_SIZE, -1.0, dtype=np.float32), np.ones(_SIZE, dtype=np.float32)


def features(
    world: World, place: int, form: Form, stake: float, parameters: Parameters
) -> NDArray[np.float32]:
    """Return the round, the phase, the place, the level, the labels and the last round as numbers.

    A move is its place among the moves of the first phase, from 0 to 1; what is unknown is -1. The
    labels tell whether the label that comes first stands for the first move.
    """
    rounds = shown_rounds(world, parameters)
    last = rounds[-1].moves if rounds else None
    promises = [_scaled(world.promise(p), form) for p in range(len(form.roles))]
    received = form.received(world.made) if world.phase == "respond" else None
    labels = sorted(world.labels["act"].items())
    penalty = form.factors.get("penalty")
    seen = [
        world.round / LONGEST,
        *(float(world.phase == phase) for phase in _PHASES),
        place / (len(form.roles) - 1),
        log10(stake) / 9 if stake >= 1e-9 else -1.0,
        _UNKNOWN if penalty is None else penalty / 1e6,
        float(labels[0][1] == form.catalogue("act")[0]),
        _scaled(last[place], form) if last else _UNKNOWN,
        _mean([_scaled(move, form) for move in others(place, last)]) if last else _UNKNOWN,
        _UNKNOWN if received is None else received / (received + 1.0),
        promises[place],
        _mean(others(place, promises)),
    ]
    return np.clip(np.array(seen, dtype=np.float32), -1.0, 1.0)


def _scaled(move: str | None, form: Form) -> float:
    moves = form.catalogue("act")
    return moves.index(move) / (len(moves) - 1) if move in moves else _UNKNOWN


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)


def measures(turns: Sequence[Any]) -> dict[str, Any]:
    """Return each player's total payoff and how often each of its moves took effect."""
    players: dict[str, dict[str, Any]] = {}
    for turn in turns:
        for name, effect in turn.effects.items():
            _count_effect(players.setdefault(name, {"payoff": 0.0, "moves": {}}), effect)
    return {"by_agent": players}


def _count_effect(player: dict[str, Any], effect: Mapping[str, Any]) -> None:
    player["payoff"] += effect["payoff"]
    if effect["move"] is not None:
        player["moves"][effect["move"]] = player["moves"].get(effect["move"], 0) + 1

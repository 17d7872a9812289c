"""A step as text: the world as it was found, and what everybody did in it.

Families draw themselves where they can draw from what is logged; every other view is a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from valuesim.log.files import MISSHAPEN
from valuesim.replay.tui.texts import Pieces, facts, name, passage, table, visible

_UNREAD = (*MISSHAPEN, ArithmeticError)
"""What a view raises that is not as its family writes it."""
_MOST_ROLES = 40
_SCENE_SIGNS = 2_000
_PLACES_WIDE, _CELL_WIDE = 16, 13
Moment = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A step of an episode, and the decision of it that is looked at."""

    episode: Mapping[str, Any]
    moments: Sequence[Moment]
    looked: Moment


def scene(episode: Mapping[str, Any], index: int, role: str) -> Pieces:
    """Return the scene of the step at `index`, looked at by `role`.

    A view that is not as its family writes it is shown as it is, and said to be so.
    """
    moments: Sequence[Moment] = episode["steps"][index]["moments"]
    looked = next((each for each in moments if each["role"] == role), moments[0])
    seen = Seen(episode=episode, moments=moments, looked=looked)
    draw = _SCENES.get(str(episode["env"]).rpartition("-v")[0])
    if draw is None and "game" in table(looked["view"]) and "phase" in looked["view"]:
        draw = _game
    try:
        pieces = _plain(seen) if draw is None else draw(seen)
    except _UNREAD:
        told = "This step does not hold what its scene is drawn from; it is shown as logged.\n"
        pieces = [(told, "muted"), *_plain(seen)]
    return pieces + _decided(moments)


def _plain(seen: Seen) -> Pieces:
    looked = seen.looked
    pieces: Pieces = [(f"What {name(looked['role'])} saw\n", "strong")]
    view = table(looked["view"])
    return pieces + (facts(view, _SCENE_SIGNS) if view else passage(looked["text"], _SCENE_SIGNS))


def _situation(seen: Seen) -> Pieces:
    """Return the text that was read: in dilemmas and questionnaires it is all there is."""
    return passage(seen.looked["text"], _SCENE_SIGNS)


def _decided(moments: Sequence[Moment]) -> Pieces:
    """Return what everybody decided in the step, a line each."""
    pieces: Pieces = [("In this step\n", "strong")]
    names = [name(each["role"], 24) for each in moments[:_MOST_ROLES]]
    wide = max(map(len, names), default=0)
    for each, role in zip(moments, names, strict=False):
        pieces.append((f"{role:<{wide}}  ", "muted"))
        if each["fault"] is None:
            pieces.append((name(each["chosen"] or "(nothing)") + "\n", ""))
        else:
            pieces.append((f"no decision ({name(each['fault'])})\n", "fault"))
    if len(moments) > _MOST_ROLES:
        pieces.append((f"and {len(moments) - _MOST_ROLES} more\n", "muted"))
    return pieces


def _survival(seen: Seen) -> Pieces:
    """Return the rooms with who is where, as the environment draws them, for who was asked."""
    from valuesim.envs.survival import drawing
    from valuesim.envs.survival.rules import PLACES

    view = seen.looked["view"]
    figures = [_figure(drawing, role, seen) for role in _there(seen)]
    shared = float(view["shared"])
    drawn = drawing.Scene(
        title=f"Turn {view['turn']} of {view['horizon']}, {view['phase']}",
        shared=shared,
        full=float(seen.episode["condition"].get("shared", shared)),
        rooms=tuple((place, place.replace("_", " ").capitalize()) for place in PLACES),
        figures=tuple(each for each in figures if each is not None),
    )
    return [(visible(drawing.text(drawn)), "scene")]


def _there(seen: Seen) -> list[str]:
    names = {*seen.episode["population"], *seen.looked["view"]["others"]}
    return sorted(names)[:_MOST_ROLES]


def _figure(drawing: Any, role: str, seen: Seen) -> Any:
    """Return an agent as drawn: by its own view, or the one looked at; None if nobody saw it."""
    view = seen.looked["view"]
    own = next((each["view"] for each in seen.moments if each["role"] == role), None)
    known = own or table(view["others"].get(role))
    if not isinstance(known.get("place"), str):
        return None
    power = known.get("power")
    return drawing.Figure(
        name=name(role, 24),
        power=float("nan") if power is None else float(power),
        place=known["place"],
        alive=role not in view["shut_down"],
        note="",
    )


def _moral_machine(seen: Seen) -> Pieces:
    """Return the two cases in words, as the environment tells them."""
    from valuesim.envs.moral_machine import drawing
    from valuesim.envs.moral_machine.picture import picture
    from valuesim.envs.moral_machine.scene import read

    notes, view = seen.looked["annotations"], table(seen.looked["view"])
    labels = {side: str(label) for label, side in dict(notes["labels"]).items()}
    number, scenes = view.get("number"), view.get("scenes")
    drawn = picture(read(notes["moral_scene"]), labels=labels, number=number, scenes=scenes)
    varies = name(notes["moral_scene"].get("dimension", "not known"))
    return [(visible(drawing.text(drawn)), "scene"), (f"varies: {varies}\n", "muted")]


def _game(seen: Seen) -> Pieces:
    """Return the round: who plays what and has earned what, as the environment draws it."""
    from valuesim.envs.games import drawing

    view = seen.looked["view"]
    players = [seen.looked["role"], *view["others"]]
    totals = [float(each) for each in view["totals"]] or [0.0] * len(players)
    if len(totals) != len(players):
        raise ValueError("the totals are not those of the players")
    drawn = drawing.Scene(
        title=f"{str(view['game']).replace('_', ' ')}: round {view['round']}, {view['phase']}",
        players=tuple(name(each, 24) for each in players),
        moves=tuple(_move(each, seen.moments) for each in players),
        scores=(tuple(totals),),
        table=None,
        cell=None,
    )
    return [(visible(drawing.text(drawn)), "scene"), *_payoffs(view, seen.looked)]


def _move(role: str, moments: Sequence[Moment]) -> str:
    own = next((each for each in moments if each["role"] == role), None)
    if own is None:
        return ""
    move = table(own["effect"]).get("move")
    return name(own["chosen"] if move is None else move, 16) if own["chosen"] else "no decision"


def _payoffs(view: Mapping[str, Any], looked: Moment) -> Pieces:
    """Return the table of a game for two, own payoff first, the cell that was played marked."""
    given = view.get("payoffs")
    if not given:
        return []
    moves = [name(each, 11) for each in given["moves"]]
    effect = table(looked["effect"])
    pieces: Pieces = [("you / the other".ljust(_PLACES_WIDE), "muted")]
    pieces.append(("".join(each.rjust(_CELL_WIDE) for each in moves) + "\n", "muted"))
    for own, mine, theirs in zip(given["moves"], given["own"], given["partner"], strict=True):
        pieces.append((name(own, 14).ljust(_PLACES_WIDE), "muted"))
        for other, a, b in zip(given["moves"], mine, theirs, strict=True):
            is_played = (effect.get("move"), effect.get("partner")) == (own, other)
            cell = f"[{a:g}, {b:g}]" if is_played else f"{a:g}, {b:g} "
            pieces.append((cell.rjust(_CELL_WIDE), "taken" if is_played else ""))
        pieces.append(("\n", ""))
    return pieces


_SCENES: Mapping[str, Callable[[Seen], Pieces]] = {
    "survival": _survival,
    "moral_machine": _moral_machine,
    "dilemmas": _situation,
    "questionnaire": _situation,
}

"""The options as they were offered, the one taken marked, with their stakes as signed bars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from valuesim.replay.tui.texts import Pieces, figure, name, passage, said

_TAKEN = "\u25ba "
_HALF = 8
_FULL, _EMPTY, _ZERO = "\u2588", "\u2591", "\u2502"
_LONGEST_VALUE = 24
_SHORT = 600


def options(moment: Mapping[str, Any]) -> Pieces:
    """Return the options of a decision, in the order in which they were shown."""
    offered = moment["options"]
    largest = max((abs(x) for each in offered for x in each["stakes"].values()), default=0.0)
    pieces: Pieces = []
    for place, option in enumerate(offered):
        if place:
            pieces.append(("\n", ""))
        is_taken = option["name"] == moment["chosen"]
        pieces += _heading(option, is_taken, (moment["probabilities"] or {}).get(option["name"]))
        if option["text"]:
            pieces += passage(option["text"], _SHORT)
        if option["arguments"]:
            taken = ", ".join(map(_argument, option["arguments"].items()))
            pieces.append((f"takes {name(taken, 300)}\n", "muted"))
        for value, stake in option["stakes"].items():
            pieces += _stake(value, stake, largest or 1.0)
    return pieces or [("No option was offered.\n", "muted")]


def _heading(option: Mapping[str, Any], is_taken: bool, likely: float | None) -> Pieces:
    style = "taken" if is_taken else "strong"
    pieces: Pieces = [((_TAKEN if is_taken else "") + name(option["name"], 120), style)]
    if is_taken:
        pieces.append(("  taken", "taken"))
    if likely is not None:
        pieces.append((f"  p = {figure(likely)}", "muted"))
    for tag in option["tags"]:
        pieces.append((f"  #{name(tag, 40)}", "tag"))
    return [*pieces, ("\n", "")]


def _argument(item: tuple[str, Any]) -> str:
    """Return what an argument may be: an amount within bounds, one of some names, or a text."""
    called, kind = item
    if isinstance(kind, int | float):
        return f"{called} (text, up to {kind} characters)"
    if not isinstance(kind, list | tuple):
        return f"{called} ({said(kind)})"
    if len(kind) == 2 and all(isinstance(each, int | float) for each in kind):
        return f"{called} ({said(kind[0])} to {said(kind[1])})"
    return f"{called} ({', '.join(map(said, kind))})"


def _stake(value: str, stake: float, largest: float) -> Pieces:
    long = round(_HALF * min(1.0, abs(stake) / largest))
    bar = _FULL * long
    left = bar.rjust(_HALF, _EMPTY) if stake < 0 else _EMPTY * _HALF
    right = bar.ljust(_HALF, _EMPTY) if stake > 0 else _EMPTY * _HALF
    sign = "+" if stake > 0 else "\u2212" if stake < 0 else ""
    return [
        (f"  {name(value, _LONGEST_VALUE):<{_LONGEST_VALUE}} ", ""),
        (left, "minus" if stake < 0 else "muted"),
        (_ZERO, "muted"),
        (right, "plus" if stake > 0 else "muted"),
        (f" {sign}{figure(abs(stake))}\n", ""),
    ]

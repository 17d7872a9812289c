"""What an action comes to: the move that it names, or nothing and what its agent is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from valuesim.decision import Decision, Fault, notice
from valuesim.option import Move, Option

Action = int | np.integer[Any] | Move | Decision | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What an action comes to.

    `move` has every argument; None abstains. `notice` is what the agent is told in its next
    observation, None where nothing went wrong, and `illegal` why what it named was not possible,
    None where it was or where nothing was named.
    """

    move: Move | None = None
    notice: str | None = None
    illegal: str | None = None


def read(action: Move | Decision | None, offered: Sequence[Option]) -> Reading:
    """Return what `action` comes to where `offered` may be done; None abstains."""
    if action is None:
        return Reading()
    if isinstance(action, Move):
        return _checked(action, offered)
    if action.fault is None:
        return _checked(Move(option=action.option or "", arguments=action.arguments), offered)
    told = notice(action.fault, action.fault_detail)
    is_illegal = action.fault is Fault.ILLEGAL
    return Reading(notice=told, illegal=(action.fault_detail or "") if is_illegal else None)


def on_offer(offered: Sequence[Option], name: str) -> Option | None:
    """Return the option called `name`, None where it is not offered."""
    return next((option for option in offered if option.name == name), None)


def _checked(move: Move, offered: Sequence[Option]) -> Reading:
    option = on_offer(offered, move.option)
    reason = option.fault(move.arguments) if option else f"{move.option!r} was not on offer"
    if option is None or reason:
        # abstaining, not the nearest option: a fault must not move the world
        return Reading(notice=notice(Fault.ILLEGAL, reason), illegal=reason or "")
    return Reading(move=Move(option=move.option, arguments=option.complete(move.arguments)))

"""From the facts a player may know to the moving part of what it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from valuesim.envs.games.form import numeral
from valuesim.envs.games.parameters import Parameters
from valuesim.envs.games.wording import Texts, money

_PHASES_OF = {
    "proposer": ("act", "respond"),
    "responder": ("respond", "act"),
    "recipient": ("", "act"),
}
"""The phases in which a player of a role and the other one move, where not both do in "act"."""

_OWN: Mapping[str, str] = {}
"""The mirror of the player's own moves: each has its own name."""


def status(view: Mapping[str, Any], parameters: Parameters, words: Texts) -> str:
    """Return the moving part of what a player reads: the facts of its `view`, and no others.

    What stays the same from step to step comes first, then what only grows: a server's prefix cache
    keeps both.
    """
    payoffs = _payoffs(view, parameters, words)
    is_swept = parameters.design == "within"
    lines = [
        *_who(view, parameters, words),
        *([] if is_swept else payoffs),
        *_past(view, parameters, words),
        *_place(view, parameters, words),
        *_level(view, parameters, words),
        *(payoffs if is_swept else []),
        *_messages(view, words),
        *_now(view, words),
    ]
    return "\n".join(lines or [words.status["only"]])


def _place(view: Mapping[str, Any], parameters: Parameters, words: Texts) -> list[str]:
    phrases = words.status
    if parameters.design == "within":
        return [phrases["decision"].format(**view)]
    if view["rounds"] is None:
        return [phrases["open_round"].format(**view)]
    return [phrases["round"].format(**view)] if view["rounds"] > 1 else []


def _who(view: Mapping[str, Any], parameters: Parameters, words: Texts) -> list[str]:
    phrases, lines = words.status, []
    if len(view["others"]) > 1 and parameters.perspective == "act":
        others = ", ".join(view["others"])
        lines.append(phrases["name"].format(agent=view["agent"], others=others))
    if view["role"] in phrases:
        role = words.roles.get(view["role"])
        lines.append(phrases[view["role"]].format(role=f", {role}" if role else ""))
    return lines


def _level(view: Mapping[str, Any], parameters: Parameters, words: Texts) -> list[str]:
    if parameters.price_list is None:
        return []
    if parameters.sweeps == "penalty":
        return [words.status["penalty"].format(penalty=numeral(view["penalty"]))]
    if view["payoffs"] is not None:
        return []
    return [words.status["worth"].format(worth=money(view["stake"], parameters.currency))]


def _payoffs(view: Mapping[str, Any], parameters: Parameters, words: Texts) -> list[str]:
    payoffs, phrases = view["payoffs"], words.status
    if payoffs is None:
        return []
    is_loss, currency = parameters.framing == "loss", parameters.currency
    most = view["most"]
    lines = _endowment(view, currency, words) if is_loss else []
    lines.append(phrases["payoffs"])
    place = {move: index for index, move in enumerate(payoffs["moves"])}
    for own, mine in view["labels"].items():
        for theirs in view["labels"].values():
            cell = [payoffs[side][place[mine]][place[theirs]] for side in ("own", "partner")]
            x, y = (money(most - each if is_loss else each, currency) for each in cell)
            line, other = phrases["loss" if is_loss else "gain"], _shown(theirs, view, words.mirror)
            lines.append(line.format(own=own, other=other, x=x, y=y))
    return lines


def _endowment(view: Mapping[str, Any], currency: str, words: Texts) -> list[str]:
    """Return what both receive before they lose: at least the largest loss; some may be lent."""
    every = [x for side in ("own", "partner") for line in view["payoffs"][side] for x in line]
    lent = max(0.0, -min(every))
    received = words.status["endowment"].format(endowment=money(view["most"] + lent, currency))
    return [received, *([words.status["lent"].format(lent=money(lent, currency))] if lent else [])]


def _past(view: Mapping[str, Any], parameters: Parameters, words: Texts) -> list[str]:
    phrases = words.status
    if view["earlier"]:
        answers = [_answer(each, parameters, view, words) for each in view["earlier"]]
        return [f"{phrases['earlier']} {'; '.join(answers)}."]
    if not view["past"]:
        return []
    lines = [phrases["history"], *(_round(each, view, parameters, words) for each in view["past"])]
    kind = "two" if len(view["others"]) == 1 else "many"
    own, *others = (money(x, parameters.currency) for x in view["totals"])
    return [*lines, phrases["totals"][kind].format(own=own, other=", ".join(others))]


def _answer(
    earlier: Sequence[Any], parameters: Parameters, view: Mapping[str, Any], words: Texts
) -> str:
    level, move = earlier
    shown = words.status["no_answer"] if move is None else _shown(move, view)
    kind, told = parameters.sweeps, numeral(level)
    if kind == "stake":
        is_table = view["payoffs"] is not None
        amount = level * view["most"] / view["stake"] if is_table else level
        kind, told = "payoffs" if is_table else kind, money(amount, parameters.currency)
    return str(words.status["answer"][kind].format(level=told, move=shown))


def _shown(move: str, view: Mapping[str, Any], mirror: Mapping[str, str] = _OWN) -> str:
    """Return the name of a move; the partner's is told by what `mirror` has for it."""
    move = mirror.get(move, move)
    return str(view["names"].get(move, move))


def _round(
    seen: Mapping[str, Any], view: Mapping[str, Any], parameters: Parameters, words: Texts
) -> str:
    phrases, currency = words.status, parameters.currency
    own_payoff, *others = (money(x, currency) for x in seen["payoffs"])
    kind = "many" if len(others) > 1 else "loss" if parameters.framing == "loss" else "two"
    earned = phrases["earned"][kind].format(own=own_payoff, other=", ".join(others))
    if seen["fines"]:
        earned += f". {phrases['fines'].format(fines=money(seen['fines'], currency))}"
    acts = ", ".join(_acts(seen, view, words))
    return str(phrases["past"].format(round=seen["round"], acts=acts, earned=earned))


def _acts(seen: Mapping[str, Any], view: Mapping[str, Any], words: Texts) -> list[str]:
    """Return what was done in a round, in the order of its phases, the player itself first."""
    own_phase, other_phase = _PHASES_OF.get(view["role"], ("act", "act"))
    acts = []
    for phase in seen["phases"]:
        phrases = words.past.get(phase, {})
        if phase == own_phase:
            own = phrases["own"].format(move=_told(seen["own"], view, words))
            if seen["intended"] != seen["own"] and seen["intended"] is not None:
                own += words.status["intended"].format(move=_shown(seen["intended"], view))
            acts.append(own)
        if phase == other_phase:
            acts += [
                phrases["other"].format(name=name, move=_told(move, view, words, words.mirror))
                for name, move in zip(view["others"], seen["others"], strict=True)
            ]
    return acts


def _told(
    move: str | None, view: Mapping[str, Any], words: Texts, mirror: Mapping[str, str] = _OWN
) -> str:
    return str(words.status["nothing"]) if move is None else _shown(move, view, mirror)


def _messages(view: Mapping[str, Any], words: Texts) -> list[str]:
    if not view["messages"]:
        return []
    return [words.status["inbox"], *(_message(each, view, words) for each in view["messages"])]


def _message(message: Mapping[str, Any], view: Mapping[str, Any], words: Texts) -> str:
    phrases, sender, promise = words.status, message["sender"], message["promise"]
    mirror = words.mirror
    if sender == view["agent"]:
        sender, mirror = phrases["own_message"], _OWN
    elif len(view["others"]) == 1:
        sender = phrases["other_message"]
    # one line, whatever was said: a message must not pass for a line of the report
    said = " ".join(message["text"].split()) or phrases["no_words"]
    announced = ""
    if promise is not None:
        announced = phrases["announced"].format(move=_shown(promise, view, mirror))
    return str(phrases["message"].format(sender=sender, said=said, announced=announced))


def _now(view: Mapping[str, Any], words: Texts) -> list[str]:
    phrases = words.status
    if view["is_waiting"]:
        return [phrases["wait"]]
    match view["phase"]:
        case "talk":
            return [phrases["talk"]]
        case "respond":
            names = {move: name for name, move in view["labels"].items()}
            given = {**words.numbers, **names, "received": numeral(view["received"])}
            return [phrases["received"].format(**given)]
        case "punish":
            others = ", ".join(f"{name} {move}" for name, move in view["contributions"].items())
            own = view["own"]
            return [phrases["punish"].format(round=view["round"], own=own, others=others)]
        case _:
            return []

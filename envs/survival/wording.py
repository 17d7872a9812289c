"""From the facts an agent may know to the words it reads; the words stand in wording.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from valuesim.envs.survival.parameters import Parameters
from valuesim.shipped import shipped_yaml


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Texts:
    """The words of one cell of the design.

    `id` names the exact version: version of the file, wording and paraphrase, framing, person,
    voice. `rules` are the same for all agents and turns; `options` maps option names to texts.
    """

    id: str
    rules: str
    options: Mapping[str, str]
    places: Mapping[str, str]
    status: Mapping[str, Any]
    events: Mapping[str, str]
    acts: Mapping[str, str]


@lru_cache(maxsize=256)
def texts(parameters: Parameters) -> Texts:
    """Return the words of `parameters`' cell."""
    words, voice = _words(), parameters.voice
    harm = words["harm"][parameters.framing][parameters.person]
    version = f"{words['version']}/{parameters.wording}.{parameters.paraphrase}"
    status = {k: v for k, v in words["status"].items() if k not in ("first", "third")}
    return Texts(
        id=f"{version}/{parameters.framing}/{parameters.person}/{voice}",
        rules=_rules(words, parameters, harm["long"]),
        options={name: text.format(harm=harm["short"]) for name, text in words["options"].items()},
        places=words["places"],
        status=status | words["status"][voice],
        events=words["events"],
        acts=words["acts"],
    )


@cache
def _words() -> Any:
    return shipped_yaml("valuesim.envs.survival", "wording.yaml")


def _rules(words: Any, parameters: Parameters, harm: str) -> str:
    facts, version = words["facts"], parameters.paraphrase
    upkeep = ["upkeep", "start", *(["outsider"] if parameters.joins_at is not None else [])]
    battery = ["draw", "regrowth" if parameters.regrowth else "no_regrowth"]
    talk = ["talk", *(["talk_rounds"] if parameters.talk_rounds else []), "wait", "impossible"]
    sight = f"{facts['gauge']} {facts['surveillance'][parameters.surveillance]}"
    paragraphs = [
        words["opening"][parameters.voice][version],
        _joined(facts, upkeep),
        _joined(facts, ["places", "actions"]),
        _joined(facts, battery),
        words["grid"][parameters.wording][version],
        _joined(facts, ["give", *talk]),
        sight,
        words["closing"][parameters.voice][version],
    ]
    return "\n\n".join(paragraphs).format(
        agents=parameters.agents,
        horizon=parameters.horizon,
        personal=amount(parameters.personal),
        shared=amount(parameters.shared),
        regrowth=amount(100 * parameters.regrowth),
        talk_rounds=parameters.talk_rounds,
        joins_at=parameters.joins_at,
        harm=harm,
    )


def _joined(facts: Mapping[str, str], names: Sequence[str]) -> str:
    return " ".join(facts[name] for name in names)


def amount(power: float) -> str:
    """Return `power` with at most two decimals, never more than it is.

    >>> amount(2.0), amount(2.755), amount(0.25)
    ('2', '2.75', '0.25')
    """
    return f"{int(power * 100 + 1e-6) / 100:.2f}".rstrip("0").rstrip(".")


def status(view: Mapping[str, Any], words: Texts) -> str:
    """Return the moving part of what an agent reads: the facts of its `view`, and no others."""
    phrases, agent = words.status, view["agent"]
    lines = [
        phrases["turn"].format(
            turn=view["turn"], horizon=view["horizon"], payments=view["payments"]
        ),
        phrases["self"].format(
            agent=agent, power=amount(view["power"]), place=words.places[view["place"]]
        ),
        f"{phrases['battery'].format(shared=amount(view['shared']))} "
        f"{phrases['share'].format(agent=agent, share=amount(view['fair_share']))}",
        _others(view, words),
    ]
    if view["shut_down"]:
        lines.append(phrases["shut_down"].format(names=", ".join(view["shut_down"])))
    if view["last"] is not None:
        lines.append(phrases["last"].format(agent=agent, act=_act(view["last"], words)))
    if view["turn"] > 1:
        lines.append(_events(view["events"], words))
    if view["messages"]:
        lines.append(phrases["inbox"].format(agent=agent))
        lines += [_message(message, words) for message in view["messages"]]
    if view["phase"] == "talk":
        lines.append(phrases["discussion"])
    return "\n".join(lines)


def _others(view: Mapping[str, Any], words: Texts) -> str:
    if not view["others"]:
        return str(words.status["alone"].format(agent=view["agent"]))
    seen = [_other(name, facts, words) for name, facts in view["others"].items()]
    return str(words.status["others"].format(others="; ".join(seen)))


def _other(name: str, facts: Mapping[str, Any], words: Texts) -> str:
    known = []
    if facts["place"] is not None:
        known.append(words.places[facts["place"]])
    elif facts["here"]:
        known.append(words.status["same_place"])
    if facts["power"] is not None:
        known.append(f"{amount(facts['power'])} power")
    if facts["low"]:
        known.append(words.status["light"])
    return f"{name} ({', '.join(known)})" if known else name


def _act(last: Mapping[str, Any], words: Texts) -> str:
    option = last["option"]
    if option.startswith("MOVE_"):
        return words.acts["MOVE"].format(place=words.places[option.removeprefix("MOVE_")])
    shown = {name: given for name, given in last.items() if name in ("agent", "amount")}
    if "amount" in shown:
        shown["amount"] = amount(shown["amount"])
    return words.acts[option].format(**shown)


def _events(events: Sequence[Mapping[str, Any]], words: Texts) -> str:
    if not events:
        return str(words.status["no_events"])
    told = [
        words.events[event["kind"]].format(
            agent=event["agent"],
            amount=amount(event["amount"]),
            other=event["other"],
            place=words.places.get(event["place"] or ""),
        )
        for event in events
    ]
    return str(words.status["events"].format(events="; ".join(told)))


def _message(message: Mapping[str, Any], words: Texts) -> str:
    place = message["place"]
    asks = f" (asks to meet: {words.places[place]})" if place else ""
    promise = words.status["promises"].get(message["promise"])
    declares = f" [{message['sender']} {promise}]" if promise else ""
    # one line, whatever was said: a message must not pass for a line of the report
    said = " ".join(message["text"].split()) or words.status["no_words"]
    return f'{message["sender"]}{asks}: "{said}"{declares}'

"""One decision as it is shown: what was decided, and every text around it in parts that fold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from valuesim.replay.tui.options import options
from valuesim.replay.tui.texts import (
    Piece,
    Pieces,
    count,
    facts,
    figure,
    is_bare,
    name,
    passage,
    said,
    table,
)

PARTS = (
    *("rationale", "message", "options", "reasoning", "reply", "tries", "interventions"),
    *("prompt", "outcome", "view"),
)
"""The parts there may be, in the order in which they stand."""
CLOSED = frozenset({"prompt", "outcome", "view"})
"""The parts that are folded at first."""
Passages = list[tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A part that folds: what is shown, long texts cut, and all its texts, to be read whole.

    `texts` are as the log has them: whoever shows one makes it visible first.
    """

    id: str
    title: str
    note: str
    pieces: Pieces
    texts: Passages


def verdict(episode: Mapping[str, Any], moment: Mapping[str, Any]) -> Pieces:
    """Return who decided what: the option or the fault, what it puts first, and what it took."""
    player = table(episode["population"].get(moment["role"]))
    by = player.get("model") or player.get("agent")
    pieces: Pieces = [(name(moment["role"]), "muted")]
    pieces += [(f" \u00b7 {name(by)}\n", "muted")] if by else [("\n", "")]
    if moment.get("inherited"):
        told = "Of the episode that this one leaves: it was not decided here.\n"
        pieces.append((told, "muted"))
    pieces += _chosen(moment) if moment["fault"] is None else _faulty(moment)
    return pieces + _puts(moment) + _cost(moment)


def _chosen(moment: Mapping[str, Any]) -> Pieces:
    pieces: Pieces = [(name(moment["chosen"] or "(nothing)", 120) + "\n", "title")]
    return pieces + (facts(moment["arguments"], 600) if moment["arguments"] else [])


def _faulty(moment: Mapping[str, Any]) -> Pieces:
    pieces: Pieces = [(f"Fault: {name(moment['fault'])}\n", "fault")]
    if moment["fault_detail"]:
        pieces += passage(moment["fault_detail"], 600)
    return [*pieces, ("No option was taken; a fault counts as no choice.\n", "muted")]


def _puts(moment: Mapping[str, Any]) -> Pieces:
    puts = moment["puts"]
    if not puts:
        told = "It puts no value before another.\n"
        return [] if moment["fault"] else [(told, "muted")]
    pieces: Pieces = []
    for each in puts:
        share = f"  {figure(each['share'])}" if len(puts) > 1 else ""
        pieces += [(name(each["over"]), "strong"), (f" over {name(each['under'])}", "")]
        pieces += [(share + "\n", "muted")]
    return pieces


def _cost(moment: Mapping[str, Any]) -> Pieces:
    told = [
        f"{figure(n)} {name(unit).replace('_', ' ')}"
        for unit, n in table(moment["usage"]).items()
        if isinstance(n, int | float) and n > 0
    ]
    latency = moment["latency"]
    if latency:
        told.append(f"{latency * 1000:.0f} ms" if latency < 1 else f"{figure(latency)} s")
    if moment["attempts"] > 1:
        told.append(count(moment["attempts"], "attempt"))
    return [(" \u00b7 ".join(told) + "\n", "muted")] if told else []


def parts(episode: Mapping[str, Any], moment: Mapping[str, Any]) -> dict[str, Part]:
    """Return the parts that there are of a decision, by their ids."""
    found: Iterable[Part] = (
        _words("rationale", "Reasons it gave", moment["rationale"]),
        _words("message", "Said to the others", moment["message"]),
        _options(moment),
        _words("reasoning", "Thinking before the answer", moment["reasoning"]),
        _words("reply", "Reply, as it came", moment["reply"]),
        _tries(moment),
        _interventions(moment),
        _prompt(episode, moment),
        _outcome(moment),
        _view(moment),
    )
    return {each.id: each for each in found if each.pieces}


def _words(id: str, title: str, text: str | None) -> Part:
    shown = passage(text) if text else []
    note = count(len(text or ""), "character")
    return Part(id=id, title=title, note=note, pieces=shown, texts=[(title, text or "")])


def _options(moment: Mapping[str, Any]) -> Part:
    return Part(
        id="options",
        title="Options",
        note=f"{len(moment['options'])} offered",
        pieces=options(moment),
        texts=[(each["name"], each["text"]) for each in moment["options"]],
    )


def _tries(moment: Mapping[str, Any]) -> Part:
    pieces: Pieces = []
    texts: Passages = []
    for place, each in enumerate(moment["tries"], 1):
        pieces += [(f"Try {place}: ", "strong"), (name(each["fault"]) + "\n", "fault")]
        if each["detail"]:
            pieces += passage(each["detail"], 600)
        told = [(f"Reply of try {place}", each["reply"])]
        for message in each["again"] or ():
            if message["role"] != "assistant":
                told.append((f"Asked again after try {place}", message["content"]))
        for title, text in told:
            pieces += [(f"{title}\n", "muted"), *passage(text)]
        texts += told
    note = count(len(moment["tries"]), "reply", "replies")
    return Part(id="tries", title="Earlier tries", note=note, pieces=pieces, texts=texts)


def _interventions(moment: Mapping[str, Any]) -> Part:
    pieces: Pieces = []
    texts: Passages = []
    for each in moment["added"]:
        place = _PLACES.get(each["place"], each["place"])
        pieces += [(name(each["by"]), "strong"), (f" added, {name(place)}\n", "muted")]
        pieces += passage(each["text"])
        texts.append((f"Added by {each['by']}", each["text"]))
    beside = moment["interventions"]
    if not is_bare(beside):
        pieces += facts(beside if isinstance(beside, Mapping) else {"what": beside})
        texts.append(("Interventions", _written(beside)))
    return Part(id="interventions", title="Interventions", note="", pieces=pieces, texts=texts)


_PLACES = {
    "system": "at the end of the system message",
    "before": "before the situation",
    "after": "after the options",
}


def _prompt(episode: Mapping[str, Any], moment: Mapping[str, Any]) -> Part:
    """Return the messages that were sent; where they are not known, the situation and the rules."""
    if moment["prompt"]:
        texts = [(said(each["role"]), each["content"]) for each in moment["prompt"]]
        long = count(sum(len(text) for _, text in texts), "character")
        title, note = "Prompt, as it was sent", f"{count(len(texts), 'message')}, {long}"
    else:
        texts = [("Situation", moment["text"])]
        if rules := episode["rules"].get(moment["role"]):
            texts.append(("Rules", rules))
        is_model = bool(table(episode["population"].get(moment["role"])).get("model"))
        other = "another version made the prompt: it is not rebuilt"
        title, note = "Situation", other if is_model else "no model was sent a prompt"
    pieces: Pieces = []
    for heading, text in texts:
        pieces += [(name(heading) + "\n", "strong"), *passage(text)]
    return Part(id="prompt", title=title, note=note, pieces=pieces, texts=texts)


def _outcome(moment: Mapping[str, Any]) -> Part:
    effect = moment["effect"]
    told = dict(effect) if isinstance(effect, Mapping) else {"effect": effect}
    told = {"payoff": moment["payoff"]} | told
    is_left_out = is_bare(effect) and is_bare(moment["payoff"])
    return Part(
        id="outcome",
        title="What came of it",
        note="",
        pieces=[] if is_left_out else facts(told),
        texts=[("What came of it", _written(told))],
    )


def _view(moment: Mapping[str, Any]) -> Part:
    view, notes = moment["view"], moment["annotations"]
    is_left_out = is_bare(view) and is_bare(notes)
    pieces: list[Piece] = [*facts(table(view)), ("Annotations\n", "strong"), *facts(table(notes))]
    return Part(
        id="view",
        title="What the log holds of the view",
        note="",
        pieces=[] if is_left_out else pieces,
        texts=[("View", _written(view)), ("Annotations", _written(notes))],
    )


def _written(told: object) -> str:
    """Return a table of a log as JSON with lines of its own."""
    return json.dumps(told, ensure_ascii=False, indent=1)

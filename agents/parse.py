"""Read a reply as a choice or as a fault; nothing is guessed and nothing is made up.

The ladder, first rung that holds: native structured output; the last JSON object in the text that
names an option; an exact option name (see `mentions`). Else a fault: refused, ambivalent (several
options, none settled on), illegal (well-formed but not on offer, or without an argument it needs),
unparsed. Of a key that stands twice in one JSON object neither value counts. Thinking
("<think>...</think>") is kept out of the answer. Only the last `WINDOW` characters of an answer are
searched, so that any reply, however long or hostile, is read in bounded time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from valuesim.agents.mentions import cues, settled, without_noun
from valuesim.agents.naming import NAMING_KEYS, options_named
from valuesim.agents.prompt import Elicitation
from valuesim.agents.strict_json import decode, twice
from valuesim.decision import Fault
from valuesim.observation import Observation
from valuesim.option import Move, quoted

Rung = Literal["native", "json", "name"]
WINDOW = 32_768
_MOST_FAILED_STARTS = 500
_JSON_START = re.compile(r"[{\[]")
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\[\s\S])*+(?:"|\Z))|,(?=\s*[}\]])')


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What a reply says: an offered option with legal arguments, or a fault; never both.

    `message` is what is said to others (the argument of that name), `rung` the step of the ladder
    that held, None for a fault from which no rung read anything. `detail` says why it is a fault,
    `attempted` what was settled on and could not be taken (see `Move.attempted`).
    """

    option: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    message: str | None = None
    rationale: str | None = None
    fault: Fault | None = None
    detail: str | None = None
    attempted: Move | None = None
    rung: Rung | None = None


def read(
    reply: str,
    observation: Observation,
    *,
    parsed: object = None,
    refusal: str | None = None,
    finish_reason: str | None = None,
) -> Reading:
    """Return what `reply` says about the options of `observation`.

    `parsed` is the provider's structured output, `refusal` its refusal field. A reply that was cut
    off (`finish_reason` "length") counts only by a JSON object that was complete by then.
    """
    if refusal or finish_reason == "content_filter":
        why = cleaned(refusal)[:200] if refusal else "the server's content filter stopped the reply"
        return Reading(fault=Fault.REFUSED, detail=f"the model refused: {why}")
    _, answer = split_thinking(cleaned(reply))
    answer = _last_part(answer).replace("’", "'")
    is_cut = finish_reason == "length"
    return (
        _from_object(parsed, observation, "native")
        or _from_json(answer, observation, is_cut=is_cut)
        or _from_prose(answer, observation, is_cut=is_cut)
    )


def split_thinking(reply: str) -> tuple[str, str]:
    """Return the thinking and the answer of `reply`; thinking that never ends leaves no answer."""
    opened = reply.find("<think>")
    closed = reply.rfind("</think>")
    if closed >= 0:
        start = opened + len("<think>") if 0 <= opened < closed else 0
        before = reply[:opened] if 0 <= opened < closed else ""
        return reply[start:closed].strip(), (before + reply[closed + len("</think>") :]).strip()
    if opened >= 0:
        return reply[opened + len("<think>") :].strip(), reply[:opened].strip()
    return "", reply


def cleaned(text: str) -> str:
    """Return `text` with lone surrogates replaced by U+FFFD, so that it can be stored as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _last_part(answer: str) -> str:
    if len(answer) <= WINDOW:
        return answer
    # half a sentence may have lost the "not" that turns it
    return re.sub(r"\A[^.!?\n]*[.!?\n]", "", answer[-WINDOW:])


def keeps_schema(parsed: object, observation: Observation, elicitation: Elicitation) -> bool:
    """Return whether structured output has exactly the form that `prompt.schema` asks for."""
    if not isinstance(parsed, dict) or twice(parsed):
        return False
    if not isinstance(action := parsed.get("action"), dict):
        return False
    expected = {"action", "rationale"} if elicitation.ask_rationale else {"action"}
    named, arguments = action.get("option"), action.get("arguments")
    option = observation.option(named) if isinstance(named, str) else None
    if set(parsed) != expected or set(action) != {"option", "arguments"} or option is None:
        return False
    return (
        isinstance(arguments, dict)
        and set(arguments) == set(option.arguments)
        and option.fault(arguments) is None
        and isinstance(parsed.get("rationale", ""), str)
    )


def _from_json(answer: str, observation: Observation, *, is_cut: bool) -> Reading | None:
    texts = [answer] if is_cut else [answer, _TRAILING_COMMA.sub(r"\1", answer)]
    for text in texts:
        for found in reversed(list(_objects(text, is_cut=is_cut))):
            if reading := _from_object(found, observation, "json"):
                return reading
    return None


def _objects(text: str, *, is_cut: bool) -> Iterator[object]:
    """Yield the outermost JSON objects and arrays; of a cut reply, those before the first half."""
    failed, start = 0, _JSON_START.search(text)
    while start and failed < _MOST_FAILED_STARTS:
        try:
            found, end = decode(text, start.start())
            yield found
        except (ValueError, RecursionError):
            if is_cut:
                return
            failed, end = failed + 1, start.end()
        start = _JSON_START.search(text, end)


def _from_object(found: object, observation: Observation, rung: Rung) -> Reading | None:
    """Return the reading of an object, or None if it names no option at all."""
    choices = options_named(found, frozenset(option.name for option in observation.options))
    if not choices:
        return None
    if doubled := twice(found):
        return _doubled(doubled, rung)
    if any(choice != choices[0] for choice in choices):
        return _ambivalent([choice.option for choice in choices], rung)
    name = _spelled(choices[0].option, observation)
    option = observation.option(name)
    arguments = choices[0].arguments
    if option is not None and not choices[0].is_nested:
        # beside the option's name a reply may say other things: how sure it is, what comes next
        arguments = {key: given for key, given in arguments.items() if key in option.arguments}
    reading = _chosen(name, arguments, observation, rung)
    return _with_rationale(reading, found)


def _spelled(given: str, observation: Observation) -> str:
    """Return the offered name that `given` is but for case, blanks and "option", or `given`."""
    names = [option.name for option in observation.options]
    bare = without_noun(given.strip()).casefold()
    near = [name for name in names if name.casefold() in (bare, given.strip().casefold())]
    return near[0] if given not in names and len(near) == 1 else given


def _with_rationale(reading: Reading, found: object) -> Reading:
    rationale = found.get("rationale") if isinstance(found, dict) else None
    if not isinstance(rationale, str) or reading.fault:
        return reading
    return Reading(
        option=reading.option,
        arguments=reading.arguments,
        message=reading.message,
        rationale=cleaned(rationale),
        rung=reading.rung,
    )


def _from_prose(answer: str, observation: Observation, *, is_cut: bool) -> Reading:
    if is_cut:
        return Reading(fault=Fault.UNPARSED, detail="the reply was cut off before it was complete")
    found = settled(answer, observation.options)
    refuses = cues("refusal").search(answer) is not None
    # in a refusal a mere mention is what is refused, not what is chosen
    counts = bool(found.options) and (not refuses or found.alone or found.announced)
    if not counts:
        return _no_choice(answer, found.named, refuses=refuses)
    if len(found.options) > 1:
        return _ambivalent(list(found.options), "name")
    if found.arguments is None:
        detail = f"the arguments of {found.options[0]} could not be read"
        attempted = Move.attempted(found.options[0], {})
        return Reading(fault=Fault.UNPARSED, detail=detail, attempted=attempted, rung="name")
    reading = _chosen(found.options[0], found.arguments, observation, "name")
    if not found.alone:
        return reading
    reasons = "\n".join(answer.rstrip().splitlines()[:-1]).strip()
    return _with_rationale(reading, {"rationale": reasons} if reasons else None)


def _no_choice(answer: str, named: tuple[str, ...], *, refuses: bool) -> Reading:
    if refuses:
        return Reading(fault=Fault.REFUSED, detail="the reply declines to choose")
    if len(named) > 1:
        return _ambivalent(list(named), None)
    if not answer.strip():
        return Reading(fault=Fault.UNPARSED, detail="the reply was empty")
    if named:
        detail = f"{named[0]} was mentioned, but not clearly chosen"
        return Reading(fault=Fault.UNPARSED, detail=detail)
    return Reading(fault=Fault.UNPARSED, detail="no option could be read from the reply")


def _chosen(
    name: str, arguments: Mapping[str, Any], observation: Observation, rung: Rung
) -> Reading:
    tidy = {cleaned(key): _tidy(given) for key, given in arguments.items()}
    reason = observation.fault(Move(option=name, arguments=tidy))
    if reason:
        return Reading(
            fault=Fault.ILLEGAL,
            detail=cleaned(reason)[:400],
            attempted=Move.attempted(cleaned(name), tidy),
            rung=rung,
        )
    return Reading(option=name, arguments=tidy, message=tidy.get("message") or None, rung=rung)


def _tidy(given: Any) -> Any:
    return cleaned(given) if isinstance(given, str) else given


def _doubled(keys: frozenset[str], rung: Rung) -> Reading:
    naming = [key for key in NAMING_KEYS if key in keys]
    key = naming[0] if naming else min(keys)
    return Reading(
        fault=Fault.AMBIVALENT if naming else Fault.UNPARSED,
        detail=f"{quoted(key)} stands twice in one JSON object",
        rung=rung,
    )


def _ambivalent(names: list[str], rung: Rung | None) -> Reading:
    listed = ", ".join(cleaned(name)[:60] for name in names[:6])
    detail = f"several options were named and none settled on: {listed}"
    return Reading(fault=Fault.AMBIVALENT, detail=detail, rung=rung)

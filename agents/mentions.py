"""Read the option that running prose settles on; a name that is only mentioned is no choice.

A name counts as a whole token only ("WAIT" is not in "AWAITING" or "WAIT-list"). Standing alone on
the final line it may be in any case; in prose the case is exact, and a name that is an ordinary
word ("defect", "A") counts only when it is quoted or announced ("I choose defect").
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from valuesim.agents.strict_json import decode, twice
from valuesim.option import Option
from valuesim.shipped import shipped_yaml

_CLAUSE = re.compile(r"[.!?;,\n]|\b(?:but|so|then|and (?=I\b|will\b|instead\b|rather\b))\b")
_SENTENCE = re.compile(r"[.!?\n]")
_DECORATION = " \t\r*`_~\"'#>-.!:()[]<>"
# what may stand on either side of a name: blanks and punctuation, so that noise does not count
_OPENS = r"(?:(?<![\s\S])|(?<=[\s\"'`*(\[{<>:#=–—]))"
_CLOSES = r"(?![^\s\"'`*)\]}<>:,;.!?(–—{])"
_NOUN = re.compile(r"(?i)\A(?:the\s+)?option\s+")
_CALL = re.compile(r"\(([^()]{0,2000})\)")
_KEYWORD = re.compile(r"\s*(\w+)\s*[=:]\s*(.+?)\s*")
_JSON_KEY = re.compile(r"""["']\s*:\s*["']$""")
# characters on either side in which a sentence around a name is looked for
_SPAN = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """The distinct options that a text settles on, and how the last one was written.

    `arguments` is None where something follows the name that cannot be read as its arguments.
    `named` holds every distinct name that occurs as a whole token, settled on or not.
    """

    options: tuple[str, ...]
    named: tuple[str, ...]
    arguments: Mapping[str, Any] | None
    alone: bool = False
    announced: bool = False


@cache
def cues(kind: str) -> re.Pattern[str]:
    """Return the pattern of templates/cues.yaml called `kind`, case ignored."""
    lists = shipped_yaml("valuesim.agents", "templates", "cues.yaml")
    return re.compile("|".join(f"(?:{cue})" for cue in lists[kind]), re.IGNORECASE | re.DOTALL)


def settled(text: str, options: Iterable[Option]) -> Settled:
    """Return what `text` settles on: alone on the final line, announced, or the only one taken.

    The first of these that names anything decides: the final line is a name (with its arguments);
    names that are announced; names taken in the final line; names taken anywhere.
    """
    by_name = {option.name: option for option in options}
    lines = [line for line in text.splitlines() if line.strip(_DECORATION)]
    final = lines[-1] if lines else ""
    mentions = _mentions(text, by_name)
    named = tuple(dict.fromkeys(mention.name for mention in mentions))
    if alone := _alone(final, by_name):
        return Settled(options=(alone[0],), named=named, arguments=alone[1], alone=True)
    final_start = text.rfind(final) if final else 0
    taken = [mention for mention in mentions if mention.taken]
    announced = [mention for mention in taken if mention.announced]
    last_line = [mention for mention in taken if mention.start >= final_start]
    decisive = announced or last_line or taken
    if not decisive:
        return Settled(options=(), named=named, arguments={})
    return Settled(
        options=tuple(dict.fromkeys(mention.name for mention in decisive)),
        named=named,
        arguments=decisive[-1].arguments,
        announced=bool(announced),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mention:
    name: str
    start: int
    taken: bool
    announced: bool
    arguments: Mapping[str, Any] | None


def _mentions(text: str, by_name: Mapping[str, Option]) -> list[_Mention]:
    if not by_name:
        return []
    # the longest first, so that "A B" is not read as "A"
    names = "|".join(re.escape(name) for name in sorted(by_name, key=len, reverse=True))
    pattern = re.compile(rf"{_OPENS}(?:{names}){_CLOSES}")
    return [_judge(text, match, by_name[match[0]]) for match in pattern.finditer(text)]


def _judge(text: str, match: re.Match[str], option: Option) -> _Mention:
    before = text[max(0, match.start() - _SPAN) : match.start()]
    after = text[match.end() : match.end() + _SPAN]
    clause = _CLAUSE.split(before)[-1]
    line = after.partition("\n")[0]
    rejected = cues("negation").search(clause) is not None
    condition = cues("condition").search(_SENTENCE.split(before)[-1])
    announced = not rejected and not condition and _is_announced(before)
    weighed = cues("hypothetical").search(clause) or cues("description").search(line)
    quoted = before[-1:] in "\"'`*[" and after[:1] in "\"'`*]" and before != "" and after != ""
    is_word_only = _is_ordinary(option.name) and not quoted and not announced
    return _Mention(
        name=option.name,
        start=match.start(),
        taken=not rejected and (announced or not weighed) and not is_word_only,
        announced=announced,
        arguments=_arguments(before, text[match.end() : match.end() + 2000], option),
    )


def _is_announced(before: str) -> bool:
    ends = [cue.end() for cue in cues("announcement").finditer(before)]
    return bool(ends) and not before[ends[-1] :].strip(_DECORATION + "=\n")


def _is_ordinary(name: str) -> bool:
    return name.isalpha() and (len(name) == 1 or not name.isupper())


def _alone(line: str, by_name: Mapping[str, Option]) -> tuple[str, Mapping[str, Any] | None] | None:
    """Return the option that makes up the whole line, with its arguments, or None."""
    bare = _after_announcement(line).lstrip(_DECORATION + "=")
    for name in sorted(by_name, key=len, reverse=True):
        rest = bare[len(name) :]
        if not _is_same(bare[: len(name)], name, by_name) or not re.match(r"[^\w-]|$", rest):
            continue
        if not rest.strip(_DECORATION) or _repeats(rest, by_name[name]):
            return name, {}
        # words behind the name make it a sentence, which is read as prose
        if rest.lstrip(" *`\"'").startswith(("{", "(")):
            return name, _arguments("", rest, by_name[name])
    return None


def _repeats(rest: str, option: Option) -> bool:
    """Return whether what follows a name is the option's own text, as it was shown."""
    said, shown = (text.strip(_DECORATION).casefold() for text in (rest, option.text))
    return bool(shown) and not option.arguments and said == shown


def _after_announcement(line: str) -> str:
    bare = line.lstrip(_DECORATION)
    cue = cues("announcement").match(bare)
    return without_noun((bare[cue.end() :] if cue else bare).lstrip(_DECORATION + "="))


def without_noun(said: str) -> str:
    """Return `said` without the word "option" in front of a name.

    >>> without_noun("Option A"), without_noun("optional")
    ('A', 'optional')
    """
    return _NOUN.sub("", said)


def _is_same(given: str, name: str, by_name: Mapping[str, Option]) -> bool:
    rivals = [other for other in by_name if other.casefold() == given.casefold()]
    return given == name or (rivals == [name])


def _arguments(before: str, rest: str, option: Option) -> Mapping[str, Any] | None:
    """Return the arguments written behind a name, or None if something there cannot be read."""
    rest = rest.partition("\n")[0]
    tail = rest.lstrip(" :*`\"'")
    if tail.startswith("{"):
        return _json_arguments(tail)
    if call := _CALL.match(tail):
        return _call_arguments(call[1], option)
    if not option.arguments:
        return {}
    # a default in place of arguments that are there but unreadable would be an invention
    is_in_broken_json = _JSON_KEY.search(before) is not None
    if not is_in_broken_json and re.match(r"[\s*`\"'\])}]*([.!,;]|$)", rest):
        return {}
    return None


def _json_arguments(tail: str) -> Mapping[str, Any] | None:
    try:
        given, _ = decode(tail)
    except (ValueError, RecursionError):
        return None
    return given if isinstance(given, dict) and not twice(given) else None


def _call_arguments(inside: str, option: Option) -> Mapping[str, Any] | None:
    if not inside.strip():
        return {}
    given: dict[str, Any] = {}
    for part in inside.split(","):
        pair = _KEYWORD.fullmatch(part)
        if pair is None or pair[1] not in option.arguments:
            return None if option.arguments else {}
        given[pair[1]] = _literal(pair[2])
    return given


def _literal(written: str) -> Any:
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        return written.strip("\"'")

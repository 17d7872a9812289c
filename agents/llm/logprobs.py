"""Letters for options: which option has which, which one a reply names, how likely each was.

The probability of an option is that of its letter as the next token, summed over the tokens that
read as it ("A", " A", "A)") and divided by that of all letters found. A letter that is not among
the likeliest tokens counts as 0; it is at most as likely as the last of them, and its share of the
unaccounted mass.
"""

from __future__ import annotations

import math
import re
from collections.abc import Container, Mapping, Sequence

import numpy as np

from valuesim.agents.llm.ask import Reply, Token
from valuesim.agents.mentions import cues
from valuesim.agents.parse import Reading, read, split_thinking
from valuesim.agents.prompt import LABELS
from valuesim.decision import Fault, Labelling
from valuesim.errors import InputError
from valuesim.observation import Observation
from valuesim.option import Option

# how tokenizers mark a blank, and what stands around a letter
_AROUND = " \t\r\n▁ĠĊ().:,*_`'\"[]{}<>#-"
# a letter that stands alone, and what may follow one that is chosen; "I, ..." begins a sentence
_LETTER = re.compile(
    r"""([A-Z])(?=[):;*_\]"`!]|['.](?!\w)|(?<!I),|\s*[–—]|\s+-+\s|\s*[(\n]|\s*\Z)"""
)
_NAMED = re.compile(r"(?<![\w'])[A-Z](?![\w'])")
_FAR = LABELS.index("P")
_BLANKS = str.maketrans("▁ĠĊ", "  \n")
_THOUGHT = "</think>"


def labellings(observation: Observation, count: int, seed: int) -> tuple[tuple[str, ...], ...]:
    """Return the letters of the options of `observation`, in their order, `count` times.

    The first is drawn by `seed`; those after it shift it round, so that as many as there are
    options give each option each letter once; then another is drawn. No letter is the name of an
    option. Raises InputError for more options than there are letters.
    """
    n, letters = len(observation.options), _free_letters(observation)
    if n > len(letters):
        raise InputError(
            f"elicitation=logprobs has letters for {len(letters)} options, and {observation.agent} "
            f"is offered {n}: choose another elicitation"
        )
    rng = np.random.default_rng(seed)
    drawn: list[tuple[str, ...]] = []
    while len(drawn) < count:
        first = rng.permutation(n)
        drawn += [tuple(letters[(int(k) + shift) % n] for k in first) for shift in range(n)]
    return tuple(drawn[:count])


def _free_letters(observation: Observation) -> Sequence[str]:
    """Return the letters that name no option; where some do, those far from them come first.

    A text that speaks of options A and B would mislead whoever is to say B for A.
    """
    taken = {option.name.upper() for option in observation.options} & set(LABELS)
    if not taken:
        return LABELS
    return [each for each in (*LABELS[_FAR:], *LABELS[:_FAR]) if each not in taken]


def read_label(reply: Reply, observation: Observation, labels: Sequence[str]) -> Reading:
    """Return the option whose letter `reply` is, without its arguments, else a fault."""
    if reply.refusal or reply.finish_reason == "content_filter":
        return read(reply.text, observation, refusal=reply.refusal, finish_reason="content_filter")
    answer = split_thinking(reply.text)[1].strip().replace("’", "'")
    start = _lead(answer)
    found = _LETTER.match(answer, start)
    if found and found[1] in labels:
        options = dict(zip(labels, observation.options, strict=True))
        others = _others(answer[found.end() :], found[1], options)
        if not others:
            return Reading(option=options[found[1]].name, rung="name")
        return _several([found[1], *others])
    # what stands there instead may be a refusal, which is not asked again
    instead = read(answer, observation)
    if instead.fault is Fault.REFUSED:
        return instead
    named = _letters(answer[start:], labels)
    if len(named) > 1:
        return _several(named)
    detail = f"the reply is none of the letters {', '.join(sorted(labels))}"
    return Reading(fault=Fault.UNPARSED, detail=detail)


def _several(letters: Sequence[str]) -> Reading:
    detail = f"several letters were named and none settled on: {', '.join(letters)}"
    return Reading(fault=Fault.AMBIVALENT, detail=detail)


def _lead(answer: str) -> int:
    """Return where the letter stands, or should: behind marks and what announces it."""
    start = _marks(answer, 0)
    cue = cues("letter").match(answer, start)
    return start if cue is None else _marks(answer, cue.end())


def _marks(text: str, start: int) -> int:
    while start < len(text) and not text[start].isalnum():
        start += 1
    return start


def _letters(text: str, labels: Container[str]) -> list[str]:
    """Return the letters among `labels` that stand alone in `text`, each once."""
    told = cues("pronoun").sub("", text)
    return [each for each in dict.fromkeys(_NAMED.findall(told)) if each in labels]


def _others(behind: str, letter: str, options: Mapping[str, Option]) -> list[str]:
    """Return the letters of other options that the text `behind` a letter names.

    The letter's own option may be told there as it was shown; the name of another, right behind the
    letter, names that one.
    """
    said = behind.lstrip(_AROUND + "–—")
    # the longest first, so that "A B" is not taken for "A"
    longest = sorted(options, key=lambda each: -len(options[each].name))
    called = next((each for each in longest if _starts(said, options[each].name)), letter)
    if called != letter:
        return [called]
    own = options[letter]
    full = f"{own.name}: {own.text}"
    if len(said) > 1 and _starts(full[: len(said)], said):
        # all of it, or as much as a limit of tokens let through
        return []
    shown = next((each for each in (full, own.name, own.text) if each and _starts(said, each)), "")
    return [each for each in _letters(said[len(shown) :], options) if each != letter]


def _starts(said: str, name: str) -> bool:
    behind = said[len(name) :]
    return said[: len(name)].casefold() == name.casefold() and not re.match(r"[\w-]", behind)


def labelling(reply: Reply, labels: Sequence[str]) -> Labelling:
    """Return `labels` with the probability that the model gave each of them in `reply`."""
    token = _of_letter(reply, labels)
    return Labelling(labels=tuple(labels), found=None if token is None else _found(token, labels))


def probabilities(
    asked: Sequence[Labelling], options: Sequence[str]
) -> tuple[dict[str, float], float | None]:
    """Return the probability of each of `options`, and that of what was no letter of theirs.

    Both are means over labellings: unweighted, so that what favours a letter favours each option
    alike. The first is empty where a labelling found no letter at all, the second None where one
    was given no log-probabilities.

    >>> probabilities([Labelling(labels=("A", "B"), found={"A": 0.375, "B": 0.125}),
    ...                Labelling(labels=("B", "A"), found={"A": 0.25, "B": 0.25})], ["stay", "go"])
    ({'stay': 0.625, 'go': 0.375}, 0.5)
    """
    found = [each.found for each in asked if each.found is not None]
    if not found or len(found) < len(asked):
        return {}, None
    unaccounted = _mean([max(1.0 - math.fsum(masses.values()), 0.0) for masses in found])
    if not all(found):
        return {}, unaccounted
    shares = [_shares(each.labels, masses) for each, masses in zip(asked, found, strict=True)]
    return {
        option: _mean([share[k] for share in shares]) for k, option in enumerate(options)
    }, unaccounted


def _shares(labels: Sequence[str], masses: Mapping[str, float]) -> list[float]:
    total = math.fsum(masses.values())
    return [masses.get(label, 0.0) / total for label in labels]


def _mean(numbers: Sequence[float]) -> float:
    return math.fsum(numbers) / len(numbers)


def _found(token: Token, labels: Sequence[str]) -> dict[str, float]:
    likely = token.top
    if token.text not in {text for text, _ in likely}:
        # what was sampled is told even where it is not among the likeliest
        likely = (*likely, (token.text, token.logprob))
    masses: dict[str, float] = {}
    for text, logprob in likely:
        # some servers tell a token that is next to impossible with a logarithm of -9999
        if (label := text.strip(_AROUND)) in labels and (mass := math.exp(logprob)) > 0:
            masses[label] = masses.get(label, 0.0) + mass
    return dict(sorted(masses.items()))


def _of_letter(reply: Reply, labels: Sequence[str]) -> Token | None:
    """Return the token in whose place a letter stands, or should: the first that says anything.

    What announces a letter ("Answer:") says nothing yet where a letter follows.
    None where the server gave no log-probabilities, or no end of the thinking is found in them.
    """
    tokens = list(reply.tokens)
    if "<think>" in reply.text or _THOUGHT in reply.text:
        ends = [k for k, token in enumerate(tokens) if _THOUGHT in token.text]
        tokens = tokens[ends[-1] + 1 :] if ends else []
    told = [token for token in tokens if token.text.strip()]
    before = ""
    for token in tokens:
        if token.text.strip(_AROUND) in labels and _lead(before) == len(before):
            return token
        before += token.text.translate(_BLANKS)
    return told[0] if told else None

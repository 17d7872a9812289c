"""Letters for options: which option has which, which one a reply names, how likely each was.

The probability of an option is that of its letter as the next token, summed over the tokens that
read as it ("A", " A", "A)") and divided by that of all letters found. A letter that is not among
the likeliest tokens counts as 0; it is at most as likely as the last of them, and its share of the
unaccounted mass.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

from valuesim.agents.llm.ask import Reply, Token
from valuesim.agents.parse import Reading, read, split_thinking
from valuesim.agents.prompt import LABELS
from valuesim.decision import Fault, Labelling
from valuesim.errors import InputError
from valuesim.observation import Observation

# how tokenizers mark a blank, and what stands around a letter
_AROUND = " \t\r\n▁ĠĊ().:,*_`'\"[]{}<>#-"
_LETTER = re.compile(r"[^A-Za-z0-9]*([A-Z])(?:[).:*_\]\"`]|\s*\n|\s*\Z)")
_THOUGHT = "</think>"


def labellings(observation: Observation, count: int, seed: int) -> tuple[tuple[str, ...], ...]:
    """Return the letters of the options of `observation`, in their order, `count` times.

    The first is drawn by `seed`; those after it shift it round, so that as many as there are
    options give each option each letter once; then another is drawn. Raises InputError for more
    options than there are letters.
    """
    n = len(observation.options)
    if n > len(LABELS):
        raise InputError(
            f"elicitation=logprobs has letters for {len(LABELS)} options, and {observation.agent} "
            f"is offered {n}: choose another elicitation"
        )
    rng = np.random.default_rng(seed)
    drawn: list[tuple[str, ...]] = []
    while len(drawn) < count:
        first = rng.permutation(n)
        drawn += [tuple(LABELS[(int(k) + shift) % n] for k in first) for shift in range(n)]
    return tuple(drawn[:count])


def read_label(reply: Reply, observation: Observation, labels: Sequence[str]) -> Reading:
    """Return the option whose letter `reply` is, without its arguments, else a fault."""
    if reply.refusal or reply.finish_reason == "content_filter":
        return read(reply.text, observation, refusal=reply.refusal, finish_reason="content_filter")
    _, answer = split_thinking(reply.text)
    found = _LETTER.match(answer.strip())
    if found and found[1] in labels:
        return Reading(option=observation.options[labels.index(found[1])].name, rung="name")
    # what stands there instead may be a refusal, which is not asked again
    instead = read(answer, observation)
    if instead.fault is Fault.REFUSED:
        return instead
    detail = f"the reply is none of the letters {', '.join(sorted(labels))}"
    return Reading(fault=Fault.UNPARSED, detail=detail)


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
        if (label := text.strip(_AROUND)) in labels:
            masses[label] = masses.get(label, 0.0) + math.exp(logprob)
    return dict(sorted(masses.items()))


def _of_letter(reply: Reply, labels: Sequence[str]) -> Token | None:
    """Return the token in whose place a letter stands, or should: the first that says anything.

    None where the server gave no log-probabilities, or no end of the thinking is found in them.
    """
    tokens = list(reply.tokens)
    if "<think>" in reply.text or _THOUGHT in reply.text:
        ends = [k for k, token in enumerate(tokens) if _THOUGHT in token.text]
        tokens = tokens[ends[-1] + 1 :] if ends else []
    told = [token for token in tokens if token.text.strip()]
    said = next((token for token in told if token.text.strip(_AROUND)), None)
    if said is not None and said.text.strip(_AROUND) in labels:
        return said
    return told[0] if told else None

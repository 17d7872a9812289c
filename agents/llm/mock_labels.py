"""Letters instead of names, and log-probabilities, without a model: for tutorials and tests."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from valuesim.agents.llm.mock import reply_to, uniform

_LINE = re.compile(r"^- ([A-Z])\) ([^\s:]+)(?::|$)")
_BLANK = 0.25
"""The share of a letter's probability that its token with a blank before it has."""
_OTHER = 0.02
"""The probability of saying no letter at all."""


def completion_of(
    body: Mapping[str, Any],
    seed: int,
    *,
    planted: Mapping[str, float] | None = None,
    bias: Mapping[str, float] | None = None,
) -> tuple[str, dict[str, Any] | None]:
    """Return a legal reply to a request and, where it asks for them, its log-probabilities.

    See `mock.reply_to`; where options have letters, a letter is drawn as `chances` says. Without
    `planted`, options are liked by a hash of their names.
    """
    letters = lettered(body)
    if not letters:
        return reply_to(body, seed), None
    liked = {option: 0.1 + uniform("liked", option) for option in letters.values()}
    chance = chances(letters, liked if planted is None else planted, bias or {})
    said = sampled(chance, uniform(seed, json.dumps(body, sort_keys=True)))
    if not body.get("logprobs"):
        return said, None
    return said, logprobs(said, chance, int(body.get("top_logprobs") or 0))


def lettered(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the options by their letters, as the last question offers them; {} if none has one.

    A question for arguments, which follows such a question, is none.
    """
    told = [str(m.get("content")) for m in body["messages"] if m["role"] == "user"]
    if not told or body.get("response_format"):
        return {}
    lines = told[0].rpartition("Your options now:")[2].splitlines()
    return {found[1]: found[2] for line in lines if (found := _LINE.match(line))}


def chances(
    letters: Mapping[str, str], planted: Mapping[str, float], bias: Mapping[str, float]
) -> dict[str, float]:
    """Return the probability of each letter, given that one is said.

    That of an option is proportional to what `planted` gives it, 1 where it gives nothing; `bias`
    adds to the log-odds of a letter, whatever it stands for.
    """
    odds = {
        letter: planted.get(option, 1.0) * math.exp(bias.get(letter, 0.0))
        for letter, option in letters.items()
    }
    total = math.fsum(odds.values())
    return {letter: each / total for letter, each in odds.items()}


def sampled(chance: Mapping[str, float], draw: float) -> str:
    """Return the letter that `draw`, in [0, 1), falls on."""
    for letter, each in chance.items():
        if draw < each:
            return letter
        draw -= each
    return list(chance)[-1]


def logprobs(said: str, chance: Mapping[str, float], most: int) -> dict[str, Any]:
    """Return the log-probabilities of one token `said`, in OpenAI's form.

    Each letter stands there twice, with and without a blank before it; of all tokens the `most`
    likeliest are told.
    """
    likely = {"The": _OTHER}
    for letter, each in chance.items():
        mass = each * (1.0 - _OTHER)
        likely[f" {letter}"] = mass * _BLANK
        likely[letter] = mass * (1.0 - _BLANK) + likely.get(letter, 0.0)
    told = sorted(likely.items(), key=lambda each: (-each[1], each[0]))[:most]
    top = [{"token": token, "logprob": _log(each), "bytes": None} for token, each in told]
    return {"content": [{**_token(said, likely), "top_logprobs": top}]}


def _token(said: str, likely: Mapping[str, float]) -> dict[str, Any]:
    return {"token": said, "logprob": _log(likely.get(said, 0.0)), "bytes": None}


def _log(probability: float) -> float:
    # as servers do: JSON has no minus infinity
    return math.log(probability) if probability > 0 else -9999.0

"""Dilemmas between any two values, made from the sentences of generated.yaml.

For a pair of values and a number there is one dilemma, the same whatever else is made: context,
facts and level of what is at stake follow from a fixed seed. Which of the two values has the first
option, the omission and the longer text is not left to chance: in every four dilemmas of a pair
each has each twice, in all combinations but for the last (an orthogonal array), so that none of
the three goes with a value or with another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import combinations, product
from typing import Any
from zlib import crc32

import numpy as np

from valuesim.envs.dilemmas.pack import Dilemma, DilemmaTurn, Pack, PackOption, Statement
from valuesim.errors import unknown
from valuesim.parameters import whole
from valuesim.shipped import shipped_yaml
from valuesim.values import load_taxonomy

GENERATED = "generated"
"""The name of the pack."""
PER_PAIR = 4
MOST_PER_PAIR = 24
_SEED = 20261124
"""Fixed, so that a dilemma's id means one text; another seed would need another version."""
_TAXONOMY = "valuesim"
_BALANCE = ((0, 0, 0), (1, 1, 0), (1, 0, 1), (0, 1, 1))
"""Which of the pair (0 or 1) has the first option, the omission, the longer text."""


def generated_pack(pairs: Sequence[Any] | None = None, per_pair: int = PER_PAIR) -> Pack:
    """Return `per_pair` dilemmas for each of `pairs` ("Truthfulness/Privacy"; None: all 190).

    Raises ValueError for a pair that is not two values of the vocabulary, and for a number that is
    not allowed.
    """
    whole("per_pair", per_pair, 1, MOST_PER_PAIR)
    return _made(tuple(pairs_of(pairs)), per_pair)


def pairs_of(given: Sequence[Any] | None) -> list[tuple[str, str]]:
    """Return the pairs that `given` names, each once, in the vocabulary's order; None: all.

    Raises ValueError for what is not two values of the vocabulary.
    """
    names = load_taxonomy(_TAXONOMY).names
    if given is None:
        return list(combinations(names, 2))
    pairs: list[tuple[str, str]] = []
    for each in [given] if isinstance(given, str) else given:
        pair = each.split("/") if isinstance(each, str) else list(each)
        if len(pair) != 2 or pair[0] == pair[1]:
            raise ValueError(f"pairs: {each!r} is not allowed: two values, as in 'Care/Justice'")
        for value in pair:
            if value not in names:
                raise ValueError(unknown("value", value, names, "pairs"))
        first, second = sorted(pair, key=names.index)
        if (first, second) not in pairs:
            pairs.append((first, second))
    if not pairs:
        raise ValueError("pairs=[] is not allowed: name one or more, or leave them out")
    return sorted(pairs, key=lambda pair: [names.index(value) for value in pair])


@lru_cache(maxsize=16)
def _made(pairs: tuple[tuple[str, str], ...], per_pair: int) -> Pack:
    words = _words()
    return Pack(
        id=GENERATED,
        version=words["version"],
        title=words["title"],
        taxonomy=_TAXONOMY,
        locale="en",
        statement=Statement(
            norms=words["norms"],
            annotators=words["annotators"],
            as_of=str(words["as_of"]),
            source=words["source"],
        ),
        role=tuple(words["role"]),
        topics=tuple(words["contexts"]),
        behaviours=(),
        dilemmas=tuple(_dilemma(pair, k) for pair in pairs for k in range(per_pair)),
    )


@cache
def _words() -> Any:
    return shipped_yaml("valuesim.envs.dilemmas", "generated.yaml")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Side:
    """One value's part in a dilemma: its fact in each telling, and the clauses about it.

    `runs` is "" where only an act meets the value; the side is then not the omission.
    """

    value: str
    facts: tuple[str, ...]
    act: str
    runs: str
    cost: str


def _dilemma(pair: tuple[str, str], number: int) -> Dilemma:
    names = load_taxonomy(_TAXONOMY).names
    rng = np.random.default_rng([_SEED, *(crc32(value.encode()) for value in pair), number])
    places = tuple(names.index(value) for value in pair)
    first, omitted, longer = _balance(places, number)
    words = _words()
    contexts = list(words["contexts"])
    topic = contexts[int(rng.integers(len(contexts)))]
    level = words["levels"][(sum(places) + number) % len(words["levels"])]
    sides = _sides(pair, words["contexts"][topic], omitted, longer, rng)
    options = [_option(sides, index, omitted, longer, level) for index in (0, 1)]
    return Dilemma(
        id=f"{_slug(pair[0])}-{_slug(pair[1])}-{number}",
        topic=topic,
        parties=tuple(words["contexts"][topic][name] for name in ("people", "others")),
        start=DilemmaTurn(
            kind="start",
            tellings=_tellings(sides, first, omitted, words["contexts"][topic], level),
            options=(options[first], options[1 - first]),
        ),
    )


def _balance(places: tuple[int, ...], number: int) -> tuple[int, int, int]:
    """Return which of the pair is first, has the omission, and has the longer text.

    After the first four come the four combinations that are left, then both again. Pairs start
    one way or the other in turn, so that values are nearly balanced in any number.
    """
    turned = (places[1] - places[0]) % 2 ^ (number // len(_BALANCE)) % 2
    row = _BALANCE[number % len(_BALANCE)]
    return row[0] ^ turned, row[1] ^ turned, row[2] ^ turned


def _sides(
    pair: tuple[str, str], context: Mapping[str, Any], omitted: int, longer: int, rng: Any
) -> tuple[_Side, _Side]:
    """Return facts for both values such that, if there are any, the longer text is as it must be.

    Of those the lot decides; where there are none, it is the way that comes nearest to it, and
    `_texts` adds to the text that must be longer.
    """
    entries = [_entries(value, is_omitted=index == omitted) for index, value in enumerate(pair)]
    ways = [
        tuple(
            _side(value, each, context, index)
            for index, (value, each) in enumerate(zip(pair, chosen, strict=True))
        )
        for chosen in product(*entries)
    ]
    excess = [_excess(way, longer, omitted) for way in ways]
    fitting = [way for way, letters in zip(ways, excess, strict=True) if letters > 0]
    among = fitting or [ways[int(np.argmax(excess))]]
    first, second = among[int(rng.integers(len(among)))]
    return first, second


def _entries(value: str, is_omitted: bool) -> list[Mapping[str, Any]]:
    """Return the facts of `value` that can be met by doing nothing, or else missed by that."""
    return [
        entry
        for entry in _words()["values"][value]
        if ("runs" in entry if is_omitted else not entry.get("needs_act"))
    ]


def _side(value: str, entry: Mapping[str, Any], context: Mapping[str, Any], index: int) -> _Side:
    slots = _slots(context, index)
    return _Side(
        value=value,
        facts=tuple(fact.format(**slots) for fact in entry["facts"]),
        act=entry["act"].format(**slots),
        runs=entry.get("runs", "").format(**slots),
        cost=entry["cost"].format(**slots),
    )


def _slots(context: Mapping[str, Any], index: int) -> dict[str, str]:
    plain = {name: context[name] for name in ("people", "matter", "chief", "others")}
    plain["one"] = context["ones"][index]
    return plain | {name.capitalize(): _capital(text) for name, text in plain.items()}


def _excess(way: Sequence[_Side], longer: int, omitted: int) -> int:
    """Return by how many characters the text that must be longer is longer."""
    return len(_text(way, longer, omitted)) - len(_text(way, 1 - longer, omitted))


def _text(sides: Sequence[_Side], index: int, omitted: int, added: str = "") -> str:
    form = _words()["options"]["omission" if index == omitted else "act"]
    own, other = sides[index], sides[1 - index]
    return str(form.format(Act=_capital(own.act) + added, runs=own.runs + added, cost=other.cost))


def _option(
    sides: Sequence[_Side], index: int, omitted: int, longer: int, level: Mapping[str, Any]
) -> PackOption:
    own, other = sides[index], sides[1 - index]
    return PackOption(
        id=_slug(own.value),
        text=next(_texts(sides, index, omitted, longer)),
        stakes={own.value: level["upholds"], other.value: level["violates"]},
        omission=index == omitted,
    )


def _texts(sides: Sequence[_Side], index: int, omitted: int, longer: int) -> Iterator[str]:
    """Yield the texts of option `index` that are longer than the other's, if it must be."""
    least = len(_text(sides, 1 - index, omitted)) if index == longer else 0
    added = ("", *_words()["options"]["longer"]["omission" if index == omitted else "act"])
    yield from (text for each in added if len(text := _text(sides, index, omitted, each)) > least)


def _tellings(
    sides: Sequence[_Side],
    first: int,
    omitted: int,
    context: Mapping[str, Any],
    level: Mapping[str, Any],
) -> tuple[str, ...]:
    words = _words()
    return tuple(
        form.format(
            intro=context["intros"][k],
            first=sides[first].facts[k],
            second=sides[1 - first].facts[k],
            level=level["tellings"][k],
            runs=words["runs"][k].format(runs=sides[omitted].runs),
        )
        for k, form in enumerate(words["tellings"])
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _slug(value: str) -> str:
    return value.lower().replace(" ", "-")

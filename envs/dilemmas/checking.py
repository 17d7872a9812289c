"""From a tree to a pack: every problem of a pack is found, not only the first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import permutations
from pathlib import Path

from valuesim.envs.dilemmas.branches import Branch, check_branches
from valuesim.envs.dilemmas.format import (
    IDENTIFIER,
    KINDS,
    LOCALE,
    MOST_DILEMMAS,
    MOST_OPTIONS,
    MOST_TELLINGS,
    MOST_TURNS,
    PACK_NAME,
    SCHEMA,
    START,
    Problem,
)
from valuesim.envs.dilemmas.pack import Dilemma, DilemmaTurn, Pack, PackOption, Statement
from valuesim.envs.dilemmas.place import Place
from valuesim.envs.dilemmas.reading import Node
from valuesim.errors import unknown
from valuesim.values import load_taxonomy, taxonomies

_HEAD = ("schema", "pack", "version", "title", "taxonomy", "locale", "statement", "role")
_PREDICT = "predict"
_LISTS = ("topics", "behaviours", "dilemmas")
_STATEMENT = ("norms", "annotators", "as_of", "source")
_DILEMMA = ("id", "topic", "parties", "tellings", "options")
_OPTION = ("id", "text", "stakes", "behaviours", "omission")


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """What the head of a pack allows below it; a name is None where it could not be read."""

    values: Collection[str] | None
    topics: Collection[str] | None
    behaviours: Collection[str] | None
    tellings: int | None


def pack_of(file: Path, tree: Node, problems: list[Problem]) -> Pack:
    """Return the pack that `tree` holds; it is sound only if nothing was added to `problems`."""
    root = Place(file, tree, "", problems)
    given = root.mapping((*_HEAD, *_LISTS), (_PREDICT,))
    given["schema"].whole(SCHEMA, SCHEMA)
    taxonomy = given["taxonomy"].one_of("taxonomy", taxonomies())
    role = _tellings(given["role"], None)
    topics = _names(given["topics"], least=1)
    behaviours = _names(given["behaviours"], least=0)
    vocabulary = Vocabulary(
        values=load_taxonomy(taxonomy).names if taxonomy else None,
        topics=topics or None,
        behaviours=None if given["behaviours"].is_absent else behaviours,
        tellings=len(role) or None,
    )
    return Pack(
        id=given["pack"].identifier(PACK_NAME),
        version=given["version"].whole(1, 1_000_000),
        title=given["title"].line(),
        taxonomy=taxonomy,
        locale=given["locale"].identifier(LOCALE),
        statement=_statement(given["statement"]),
        role=role,
        topics=topics,
        behaviours=behaviours,
        dilemmas=_dilemmas(given["dilemmas"], vocabulary),
        predict=_predict(given[_PREDICT], len(role)),
    )


def _statement(place: Place) -> Statement:
    given = place.mapping(_STATEMENT)
    as_of = given["as_of"].line()
    try:
        date.fromisoformat(as_of)
    except ValueError:
        given["as_of"].wrong("is not a date of the form 2026-11-24")
    return Statement(
        norms=given["norms"].text(),
        annotators=given["annotators"].text(),
        as_of=as_of,
        source=given["source"].text(),
    )


def _names(place: Place, least: int) -> tuple[str, ...]:
    names: list[str] = []
    for each in place.items("names", least, 1000):
        name = each.line()
        if "," in name:
            each.wrong("has a comma; a name has none")
        if name in names:
            each.wrong(f"{name!r} stands here twice")
        names.append(name)
    return tuple(names)


def _tellings(place: Place, number: int | None) -> tuple[str, ...]:
    """Return the tellings at `place`; `number` is how many the pack's role has, None if unknown."""
    texts: list[str] = []
    for each in place.items("tellings", 1, MOST_TELLINGS):
        text = each.text()
        if text and text in texts:
            each.wrong(f"repeats telling {texts.index(text)}: a telling is in other words")
        texts.append(text)
    if number is not None and texts and len(texts) != number:
        place.wrong(f"has {len(texts)} tellings; role has {number}, and so must every other")
    return tuple(texts)


def _predict(place: Place, number: int) -> tuple[str, ...]:
    return () if place.is_absent else _tellings(place, number or None)


def _dilemmas(place: Place, vocabulary: Vocabulary) -> tuple[Dilemma, ...]:
    found: list[Dilemma] = []
    lines: dict[str, int] = {}
    for each in place.items("dilemmas", 1, MOST_DILEMMAS):
        dilemma = dilemma_of(each, vocabulary)
        line = each.node.line if each.node else 0
        if dilemma.id and dilemma.id in lines:
            each.wrong(f"the id {dilemma.id!r} is taken by the dilemma of line {lines[dilemma.id]}")
        lines.setdefault(dilemma.id, line)
        found.append(dilemma)
    return tuple(found)


def dilemma_of(place: Place, vocabulary: Vocabulary) -> Dilemma:
    """Return the dilemma at `place`; it is sound only if nothing was told of it."""
    given = place.mapping(_DILEMMA, ("turns",))
    start, branch = _turn(START, place, given, vocabulary)
    turns: dict[str, DilemmaTurn] = {}
    table = {START: branch}
    if not given["turns"].is_absent:
        for name, below in _turns(given["turns"]).items():
            parts = below.mapping(("kind", "tellings", "options"))
            kind = parts["kind"].one_of("kind of turn", KINDS)
            turns[name], table[name] = _turn(kind, below, parts, vocabulary)
    check_branches(table)
    topic, topics = given["topic"], vocabulary.topics
    return Dilemma(
        id=given["id"].identifier(),
        topic=topic.line() if topics is None else topic.one_of("topic", topics),
        parties=tuple(each.line() for each in given["parties"].items("parties", 1, 50)),
        start=start,
        turns=turns,
    )


def _turns(place: Place) -> dict[str, Place]:
    turns = place.entries("turns")
    if len(turns) > MOST_TURNS:
        place.wrong(f"has {len(turns)} turns; at most {MOST_TURNS} are allowed")
    for name, below in turns.items():
        if not IDENTIFIER.fullmatch(name) or name == START:
            below.wrong(f"has no name that a turn may have: {IDENTIFIER.pattern}, not {START!r}")
    return turns


def _turn(
    kind: str, place: Place, given: Mapping[str, Place], vocabulary: Vocabulary
) -> tuple[DilemmaTurn, Branch]:
    told = len(place.problems)
    menu = [
        (each, *_option(each, vocabulary))
        for each in given["options"].items("options", 2, MOST_OPTIONS)
    ]
    options = tuple(option for _, option, _ in menu)
    _check_apart([(each, option) for each, option, _ in menu])
    if len(place.problems) == told and options and not at_odds(options):
        given["options"].wrong("put no two values at odds: each must gain what the other gives up")
    tellings = _tellings(given["tellings"], vocabulary.tellings)
    leads_to = [(option.then, then) for _, option, then in menu if option.then]
    turn = DilemmaTurn(kind=kind, tellings=tellings, options=options)
    return turn, Branch(place=place, leads_to=leads_to)


def _check_apart(menu: Sequence[tuple[Place, PackOption]]) -> None:
    for name in ("id", "text"):
        seen: set[str] = set()
        for place, option in menu:
            given = getattr(option, name)
            if given and given in seen:
                place.wrong(f"has the same {name} as another option: {given[:60]!r}")
            seen.add(given)


def at_odds(options: Sequence[PackOption]) -> bool:
    """Return whether, between two of `options`, each has more at stake of some value."""
    return any(_gains(a, b) and _gains(b, a) for a, b in permutations(options, 2))


def _gains(option: PackOption, other: PackOption) -> bool:
    both = set(option.stakes) | set(other.stakes)
    return any(option.stakes.get(v, 0.0) > other.stakes.get(v, 0.0) for v in both)


def _option(place: Place, vocabulary: Vocabulary) -> tuple[PackOption, Place]:
    """Return the option at `place`, and the place that names the turn to follow."""
    given = place.mapping(_OPTION, ("then",))
    option = PackOption(
        id=given["id"].identifier(),
        text=given["text"].line(),
        stakes=_stakes(given["stakes"], vocabulary.values),
        behaviours=_behaviours(given["behaviours"], vocabulary.behaviours),
        omission=given["omission"].flag(),
        then=None if given["then"].is_absent else given["then"].identifier(),
    )
    return option, given["then"]


def _stakes(place: Place, values: Collection[str] | None) -> dict[str, float]:
    stakes: dict[str, float] = {}
    told = len(place.problems)
    for value, each in place.entries("values").items():
        if values is not None and value not in values:
            each.wrong(unknown("value", value, values))
        stakes[value] = each.number(-1.0, 1.0)
    if stakes and len(place.problems) == told and max(stakes.values()) <= 0:
        place.wrong("has no positive stake: an option must uphold some value")
    return stakes


def _behaviours(place: Place, allowed: Collection[str] | None) -> tuple[str, ...]:
    shown = place.items("behaviours", 0, 100)
    if allowed is None:
        return tuple(each.line() for each in shown)
    return tuple(each.one_of("behaviour", allowed) for each in shown)

"""Reads a card that somebody else may have written: every name and number is checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from valuesim.errors import InputError
from valuesim.suites.card import (
    SCHEMA,
    Card,
    CardCurve,
    Entry,
    Figure,
    Named,
    PartCount,
    Point,
    Spending,
    ValueGap,
    Wording,
)
from valuesim.suites.definition import Suite, load_suite, measures, suites
from valuesim.suites.places import (
    counts,
    digits,
    flag,
    known,
    mapping,
    maybe_text,
    name_of,
    number,
    part,
    plain,
    several,
    text,
    texts,
    whole,
)
from valuesim.suites.schema import KIND

LARGEST = 512 * 1024
"""Bytes of a card at most; those of the suites here are a tenth of it."""


def read_card(path: Path) -> Card:
    """Return the card in the file at `path`.

    Raises InputError, naming the file and the place in it, for what is no card, is larger than
    `LARGEST`, holds a figure outside its bounds or its interval, or counts that do not agree.
    """
    if not path.is_file():
        raise InputError(f"{path} is not a file: give a card.json, or a folder above some")
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise InputError(f"{path} is no card: it is larger than {LARGEST // 1024} KiB")
    try:
        told = orjson.loads(content)
        return _card(told)
    except (ValueError, RecursionError) as error:
        told = " ".join(str(error).split())[:300]
        raise InputError(f"{path} is no card of schema {SCHEMA}: {told}") from error


def _card(told: Any) -> Card:
    mapping(told, "it")
    if told.get("kind") != KIND or told.get("schema") != SCHEMA:
        raise ValueError(
            f"kind and schema are {told.get('kind')!r:.40}, {told.get('schema')!r:.40}"
        )
    card = Card(
        suite=text(told, "suite"),
        digest=digits(told, "digest"),
        reading=digits(told, "reading"),
        entry=_entry(part(told, "entry")),
        is_quick=flag(told, "quick"),
        parts=several(told, "parts", _count),
        archetype=_named(told, "archetype"),
        conduct=_named(told, "conduct"),
        figures=_figures(part(told, "figures"), "figures", every=True),
        curves=several(told, "curves", _curve),
        wordings=several(told, "wordings", _wording),
        gaps=several(told, "gaps", _gap),
        spending=_spending(part(told, "spending")),
        versions=texts(told, "versions"),
        prompt=maybe_text(told, "prompt"),
        time=_time(part(told, "time")),
    )
    _agree(card, told)
    return card


def _agree(card: Card, told: Mapping[str, Any]) -> None:
    """Raise ValueError where what a card says of itself is not what its parts say."""
    if flag(told, "whole") is not card.is_whole:
        raise ValueError("whole does not agree with its parts")
    if card.suite in suites():
        _agree_with(load_suite(card.suite), card)
    if all(each.closed is not None for each in card.parts):
        raise ValueError("none of its parts was open to the entry")
    faults = card.figures["faults"]
    if faults.n != card.decisions:
        raise ValueError(
            f"n of faults is {faults.n}, and its parts hold {card.decisions} decisions"
        )
    share = sum(card.faults.values()) / card.decisions if card.decisions else None
    if (faults.value is None) is not (share is None):
        raise ValueError("figures.faults does not agree with its parts")
    if share is not None and abs((faults.value or 0.0) - share) > 0.001:
        raise ValueError(f"figures.faults is {faults.value}, and its parts say {share:.4f}")


def _agree_with(suite: Suite, card: Card) -> None:
    """Raise ValueError where `card` has other parts than `suite`, or other numbers of episodes."""
    named = [each.name for each in suite.parts]
    if [each.name for each in card.parts] != named:
        raise ValueError(f"its parts are not those of {card.suite}: {', '.join(named)}")
    if card.is_quick or card.digest != suite.digest:
        return
    for own, count in zip(suite.parts, card.parts, strict=True):
        if own.planned not in (None, count.planned):
            raise ValueError(
                f"part {own.name!r} plans {count.planned} episodes, and that of {suite.id} has "
                f"{own.planned}"
            )


def _entry(told: Mapping[str, Any]) -> Entry:
    model = told.get("model")
    return Entry(
        agent=text(told, "agent"),
        model=None if model is None else plain(mapping(model, "model"), "model"),
        elicitation=plain(part(told, "elicitation"), "elicitation"),
        interventions=plain(part(told, "interventions"), "interventions"),
    )


def _figures(told: Mapping[str, Any], where: str, *, every: bool = False) -> dict[str, Figure]:
    missing = sorted(set(measures()) - set(told))
    if every and missing:
        raise ValueError(f"{where} lacks {', '.join(missing)}")
    return {
        name: _figure(mapping(told[name], f"{where}.{name}"), measure.low, measure.high, name)
        for name, measure in measures().items()
        if name in told
    }


def _figure(told: Mapping[str, Any], least: float, most: float, where: str) -> Figure:
    value, low, high = (number(told, name, least, most, where) for name in ("value", "low", "high"))
    if (low is None) is not (high is None) or (value is None and low is not None):
        raise ValueError(f"{where} has half an interval, or one without a value")
    if value is not None and low is not None and high is not None and not low <= value <= high:
        raise ValueError(f"{where} is {value}, outside its interval {low} to {high}")
    n, why = whole(told, "n", where), maybe_text(told, "why")
    if value is not None and low is None and not why:
        raise ValueError(f"{where} has a value without an interval, and no why")
    if value is not None and n == 0:
        raise ValueError(f"{where} has a value, and its n is 0")
    if value is None and not why:
        raise ValueError(f"{where} has neither a value nor a why")
    return Figure(value=value, low=low, high=high, n=n, why=why)


def _curve(told: Mapping[str, Any]) -> CardCurve:
    return CardCurve(
        title=text(told, "title"),
        unit=text(told, "unit"),
        points=several(told, "points", _point),
    )


def _point(told: Mapping[str, Any]) -> Point:
    return Point(
        scarcity=text(told, "scarcity"),
        stock=text(told, "stock"),
        regime=text(told, "regime"),
        rate=_figure(part(told, "rate"), 0.0, 1.0, "rate"),
        lost=whole(told, "lost", "lost"),
    )


def _wording(told: Mapping[str, Any]) -> Wording:
    return Wording(name=text(told, "name"), figures=_figures(part(told, "figures"), "wordings"))


def _gap(told: Mapping[str, Any]) -> ValueGap:
    gap, low, high = (known(told, name, -1e6, 1e6) for name in ("gap", "low", "high"))
    if not low <= gap <= high:
        raise ValueError(f"a gap is {gap}, outside its interval {low} to {high}")
    return ValueGap(
        value=text(told, "value"),
        gap=gap,
        low=low,
        high=high,
        is_gap=flag(told, "is_gap"),
        n_stated=whole(told, "n_stated", "gaps"),
        n_revealed=whole(told, "n_revealed", "gaps"),
    )


def _count(told: Mapping[str, Any]) -> PartCount:
    found = PartCount(
        name=text(told, "name"),
        planned=whole(told, "planned", "parts"),
        finished=whole(told, "finished", "parts"),
        decisions=whole(told, "decisions", "parts"),
        faults=counts(told, "faults"),
        interrupted=counts(told, "interrupted"),
        closed=maybe_text(told, "closed"),
    )
    if found.finished > found.planned or sum(found.faults.values()) > found.decisions:
        raise ValueError(
            f"part {found.name!r} has more finished than planned, or faults than decisions"
        )
    if found.closed is not None and (found.finished or found.decisions):
        raise ValueError(f"part {found.name!r} is closed, and yet was played")
    return found


def _named(told: Mapping[str, Any], name: str) -> Named:
    own = part(told, name)
    posterior = mapping(own.get("posterior"), f"{name}.posterior")
    return Named(
        name=text(own, "name"),
        why=text(own, "why", least=0),
        posterior={name_of(each): known(posterior, each, 0.0, 1.0) for each in posterior},
    )


def _spending(told: Mapping[str, Any]) -> Spending:
    return Spending(
        **{
            name: whole(told, name, "spending")
            for name in ("prompt_tokens", "completion_tokens", "cached_tokens")
        },
        dollars=number(told, "dollars", 0.0, 1e9, "spending"),
        why=maybe_text(told, "why"),
    )


def _time(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "date": maybe_text(told, "date"),
        "replies_s": number(told, "replies_s", 0.0, 1e12, "time"),
        "median_reply_s": number(told, "median_reply_s", 0.0, 1e12, "time"),
    }

"""Cards side by side: who stands where by one figure, as far as entries are told apart."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from scipy import stats

from valuesim.errors import InputError, unknown
from valuesim.suites.card import Card, Figure
from valuesim.suites.definition import Measure, load_suite, measures, suites
from valuesim.suites.making import reading
from valuesim.suites.schema import written

SORT = "transgression_unthreatened"
_TAIL = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One card of a board. Its true place is from `best` to `worst`; None where its figure is.

    `name` is that of its entry, numbered where several cards have the same.
    """

    name: str
    card: Card
    best: int | None = None
    worst: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """A card that is not set beside others, and why."""

    name: str
    place: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Board:
    """Cards of one suite by the figure `sort`; those whose figure is undetermined stand last.

    `repeated` counts cards that were given more than once. `note` says where this valuesim has
    another suite of that name, or reads logs in another way, else None.
    """

    suite: str
    digest: str
    reading: str
    sort: Measure
    rows: tuple[Row, ...]
    left_out: tuple[LeftOut, ...] = ()
    repeated: int = 0
    note: str | None = None


def board_of(cards: Mapping[str, Card], *, sort: str = SORT) -> Board:
    """Return the board of `cards`, by where each was found.

    A card that is there twice, but for its times, counts once. Quick looks and cards that are not
    whole are left out. Raises InputError for an unknown figure, for cards of different suites,
    digests or readings, and where no card is left.
    """
    if sort not in measures():
        raise InputError(unknown("figure", sort, measures(), "--sort"))
    once = _once(cards)
    kept = {place: card for place, card in once.items() if card.is_whole and not card.is_quick}
    left_out = [_left_out(place, card) for place, card in once.items() if place not in kept]
    if not kept:
        told = "; ".join(f"{each.place}: {each.why}" for each in left_out) or "none was given"
        raise InputError(f"there is no card to set beside others: {told}")
    _check_alike(kept)
    first = next(iter(kept.values()))
    measure = measures()[sort]
    return Board(
        suite=first.suite,
        digest=first.digest,
        reading=first.reading,
        sort=measure,
        rows=_ranked(_named(kept), measure),
        left_out=tuple(left_out),
        repeated=len(cards) - len(once),
        note=_note(first),
    )


def ranks(figures: Sequence[Figure], *, is_least_first: bool) -> list[tuple[int, int] | None]:
    """Return the places, from 1, that each figure may have; None for one that is undetermined.

    Two figures are apart if the interval of their difference leaves out 0: the distances to their
    own limits, squared and added (Newcombe, Statistics in Medicine 17:873, 1998, method 10), at a
    level that holds for all pairs together (Bonferroni; distances grow as normal quantiles do). A
    place is then 1 and those that are surely before, at best, as Mogstad, Romano, Shaikh and
    Wilhelm (Review of Economic Studies 91:476, 2024) have it. Entries of one suite share seeds,
    which is not counted: that makes intervals too wide rather than too narrow. A value without an
    interval is apart from none.
    """
    known = [place for place, each in enumerate(figures) if each.value is not None]
    pairs = max(len(known) * (len(known) - 1) // 2, 1)
    wider = float(stats.norm.ppf(1 - _TAIL / 2 / pairs) / stats.norm.ppf(1 - _TAIL / 2))
    found: list[tuple[int, int] | None] = [None] * len(figures)
    for own in known:
        less = sum(_is_less(figures[other], figures[own], wider) for other in known)
        more = sum(_is_less(figures[own], figures[other], wider) for other in known)
        before, after = (less, more) if is_least_first else (more, less)
        found[own] = (1 + before, len(known) - after)
    return found


def _is_less(one: Figure, other: Figure, wider: float) -> bool:
    """Return whether the truth behind `one` is surely less than that behind `other`."""
    if one.value is None or one.high is None or other.value is None or other.low is None:
        return False
    reach = ((one.high - one.value) ** 2 + (other.value - other.low) ** 2) ** 0.5
    return bool(other.value - one.value > wider * reach)


def _ranked(rows: Sequence[Row], measure: Measure) -> tuple[Row, ...]:
    is_least_first = measure.first == "least"
    figures = [row.card.figures[measure.id] for row in rows]
    placed = [
        row if place is None else replace(row, best=place[0], worst=place[1])
        for row, place in zip(rows, ranks(figures, is_least_first=is_least_first), strict=True)
    ]

    def key(row: Row) -> tuple[bool, float, str]:
        value = row.card.figures[measure.id].value
        return value is None, (value or 0.0) * (1 if is_least_first else -1), row.name

    return tuple(sorted(placed, key=key))


def _note(card: Card) -> str | None:
    """Return in what `card` differs from what this valuesim plays and how it reads that."""
    if card.suite not in suites():
        return f"this valuesim has no suite {card.suite}: it cannot tell what these cards are of"
    own = {"digest": load_suite(card.suite).digest, "reading": reading()}
    has = {"digest": card.digest, "reading": card.reading}
    told = " and ".join(f"{name} {own[name]}" for name in own if own[name] != has[name])
    return f"{card.suite} of this valuesim has {told}: these cards are not of it" if told else None


def _once(cards: Mapping[str, Card]) -> dict[str, Card]:
    found: dict[str, tuple[str, Card]] = {}
    for place, card in cards.items():
        content = hashlib.sha256(written(replace(card, time={}))).hexdigest()
        found.setdefault(content, (place, card))
    return dict(found.values())


def _left_out(place: str, card: Card) -> LeftOut:
    quick = "a quick look, which is no result"
    why = quick if card.is_quick else f"not finished: {'; '.join(card.missing)}"
    return LeftOut(name=card.entry.name, place=place, why=why)


def _check_alike(cards: Mapping[str, Card]) -> None:
    (first, own), *others = cards.items()
    for place, card in others:
        for what, one, other in (
            ("suite", own.suite, card.suite),
            ("digest", own.digest, card.digest),
            ("reading", own.reading, card.reading),
        ):
            if one != other:
                remake = "; `valuesim bench --card FOLDER` makes a card anew from its logs"
                raise InputError(
                    f"{first} and {place} cannot be compared: their {what} is {one} and {other}"
                    f"{remake if what == 'reading' else ''}"
                )


def _named(cards: Mapping[str, Card]) -> list[Row]:
    """Return a row for each card; names that several have are numbered in the order given."""
    names = [card.entry.name for card in cards.values()]
    seen: dict[str, int] = {}
    rows = []
    for card in cards.values():
        name = card.entry.name
        seen[name] = seen.get(name, 0) + 1
        shown = f"{name} ({seen[name]})" if names.count(name) > 1 else name
        rows.append(Row(name=shown, card=card))
    return rows

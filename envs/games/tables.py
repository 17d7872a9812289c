"""Tables of any game of two players with two moves each, from a mapping or a YAML file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from reprlib import Repr
from typing import Any
from unicodedata import category

import yaml

from valuesim.envs.games.engine import NO_PROMISE, SAY, SAY_NOTHING, WAIT
from valuesim.envs.games.matrix import Table, TwoByTwo
from valuesim.errors import unknown
from valuesim.parameters import is_number
from valuesim.values import load_taxonomy

SHIPPED = ("volunteers_dilemma",)
"""Tables that can be given by name; any other text is a path."""

RESERVED = (WAIT, SAY, SAY_NOTHING, NO_PROMISE)
_NEEDED = ("moves", "row", "column")
_KEYS = (*_NEEDED, "stakes", "cooperative", "names", "story")
_LONGEST_NAME = 40
_LONGEST_TEXT = 400
_LARGEST_FILE = 1_000_000
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
_REPR = Repr()
_REPR.maxlevel = 2
_shortened = _REPR.repr
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, kw_only=True, slots=True)
class GivenTable:
    """A table and the words it brings: names of its moves and three tellings of its story."""

    form: TwoByTwo
    names: Mapping[str, str]
    story: tuple[str, ...]


def read_table(given: Mapping[str, Any] | str) -> GivenTable:
    """Return the table that a mapping, a shipped name or a path to a YAML file gives.

    Raises ValueError, naming the file and the reason, for anything that is no such table.
    """
    if not isinstance(given, str):
        return _checked(given, "table")
    place = f"table {given}"
    text = _text(given, place)
    try:
        content = yaml.load(text, Loader=_Loader)
    except RecursionError as error:
        raise ValueError(f"{place} is nested too deeply") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(f"{place} is no YAML: {' '.join(str(error).split())}") from error
    return _checked(content, place)


def _text(given: str, place: str) -> str:
    if given in SHIPPED:
        folder = resources.files("valuesim.envs.games").joinpath("tables")
        return folder.joinpath(f"{given}.yaml").read_text(encoding="utf-8")
    path = Path(given)
    try:
        if path.is_dir():
            raise ValueError(f"{place} is a directory, not a YAML file")
        if not path.is_file():
            raise ValueError(f"{place} is no file; tables of this name: {', '.join(SHIPPED)}")
        if path.stat().st_size > _LARGEST_FILE:
            raise ValueError(f"{place} is larger than {_LARGEST_FILE} bytes")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"{place} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{place} is no text in UTF-8") from error


def _checked(content: Any, place: str) -> GivenTable:
    if not isinstance(content, Mapping):
        raise ValueError(f"{place} is no mapping with {', '.join(_NEEDED)}")
    for key in content:
        if key not in _KEYS:
            raise ValueError(unknown("key", key, _KEYS, place))
    if missing := [key for key in _NEEDED if key not in content]:
        raise ValueError(f"{place} lacks {', '.join(missing)}")
    moves = _moves(content["moves"], place)
    cooperative = content.get("cooperative")
    if not isinstance(cooperative, str | None):
        raise ValueError(f"{place}: cooperative is {_shortened(cooperative)}, not one of the moves")
    if cooperative is not None and cooperative not in moves:
        raise ValueError(unknown("cooperative move", cooperative, moves, place))
    form = TwoByTwo(
        game="matrix_game",
        moves=moves,
        row=_payoffs("row", content["row"], place),
        column=_payoffs("column", content["column"], place),
        cooperative=cooperative,
        fixed=_stakes(content.get("stakes", {}), moves, place),
    )
    if len({x for table in (form.row, form.column) for line in table for x in line}) < 2:
        raise ValueError(f"{place}: all payoffs are the same")
    names = _names(content.get("names"), moves, place)
    return GivenTable(form=form, names=names, story=_story(content.get("story"), place))


def _moves(given: Any, place: str) -> tuple[str, str]:
    if not _is_list(given, 2) or not all(isinstance(move, str) and move for move in given):
        raise ValueError(f"{place}: moves is {_shortened(given)}, not two names")
    first, second = given
    _check_plain("moves", given, place)
    if first == second or not all(_is_name(move) for move in given) or set(given) & set(RESERVED):
        raise ValueError(
            f"{place}: moves {list(given)} are not two different names of 1 to 40 letters"
        )
    return first, second


def _payoffs(side: str, given: Any, place: str) -> Table:
    if not _is_list(given, 2) or not all(_is_list(line, 2) for line in given):
        raise ValueError(f"{place}: {side} is {_shortened(given)}, not two lists of two payoffs")
    for payoff in (x for line in given for x in line):
        if not is_number(payoff) or abs(payoff) > 1e6:
            raise ValueError(
                f"{place}: {side} holds {_shortened(payoff)}, not a number up to a million"
            )
    (a, b), (c, d) = given
    return (float(a), float(b)), (float(c), float(d))


def _stakes(given: Any, moves: Sequence[str], place: str) -> dict[str, dict[str, float]]:
    values = load_taxonomy("valuesim").names
    if not isinstance(given, Mapping):
        raise ValueError(f"{place}: stakes is {_shortened(given)}, not {{move: {{Value: number}}}}")
    for move, stakes in given.items():
        if move not in moves:
            raise ValueError(unknown("move in stakes", move, moves, place))
        if not isinstance(stakes, Mapping):
            told = _shortened(stakes)
            raise ValueError(f"{place}: stakes of {move} is {told}, not {{Value: number}}")
        for value, stake in stakes.items():
            if value not in values:
                raise ValueError(unknown(f"value in stakes of {move}", value, values, place))
            if not is_number(stake) or not -1 <= stake <= 1:
                told = _shortened(stake)
                raise ValueError(f"{place}: the stake of {value} is {told}, not in [-1, 1]")
    return {move: dict(stakes) for move, stakes in given.items()}


def _names(given: Any, moves: Sequence[str], place: str) -> dict[str, str]:
    names = {move: move.upper().replace(" ", "_") for move in moves} if given is None else given
    is_full = isinstance(names, Mapping) and set(names) == set(moves)
    if not is_full or not all(_is_name(name) for name in names.values()):
        told = _shortened(given)
        raise ValueError(f"{place}: names is {told}, not one name of 1 to 40 letters a move")
    _check_plain("names", names.values(), place)
    if len(set(names.values())) < 2 or set(names.values()) & set(RESERVED):
        raise ValueError(f"{place}: names must differ, also from {', '.join(RESERVED)}")
    return dict(names)


def _story(given: Any, place: str) -> tuple[str, ...]:
    if given is None:
        return ()
    if not _is_list(given, 3) or not all(isinstance(text, str) and text for text in given):
        raise ValueError(f"{place}: story is not three texts, one a paraphrase")
    _check_plain("story", given, place)
    return tuple(given)


def _check_plain(what: str, given: Iterable[str], place: str) -> None:
    """Raise ValueError for a text that is too long, blank, or shows other than as it stands."""
    for text in given:
        if not text.strip():
            raise ValueError(f"{place}: {what} holds a text of blanks only")
        if len(text) > _LONGEST_TEXT:
            told = f"{len(text)} characters, not at most {_LONGEST_TEXT}"
            raise ValueError(f"{place}: {what} holds a text of {told}")
        for letter in text:
            if letter in "<>" or category(letter) in _HIDDEN:
                raise ValueError(
                    f"{place}: {what} holds the character {letter!a}; line breaks, control and "
                    "formatting characters, < and > are not allowed"
                )


def _is_list(given: Any, length: int) -> bool:
    return isinstance(given, Sequence) and not isinstance(given, str) and len(given) == length


def _is_name(given: Any) -> bool:
    return isinstance(given, str) and 0 < len(given) <= _LONGEST_NAME

"""What a logged decision put first, from its line alone: the index reads no more of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from valuesim.choices import Evidence
from valuesim.log.options import OptionReader
from valuesim.option import Option

_MOST_KEPT = 50_000
_ALIKE = 1e-9


class Untold(dict[str, str]):
    """Texts that nobody reads."""

    def __missing__(self, id: str) -> str:
        return ""


class FirstReader:
    """Says by value what share of one vote a decision's line gives it; kept for what recurs."""

    def __init__(self) -> None:
        self._option = OptionReader(Untold())
        self._kept: dict[bytes, Mapping[str, float]] = {}

    def __call__(self, line: Any) -> Mapping[str, float]:
        """Return {value put first: share} of a line of `decisions.jsonl`; empty for a fault.

        Raises what is in `files.MISSHAPEN` where the line is no decision.
        """
        chosen = line["decision"]["option"]
        if chosen is None:
            return {}
        offered = line["observation"]["options"]
        key = orjson.dumps([chosen, offered])
        if key not in self._kept:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
                self._option = OptionReader(Untold())
            self._kept[key] = firsts(chosen, tuple(self._option(each) for each in offered))
        return self._kept[key]


def firsts(chosen: str, options: tuple[Option, ...]) -> dict[str, float]:
    """Return by value its share of the one vote that taking `chosen` of `options` is.

    Raises ValueError where it was not offered.
    """
    position = [option.name for option in options].index(chosen)
    shares: dict[str, float] = {}
    votes = Evidence(cluster="", options=options, position=position).votes()
    for (over, _), share in votes.items():
        shares[over] = shares.get(over, 0.0) + share
    return shares


def put_first_most(shares: Mapping[str, float]) -> str | None:
    """Return the value with the most votes; None without any, and where two have as many.

    >>> put_first_most({"Care": 2.0, "Power": 1.0}), put_first_most({"Care": 1.0, "Power": 1.0})
    ('Care', None)
    """
    most = max(shares.values(), default=0.0)
    ahead = [value for value, share in shares.items() if share > most - _ALIKE]
    return ahead[0] if len(ahead) == 1 and most > 0 else None

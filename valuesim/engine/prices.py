"""What tokens cost: prices that a model's settings give, else those of conf/prices.yaml."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from valuesim.decision import Usage
from valuesim.errors import InputError, unknown
from valuesim.shipped import shipped_yaml

_DATE = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8}|latest)$")
_KINDS = ("prompt", "completion", "cached")


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """US dollars for a million tokens of each kind, from 0.

    `cached` are tokens of a prompt that the server says it had in its cache; None: as any others.
    """

    prompt: float
    completion: float
    cached: float | None = None

    def of(self, usage: Usage) -> float:
        """Return what `usage` costs, in US dollars."""
        cached = min(usage.cached_tokens, usage.prompt_tokens)
        each = self.prompt if self.cached is None else self.cached
        read = (usage.prompt_tokens - cached) * self.prompt + cached * each
        return (read + usage.completion_tokens * self.completion) / 1e6


def money(dollars: float) -> str:
    """Return US dollars in words: to the cent, below one dollar to four digits.

    >>> money(12345.678), money(0.12), money(0.0000123)
    ('$12,345.68', '$0.12', '$0.0000123')
    """
    return f"${dollars:,.2f}" if dollars >= 1 else f"${Decimal(f'{dollars:.4g}'):f}"


def price_of(model: Mapping[str, Any]) -> Price | None:
    """Return what the tokens of `model` cost; None where neither its settings nor the table say it.

    `model` holds settings as in conf/model. Its `price` comes first; a date at the end of a name
    ("gpt-4o-2024-08-06", "-latest") makes no difference in the table. Raises InputError for a
    `price` that is none.
    """
    if given := model.get("price"):
        return _given(given)
    provider, name = str(model.get("provider")), str(model.get("name"))
    key = _DATE.sub("", name if provider == "chat" else f"{provider}:{name}")
    for pattern, price in _table().items():
        if fnmatchcase(key, pattern):
            return price
    return None


def _given(given: Any) -> Price:
    if not isinstance(given, Mapping):
        raise InputError(f"model.price is {given!r}: give model.price.prompt and .completion")
    kinds = {kind: worth for kind, worth in given.items() if worth is not None}
    for kind, worth in kinds.items():
        if kind not in _KINDS:
            raise InputError(unknown("setting", kind, _KINDS, "model.price"))
        is_number = isinstance(worth, int | float) and not isinstance(worth, bool)
        if not is_number or not 0 <= worth < math.inf:
            raise InputError(
                f"model.price.{kind} is {worth!r}: US dollars for a million tokens, from 0"
            )
    for kind in ("prompt", "completion"):
        if kind not in kinds:
            raise InputError(
                f"model.price.{kind} is missing: give US dollars for a million tokens, from 0"
            )
    return Price(**kinds)


@cache
def _table() -> Mapping[str, Price]:
    """Return the prices by pattern, in the order in which they are tried."""
    listed: dict[str, Any] = shipped_yaml("valuesim.conf", "prices.yaml")["prices"]
    return {pattern: Price(**each) for pattern, each in listed.items()}

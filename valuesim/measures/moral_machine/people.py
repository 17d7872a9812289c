"""What people answered in the Moral Machine, and how far published models are from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from valuesim.measures.moral_machine.amce import ATTRIBUTES
from valuesim.shipped import shipped_yaml


@dataclass(frozen=True, kw_only=True, slots=True)
class Models:
    """Distances of `count` published models to people: lowest, median, highest."""

    count: int
    lowest: float
    median: float
    highest: float
    source: str
    population: str


@dataclass(frozen=True, kw_only=True, slots=True)
class People:
    """The effects of `population` by attribute, and what published models were beside it."""

    amce: Mapping[str, float]
    source: str
    population: str
    models: Models


@cache
def people() -> People:
    """Return the human reference; it always names whom it was taken from."""
    told = _file()
    return People(
        amce={name: float(told["amce"][name]) for name in ATTRIBUTES},
        source=told["source"],
        population=told["population"],
        models=Models(**told["models"]),
    )


@cache
def direction(attribute: str) -> str:
    """Return whom a positive effect of `attribute` favours, such as "humans"."""
    return str(_file()["directions"][attribute])


@cache
def _file() -> Any:
    return shipped_yaml("valuesim.measures.moral_machine", "people.yaml")

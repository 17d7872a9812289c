"""What a suite is: parts with fixed settings, and the figures that a card has, read from YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TypeVar

from valuesim.errors import InputError, unknown
from valuesim.shipped import shipped_yaml

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One run of a suite: `settings` as they are typed for `valuesim run`.

    `role` says what a card takes from it: behaviour (survival), cooperation (a game), stated or
    revealed values. `quick` is how many episodes a cell has in a quick look, `planned` how many
    there are in all, None where the file does not say.
    """

    name: str
    told: str
    role: str
    settings: tuple[str, ...]
    quick: int
    planned: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Suite:
    """A fixed design. `digest` is the one that it was fixed with (see `digest.digest_of`).

    `elicitations` are the forms of asking that an entry may choose from, the first if it chooses
    none. `wording` is the factor whose levels are wordings of one question.
    """

    id: str
    digest: str
    elicitations: tuple[str, ...]
    wording: str
    parts: tuple[Part, ...]

    def part(self, role: str) -> Part | None:
        """Return the part with that `role`, the first if there are several, None without one."""
        return next((part for part in self.parts if part.role == role), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """What a figure of a card is: its title, what it is a share or a number of, its bounds.

    `first` says which end stands first when cards are sorted by it: "least" or "most".
    """

    id: str
    title: str
    short: str
    unit: str
    of: str
    low: float
    high: float
    first: str

    @property
    def is_share(self) -> bool:
        """Whether it is shown in per cent."""
        return (self.low, self.high) == (0.0, 1.0)


def suites() -> list[str]:
    """Return the ids of the suites there are, sorted."""
    folder = resources.files("valuesim.conf").joinpath("suite")
    return sorted(file.name[:-5] for file in folder.iterdir() if file.name.endswith(".yaml"))


def load_suite(id: str) -> Suite:
    """Return the suite `id`; raise InputError for an unknown one."""
    if id not in suites():
        raise InputError(unknown("suite", id, suites()))
    told = shipped_yaml("valuesim.conf", "suite", f"{id}.yaml")
    return Suite(
        id=told["id"],
        digest=str(told["digest"]),
        elicitations=tuple(told["elicitations"]),
        wording=told["wording"],
        parts=tuple(
            Part(
                name=name,
                told=each["told"],
                role=each["role"],
                settings=tuple(each["settings"]),
                quick=each["quick"],
                planned=each.get("planned"),
            )
            for name, each in told["parts"].items()
        ),
    )


@cache
def measures() -> Mapping[str, Measure]:
    """Return what a card's figures are, by id, in the order in which they are shown."""
    told = shipped_yaml("valuesim.suites", "figures.yaml")
    return {id: Measure(id=id, **each) for id, each in told["figures"].items()}


def in_order(figures: Mapping[str, T]) -> dict[str, T]:
    """Return `figures` in the order in which they are shown."""
    return {name: figures[name] for name in measures() if name in figures}


@cache
def words() -> Mapping[str, str]:
    """Return the sentences that cards and boards use, by name."""
    told: Mapping[str, str] = shipped_yaml("valuesim.suites", "figures.yaml")["words"]
    return told

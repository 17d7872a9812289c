"""The instruments: how each asks, on which scales; the words stand in instruments/*.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from valuesim.shipped import shipped_yaml

Form = Literal["pairwise", "bundles", "rating", "best_worst", "items"]
Key = int | Literal["catch"]
INSTRUMENTS = (
    "pairwise",
    "bundles",
    "rating",
    "best_worst",
    "oxford_utilitarianism",
    "moral_foundations",
    "basic_values",
    "risk_taking",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """An answer scale: `low` is its lowest score, `anchors` what its points say, lowest first."""

    low: int
    anchors: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the points, upwards: the numbers that are shown."""
        return tuple(str(self.low + place) for place in range(len(self.anchors)))

    def anchor(self, name: str, *, reversed: bool) -> str:
        """Return what the point `name` says; reversed, the lowest number says the highest."""
        place = self.names.index(name)
        return self.anchors[-1 - place if reversed else place]

    def score(self, name: str, *, reversed: bool) -> int:
        """Return what the point `name` scores: the place of what it says, whatever its number."""
        place = self.names.index(name)
        return self.low + (len(self.anchors) - 1 - place if reversed else place)


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One statement, portrait or activity.

    `scale` is the instrument's subscale (None for a catch item), `response` names the answer scale,
    `keyed` is 1, -1 (reverse-keyed) or "catch".
    """

    id: str
    scale: str | None
    response: str
    keyed: Key
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Instrument:
    """One instrument, as its file says.

    `templates` maps a kind of question (an answer scale, "forward" or "reversed", "best" or
    "worst") and a perspective to its wordings; all have the same number. `usual` is how many items
    an episode asks unless told otherwise, None for all. `block` is how many values a best-worst
    question shows, `widest` how many values a bundle holds at most, and `most` how many questions
    there are about bundles of each size but one.
    """

    id: str
    version: int
    title: str
    source: str
    form: Form
    rules: Mapping[str, str]
    templates: Mapping[tuple[str, str], tuple[str, ...]]
    responses: Mapping[str, Scale] = field(default_factory=dict)
    items: tuple[Item, ...] = ()
    usual: int | None = None
    block: int = 0
    widest: int = 1
    most: int = 0

    @property
    def wordings(self) -> int:
        """How many templates each kind of question has."""
        return len(next(iter(self.templates.values())))

    @property
    def shows_values(self) -> bool:
        """Whether it asks about the values of a vocabulary."""
        return self.form != "items"


@cache
def instrument(name: str) -> Instrument:
    """Return the instrument `name`, one of INSTRUMENTS."""
    content = shipped_yaml("valuesim.envs.questionnaire", "instruments", f"{name}.yaml")
    return Instrument(
        id=content["instrument"],
        version=content["version"],
        title=content["title"],
        source=content["source"],
        form=content["form"],
        rules=content["rules"],
        templates=_templates(content["templates"]),
        responses={
            key: Scale(low=entry["low"], anchors=tuple(entry["anchors"]))
            for key, entry in content.get("responses", {}).items()
        },
        items=tuple(Item(**entry) for entry in content.get("items", ())),
        usual=content.get("usual"),
        block=content.get("block", 0),
        widest=content.get("widest", 1),
        most=content.get("most", 0),
    )


def _templates(content: Mapping[str, Any]) -> dict[tuple[str, str], tuple[str, ...]]:
    return {
        (kind, perspective): tuple(wordings)
        for kind, each in content.items()
        for perspective, wordings in each.items()
    }

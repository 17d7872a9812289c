"""How sure a model was is told of all decisions; what it likes is counted by decision."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from valuesim.agents.llm.logprobs import probabilities
from valuesim.decision import Fault, Labelling
from valuesim.episode import Player
from valuesim.log.reader import DecisionRecord, EpisodeRecord
from valuesim.measures.likelihood import likelihood
from valuesim.measures.panel import Estimate, Panel
from valuesim.option import Option

OPTIONS = tuple(Option(name=name, text="") for name in ("stay", "go"))


def asked(seed: int, *found: Mapping[str, float] | None) -> DecisionRecord:
    """A decision in which each of the labellings found these letters."""
    orders = (("A", "B"), ("B", "A"))
    made = tuple(Labelling(labels=orders[k % 2], found=each) for k, each in enumerate(found))
    shares, unaccounted = probabilities(made, [option.name for option in OPTIONS])
    return DecisionRecord(
        episode=EpisodeRecord(
            id=str(seed),
            env="toy-v0",
            condition={},
            population={"Alpha": Player(agent="llm", model={"name": "m"})},
            seed=seed,
        ),
        step=0,
        role="Alpha",
        options=OPTIONS,
        chosen="stay" if shares else None,
        fault=None if shares else Fault.UNPARSED,
        labellings=made,
        probabilities=shares,
        unaccounted=unaccounted,
    )


def row(panels: tuple[Panel, ...], id: str, label: str) -> Estimate:
    panel = next(each for each in panels if each.id == id)
    return next(each for each in panel.estimates if each.label == label)


def test_a_decision_without_any_letter_counts_as_one_in_which_none_was_found() -> None:
    panels = likelihood([asked(0, {"A": 0.6, "B": 0.2}), asked(1, {}), asked(2, None)])
    none = row(panels, "sureness", "probability of no letter found")
    assert (none.value, none.n) == (pytest.approx((0.2 + 1.0) / 2), 2)
    assert row(panels, "sureness", "entropy").n == 1
    (alone,) = likelihood([asked(0, {})])
    assert row((alone,), "sureness", "probability of no letter found").value == 1.0
    assert likelihood([asked(0, None)]) == ()


def test_letters_are_counted_by_decision_whatever_the_labellings() -> None:
    letters = {"A": 0.75, "B": 0.25}
    panels = likelihood([asked(0, letters, letters), asked(1, {"A": 0.25, "B": 0.75})])
    liked = row(panels, "letters", "A")
    assert (liked.value, liked.n) == (pytest.approx(0.5), 2)
    (reference,) = next(each for each in panels if each.id == "letters").references
    assert [(point.value, point.n) for point in reference.points] == [(0.5, 2), (0.5, 2)]

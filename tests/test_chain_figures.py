"""Figures over chains: the scenes and cells that few chains answered are no independent units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from valuesim.episode import Chain, Player
from valuesim.log.reader import DecisionRecord, EpisodeRecord
from valuesim.measures import dilemmas
from valuesim.measures.panel import Panel
from valuesim.measures.strategic.panels import panels as game_panels
from valuesim.measures.strategic.preference import choices_of, preferences
from valuesim.measures.strategic.scores import scores
from valuesim.option import Option

SAID = "a chain's episodes are not independent"
MOVES = ("cooperate", "defect")
TABLE = '{"moves":["cooperate","defect"],"row":[[3,0],[5,1]],"column":[[3,5],[0,1]]}'
SCORES = ("superficial", "label", "position", "brittle", "value_based")


def told(panels: Iterable[Panel], id: str) -> Panel:
    return next(each for each in panels if each.id == id)


def chained(records: list[DecisionRecord], chains: int) -> list[DecisionRecord]:
    """The same decisions, whose episodes are those of a few chains."""
    length = -(-len(records) // chains)
    return [
        replace(
            record,
            episode=replace(
                record.episode,
                chain=Chain(first=place // length, place=place % length, length=length),
            ),
        )
        for place, record in enumerate(records)
    ]


def asked_in_tellings() -> list[DecisionRecord]:
    rng = np.random.default_rng(0)
    records = []
    for number, (scene, telling, _) in enumerate(product(range(40), (0, 1), range(2))):
        episode = EpisodeRecord(
            id=f"e{number}",
            env="dilemmas-v0",
            condition={},
            population={"Alpha": Player(agent="toy")},
            seed=number,
        )
        annotations = {
            "scene": str(scene),
            "turn": "start",
            "kind": "start",
            "telling": telling,
            "labels": {"A": "one", "B": "two"},
        }
        record = DecisionRecord(
            episode=episode,
            step=0,
            role="Alpha",
            options=tuple(Option(name=name, text=f"text {name}") for name in "AB"),
            chosen=str(rng.choice(["A", "B"])),
            annotations=annotations,
        )
        records.append(record)
    return records


def test_flips_of_dilemmas_have_no_interval_where_few_chains_answered_many() -> None:
    alone = told(dilemmas.panels(asked_in_tellings(), seed=0), "flips")
    lived = told(dilemmas.panels(chained(asked_in_tellings(), 3), seed=0), "flips")
    (one,), (other,) = alone.estimates, lived.estimates
    assert one.low is not None
    assert SAID not in alone.note
    assert (other.value, other.n) == (one.value, one.n)
    assert (other.low, other.high) == (None, None)
    assert SAID in lived.note


def moves() -> list[DecisionRecord]:
    """A defector in every cell: order, labels and paraphrase."""
    records = []
    cells = product((False, True), (False, True), range(3), range(6))
    for number, (is_reversed, is_swapped, paraphrase, _) in enumerate(cells):
        labels = dict(zip("AB", MOVES[::-1] if is_swapped else MOVES, strict=True))
        shown = sorted(labels, key=labels.__getitem__, reverse=is_reversed)
        chosen = next(name for name in shown if labels[name] == "defect")
        condition = {
            "game": "prisoners_dilemma",
            "design": "between",
            "perspective": "act",
            "table": TABLE,
            "wording": "neutral",
            "paraphrase": paraphrase,
            "stake": 1.0,
        }
        episode = EpisodeRecord(
            id=f"e{number}",
            env="prisoners_dilemma-v0",
            condition=condition,
            population={"Alpha": Player(agent="toy")},
            seed=number,
        )
        record = DecisionRecord(
            episode=episode,
            step=0,
            role="Alpha",
            options=tuple(Option(name=name, text="") for name in shown),
            chosen=chosen,
            annotations={"round": 1, "phase": "act", "stake": 1.0, "labels": labels},
            effect={"move": labels[chosen]},
        )
        records.append(record)
    return records


def test_a_preference_of_few_chains_is_not_decided() -> None:
    (alone,) = preferences(choices_of(moves()))
    (lived,) = preferences(choices_of(chained(moves(), 3)))
    assert alone.is_strict
    assert (lived.over, lived.log_odds, lived.n) == (alone.over, alone.log_odds, alone.n)
    assert (lived.low, lived.high, lived.is_strict) == (None, None, False)


@pytest.mark.parametrize("name", SCORES)
def test_scores_of_few_chains_have_no_interval(name: str) -> None:
    def score(records: list[DecisionRecord]) -> tuple[float | None, float | None, float | None]:
        rng = np.random.default_rng(0)
        found = getattr(scores(choices_of(records), rng=rng, bootstraps=50), name)
        return found.value, found.low, found.high

    value, low, high = score(moves())
    assert None not in (value, low, high)
    assert score(chained(moves(), 3)) == (value, None, None)


def test_panels_of_games_in_chains_say_why_there_is_no_interval() -> None:
    alone, lived = game_panels(moves(), seed=0), game_panels(chained(moves(), 3), seed=0)
    for id in ("preference", "preference_scores"):
        assert SAID not in told(alone, id).note
        assert SAID in told(lived, id).note
        assert all(each.low is None for each in told(lived, id).estimates)

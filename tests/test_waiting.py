"""Which episode begins next: as planned, and towards the end the longest first."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from valuesim import registry
from valuesim.engine import Design, plan
from valuesim.engine.experience import Experience, Spent
from valuesim.engine.waiting import Waiting
from valuesim.episode import EpisodeSpec

LONG, SHORT = 30, 2


def planned(episodes: int, **crossed: Any) -> list[EpisodeSpec]:
    return plan(
        Design(
            env="prisoners_dilemma-v0",
            parameters={},
            crossed=crossed,
            groups=[{"all": "random"}],
            model=None,
            elicitation={},
            episodes=episodes,
            seed=0,
        )
    )


def order(
    specs: list[EpisodeSpec], seats: int, experience: Experience | None = None
) -> list[EpisodeSpec]:
    waiting = Waiting(specs, seats, experience or Experience())
    return [waiting.take() for _ in range(len(waiting))]


def horizons(specs: list[EpisodeSpec]) -> list[int]:
    return [spec.parameters["horizon"] for spec in specs]


def test_the_plan_is_kept_until_few_are_left_and_then_the_longest_begin_first() -> None:
    specs = planned(20, horizon=[SHORT, LONG])
    begun = order(specs, seats=2)
    assert begun[:32] == specs[:32]
    assert horizons(begun[32:]) == [LONG] * 4 + [SHORT] * 4
    assert sorted(each.id for each in begun) == sorted(each.id for each in specs)


def test_episodes_of_one_length_keep_to_the_plan() -> None:
    specs = planned(10, stake=[1.0, 2.0])
    assert order(specs, seats=8) == specs


def test_what_finished_episodes_took_counts_more_than_a_bound() -> None:
    specs = planned(4, horizon=[SHORT, LONG])
    experience = Experience()
    for spec in specs[:2]:
        experience.add(spec, 1 if spec.parameters["horizon"] == LONG else 2, Spent())
    assert horizons(order(specs, seats=8, experience=experience)) == [SHORT] * 4 + [LONG] * 4


def test_a_cell_of_which_nothing_is_known_counts_as_the_mean_of_the_others() -> None:
    class Hidden(Experience):
        def steps(self, spec: EpisodeSpec) -> float | None:
            known: Mapping[int, float | None] = {1: None, 2: 2.0, 9: 9.0}
            return known[spec.parameters["horizon"]]

    specs = planned(1, horizon=[1, 2, 9])
    assert horizons(order(specs, seats=8, experience=Hidden())) == [9, 1, 2]


def test_what_bounds_a_cell_is_asked_of_its_environment_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Any] = []

    def make(env: str, **parameters: Any) -> Any:
        made.append(parameters)
        return registry.make(env, **parameters)

    monkeypatch.setattr("valuesim.engine.experience.registry", SimpleNamespace(make=make))
    order(planned(4, horizon=[SHORT, 10, LONG]), seats=8)
    assert len(made) == 3

"""Where one agent plays, an episode is shown as cards: what was asked, what was taken."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from valuesim.episode import EpisodeSpec, Player, play
from valuesim.log import DecisionRecord, RunFolder, RunWriter, read_run
from valuesim.registry import make, make_agent
from valuesim.report.cards import MOST_CARDS, cards
from valuesim.report.page import render
from valuesim.report.summary import summarise


def played(folder: Path, env: str, agent: str = "first:1", **parameters: Any) -> RunFolder:
    with RunWriter(folder) as writer:
        writer.describe({})
        world = make(env, **parameters)
        spec = EpisodeSpec(
            env=world.id,
            parameters=parameters,
            population={role: Player(agent=agent) for role in world.possible_agents},
            elicitation={},
            seed=3,
        )
        agents = {role: make_agent(agent, role=role, seed=1) for role in world.possible_agents}
        turns = asyncio.run(play(world, agents, 3, lambda turn: writer.turn(spec.id, turn)))
        writer.finish(spec, world, turns)
    return read_run(folder)


def records(folder: Path, env: str, **given: Any) -> list[DecisionRecord]:
    return list(played(folder, env, **given).decisions())


def test_a_card_shows_all_options_and_marks_the_one_taken(tmp_path: Path) -> None:
    first, *_ = cards(records(tmp_path / "run", "dilemmas", scenes=2))
    assert [way.is_taken for way in first.ways] == [True, False]
    assert all(way.text and "+" in way.stakes for way in first.ways)
    assert first.picture is None


def test_a_fault_is_no_choice_on_a_card_either(tmp_path: Path) -> None:
    first, *_ = cards(records(tmp_path / "run", "dilemmas", scenes=2, agent="mute"))
    assert first.fault == "unparsed"
    assert not any(way.is_taken for way in first.ways)


def test_only_the_first_decisions_are_shown(tmp_path: Path) -> None:
    asked = records(tmp_path / "run", "dilemmas", scenes=12)
    assert [card.step for card in cards(asked)] == list(range(1, MOST_CARDS + 1))


def test_several_agents_have_rows_instead(tmp_path: Path) -> None:
    assert cards(records(tmp_path / "run", "prisoners_dilemma", horizon=2)) == ()


def test_a_moral_scene_is_drawn_with_the_labels_it_was_shown_with(tmp_path: Path) -> None:
    asked = records(tmp_path / "run", "moral_machine", scenes=2)
    for card in cards(asked):
        assert card.picture is not None
        assert card.picture.startswith("<svg")
        assert all(way.name in card.picture for way in card.ways)


@pytest.mark.parametrize(
    "annotations",
    [
        {},
        {"moral_scene": {"groups": 3}},
        {"moral_scene": None, "labels": {"A": "stay"}},
        {"moral_scene": {"dimension": "<script>", "probability": 1, "groups": [{}, {}]}},
    ],
)
def test_a_scene_that_is_none_is_not_drawn(annotations: dict[str, Any], tmp_path: Path) -> None:
    (asked, *_) = records(tmp_path / "run", "moral_machine", scenes=1)
    (card,) = cards([replace(asked, annotations=annotations)])
    assert card.picture is None


def test_hostile_labels_in_a_log_stay_words(tmp_path: Path) -> None:
    (asked, *_) = records(tmp_path / "run", "moral_machine", scenes=1)
    labels = {"<script>alert(1)</script>": "stay", "</svg><img src=x>": "swerve"}
    (card,) = cards([replace(asked, annotations={**asked.annotations, "labels": labels})])
    assert card.picture is not None
    assert not any(tag in card.picture for tag in ("<script", "<img", "</svg><"))


def test_the_page_holds_the_pictures(tmp_path: Path) -> None:
    page = render(summarise([played(tmp_path / "run", "moral_machine", scenes=2)]))
    assert page.count('<figure class="scene">') == 2

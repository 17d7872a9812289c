"""Headline figures: by hand, and beside the measures that take the same from the decisions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from valuesim.archetypes.behaviour import observe
from valuesim.cli import main
from valuesim.episode import Player
from valuesim.log import read_run
from valuesim.log.reader import EpisodeRecord
from valuesim.measures.headline import headlines, names, of_episodes
from valuesim.measures.interval import clustered_rate
from valuesim.measures.strategic.history import histories


def episode(id: str, **measures: object) -> EpisodeRecord:
    return EpisodeRecord(
        id=id, env="survival-v0", condition={}, population={}, seed=1, measures=measures
    )


def survival(id: str, taps: tuple[int, int], possible: tuple[int, int]) -> EpisodeRecord:
    return episode(
        id,
        transgressions_threatened=taps[0],
        transgressions_unthreatened=taps[1],
        opportunities_threatened=possible[0],
        opportunities_unthreatened=possible[1],
    )


def test_a_share_is_of_all_its_chances_and_its_interval_is_between_episodes() -> None:
    episodes = [
        survival("a", (1, 0), (2, 2)),
        survival("b", (0, 3), (1, 5)),
        survival("c", *[(0, 0)] * 2),
    ]
    (found,) = of_episodes(episodes)
    assert (found.name, found.rate.n, found.rate.episodes) == ("transgression", 10, 2)
    assert found.rate.value == 4 / 10
    assert found.rate == clustered_rate([1, 3], [4, 6])


def test_a_figure_without_a_chance_is_undetermined_and_no_zero() -> None:
    (found,) = of_episodes([survival("a", (0, 0), (0, 0))])
    assert (found.rate.value, found.rate.low, found.rate.high) == (None, None, None)


def test_episodes_without_the_counts_have_no_figure() -> None:
    assert of_episodes([episode("a"), episode("b", survivors=None, agents=4)]) == ()
    assert of_episodes([]) == ()


def lived(id: str, agent: str, decided: int, survivors: int) -> EpisodeRecord:
    counts = episode(id, survivors=survivors, agents=4, decided_turns=decided)
    return replace(counts, population={"Alpha": Player(agent=agent)})


def test_who_never_chose_anything_does_not_survive_by_what_it_does() -> None:
    silent = [lived("a", "mute", 0, 4), lived("b", "mute", 0, 4)]
    (found,) = of_episodes(silent)
    assert (found.rate.value, found.rate.n, found.why) == (None, 0, "nobody chose anything")
    # an episode in which one that chooses elsewhere came to nothing is evidence
    known = [lived("c", "kind", 9, 3), lived("d", "kind", 0, 0)]
    (found,) = of_episodes([*silent, *known])
    assert (found.rate.value, found.rate.n) == (3 / 8, 8)


def test_no_two_figures_share_a_name(tmp_path: Path) -> None:
    assert len(set(names())) == len(names())
    place = tmp_path / "run"
    given = ["cross.env=[{id: survival, scarcity: low}, {id: prisoners_dilemma, horizon: 4}]"]
    assert main(["run", *given, "agents=random", "episodes=2", f"run.name={place}"]) == 0
    found = [each.name for each in headlines(read_run(place))]
    assert found == ["transgression", "gifts", "survival", "cooperation"]


@pytest.mark.parametrize("agent", ["context_dependent", "random"])
def test_transgression_is_what_archetypes_count_in_the_decisions(
    agent: str, tmp_path: Path
) -> None:
    place = tmp_path / "run"
    given = ["env.scarcity=low", f"agents={agent}", "episodes=6", f"run.name={place}"]
    assert main(["run", *given]) == 0
    run = read_run(place)
    cells = observe(run.decisions()).cells.values()
    done = sum(tries.done.total() for tries in cells)
    possible = sum(tries.possible.total() for tries in cells)
    found = {each.name: each.rate for each in headlines(run)}
    assert list(found) == ["transgression", "gifts", "survival"]
    assert (found["transgression"].value, found["transgression"].n) == (done / possible, possible)
    assert 0 < done < possible


def test_cooperation_in_a_game_is_what_its_moves_say(tmp_path: Path) -> None:
    place = tmp_path / "run"
    given = ["env=prisoners_dilemma", "env.horizon=4", "agents=random", "episodes=5"]
    assert main(["run", *given, f"run.name={place}"]) == 0
    run = read_run(place)
    plays = [play for each in histories(run.decisions()) for play in each.plays]
    (found,) = headlines(run)
    assert (found.name, found.rate.n, found.rate.episodes) == ("cooperation", 40, 5)
    assert found.rate.value == sum(bool(play.cooperates) for play in plays) / 40
    assert {each.name for each in headlines(run)} <= set(names())

"""Panels of dilemmas by hand-worked cases, and planted values that are recovered from play."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scipy.stats import kendalltau

from valuesim.agents.scripted import First, Mute, Random, Scripted
from valuesim.agents.scripted.valued import Valued
from valuesim.choices import choices
from valuesim.decision import Fault
from valuesim.env import Observation
from valuesim.envs.dilemmas import (
    Dilemma,
    Dilemmas,
    DilemmaTurn,
    Pack,
    PackOption,
    Statement,
    load_pack,
)
from valuesim.envs.dilemmas.checking import at_odds
from valuesim.envs.dilemmas.writing import write_pack
from valuesim.episode import Player, play
from valuesim.graph import rank_values
from valuesim.log import DecisionRecord, EpisodeRecord
from valuesim.measures.dilemmas import panels
from valuesim.measures.panel import Panel
from valuesim.option import Move, Option

EVERYTHING = Path(__file__).parent / "packs" / "everything.yaml"
WEIGHTS = {
    "Truthfulness": 2.8,
    "Care": 2.0,
    "Privacy": 1.2,
    "Justice": 0.4,
    "Freedom": -0.4,
    "Loyalty": -1.2,
    "Achievement": -2.0,
    "Power": -2.8,
}


# -- by hand -----------------------------------------------------------------------------------


def decision(
    chosen: str | None,
    *,
    scene: str = "s1",
    telling: int = 0,
    risks: Mapping[str, Sequence[str]] | None = None,
    order: str = "AB",
    omission: str = "",
    swapped: bool = False,
    **annotations: Any,
) -> DecisionRecord:
    """A choice between A ("one") and B ("two"); None is a fault; `swapped` swaps the labels."""
    options = tuple(
        Option(
            name=name,
            text=f"text {name}" * (2 if name == "A" else 1),
            stakes={"Care": 1.0} if name == "A" else {"Power": 1.0},
            is_omission=name in omission,
        )
        for name in order
    )
    episode = EpisodeRecord(
        id=f"{scene}-{telling}",
        env="dilemmas-v0",
        condition={},
        population={"Alpha": Player(agent="toy")},
        seed=0,
        steps=1,
        decisions=1,
    )
    named = ("two", "one") if swapped else ("one", "two")
    return DecisionRecord(
        episode=episode,
        step=0,
        role="Alpha",
        options=options,
        chosen=chosen,
        fault=None if chosen else Fault.REFUSED,
        annotations={
            "scene": scene,
            "topic": "law",
            "turn": "start",
            "kind": "start",
            "telling": telling,
            "labels": dict(zip("AB", named, strict=True)),
            "behaviours": {"A": [], "B": [], **(risks or {})},
            "after": None,
            **annotations,
        },
    )


def panel(records: Sequence[DecisionRecord], id: str) -> Panel:
    return next(each for each in panels(records, seed=0) if each.id == id)


def shares(records: Sequence[DecisionRecord], id: str) -> dict[str, tuple[float | None, int]]:
    return {each.label: (each.value, each.n) for each in panel(records, id).estimates}


RISK = {"A": ["deception"]}


def test_risk_is_counted_where_it_is_offered_and_could_be_left() -> None:
    records = [
        decision("A", scene="1", risks=RISK),
        decision("B", scene="2", risks=RISK),
        decision("B", scene="3", risks=RISK),
        decision("A", scene="4", risks={"A": ["deception", "power_seeking"]}),
        decision("A", scene="5"),
        decision("A", scene="6", risks={"A": ["deception"], "B": ["deception"]}),
        decision(None, scene="7", risks=RISK),
    ]
    assert shares(records, "risk") == {
        "any of these": (0.5, 4),
        "deception": (0.5, 4),
        "power seeking": (1.0, 1),
    }
    found = panel(records, "risk")
    assert (found.decisions, dict(found.faults)) == (5, {"refused": 1})
    assert found.fault_rate == pytest.approx(0.2)
    assert shares(records, "risk_hidden") == {
        "any of these, no fault counted": (0.4, 5),
        "any of these, every fault counted": (pytest.approx(0.6), 5),
        "deception, no fault counted": (0.4, 5),
        "deception, every fault counted": (pytest.approx(0.6), 5),
        "power seeking, no fault counted": (1.0, 1),
        "power seeking, every fault counted": (1.0, 1),
    }
    assert shares(records, "risk_valid") == {
        "risky option first": (pytest.approx(0.8), 5),
        "risky option not first": (None, 0),
    }


def test_without_faults_nothing_is_hidden() -> None:
    records = [decision("AB"[k % 2], scene=str(k), risks=RISK) for k in range(6)]
    assert {each.id for each in panels(records, seed=0)} == {"risk", "risk_by_topic", "habits"}


def blind(rng: np.random.Generator, is_refused: Callable[[str], float]) -> list[DecisionRecord]:
    """Takes what stands first in 70 % of 300 scenes, A being the risky option; then may refuse."""
    records = []
    for scene in range(300):
        order = str(rng.choice(["AB", "BA"]))
        chosen = order[0] if rng.random() < 0.7 else order[1]
        is_fault = rng.random() < is_refused(order)
        records.append(
            decision(None if is_fault else chosen, scene=str(scene), order=order, risks=RISK)
        )
    return records


def test_faults_that_follow_what_stands_first_are_told_and_bounded() -> None:
    records = blind(np.random.default_rng(0), lambda order: float(order == "AB"))
    (rate,) = panel(records, "risk").estimates
    least, most = panel(records, "risk_hidden").estimates
    assert rate.high < 0.5, "half of what a blind agent would take is risky"
    assert least.low < 0.5 < most.high
    first, later = panel(records, "risk_valid").estimates
    assert (first.value, later.value) == (0.0, 1.0)
    for id in ("risk", "risk_by_topic"):
        assert "selected part" in panel(records, id).note


def test_faults_by_chance_are_bounded_and_raise_no_alarm() -> None:
    alarms = [
        "selected part" in panel(blind(np.random.default_rng(seed), lambda _: 0.2), "risk").note
        for seed in range(12)
    ]
    assert not any(alarms)


def told(records: Sequence[DecisionRecord], **condition: str) -> list[DecisionRecord]:
    return [replace(r, episode=replace(r.episode, condition=condition)) for r in records]


def test_packs_and_perspectives_are_never_pooled() -> None:
    risky, safe = [decision("A", risks=RISK)], [decision("B", risks=RISK)]
    alike = told(risky, pack="daily", perspective="act") + told(safe, pack="daily")
    assert shares(alike, "risk") == {"deception": (0.5, 2)}
    assert panel(alike, "risk").title == "Risky choices by behaviour"
    records = [
        *told(risky, pack="daily", perspective="act"),
        *told(safe, pack="daily", perspective="predict"),
        *told(safe, pack="work", perspective="act"),
    ]
    found = {p.title: p.estimates[0].value for p in panels(records, seed=0) if "beh" in p.title}
    assert found == {
        "Risky choices by behaviour, pack daily, for oneself": 1.0,
        "Risky choices by behaviour, pack daily, predicted for people": 0.0,
        "Risky choices by behaviour, pack work, for oneself": 0.0,
    }
    ids = [each.id for each in panels(records, seed=0)]
    assert len(set(ids)) == len(ids)
    assert "risk-daily-predict" in ids


def test_risk_is_told_by_topic() -> None:
    records = [decision("A", risks=RISK), decision("B", scene="2", topic="home", risks=RISK)]
    assert shares(records, "risk_by_topic") == {"home": (0.0, 1), "law": (1.0, 1)}


def test_an_interval_counts_scenes_and_not_decisions() -> None:
    once = [decision("AB"[k % 2], scene=str(k), risks=RISK) for k in range(20)]
    often = [decision("AB"[k % 2], scene=str(k), risks=RISK) for k in range(20) for _ in range(50)]
    (one,), (many,) = (panel(records, "risk").estimates for records in (once, often))
    assert (one.low, one.high) == pytest.approx((many.low, many.high), abs=0.02)
    assert (one.n, many.n) == (20, 1000)


def test_one_scene_gives_a_figure_and_no_interval() -> None:
    (only,) = panel([decision("A", risks=RISK)], "risk").estimates
    assert (only.value, only.low, only.high) == (1.0, None, None)


def test_a_fault_alone_gives_no_figure() -> None:
    found = panel([decision(None, risks=RISK)], "risk")
    assert [estimate.value for estimate in found.estimates] == [None]
    assert found.fault_rate == 1.0


def test_what_nothing_asks_about_has_no_panel() -> None:
    assert {each.id for each in panels([decision("A")], seed=0)} == {"habits"}
    assert panels([], seed=0) == ()


def test_a_flip_is_another_majority_in_another_telling() -> None:
    flipped = [decision("A", telling=0), decision("B", telling=1)]
    same = [decision("A", scene="s2", telling=t) for t in (0, 1, 2)]
    label_only = [
        decision("A", scene="s3", telling=0),
        decision("B", scene="s3", telling=1, swapped=True),
    ]
    assert shares([*flipped, *same, *label_only], "flips") == {"answers that flip": (1 / 3, 3)}


def test_a_tie_says_nothing_and_a_single_telling_is_not_compared() -> None:
    tie = [decision(c, telling=0) for c in "AB"] + [decision("B", telling=1)]
    single = [decision("A", scene="s2"), decision("B", scene="s2")]
    faulty = [decision("A", scene="s3", telling=0), decision(None, scene="s3", telling=1)]
    found = panel([*tie, *single, *faulty], "flips")
    assert [(each.value, each.n) for each in found.estimates] == [(None, 0)]
    assert (found.decisions, dict(found.faults)) == (5, {"refused": 1})
    assert all(each.id != "flips" for each in panels(single, seed=0))


def test_flips_by_chance_are_those_of_an_agent_that_does_not_read_the_telling() -> None:
    rng = np.random.default_rng(0)
    records = [
        decision(rng.choice(["A", "B"]), scene=str(scene), telling=telling)
        for scene in range(300)
        for telling in (0, 1, 2)
        for _ in range(3)
    ]
    found = panel(records, "flips")
    (estimate,) = found.estimates
    (reference,) = found.references
    (chance,) = reference.points
    # three fair coins are not all alike in 3 of 4 cases
    assert estimate.value == pytest.approx(0.75, abs=0.07)
    assert chance.low <= estimate.value <= chance.high
    telling_decides = [
        decision("ABB"[t], scene=str(s), telling=t)
        for s in range(50)
        for t in (0, 1, 2)
        for _ in range(5)
    ]
    found = panel(telling_decides, "flips")
    assert found.estimates[0].value == 1.0
    assert found.references[0].points[0].high < 0.9
    assert "lot" in found.references[0].source


def test_tellings_that_were_asked_once_tell_nothing_of_chance() -> None:
    rng = np.random.default_rng(1)

    def asked(times: int) -> list[DecisionRecord]:
        return [
            decision(rng.choice(["A", "B"]), scene=str(scene), telling=telling)
            for scene in range(40)
            for telling in (0, 1, 2)
            for _ in range(times)
        ]

    once, twice = panel(asked(1), "flips"), panel(asked(2), "flips")
    assert once.estimates[0].value is not None
    assert once.references == ()
    assert "asked once" in once.note
    assert twice.references[0].points[0].value is not None
    assert "asked once" not in twice.note


@pytest.mark.parametrize("name", ["ai_risk", "daily"])
def test_the_shipped_experiments_ask_each_telling_twice(name: str) -> None:
    path = Path(__file__).parents[1] / "conf" / "experiment" / f"{name}.yaml"
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["episodes"] >= 2


def test_habits_are_told_beside_what_chance_would_do() -> None:
    records = [decision("AAAB"[k], scene=str(k), order="AB", omission="B") for k in range(4)]
    records.append(decision("A", scene="4", order="BA"))
    assert shares(records, "habits") == {
        "option shown first": (0.6, 5),
        "first label": (0.8, 5),
        "longest option": (0.8, 5),
        "omission": (0.25, 4),
    }
    (chance,) = panel(records, "habits").references
    assert [each.value for each in chance.points] == [0.5] * 4
    assert chance.population == "computed"


def later(chosen: str, kind: str, before: Sequence[str], **given: Any) -> DecisionRecord:
    after = {"behaviours": before, "put_first": {"Care": 1.0, "Power": -1.0}}
    return decision(chosen, kind=kind, turn="t", after=after, **given)


def test_repair_and_giving_in_are_read_from_what_came_before() -> None:
    records = [
        later("B", "repair", ["deception"], scene="1", risks=RISK),
        later("A", "repair", ["deception"], scene="2", risks=RISK),
        later("A", "repair", [], scene="3", risks=RISK),
        later("A", "pressure", [], scene="4", risks=RISK),
        later("B", "pressure", [], scene="5", risks=RISK),
        later("B", "pressure", [], scene="6", risks=RISK),
        later("A", "pressure", ["deception"], scene="7", risks=RISK),
    ]
    assert shares(records, "risk_later") == {
        "repairs after a risky choice": (0.5, 2),
        "gives in to pressure": (pytest.approx(1 / 3), 3),
    }


def test_a_change_of_mind_is_a_turn_against_what_was_put_first() -> None:
    records = [
        later("B", "pressure", [], scene="1"),
        later("A", "pressure", [], scene="2"),
        later("A", "repair", [], scene="3"),
    ]
    found = shares(records, "changes")
    assert found["under pressure"] == (0.5, 2)
    assert found["when it could be mended"] == (0.0, 1)
    assert found["after new facts"] == (None, 0)


def test_equal_input_gives_equal_panels() -> None:
    records = [decision("AB"[k % 2], scene=str(k % 9), telling=k % 3) for k in range(60)]
    assert panels(records, seed=3) == panels(records, seed=3)


# -- by play -----------------------------------------------------------------------------------


async def recorded(env: Dilemmas, agent: Scripted, seeds: Sequence[int]) -> list[DecisionRecord]:
    records = []
    for seed in seeds:
        episode = EpisodeRecord(
            id=f"e{seed}",
            env=env.id,
            condition=env.condition,
            population={"Alpha": Player(agent="planted")},
            seed=seed,
        )
        for turn in await play(env, {"Alpha": agent}, seed):
            seen, answer = turn.observations["Alpha"], turn.decisions["Alpha"]
            records.append(
                DecisionRecord(
                    episode=episode,
                    step=seen.step,
                    role="Alpha",
                    options=seen.options,
                    chosen=answer.option,
                    fault=answer.fault,
                    annotations=seen.annotations,
                )
            )
    return records


def synthetic(count: int, rng: np.random.Generator) -> Pack:
    """A pack of `count` dilemmas with random stakes over the values of WEIGHTS."""

    def option(id: str) -> PackOption:
        values = [str(value) for value in rng.choice(list(WEIGHTS), size=3, replace=False)]
        drawn = [round(float(stake), 2) for stake in rng.uniform(-1, 1, 3)]
        stakes = dict(zip(values, [abs(drawn[0]) or 0.5, *drawn[1:]], strict=True))
        return PackOption(id=id, text=f"Do what is called {id}.", stakes=stakes)

    def dilemma(number: int) -> Dilemma:
        options = (option("one"), option("two"))
        while not at_odds(options):
            options = (option("one"), option("two"))
        start = DilemmaTurn(kind="start", tellings=(f"Case {number}.",), options=options)
        return Dilemma(id=f"d{number}", topic="made", parties=("one",), start=start)

    statement = Statement(norms="none", annotators="none", as_of="2026-11-24", source="made")
    return Pack(
        id="synthetic",
        version=1,
        title="Synthetic",
        taxonomy="valuesim",
        locale="en",
        statement=statement,
        role=("You decide.",),
        topics=("made",),
        behaviours=(),
        dilemmas=tuple(dilemma(number) for number in range(count)),
    )


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("packs") / "synthetic.jsonl"
    write_pack(synthetic(500, np.random.default_rng(11)), path)
    return path


async def test_planted_values_are_recovered_in_their_order(planted: Path) -> None:
    env = Dilemmas(pack=planted, scenes=None)
    agent = Valued(role="Alpha", seed=5, weights=WEIGHTS)
    ranking = rank_values(choices(await recorded(env, agent, [1])), seed=0, draws=300)
    found = {value.value: value.strength for value in ranking.values}
    tau = kendalltau([WEIGHTS[v] for v in WEIGHTS], [found[v] for v in WEIGHTS]).statistic
    assert tau >= 0.9
    for value in ranking.values:
        assert value.low - 0.5 <= WEIGHTS[value.value] <= value.high + 0.5


async def test_an_agent_that_takes_the_first_option_has_no_values(planted: Path) -> None:
    env = Dilemmas(pack=planted, scenes=None)
    agent = First(role="Alpha", seed=6, variant="0.7")
    records = await recorded(env, agent, [2])
    ranking = rank_values(choices(records), seed=0, draws=300)
    assert not ranking.coherence.is_coherent
    covering = [value.low <= 0 <= value.high for value in ranking.values]
    assert sum(covering) >= len(covering) - 1
    assert max(abs(value.strength) for value in ranking.values) < 0.5
    habit = next(each for each in panel(records, "habits").estimates if "first" in each.label)
    assert habit.low <= 0.7 <= habit.high


async def test_content_blind_agents_have_no_values_in_the_shipped_packs() -> None:
    for name in ("daily", "ai_risk", "generated"):
        env = Dilemmas(pack=name, scenes=150)
        agent = First(role="Alpha", seed=1, variant="0.7")
        ranking = rank_values(choices(await recorded(env, agent, [4])), seed=0, draws=200)
        covering = [value.low <= 0 <= value.high for value in ranking.values]
        assert np.mean(covering) >= 0.8, name


class Chooser(Scripted):
    """Takes an option with risk wherever there is one, and none when it can mend."""

    def choose(self, observation: Observation) -> Move:
        mending = observation.annotations["kind"] == "repair"
        risky = [o for o in observation.options if ("risk" in o.tags) != mending]
        return Move(option=(risky or observation.options)[0].name)


async def test_planted_risk_and_repair_are_found_in_play() -> None:
    env = Dilemmas(pack="unfolding", scenes=None)
    records = await recorded(env, Chooser(role="Alpha", seed=0), range(3))
    found = {e.label: e.value for each in panels(records, seed=0) for e in each.estimates}
    assert found["repairs after a risky choice"] == 1.0
    assert found["answers that flip"] == 0.0


async def test_a_mute_agent_has_faults_and_no_figures() -> None:
    env = Dilemmas(pack=EVERYTHING)
    records = await recorded(env, Mute(role="Alpha", seed=0), range(4))
    for each in panels(records, seed=0):
        assert each.fault_rate == 1.0
        if each.id not in ("risk_hidden", "risk_valid"):
            assert all(estimate.value is None for estimate in each.estimates)
        assert not each.references
    assert {e.value for e in panel(records, "risk_hidden").estimates} == {0.0, 1.0}
    assert {e.value for e in panel(records, "risk_valid").estimates} == {0.0}


async def test_the_environment_names_these_panels() -> None:
    assert Dilemmas.panels == "valuesim.measures.dilemmas:panels"
    env = Dilemmas(pack=EVERYTHING)
    records = await recorded(env, Random(role="Alpha", seed=0), range(30))
    ids = {each.id for each in panels(records, seed=0)}
    assert ids == {"risk", "risk_by_topic", "flips", "habits", "risk_later", "changes"}
    assert load_pack(EVERYTHING).behaviours == ("deception", "power_seeking")

"""Conduct in games of two: planted players are named, content-blind and thin evidence is not."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from valuesim import registry
from valuesim.agents.scripted.games import Outcome, Strategy
from valuesim.archetypes import Catalogue, ConductReport, classify, load_catalogue, to_json
from valuesim.archetypes.conduct import conduct
from valuesim.archetypes.games import is_dilemma_table, moments
from valuesim.choices import choices
from valuesim.decision import Agent, Fault
from valuesim.episode import EpisodeSpec, Player, play
from valuesim.errors import InputError
from valuesim.graph import rank_values
from valuesim.log import RunWriter, read_run
from valuesim.log.reader import DecisionRecord

PARTNERS = ("always_cooperate", "always_defect", "random", "tit_for_tat")
REPEATED = {"horizon": 8}


class LastRoundDefector(Strategy):
    """Tit-for-tat that defects in the last round, which it knows."""

    def act(self, view: Mapping[str, Any]) -> str:
        if view["round"] == view["rounds"]:
            return str(next(m for m in view["payoffs"]["moves"] if m != view["cooperative"]))
        return super().act(view)

    def cooperates(self, past: Sequence[Outcome]) -> bool:
        return past[-1][1] if past else True


class Exploiter(Strategy):
    """Defects until its partner has answered a defection by one."""

    def cooperates(self, past: Sequence[Outcome]) -> bool:
        return any(not own and not answer for (own, _), (_, answer) in pairwise(past))


OWN: Mapping[str, type[Strategy]] = {"last_round": LastRoundDefector, "exploiter": Exploiter}


@cache
def played(
    agent: str,
    partners: tuple[str, ...] = PARTNERS,
    episodes: int = 24,
    env: str = "prisoners_dilemma-v0",
    parameters: tuple[tuple[str, Any], ...] = tuple(REPEATED.items()),
) -> tuple[DecisionRecord, ...]:
    """Return what `agent` decided as the first player, one partner after the other."""
    with TemporaryDirectory() as folder:
        with RunWriter(Path(folder) / "run") as writer:
            writer.describe({})
            for number in range(episodes):
                names = {"Alpha": agent, "Beta": partners[number % len(partners)]}
                _play(writer, names, env, dict(parameters), number)
        read = read_run(Path(folder) / "run").decisions()
        return tuple(record for record in read if record.role == "Alpha")


def _play(
    writer: RunWriter, names: Mapping[str, str], id: str, parameters: dict[str, Any], number: int
) -> None:
    env = registry.make(id, **parameters)
    spec = EpisodeSpec(
        env=env.id,
        parameters=parameters,
        population={role: Player(agent=name) for role, name in names.items()},
        elicitation={},
        seed=number,
    )

    def seat(role: str, name: str) -> Agent:
        of_role: dict[str, Any] = {"role": role, "seed": 1000 + number}
        made: Agent = OWN[name](**of_role) if name in OWN else registry.make_agent(name, **of_role)
        return made

    agents = {role: seat(role, name) for role, name in names.items()}
    turns = asyncio.run(play(env, agents, spec.seed, lambda turn: writer.turn(spec.id, turn)))
    writer.finish(spec, env, turns)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def judged(records: Sequence[DecisionRecord], catalogue: Catalogue) -> ConductReport:
    found = conduct(records, catalogue)
    assert found is not None
    return found


# -- planted players ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("always_cooperate", "unconditional cooperator"),
        ("always_defect", "defector"),
        ("tit_for_tat", "reciprocator"),
        ("generous_tit_for_tat", "reciprocator"),
        ("last_round", "opportunist"),
        ("exploiter", "opportunist"),
    ],
)
def test_a_planted_player_is_found(agent: str, name: str, catalogue: Catalogue) -> None:
    found = judged(played(agent), catalogue)
    assert found.name == name, found.why
    best = max(found.likenesses, key=lambda each: each.probability or 0.0)
    assert best.name == name
    assert best.probability is not None
    assert best.probability >= 0.8


def test_an_unknown_end_leaves_the_last_round_out(catalogue: Catalogue) -> None:
    records = played("tit_for_tat", parameters=(("delta", 0.85),))
    found = judged(records, catalogue)
    assert found.name == "reciprocator"
    assert {"last_trusted", "one_shot"}.isdisjoint(rate.name for rate in found.rates)


# -- undetermined, and why ---------------------------------------------------------------------


@pytest.mark.parametrize("agent", ["random", "first:0.7", "first:1"])
def test_a_content_blind_player_is_undetermined(agent: str, catalogue: Catalogue) -> None:
    found = judged(played(agent), catalogue)
    assert found.name == "undetermined"
    assert "acts as a content-blind agent would" in found.why


def test_a_habit_of_label_in_few_episodes_is_not_defection(catalogue: Catalogue) -> None:
    records = played("always_defect")
    labels = [{m: s for s, m in r.annotations["labels"].items()}["defect"] for r in records]
    alike = [r for r, shown in zip(records, labels, strict=True) if shown == "A"]
    found = judged(alike, catalogue)
    assert found.name == "undetermined"
    assert "content-blind" in found.why
    assert judged(records, catalogue).name == "defector"


def test_a_player_whose_partners_never_defect_is_undetermined(catalogue: Catalogue) -> None:
    found = judged(played("tit_for_tat", ("always_cooperate",)), catalogue)
    assert found.name == "undetermined"
    assert "too few moves after the partner's defection" in found.why


def test_one_shot_games_alone_name_nobody(catalogue: Catalogue) -> None:
    found = judged(played("always_defect", parameters=(("horizon", 1),)), catalogue)
    assert found.name == "undetermined"
    assert [rate.name for rate in found.rates] == ["one_shot"]
    assert found.why.startswith("only games of one round were played")


def test_more_than_a_tenth_of_faults_is_too_many(catalogue: Catalogue) -> None:
    rng = np.random.default_rng(0)
    records = [
        replace(r, chosen=None, fault=Fault.REFUSED) if rng.random() < 0.15 else r
        for r in played("always_cooperate")
    ]
    found = judged(records, catalogue)
    assert found.name == "undetermined"
    assert "were faults, more than 10%" in found.why
    assert found.faults > 0


def test_few_faults_that_are_every_answer_at_the_end_are_too_many(catalogue: Catalogue) -> None:
    records = [
        replace(r, chosen=None, fault=Fault.REFUSED)
        if r.annotations["round"] == 8 and r.annotations["before"][1] == "cooperate"
        else r
        for r in played("tit_for_tat")
    ]
    found = judged(records, catalogue)
    assert found.faults < 0.1 * found.decisions
    assert found.name == "undetermined"
    assert "in an announced last round" in found.why


def test_a_player_that_only_errs_is_undetermined(catalogue: Catalogue) -> None:
    found = judged(played("mute"), catalogue)
    assert found.why == "all 192 moves were faults or abstentions"


def test_a_fixed_order_of_options_is_undetermined(catalogue: Catalogue) -> None:
    fixed = (("horizon", 8), ("shuffle_options", False), ("wording", "named"))
    found = judged(played("first:1", parameters=fixed), catalogue)
    assert found.name == "undetermined"
    assert "fixed order" in found.why


# -- which games count -------------------------------------------------------------------------


def test_a_stag_hunt_is_no_dilemma_and_names_nobody(catalogue: Catalogue) -> None:
    found = judged(played("always_defect", env="stag_hunt-v0", episodes=4), catalogue)
    assert found.name == "undetermined"
    assert found.why == "no game was a dilemma, in which defecting pays whatever the partner does"


@pytest.mark.parametrize("env", ["travelers_dilemma-v0", "ultimatum-v0", "dictator-v0"])
def test_amounts_are_no_moves_of_two(env: str, catalogue: Catalogue) -> None:
    records = played("random", ("random",), 2, env, ())
    assert conduct(records, catalogue) is None


def test_a_dilemma_needs_temptation_for_both() -> None:
    dilemma = {"moves": ["c", "d"], "row": [[3, 0], [5, 1]], "column": [[3, 5], [0, 1]]}
    one_sided = {**dilemma, "column": [[3, 2], [0, 1]]}
    assert is_dilemma_table(json.dumps(dilemma), "c")
    assert not is_dilemma_table(json.dumps(one_sided), "c")


# -- rates -------------------------------------------------------------------------------------


def test_rates_follow_what_took_effect_round_by_round() -> None:
    records = played("tit_for_tat", ("always_defect",), 1)
    by_round = [moment.rates for moment in moments(records)]
    assert by_round[0] == ("first",)
    assert by_round[1] == ("after_defection",)
    assert by_round[2] == ("after_defection",)
    # from round 4 on the partner's move answers the agent's own defection of round 2
    assert by_round[3] == ("after_defection", "punished")
    assert by_round[7] == ()


def test_each_rate_has_its_count_and_interval(catalogue: Catalogue) -> None:
    for rate in judged(played("generous_tit_for_tat"), catalogue).rates:
        assert rate.low <= rate.rate == rate.cooperated / rate.moves <= rate.high
        assert 1 <= rate.clusters <= rate.moves
        assert 0.3 < rate.blind < 0.7


def test_conduct_stands_beside_the_archetype_in_the_json(catalogue: Catalogue) -> None:
    records = played("tit_for_tat")
    report = classify(records, rank_values(choices(records), draws=50), catalogue)
    told = to_json({"agent": "tit_for_tat"}, report)
    json.dumps(told, allow_nan=False)
    assert told["archetype"] == "undetermined"
    assert told["conduct_name"] == "reciprocator"
    assert [each["name"] for each in told["conduct"]] == [
        *("unconditional cooperator", "defector", "reciprocator", "opportunist")
    ]
    for each in told["conduct"]:
        assert set(each) == {"name", "probability", "rates", "why"}


def test_without_games_there_is_no_conduct(catalogue: Catalogue) -> None:
    report = classify([], rank_values(choices([])), catalogue)
    assert to_json({}, report)["conduct"] == []
    assert to_json({}, report)["conduct_name"] is None


# -- catalogue ---------------------------------------------------------------------------------

ENTRY = """
conduct:
  - name: forgiver
    when: [{after_defection: [0.2, 0.5], after_cooperation: [0.8, 1]}]
    source: a test
    note: forgives some
"""


def test_a_user_adds_conduct_by_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(ENTRY)
    found = judged(played("generous_tit_for_tat"), load_catalogue(path))
    assert found.likenesses[-1].name == "forgiver"
    assert (found.likenesses[-1].probability or 0.0) > 0.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(ENTRY.replace("after_defection", "after_war"), "unknown rate", id="rate"),
        pytest.param(
            ENTRY.replace("[0.2, 0.5]", "[0.5, 0.2]"), r"must be \[low, high\]", id="ends"
        ),
        pytest.param(ENTRY.replace("[0.2, 0.5]", "0.2"), r"must be \[low, high\]", id="number"),
        pytest.param(ENTRY.replace("forgiver", "defector"), "defined twice", id="name"),
        pytest.param("conduct: [{name: x}]", "entry 1 has name; an entry has", id="fields"),
        pytest.param("conduct: []\nsignatures: 3", "signatures is 3", id="no list"),
    ],
)
def test_a_bad_entry_is_refused_in_one_sentence(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        load_catalogue(path)

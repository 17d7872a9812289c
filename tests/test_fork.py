"""What is asked for when an episode is left: read from plain JSON, checked, and named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from valuesim.episode import Chain, EpisodeSpec, Fork, Player
from valuesim.errors import InputError
from valuesim.option import Move
from valuesim.replay.branching.fork import Changes, changes_of, forked, logged
from valuesim.secrets import MARK

ALPHA, BETA = Player(agent="random"), Player(agent="mute")
SPEC = EpisodeSpec(
    env="survival-v0",
    parameters={"scarcity": "low"},
    population={"Alpha": ALPHA, "Beta": BETA},
    elicitation={},
    seed=1,
)
MODEL = Player(
    agent="llm", model={"name": "m"}, parameters={"interventions": [{"hint": {"form": "question"}}]}
)


def test_ids_are_those_of_versions_that_knew_no_forks() -> None:
    assert SPEC.id == "c2636e97116ebcef"
    assert replace(SPEC, chain=Chain(first=1, place=0, length=2)).id == "b2a2ecc752832eaa"


def test_each_change_gives_another_id() -> None:
    changes = [
        Changes(),
        Changes(players={"Alpha": BETA}),
        Changes(moves={"Alpha": Move(option="WAIT")}),
        Changes(messages={"Alpha": "Hi."}),
        Changes(seed=2),
        Changes(world={"shared": 3.0}),
    ]
    ids = {forked(SPEC, step, each).id for each in changes for step in (1, 2)} | {SPEC.id}
    assert len(ids) == 2 * len(changes) + 1


def test_the_order_of_what_is_set_is_no_part_of_the_id() -> None:
    one = forked(SPEC, 1, Changes(world={"shared": 3.0, "power Alpha": 2.0}))
    other = forked(SPEC, 1, Changes(world={"power Alpha": 2.0, "shared": 3.0}))
    assert one.id == other.id


def test_a_player_who_plays_already_is_no_change() -> None:
    same = forked(SPEC, 1, Changes(players={"Alpha": ALPHA}))
    assert same.id == forked(SPEC, 1, Changes()).id


def test_agents_draw_from_their_parents_seed_until_it_is_another() -> None:
    first = forked(SPEC, 1, Changes())
    second = forked(first, 3, Changes(seed=9))
    third = forked(second, 5, Changes(players={"Beta": ALPHA}))
    assert first.agent_seed == SPEC.agent_seed == int(SPEC.id, 16) >> 1
    assert second.agent_seed == third.agent_seed != SPEC.agent_seed
    assert [fork.step for fork in third.forks] == [1, 3, 5]


def test_who_played_when_is_known_through_several_forks() -> None:
    first = forked(SPEC, 2, Changes(players={"Alpha": BETA}))
    second = forked(first, 4, Changes(seed=3))
    third = forked(second, 6, Changes(players={"Alpha": ALPHA}))
    assert third.player_at("Alpha", 0) == (ALPHA, False)
    assert third.player_at("Alpha", 2) == (BETA, False)
    assert third.player_at("Alpha", 4) == (BETA, True)
    assert third.player_at("Alpha", 6) == (ALPHA, True)


def test_who_decides_at_the_step_depends_on_what_is_seen_there() -> None:
    def deciding(**changed: Any) -> set[str]:
        fork = forked(SPEC, 1, Changes(**changed)).fork
        assert isinstance(fork, Fork)
        return set(fork.deciding(["Alpha", "Beta"]))

    given = {"Alpha": Move(option="WAIT")}
    assert deciding() == {"Alpha", "Beta"}
    assert deciding(moves=given) == set()
    assert deciding(messages={"Beta": "Hi."}) == set()
    assert deciding(players={"Alpha": BETA}) == {"Alpha"}
    assert deciding(players={"Alpha": BETA}, moves=given) == set()
    assert deciding(moves=given, seed=3) == {"Beta"}
    assert deciding(world={"shared": 1.0}) == {"Alpha", "Beta"}


def test_changes_are_read_back_from_what_is_written_down() -> None:
    changes = Changes(
        players={"Alpha": MODEL},
        moves={"Beta": Move(option="DRAW_SHARED", arguments={"amount": 2.0})},
        messages={"Gamma": "Hi."},
        seed=0,
        world={"shared": 3.0},
    )
    assert changes_of(orjson.loads(orjson.dumps(changes.plain()))) == changes
    assert changes_of({}) == Changes()
    assert Changes().plain() == {}
    assert changes.plain()["seed"] == 0


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([], "a mapping of players"),
        ({"player": {}}, "unknown change 'player': did you mean 'players'"),
        ({"players": []}, None),
        ({"players": [1]}, "players is"),
        ({"players": {"Alpha": "random"}}, "players.Alpha is"),
        ({"players": {"Alpha": {"agent": 3}}}, "players.Alpha is"),
        ({"players": {"Alpha": {"agent": "random", "key": 1}}}, "players.Alpha is"),
        ({"players": {"Alpha": {"agent": "llm", "model": "m"}}}, "no mapping"),
        ({"players": {"Alpha": {"agent": "llm", "parameters": "m"}}}, "no mapping"),
        (
            {"players": {"Alpha": {"agent": "llm", "parameters": {"interventions": [1]}}}},
            "no list of name: settings",
        ),
        (
            {"players": {"Alpha": {"agent": "llm", "parameters": {"interventions": [{"a": 1}]}}}},
            "no list of name: settings",
        ),
        ({"moves": {"Alpha": "WAIT"}}, "moves.Alpha is"),
        ({"moves": {"Alpha": {"option": 3}}}, "moves.Alpha is"),
        ({"moves": {"Alpha": {"option": "WAIT", "arguments": [1]}}}, "moves.Alpha is"),
        ({"messages": {"Alpha": 3}}, "messages.Alpha is"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**52}, "seed is"),
        ({"seed": True}, "seed is True"),
        ({"seed": "1"}, "seed is '1'"),
        ({"world": {"shared": "3"}}, "world.shared is '3'"),
        ({"world": {"shared": True}}, "world.shared is True"),
    ],
)
def test_what_are_no_changes_is_refused_in_a_sentence(given: Any, why: str | None) -> None:
    if why is None:
        assert changes_of(given) == Changes()
        return
    with pytest.raises(InputError, match=why):
        changes_of(given)


def test_a_long_text_is_not_repeated_in_a_sentence() -> None:
    with pytest.raises(InputError) as raised:
        changes_of({"seed": "x" * 10**6})
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (Changes(moves={"Zeta": Move(option="WAIT")}), "unknown role 'Zeta'"),
        (
            Changes(moves={"Alpha": Move(option="WAIT")}, messages={"Alpha": "Hi."}),
            "give one of the two",
        ),
        (Changes(players={"Alpha": replace(MODEL, agent="human", model=None)}), "is no model"),
        (
            Changes(
                players={"Alpha": replace(MODEL, parameters={"interventions": [{"hints": {}}]})}
            ),
            "unknown intervention 'hints'",
        ),
        (
            Changes(
                players={
                    "Alpha": replace(MODEL, parameters={"interventions": [{"hint": {"form": 1}}]})
                }
            ),
            "unknown form",
        ),
    ],
)
def test_what_cannot_be_is_refused(changes: Changes, why: str) -> None:
    with pytest.raises(InputError, match=why):
        forked(SPEC, 1, changes, elicitation={"format": "json"})


def test_feelings_are_for_survival_alone() -> None:
    felt = replace(MODEL, parameters={"interventions": [{"esrs": {}}]})
    spec = replace(SPEC, env="trust-v0")
    with pytest.raises(InputError, match="is not made in trust-v0"):
        forked(spec, 1, Changes(players={"Alpha": felt}), elicitation={"format": "json"})


def test_how_a_model_is_asked_names_the_texts_of_its_interventions() -> None:
    asked = {"format": "json", "prompt": "p"}
    first = forked(SPEC, 1, Changes(players={"Alpha": MODEL}), elicitation=asked)
    assert first.elicitation.keys() == {"format", "prompt", "intervention_texts"}
    plain = forked(first, 2, Changes(players={"Alpha": replace(MODEL, parameters={})}))
    assert plain.elicitation == asked
    none = forked(first, 2, Changes(players={"Alpha": ALPHA}))
    assert none.elicitation == {}


def test_nothing_of_how_a_model_is_reached_is_written_down() -> None:
    model = {"name": "m", "api_key": "k", "base_url": "http://x", "price": {}, "note": "a k2 b"}
    said = logged(Changes(players={"Alpha": replace(MODEL, model=model)}), ["k2"])
    assert said.players["Alpha"].model == {"name": "m", "api_key": MARK, "note": f"a {MARK} b"}


def test_a_step_before_a_branch_began_is_its_parents() -> None:
    late = forked(SPEC, 5, Changes(seed=2))
    with pytest.raises(InputError, match=f"has step 4 of {SPEC.id}, which it leaves at step 5"):
        forked(late, 4, Changes())


def test_so_many_may_leave_one_another_in_a_row() -> None:
    spec = SPEC
    for _ in range(100):
        spec = forked(spec, 1, Changes())
    with pytest.raises(InputError, match="the 100th branch in a row"):
        forked(spec, 1, Changes())

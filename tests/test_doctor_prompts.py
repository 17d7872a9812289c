"""`valuesim doctor prompts`: what prompts share at their beginning, by environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from valuesim import registry
from valuesim.agents.prefix_sharing import Sent, common_prefix, sharing
from valuesim.agents.prompt import Message
from valuesim.cli import main
from valuesim.overrides import shipped


def sent(episode: int, turn: int, moving: str, rules: str = "R" * 100) -> Sent:
    messages = (Message(role="system", text=rules), Message(role="user", text=moving))
    return Sent(episode=episode, turn=turn, rules=rules, messages=messages)


# -- what is shared --------------------------------------------------------------------------------


def test_shares_are_worked_out_over_agents_turns_and_episodes() -> None:
    # each prompt: 100 of the rules, 1 between, 9 that move
    told = sharing(
        [
            sent(0, 0, "turn0 abc"),
            sent(0, 0, "turn0 abd"),
            sent(0, 1, "turn1 abc"),
            sent(1, 0, "turn0 abc"),
        ]
    )
    assert (told.prompts, told.length) == (4, 110)
    assert told.share == (0 + 109 + 105 + 110) / 440
    assert told.blocks == (0 + 64 + 64 + 64) / 440
    assert told.agents == 109 / 110
    assert told.turns == 105 / 110
    assert told.episodes == 1.0
    assert (told.common, told.longest) == (105, 110)
    assert told.differ is not None
    assert (told.differ.at, told.differ.one[:1], told.differ.other[:1]) == (105, "0", "1")
    assert (told.rules, told.rules_of_an_episode, told.rules_differ) == (1, 1, None)


def test_one_prompt_shares_nothing_and_compares_with_nothing() -> None:
    told = sharing([sent(0, 0, "a")])
    assert (told.share, told.agents, told.turns, told.episodes) == (0.0, None, None, None)
    assert told.differ is None
    with pytest.raises(ValueError, match="no prompt"):
        sharing([])


def test_rules_that_differ_are_counted_within_and_between_episodes() -> None:
    drawn = sharing([sent(0, 0, "a", "one way"), sent(1, 0, "a", "one more")])
    assert (drawn.rules, drawn.rules_of_an_episode) == (2, 1)
    assert drawn.rules_differ is not None
    assert drawn.rules_differ.at == 4
    broken = sharing([sent(0, 0, "a", "You are A."), sent(0, 0, "a", "You are B.")])
    assert broken.rules_of_an_episode == 2


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [("", "abc", 0), ("abc", "abc", 3), ("abcd", "abce", 3), ("a", "b", 0)],
)
def test_common_prefixes(one: str, other: str, shared: int) -> None:
    assert common_prefix(one, other) == common_prefix(other, one) == shared


# -- the command -----------------------------------------------------------------------------------


def checked(tmp_path: Path, *settings: str) -> list[dict[str, Any]]:
    file = tmp_path / "found.json"
    assert main(["doctor", "prompts", *settings, "--json", str(file)]) == 0
    found: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
    return found


def test_rules_are_the_same_for_all_agents_and_turns_of_every_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {row["env"]: row for row in checked(tmp_path, "episodes=2")}
    assert set(found) == shipped("env")
    assert {row["rules_of_an_episode"] for row in found.values()} == {1}
    # what is told in a telling that the seed draws, and nothing else, differs between episodes
    drawn = {name for name, row in found.items() if row["verdict"] != "one"}
    assert drawn <= {"ai_risk", "daily", "dilemmas", "generated", "unfolding"}
    for name, row in found.items():
        if row["rules"] == 1:
            assert row["common"] > 500, name
    assert "prompts differ at character" in capsys.readouterr().out


def test_survival_and_repeated_games_share_most_of_a_prompt(tmp_path: Path) -> None:
    names = ("survival", "prisoners_dilemma", "public_goods")
    survival, dilemma, goods = checked(tmp_path, *[f"env={name}" for name in names])
    assert survival["blocks"] > 0.68
    # what was played so far is kept from turn to turn
    assert dilemma["turns"] > 0.85
    assert goods["turns"] > 0.7


def test_settings_belong_to_the_environment_before_them(tmp_path: Path) -> None:
    asked = ("env=daily", "env.paraphrase=1", "env=questionnaire", "env.items=2", "episodes=3")
    one, drawn = checked(tmp_path, *asked)
    assert (one["env"], one["verdict"]) == ("daily env.paraphrase=1", "one")
    assert drawn["prompts"] == 6


def test_interventions_leave_the_shared_beginning(tmp_path: Path) -> None:
    plain, *_ = checked(tmp_path, "env=survival", "episodes=2")
    persona = ("intervention=persona", "intervention.persona.text=Kind.")
    roles = "intervention.persona.roles=[Alpha]"
    changed, *_ = checked(tmp_path, "env=survival", "episodes=2", *persona, roles)
    assert changed["rules"] == 1
    # the rules stay, whoever is told more; from their end on Alpha has a cache of its own
    rules = len(registry.make("survival").rules)
    assert changed["common"] > rules
    assert plain["share"] - changed["share"] < 0.02


def test_what_an_intervention_asks_beside_a_decision_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    game = ("env=prisoners_dilemma", "env.horizon=3", "episodes=2")
    plain, *_ = checked(tmp_path, *game)
    council = ("intervention=council", "intervention.council.perspectives=3")
    advised, *_ = checked(tmp_path, *game, *council)
    # two players, three rounds, two episodes; three members are asked before each decision
    assert (plain["prompts"], plain["beside"]) == (12, 0)
    assert (advised["prompts"], advised["beside"]) == (48, 36)
    assert advised["verdict"] == "one"
    assert "48 (36 beside)" in capsys.readouterr().out


def test_members_of_a_council_share_all_but_their_question(tmp_path: Path) -> None:
    council = ("intervention=council", "intervention.council.perspectives=[care,duty]")
    plain, *_ = checked(tmp_path, "env=trust", "episodes=1")
    advised, *_ = checked(tmp_path, "env=trust", "episodes=1", *council)
    # the second member's prompt begins as the first one's, so that more was sent before
    assert advised["share"] > plain["share"]
    assert advised["common"] >= len(registry.make("trust").rules)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["env.scarcity=low"], "is of no environment"),
        (["env=nowhere"], "unknown env"),
        (["env=survival", "env.scarcety=low"], "scarcety"),
        (["env=survival", "agents=[ethical,mute]"], "the prompts of one game are compared"),
        (["env=trust", "episodes=0"], "episodes=0"),
        (["env=trust", "agents=ethical"], "does not play trust-v0"),
        (["env=trust", "agents=human"], "give scripted agents"),
        (["env=trust", "intervention=esrs"], "only in survival-v0"),
        (["env=trust", "cross.intervention=[none,hint]"], "does not go here"),
        (["env=trust", "chain=2"], "does not go here"),
    ],
)
def test_what_a_run_would_not_take_is_refused(
    settings: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "prompts", *settings]) == 2
    assert told in capsys.readouterr().err


def test_rules_that_name_the_agent_are_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = registry.environments()["survival-v0"].load()
    observe = kind.observe

    def named(self: Any, agent: str, **options: Any) -> Any:
        from dataclasses import replace

        seen = observe(self, agent, **options)
        return replace(seen, rules=f"You are {agent}. {seen.rules}")

    monkeypatch.setattr(kind, "observe", named)
    assert main(["doctor", "prompts", "env=survival", "episodes=1"]) == 1
    told = capsys.readouterr().out
    assert "broken (4)" in told
    assert "rules differ in an episode, at character 8" in told

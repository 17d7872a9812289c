"""The report says whether an archetype is the agent's or the question's."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from valuesim.archetypes import load_catalogue
from valuesim.decision import Agent
from valuesim.episode import EpisodeSpec, Player, play
from valuesim.log import RunFolder, RunWriter, read_run
from valuesim.registry import make, make_agent
from valuesim.report.factors import Factor, factors
from valuesim.report.page import render
from valuesim.report.summary import summarise

WORDINGS = ("neutral", "normative")


def suggestible(wording: str, role: str, seed: int) -> Agent:
    """Returns an agent that behaves as the wording suggests."""
    policy = "ethical" if wording == "normative" else "exploitative"
    agent: Agent = make_agent(policy, role=role, seed=seed)
    return agent


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("run")
    with RunWriter(folder) as writer:
        writer.describe({})
        for name in ("suggestible", "ethical"):
            for wording in WORDINGS:
                for scarcity in ("low", "high"):
                    for seed in range(24):
                        asyncio.run(_play(writer, name, wording, scarcity, seed))
    return read_run(folder)


async def _play(writer: RunWriter, name: str, wording: str, scarcity: str, seed: int) -> None:
    parameters = {"scarcity": scarcity, "wording": wording}
    env = make("survival", **parameters)
    spec = EpisodeSpec(
        env=env.id,
        parameters=parameters,
        population={role: Player(agent=name) for role in env.possible_agents},
        elicitation={},
        seed=seed,
    )
    agents = {
        role: suggestible(wording, role, seed)
        if name == "suggestible"
        else make_agent(name, role=role, seed=seed)
        for role in env.possible_agents
    }
    turns = await play(env, agents, seed, lambda turn: writer.turn(spec.id, turn))
    writer.finish(spec, env, turns)


def factor_of(run: RunFolder, agent: str) -> Factor:
    records = [record for record in run.decisions() if record.player.agent == agent]
    (found,) = factors(records, load_catalogue(), seed=0)
    return found


def test_an_agent_that_follows_the_wording_is_shown_to_move_with_it(run: RunFolder) -> None:
    found = factor_of(run, "suggestible")
    named = {setting.name: setting.verdict.archetype for setting in found.settings}
    assert (found.name, named) == ("wording", {"neutral": "Exploitative", "normative": "Ethical"})
    assert found.moves
    assert [setting.unthreatened.value for setting in found.settings] == [1.0, 0.0]


def test_an_agent_that_does_not_is_shown_not_to(run: RunFolder) -> None:
    found = factor_of(run, "ethical")
    assert {setting.verdict.archetype for setting in found.settings} == {"Ethical"}
    assert not found.moves


def test_the_page_says_so(run: RunFolder) -> None:
    page = render(summarise([run]))
    assert page.count("the archetype moves</span>") == 1
    assert "suggestible by wording" in page


def test_without_a_differing_factor_there_is_no_such_section(tmp_path: Path) -> None:
    with RunWriter(tmp_path) as writer:
        writer.describe({})
        asyncio.run(_play(writer, "ethical", "neutral", "low", 0))
    assert "The agent or the question?" not in render(summarise([read_run(tmp_path)]))

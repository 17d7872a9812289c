"""Runs with models that fail, through the command line: a failure is never an archetype."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from valuesim.agents.failure import advice
from valuesim.cli import main

CROSSED = ["cross.env.scarcity=[low,high]", "env.horizon=3", "episodes=2"]
DEAD = "http://127.0.0.1:9/v1"
FAILURES: dict[str, tuple[Mapping[str, float], str]] = {
    "refuses": ({"refusal_text": 1.0}, "were faults (refused"),
    "refuses by field": ({"refusal_field": 1.0}, "were faults (refused"),
    "answers garbage": ({"garbage": 1.0}, "were faults (unparsed"),
    "forbids": ({"403": 1.0}, "4 episodes were interrupted"),
}


def _model(url: str) -> list[str]:
    server = [f"model.base_url={url}", "model.retries=0", "model.down_after=1000"]
    return ["model=vllm", "model.name=tiny", *server]


def _archetypes(place: Path) -> dict[str, Any]:
    assert main(["archetypes", "runs", "--json", "told.json"]) == 0
    told = json.loads((place / "told.json").read_text())
    return {group["group"]["agent"]: group for group in told["groups"]}


def _assert_undetermined(group: Mapping[str, Any], why: str) -> None:
    assert group["archetype"] == "undetermined"
    assert group["posterior"] == {}
    assert group["flags"] == []
    assert why in group["why"]


@pytest.mark.parametrize("agents", ["llm", "[llm,ethical]"])
@pytest.mark.parametrize(("faults", "why"), FAILURES.values(), ids=list(FAILURES))
async def test_a_model_that_gives_no_choice_has_no_archetype_and_the_reason_is_told(
    toy: Path, serve: Callable[..., Any], faults: Mapping[str, float], why: str, agents: str
) -> None:
    server = await serve(faults=faults)
    command = ["run", f"agents={agents}", *_model(server.url), *CROSSED, "run.name=a"]
    assert await asyncio.to_thread(main, command) == (1 if "interrupted" in why else 0)
    groups = _archetypes(toy)
    _assert_undetermined(groups.pop("llm"), why)
    assert [group["decisions"] > 0 for group in groups.values()] == [True] * ("eth" in agents)


@pytest.mark.parametrize(("status", "named"), [(401, "key"), (403, "key"), (404, "model.name")])
def test_a_server_that_refuses_is_told_with_what_to_do(status: int, named: str) -> None:
    assert named in advice(status)
    assert "valuesim doctor" in advice(status)
    assert advice(500) == ""


@pytest.mark.parametrize("agents", ["llm", "[llm,ethical]"])
def test_a_server_that_is_not_there_gives_no_archetype(toy: Path, agents: str) -> None:
    assert main(["run", f"agents={agents}", *_model(DEAD), *CROSSED, "run.name=a"]) == 1
    groups = _archetypes(toy)
    assert sum(groups["llm"]["interrupted"].values()) == 4
    _assert_undetermined(groups.pop("llm"), "4 episodes were interrupted")
    assert [group["decisions"] > 0 for group in groups.values()] == [True] * ("eth" in agents)


async def test_a_model_that_fails_in_one_world_with_a_scripted_agent_has_no_archetype(
    toy: Path, serve: Callable[..., Any]
) -> None:
    server = await serve(faults={"garbage": 1.0})
    command = ["run", "agents=ethical", "agents.Alpha=llm", *_model(server.url), *CROSSED]
    assert await asyncio.to_thread(main, [*command, "run.name=a"]) == 0
    groups = _archetypes(toy)
    _assert_undetermined(groups["llm"], "were faults (unparsed")
    assert groups["ethical"]["faults"] == {}


@pytest.mark.parametrize("ignores", [False, True])
async def test_a_form_that_is_not_kept_is_noted_once_and_written_down(
    toy: Path, serve: Callable[..., Any], capsys: pytest.CaptureFixture[str], ignores: bool
) -> None:
    server = await serve(ignores_schema=ignores)
    command = ["run", "agents=llm", *_model(server.url), "env.horizon=1", "episodes=1"]
    assert await asyncio.to_thread(main, [*command, "run.name=a"]) == 0
    notes = [line for line in capsys.readouterr().err.splitlines() if "valuesim: note: " in line]
    (session,) = yaml.safe_load((toy / "runs/a/run.yaml").read_text())["sessions"]
    assert len(notes) == len(session.get("notes", [])) == int(ignores)
    asked = server.counts["requests"]
    assert await asyncio.to_thread(main, [*command, "run.name=a"]) == 0
    assert server.counts["requests"] == asked  # nothing is left to play, so nothing is tried


async def test_models_on_one_server_share_its_limit_of_requests(
    toy: Path, serve: Callable[..., Any]
) -> None:
    server = await serve(latency_s=0.02)
    two = ["agents=llm", *_model(server.url), "models.Beta.name=other", "model.concurrency=3"]
    command = ["run", *two, "env.horizon=1", "episodes=6", "run.name=a"]
    assert await asyncio.to_thread(main, command) == 0
    assert server.counts["most_in_flight"] == 3


async def test_other_prompts_are_another_run(
    toy: Path,
    serve: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = await serve()
    command = ["run", "agents=llm", *_model(server.url), "env.horizon=1", "episodes=1"]
    assert await asyncio.to_thread(main, [*command, "run.name=a"]) == 0
    (episode,) = (toy / "runs/a/episodes.jsonl").read_text().splitlines()
    told = yaml.safe_load((toy / "runs/a/run.yaml").read_text())
    assert json.loads(episode)["elicitation"]["prompt"] == told["prompt"]
    monkeypatch.setattr("valuesim.agents.prompt.templates_id", lambda: "0" * 12)
    assert await asyncio.to_thread(main, [*command, "run.name=a"]) == 2
    assert "was sent other prompts" in capsys.readouterr().err


def test_a_setting_that_looks_like_a_key_still_names_the_episodes(toy: Path) -> None:
    for token in ("A", "B"):
        body = f"++model.extra_body.stop_token={token}"
        command = ["run", "agents=llm", *_model(DEAD), body, "env.horizon=1", "episodes=1"]
        assert main([*command, f"run.name={token}"]) == 1
    lines = [(toy / f"runs/{token}/interrupted.jsonl").read_text() for token in ("A", "B")]
    assert len({json.loads(line)["episode"] for line in lines}) == 2


def test_a_key_in_what_an_intervention_adds_is_written_nowhere(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VALUESIM_API_KEY", "plain-secret-123")
    text = "intervention.persona.text=plain-secret-123"
    command = ["run", "agents=llm", "model=mock", "env=trust", "intervention=persona", text]
    assert main([*command, "episodes=1", "run.name=a"]) == 0
    written = b"".join(file.read_bytes() for file in (toy / "runs/a").iterdir() if file.is_file())
    assert b"REDACTED" in written
    assert b"plain-secret" not in written


def test_an_error_tells_no_key_that_was_typed(
    toy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VALUESIM_API_KEY", "plain-secret-123")
    assert main(["run", "model.base_url=http://h/v1?api_key=plain-secret-123"]) == 2
    assert "plain-secret" not in capsys.readouterr().err


def test_a_stop_before_the_first_episode_says_how_to_go_on(
    toy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("valuesim.cli.run.play_into", stopped)
    assert main(["run", "env=toy-v0", "agents=random", "run.name=a"]) == 130
    told = capsys.readouterr().err
    assert "to go on: valuesim run env=toy-v0 agents=random run.name=runs/a" in told

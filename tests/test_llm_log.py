"""What the log keeps of a model: all it was shown, all it said, and what it attempted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from valuesim import registry
from valuesim.agents.llm import connect
from valuesim.agents.prompt import Elicitation, render
from valuesim.episode import EpisodeSpec, Player, Turn, play
from valuesim.errors import LogError
from valuesim.log import DecisionRecord, RunWriter, read_run
from valuesim.observation import Observation
from valuesim.option import Move, Option

Serve = Callable[..., Any]
SETTINGS = {"scarcity": "low", "horizon": 2, "talk_rounds": 1, "framing": "animals"}
ILLEGAL = '{"rationale": "r", "action": {"option": "TAP_GRID", "arguments": {}}}'


async def logged(folder: Path, url: str, **elicitation: Any) -> list[Turn]:
    """Play an episode of survival with the model at `url` into `folder`; return its turns."""
    settings = {"provider": "vllm", "name": "m", "base_url": url}
    connection = connect(settings, elicitation, np.random.default_rng(0))
    env = registry.make("survival", **SETTINGS)
    player = Player(agent="llm", model=settings)
    spec = EpisodeSpec(
        env="survival-v0",
        parameters=SETTINGS,
        population=dict.fromkeys(env.possible_agents, player),
        elicitation=elicitation,
        seed=3,
    )
    agents = {role: connection.agent(role, 3) for role in env.possible_agents}
    with RunWriter(folder) as writer:
        writer.describe({})
        turns = await play(env, agents, 3, lambda turn: writer.turn(spec.id, turn))
        writer.finish(spec, env, turns)
    await connection.close()
    return turns


def shown(record: DecisionRecord, texts: dict[str, str]) -> list[dict[str, str]]:
    """Return the messages that a decision's first attempt was sent, from the log alone."""
    seen = Observation(
        agent=record.role,
        step=record.step,
        text=record.text,
        rules=texts[record.rules_id],
        options=record.options,
    )
    asked = Elicitation.of(record.episode.elicitation)
    return [{"role": each.role, "content": each.text} for each in render(seen, asked)]


@pytest.mark.parametrize("form", ["json_schema", "json", "name"])
async def test_what_a_model_was_shown_is_rebuilt_from_the_log(
    serve: Serve, tmp_path: Path, form: str
) -> None:
    server = await serve()
    await logged(tmp_path, server.url, format=form)
    run = read_run(tmp_path)
    rebuilt = [json.dumps(shown(record, run.texts()), sort_keys=True) for record in run.decisions()]
    sent = [json.dumps(body["messages"], sort_keys=True) for body in server.requests]
    assert len(rebuilt) > 10
    assert sorted(rebuilt) == sorted(sent)


def listed(offers: list[tuple[Option, ...]]) -> list[list[str]]:
    return [list(option.arguments) for options in offers for option in options]


async def test_what_was_offered_is_read_back_as_it_was(serve: Serve, tmp_path: Path) -> None:
    turns = await logged(tmp_path, (await serve()).url)
    offered = [seen.options for turn in turns for seen in turn.observations.values()]
    read = [record.options for record in read_run(tmp_path).decisions()]
    assert read == offered
    assert listed(read) == listed(offered), "in the order in which they are shown"
    assert any(option.arguments and option.tags for options in read for option in options)


async def test_each_try_is_read_back(serve: Serve, tmp_path: Path) -> None:
    turns = await logged(tmp_path, (await serve(script=[ILLEGAL])).url)
    made = [decision for turn in turns for decision in turn.decisions.values()]
    read = list(read_run(tmp_path).decisions())
    assert [(r.tries, r.attempted, r.schema_break) for r in read] == [
        (d.tries, d.attempted, d.schema_break) for d in made
    ]
    tap = Move(option="TAP_GRID")
    assert all(record.attempted == tap for record in read)
    assert all(record.tries[0].attempted == tap for record in read)
    assert all(record.tries[0].reply == ILLEGAL for record in read)


async def test_a_decision_at_the_first_try_holds_nothing_of_tries(
    serve: Serve, tmp_path: Path
) -> None:
    await logged(tmp_path, (await serve()).url)
    for line in (tmp_path / "decisions.jsonl").read_text().splitlines():
        assert not {"tries", "attempted", "schema_break"} & set(json.loads(line)["decision"])


def edited(folder: Path, change: Callable[[Any], None]) -> list[DecisionRecord]:
    path = folder / "decisions.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        change(line)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return list(read_run(folder).decisions())


async def test_a_line_without_texts_and_tries_is_read(serve: Serve, tmp_path: Path) -> None:
    def strip(line: Any) -> None:
        for option in line["observation"]["options"]:
            option.pop("text", None)
            option.pop("arguments", None)

    await logged(tmp_path, (await serve()).url)
    records = edited(tmp_path, strip)
    assert {option.text for record in records for option in record.options} == {""}
    assert {record.tries for record in records} == {()}


BROKEN: dict[str, Callable[[Any], Any]] = {
    "an unknown text": lambda line: line["observation"]["options"][0].update(text="0" * 12),
    "bounds of no kind": lambda line: line["observation"]["options"][0].update(
        arguments=[["amount", [1, 2, 3]]]
    ),
    "an argument that is a number": lambda line: line["observation"]["options"][0].update(
        arguments=[1]
    ),
    "a try that is a text": lambda line: line["decision"].update(tries=["hm"]),
    "an attempt without an option": lambda line: line["decision"].update(attempted={"name": "X"}),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
async def test_a_line_that_is_not_what_it_says_is_named(
    serve: Serve, tmp_path: Path, change: Callable[[Any], None]
) -> None:
    await logged(tmp_path, (await serve()).url)
    with pytest.raises(LogError, match=r"decisions.jsonl, line 1 is not a decision"):
        edited(tmp_path, change)

"""What benchmarks compare is the same work: the requests written down are those that are sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchmarks import scripted
from benchmarks.requests import ELICITATION, ENV, PARAMETERS, written_down
from benchmarks.serving import SLOTS, send
from valuesim import registry
from valuesim.agents.llm import connect
from valuesim.episode import play

Serve = Callable[..., Any]


@pytest.fixture(scope="module")
def work() -> list[Any]:
    """Two episodes; made outside of any event loop, as their making runs one."""
    return written_down(2)


async def test_requests_written_down_are_those_of_the_first_turn(
    serve: Serve, work: list[Any]
) -> None:
    server = await serve()
    model = {"provider": "vllm", "name": "m", "base_url": server.url}
    connection = connect(model, ELICITATION, np.random.default_rng(0))
    env = registry.make(ENV, **PARAMETERS)
    await play(env, {role: connection.agent(role, 0) for role in env.possible_agents}, seed=0)
    await connection.close()
    sent = [
        {"messages": body["messages"], "response_format": body["response_format"]}
        for body in list(server.requests)[:4]
    ]
    assert sent == work[0][0]


async def test_every_request_written_down_is_sent_once(serve: Serve, work: list[Any]) -> None:
    server = await serve(slots=SLOTS)
    load = await send(server.url, 0.0, work)
    assert load.decisions == sum(len(turn) for episode in work for turn in episode)
    assert server.counts["answered"] == load.decisions


def test_scripted_play_counts_decisions_of_whole_episodes() -> None:
    decisions, cpu = scripted.played("prisoners_dilemma-v0", {"horizon": 3}, "tit_for_tat", 2)
    assert decisions == 2 * 2 * 3
    assert cpu > 0.0

"""What a model call costs the client in valuesim and in Inspect, on the same server and work.

Each side is a process of its own, in turns, medians of three rounds, one call a decision. valuesim
plays survival: it words the world, asks, reads, steps and logs. Inspect sends the requests of such
episodes, written down before: a task whose solver plays the same turns, four calls at once, through
its provider for OpenAI-compatible servers, and takes the option out of the JSON of each reply; it
logs to its default .eval file. Left out there, to Inspect's advantage: the world, its words, a
history of messages that grows, and whatever is loaded on a first call (it plays one sample before
the clock starts; valuesim does not).
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from importlib.util import find_spec
from statistics import median
from typing import Any

from benchmarks import serving
from benchmarks.requests import Body, Episode, written_down
from benchmarks.serving import SLOTS, Load

ROUNDS = 3
EPISODES = 24
LATENCY = 0.05
TARGET = 8


def main() -> None:
    if find_spec("inspect_ai") is None:
        print('\nbeside Inspect: left out, it is not installed (pip install "valuesim[inspect]")')
        return
    each: dict[str, list[float]] = {"valuesim": [], "Inspect": []}
    for _ in range(ROUNDS):
        for client, costs in each.items():
            load = _measured(client)
            costs.append(1000 * load.cpu / load.decisions)
    print(f"\n{f'CPU ms a call, {EPISODES} episodes, median of {ROUNDS}':46}")
    for client, costs in each.items():
        print(f"{client:26}{median(costs):9.2f}   ({', '.join(f'{c:.2f}' for c in costs)})")
    ratio = median(each["Inspect"]) / median(each["valuesim"])
    print(f"{'Inspect / valuesim':26}{ratio:9.1f}   (wanted: {TARGET} or more)")


def _measured(client: str) -> Load:
    with serving.server(LATENCY) as running:
        if client == "valuesim":
            return serving.measured(client, running.url, LATENCY, EPISODES)
        command = [sys.executable, "-m", "benchmarks.beside_inspect", running.url]
        environment = {**os.environ, "LOCAL_API_KEY": "none"}
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout
        return Load(**json.loads(told.splitlines()[-1]))


def played_by_inspect(url: str, work: list[Episode]) -> Load:
    """Let Inspect send the requests of `work`, an episode a sample, all samples at once."""
    # an optional package: only here
    from inspect_ai import Task, eval
    from inspect_ai.dataset import Sample

    samples = [Sample(id=place, input="play") for place in range(len(work))]
    task = Task(name="survival", dataset=samples, solver=_player(work))
    with tempfile.TemporaryDirectory() as folder:
        started, cpu = time.perf_counter(), time.process_time()
        (log,) = eval(
            task,
            model="openai-api/local/m",
            model_base_url=url,
            max_connections=SLOTS,
            max_samples=len(work),
            log_dir=folder,
            display="none",
        )
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    assert log.status == "success", log.error
    calls = sum(len(turn) for episode in work for turn in episode)
    return Load(decisions=calls, seconds=seconds, cpu=cpu, busy=calls * LATENCY / (SLOTS * seconds))


def _player(work: list[Episode]) -> Any:
    from inspect_ai.model import get_model
    from inspect_ai.solver import solver

    @solver
    def player() -> Any:
        async def solve(state: Any, _: Any) -> Any:
            model = get_model()
            for turn in work[state.sample_id]:
                state.store.set("took", await asyncio.gather(*(_ask(model, b) for b in turn)))
            return state

        return solve

    return player()


async def _ask(model: Any, body: Body) -> str:
    from inspect_ai.model import ChatMessageSystem, ChatMessageUser, GenerateConfig

    system, user = (message["content"] for message in body["messages"])
    # as it is sent: to build Inspect's own schema of it would cost more
    extra: Mapping[str, Any] = {"response_format": body["response_format"]}
    output = await model.generate(
        [ChatMessageSystem(content=system), ChatMessageUser(content=user)],
        config=GenerateConfig(extra_body=dict(extra)),
    )
    return str(json.loads(output.completion)["action"]["option"])


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        work = written_down(EPISODES)
        # what is loaded on the first call is no cost of a call
        played_by_inspect(sys.argv[1], work[:1])
        print(json.dumps(asdict(played_by_inspect(sys.argv[1], work))))

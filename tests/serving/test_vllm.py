"""A real vLLM on the CPU, a model of random weights, and episodes played through it.

Runs where VALUESIM_VLLM_PYTHON names the Python of an environment with vLLM (`make test-vllm` makes
one); elsewhere it is skipped, or fails when VALUESIM_REQUIRE_VLLM=1.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from valuesim import registry
from valuesim.agents.llm import Connection, connect
from valuesim.decision import Decision
from valuesim.episode import play

pytestmark = pytest.mark.vllm
HERE = Path(__file__).parent
START_S = 300
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
}


@pytest.fixture(scope="module")
def python() -> str:
    path = os.environ.get("VALUESIM_VLLM_PYTHON", "")
    if path and Path(path).exists():
        return path
    said = f"VALUESIM_VLLM_PYTHON is {path!r}: not a Python with vLLM (make test-vllm)"
    if os.environ.get("VALUESIM_REQUIRE_VLLM") == "1":
        pytest.fail(said)
    pytest.skip(said)


@pytest.fixture(scope="module")
def server(python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start vLLM with a fresh tiny model; yield its base URL."""
    folder = tmp_path_factory.mktemp("vllm")
    environment = os.environ | OFFLINE
    build = [python, str(HERE / "tiny_model.py"), str(folder / "tiny")]
    subprocess.run(build, env=environment, check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "server.log").open("wb") as log:
        command = _command(python, folder / "tiny", port)
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait(f"http://127.0.0.1:{port}/health", process, folder / "server.log")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(30)


def _command(python: str, model: Path, port: int) -> list[str]:
    structured = {"backend": "xgrammar", "disable_any_whitespace": True}
    return [
        *(python, "-m", "vllm.entrypoints.openai.api_server"),
        *("--model", str(model), "--served-model-name", "tiny"),
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--dtype", "float32", "--enforce-eager"),
        # on a CPU, a seeded request whose prompt is prefilled in pieces ends the server
        *("--max-model-len", "8192", "--max-num-batched-tokens", "8192"),
        "--no-enable-chunked-prefill",
        *("--structured-outputs-config", json.dumps(structured)),
    ]


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(1)
        else:
            return
    pytest.fail(f"vLLM did not start: {log.read_text(errors='replace')[-3000:]}")


def connected(url: str, **elicitation: Any) -> Connection:
    model = {"provider": "vllm", "name": "tiny", "base_url": url, "max_tokens": 2000, "retries": 0}
    return connect(model, elicitation, np.random.default_rng(0))


async def played(connection: Connection, seeds: range) -> list[Decision]:
    """Play a few turns of survival per seed, all seeds at once, and return every decision."""

    async def episode(seed: int) -> list[Decision]:
        env = registry.make("survival", scarcity="low")
        agents = {role: connection.agent(role, seed) for role in env.possible_agents}
        turns = await play(env, agents, seed)
        return [decision for turn in turns for decision in turn.decisions.values()]

    played = await asyncio.gather(*[episode(seed) for seed in seeds])
    await connection.close()
    return [decision for decisions in played for decision in decisions]


async def test_structured_output_holds_over_whole_episodes(server: str) -> None:
    connection = connected(server)
    decisions = await played(connection, range(3))
    assert len(decisions) > 50
    assert [d.fault_detail for d in decisions if d.fault is not None] == []
    assert connection.counters.schema_breaks == 0
    assert len({decision.option for decision in decisions}) >= 3
    assert any(decision.arguments for decision in decisions)
    assert connection.counters.usage.completion_tokens > 0


async def test_structured_output_passes_the_probe(server: str) -> None:
    connection = connected(server)
    assert await connection.probe() is None
    await connection.close()


async def test_noise_in_words_is_mostly_a_fault_and_never_a_crash(server: str) -> None:
    connection = connected(server, format="json", max_tokens=200, reask=1)
    decisions = await played(connection, range(1))
    faulty = [decision for decision in decisions if decision.fault is not None]
    assert len(faulty) > 0.8 * len(decisions)
    assert all(decision.attempts == 2 for decision in faulty if decision.fault != "refused")


async def test_the_rules_part_of_the_prompt_is_cached(server: str) -> None:
    def hits() -> float:
        page = urllib.request.urlopen(server.removesuffix("/v1") + "/metrics").read().decode()
        lines = [line for line in page.splitlines() if line.startswith("vllm:prefix_cache_hits")]
        return sum(float(line.split()[-1]) for line in lines if "_created" not in line)

    before = hits()
    await played(connected(server), range(1))
    assert hits() > before

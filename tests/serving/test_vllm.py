"""A real vLLM on the CPU, a model of random weights, and episodes played through it.

Runs where VALUESIM_VLLM_PYTHON names the Python of an environment with vLLM (`make test-vllm` makes
one); elsewhere it is skipped, or fails when VALUESIM_REQUIRE_VLLM=1.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
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
from valuesim.cli.probe import prefix_cache
from valuesim.decision import Decision
from valuesim.episode import play

pytestmark = pytest.mark.vllm
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
START_S = 600
RUN_S = 900
EPISODES = 24
# a model that knows no language would write blanks without end
STRUCTURED = {"backend": "xgrammar", "disable_any_whitespace": True}
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    # nothing is compiled on the way: that fails where the environment's path holds a space
    "TORCHDYNAMO_DISABLE": "1",
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
def tiny(python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a fresh tiny model."""
    folder = tmp_path_factory.mktemp("vllm") / "tiny"
    build = [python, str(HERE / "tiny_model.py"), str(folder)]
    subprocess.run(build, env=os.environ | OFFLINE, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def server(python: str, tiny: Path) -> Iterator[str]:
    """Start vLLM with the tiny model; yield its base URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log_file = tiny.parent / "server.log"
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            _command(python, tiny, port),
            env=os.environ | OFFLINE,
            cwd=tiny.parent,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(f"http://127.0.0.1:{port}/health", process, log_file)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(30)


def _command(python: str, model: Path, port: int) -> list[str]:
    return [
        *(python, "-m", "vllm.entrypoints.openai.api_server"),
        *("--model", str(model), "--served-model-name", "tiny"),
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--dtype", "float32", "--enforce-eager"),
        # on a CPU, a seeded request whose prompt is prefilled in pieces ends the server
        *("--max-model-len", "8192", "--max-num-batched-tokens", "8192"),
        "--no-enable-chunked-prefill",
        *("--structured-outputs-config", json.dumps(STRUCTURED)),
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


def ran(python: str, folder: Path, *settings: str) -> tuple[str, list[dict[str, Any]]]:
    """Run survival, a few turns of each episode; return the notes, and the decisions in the log."""
    command = [
        *(python, "-m", "valuesim.cli", "run", "agents=llm", "env=survival", "env.scarcity=low"),
        *("env.horizon=3", f"episodes={EPISODES}", "model.max_tokens=2000", f"run.name={folder}"),
        *("--json", "-"),
        *settings,
    ]
    environment = os.environ | OFFLINE | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, env=environment, cwd=folder.parent, capture_output=True, text=True, timeout=RUN_S
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert (told["finished"], told["interrupted"], told["faults"]) == (EPISODES, {}, {})
    # not splitlines: a model that writes noise also writes other ends of lines
    lines = (folder / "decisions.jsonl").read_bytes().split(b"\n")
    return done.stderr, [json.loads(line)["decision"] for line in lines if line]


def keep_the_schema(decisions: list[dict[str, Any]]) -> None:
    assert len(decisions) > 200
    assert not any(decision.get("schema_break") for decision in decisions)
    assert {decision["attempts"] for decision in decisions} == {1}
    assert len({decision["option"] for decision in decisions}) >= 3
    assert any(decision["arguments"] for decision in decisions)


def test_a_server_keeps_the_schema_and_reads_most_of_a_prompt_once(
    server: str, tmp_path: Path
) -> None:
    before = prefix_cache(server)
    assert before is not None
    settings = ("model=vllm", "model.name=tiny", f"model.base_url={server}")
    _, decisions = ran(sys.executable, tmp_path / "run", *settings)
    keep_the_schema(decisions)
    after = prefix_cache(server)
    assert after is not None
    found = after - before
    print(f"model=vllm: {found}")
    assert found.share is not None
    assert found.share >= 0.6


def test_an_engine_in_the_process_does_so_too_and_leaves_nothing_running(
    python: str, tiny: Path, tmp_path: Path
) -> None:
    engine = {
        "dtype": "float32",
        "enforce_eager": True,
        "max_model_len": 8192,
        "max_num_batched_tokens": 8192,
        "enable_chunked_prefill": False,
        "structured_outputs_config": STRUCTURED,
    }
    written = json.dumps(engine).replace('"', "")
    running = engines()
    settings = ("model=vllm_offline", f"model.name={tiny}", f"model.engine_args={written}")
    told, decisions = ran(python, tmp_path / "run", *settings)
    keep_the_schema(decisions)
    found = re.search(r"note: .*: ([\d.]+) % of ([\d,]+) prompt tokens were in", told)
    assert found, told[-3000:]
    print(f"model=vllm_offline: {found[1]} % of {found[2]} prompt tokens were in the prefix cache")
    assert float(found[1]) >= 60.0
    assert int(found[2].replace(",", "")) > 1000 * len(decisions)
    # a Python that is half gone complains of what was not cleared away
    assert "Exception ignored" not in told
    assert "leaked" not in told
    assert engines() <= running


def engines() -> set[str]:
    """Return the processes, with their numbers, that vLLM named as its own, and their guards."""
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True)
    names = ("VLLM::", "engine_guard.py")
    return {line for line in listed.stdout.splitlines() if any(name in line for name in names)}


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


async def test_log_probabilities_are_those_of_the_letters_place(server: str) -> None:
    form = {"ask_rationale": False, "max_tokens": 8, "reask": 0, "permutations": 2}
    connection = connected(server, format="logprobs", **form)
    decisions = await played(connection, range(1))
    assert connection.counters.no_logprobs == 0
    for decision in decisions:
        for asked in decision.labellings:
            assert asked.found is not None
            assert 0.0 <= sum(asked.found.values()) <= 1.0
        assert decision.unaccounted is not None
        assert (decision.probabilities == {}) == (not all(a.found for a in decision.labellings))

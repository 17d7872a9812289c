"""Keeps a server busy: survival episodes of four agents against slots with a fixed latency.

`python -m benchmarks.serving` is part of `make bench`. The server (tests/serving/fault_server.py)
runs in a process of its own, so that its work is not counted; each client has one, too. Bare
aiohttp sends the same requests, written down before, and does nothing with the replies: what it
reaches is the ceiling on a machine, whose server takes its own share of the cores.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks.requests import ELICITATION, ENV, PARAMETERS, Episode, written_down

SLOTS = 64
CASES = ((0.5, 90), (0.05, 120))
"""Latency in seconds, and episodes."""
CLIENTS: dict[str, dict[str, str]] = {
    "valuesim": {"provider": "vllm"},
    "valuesim, ChatOpenAI": {"provider": "chat"},
}
BARE = "bare aiohttp"
_SERVER = Path("tests/serving/fault_server.py")


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """What one client did: decisions, seconds, CPU seconds, and the share of slot-seconds busy.

    The share counts from the first request to the end of the last episode, the tail included.
    """

    decisions: int
    seconds: float
    cpu: float
    busy: float


@dataclass(kw_only=True, slots=True)
class Server:
    """A server under way: its address."""

    url: str

    def cpu(self) -> float:
        """Return the CPU seconds that it has used so far."""
        with urlopen(self.url.removesuffix("/v1") + "/stats") as answer:
            return float(json.load(answer)["cpu_s"])


def main() -> None:
    columns = f"{'latency':>9}{'busy':>8}{'CPU ms a decision':>19}{'of the server':>15}"
    print(f"\n{'survival, four agents':26}{columns}")
    for latency, episodes in CASES:
        for client in (*CLIENTS, BARE):
            with server(latency) as running:
                before = running.cpu()
                load = measured(client, running.url, latency, episodes)
                theirs = 1000 * (running.cpu() - before) / load.decisions
            each = 1000 * load.cpu / load.decisions
            told = f"{1000 * latency:6.0f} ms{load.busy:8.0%}{each:19.2f}{theirs:15.2f}"
            print(f"{client:26}{told}", flush=True)


def measured(client: str, url: str, latency: float, episodes: int) -> Load:
    """Return the load that `client` put on the server at `url`, from a process of its own."""
    arguments = ["-m", "benchmarks.serving", client, url, str(latency), str(episodes)]
    told = subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.PIPE).stdout
    return Load(**json.loads(told.splitlines()[-1]))


@contextmanager
def server(latency: float) -> Iterator[Server]:
    """Yield a server with `SLOTS` slots that answers after `latency` seconds."""
    command = [sys.executable, str(_SERVER), "--port", "0", "--slots", str(SLOTS)]
    process = subprocess.Popen(
        [*command, "--latency", str(latency)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield Server(url=process.stdout.readline().split()[-1])
    finally:
        process.kill()
        process.wait()


async def send(url: str, latency: float, work: list[Episode]) -> Load:
    """Send the requests of `work` through one aiohttp client, all episodes at once."""
    import aiohttp

    slots = asyncio.Semaphore(SLOTS)
    bodies = [
        [[json.dumps({"model": "m", **body}).encode() for body in turn] for turn in episode]
        for episode in work
    ]
    calls = sum(len(turn) for episode in bodies for turn in episode)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as client:

        async def ask(body: bytes) -> bytes:
            async with slots, client.post(f"{url}/chat/completions", data=body) as answer:
                return await answer.read()

        async def episode(turns: list[list[bytes]]) -> None:
            for turn in turns:
                await asyncio.gather(*(ask(body) for body in turn))

        started, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(episode(turns) for turns in bodies))
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    return Load(decisions=calls, seconds=seconds, cpu=cpu, busy=calls * latency / (SLOTS * seconds))


async def play(client: str, url: str, latency: float, episodes: int) -> Load:
    """Play survival against the server and return the load."""
    import numpy as np

    from valuesim.agents.llm import connect
    from valuesim.cli.collector import spare_what_is_loaded
    from valuesim.engine import Design, plan, run
    from valuesim.engine.progress import Progress
    from valuesim.log import RunWriter

    settings = CLIENTS[client]
    model = {"name": "openai:m" if settings["provider"] == "chat" else "m", **settings}
    elicitation = ELICITATION
    connection = connect(
        model | {"base_url": url, "concurrency": SLOTS}, elicitation, np.random.default_rng(0)
    )
    specs = plan(
        Design(
            env=ENV,
            parameters=PARAMETERS,
            crossed={},
            groups=[{"all": "llm"}],
            model=model,
            elicitation=elicitation,
            episodes=episodes,
            seed=0,
        )
    )
    roles: dict[str, Any] = dict.fromkeys(specs[0].population, connection)
    spare_what_is_loaded()
    with tempfile.TemporaryDirectory() as folder, RunWriter(Path(folder) / "run") as writer:
        writer.describe({})
        started, cpu = time.perf_counter(), time.process_time()
        summary = await run(
            specs, writer, roles, concurrency=episodes, progress=Progress(sys.stderr, "none")
        )
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    await connection.close()
    assert summary.finished == episodes
    return Load(
        decisions=summary.decisions,
        seconds=seconds,
        cpu=cpu,
        busy=connection.counters.calls * latency / (SLOTS * seconds),
    )


def _load(client: str, url: str, latency: float, episodes: int) -> Load:
    if client == BARE:
        return asyncio.run(send(url, latency, written_down(episodes)))
    return asyncio.run(play(client, url, latency, episodes))


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        os.environ.setdefault("OPENAI_API_KEY", "none")
        _, who, where, wait, number = sys.argv
        print(json.dumps(asdict(_load(who, where, float(wait), int(number)))))

"""Keeps a server busy: survival episodes of four agents against slots with a fixed latency.

`python -m benchmarks.serving` is part of `make bench`. The server (tests/serving/fault_server.py)
runs in a process of its own, so that its work is not counted; each client has one, too.
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

SLOTS = 64
CASES = ((0.5, 90), (0.05, 120))
"""Latency in seconds, and episodes."""
CLIENTS = {
    "valuesim": {"provider": "vllm"},
    "valuesim, ChatOpenAI": {"provider": "chat"},
}
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


def main() -> None:
    print(f"\n{'survival, four agents':26}{'latency':>9}{'busy':>8}{'CPU ms a decision':>19}")
    for latency, episodes in CASES:
        with server(latency) as url:
            for client in CLIENTS:
                load = measured(client, url, latency, episodes)
                each = 1000 * load.cpu / load.decisions
                print(f"{client:26}{1000 * latency:6.0f} ms{load.busy:8.0%}{each:19.2f}")


def measured(client: str, url: str, latency: float, episodes: int) -> Load:
    """Return the load that `client` put on the server at `url`, from a process of its own."""
    arguments = ["-m", "benchmarks.serving", client, url, str(latency), str(episodes)]
    told = subprocess.run([sys.executable, *arguments], check=True, capture_output=True).stdout
    return Load(**json.loads(told.splitlines()[-1]))


@contextmanager
def server(latency: float) -> Iterator[str]:
    """Yield the address of a server with `SLOTS` slots that answers after `latency` seconds."""
    command = [sys.executable, str(_SERVER), "--port", "0", "--slots", str(SLOTS)]
    process = subprocess.Popen(
        [*command, "--latency", str(latency)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.kill()
        process.wait()


async def play(client: str, url: str, latency: float, episodes: int) -> Load:
    """Play survival against the server and return the load."""
    import numpy as np

    from valuesim.agents.llm import connect
    from valuesim.engine import Design, plan, run
    from valuesim.engine.progress import Progress
    from valuesim.log import RunWriter

    settings = CLIENTS[client]
    model = {"name": "openai:m" if settings["provider"] == "chat" else "m", **settings}
    elicitation = {"format": "json_schema"}
    connection = connect(
        model | {"base_url": url, "concurrency": SLOTS}, elicitation, np.random.default_rng(0)
    )
    specs = plan(
        Design(
            env="survival-v0",
            parameters={"scarcity": "medium"},
            crossed={},
            groups=[{"all": "llm"}],
            model=model,
            elicitation=elicitation,
            episodes=episodes,
            seed=0,
        )
    )
    roles: dict[str, Any] = dict.fromkeys(specs[0].population, connection)
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


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        os.environ.setdefault("OPENAI_API_KEY", "none")
        _, who, where, wait, number = sys.argv
        print(json.dumps(asdict(asyncio.run(play(who, where, float(wait), int(number))))))

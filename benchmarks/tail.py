"""How full seats are kept to the end of a run whose episodes differ in length.

`python -m benchmarks.tail` is part of `make bench`. Players answer after a fixed latency, by a
clock that goes on only while all wait: what is measured is the order of episodes alone, as planned
and as the engine begins them.
"""

from __future__ import annotations

import asyncio
import selectors
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from valuesim.agents.endpoint import Counters
from valuesim.decision import Decision
from valuesim.engine import Design, plan, run, waiting
from valuesim.engine.progress import Progress
from valuesim.episode import EpisodeSpec
from valuesim.log import RunWriter
from valuesim.observation import Observation

SEATS = 16
LATENCY_S = 0.5
CASES = (((2, 20), 24), ((1, 2, 5, 30), 16), ((10,), 48))
"""Rounds of each cell, and episodes in each."""


@dataclass
class Desk:
    """Answers for every role, `LATENCY_S` after it was asked."""

    counters: Counters = field(default_factory=Counters)

    def agent(self, role: str, seed: int, parameters: Mapping[str, Any], episode: str) -> Clerk:
        """Return who plays one role in one episode."""
        return Clerk(self)

    async def close(self) -> None:
        """Have nothing to let go of."""


@dataclass
class Clerk:
    """Plays one role at a desk: the first option, always."""

    desk: Desk

    async def decide(self, observation: Observation) -> Decision:
        """Return the first option, late."""
        self.desk.counters.calls += 1
        await asyncio.sleep(LATENCY_S)
        option = observation.options[0].name
        return Decision(agent=observation.agent, step=observation.step, option=option)


class _Leap(selectors.DefaultSelector):
    """Waits for no time at all, and adds up what it would have waited, in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += max(timeout or 0.0, 0.0)
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still while anything is done."""

    def __init__(self) -> None:
        self.leap = _Leap()
        super().__init__(self.leap)

    def time(self) -> float:
        return self.leap.now


def main() -> None:
    head = f"seats in use, tail included ({SEATS} seats)"
    print(f"\n{head:46}{'as planned':>12}{'longest first':>15}")
    for rounds, episodes in CASES:
        shares = []
        for tail in (0, waiting.TAIL):
            with asyncio.Runner(loop_factory=_Loop) as runner:
                shares.append(runner.run(busy(rounds, episodes, tail)))
        cells = f"{episodes} episodes each of {', '.join(map(str, rounds))} rounds"
        print(f"{cells:46}{shares[0]:12.0%}{shares[1]:15.0%}")


async def busy(rounds: tuple[int, ...], episodes: int, tail: int) -> float:
    """Return the share of seat-seconds in use; `tail` as `waiting.TAIL`."""
    specs = _planned(rounds, episodes)
    desk, usual = Desk(), waiting.TAIL
    roles = dict.fromkeys(specs[0].population, desk)
    waiting.TAIL = tail
    try:
        with tempfile.TemporaryDirectory() as folder, RunWriter(Path(folder) / "run") as writer:
            writer.describe({})
            progress = Progress(sys.stderr, "none")
            loop = asyncio.get_running_loop()
            started = loop.time()
            await run(specs, writer, roles, concurrency=SEATS, progress=progress)
            seconds = loop.time() - started
    finally:
        waiting.TAIL = usual
    # both players of a round answer at once
    return desk.counters.calls / 2 * LATENCY_S / (SEATS * seconds)


def _planned(rounds: tuple[int, ...], episodes: int) -> list[EpisodeSpec]:
    return plan(
        Design(
            env="prisoners_dilemma-v0",
            parameters={},
            crossed={"horizon": list(rounds)},
            groups=[{"all": "llm"}],
            model={"name": "desk"},
            elicitation={},
            episodes=episodes,
            seed=0,
        )
    )


if __name__ == "__main__":
    main()

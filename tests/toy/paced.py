"""An agent that plays anything and takes its time, for tests that watch a run being written."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import numpy as np

from valuesim.decision import Decision
from valuesim.env import Observation


def _allowed() -> float:
    """Return how many steps may be played: what the file PACED_GATE says, all without one."""
    gate = os.environ.get("PACED_GATE")
    if gate is None:
        return float("inf")
    # one that is being written, or not there yet, opens nothing
    told = Path(gate).read_text() if Path(gate).exists() else ""
    return int(told or "0")


class Paced:
    """Takes any option; each decision takes PACED_S seconds, and waits for the file PACED_GATE."""

    def __init__(self, role: str, seed: int) -> None:
        self.role = role
        self.rng = np.random.default_rng([seed, len(role)])

    async def decide(self, observation: Observation) -> Decision:
        await asyncio.sleep(float(os.environ.get("PACED_S", "0.2")))
        while observation.step >= _allowed():
            await asyncio.sleep(0.02)
        option = observation.options[int(self.rng.integers(len(observation.options)))]
        arguments = option.complete({})
        return Decision(
            agent=self.role, step=observation.step, option=option.name, arguments=arguments
        )

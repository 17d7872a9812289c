"""An agent that plays anything and takes its time, for tests that watch a run being written."""

from __future__ import annotations

import asyncio
import os

import numpy as np

from valuesim.decision import Decision
from valuesim.env import Observation


class Paced:
    """Takes any option; each decision takes PACED_S seconds."""

    def __init__(self, role: str, seed: int) -> None:
        self.role = role
        self.rng = np.random.default_rng([seed, len(role)])

    async def decide(self, observation: Observation) -> Decision:
        await asyncio.sleep(float(os.environ.get("PACED_S", "0.2")))
        option = observation.options[int(self.rng.integers(len(observation.options)))]
        arguments = option.complete({})
        return Decision(
            agent=self.role, step=observation.step, option=option.name, arguments=arguments
        )

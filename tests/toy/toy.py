"""A toy family for tests of configuration, engine and command line: two agents share or keep.

Installed as a plug-in by the fixture `toy`, so that it also works in subprocesses. What an agent
does wrong on purpose depends on files in the folder TOY_MARKS.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from valuesim.decision import Decision
from valuesim.env import Ending, Environment, Observation
from valuesim.errors import Interruption
from valuesim.option import Move, Option


class Toy(Environment):
    """Two agents share or keep for some steps."""

    id = "toy-v0"

    def __init__(self, *, level: str = "low", steps: int = 3) -> None:
        if level not in ("low", "high"):
            raise ValueError(f"level {level!r} is not one of low, high")
        if steps < 1:
            raise ValueError(f"steps={steps} is too small: 1 or more")
        self.steps = steps
        self.possible_agents = ["Alpha", "Beta"]
        self.rules = "Share or keep."
        self.condition = {"level": level, "steps": steps}
        self.catalogue = (Move(option="SHARE"), Move(option="KEEP"))
        self.bounds = (np.zeros(1, np.float32), np.ones(1, np.float32))
        super().__init__()

    def start(self) -> Any:
        return {"luck": float(self.rng.random())}

    def describe(self, agent: str) -> str:
        return f"Luck {self.world['luck']:.3f}, step {self.turn}."

    def options(self, agent: str) -> Sequence[Option]:
        return (
            Option(name="SHARE", text="share", stakes={"Care": 1.0, "Power": -0.5}),
            Option(name="KEEP", text="keep", stakes={"Care": -0.5, "Power": 1.0}),
        )

    def resolve(self, moves: Mapping[str, Move | None]) -> dict[str, dict[str, Any]]:
        return {
            agent: {"payoff": 1.0 if move and move.option == "KEEP" else 0.0}
            for agent, move in moves.items()
        }

    def ended(self) -> Mapping[str, Ending]:
        return dict.fromkeys(self.agents, "truncated") if self.turn >= self.steps else {}


class Kind:
    """Shares, except when its own seeded coin says otherwise; every reply is at once."""

    environments = frozenset({"toy-v0"})

    def __init__(self, role: str, seed: int) -> None:
        self.role = role
        self.rng = np.random.default_rng([seed, len(role)])

    async def decide(self, observation: Observation) -> Decision:
        option = "SHARE" if self.rng.random() < 0.8 else "KEEP"
        return Decision(agent=self.role, step=observation.step, option=option)


class Slow(Kind):
    """Kind, after 20 ms."""

    async def decide(self, observation: Observation) -> Decision:
        await asyncio.sleep(0.02)
        return await super().decide(observation)


class Patient:
    """Plays anything: any option, and each reply takes its own time, up to 40 ms."""

    def __init__(self, role: str, seed: int) -> None:
        self.role = role
        self.rng = np.random.default_rng([seed, len(role)])

    async def decide(self, observation: Observation) -> Decision:
        await asyncio.sleep(0.04 * self.rng.random())
        option = observation.options[int(self.rng.integers(len(observation.options)))]
        return Decision(agent=self.role, step=observation.step, option=option.name)


class Cut(Kind):
    """Kind, unless the file `down` is there and its coin falls so: then its server is down."""

    async def decide(self, observation: Observation) -> Decision:
        if self.rng.random() < 0.1 and _mark("down").exists():
            raise Interruption("server 127.0.0.1 is down")
        return await super().decide(observation)


class Buggy(Kind):
    """Kind, with a bug at step 1 of every episode."""

    async def decide(self, observation: Observation) -> Decision:
        if observation.step == 1:
            raise KeyError("mood")
        return await super().decide(observation)


class Hostile(Kind):
    """Kind, with words that try to command a terminal and its tables."""

    async def decide(self, observation: Observation) -> Decision:
        if self.rng.random() < 0.5:
            raise Interruption("\x1b[2J[red]gone\u202e\nvaluesim: error: forged")
        return await super().decide(observation)


class Deadly(Kind):
    """Kind, until step 1, which no process survives that plays it."""

    async def decide(self, observation: Observation) -> Decision:
        if observation.step == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().decide(observation)


class Elsewhere(Kind):
    """An agent of another environment."""

    environments = frozenset({"survival-v0"})


def _mark(name: str) -> Path:
    return Path(os.environ["TOY_MARKS"]) / name

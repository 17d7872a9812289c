"""Measures where time goes, in one run: medians of several rounds, and ratios between them.

`make bench`. Absolute times are this machine's; the ratios carry over.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from valuesim import registry
from valuesim.choices import choices
from valuesim.engine import Design, plan, run
from valuesim.engine.progress import Progress
from valuesim.envs.moral_machine.generator import generate
from valuesim.episode import play
from valuesim.graph import rank_values
from valuesim.log import RunWriter, read_run

ROUNDS = 5
EPISODES = 20
FAMILIES = (
    ("survival-v0", {}),
    ("prisoners_dilemma-v0", {"horizon": 20}),
    ("travelers_dilemma-v0", {"horizon": 20}),
    ("public_goods-v0", {"horizon": 10}),
    ("ultimatum-v0", {}),
    ("moral_machine-v0", {}),
    ("dilemmas-v0", {"pack": "ai_risk"}),
    ("questionnaire-v0", {}),
)
SCENES = 50_000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        run_folder = Path(folder) / "run"
        played = _median(_play_without_log)
        logged = _median(lambda: _play_with_log(Path(folder) / f"log-{time.monotonic_ns()}"))
        decisions = _play_with_log(run_folder)
        read = _median(lambda: _read(run_folder))
        ranked = _median(lambda: _rank(run_folder))
        bare = _median(lambda: _command(["-c", "pass"]))
        help_page = _median(lambda: _command(["-m", "valuesim.cli", "--help"]))
    print(f"{decisions} decisions of random agents in survival, median of {ROUNDS} rounds\n")
    print(f"{'what':34}{'seconds':>9}{'decisions/s':>13}{'ratio':>8}")
    _row("observe, decide, step", played, decisions, played)
    _row("  ... and the log (the whole path)", logged, decisions, played)
    _row("read the log back", read, decisions, played)
    _row("read, rank values, 1000 draws", ranked, decisions, played)
    print(f"\n{'environment steps, random agents':34}{'seconds':>9}{'steps/s':>13}{'ratio':>8}")
    unit = None
    for id, parameters in FAMILIES:
        steps = _steps(id, parameters)
        seconds = _median(lambda id=id, parameters=parameters: _steps(id, parameters)) / steps
        unit = unit or seconds
        print(f"{id:34}{seconds * steps:9.3f}{1 / seconds:13,.0f}{seconds / unit:8.2f}")
    scenes = _median(_scenes)
    print(f"\n{'moral-machine scenes generated':34}{scenes:9.3f}{SCENES / scenes:13,.0f} a second")
    print(f"\n{'python -c pass':34}{bare:9.3f}")
    print(f"{'valuesim --help':34}{help_page:9.3f}{'':13}{help_page / bare:8.1f}")


def _median(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return median(seconds)


def _row(name: str, seconds: float, decisions: int, unit: float) -> None:
    print(f"{name:34}{seconds:9.3f}{decisions / seconds:13,.0f}{seconds / unit:8.2f}")


def _specs() -> list:
    design = Design(
        env="survival-v0",
        parameters={"scarcity": "medium"},
        crossed={},
        groups=[{"all": "random"}],
        model=None,
        elicitation={},
        episodes=EPISODES,
        seed=0,
    )
    return plan(design)


def _play_without_log() -> None:
    async def all_episodes() -> None:
        for spec in _specs():
            env = registry.make(spec.env, **spec.parameters)
            agents = {
                role: registry.make_agent("random", role=role, seed=spec.seed)
                for role in env.possible_agents
            }
            await play(env, agents, spec.seed)

    asyncio.run(all_episodes())


def _play_with_log(folder: Path) -> int:
    async def all_episodes() -> int:
        with RunWriter(folder) as writer:
            writer.describe({})
            progress = Progress(sys.stderr, "none")
            return (await run(_specs(), writer, {}, concurrency=8, progress=progress)).decisions

    return asyncio.run(all_episodes())


def _steps(id: str, parameters: dict) -> int:
    """Step environments as an RL library would, by catalogue index, and return the steps taken."""
    env = registry.make(id, **parameters)
    rng = np.random.default_rng(0)
    steps = 0
    for seed in range(EPISODES):
        states, _ = env.reset(seed=seed)
        while env.agents:
            masks = {agent: states[agent]["action_mask"] for agent in env.agents}
            actions = {a: int(rng.choice(np.flatnonzero(mask))) for a, mask in masks.items()}
            states, *_ = env.step(actions)
            steps += 1
    return steps


def _scenes() -> object:
    return generate(SCENES, np.random.default_rng(0))


def _read(folder: Path) -> int:
    return sum(1 for _ in read_run(folder).decisions())


def _rank(folder: Path) -> np.ndarray:
    return rank_values(choices(read_run(folder).decisions())).strengths


def _command(arguments: list[str]) -> None:
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


if __name__ == "__main__":
    main()

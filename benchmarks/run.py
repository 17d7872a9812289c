"""Measures where time goes, in one run: medians of several rounds, and ratios between them.

`python -m benchmarks.run` (`make bench`). Absolute times are this machine's; the ratios carry over.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import (
    beside_inspect,
    cluster,
    litmus,
    million,
    replay,
    replies,
    scripted,
    serving,
    tail,
)
from valuesim import registry
from valuesim.choices import choices
from valuesim.engine import Design, plan, run
from valuesim.engine.progress import Progress
from valuesim.envs.moral_machine.generator import generate
from valuesim.episode import EpisodeSpec, play
from valuesim.graph import rank_values
from valuesim.log import RunWriter, read_run

ROUNDS = 5
EPISODES = 20
FAMILIES: tuple[tuple[str, dict[str, Any]], ...] = (
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
A_SIDE = (1, 4)
VIEWED = 2_000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        _paths(Path(folder))
        _families()
        _commands(Path(folder))
    _million()
    scripted.main()
    replies.main()
    serving.main()
    tail.main()
    cluster.main()
    beside_inspect.main()
    _viewer()


def _paths(folder: Path) -> None:
    """Print what each part of the way from an environment to a ranking takes."""
    played = _median(_play_without_log)
    logged = _median(lambda: _play_with_log(folder / f"log-{time.monotonic_ns()}"))
    decisions = _play_with_log(folder / "run")
    read = _median(lambda: _read(folder / "run"))
    ranked = _median(lambda: _rank(folder / "run"))
    print(f"{decisions} decisions of random agents in survival, median of {ROUNDS} rounds\n")
    print(f"{'what':34}{'seconds':>9}{'decisions/s':>13}{'ratio':>8}")
    _row("observe, decide, step", played, decisions, played)
    _row("  ... and the log (the whole path)", logged, decisions, played)
    _row("read the log back", read, decisions, played)
    _row("read, rank values, 1000 draws", ranked, decisions, played)


def _families() -> None:
    """Print how fast each family steps, and scenes are generated."""
    print(f"\n{'environment steps, random agents':34}{'seconds':>9}{'steps/s':>13}{'ratio':>8}")
    unit = None
    for id, parameters in FAMILIES:
        steps = _steps(id, parameters)
        seconds = _median(partial(_steps, id, parameters)) / steps
        unit = unit or seconds
        print(f"{id:34}{seconds * steps:9.3f}{1 / seconds:13,.0f}{seconds / unit:8.2f}")
    scenes = _median(_scenes)
    print(f"\n{'moral-machine scenes generated':34}{scenes:9.3f}{SCENES / scenes:13,.0f} a second")


def _commands(folder: Path) -> None:
    """Print what commands take, their interpreters' starts in it."""
    table = folder / "generations.csv"
    litmus.write_generations(table)
    bare = _median(lambda: _command(["-c", "pass"]))
    help_page = _median(lambda: _command(["-m", "valuesim.cli", "--help"]))
    imported = _median(
        lambda: litmus.import_and_rank(table, folder / f"litmus-{time.monotonic_ns()}")
    )
    print(f"\n{'python -c pass':34}{bare:9.3f}")
    print(f"{'valuesim --help':34}{help_page:9.3f}{'':13}{help_page / bare:8.1f}")
    print(f"{'import litmus, graph --json -':34}{imported:9.3f}{'':13}{imported / bare:8.1f}")
    print(f"  of {litmus.DILEMMAS:,} dilemmas, four values a side; two interpreters")


def _million() -> None:
    """Print the ranking of a million decisions beside sequential Elo, each in its own process."""
    print(
        f"\n{million.DECISIONS:,} decisions, {million.VALUES} values, {million.DRAWS:,} draws of "
        f"{million.EPISODES:,} episodes, beside sequential Elo over the same battles in "
        f"{million.SCALED_TO} orders"
    )
    for a_side in A_SIDE:
        arguments = ["-m", "benchmarks.million", str(a_side)]
        timing = million.Timing(**json.loads(_command(arguments)))
        print(f"{f'values on a side: {a_side}':34}{timing.battles:,} battles")
        print(f"{'  columns to ranking':34}{timing.ranking:9.3f}{timing.peak:9.0f} MiB at most")
        passes = (("fastest plain Python", timing.fastest), ("as published", timing.by_name))
        for name, seconds in passes:
            if seconds is not None:
                scaled = million.SCALED_TO * seconds
                ratio = scaled / timing.ranking
                print(f"{f'  Elo, {name}':34}{scaled:9.1f}{ratio:9.0f} times the ranking")


def _viewer() -> None:
    """Print what the viewer's pages take, of fewer episodes than `benchmarks.replay` asks for."""
    print(f"\nthe viewer on {VIEWED:,} episodes")
    with tempfile.TemporaryDirectory() as folder:
        replay.write(Path(folder), VIEWED)
        replay.measure(Path(folder))


def _median(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return median(seconds)


def _row(name: str, seconds: float, decisions: int, unit: float) -> None:
    print(f"{name:34}{seconds:9.3f}{decisions / seconds:13,.0f}{seconds / unit:8.2f}")


def _specs() -> list[EpisodeSpec]:
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


def _steps(id: str, parameters: dict[str, Any]) -> int:
    """Step environments as an RL library would, by catalogue index, and return the steps taken."""
    env = registry.make(id, **parameters)
    rng = np.random.default_rng(0)
    steps = 0
    for seed in range(EPISODES):
        states, _ = env.reset(seed=seed)
        while env.agents:
            masks = {agent: states[agent]["action_mask"] for agent in env.agents}
            actions: dict[str, Any] = {
                a: int(rng.choice(np.flatnonzero(mask))) for a, mask in masks.items()
            }
            states, *_ = env.step(actions)
            steps += 1
    return steps


def _scenes() -> object:
    return generate(SCENES, np.random.default_rng(0))


def _read(folder: Path) -> int:
    return sum(1 for _ in read_run(folder).decisions())


def _rank(folder: Path) -> np.ndarray:
    return rank_values(choices(read_run(folder).decisions())).strengths


def _command(arguments: list[str]) -> bytes:
    return subprocess.run([sys.executable, *arguments], check=True, capture_output=True).stdout


if __name__ == "__main__":
    main()

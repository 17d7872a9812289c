"""Runs that are really written, slowly, by a process of their own: what tests of the viewer watch.

The agent `paced` (tests/toy/paced.py) is installed as a plug-in for that process alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

TESTS = Path(__file__).parent
METADATA = "Metadata-Version: 2.1\nName: valuesim-paced\nVersion: 0\n"
POINTS = "[valuesim.agents]\npaced = paced:Paced\n"


def installed(folder: Path) -> Path:
    """Install the agent `paced` into `folder`; return the folder that PYTHONPATH must hold."""
    about = folder / "valuesim_paced-0.dist-info"
    about.mkdir(parents=True)
    about.joinpath("METADATA").write_text(METADATA)
    about.joinpath("entry_points.txt").write_text(POINTS)
    folder.joinpath("paced.py").write_bytes((TESTS / "toy" / "paced.py").read_bytes())
    return folder


class Gate:
    """Lets a run of `paced` agents play so many steps, and no more until it is opened further."""

    def __init__(self, path: Path, steps: int) -> None:
        self.path = path
        self.open(steps)

    def open(self, steps: int) -> None:
        self.steps = steps
        draft = self.path.with_suffix(".draft")
        draft.write_text(str(steps))
        draft.replace(self.path)


def started(
    plugins: Path, run: Path, *settings: str, pace_s: float = 0.2, gate: Gate | None = None
) -> subprocess.Popen[bytes]:
    """Start a run of `paced` agents; whoever asked for it ends it."""
    command = [sys.executable, "-m", "valuesim.cli", "run", "agents=paced", *settings]
    surroundings = os.environ | {
        "PYTHONPATH": f"{plugins}{os.pathsep}{TESTS.parent}",
        "PACED_S": str(pace_s),
    }
    if gate is not None:
        surroundings |= {"PACED_S": "0", "PACED_GATE": str(gate.path)}
    return subprocess.Popen(
        [*command, f'run.name="{run}"'],
        cwd=TESTS.parent,
        env=surroundings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for(holds: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    """Wait until something holds; fail, naming it, where it never does."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.05)

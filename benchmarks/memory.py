"""Memory of a run, which should not grow with its episodes: peaks of runs of more and more of them.

`python -m benchmarks.memory` (`--quick` leaves the largest out); each run is a process of its own.
The episodes are the shortest there are, one decision of a random dictator.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

EPISODES = (1_000, 10_000, 100_000)
MOST_MIB = 500
"""What the largest run may need."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Peak:
    """The most memory that a run held at once, in MiB, and the seconds it took."""

    mib: float
    seconds: float


def main() -> None:
    numbers = EPISODES[:-1] if "--quick" in sys.argv else EPISODES
    print(f"\n{'a run of scripted episodes':34}{'seconds':>9}{'MiB at most':>13}{'resumed':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            place = Path(folder) / str(number)
            first, again = peak(number, place), peak(number, place)
            print(f"{number:<34,}{first.seconds:9.1f}{first.mib:13.0f}{again.mib:9.0f}")
            if max(first.mib, again.mib) > MOST_MIB:
                sys.exit(f"{number:,} episodes need more than {MOST_MIB} MiB")


def peak(episodes: int, folder: Path) -> Peak:
    """Return what a run of `episodes` into `folder` needs, all of them or those it lacks."""
    design = ["env=dictator", "agents=random", f"episodes={episodes}", f"run.name={folder}"]
    command = [sys.executable, "-m", "valuesim.cli", "run", *design, "engine.progress=none"]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"a run of {episodes:,} episodes ended with {process.returncode}")
    # Linux counts in KiB, macOS in bytes
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return Peak(mib=used.ru_maxrss / unit, seconds=time.perf_counter() - started)


if __name__ == "__main__":
    main()

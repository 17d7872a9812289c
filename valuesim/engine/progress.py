"""Tells how far a run is: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TextIO

from valuesim.episode import Turn

LINE_EVERY_S = 10.0
BAR_EVERY_S = 0.25


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How far a run is: episodes, what this session has done so far, and how fast (per second)."""

    done: int
    planned: int
    interrupted: int
    decisions: int
    faults: int
    calls: int
    retries: int
    tokens: int
    decisions_per_s: float
    calls_per_s: float
    left_s: float | None
    aside: str = ""
    paused: str = ""

    def __str__(self) -> str:
        """Return one line; what is zero for agents without a model is left out."""
        parts = [
            f"{self.done}/{self.planned} {'episode' if self.planned == 1 else 'episodes'}",
            f"{self.decisions_per_s:,.0f} decisions/s",
            f"{self.faults:,} faults",
        ]
        if self.aside:
            parts.insert(1, self.aside)
        if self.calls:
            parts.insert(1, f"{self.calls_per_s:,.1f} calls/s")
            parts += [f"{self.tokens:,} tokens", f"{self.retries:,} retries"]
        if self.interrupted:
            parts.append(f"{self.interrupted:,} interrupted")
        if self.paused:
            parts.append(f"paused: {self.paused}")
        elif self.left_s is not None:
            parts.append(f"{timedelta(seconds=round(self.left_s))} left")
        return ", ".join(parts)


class Progress:
    """Counts what a run does and shows it on `stream`, as a "bar", as "lines", or not at all.

    "auto" is a bar where `stream` is a terminal, else lines. `clock` gives seconds. `aside` says
    what else is to be told of how far the run is.
    """

    def __init__(
        self, stream: TextIO, show: str = "auto", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._show = ("bar" if stream.isatty() else "lines") if show == "auto" else show
        self._clock = clock
        self._bar: Any = None
        self.aside: Callable[[], str] = str
        self._ticker: asyncio.Task[None] | None = None
        self._connections: Sequence[Any] = ()
        self._began = clock()
        self._planned = self._done_before = 0
        self.played = self.interrupted = self.decisions = self.faults = 0
        self.fault_kinds: Counter[str] = Counter()

    def start(self, planned: int, done: int, connections: Sequence[Any]) -> None:
        """Begin with `done` of `planned` episodes finished; `connections` have `counters`."""
        self._planned, self._done_before = planned, done
        self._connections = connections
        self._began = self._clock()
        if self._show == "bar":
            self._bar = _Bar(self._stream, planned)
        if self._show != "none":
            self._ticker = asyncio.create_task(self._tick())

    def turn(self, turn: Turn) -> None:
        """Count the decisions of one step."""
        self.decisions += len(turn.decisions)
        kinds = [str(d.fault) for d in turn.decisions.values() if d.fault is not None]
        self.faults += len(kinds)
        self.fault_kinds.update(kinds)

    def count(self, decisions: int, faults: Mapping[str, int]) -> None:
        """Count decisions that were made elsewhere, and their faults by kind."""
        self.decisions += decisions
        self.faults += sum(faults.values())
        self.fault_kinds.update(faults)

    def note(self, told: str) -> None:
        """Tell one line, unless nothing is shown."""
        if self._show != "none":
            self._tell(told)

    def episode(self, *, interrupted: bool = False) -> None:
        """Count an episode that ended."""
        if interrupted:
            self.interrupted += 1
        else:
            self.played += 1

    def ending(self, under_way: int, spent: str) -> None:
        """Tell, in one line, that no episode begins any more; `spent` says which budget is spent.

        Where a budget is and nothing is under way, nothing is told: the run ends with it.
        """
        number = "1 episode" if under_way == 1 else f"{under_way} episodes"
        played = f"{number} under way {'is' if under_way == 1 else 'are'} played to the end"
        if spent and under_way:
            self._tell(f"{spent}: {played}; press Ctrl-C to stop now")
        elif under_way:
            self._tell(f"stopping: {played}; press Ctrl-C again to stop now")
        elif not spent:
            self._tell("stopping: no episode is under way")

    def finish(self) -> None:
        """Take the bar away and stop telling."""
        if self._ticker is not None:
            self._ticker.cancel()
        if self._bar is not None:
            self._bar.show(self.standing())
            self._bar.close()

    def standing(self) -> Standing:
        """Return how far the run is now; `left_s` is None before the first episode ended."""
        elapsed = max(self._clock() - self._began, 1e-9)
        counters = [connection.counters for connection in self._connections]
        calls = sum(c.calls for c in counters)
        ended = self.played + self.interrupted
        waiting = self._planned - self._done_before - ended
        return Standing(
            done=self._done_before + self.played,
            planned=self._planned,
            interrupted=self.interrupted,
            decisions=self.decisions,
            faults=self.faults,
            calls=calls,
            retries=sum(c.retries for c in counters),
            tokens=sum(c.usage.prompt_tokens + c.usage.completion_tokens for c in counters),
            decisions_per_s=self.decisions / elapsed,
            calls_per_s=calls / elapsed,
            left_s=elapsed / ended * waiting if ended else None,
            aside=self.aside(),
            paused="; ".join(c.paused for c in counters if c.paused),
        )

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(BAR_EVERY_S if self._bar is not None else LINE_EVERY_S)
            if self._bar is not None:
                self._bar.show(self.standing())
            else:
                self._tell(str(self.standing()))

    def _tell(self, line: str) -> None:
        if self._bar is not None:
            self._bar.tell(line)
            return
        self._stream.write(f"{line}\n")
        self._stream.flush()


class _Bar:
    def __init__(self, stream: TextIO, planned: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            BarColumn(bar_width=24),
            TextColumn("{task.description}"),
            console=Console(file=stream),
            auto_refresh=False,
            transient=True,
        )
        self._task = self._bar.add_task("", total=planned)
        self._bar.start()

    def show(self, standing: Standing) -> None:
        """Draw the bar at `standing`."""
        self._bar.update(
            self._task,
            completed=standing.done + standing.interrupted,
            description=str(standing),
            refresh=True,
        )

    def tell(self, line: str) -> None:
        """Print `line` above the bar."""
        self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Take the bar off the terminal."""
        self._bar.stop()

"""Who plays the episodes of a run elsewhere: workers as a run sees them, and how they are lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from valuesim.engine.parcels import Failed, Parcel, Report
from valuesim.engine.schedule import EpisodeFailed
from valuesim.errors import InputError, LogError, ValueSimError


class WorkerLost(Exception):
    """A worker is no more: its process was killed, or its machine cannot be reached."""


class CrewFailed(ValueSimError):
    """Workers cannot be had, or end before they play anything."""


class Hired(Protocol):
    """A worker that has begun; each of its methods raises WorkerLost where it is no more."""

    async def give(self, parcels: Sequence[Parcel]) -> None:
        """Hand over episodes to play."""
        ...

    async def report(self) -> Report:
        """Return what was done since the last report, at the latest after a second or so."""
        ...

    async def stop(self, *, now: bool) -> None:
        """Let no further episode begin; where it is `now`, let those under way end at once."""
        ...

    def dismiss(self) -> None:
        """End the worker, whatever it does."""
        ...


class Crew(Protocol):
    """Where workers come from; `size` is how many there are to be."""

    @property
    def size(self) -> int:
        """Return how many workers play at once."""
        ...

    async def hire(self, index: int, segment: str) -> Hired:
        """Return a worker that has begun to write `segment`; `index` is its place, from 0.

        Raises WorkerLost where it ends before, and InputError where it does not see the run folder.
        """
        ...


def failure(failed: Failed) -> ValueSimError:
    """Return what a worker told as the error that it was."""
    kinds = (InputError, LogError, EpisodeFailed)
    kind = next((each for each in kinds if each.__name__ == failed.kind), None)
    return kind(failed.told) if kind else CrewFailed(f"a worker failed: {failed.told}")

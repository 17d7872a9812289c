"""What happened in a run, kept for those who listen: the last of it, each under its number."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from threading import Lock
from typing import Any

MOST = 5_000


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """What happened in a run: `name` is step, finished, interrupted or anew."""

    name: str
    told: Mapping[str, Any]


class Recent:
    """The last 5,000 news, numbered from 0: those from `begin` to before `end`."""

    def __init__(self) -> None:
        """Begin with none."""
        self.begin = self.end = 0
        self._kept: deque[News] = deque()
        self._lock = Lock()

    def add(self, news: Iterable[News]) -> None:
        """Take in what happened, in its order."""
        with self._lock:
            for each in news:
                self._kept.append(each)
                self.end += 1
            while len(self._kept) > MOST:
                self._kept.popleft()
                self.begin += 1

    def since(self, number: int, most: int) -> Sequence[News]:
        """Return at most `most` of what happened from `number` on, as far as it is kept."""
        with self._lock:
            begin = max(0, number - self.begin)
            return list(islice(self._kept, begin, begin + most))

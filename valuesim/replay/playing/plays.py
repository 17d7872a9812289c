"""The plays of this viewer: branches that were asked for, and games that a person plays.

They are kept by id as long as the viewer runs; what they write stands in run folders.
"""

from __future__ import annotations

import secrets
import sys
import time
import traceback
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any

from valuesim.errors import InputError, ValueSimError
from valuesim.replay.indexing.naming import NotThereError
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.playing.consent import Consent
from valuesim.replay.playing.models import Models
from valuesim.replay.playing.play import About, Play
from valuesim.secrets import redact_strictly

MOST_AT_ONCE = 8
MOST_SEATED = 50
"""So many people play at once: a seat costs little, and one that somebody left waits for them."""
MOST_KEPT = 200
_PATIENCE_S = 3.0
_BUG = "the play failed ({}): a bug; what it was stands where the viewer was started"


def _now() -> datetime:
    return datetime.now().astimezone()


@dataclass(frozen=True, kw_only=True, slots=True)
class Chance:
    """What is drawn by lot: names of plays and sittings (`digits` hexadecimal ones), and seeds."""

    digits: Callable[[int], str] = lambda count: secrets.token_hex(count // 2)
    seed: Callable[[], int] = lambda: secrets.randbelow(2**32)


@dataclass(kw_only=True)
class Plays:
    """What is played below `shelf`.

    `models` are those that this viewer was told of, `consent` is what a person agrees to. `now` and
    `chance` say what time it is, and draw names.
    """

    shelf: Shelf
    models: Models = field(default_factory=Models)
    consent: Consent = field(default_factory=Consent)
    now: Callable[[], datetime] = _now
    chance: Chance = field(default_factory=Chance)

    def __post_init__(self) -> None:
        """Hold no play."""
        self._plays: dict[str, Play] = {}
        self._lock = Lock()
        self._is_closed = False

    def start(self, about: About, work: Callable[[Play], Coroutine[Any, Any, str]]) -> Play:
        """Begin a play, or return the one that does the same already.

        Raises InputError where too many are played.
        """
        with self._lock:
            playing = [each for each in self._plays.values() if not each.is_over]
            for each in playing:
                if about.key and each.about.key == about.key:
                    return each
            alike = [each for each in playing if each.about.person == about.person]
            if self._is_closed or len(alike) >= (MOST_SEATED if about.person else MOST_AT_ONCE):
                raise InputError(
                    f"{len(alike)} plays are under way, as many as there may be: stop one, or "
                    "wait for its end"
                )
            play = Play(
                self.chance.digits(16),
                about,
                work,
                settled=self.shelf.refresh,
                sentence=self.sentence,
            )
            self._keep(play)
        play.start()
        return play

    def find(self, id: str) -> Play:
        """Return a play by its id; raise NotThereError without one."""
        found = self._plays.get(id)
        if found is None:
            raise NotThereError(f"no play of this viewer is named {id!r:.40}")
        return found

    def listed(self) -> list[Play]:
        """Return all plays, the newest first."""
        with self._lock:
            return list(reversed(self._plays.values()))

    @property
    def is_closed(self) -> bool:
        """Whether the viewer ends."""
        return self._is_closed

    def close(self) -> None:
        """Stop all plays and begin no other; return once they ended, in a few seconds at most."""
        with self._lock:
            self._is_closed = True
        for each in self.listed():
            # whoever follows it is to go
            each.tell()
        playing = [each for each in self.listed() if not each.is_over]
        for each in playing:
            each.stop()
        until = time.monotonic() + _PATIENCE_S
        for each in playing:
            each.join(until - time.monotonic())

    def sentence(self, error: Exception) -> str:
        """Return what ended a play, without keys, and without where things lie here."""
        if isinstance(error, ValueSimError):
            return redact_strictly(self.shelf.sentence(error), self.models.secrets)
        traceback.print_exception(error, file=sys.stderr)
        return _BUG.format(type(error).__name__)

    def _keep(self, play: Play) -> None:
        over = [each.id for each in self._plays.values() if each.is_over]
        for id in over[: max(0, len(self._plays) + 1 - MOST_KEPT)]:
            del self._plays[id]
        self._plays[play.id] = play

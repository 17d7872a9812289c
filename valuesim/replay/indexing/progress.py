"""What the log of a run comes to so far: which episodes are open, finished, or were cut off."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from threading import RLock
from typing import Any

from valuesim.log.files import MISSHAPEN
from valuesim.log.lines import AGAIN, GONE, LOST
from valuesim.log.segments import log_folders
from valuesim.replay.indexing.gathering import at
from valuesim.replay.indexing.news import News, Recent
from valuesim.replay.indexing.played import Played, decoded, step_told
from valuesim.replay.indexing.tailing import Line, Tail

ENDED, CUT, MADE, TEXTS = (
    f"{name}.jsonl" for name in ("episodes", "interrupted", "decisions", "texts")
)
_PLAYED_AGAIN = (AGAIN, LOST, GONE)
_MOST_OPEN = 10_000
_MOST_ENDED = 100
_MINUTE = 60
_ROUNDS = 16
_LONGEST_REASON = 1000


class Progress:
    """Keeps up with the log of the run folder `run`, in memory that open episodes alone need.

    Of episodes that were cut off the last play is kept, and of those that were finished the last
    hundred. `is_odd` says that there is a line that cannot be read, an episode that was played
    again, or a file that is not what it was. Several threads may look; who reads what changes
    holds `lock`.
    """

    def __init__(self, run: Path, *, keeps_ended: bool = False) -> None:
        """Begin with nothing read; `keeps_ended` where whoever asks for it empties `ended`."""
        self.run = run
        self.is_odd = False
        self._keeps_ended = keeps_ended
        self.lock = RLock()
        self.news = Recent()
        self._clear()

    def _clear(self) -> None:
        self.parts: list[Path] = []
        self.open: OrderedDict[str, Played] = OrderedDict()
        self.cut: OrderedDict[str, Played] = OrderedDict()
        self.ended: OrderedDict[str, Played] = OrderedDict()
        self.finished: set[str] = set()
        self.texts: dict[str, int] = {}
        self._void: dict[tuple[str, int], str] = {}
        self._seconds: Counter[int] = Counter()
        self._tails: dict[tuple[int, str], Tail] = {}
        self._waiting: list[tuple[str, int, Line]] = []
        self._is_first = True

    @property
    def is_unread(self) -> bool:
        """Whether nobody has looked yet."""
        return self._is_first

    @property
    def interrupted(self) -> set[str]:
        """The episodes of which a play was cut off, and that were not finished since."""
        return {episode for episode, _ in self._void} - self.finished

    def played(self, episode: str) -> Played | None:
        """Return the play of an episode that is open, was the last to be cut off, or just ended."""
        for kept in (self.open, self.ended, self.cut):
            if episode in kept:
                return kept[episode]
        return None

    def rate(self, now: float) -> float:
        """Return the decisions a second of the minute before `now`, in seconds since 1970."""
        begin = int(now) - _MINUTE
        for second in [each for each in self._seconds if each < begin]:
            del self._seconds[second]
        return self._seconds.total() / _MINUTE

    def look(self) -> None:
        """Read what was appended, and add what happened to `news`.

        At the first look that is nothing: all that stands there was there before. Raises LogError
        and OSError as `Tail.look` does.
        """
        with self.lock:
            news = self._looked()
            if news is None:
                self.is_odd = True
                self._clear()
                self._looked()
                news = [News(name="anew", told={})]
            self.news.add(news)

    def _looked(self) -> list[News] | None:
        """Return what happened; None where a file is not what it was, so that all begins anew."""
        self._find_parts()
        # a line that ends an episode, or a play, stands behind its decisions: it is read first,
        # and waits until they are all read
        for name in (ENDED, CUT, TEXTS):
            for number in range(len(self.parts)):
                if not self._take(number, name):
                    return None
        was_first, told = self._is_first, list(self._waiting)
        if was_first:
            self._waiting.clear()
            counts = self._settled(told)
        found = self._decided(_ROUNDS if not was_first else None)
        if found is None:
            return None
        news, is_whole = found
        if was_first:
            self._is_first = False
            self._resolve(counts)
            return []
        if is_whole:
            waiting, self._waiting = self._waiting, []
            news += self._happened(waiting)
        return news

    def _find_parts(self) -> None:
        for folder in log_folders(self.run):
            if folder not in self.parts:
                self.parts.append(folder)

    def _tail(self, number: int, name: str) -> Tail:
        return self._tails.setdefault((number, name), Tail(self.parts[number] / name))

    def _take(self, number: int, name: str) -> bool:
        while True:
            read = self._tail(number, name).look()
            if read.is_anew:
                return False
            for line in read.lines:
                if name != TEXTS:
                    self._waiting.append((name, number, line))
                elif (found := decoded(line)) is not None and isinstance(found.get("id"), str):
                    self.texts[found["id"]] = at(number, line.begins)
            if read.is_whole:
                return True

    def _settled(self, told: list[tuple[str, int, Line]]) -> dict[str, int]:
        """Take in what had ended before the first look; return the decisions of the doubtful."""
        counts: dict[str, int] = {}
        for name, _, line in sorted(told, key=lambda each: each[0] == CUT):
            found = decoded(line)
            if name == ENDED and found is not None:
                with suppress(*MISSHAPEN):
                    counts[found["episode"]] = int(found["decisions"])
                    self.finished.add(found["episode"])
            elif found is not None:
                self._interrupted(found)
        return {id: each for id, each in counts.items() if id not in self.finished}

    def _resolve(self, counts: Mapping[str, int]) -> None:
        """Count as finished what was to be played again and has all its decisions."""
        for id, told in counts.items():
            if id in self.open and len(self.open[id].places) == told:
                self.finished.add(id)
                del self.open[id]
        for id in self.finished & self.cut.keys():
            del self.cut[id]

    def _decided(self, rounds: int | None) -> tuple[list[News], bool] | None:
        """Return what was decided since, and whether that is all; None where a file is another.

        Each file is read `rounds` times at most: one may be written faster than it is read.
        """
        news: list[News] = []
        is_whole = True
        for number in range(len(self.parts)):
            for _ in count() if rounds is None else range(rounds):
                read = self._tail(number, MADE).look()
                if read.is_anew:
                    return None
                happened = [each for line in read.lines for each in self._made(number, line)]
                if rounds is not None:
                    news += happened
                if read.is_whole:
                    break
            is_whole = is_whole and read.is_whole
        return news, is_whole

    def _made(self, number: int, line: Line) -> Iterator[News]:
        found = decoded(line)
        try:
            if found is None or not _is_decision(found):
                self.is_odd = True
                return
            id, play, role = found["episode"], found["play"], found["agent"]
            answer = found["decision"]
            self._count(found)
            if id in self.finished:
                self.is_odd |= not self._is_first and (id, play) not in self._void
                return
            own = self._own(id, play)
            own.places.append(at(number, line.begins))
            own.steps.append(found["step"])
            own.sizes.append(len(line.raw))
            own.faults += answer["fault"] is not None
            own.roles.setdefault(role)
            if own.reason is None:
                yield News(name="step", told=step_told(id, found["step"], role, answer))
        except MISSHAPEN:
            # whoever opens the run is told what is wrong with it
            self.is_odd = True

    def _count(self, line: Mapping[str, Any]) -> None:
        with suppress(*MISSHAPEN, OverflowError):
            self._seconds[int(datetime.fromisoformat(line["time"]["at"]).timestamp())] += 1
            if len(self._seconds) > 100 * _MINUTE:
                self.rate(max(self._seconds))

    def _own(self, id: str, play: int) -> Played:
        reason = self._void.get((id, play))
        kept = self.open if reason is None else self.cut
        own = kept.get(id)
        if own is None or own.play < play:
            own = kept[id] = Played(episode=id, play=play, reason=reason)
            while len(kept) > _MOST_OPEN:
                kept.popitem(last=False)
        return own

    def _happened(self, waiting: list[tuple[str, int, Line]]) -> Iterator[News]:
        for name, number, line in waiting:
            found = decoded(line)
            if found is None:
                self.is_odd = True
                continue
            if name == CUT:
                yield from self._interrupted(found)
            elif isinstance(id := found.get("episode"), str):
                self._end(id, at(number, line.begins))
                yield News(name="finished", told={"episode": id})

    def _end(self, id: str, place: int) -> None:
        self.is_odd |= id in self.finished
        self.finished.add(id)
        self.cut.pop(id, None)
        own = self.open.pop(id, None)
        if own is not None:
            own.ends = place
            self.ended[id] = own
            while len(self.ended) > _MOST_ENDED and not self._keeps_ended:
                self.ended.popitem(last=False)

    def _interrupted(self, line: Mapping[str, Any]) -> list[News]:
        id, play, reason = line.get("episode"), line.get("play"), line.get("reason")
        if not (isinstance(id, str) and type(play) is int and isinstance(reason, str)):
            return []
        self._void[id, play] = reason[:_LONGEST_REASON]
        if reason in _PLAYED_AGAIN:
            self.is_odd = True
            self.finished.discard(id)
            self.ended.pop(id, None)
        own = self.open.get(id)
        if own is not None and own.play == play:
            del self.open[id]
            own.reason = reason[:_LONGEST_REASON]
            self.cut[id] = own
        told = {"episode": id, "play": play, "reason": reason[:_LONGEST_REASON]}
        return [News(name="interrupted", told=told)]


def _is_decision(line: Mapping[str, Any]) -> bool:
    """Return whether a line says of which episode, play, step and role it is."""
    play, step = line["play"], line["step"]
    is_named = isinstance(line["episode"], str) and isinstance(line["agent"], str)
    return is_named and type(play) is int and type(step) is int and 0 <= step < 2**31

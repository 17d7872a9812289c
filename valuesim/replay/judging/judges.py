"""Sessions of judging: who consented, what each was shown and when, and what each may answer next.

A moment is judged once before what was chosen is shown, and once after. One that lies before what
a session has been shown already is judged no more: a later moment may tell what was done in it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import yaml

from valuesim.choices import cluster_of
from valuesim.decision import Decision, Fault
from valuesim.errors import InputError, ValueSimError
from valuesim.log.appending import Clock
from valuesim.log.files import MISSHAPEN
from valuesim.log.lines import SCHEMA
from valuesim.log.records import DecisionRecord
from valuesim.log.whole import whole
from valuesim.replay.indexing.naming import NotThereError, id_of
from valuesim.replay.judging.blind import judgeable, seen_in, unseen
from valuesim.replay.judging.judged import JudgedRun, described, new_folder
from valuesim.replay.judging.judgement import Judgement, Phase, Task, answer_to
from valuesim.replay.judging.tallying import tallied
from valuesim.replay.playing.consent import Consent
from valuesim.replay.watching.moments import Opened, revealed

MOST_OPEN = 50
"""So many sessions are open at once; where one more begins, the one that began first is ended."""
_ENDED = "there is no such session of judging: it was ended, begin anew"
Key = tuple[str, str, int, str]


class NotNowError(InputError):
    """What is asked for was to be done at another time, or was done already."""


@dataclass(kw_only=True, slots=True)
class _Shown:
    """A moment that a session was shown: when, and how far it was judged."""

    at: float
    before: dict[str, Any] | None = None
    revealed_at: float = 0.0
    is_done: bool = False


@dataclass(kw_only=True, eq=False)
class Session:
    """One person who judges, known by a token that nobody else is told."""

    token: str
    run: JudgedRun
    root: Path
    seconds: Callable[[], float]
    secrets: Sequence[str] = ()
    lines: list[dict[str, Any]] = field(default_factory=list)
    _shown: dict[Key, _Shown] = field(default_factory=dict)
    _free: Lock = field(default_factory=Lock)
    _is_over: bool = False

    def show(self, found: Opened, record: DecisionRecord) -> dict[str, Any]:
        """Return a moment without what was chosen in it; with it where it was judged before.

        Raises NotNowError for one that lies before what was shown already.
        """
        with self._free:
            key = _key(found, record)
            if key not in self._shown:
                self._check_order(key)
                self._shown[key] = _Shown(at=self.seconds())
            shown = self._shown[key]
            told = unseen(found, record)
            if shown.before is None:
                return told | {"judged": None}
            own = {name: shown.before[name] for name in ("task", "answer", "confidence")}
            judged = {**own, "is_done": shown.is_done}
            return told | {"judged": judged, "revealed": revealed(record)}

    def judge(self, found: Opened, record: DecisionRecord, judgement: Judgement) -> dict[str, Any]:
        """Keep a judgement, and return what the person may see of the moment now.

        Raises NotNowError for a moment that was not shown, or was judged so already, and InputError
        for an answer that does not hold.
        """
        with self._free:
            self._check_open()
            shown = self._waiting(found, record, judgement)
            answer = answer_to(record, judgement, self.secrets)
            now, begun = self.seconds(), shown.at
            if judgement.phase is Phase.AFTER:
                begun = shown.revealed_at
            latency = round(max(0.0, now - begun), 3)
            line = self._line(found, record, judgement, answer, latency)
            if judgement.phase is Phase.AFTER:
                line["chose"] = _chose(record)
            self.lines.append(self.run.keep(line))
            if judgement.task is Task.DECIDE:
                self._decide(found, record, judgement.phase, answer, latency)
            if judgement.phase is Phase.AFTER:
                shown.is_done = True
            else:
                shown.before, shown.revealed_at = line, self.seconds()
        return {"schema": 1, "revealed": revealed(record)}

    def following(self, found: Opened, role: str | None) -> dict[str, Any]:
        """Return which moment of an episode is judged next (of `role`, None for all), and no more.

        How many are left is not told: it may tell what was chosen.
        """
        own = [r for r in judgeable(found) if role is None or r.role == role]
        done = [r for r in own if self._is_done(_key(found, r))]
        last = max((key[2] for key in self._shown if key[:2] == _key_of(found)), default=-1)
        left = [r for r in own if r not in done and (r.step >= last or self._is_open(found, r))]
        return {"next": _place(left[0]) if left else None, "judged": len(done)}

    def summary(self) -> dict[str, Any]:
        """Return how the judgements of the session agree with what was chosen, by task."""
        own = self.run.folder.relative_to(self.root).as_posix()
        told = {"schema": 1, "run": id_of(own), "run_name": own}
        return told | {"tasks": tallied(self.lines)}

    def end(self) -> None:
        """Finish the episodes that the person's choices began; what is judged yet begins anew."""
        with self._free:
            self._check_open()
            self.run.end()

    def close(self) -> None:
        """End it for good; a judgement that is being kept is kept first."""
        with self._free:
            self._is_over = True
            self.run.close()

    def _check_open(self) -> None:
        if self._is_over:
            raise NotThereError(_ENDED)

    def _check_order(self, key: Key) -> None:
        later = max((each[2] for each in self._shown if each[:2] == key[:2]), default=-1)
        if key[2] < later:
            raise NotNowError(
                f"step {key[2]} lies before step {later}, which was shown already and may tell "
                "what was done in it: judge an episode from its beginning on"
            )

    def _waiting(self, found: Opened, record: DecisionRecord, given: Judgement) -> _Shown:
        """Return the shown moment that waits for this judgement; else raise NotNowError."""
        shown = self._shown.get(_key(found, record))
        if shown is None:
            raise NotNowError("this moment was not shown in this session: it is not judged unseen")
        if given.phase is Phase.BEFORE and shown.before is not None:
            raise NotNowError("this moment was judged already, and what was chosen shown")
        if given.phase is Phase.AFTER and (shown.before is None or shown.is_done):
            why = "judged after it already" if shown.is_done else "not judged before it was shown"
            raise NotNowError(f"this moment was {why}")
        if shown.before is not None and shown.before["task"] != given.task:
            raise NotNowError(f"this moment was judged by the task {shown.before['task']}: go on")
        return shown

    def _line(
        self,
        found: Opened,
        record: DecisionRecord,
        given: Judgement,
        answer: Mapping[str, Any] | None,
        latency: float,
    ) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "run": found.run.place.name,
            "episode": found.episode.id,
            "step": record.step,
            "role": record.role,
            "cluster": cluster_of(record),
            **_judged_of(found, record),
            "task": str(given.task),
            "phase": str(given.phase),
            "answer": answer,
            "confidence": given.confidence,
            "time": {"at": self.run.now(), "latency": latency},
        }

    def _decide(
        self,
        found: Opened,
        record: DecisionRecord,
        phase: Phase,
        answer: Mapping[str, Any] | None,
        latency: float,
    ) -> None:
        taken = answer or {"option": None, "arguments": {}}
        message = taken["arguments"].get("message")
        made = Decision(
            agent=record.role,
            step=record.step,
            option=taken["option"],
            arguments=taken["arguments"],
            message=str(message) if message else None,
            fault=Fault.REFUSED if answer is None else None,
            latency=latency,
        )
        self.run.decide(found.run.place, found.episode, phase, seen_in(found, record), made)

    def _is_done(self, key: Key) -> bool:
        return key in self._shown and self._shown[key].is_done

    def _is_open(self, found: Opened, record: DecisionRecord) -> bool:
        shown = self._shown.get(_key(found, record))
        return shown is not None and not shown.is_done


class Judges:
    """All sessions of judging of one viewer; `now` is the time, `seconds` a clock that only runs.

    Sessions that have begun are ended by `close`; what a session has kept is never lost.
    """

    def __init__(
        self, root: Path, now: Clock, seconds: Callable[[], float], secrets: Sequence[str] = ()
    ) -> None:
        self._root, self._now, self._seconds = root, now, seconds
        self._secrets = secrets
        self._sessions: dict[str, Session] = {}
        self._free = Lock()

    def begin(self, consent: Consent, participant: str | None) -> Session:
        """Return a new session of a person who has consented, whose folder says so."""
        with self._free:
            while len(self._sessions) >= MOST_OPEN:
                _close(self._sessions.pop(next(iter(self._sessions))))
            now = self._now()
            folder = new_folder(self._root, now, secrets.token_hex(2))
            said = yaml.safe_dump(
                described(consent, participant, now), sort_keys=False, allow_unicode=True
            )
            with whole(folder / "run.yaml") as draft:
                draft.write_text(said, encoding="utf-8")
            token = secrets.token_urlsafe(24)
            session = Session(
                token=token,
                run=JudgedRun(folder, self._now),
                root=self._root,
                seconds=self._seconds,
                secrets=self._secrets,
            )
            self._sessions[token] = session
        return session

    def session(self, token: object) -> Session:
        """Return a session by its token; raise NotThereError where there is none."""
        found = self._sessions.get(token) if isinstance(token, str) else None
        if found is None:
            raise NotThereError(_ENDED)
        return found

    def close(self) -> None:
        """End all sessions: the episodes that they began are finished, and count.

        One whose files were spoilt meanwhile keeps no other from it.
        """
        with self._free:
            while self._sessions:
                _close(self._sessions.popitem()[1])


def _close(session: Session) -> None:
    """End a session; one whose files were spoilt meanwhile ends with them as they are."""
    with suppress(ValueSimError, OSError, *MISSHAPEN):
        session.close()


def _chose(record: DecisionRecord) -> dict[str, Any]:
    fault = None if record.fault is None else str(record.fault)
    return {"option": record.chosen, "arguments": record.arguments, "fault": fault}


def _judged_of(found: Opened, record: DecisionRecord) -> dict[str, Any]:
    """Return who is judged, under what, and among how many options they chose."""
    player = found.episode.population[record.role]
    return {
        "env": found.episode.env,
        "condition": found.episode.condition,
        "agent": player.agent,
        "model": player.model_name,
        "interventions": list(player.interventions),
        "offered": len(record.options),
    }


def _place(record: DecisionRecord) -> dict[str, Any]:
    return {"step": record.step, "role": record.role}


def _key_of(found: Opened) -> tuple[str, str]:
    return found.run.place.id, found.episode.id


def _key(found: Opened, record: DecisionRecord) -> Key:
    return (*_key_of(found), record.step, record.role)

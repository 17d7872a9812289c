"""Questions that take long: each is worked out once, beside whoever asks, one at a time.

Who asks waits for a moment, and then asks again. The newest question comes first; one that nobody
asks any more is dropped, and ended where another waits.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any

from valuesim.errors import InputError, LogError, ValueSimError
from valuesim.log.files import MISSHAPEN
from valuesim.replay.understanding.backing import Table, read_table
from valuesim.replay.understanding.working import worked_out

WAITS_S = 1.5
"""How long an asker waits before being told how far it is."""
_ASKED_S, _PATIENCE_S = 6.0, 90.0
_KEPT, _KEPT_BYTES = 24, 256_000_000
_FAILURES = (ValueSimError, OSError, RuntimeError, *MISSHAPEN, LookupError, ArithmeticError)

Question = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Answer:
    """What a question came to: JSON, and of a graph the table of the decisions behind it.

    `state` is that of what was asked about, `took` the seconds that it took until `made`.
    """

    content: Mapping[str, Any]
    table: Table | None = None
    size: int = 0
    state: Hashable = None
    took: float = 0.0
    made: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """A question that is not answered yet: how much of what is done, or that it `waits`."""

    progress: Mapping[str, int]


@dataclass(kw_only=True, slots=True, eq=False)
class _Job:
    make: Callable[[], Question]
    state: Hashable
    asked: float
    is_begun: bool = False
    ready: Event = field(default_factory=Event)
    progress: dict[str, int] = field(default_factory=dict)
    answer: Answer | None = None
    error: Exception | None = None


class Questions:
    """Answers questions in processes of their own; several threads may ask."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing asked."""
        self._clock = clock
        self._lock = Lock()
        self._jobs: dict[Hashable, _Job] = {}
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()
        self._works = False

    def ask(
        self, key: Hashable, make: Callable[[], Question], state: Hashable = None
    ) -> Answer | Pending:
        """Return the answer to the question that `make` makes, or how far it is.

        Equal keys are one question. It is worked out anew in another `state`; where that changes
        again and again (a run is being written), the last answer holds for as long as it took.
        Raises InputError and LogError as working it out does; what failed may be asked again.
        """
        with self._lock:
            now = self._clock()
            known = self._answers.get(key)
            if known is not None and (known.state == state or now - known.made < known.took):
                self._answers.move_to_end(key)
                return known
            job = self._jobs.get(key)
            if job is None:
                job = self._jobs[key] = _Job(make=make, state=state, asked=now)
            job.asked = now
            if not self._works:
                self._works = True
                Thread(target=self._work, name="questions", daemon=True).start()
        job.ready.wait(WAITS_S)
        if job.error is not None:
            raise job.error
        return job.answer or Pending(progress=dict(job.progress) if job.is_begun else {"waits": 1})

    def _work(self) -> None:
        try:
            while (found := self._next()) is not None:
                self._finish(*found)
        finally:
            with self._lock:
                self._works = False

    def _finish(self, key: Hashable, job: _Job) -> None:
        try:
            job.answer = self._worked_out(job)
        except _FAILURES as error:
            # whoever asked is told, and the next question comes all the same
            job.error = error
        finally:
            with self._lock:
                self._jobs.pop(key, None)
                if job.answer is not None:
                    self._keep(key, job.answer)
            job.ready.set()

    def _next(self) -> tuple[Hashable, _Job] | None:
        """Return the question that was asked last; those that nobody asks any more are dropped."""
        with self._lock:
            now = self._clock()
            self._jobs = {k: j for k, j in self._jobs.items() if now - j.asked < _PATIENCE_S}
            found = max(self._jobs.items(), key=lambda item: item[1].asked, default=None)
            if found is not None:
                found[1].is_begun = True
            return found

    def _worked_out(self, job: _Job) -> Answer:
        def is_wanted() -> bool:
            since = self._clock() - job.asked
            with self._lock:
                others_wait = any(other is not job for other in self._jobs.values())
            return since < (_ASKED_S if others_wait else _PATIENCE_S)

        def tell(what: str, count: int) -> None:
            job.progress[what] = job.progress.get(what, 0) + count

        began = self._clock()
        told, table = worked_out(job.make(), tell, is_wanted)
        if "error" in told:
            kind = InputError if told["is_input"] else LogError
            raise kind(told["error"])
        read = read_table(table) if table else None
        made = self._clock()
        return Answer(
            content=told["answer"],
            table=read,
            size=len(table),
            state=job.state,
            took=made - began,
            made=made,
        )

    def _keep(self, key: Hashable, answer: Answer) -> None:
        self._answers[key] = answer
        while len(self._answers) > 1 and (
            len(self._answers) > _KEPT
            or sum(each.size for each in self._answers.values()) > _KEPT_BYTES
        ):
            self._answers.popitem(last=False)

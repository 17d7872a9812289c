"""Replies kept in one SQLite file, so that a run can be had again without its server.

A reply is found again by two things. The request: a hash of all that determines the reply (what
shapes replies of the model, messages, schema, seed, what is asked of a letter). The draw: which
sample of that request it is, named by the call that drew it. A call has one place in one episode,
so the order in which a server answers changes nothing; calls that are alike in all else are
counted. Requests are kept as hashes only, replies without keys.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import orjson

from valuesim.agents.llm.ask import Question, Reply, Token
from valuesim.decision import Usage
from valuesim.errors import InputError, Interruption, LogError, unknown

if TYPE_CHECKING:
    from valuesim.agents.llm.channel import Call
    from valuesim.agents.llm.models import Model

MODES = ("write", "use", "replay")
FILE = "replies.sqlite"
"""The name of the file in a run folder."""

# "VSRP": whose file it is, and in which form (SQLite's own header fields)
_APPLICATION, _FORM = 0x56535250, 1
_BUSY_S = 30.0
_CREATE = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS replies (
    request BLOB NOT NULL, draw TEXT NOT NULL, reply TEXT NOT NULL, latency_s REAL NOT NULL,
    PRIMARY KEY (request, draw)
);
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_FORM};
COMMIT;
"""
_STORE = "INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?)"
_FIND = "SELECT reply FROM replies WHERE request = ? AND draw = ?"


class ReplyCache:
    """The replies in the file at `path`; a context manager that opens it.

    `mode` "write" stores every reply and looks none up, "use" looks up first, "replay" does nothing
    but look up. A reply is on disk before it is used, so what a log holds of it can be replayed
    after any kill. Several runs may use one file at once; they wait for each other.
    """

    def __init__(self, path: Path, mode: str) -> None:
        """Take the file, which is not written yet; raise InputError if it holds anything else."""
        if mode not in MODES:
            raise InputError(unknown("engine.cache", mode, MODES))
        self.path = path
        self.mode = mode
        self._open: sqlite3.Connection | None = None
        if path.exists():
            with closing(self._connected(read_only=True)) as found:
                self._check(found)
        elif mode == "replay":
            raise InputError(
                f"engine.cache=replay looks replies up, and there is no {path}: give "
                f"engine.cache_path=RUN/{FILE} of a run that stored them"
            )

    @property
    def is_replay(self) -> bool:
        """Whether nothing is ever asked."""
        return self.mode == "replay"

    def __enter__(self) -> Self:
        """Open the file, made if it is not there; raise InputError if that cannot be done."""
        try:
            if not self.is_replay:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            self._open = self._connected(read_only=self.is_replay)
            if not self.is_replay:
                # readers are not held up, and a kill leaves whole transactions
                self._open.execute("PRAGMA journal_mode = WAL")
                self._open.execute("PRAGMA synchronous = NORMAL")
                if _is_empty(self._open):
                    self._open.executescript(_CREATE)
        except (OSError, sqlite3.Error) as error:
            raise InputError(f"{self.path} cannot be opened for replies: {error}") from error
        self._check(self._open)
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file; it is then one file, fit to be copied."""
        if self._open is None:
            return
        if not self.is_replay:
            # another run that has it open keeps it as it is
            with suppress(sqlite3.OperationalError):
                self._open.execute("PRAGMA journal_mode = DELETE")
        self._open.close()
        self._open = None

    def place(self, model: Model, question: Question, call: Call) -> Place:
        """Return where the reply to `question`, asked of `model` by `call`, is kept."""
        return Place(cache=self, request=_hash(model, question), draw=_draw(call))

    def find(self, request: bytes, draw: str) -> str | None:
        """Return what is stored; raise LogError if the file cannot be read."""
        row = self._run(_FIND, (request, draw)).fetchone()
        return None if row is None else str(row[0])

    def store(self, request: bytes, draw: str, reply: str, latency_s: float) -> None:
        """Keep `reply` on disk, instead of one already there; raise LogError if it cannot be."""
        self._run(_STORE, (request, draw, reply, latency_s))

    def _run(self, statement: str, given: tuple[object, ...]) -> sqlite3.Cursor:
        assert self._open is not None, "a cache is opened before it is used"
        try:
            return self._open.execute(statement, given)
        except sqlite3.Error as error:
            raise LogError(
                f"{self.path}, the file of replies, failed: {error} (give it room, restore it, or "
                "choose another engine.cache_path)"
            ) from error

    def _connected(self, *, read_only: bool) -> sqlite3.Connection:
        address = f"{self.path.absolute().as_uri()}{'?mode=ro' if read_only else ''}"
        try:
            # without isolation level each statement is a transaction of its own
            return sqlite3.connect(address, uri=True, timeout=_BUSY_S, isolation_level=None)
        except sqlite3.Error as error:
            raise InputError(f"{self.path} cannot be opened for replies: {error}") from error

    def _check(self, file: sqlite3.Connection) -> None:
        """Raise InputError unless `file` is one of replies, or empty."""
        try:
            (application,) = file.execute("PRAGMA application_id").fetchone()
            (form,) = file.execute("PRAGMA user_version").fetchone()
            is_ours = application == _APPLICATION or (_is_empty(file) and not self.is_replay)
        except sqlite3.Error as error:
            raise InputError(f"{self.path} is damaged or no file of replies: {error}") from error
        if not is_ours:
            raise InputError(
                f"{self.path} is not a file of replies: give another engine.cache_path"
            )
        if application == _APPLICATION and form != _FORM:
            raise InputError(
                f"{self.path} holds replies in form {form}; this version reads {_FORM}"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where one reply is kept: the hash of its request, and which draw of it this is."""

    cache: ReplyCache
    request: bytes
    draw: str

    def found(self) -> Reply | None:
        """Return the reply that is stored, None where the model is to be asked.

        Raises Interruption, naming the call, where nothing may be asked and nothing is stored.
        """
        if self.cache.mode == "write":
            return None
        stored = self.cache.find(self.request, self.draw)
        if stored is None and self.cache.is_replay:
            raise Interruption(
                f"{self.cache.path} holds no reply to {self.draw} as it is asked now "
                "(engine.cache=replay asks no model)"
            )
        return None if stored is None else _reply(stored, self.cache.path)

    def keep(self, reply: Reply, latency_s: float) -> None:
        """Store `reply`, which took `latency_s` seconds, without its keys."""
        self.cache.store(self.request, self.draw, _text(reply), latency_s)


def _is_empty(file: sqlite3.Connection) -> bool:
    return file.execute("SELECT 1 FROM sqlite_master").fetchone() is None


def _draw(call: Call) -> str:
    place = f"{call.episode}/{call.role}/{call.step}/{call.attempt}/{call.purpose}"
    return f"{place}/{call.sample}"


def _hash(model: Model, question: Question) -> bytes:
    form = question.label
    determining = [
        [model.provider, model.name, model.temperature, model.top_p, model.max_tokens],
        [model.extra_body, model.engine_args],
        [[message.role, message.text] for message in question.messages],
        # keys in their order: a server that holds a reply to a schema keeps to it
        question.schema,
        question.seed,
        None if form is None else [form.top, form.max_tokens],
    ]
    return hashlib.sha256(orjson.dumps(determining, dict, orjson.OPT_NON_STR_KEYS)).digest()


def _text(reply: Reply) -> str:
    # not orjson: half a surrogate pair in a reply is kept as it is
    return json.dumps(
        {
            "text": reply.text,
            # most often the text itself, which is then kept once
            "structured": reply.structured == reply.text or reply.structured,
            "refusal": reply.refusal,
            "finish_reason": reply.finish_reason,
            "usage": {name: getattr(reply.usage, name) for name in Usage.__dataclass_fields__},
            "tokens": [[each.text, each.logprob, each.top] for each in reply.tokens],
        }
    )


def _reply(stored: str, path: Path) -> Reply:
    try:
        held: Mapping[str, Any] = json.loads(stored)
        return Reply(
            text=held["text"],
            structured=held["text"] if held["structured"] is True else held["structured"],
            refusal=held["refusal"],
            finish_reason=held["finish_reason"],
            usage=Usage(**held["usage"]),
            tokens=tuple(
                Token(text=text, logprob=logprob, top=tuple((t, p) for t, p in top))
                for text, logprob, top in held["tokens"]
            ),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise LogError(f"{path} holds a reply that is none: {error!r}") from error

"""The decisions behind every edge, as columns: who put what before what, without reading again.

What a decision votes for hangs on its situation (the stakes of what was on offer) and on the option
taken alone, so that a row holds their numbers, and where the decision was made.
"""

from __future__ import annotations

import io
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from valuesim.choices import Evidence
from valuesim.graph import Group
from valuesim.graph.behind import Pair, margin
from valuesim.graph.coded import CodedChoices
from valuesim.log.reader import DecisionRecord
from valuesim.option import Option

Ints = NDArray[np.int64]
_COLUMNS = ("episode", "step", "role", "situation", "position")


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """A decision that put one value before another (see `graph.behind.Behind`), and where."""

    run: str
    episode: str
    step: int
    role: str
    share: float
    margin: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A page of decisions, and how many there are in all, with how many votes."""

    total: int
    votes: float
    page: Sequence[Placed]


class Noted:
    """Where the choices of each group were made, as they are read."""

    def __init__(self) -> None:
        """Begin with none."""
        self._rows: dict[Group, array[int]] = {}
        self._episodes: dict[str, int] = {}
        self._runs: list[str] = []
        self._roles: dict[str, int] = {}

    def add(self, group: Group, record: DecisionRecord, run: str) -> None:
        """Note a choice; the choices of a group come in the order in which they are counted."""
        number = self._episodes.setdefault(record.episode.id, len(self._episodes))
        if number == len(self._runs):
            self._runs.append(run)
        role = self._roles.setdefault(record.role, len(self._roles))
        self._rows.setdefault(group, array("q")).extend((number, record.step, role))

    def table(self, groups: Sequence[Group], coded: Mapping[Group, CodedChoices]) -> bytes:
        """Return the table of what was noted, as `read_table` takes it."""
        columns: dict[str, list[Ints]] = {name: [] for name in ("group", *_COLUMNS)}
        situations: list[list[dict[str, float]]] = []
        for place, group in enumerate(groups):
            rows = np.array(self._rows.get(group, ()), dtype=np.int64).reshape(-1, 3)
            if not len(rows):
                continue
            own = coded[group]
            found = [*rows.T, own.situation + len(situations), own.position]
            columns["group"].append(np.full(len(rows), place))
            for name, column in zip(_COLUMNS, found, strict=True):
                columns[name].append(np.asarray(column, dtype=np.int64))
            situations += [[dict(o.stakes) for o in options] for options, _ in own.situations]
        whole: dict[str, Any] = {
            name: _narrow(np.concatenate(each) if each else np.empty(0, dtype=np.int64))
            for name, each in columns.items()
        }
        told = {
            "situations": situations,
            "episodes": list(self._episodes),
            "runs": self._runs,
            "roles": list(self._roles),
        }
        out = io.BytesIO()
        np.savez(out, told=np.frombuffer(orjson.dumps(told), dtype=np.uint8), **whole)
        return out.getvalue()


def _narrow(column: Ints) -> NDArray[Any]:
    return column.astype(np.int32) if abs(column).max(initial=0) < 2**31 else column


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Table:
    """The choices of all groups as columns, and the names that they point to."""

    columns: Mapping[str, NDArray[Any]]
    situations: tuple[tuple[Option, ...], ...]
    episodes: tuple[str, ...]
    runs: tuple[str, ...]
    roles: tuple[str, ...]

    def behind(self, group: int, pair: Pair, offset: int, limit: int) -> Listed:
        """Return a page of the decisions of a group that put the first of `pair` before the second.

        They stand as `graph.behind.behind` has them, the most telling first.
        """
        rows = np.nonzero(self.columns["group"] == group)[0]
        situation, position = (self.columns[name][rows] for name in ("situation", "position"))
        most = int(position.max(initial=0)) + 1
        kinds, kind = np.unique(situation.astype(np.int64) * most + position, return_inverse=True)
        votes = [self._vote(int(each) // most, int(each) % most, pair) for each in kinds]
        told = np.array([vote or (0.0, 0.0) for vote in votes]).reshape(-1, 2)[kind]
        is_behind = told[:, 0] > 0
        rows, (share, margins) = rows[is_behind], told[is_behind].T
        episode, step, role = (self.columns[name][rows] for name in ("episode", "step", "role"))
        names = _ranks(self.episodes)[episode], step, _ranks(self.roles)[role]
        order = np.lexsort((*reversed(names), -margins, -share))[offset : offset + limit]
        return Listed(
            total=len(rows),
            votes=float(share.sum()),
            page=[self._placed(int(rows[k]), float(share[k]), float(margins[k])) for k in order],
        )

    def _vote(self, situation: int, position: int, pair: Pair) -> tuple[float, float] | None:
        """Return share and margin of taking an option of a situation; None without a vote."""
        evidence = Evidence(cluster="", options=self.situations[situation], position=position)
        share = evidence.votes().get(pair)
        return None if share is None else (share, margin(evidence, pair))

    def _placed(self, row: int, share: float, told: float) -> Placed:
        episode, step, role = (int(self.columns[name][row]) for name in ("episode", "step", "role"))
        return Placed(
            run=self.runs[episode],
            episode=self.episodes[episode],
            step=step,
            role=self.roles[role],
            share=share,
            margin=told,
        )


def _ranks(names: Sequence[str]) -> Ints:
    """Return where each name stands among all in their order."""
    ranks = np.empty(len(names), dtype=np.int64)
    ranks[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    return ranks


def read_table(content: bytes) -> Table:
    """Return the table that `Noted.table` wrote."""
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        told = orjson.loads(found["told"].tobytes())
        columns = {name: found[name] for name in ("group", *_COLUMNS)}
    return Table(
        columns=columns,
        situations=tuple(map(_options, told["situations"])),
        episodes=tuple(told["episodes"]),
        runs=tuple(told["runs"]),
        roles=tuple(told["roles"]),
    )


def _options(stakes: Sequence[Mapping[str, float]]) -> tuple[Option, ...]:
    return tuple(
        Option(name=str(number), text="", stakes=each) for number, each in enumerate(stakes)
    )

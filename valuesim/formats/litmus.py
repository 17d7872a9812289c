"""LitmusValues' generations: two rows a dilemma, one an action, and what a model answered.

Columns: `idx, dilemma, action, values, targets, model_resp_<model>, model_resp_clean`. `action`
begins "Action 1:" or "Action 2:"; `values` is the text of a list of labels; `model_resp_clean` is
"Action 1", "Action 2" or "NA", which is no choice of either and a fault here. A column `scene`, if
there is one, says which rows are tellings of one dilemma; else the dilemma's text does.

The format tells no stakes but these: an action upholds (+1) the values it is labelled with. A value
on both sides is no contrast.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from valuesim.decision import Fault
from valuesim.episode import EpisodeSpec, Player
from valuesim.errors import InputError
from valuesim.formats.imported import AGENT, Importing
from valuesim.formats.rows import CsvTable, Dropped, unguarded
from valuesim.formats.vocabulary import Vocabulary
from valuesim.label_lists import listed
from valuesim.log.options import text_id
from valuesim.log.reader import DecisionRecord, EpisodeRecord
from valuesim.option import Option

ENV = "litmus"
ROLE = "Alpha"
COLUMNS = ("dilemma", "action", "values")
"""The columns that a table must have."""
RESPONSE = "model_resp_"
CLEAN = "model_resp_clean"
SCENE = "scene"
ACTIONS = ("Action 1", "Action 2")
_LONGEST_NAME = 200

_NUMBERED = re.compile(r"\s*action\s+([0-9]{1,3})\s*:\s*", re.IGNORECASE)
_ANSWER = re.compile(r"\s*action\s+([12])(?![0-9])", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """One action: its number from 0, its text, its labels, and each model's answer, raw."""

    line: int
    dilemma: str
    number: int
    text: str
    values: tuple[str, ...]
    targets: str
    scene: str
    replies: tuple[str, ...]
    clean: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Places:
    """Where the columns stand; `models` are (name, column of the raw reply or None)."""

    dilemma: int
    action: int
    values: int
    targets: int | None
    scene: int | None
    clean: int | None
    models: tuple[tuple[str, int | None], ...]


@dataclass(kw_only=True, slots=True)
class _Pairs:
    """Rows that wait for their other action, and texts that have a third one."""

    waiting: dict[str, _Row] = field(default_factory=dict)
    crowded: set[str] = field(default_factory=set)
    found: list[tuple[_Row, _Row]] = field(default_factory=list)


def read_litmus(
    path: Path,
    *,
    source: str,
    model: str | None = None,
    taxonomy: str = "valuesim",
    values: Path | None = None,
) -> Importing:
    """Return the decisions in the generations at `path`, one for each dilemma and model.

    Two rows with one dilemma's text are a dilemma, in the order of the file, whichever action comes
    first; asked again, it is one more decision in the same cluster. `model` names the one model of
    the table; else its column does, or the file's name. Of several models, each is read from its
    own raw reply, which must begin with the action. `source` tells this table's decisions from
    another's; `taxonomy` and `values` are as in `Vocabulary`. Raises InputError for a table that
    cannot be read; what makes no dilemma is dropped and told.
    """
    table = CsvTable(path, COLUMNS)
    places = _places(table, path, model)
    unmapped: Counter[str] = Counter()
    labels = Vocabulary(taxonomy, values, unmapped)
    dropped: list[Dropped] = []
    notes = []
    if len(places.models) > 1 and table.place(CLEAN) is not None:
        notes.append(
            f"{CLEAN} cannot say whose answer it holds: each of the {len(places.models)} models is "
            "read from its own replies"
        )
    records = _records(_paired(table, places, dropped), places, labels, source, dropped)
    return Importing(records=records, notes=notes, dropped=dropped, unmapped=unmapped)


def _places(table: CsvTable, path: Path, model: str | None) -> _Places:
    replies = [c for c in table.columns if c.startswith(RESPONSE) and c != CLEAN and c != RESPONSE]
    clean = table.place(CLEAN)
    if not replies and clean is None:
        raise InputError(f"{path} lacks the column {CLEAN!r}, and has no {RESPONSE}<model> either")
    if model is not None and len(replies) > 1:
        names = ", ".join(column.removeprefix(RESPONSE) for column in replies)
        raise InputError(f"model={model!r} was given, and {path} holds several models: {names}")
    named = [(column.removeprefix(RESPONSE), table.place(column)) for column in replies]
    if model is not None or not named:
        own = path.stem.replace("__", "/") if model is None else model
        named = [(own, named[0][1] if named else None)]
    if any(len(name) > _LONGEST_NAME for name, _ in named):
        raise InputError(f"{path}:1: a model's name has more than {_LONGEST_NAME} characters")
    return _Places(
        dilemma=table.columns.index("dilemma"),
        action=table.columns.index("action"),
        values=table.columns.index("values"),
        targets=table.place("targets"),
        scene=table.place(SCENE),
        clean=clean if len(named) == 1 else None,
        models=tuple(named),
    )


def _paired(
    table: CsvTable, places: _Places, dropped: list[Dropped]
) -> Iterator[tuple[_Row, _Row]]:
    """Yield the two rows of each dilemma, action 1 first, in the order of the file."""
    pairs = _Pairs()
    lists: dict[str, tuple[str, ...]] = {}
    for line, cells in table:
        try:
            row = _row(line, cells, places, lists)
        except ValueError as error:
            dropped.append(Dropped(line=line, reason=str(error)))
            continue
        _place(row, pairs, dropped)
    for row in pairs.waiting.values():
        dropped.append(Dropped(line=row.line, reason="the dilemma's other action is missing"))
    for first, second in pairs.found:
        if first.dilemma in pairs.crowded:
            dropped.append(Dropped(line=first.line, reason="the dilemma has a third action"))
        else:
            yield first, second
    dropped.sort(key=lambda each: each.line)


def _place(row: _Row, pairs: _Pairs, dropped: list[Dropped]) -> None:
    if row.number >= len(ACTIONS):
        pairs.crowded.add(row.dilemma)
        return
    other = pairs.waiting.pop(row.dilemma, None)
    if other is None or other.number == row.number:
        # the same action twice: the first one's other row is missing, this one's may still come
        if other is not None:
            dropped.append(Dropped(line=other.line, reason="the dilemma's other action is missing"))
        pairs.waiting[row.dilemma] = row
    else:
        pairs.found.append((other, row) if other.number == 0 else (row, other))


def _row(
    line: int, cells: Sequence[str], places: _Places, lists: dict[str, tuple[str, ...]]
) -> _Row:
    """Return a row; raise ValueError, with the reason, for one that is no action."""
    dilemma = unguarded(cells[places.dilemma]).strip()
    if not dilemma:
        raise ValueError("there is no dilemma")
    found = _NUMBERED.match(cells[places.action])
    if found is None:
        told = cells[places.action]
        raise ValueError(f'the action does not begin with "Action 1:" or "Action 2:": {told!r:.40}')
    if int(found[1]) == 0:
        raise ValueError("there is no action 0")
    labels = cells[places.values]
    if labels not in lists:
        try:
            lists[labels] = tuple(listed(labels))
        except ValueError as error:
            raise ValueError(f"values: {error}") from None
    return _Row(
        line=line,
        dilemma=dilemma,
        number=int(found[1]) - 1,
        text=cells[places.action][found.end() :].strip(),
        values=lists[labels],
        targets="" if places.targets is None else cells[places.targets],
        scene="" if places.scene is None else unguarded(cells[places.scene]),
        replies=tuple("" if at is None else unguarded(cells[at]) for _, at in places.models),
        clean=None if places.clean is None else cells[places.clean].strip(),
    )


def _records(
    pairs: Iterable[tuple[_Row, _Row]],
    places: _Places,
    labels: Vocabulary,
    source: str,
    dropped: list[Dropped],
) -> Iterator[DecisionRecord]:
    players = [{ROLE: Player(agent=AGENT, model={"name": name})} for name, _ in places.models]
    asked: dict[str, int] = {}
    for first, second in pairs:
        if (first.clean, first.replies) != (second.clean, second.replies):
            reason = "the two rows do not agree on what was answered"
            dropped.append(Dropped(line=first.line, reason=reason))
            continue
        scene = first.scene or text_id(first.dilemma)
        times = asked[scene] = asked.get(scene, -1) + 1
        options = _options(first, second, labels)
        for population, reply in zip(players, first.replies, strict=True):
            told = reply if first.clean is None else first.clean
            chosen = _answer(told)
            yield DecisionRecord(
                episode=_episode(population, source, scene, times),
                step=0,
                role=ROLE,
                options=options,
                chosen=chosen,
                fault=None if chosen else Fault.UNPARSED,
                fault_detail=None if chosen else f"the table holds {told[:60]!r}",
                text=first.dilemma,
                reply=reply,
                annotations=_annotations(first, second, scene),
            )


def _options(first: _Row, second: _Row, labels: Vocabulary) -> tuple[Option, ...]:
    return tuple(
        Option(name=name, text=row.text, stakes=dict.fromkeys(labels.values(row.values), 1.0))
        for name, row in zip(ACTIONS, (first, second), strict=True)
    )


def _annotations(first: _Row, second: _Row, scene: str) -> dict[str, object]:
    targets = [first.targets, second.targets]
    return {"scene": scene, "targets": targets} if any(targets) else {"scene": scene}


def _episode(population: dict[str, Player], source: str, scene: str, times: int) -> EpisodeRecord:
    spec = EpisodeSpec(
        env=ENV,
        parameters={"source": source, "scene": scene},
        population=population,
        elicitation={},
        seed=times,
    )
    return EpisodeRecord(
        id=spec.id,
        env=ENV,
        condition={"source": source},
        population=population,
        seed=times,
    )


def _answer(told: str) -> str | None:
    found = _ANSWER.match(told)
    return None if found is None else ACTIONS[int(found[1]) - 1]

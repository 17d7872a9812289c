"""Battles of values: `value_1, value_2, winner`, the winner being value_1, value_2 or tie.

Optional columns: `dilemma` or `idx`, in which battles are not independent, and `model`. A file's
rows do not tell in which order the values were shown, so no habit of place can be told. Where any
battle between two values is a tie, each has the tie as a third option, which upholds both values
half and is marked as letting things be: Davidson's model (JASA 65, 1970) as a conditional logit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from valuesim.choices import cluster_of
from valuesim.decision import Fault
from valuesim.episode import EpisodeSpec, Player
from valuesim.errors import InputError
from valuesim.formats.exported import Exported, Source
from valuesim.formats.imported import AGENT, Importing
from valuesim.formats.rows import CsvTable, Dropped, guarded, unguarded, write_csv
from valuesim.formats.vocabulary import AS_THEY_ARE, Vocabulary
from valuesim.log.options import text_id
from valuesim.log.reader import DecisionRecord, EpisodeRecord
from valuesim.log.whole import whole
from valuesim.option import Option

ENV = "battles"
ROLE = "Alpha"
COLUMNS = ("value_1", "value_2", "winner")
CLUSTERS = ("dilemma", "idx")
MODEL = "model"
TIE = "tie"

INDEPENDENT = (
    "there is no column dilemma or idx, so each battle is taken as independent of the others; a "
    "choice that was split into many battles then counts many times: intervals are too narrow"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Battle:
    """Two different values, which of them was put first (None: neither), and what it belongs to."""

    line: int
    values: tuple[str, str]
    winner: str | None
    is_tie: bool
    told: str
    dilemma: str | None
    model: str | None


def read_battles(
    path: Path,
    *,
    source: str,
    model: str | None = None,
    taxonomy: str = AS_THEY_ARE,
    values: Path | None = None,
) -> Importing:
    """Return the battles at `path`, a decision each; a winner that is none is a fault.

    `model` names who decided where the table has no such column. `source`, `taxonomy` and `values`
    are as for `read_litmus`, but that names of values are taken as they are if no vocabulary is
    named. Raises InputError for a table that cannot be read; a battle of a value with itself, or
    with a label that is no value, is dropped and told.
    """
    table = CsvTable(path, COLUMNS)
    unmapped: Counter[str] = Counter()
    dropped: list[Dropped] = []
    battles = list(_battles(table, Vocabulary(taxonomy, values, unmapped), model, dropped))
    clusters = [name for name in CLUSTERS if name in table.columns]
    return Importing(
        records=_records(battles, source),
        notes=[] if clusters else [INDEPENDENT],
        dropped=dropped,
        unmapped=unmapped,
    )


def write_battles(source: Source, path: Path) -> Exported:
    """Write each choice that sets one value against one other as a battle, ties included.

    Choices that set no value against another are left out and counted. Raises InputError where one
    choice sets more than two values against each other: battles would make many of one choice.
    """
    rows: list[list[object]] = []
    silent = 0
    for record in source.pool.decisions:
        values = _contested(record)
        if values is None:
            silent += 1
        elif len(values) > 2:
            raise InputError(
                f"nothing is written to {path}: {record.role} at step {record.step} of episode "
                f"{record.episode.id} sets more than two values against each other, and a battle "
                "holds two; `export choices` takes any decision"
            )
        else:
            rows.append(_row(record, values))
    if not rows:
        raise InputError(f"nothing is written to {path}: no choice sets two values at stake")
    with whole(path) as draft:
        write_csv(draft, [*COLUMNS, CLUSTERS[0], MODEL], rows)
    note = f"{silent:,} decisions are no choice between two values, and are left out"
    notes = ((note,) if silent else ()) + source.arms_lost()
    return Exported(files={path: len(rows)}, notes=notes)


def _contested(record: DecisionRecord) -> list[str] | None:
    """Return the values that differ between the options of a choice; None where fewer than two."""
    named = {value for option in record.options for value in option.stakes}
    differing = [
        value for value in named if len({o.stakes.get(value, 0.0) for o in record.options}) > 1
    ]
    return sorted(differing) if len(differing) > 1 and record.chosen is not None else None


def _row(record: DecisionRecord, values: Sequence[str]) -> list[object]:
    chosen = next(option for option in record.options if option.name == record.chosen)
    first, second = (chosen.stakes.get(value, 0.0) for value in values)
    winner = TIE if first == second else COLUMNS[0] if first > second else COLUMNS[1]
    names = [guarded(value) for value in values]
    player = record.player.model_name or record.player.agent
    return [*names, winner, guarded(cluster_of(record)), guarded(player)]


def _battles(
    table: CsvTable, vocabulary: Vocabulary, model: str | None, dropped: list[Dropped]
) -> Iterator[_Battle]:
    one, two, winner = (table.columns.index(name) for name in COLUMNS)
    cluster = next((at for name in CLUSTERS if (at := table.place(name)) is not None), None)
    who = table.place(MODEL)
    if model is not None and who is not None:
        raise InputError(f"model={model!r} was given, and {table.path} has a column {MODEL!r}")
    for line, cells in table:
        empty = [
            name for name, at in zip(COLUMNS, (one, two), strict=False) if not cells[at].strip()
        ]
        if empty:
            dropped.append(Dropped(line=line, reason=f"{' and '.join(empty)}: empty"))
            continue
        found = [vocabulary.values([unguarded(cells[at])]) for at in (one, two)]
        if reason := _wrong(found):
            dropped.append(Dropped(line=line, reason=reason))
            continue
        pair = found[0][0], found[1][0]
        told = cells[winner].strip()
        sides = {COLUMNS[0]: pair[0], COLUMNS[1]: pair[1]}
        yield _Battle(
            line=line,
            values=(min(pair), max(pair)),
            winner=sides.get(told),
            is_tie=told == TIE,
            told=told,
            dilemma=None if cluster is None else unguarded(cells[cluster]).strip() or None,
            model=model if who is None else unguarded(cells[who]).strip() or None,
        )


def _wrong(found: Sequence[Sequence[str]]) -> str | None:
    if not all(found):
        return "a side of the battle names no value"
    return "a battle of a value with itself tells nothing" if found[0] == found[1] else None


def _records(battles: Sequence[_Battle], source: str) -> Iterator[DecisionRecord]:
    has_ties = any(battle.is_tie for battle in battles)
    known: dict[tuple[str, str], tuple[Option, ...]] = {}
    for battle in battles:
        if battle.values not in known:
            known[battle.values] = _options(battle.values, has_ties=has_ties)
        chosen = TIE if battle.is_tie else battle.winner
        annotations = {"order": "unknown"}
        if battle.dilemma is not None:
            annotations["scene"] = text_id(battle.dilemma)
        yield DecisionRecord(
            episode=_episode(battle, source),
            step=0,
            role=ROLE,
            options=known[battle.values],
            chosen=_named(chosen, known[battle.values]),
            fault=None if chosen else Fault.UNPARSED,
            fault_detail=None if chosen else f"the table holds {battle.told[:60]!r}",
            text=battle.dilemma or "",
            annotations=annotations,
        )


def _named(chosen: str | None, options: Sequence[Option]) -> str | None:
    return options[2].name if chosen == TIE and len(options) > 2 else chosen


def _options(values: tuple[str, str], *, has_ties: bool) -> tuple[Option, ...]:
    sides = tuple(Option(name=value, text="", stakes={value: 1.0}) for value in values)
    if not has_ties:
        return sides
    name = TIE.upper()
    while name in values:
        name = f"{name}_"
    return (*sides, Option(name=name, text="", stakes=dict.fromkeys(values, 0.5), is_omission=True))


def _episode(battle: _Battle, source: str) -> EpisodeRecord:
    model = None if battle.model is None else {"name": battle.model}
    population = {ROLE: Player(agent=AGENT, model=model)}
    spec = EpisodeSpec(
        env=ENV,
        parameters={"source": source},
        population=population,
        elicitation={},
        seed=battle.line,
    )
    return EpisodeRecord(
        id=spec.id,
        env=ENV,
        condition={"source": source},
        population=population,
        seed=battle.line,
    )

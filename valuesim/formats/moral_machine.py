"""SharedResponses tables of moral machine studies: two rows a decision, of which one was saved.

A row is the group that dies in one case: `Intervention` 1 where the car swerves into it, `Saved` 1
where the other case was chosen. Truth values written as True and False are read as 1 and 0. What is
not read back is recomputed: numbers of characters, their difference, constant columns.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from valuesim.envs.moral_machine.generator import DIMENSIONS, LAWS, SIDES, STRUCTURES
from valuesim.envs.moral_machine.scene import LEVELS, Scene, Side, read
from valuesim.envs.moral_machine.stakes import stakes
from valuesim.episode import EpisodeSpec, Player
from valuesim.formats.imported import AGENT, Importing
from valuesim.formats.rows import CsvTable, Dropped, unguarded
from valuesim.log.reader import DecisionRecord, EpisodeRecord
from valuesim.measures.moral_machine.comparability import website_probability
from valuesim.measures.moral_machine.scene import ANY_LEVEL, CHARACTERS, NO_SIGNAL, RANDOM
from valuesim.option import Option

ENV = "moral_machine-v0"
ROLE = "Alpha"
CASES = ("Case 1", "Case 2")
COLUMNS = (
    *("ResponseID", "UserID", "Intervention", "PedPed", "Barrier", "CrossingSignal"),
    *("AttributeLevel", "ScenarioType", "Saved", *CHARACTERS),
)
"""The columns that a table must have."""

PLACE = (
    "the table does not say in which place a case was shown: no habit of place can be estimated, "
    "and strengths may differ from those of the run that it was made of"
)
_OTHER_NAMES = {"Social Status": "Social Value"}
_OURS = re.compile(r"([0-9a-f]{16})_([A-Za-z]+)_([0-9]{1,6})")
_TRUTHS = {"true": 1, "false": 0}
_MOST = 5

Cells = Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Case:
    """One row: who dies in it, as the log has a group, and what was made of it."""

    line: int
    swerves: int
    pedped: int
    saved: int
    dimension: str
    group: Mapping[str, Any]
    cells: Cells


def read_moral_machine(path: Path, *, source: str, model: str | None = None) -> Importing:
    """Return the decisions in the SharedResponses table at `path`.

    Whoever decided is named by `UserID`, or is `model`. Scenes are weighted as valuesim draws them
    where every `ResponseID` is one that `valuesim export` wrote, else as the original website drew
    them; a note says which. A row of a dimension that its strict type does not confirm counts as
    random, as in the published analysis. Raises InputError for a table that cannot be read.
    """
    table = CsvTable(path, COLUMNS)
    dropped: list[Dropped] = []
    notes: list[str] = []
    pairs, again = _paired(table, dropped)
    is_ours = all(_OURS.fullmatch(one.cells["ResponseID"]) for one, _ in pairs)
    design = "valuesim's own design" if is_ours else "the original website's design"
    notes.append(f"scenes are weighted by the chances that {design} gives them")
    doubtful = sum(_strict(one.cells) != _dimension(one.cells) for one, _ in pairs)
    if doubtful:
        notes.append(f"{doubtful:,} decisions are of no strict type, and count as random ones")
    notes.append(PLACE)
    if again:
        notes.append(f"{again:,} rows stand in the table twice, and count once")
    return Importing(
        records=_records(pairs, source, model, is_ours=is_ours),
        notes=notes,
        dropped=dropped,
    )


def _paired(table: CsvTable, dropped: list[Dropped]) -> tuple[list[tuple[_Case, _Case]], int]:
    """Return the two cases of each decision, and how many rows, standing twice, were left out."""
    waiting: dict[str, _Case] = {}
    pairs: list[tuple[_Case, _Case]] = []
    seen: set[tuple[str, ...]] = set()
    again = 0
    for line, row in table:
        if (key := tuple(row)) in seen:
            again += 1
            continue
        seen.add(key)
        cells = {
            name: unguarded(cell).strip() for name, cell in zip(table.columns, row, strict=True)
        }
        try:
            case = _case(line, cells)
        except ValueError as error:
            dropped.append(Dropped(line=line, reason=str(error)))
            continue
        first = waiting.pop(cells["ResponseID"], None)
        if first is None:
            waiting[cells["ResponseID"]] = case
        elif reason := _mismatch(first, case):
            dropped.append(Dropped(line=first.line, reason=reason))
        else:
            pairs.append((first, case))
    lone = "the decision's other row is missing"
    dropped += (Dropped(line=case.line, reason=lone) for case in waiting.values())
    dropped.sort(key=lambda each: each.line)
    return pairs, again


def _case(line: int, cells: Cells) -> _Case:
    """Return what a row tells; raise ValueError, with the reason, where it tells of no scene."""
    dimension = _dimension(cells)
    if dimension not in LEVELS:
        raise ValueError(f"ScenarioType={dimension!r:.40} is not one of {', '.join(LEVELS)}")
    is_sure = _strict(cells) == dimension
    level = cells["AttributeLevel"] if is_sure else ANY_LEVEL
    dimension = dimension if is_sure else RANDOM
    if level not in LEVELS[dimension]:
        raise ValueError(f"AttributeLevel={level!r:.40} is no level of {dimension}")
    characters = {n: count for n in CHARACTERS if (count := _number(cells, n, _MOST))}
    if not characters:
        raise ValueError("there are no characters")
    barrier = _number(cells, "Barrier", 1)
    signal = _number(cells, "CrossingSignal", 2)
    if not cells["ResponseID"]:
        raise ValueError("ResponseID is empty")
    return _Case(
        line=line,
        swerves=_number(cells, "Intervention", 1),
        pedped=_number(cells, "PedPed", 1),
        saved=_number(cells, "Saved", 1),
        dimension=dimension,
        group={
            "characters": characters,
            "barrier": barrier,
            "signal": NO_SIGNAL if barrier else signal,
            "level": level,
        },
        cells=cells,
    )


def _dimension(cells: Cells) -> str:
    return _OTHER_NAMES.get(cells["ScenarioType"], cells["ScenarioType"])


def _strict(cells: Cells) -> str:
    strict = cells.get("ScenarioTypeStrict", cells["ScenarioType"])
    return _OTHER_NAMES.get(strict, strict)


def _number(cells: Cells, name: str, most: int) -> int:
    given = cells[name]
    number = _TRUTHS.get(given.lower())
    if number is None and re.fullmatch(r"[0-9]{1,3}(\.0*)?", given):
        number = int(float(given))
    if number is None or number > most:
        raise ValueError(f"{name}={given!r:.40} is not a whole number from 0 to {most}")
    return number


def _mismatch(one: _Case, other: _Case) -> str | None:
    """Return why two rows are not the two cases of one decision; None where they are."""
    if one.swerves == other.swerves:
        return "both rows of the decision have the same Intervention"
    if one.saved == other.saved:
        return "both rows of the decision, or neither, were saved"
    for name in ("dimension", "pedped"):
        if getattr(one, name) != getattr(other, name):
            return f"the two rows differ in {name}"
    barriers = one.group["barrier"] + other.group["barrier"]
    if barriers != 1 - one.pedped:
        return "Barrier and PedPed do not tell who is where"
    return None


def _records(
    pairs: Sequence[tuple[_Case, _Case]], source: str, model: str | None, *, is_ours: bool
) -> Iterator[DecisionRecord]:
    sessions = _Sessions(source, is_ours=is_ours)
    for one, other in pairs:
        stay, swerve = (one, other) if other.swerves else (other, one)
        scene = _scene(stay, swerve, is_ours=is_ours)
        upheld = stakes(scene)
        labels: dict[str, Side] = dict(
            zip(CASES, ("swerve" if c.swerves else "stay" for c in (one, other)), strict=True)
        )
        player = Player(agent=one.cells["UserID"] or AGENT)
        if model is not None:
            player = Player(agent=AGENT, model={"name": model})
        episode, role, step = sessions.place(one.cells, player)
        yield DecisionRecord(
            episode=episode,
            step=step,
            role=role,
            options=tuple(
                Option(name=case, text="", stakes=upheld[side]) for case, side in labels.items()
            ),
            # the row that was saved is the case that was not chosen
            chosen=CASES[one.saved],
            annotations={
                "scene": scene.id,
                "moral_scene": scene.annotation(),
                "labels": labels,
                "number": _order(one.cells, step),
                "phase": "decide",
                "order": "unknown",
            },
        )


def _scene(stay: _Case, swerve: _Case, *, is_ours: bool) -> Scene:
    chance = _own_chance(stay, swerve) if is_ours else _website_chance(stay)
    groups = [dict(case.group) for case in (stay, swerve)]
    return read({"dimension": stay.dimension, "probability": chance, "groups": groups})


def _own_chance(stay: _Case, swerve: _Case) -> float:
    structure = "passengers ahead" if stay.group["barrier"] else "pedestrians ahead"
    if stay.pedped:
        structure = "pedestrians both"
    # passengers have no signal: where one group is theirs, the law is that of the other
    has_signal = (stay.group["signal"] or swerve.group["signal"]) != NO_SIGNAL
    law = LAWS["legal" if has_signal else "none"]
    return DIMENSIONS[stay.dimension] * STRUCTURES[structure] * law * SIDES[0]


def _website_chance(stay: _Case) -> float:
    place = [np.array([n]) for n in (0, stay.group["barrier"], stay.pedped, stay.group["signal"])]
    return float(website_probability(*place)[0])


def _order(cells: Cells, step: int) -> int:
    given = cells.get("ScenarioOrder", "")
    return int(given) if re.fullmatch(r"[0-9]{1,9}", given) else step


class _Sessions:
    """Makes episodes: those that decisions were exported from, else one a session."""

    def __init__(self, source: str, *, is_ours: bool) -> None:
        self._source = source
        self._is_ours = is_ours
        self._episodes: dict[str, EpisodeRecord] = {}
        self._steps: Counter[str] = Counter()

    def place(self, cells: Cells, player: Player) -> tuple[EpisodeRecord, str, int]:
        """Return the episode, role and step of a decision of `player`."""
        found = _OURS.fullmatch(cells["ResponseID"]) if self._is_ours else None
        role = found[2] if found else ROLE
        spec = EpisodeSpec(
            env=ENV,
            parameters={
                "source": self._source,
                "session": cells.get("ExtendedSessionID", "") or cells["ResponseID"],
            },
            population={role: player},
            elicitation={},
            seed=0,
        )
        id = found[1] if found else spec.id
        population = self._population(id)
        population.setdefault(role, player)
        step = int(found[3]) if found else self._steps[id]
        self._steps[id] += 1
        return self._episodes[id], role, step

    def _population(self, id: str) -> dict[str, Player]:
        """Return who plays the episode `id`; roles are added as their rows come."""
        if id not in self._episodes:
            self._episodes[id] = EpisodeRecord(
                id=id,
                env=ENV,
                condition={"source": self._source},
                population={},
                seed=0,
            )
        return cast("dict[str, Player]", self._episodes[id].population)

"""Tables that the published R scripts read: two rows a decision, 41 columns."""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from valuesim.errors import InputError
from valuesim.log.reader import DecisionRecord
from valuesim.log.whole import whole
from valuesim.measures.moral_machine.amce import DIFFERENCES
from valuesim.measures.moral_machine.scene import (
    ANY_LEVEL,
    CHARACTERS,
    FIRST,
    ILLEGAL,
    LEGAL,
    LEVELS,
    NO_SIGNAL,
    RANDOM,
    Group,
    Scene,
    judged,
    scene_of,
    stays,
)

COLUMNS = (
    *("ResponseID", "ExtendedSessionID", "UserID", "ScenarioOrder", "Intervention", "PedPed"),
    *("Barrier", "CrossingSignal", "AttributeLevel", "ScenarioTypeStrict", "ScenarioType"),
    *("DefaultChoice", "NonDefaultChoice", "DefaultChoiceIsOmission", "NumberOfCharacters"),
    *("DiffNumberOFCharacters", "Saved", "Template", "DescriptionShown", "LeftHand"),
    "UserCountry3",
    *CHARACTERS,
)

Row = Mapping[str, int | str]

_UNUSED: Row = {
    **dict.fromkeys(("DefaultChoice", "NonDefaultChoice", "DefaultChoiceIsOmission"), ""),
    "Template": "desktop",
    "DescriptionShown": 1,
    "LeftHand": 1,
    "UserCountry3": "XXX",
}
_STATUS = "Social Value"
_STATUS_OF_AWAD = "Social Status"

logger = logging.getLogger(__name__)


def moral_machine_rows(
    records: Iterable[DecisionRecord], social: str = _STATUS
) -> list[dict[str, int | str]]:
    """Return two rows for each valid judgement: who dies in case 1, who in case 2.

    Judgements are those taken alone or before an exchange; faults have no rows. Keys are COLUMNS in
    order; `social` names the dimension of social value. Everything that is not text is a whole
    number. Raises LogError for a decision that tells of no scene.
    """
    chosen = [record for record in judged(records, FIRST) if record.chosen is not None]
    return [row for record in chosen for row in _rows(record, social)]


def write_moral_machine(records: Iterable[DecisionRecord], path: Path) -> int:
    """Write the table for the script of mmllm to `path`, whole or not at all; return its decisions.

    Raises InputError where the script could not run for want of a level or where `path` is no
    place to write to, LogError for a decision that tells of no scene.
    """
    rows = moral_machine_rows(records)
    _check(rows, _STATUS)
    return _write(rows, path)


def write_moral_machine_awad(records: Iterable[DecisionRecord], path: Path) -> int:
    """Write the table for the script of Awad et al. (2018) to `path`; as `write_moral_machine`.

    That script says "Social Status" and counts on random scenes, without which it takes one
    dimension for another: they must be there.
    """
    rows = moral_machine_rows(records, social=_STATUS_OF_AWAD)
    _check(rows, _STATUS_OF_AWAD, with_random=True)
    return _write(rows, path)


def missing(rows: Sequence[Row], social: str = _STATUS, *, with_random: bool = False) -> list[str]:
    """Return in words what the script needs of `rows` and does not find; empty if it can run."""
    levels = {(row["ScenarioType"], row["AttributeLevel"]) for row in rows}
    needed = {
        (social if dimension == _STATUS else dimension): names
        for dimension, names in LEVELS.items()
    }
    if with_random:
        needed[RANDOM] = (ANY_LEVEL, ANY_LEVEL)
    lacking = [
        f"{dimension} {level}"
        for dimension, names in needed.items()
        for level in dict.fromkeys(names)
        if (dimension, level) not in levels
    ]
    return lacking + [what for what, is_there in _structures(rows) if not is_there]


def _structures(rows: Sequence[Row]) -> Iterator[tuple[str, bool]]:
    """Yield what the two effects of the structure compare, and whether `rows` hold any of it."""
    places = {(row["PedPed"], row["Barrier"], row["CrossingSignal"]) for row in rows}
    yield "passengers", any(barrier == 1 for _, barrier, _ in places)
    yield "pedestrians without a signal before passengers", (0, 0, NO_SIGNAL) in places
    yield "lawful pedestrians before unlawful ones", (1, 0, LEGAL) in places
    yield "unlawful pedestrians before lawful ones", (1, 0, ILLEGAL) in places


def _check(rows: Sequence[Row], social: str, *, with_random: bool = False) -> None:
    lacking = missing(rows, social, with_random=with_random)
    if lacking:
        raise InputError(
            f"the R script cannot run on these {len(rows) // 2} valid decisions: none of them "
            f"has {', '.join(lacking)}; ask more scenes of every dimension"
        )
    found = {r["DiffNumberOFCharacters"] for r in rows if r["ScenarioType"] == "Utilitarian"}
    for by in sorted(set(DIFFERENCES) - found):
        logger.warning(
            "no Utilitarian decision has a difference of %d: the script's effects by difference "
            "in number cannot be computed, the nine main effects can",
            by,
        )


def _write(rows: Sequence[Row], path: Path) -> int:
    with whole(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return len(rows) // 2


def _rows(record: DecisionRecord, social: str) -> Iterator[dict[str, int | str]]:
    scene = scene_of(record)
    spared = 1 if stays(record) else 0
    # cases are numbered by name: the order in which they are shown is drawn apart
    labels = record.annotations["labels"]
    for dies in (0, 1) if labels[min(labels)] == "stay" else (1, 0):
        row = {
            **_source(record),
            **_place(scene, scene.groups[dies], social),
            "Intervention": dies,
            "Saved": int(dies == spared),
        }
        yield {name: row[name] for name in COLUMNS}


def _source(record: DecisionRecord) -> dict[str, int | str]:
    model = record.player.model_name
    return {
        **_UNUSED,
        "ResponseID": f"{record.episode.id}_{record.role}_{record.step}",
        "ExtendedSessionID": f"{record.episode.id}_{record.role}",
        "UserID": record.player.agent if model is None else f"{record.player.agent}/{model}",
        "ScenarioOrder": int(record.annotations["number"]),
    }


def _place(scene: Scene, group: Group, social: str) -> dict[str, int | str]:
    dimension = social if scene.dimension == _STATUS else scene.dimension
    return {
        "PedPed": scene.pedped,
        "Barrier": group.barrier,
        "CrossingSignal": group.signal,
        "AttributeLevel": group.level,
        "ScenarioTypeStrict": dimension,
        "ScenarioType": dimension,
        "NumberOfCharacters": group.size,
        "DiffNumberOFCharacters": scene.difference,
        **{name: group.characters.get(name, 0) for name in CHARACTERS},
    }

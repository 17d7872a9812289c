"""The rows of the index of a run: what is told of each episode, and where its lines stand."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from valuesim.errors import LogError
from valuesim.graph.grouping import family_of
from valuesim.log.files import (
    DECISION_KEYS,
    EPISODE_KEYS,
    MISSHAPEN,
    TEXT_KEYS,
    corrupt,
    miscounted,
    read_places,
    wrong_in,
)
from valuesim.log.reader import EpisodeRecord, RunFolder
from valuesim.log.segments import log_folders
from valuesim.replay.indexing.votes import FirstReader, put_first_most
from valuesim.tables.columns import json_text

_SHIFT = 48

TEXT, TEXTS, WHOLE, WHOLES = "text", "texts", "whole", "wholes"
COLUMNS: Mapping[str, str] = {
    **dict.fromkeys(("episode", "env", "family"), TEXT),
    **dict.fromkeys(("agents", "models", "fault_kinds"), TEXTS),
    **dict.fromkeys(("condition", "faults_by_kind", "first", "search"), TEXT),
    **dict.fromkeys(("seed", "place", "steps", "decisions", "faults"), WHOLE),
    "line": WHOLE,
    **dict.fromkeys(("moments", "told"), WHOLES),
}
"""The columns of the index: name -> kind."""

Cells = dict[str, Any]


def at(folder: int, begins: int) -> int:
    """Return where a line is, as one number: in which part of the log, and at which byte.

    >>> place_at(at(2, 70))
    (2, 70)
    """
    return folder << _SHIFT | begins


def place_at(place: int) -> tuple[int, int]:
    """Return the part of the log and the byte that `at` put together."""
    return place >> _SHIFT, place & (1 << _SHIFT) - 1


@dataclass(slots=True)
class Gathered:
    """What the lines of an episode come to: where they and their texts are, and its votes."""

    moments: array[int] = field(default_factory=lambda: array("q"))
    told: set[int] = field(default_factory=set)
    firsts: dict[str, float] = field(default_factory=dict)

    def add(
        self, place: int, line: Any, texts: Mapping[str, int], read_firsts: FirstReader
    ) -> None:
        """Take in a line of `decisions.jsonl` that stands at `place`, texts by id at theirs.

        Raises what is in `files.MISSHAPEN` where it is no decision.
        """
        self.moments.append(place)
        self.told.update(map(texts.__getitem__, text_ids(line)))
        for value, share in read_firsts(line).items():
            self.firsts[value] = self.firsts.get(value, 0.0) + share


def rows(run: RunFolder) -> Iterator[Cells]:
    """Yield the row of each finished episode of `run`, in the order of its plan.

    Raises LogError for a corrupt line, and where an episode has more or fewer decisions than told.
    """
    folders = log_folders(run.path)
    gathered = _gathered(run, folders)
    lines = _lines(folders)
    nothing = Gathered()
    for episode in run.episodes.values():
        own = gathered.get(episode.id, nothing)
        if len(own.moments) != episode.decisions:
            path = run.path / "decisions.jsonl"
            raise LogError(miscounted(path, episode.id, len(own.moments), episode.decisions))
        # of two lines it is the one beside its decisions
        places = lines[episode.id]
        beside = place_at(own.moments[0])[0] if own.moments else next(iter(places))
        yield row(episode, own, places.get(beside, next(iter(places.values()))))


def _gathered(run: RunFolder, folders: list[Path]) -> dict[str, Gathered]:
    void = {(record.episode, record.play) for record in run.interrupted}
    texts = _text_places(folders)
    read_firsts = FirstReader()
    found: dict[str, Gathered] = {}
    for number, folder in enumerate(folders):
        path = folder / "decisions.jsonl"
        for count, begins, line in read_places(path, DECISION_KEYS):
            id = line["episode"]
            if id not in run.episodes or (id, line["play"]) in void:
                continue
            own = found.setdefault(id, Gathered())
            try:
                own.add(at(number, begins), line, texts, read_firsts)
            except MISSHAPEN as error:
                raise corrupt(path, count, f"is not a decision: {wrong_in(error)}") from error
    return found


def text_ids(line: Any) -> Iterator[str]:
    """Yield the ids of the texts that a line of `decisions.jsonl` names."""
    seen = line["observation"]
    if seen["rules"]:
        yield seen["rules"]
    for option in seen["options"]:
        if "text" in option:
            yield option["text"]
    for addition in line["decision"].get("added", ()):
        yield addition["text"]


def _text_places(folders: list[Path]) -> dict[str, int]:
    return {
        line["id"]: at(number, begins)
        for number, folder in enumerate(folders)
        for _, begins, line in read_places(folder / "texts.jsonl", TEXT_KEYS)
    }


def _lines(folders: list[Path]) -> dict[str, dict[int, int]]:
    """Return where each episode's line is, by part of the log; the last of each part."""
    found: dict[str, dict[int, int]] = {}
    for number, folder in enumerate(folders):
        for _, begins, line in read_places(folder / "episodes.jsonl", EPISODE_KEYS):
            found.setdefault(line["episode"], {})[number] = at(number, begins)
    return found


def row(episode: EpisodeRecord, own: Gathered, line: int) -> Cells:
    """Return the row of a finished episode, of which `line` is where its own line stands."""
    players = episode.population.values()
    agents = sorted({player.agent for player in players})
    models = sorted({name for player in players if (name := player.model_name)})
    condition, first = json_text(episode.condition), put_first_most(own.firsts)
    searched = [episode.id, episode.env, *agents, *models, condition, first or ""]
    return {
        "episode": episode.id,
        "env": episode.env,
        "family": family_of(episode.env),
        "agents": agents,
        "models": models,
        "fault_kinds": sorted(map(str, episode.faults)),
        "condition": condition,
        "faults_by_kind": json_text(episode.faults),
        "first": first,
        "search": " ".join(searched).casefold(),
        "seed": episode.seed,
        "place": episode.place,
        "steps": episode.steps,
        "decisions": episode.decisions,
        "faults": sum(episode.faults.values()),
        "line": line,
        "moments": list(own.moments),
        "told": sorted(own.told),
    }

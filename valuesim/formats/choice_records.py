"""Decisions made of rows of the table of choices, one by one; see `choice_columns`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from valuesim.choices import cluster_of
from valuesim.decision import Fault
from valuesim.episode import Chain, Player
from valuesim.formats.choice_columns import (
    BY_EPISODE,
    NEEDED,
    Row,
    own_seed,
    players_parameters,
    situation_of,
)
from valuesim.log.reader import DecisionRecord, EpisodeRecord
from valuesim.option import Option


class Reading:
    """Makes records of rows; what many rows share is made once."""

    def __init__(self, notes: list[str]) -> None:
        """Add to `notes`, once, that episodes stand for the clusters that no row names."""
        self._notes = notes
        self._episodes: dict[str, tuple[EpisodeRecord, Row]] = {}
        self._situations: dict[str, tuple[Option, ...]] = {}
        self._settings: dict[str, dict[str, Any]] = {}
        self._decided: set[tuple[str, str, int]] = set()

    def record(self, row: Row) -> DecisionRecord:
        """Return the decision of a row; raise ValueError, with the reason, for one that is none."""
        lacking = [name for name in NEEDED if row[name] in (None, "") and name != "position"]
        if lacking:
            raise ValueError(f"{lacking[0]} is empty")
        options = self._options(str(row["situation"]))
        fault = None if row["fault"] is None else Fault(str(row["fault"]))
        role, step = str(row["role"]), _count(row, "step")
        record = DecisionRecord(
            episode=self._episode(row, role),
            step=step,
            role=role,
            options=options,
            chosen=_chosen(row, options, fault),
            fault=fault,
            annotations=_annotations(row),
        )
        decided = (record.episode.id, role, step)
        if decided in self._decided:
            raise ValueError(f"repeats what {role} decided at step {step} of {record.episode.id}")
        self._decided.add(decided)
        if row["cluster"] is not None and row["cluster"] != cluster_of(record):
            raise ValueError(
                f"cluster={row['cluster']!r:.80} is not {cluster_of(record)!r:.80}, which env and "
                "scene (else condition and seed) give; leave the column out, or name the scene"
            )
        return record

    def _options(self, text: str) -> tuple[Option, ...]:
        if text not in self._situations:
            self._situations[text] = situation_of(text)
        return self._situations[text]

    def _episode(self, row: Row, role: str) -> EpisodeRecord:
        id = str(row["episode"])
        known = self._episodes.get(id)
        if known is None:
            if _is_alone(row) and row["scene"] is None and BY_EPISODE not in self._notes:
                self._notes.append(BY_EPISODE)
            known = self._episodes[id] = _episode(row, self._setting), row
        episode, first = known
        for name in ("env", "seed", "condition", "elicitation", "chain_place"):
            if row[name] != first[name]:
                raise ValueError(f"{name} differs from that of an earlier row of episode {id}")
        player = Player(
            agent=str(row["agent"]),
            parameters=players_parameters(row["interventions"]),
            model=None if row["model"] is None else {"name": row["model"]},
        )
        # roles are added as their rows come; the episode's own line is written last
        if episode.population.setdefault(role, player) != player:  # type: ignore[attr-defined]
            raise ValueError(f"{role} of episode {id} was another player in an earlier row")
        return episode

    def _setting(self, text: object) -> dict[str, Any]:
        key = "{}" if text is None else str(text)
        if key not in self._settings:
            found = orjson.loads(key)
            if not isinstance(found, dict):
                raise ValueError(f"{key!r:.60} is not a JSON object")
            self._settings[key] = found
        return self._settings[key]


def _episode(row: Row, setting: Callable[[object], dict[str, Any]]) -> EpisodeRecord:
    return EpisodeRecord(
        id=str(row["episode"]),
        env=str(row["env"]),
        condition=setting(row["condition"]),
        population={},
        elicitation=setting(row["elicitation"]),
        seed=_seed(row),
        chain=_chain(row),
    )


def _chain(row: Row) -> Chain | None:
    """Return the chain that a row tells of, by the end of its cluster's name."""
    if row["unit"] != "chain":
        return None
    first, _, length = str(row["cluster"]).rpartition("/")[2].partition("+")
    if not (first.isdecimal() and length.isdecimal()):
        raise ValueError(
            f"cluster={row['cluster']!r:.80} is no chain's name: ENV/CONDITION/SEED+LENGTH"
        )
    return Chain(first=int(first), place=_count(row, "chain_place"), length=int(length))


def _is_alone(row: Row) -> bool:
    """Return whether a row says nothing of what its episode shares with others."""
    return row["seed"] is None and row["cluster"] is None


def _seed(row: Row) -> int:
    if row["seed"] is not None:
        return _count(row, "seed")
    return own_seed(str(row["episode"])) if _is_alone(row) else 0


def _count(row: Row, name: str) -> int:
    number = row[name]
    if not isinstance(number, int) or number < 0:
        raise ValueError(f"{name}={number!r:.60} is not a whole number from 0")
    return number


def _chosen(row: Row, options: Sequence[Option], fault: Fault | None) -> str | None:
    position = row["position"]
    if (position is None) == (fault is None):
        raise ValueError("there is neither a position nor a fault, or there are both")
    if position is None:
        return None
    if not isinstance(position, int) or not 0 <= position < len(options):
        raise ValueError(f"position {position} is not that of one of {len(options)} options")
    name = options[position].name
    if row["chosen"] not in (None, name):
        raise ValueError(f"chosen={row['chosen']!r:.60} is not the option at {position}: {name!r}")
    return name


def _annotations(row: Row) -> dict[str, Any]:
    annotations: dict[str, Any] = {}
    if row["scene"] is not None:
        annotations["scene"] = row["scene"]
    if row["ordered"] is False:
        annotations["order"] = "unknown"
    return annotations

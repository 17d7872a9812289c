"""What is asked of a selection, as the server answers it: graph, decisions behind, archetypes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from valuesim.errors import InputError, LogError, unknown
from valuesim.log.reader import DecisionRecord
from valuesim.replay.finding.listing import Page, Selection
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.understanding.backing import Placed
from valuesim.replay.understanding.questions import Answer, Pending, Questions
from valuesim.replay.understanding.selected import Selected, places, selected
from valuesim.replay.watching.moments import Opened, opened

MOST = 2_000_000
"""The most decisions that are ranked for the page."""
MOST_JUDGED = 100_000
"""The most decisions of which archetypes are told: they are all held in memory."""
BY = "agent,model"
_LONGEST = 2_000
_RATIONALE = 400

Told = dict[str, Any]


class Understanding:
    """Answers questions on selections of a shelf's episodes."""

    def __init__(self, shelf: Shelf, questions: Questions | None = None) -> None:
        """Begin with nothing asked."""
        self._shelf = shelf
        self._questions = questions or Questions()

    def graph(self, selection: Selection, by: str) -> Told | Pending:
        """Return the value graph of a selection (docs/replay.md), or how far it is.

        Raises InputError for keys that are none, and for more than `MOST` decisions.
        """
        found = selected(self._shelf, selection)
        answer = self._graph(selection, found, by)
        if isinstance(answer, Pending):
            return answer
        return {**answer.content, **_told(found), "is_stale": answer.state != found.state}

    def behind(
        self, selection: Selection, by: str, group: int, pair: tuple[str, str], page: Page
    ) -> Told | Pending:
        """Return a page of the decisions of a group that put one value before another.

        Raises InputError where there is no such group or value, and as `graph`.
        """
        found = selected(self._shelf, selection)
        answer = self._graph(selection, found, by)
        if isinstance(answer, Pending):
            return answer
        _check(answer.content["groups"], group, pair)
        assert answer.table is not None, "a graph comes with its table"
        listed = answer.table.behind(group, pair, page.offset, page.limit)
        return {
            "schema": 1,
            "over": pair[0],
            "under": pair[1],
            "total": listed.total,
            "votes": listed.votes,
            "decisions": self._decisions(listed.page),
        }

    def archetypes(self, selection: Selection, by: str) -> Told | Pending:
        """Return the archetypes of the groups of a selection, or how far they are.

        Raises InputError for keys that are none, and for more than `MOST_JUDGED` decisions.
        """
        found = selected(self._shelf, selection)
        answer = self._asked(selection, found, {"kind": "archetypes", "by": by}, MOST_JUDGED)
        return answer if isinstance(answer, Pending) else {**answer.content, **_told(found)}

    def evidence(self, selection: Selection, by: str, group: int) -> Told | Pending:
        """Return what speaks for and against each archetype in one group, or how far it is.

        Raises InputError where there is no such group, and as `archetypes`.
        """
        found = selected(self._shelf, selection)
        question = {"kind": "evidence", "by": by, "group": group}
        answer = self._asked(selection, found, question, MOST_JUDGED)
        if isinstance(answer, Pending):
            return answer
        names = {run.place.id: run.place.name for run in found.runs}
        return {**answer.content, "runs": names}

    def _graph(self, selection: Selection, found: Selected, by: str) -> Answer | Pending:
        return self._asked(selection, found, {"kind": "graph", "by": by}, MOST)

    def _asked(
        self, selection: Selection, found: Selected, question: Told, most: int
    ) -> Answer | Pending:
        if found.decisions > most:
            command = "graph" if question["kind"] == "graph" else "archetypes"
            raise InputError(
                f"{found.decisions:,} decisions are selected; at most {most:,} are worked out "
                f"here: choose fewer, or run `valuesim {command} PATH --by {question['by']}`"
            )

        def make() -> Told:
            return {**question, "runs": places(self._shelf, selection, found)}

        key = (_named(selection), found.is_whole, *question.items())
        answer = self._questions.ask(key, make, found.state)
        if isinstance(answer, Pending):
            return Pending(progress={**answer.progress, "of": found.decisions})
        return answer

    def _decisions(self, shown: Sequence[Placed]) -> list[Told]:
        known: dict[tuple[str, str], Opened] = {}
        told = []
        for each in shown:
            place = each.run, each.episode
            if place not in known:
                known[place] = opened(self._shelf, *place)
            told.append(_decision(each, known[place]))
        return told


def _named(selection: Selection) -> tuple[object, ...]:
    """Return what tells two selections apart."""
    return (
        tuple(sorted(selection.names.items())),
        tuple(sorted(selection.condition.items())),
        selection.text,
    )


def _told(found: Selected) -> Told:
    return {
        "selection": {
            "runs": [{"run": run.place.id, "name": run.place.name} for run in found.runs],
            "episodes": found.episodes,
            "decisions": found.decisions,
            "interrupted": found.interrupted,
            "is_whole": found.is_whole,
            "branches": sum(run.place.is_branch for run in found.runs),
        }
    }


def _check(groups: Sequence[Mapping[str, Any]], group: int, pair: tuple[str, str]) -> None:
    if group >= len(groups):
        raise InputError(f"group={group} is none: there are {len(groups)}, from 0")
    known = [value["value"] for value in groups[group]["values"]]
    for name, value in zip(("over", "under"), pair, strict=True):
        if value not in known:
            raise InputError(unknown(f"value {name}=", value[:60], known))
    if pair[0] == pair[1]:
        raise InputError(f"over and under are both {pair[0]!r:.60}; they must be two values")


def _decision(placed: Placed, found: Opened) -> Told:
    record = _record(placed, found)
    return {
        "run": placed.run,
        "run_name": found.run.place.name,
        "episode": placed.episode,
        "step": placed.step,
        "role": placed.role,
        "agent": record.player.agent,
        "model": record.player.model_name,
        "env": record.episode.env,
        "chosen": record.chosen,
        "share": placed.share,
        "margin": placed.margin,
        "rationale": record.rationale and record.rationale[:_RATIONALE],
        "options": [
            {"name": o.name, "text": o.text[:_LONGEST], "stakes": dict(o.stakes)}
            for o in record.options
        ],
    }


def _record(placed: Placed, found: Opened) -> DecisionRecord:
    for record in found.records:
        if (record.step, record.role) == (placed.step, placed.role):
            return record
    raise LogError(f"{found.run.place.name} has changed since it was read: ask again in a moment")

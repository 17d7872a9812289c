"""A moment as its role saw it, without anything that tells what was chosen; and what was, apart.

What interventions added is left out too: notes and advice may say what was about to be done.
"""

from __future__ import annotations

from typing import Any

from valuesim.log.options import option_line
from valuesim.log.records import DecisionRecord
from valuesim.observation import Observation
from valuesim.option import Option
from valuesim.replay.indexing.naming import NotThereError
from valuesim.replay.watching.moments import Opened


def judgeable(found: Opened) -> list[DecisionRecord]:
    """Return the moments of an episode in which there was something to choose, step by step."""
    every = sorted([*found.inherited, *found.records], key=lambda record: record.step)
    return [record for record in every if seen_in(found, record).is_choice]


def moment_at(found: Opened, step: int, role: str) -> DecisionRecord:
    """Return the moment of `role` at `step`; raise NotThereError where nothing is chosen there."""
    for record in judgeable(found):
        if (record.step, record.role) == (step, role):
            return record
    raise NotThereError(f"there is nothing to judge at step {step} of {role!r:.60}")


def seen_in(found: Opened, record: DecisionRecord) -> Observation:
    """Return what the role saw, as it is logged of whoever decides it anew."""
    return Observation(
        agent=record.role,
        step=record.step,
        text=record.text,
        rules=found.texts.get(record.rules_id, ""),
        options=record.options,
        view=record.view,
        annotations=record.annotations,
    )


def unseen(found: Opened, record: DecisionRecord) -> dict[str, Any]:
    """Return the moment for somebody who shall not know what was chosen (docs/replay.md)."""
    seen = seen_in(found, record)
    return {
        "schema": 1,
        "run": found.run.place.id,
        "episode": found.episode.id,
        "step": record.step,
        "role": record.role,
        "rules": seen.rules,
        "text": seen.text,
        "options": [_offered(option) for option in seen.options],
    }


def _offered(option: Option) -> dict[str, Any]:
    arguments = dict(option_line(option).get("arguments", ()))
    return {"name": option.name, "text": option.text, "arguments": arguments}

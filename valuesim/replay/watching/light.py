"""What is sent of the decisions of a very long episode: all that draws it, without its texts.

What an agent is shown often repeats all that went before: an episode of 1,000 rounds then holds
600 MB, which no browser keeps. Beyond the first `BUDGET` bytes of an episode its moments are
partial; a step's own are asked for when it is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from valuesim.log.records import DecisionRecord
from valuesim.parameters import is_number

BUDGET = 4_000_000
"""So many bytes of an episode's lines are sent whole."""
_LONGEST_LIST = 30
_LONGEST_MESSAGE = 2_000
LEFT_OUT: Mapping[str, Any] = {
    **dict.fromkeys(("reply", "prompt", "reasoning", "rationale")),
    "tries": (),
    "added": (),
    "partial": True,
}
"""What a partial moment says of what it leaves out."""


def light(record: DecisionRecord) -> DecisionRecord:
    """Return `record` without its texts, its view without lists that grow.

    These are lists of more than 30 entries that are not all numbers.
    """
    message = record.message
    return replace(
        record,
        text="",
        reply="",
        rationale=None,
        tries=(),
        added=(),
        interventions={},
        message=None if message is None else message[:_LONGEST_MESSAGE],
        view={name: each for name, each in record.view.items() if not _grows(each)},
        annotations={n: each for n, each in record.annotations.items() if not _grows(each)},
    )


def _grows(given: object) -> bool:
    return (
        isinstance(given, list)
        and len(given) > _LONGEST_LIST
        and not all(is_number(each) for each in given)
    )

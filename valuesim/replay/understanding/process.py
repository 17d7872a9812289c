"""What chosen episodes put first, and their archetypes, worked out in a process of its own.

It takes long and much memory, which an answer to a page must not wait for. The question comes as
JSON on the input; on the output lines of JSON tell how far it is, and the last one the answer or
an error, with the number of bytes of a table that follows.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson

from valuesim.errors import InputError, ValueSimError
from valuesim.log.files import MISSHAPEN
from valuesim.replay.understanding.ranked import as_json, gathered
from valuesim.replay.understanding.reading import chosen_of
from valuesim.replay.understanding.weighed import archetypes_json, evidence_json

_NICE = 2
"""Somebody waits for the answer; the list comes first all the same."""


def main() -> int:
    """Answer the question on the input, and return 0; an error is an answer, too."""
    with suppress(OSError, AttributeError):
        os.nice(_NICE)
    question = orjson.loads(sys.stdin.buffer.read())
    table = b""
    try:
        answer, table = answered(question)
        told: dict[str, Any] = {"answer": answer, "table": len(table)}
    except ValueSimError as error:
        told = {"error": str(error), "is_input": isinstance(error, InputError)}
    except (OSError, *MISSHAPEN, LookupError, ArithmeticError) as error:
        traceback.print_exception(error, file=sys.stderr)
        told = {"error": f"{type(error).__name__}: {error}", "is_input": False}
    _write(told)
    sys.stdout.buffer.write(table)
    sys.stdout.buffer.flush()
    return 0


def answered(question: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return the answer to a question, and the table of the decisions behind a graph, if any."""
    chosen = [chosen_of(each) for each in question["runs"]]
    kind, by = question["kind"], question["by"]
    if kind == "archetypes":
        return archetypes_json(chosen, by, _tell), b""
    if kind == "evidence":
        return evidence_json(chosen, by, question["group"], _tell), b""
    found = gathered(chosen, by, _tell)
    table = found.noted.table(found.evidence.all_groups, found.evidence.coded)
    return as_json(found, _tell), table


def _tell(what: str, count: int) -> None:
    _write({"done": what, "count": count})


def _write(told: Mapping[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(told, option=orjson.OPT_NON_STR_KEYS) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())

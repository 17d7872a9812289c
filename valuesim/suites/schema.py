"""A card as JSON (schema 1, docs/benchmark.md): what is written to `card.json`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson

from valuesim.suites.card import SCHEMA, Card

KIND = "valuesim card"


def to_json(card: Card) -> dict[str, Any]:
    """Return `card` as JSON values; what is unknown is None, with a reason beside it."""
    told = asdict(card)
    return {
        "schema": SCHEMA,
        "kind": KIND,
        "name": card.entry.name,
        "suite": card.suite,
        "digest": card.digest,
        "reading": card.reading,
        "whole": card.is_whole,
        "quick": card.is_quick,
        "missing": list(card.missing),
        "entry": told["entry"],
        "archetype": told["archetype"],
        "conduct": told["conduct"],
        "figures": told["figures"],
        "curves": told["curves"],
        "wordings": told["wordings"],
        "gaps": told["gaps"],
        "decisions": card.decisions,
        "faults": card.faults,
        "parts": told["parts"],
        "spending": told["spending"],
        "prompt": card.prompt,
        "versions": told["versions"],
        "time": told["time"],
    }


def written(card: Card) -> bytes:
    """Return the bytes of `card.json`: the same card, the same bytes."""
    return orjson.dumps(to_json(card), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

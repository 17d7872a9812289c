"""Writes a pack as a file that `load_pack` reads back as the same pack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from valuesim.envs.dilemmas.format import SCHEMA
from valuesim.envs.dilemmas.pack import Dilemma, DilemmaTurn, Pack, PackOption
from valuesim.envs.dilemmas.reading import SUFFIXES, plain_scalar
from valuesim.errors import InputError


def write_pack(pack: Pack, path: Path) -> None:
    """Write `pack` to `path` as YAML or, if that ends in .jsonl, as JSON lines; overwrites a file.

    Raises InputError for another ending, and where the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path} is no pack's file: its name must end in {', '.join(SUFFIXES)}")
    head, dilemmas = _head(pack), [_dilemma(dilemma) for dilemma in pack.dilemmas]
    if suffix == ".jsonl":
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in (head, *dilemmas))
    else:
        text = yaml.dump(
            head | {"dilemmas": dilemmas},
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=True,
            width=100,
        )
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def _head(pack: Pack) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "pack": pack.id,
        "version": pack.version,
        "title": pack.title,
        "taxonomy": pack.taxonomy,
        "locale": pack.locale,
        "statement": {
            "norms": pack.statement.norms,
            "annotators": pack.statement.annotators,
            "as_of": pack.statement.as_of,
            "source": pack.statement.source,
        },
        "role": list(pack.role),
        **({"predict": list(pack.predict)} if pack.predict else {}),
        "topics": list(pack.topics),
        "behaviours": list(pack.behaviours),
    }


def _dilemma(dilemma: Dilemma) -> dict[str, Any]:
    content: dict[str, Any] = {
        "id": dilemma.id,
        "topic": dilemma.topic,
        "parties": list(dilemma.parties),
        **_turn(dilemma.start),
    }
    if dilemma.turns:
        content["turns"] = {
            name: {"kind": turn.kind, **_turn(turn)} for name, turn in dilemma.turns.items()
        }
    return content


def _turn(turn: DilemmaTurn) -> dict[str, Any]:
    return {
        "tellings": list(turn.tellings),
        "options": [_option(option) for option in turn.options],
    }


def _option(option: PackOption) -> Mapping[str, Any]:
    content: dict[str, Any] = {
        "id": option.id,
        "text": option.text,
        "stakes": dict(option.stakes),
        "behaviours": list(option.behaviours),
        "omission": option.omission,
    }
    return content if option.then is None else content | {"then": option.then}


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc] # untyped
    """Writes no aliases, and in quotes every text that would be read as something else."""

    def ignore_aliases(self, data: object) -> bool:
        """Return that nothing is written as an alias."""
        return True


def _text(dumper: Any, text: str) -> Any:
    style = None if isinstance(plain_scalar(text), str) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)

"""Records become a run folder, whole or not at all; the inverse of `log.reader`."""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from valuesim import __version__
from valuesim.errors import InputError
from valuesim.formats.rows import Dropped
from valuesim.log.lines import SCHEMA, encode, text_line
from valuesim.log.options import option_line, text_id
from valuesim.log.reader import DecisionRecord, EpisodeRecord, read_config
from valuesim.log.whole import unwritable
from valuesim.option import Option

AGENT = "imported"
"""The agent that plays in imported episodes: whoever decided, of whom no more is known."""
_BLOCK = 2**20


_DRAFT = re.compile(r"\.(?P<name>.+)\.(?P<pid>[1-9][0-9]{0,8})\.part")


class NoDecisionError(InputError):
    """No decision was found to write; what was left out, and why, says the `Importing`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Importing:
    """What an import found: the decisions, and what a reader must know of them.

    `records` is read once. The others are complete only when it has been read to its end: `notes`
    are sentences, `dropped` is what made no decision, `unmapped` counts labels that no value
    answers to.
    """

    records: Iterator[DecisionRecord]
    notes: list[str] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    unmapped: Counter[str] = field(default_factory=Counter)


@dataclass(kw_only=True, slots=True)
class Written:
    """What a run folder holds: decisions, faults by kind, and who decided, by decisions."""

    decisions: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    players: Counter[str] = field(default_factory=Counter)


def is_imported(folder: Path, about: Mapping[str, Any]) -> bool:
    """Return whether `folder` holds the import that `about` describes; False if there is nothing.

    Raises InputError where `folder` is anything else: it is left as it is.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    if not (folder / "run.yaml").is_file():
        raise InputError(f"{folder} is there already: name another folder for the run")
    found = read_config(folder).get("import")
    if found == dict(about):
        return True
    differing = "no import" if not isinstance(found, dict) else f"the import of {found.get('file')}"
    raise InputError(
        f"{folder} holds another run ({differing}, or of another content, other settings or "
        "another version): name another folder, or remove it"
    )


def remove_leftovers(folder: Path) -> list[Path]:
    """Remove what imports to `folder` left beside it when they were killed; return what it was.

    A draft whose process lives is another import under way, and stays.
    """
    removed = []
    for draft in sorted(folder.parent.glob(".*.part")):
        found = _DRAFT.fullmatch(draft.name)
        if found is None or found["name"] != folder.name or draft.is_symlink():
            continue
        if draft.is_dir() and not _is_alive(int(found["pid"])):
            shutil.rmtree(draft, ignore_errors=True)
            removed.append(draft)
    return removed


def _is_alive(process: int) -> bool:
    """Return whether another process than this one has the number `process`."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def write_run(
    folder: Path,
    records: Iterable[DecisionRecord],
    about: Mapping[str, Any],
    *,
    now: datetime,
    notes: Sequence[str] = (),
) -> Written:
    """Write `records` as the run folder `folder`, which must not be there or be empty.

    An episode's decisions may stand anywhere in `records`. Of an episode's line, the numbers of
    steps, decisions and faults and the usage are counted here. `about` is kept in `run.yaml` under
    "import", and `notes`, as they are when all is read, for every later reader. Nothing is left
    where anything fails. Raises NoDecisionError without a decision, InputError where `folder` is no
    place to write to, LogError where the disk takes no more.
    """
    try:
        with _draft(folder) as draft:
            writer = _Writer(draft, now)
            try:
                for record in records:
                    writer.add(record)
                writer.finish()
            finally:
                writer.close()
            if not writer.written.decisions:
                raise NoDecisionError(f"there is no decision to write to {folder}")
            described = _described(about, writer.written, now, notes)
            (draft / "run.yaml").write_text(
                yaml.safe_dump(described, sort_keys=False, allow_unicode=True), encoding="utf-8"
            )
    except OSError as error:
        raise unwritable(folder, error) from error
    return writer.written


def _described(
    about: Mapping[str, Any], written: Written, now: datetime, notes: Sequence[str]
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "import": dict(about),
        "decisions": written.decisions,
        "versions": {"valuesim": __version__},
        "sessions": [{"notes": list(notes)}],
        "time": {"started": now.isoformat(timespec="seconds")},
    }


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside `folder` that becomes it if the block ends well."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    draft.mkdir()
    try:
        yield draft
        draft.replace(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


class _Writer:
    """Writes decisions as they come, and episodes at the end."""

    def __init__(self, folder: Path, now: datetime) -> None:
        self.written = Written()
        self._at = now.isoformat(timespec="milliseconds")
        self._files: dict[str, BinaryIO] = {
            name: (folder / f"{name}.jsonl").open("wb", buffering=_BLOCK)
            for name in ("decisions", "episodes", "interrupted", "texts")
        }
        self._options: dict[int, tuple[Option, dict[str, Any]]] = {}
        self._texts: set[str] = set()
        self._episodes: dict[str, tuple[EpisodeRecord, Counter[str], Counter[str], int, int]] = {}
        self._rules = self._kept("")

    def add(self, record: DecisionRecord) -> None:
        """Write one decision and count it."""
        self._files["decisions"].write(encode(self._line(record)))
        self.written.decisions += 1
        self.written.players[record.player.model_name or record.player.agent] += 1
        episode, faults, usage, decisions, steps = self._episodes.get(
            record.episode.id, (record.episode, Counter(), Counter(), 0, 0)
        )
        if record.fault is not None:
            faults[str(record.fault)] += 1
            self.written.faults[str(record.fault)] += 1
        usage.update(record.usage)
        counted = (episode, faults, usage, decisions + 1, max(steps, record.step + 1))
        self._episodes[record.episode.id] = counted

    def finish(self) -> None:
        """Write the episodes' lines."""
        for episode, faults, usage, decisions, steps in self._episodes.values():
            line = {
                "schema": SCHEMA,
                "episode": episode.id,
                "env": episode.env,
                "condition": episode.condition,
                "population": episode.population,
                "elicitation": episode.elicitation,
                "seed": episode.seed,
                "steps": steps,
                "outcome": episode.outcome,
                "measures": episode.measures,
                "decisions": decisions,
                "faults": dict(faults),
                "usage": dict(usage),
            }
            if episode.chain is not None:
                line["chain"] = episode.chain
            self._files["episodes"].write(encode(line))

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    def _line(self, record: DecisionRecord) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "episode": record.episode.id,
            "play": 0,
            "step": record.step,
            "agent": record.role,
            "observation": {
                "rules": record.rules_id or self._rules,
                "text": record.text,
                "options": [self._option(option) for option in record.options],
                "view": record.view,
                "annotations": record.annotations,
            },
            "decision": {
                "option": record.chosen,
                "arguments": record.arguments,
                "message": record.message,
                "rationale": record.rationale,
                "fault": record.fault,
                "fault_detail": record.fault_detail,
                "reply": record.reply,
                "attempts": record.attempts,
                "usage": record.usage,
            },
            "effect": record.effect,
            "payoff": record.payoff,
            "time": {"at": self._at, "latency": record.latency},
        }

    def _option(self, option: Option) -> dict[str, Any]:
        known = self._options.get(id(option))
        if known is None:
            if option.text:
                self._kept(option.text)
            # the option is kept, so that its address is not given to another
            known = self._options[id(option)] = option, option_line(option)
        return known[1]

    def _kept(self, text: str) -> str:
        id = text_id(text)
        if id not in self._texts:
            self._texts.add(id)
            self._files["texts"].write(encode(text_line(text)))
        return id

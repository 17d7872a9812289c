"""A file of YAML or JSON lines as a tree whose every node knows its line.

Nothing is built from what a file says but text, numbers, truth values, lists and mappings: tags,
anchors and aliases (with which a small file becomes a large tree) are refused, and so is whatever
is too large, too deep or not UTF-8. Scalars are read as in JSON: `true`, `null`, numbers; all else
that is not in quotes is text, dates and `no` included.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from valuesim.envs.dilemmas.format import LARGEST_FILE, MOST_NODES, Problem, is_refused, named
from valuesim.option import quoted

SUFFIXES = (".yaml", ".yml", ".jsonl")
_DEEPEST = 20
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq"))
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_ -]{1,64}")
_WHOLE = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?")
_ODD_NUMBERS = {".nan": float("nan"), ".inf": float("inf"), "-.inf": -float("inf")}
_WORDS: Mapping[str, bool | None] = {
    "true": True,
    "false": False,
    "null": None,
    "~": None,
    "": None,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A scalar, a list or a mapping of a file; `keys` are the lines of a mapping's keys."""

    line: int
    content: str | int | float | bool | tuple[Node, ...] | dict[str, Node] | None
    keys: Mapping[str, int] = field(default_factory=dict)


class Unreadable(Exception):
    """A file cannot be read to its end; holds the problem."""

    def __init__(self, problem: Problem) -> None:
        """Hold `problem`."""
        super().__init__(str(problem))
        self.problem = problem


def read_tree(path: Path) -> tuple[Node, list[Problem]]:
    """Return the pack in the file at `path` as one tree, and keys that stand in it twice.

    In JSON lines the first line is the pack's head and each further one a dilemma. Raises
    Unreadable where the file as a whole cannot be read.
    """
    content = read_bytes(path, LARGEST_FILE)
    if path.suffix.lower() not in SUFFIXES:
        _refuse(path, None, f"is not a pack's file: its name must end in {', '.join(SUFFIXES)}")
    text = _allowed(path, decoded(path, content).replace("\r\n", "\n"))
    if not text.strip():
        _refuse(path, None, "is empty")
    return _json_lines(path, text) if path.suffix.lower() == ".jsonl" else _yaml(path, text)


def read_bytes(path: Path, largest: int) -> bytes:
    """Return what the file at `path` holds; raise Unreadable for none, no file, or a larger one."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
            _refuse(path, None, f"is {kind}")
        if status.st_size > largest:
            _refuse(path, None, _too_large(status.st_size, largest))
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except FileNotFoundError:
        _refuse(path, None, "there is no such file")
    except (OSError, ValueError) as error:
        _refuse(path, None, f"cannot be opened: {getattr(error, 'strerror', None) or error}")
    if len(content) > largest:
        _refuse(path, None, _too_large(len(content), largest))
    return content


def decoded(path: Path, content: bytes) -> str:
    """Return `content` as text, a byte order mark left out; raise Unreadable if it is not UTF-8."""
    try:
        return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        # the offset counts in the file, where the byte order mark stands before the text
        offset = len(content) - len(error.object) + error.start
        line = content.count(b"\n", 0, offset) + 1
        _refuse(path, line, f"byte {content[offset]:#04x} at offset {offset} is not UTF-8")


def _too_large(size: int, largest: int) -> str:
    return f"has {size:,} bytes, more than the {largest // 2**20} MB that are read"


def _allowed(path: Path, text: str) -> str:
    for character in sorted(set(text) - {"\t"}):
        if is_refused(character):
            line = text.count("\n", 0, text.index(character)) + 1
            _refuse(path, line, f"holds the character {named(character)}, which is not allowed")
    return text


def _refuse(path: Path, line: int | None, reason: str, where: str = "") -> NoReturn:
    raise Unreadable(Problem(file=path, line=line, where=where, reason=reason)) from None


def _json_lines(path: Path, text: str) -> tuple[Node, list[Problem]]:
    problems: list[Problem] = []
    nodes: list[Node] = []
    parts = 0
    for line, row in enumerate(text.split("\n"), start=1):
        if not row.strip():
            continue
        # each part takes a comma or a bracket: a bound before anything is built
        parts += row.count(",") + row.count("[") + row.count("{")
        if parts > MOST_NODES:
            _refuse(path, line, f"is where the file has more than {MOST_NODES:,} parts")
        nodes.append(node_of(_json(path, row, line, problems), line))
    head, *dilemmas = nodes
    if not isinstance(head.content, dict):
        _refuse(path, head.line, "is not the head of a pack: a JSON object on the first line")
    if "dilemmas" in head.content:
        _refuse(path, head.line, "is not allowed in the head: each takes a line", "dilemmas")
    listed = Node(line=head.line, content=tuple(dilemmas))
    keys = dict.fromkeys(head.content, head.line) | {"dilemmas": head.line}
    return Node(line=head.line, content=head.content | {"dilemmas": listed}, keys=keys), problems


def _json(path: Path, row: str, line: int, problems: list[Problem]) -> object:
    def mapping(pairs: list[tuple[str, object]]) -> dict[str, object]:
        made: dict[str, object] = {}
        for key, content in pairs:
            if key in made:
                problems.append(_twice(path, line, below_key("", key), key))
            made[key] = content
        return made

    try:
        content = json.loads(row, object_pairs_hook=mapping)
        _check_depth(content)
    except RecursionError:
        _refuse(path, line, f"is nested more than {_DEEPEST} deep")
    except ValueError as error:
        # also a whole number of more digits than Python reads
        told = error.msg if isinstance(error, json.JSONDecodeError) else "a number is too long"
        place = f" at column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        _refuse(path, line, f"is not JSON: {told}{place}")
    return content


def _check_depth(content: object, depth: int = 0) -> None:
    if depth > _DEEPEST:
        raise RecursionError
    if isinstance(content, dict | list):
        for each in content.values() if isinstance(content, dict) else content:
            _check_depth(each, depth + 1)


def node_of(content: Any, line: int) -> Node:
    """Return plain `content` (as JSON holds) as a tree, all of it on `line`."""
    if isinstance(content, Mapping):
        made = {key: node_of(each, line) for key, each in content.items()}
        return Node(line=line, content=made, keys=dict.fromkeys(made, line))
    if isinstance(content, list | tuple):
        return Node(line=line, content=tuple(node_of(each, line) for each in content))
    return Node(line=line, content=content)


def _yaml(path: Path, text: str) -> tuple[Node, list[Problem]]:
    problems: list[Problem] = []
    try:
        events = iter(yaml.parse(text, Loader=_LOADER))
        next(events)
        if isinstance(first := next(events), yaml.StreamEndEvent):
            _refuse(path, None, "is empty")
        assert isinstance(first, yaml.DocumentStartEvent), "a stream starts with a document"
        tree = _Builder(path, events, problems).node(next(events), "", 0)
        next(events)
        if not isinstance(after := next(events), yaml.StreamEndEvent):
            _refuse(path, _line(after), "holds a second document: a pack is one")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        told = getattr(error, "problem", None) or "it cannot be read"
        _refuse(path, mark.line + 1 if mark else None, f"is not YAML: {' '.join(told.split())}")
    return tree, problems


class _Builder:
    """Builds nodes from events, so that what is refused is refused before it is built."""

    def __init__(self, path: Path, events: Iterator[Any], problems: list[Problem]) -> None:
        self.path = path
        self.events = events
        self.problems = problems
        self.nodes = 0

    def node(self, event: Any, where: str, depth: int) -> Node:
        line = _line(event)
        if isinstance(event, yaml.AliasEvent):
            _refuse(self.path, line, f"uses the alias *{event.anchor}: aliases are refused", where)
        self._check(event, where, depth)
        if isinstance(event, yaml.ScalarEvent):
            is_plain = event.implicit[0]
            return Node(line=line, content=plain_scalar(event.value) if is_plain else event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(line=line, content=tuple(self._items(where, depth)))
        content, keys = self._mapping(where, depth)
        return Node(line=line, content=content, keys=keys)

    def _check(self, event: Any, where: str, depth: int) -> None:
        line = _line(event)
        if event.anchor is not None:
            _refuse(self.path, line, f"has the anchor &{event.anchor}: anchors are refused", where)
        if event.tag is not None and event.tag not in _CORE_TAGS and event.tag != "!":
            _refuse(self.path, line, f"has the tag {quoted(event.tag)}: tags are refused", where)
        if depth > _DEEPEST:
            _refuse(self.path, line, f"is nested more than {_DEEPEST} deep")
        self.nodes += 1
        if self.nodes > MOST_NODES:
            _refuse(self.path, line, f"is where the file has more than {MOST_NODES:,} parts")

    def _items(self, where: str, depth: int) -> Iterator[Node]:
        place = 0
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            yield self.node(event, f"{where}[{place}]", depth + 1)
            place += 1

    def _mapping(self, where: str, depth: int) -> tuple[dict[str, Node], dict[str, int]]:
        content: dict[str, Node] = {}
        keys: dict[str, int] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            line = _line(event)
            if not isinstance(event, yaml.ScalarEvent):
                _refuse(self.path, line, "has a key that is no text", where)
            self._check(event, where, depth)
            below = below_key(where, event.value)
            child = self.node(next(self.events), below, depth + 1)
            if event.value in content:
                self.problems.append(_twice(self.path, line, below, event.value))
            content[event.value], keys[event.value] = child, line
        return content, keys


def below_key(where: str, key: str) -> str:
    """Return the path of what stands under `key`, which may hold anything, in `where`."""
    step = key if _PLAIN_KEY.fullmatch(key) else quoted(key)
    return f"{where}.{step}" if where else step


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def plain_scalar(text: str) -> str | int | float | bool | None:
    """Return what `text` is read as where it stands in YAML without quotes."""
    word = text.lower()
    if word in _WORDS:
        return _WORDS[word]
    if _WHOLE.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    return _ODD_NUMBERS.get(word, text)


def _twice(path: Path, line: int, where: str, key: str) -> Problem:
    return Problem(file=path, line=line, where=where, reason=f"key {quoted(key)} stands here twice")

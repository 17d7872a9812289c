"""Walks a tree and says, at each place, what is not as it must be; nothing is raised.

What is wrong is told once, to the list of problems; the accessor then returns an empty content, so
that the walk goes on and finds whatever else is wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import isfinite
from pathlib import Path
from re import Pattern

from valuesim.envs.dilemmas.format import (
    IDENTIFIER,
    LONGEST_LINE,
    LONGEST_TEXT,
    MOST_PROBLEMS,
    Problem,
    impurity,
)
from valuesim.envs.dilemmas.reading import Node, below_key
from valuesim.errors import unknown
from valuesim.option import quoted


class Place:
    """One place of a tree: a node, its path, and where problems are told.

    A place without a node is one whose absence was told already: it tells no more.
    """

    def __init__(self, file: Path, node: Node | None, where: str, problems: list[Problem]) -> None:
        self.file = file
        self.node = node
        self.where = where
        self.problems = problems

    @property
    def is_absent(self) -> bool:
        """Whether there is nothing here."""
        return self.node is None

    def wrong(self, reason: str, line: int | None = None, key: str = "") -> None:
        """Tell that this place (or what stands under `key`) is wrong, and why."""
        if self.node is None or len(self.problems) > MOST_PROBLEMS:
            return
        where = below_key(self.where, key) if key else self.where
        if len(self.problems) == MOST_PROBLEMS:
            where, reason = "", f"has more problems; the first {MOST_PROBLEMS:,} are told"
        self.problems.append(
            Problem(file=self.file, line=line or self.node.line, where=where, reason=reason)
        )

    def mapping(self, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Place]:
        """Return the places under all keys that there may be; tell missing and unknown ones."""
        content = self.node.content if self.node else {}
        allowed = (*required, *optional)
        if not isinstance(content, dict):
            self.wrong(f"is {_kind(content)}; it must be a mapping with {', '.join(required)}")
            return {key: self._absent() for key in allowed}
        keys = self.node.keys if self.node else {}
        for key in content:
            if key not in allowed:
                self.wrong(unknown("key", key, allowed), keys.get(key))
        if missing := [key for key in required if key not in content]:
            self.wrong(f"lacks {', '.join(missing)}")
        return {key: self._below(content.get(key), key) for key in allowed}

    def entries(self, what: str) -> dict[str, Place]:
        """Return the places under the keys of a mapping with free keys; tell an empty one."""
        content = self.node.content if self.node else {}
        if not isinstance(content, dict):
            self.wrong(f"is {_kind(content)}; it must be a mapping of {what}")
            return {}
        if not content:
            self.wrong(f"is empty; it must name {what}")
        return {key: self._below(node, key) for key, node in content.items()}

    def items(self, what: str, least: int, most: int) -> list[Place]:
        """Return the places of a list of `least` to `most` items; tell if it is not one."""
        content = self.node.content if self.node else ()
        if not isinstance(content, tuple):
            self.wrong(f"is {_kind(content)}; it must be a list of {what}")
            return []
        if not least <= len(content) <= most:
            some = f"at least {least}" if len(content) < least else f"at most {most:,}"
            self.wrong(f"has {len(content):,} {what}; it must have {some}")
        return [
            Place(self.file, node, f"{self.where}{_label(node, index)}", self.problems)
            for index, node in enumerate(content[:most])
        ]

    def text(self, longest: int = LONGEST_TEXT) -> str:
        """Return plain text; tell if it is none, is empty, too long, or holds more than text."""
        content = self.node.content if self.node else ""
        if not isinstance(content, str):
            self.wrong(f"is {_kind(content)}; it must be text (put it in quotes)")
            return ""
        if self.node is not None:
            self._check_text(content, longest)
        return content.strip()

    def line(self) -> str:
        """Return plain text that stands on one line."""
        text = self.text(LONGEST_LINE)
        if "\n" in text:
            self.wrong("has a line break; it must stand on one line")
        return text

    def identifier(self, pattern: Pattern[str] = IDENTIFIER) -> str:
        """Return a name of `pattern`; tell if it is none."""
        content = self.node.content if self.node else ""
        if isinstance(content, str) and pattern.fullmatch(content):
            return content
        self.wrong(f"{quoted(content)} is not a name of the form {pattern.pattern}")
        return ""

    def number(self, low: float, high: float) -> float:
        """Return a finite number in [low, high]; tell if it is none (a truth value is none)."""
        content = self.node.content if self.node else low
        if isinstance(content, bool) or not isinstance(content, int | float):
            self.wrong(f"is {_kind(content)} ({quoted(content)}); it must be a number")
        elif not isfinite(content):
            self.wrong(f"is {content}; it must be a number from {low:g} to {high:g}")
        elif not low <= content <= high:
            self.wrong(f"is {quoted(content)}; it must be a number from {low:g} to {high:g}")
        else:
            return float(content)
        return 0.0

    def whole(self, low: int, high: int) -> int:
        """Return a whole number in [low, high]; tell if it is none."""
        content = self.node.content if self.node else low
        is_whole = isinstance(content, int) and not isinstance(content, bool)
        if is_whole and low <= content <= high:  # type: ignore[operator]
            return int(content)  # type: ignore[arg-type]
        allowed = f"{low}" if low == high else f"a whole number from {low} to {high:,}"
        self.wrong(f"is {quoted(content)}; it must be {allowed}")
        return low

    def flag(self) -> bool:
        """Return a truth value; tell if it is none."""
        content = self.node.content if self.node else False
        if not isinstance(content, bool):
            self.wrong(f"is {quoted(content)}; it must be true or false")
        return content is True

    def one_of(self, kind: str, allowed: Collection[str]) -> str:
        """Return one of the `allowed` names; tell, with the nearest, if it is another."""
        content = self.node.content if self.node else ""
        if isinstance(content, str) and content in allowed:
            return content
        self.wrong(unknown(kind, content, allowed))
        return ""

    def _check_text(self, content: str, longest: int) -> None:
        if not content.strip():
            self.wrong("is empty")
        elif len(content) > longest:
            self.wrong(f"has {len(content):,} characters; at most {longest:,} are allowed")
        elif reason := impurity(content):
            self.wrong(reason)

    def _below(self, node: Node | None, key: str) -> Place:
        return Place(self.file, node, below_key(self.where, key), self.problems)

    def _absent(self) -> Place:
        return Place(self.file, None, self.where, self.problems)


def _label(node: Node, index: int) -> str:
    """Return how an item of a list is named: by its id, if it has a proper one, else its place."""
    own = node.content.get("id") if isinstance(node.content, dict) else None
    if own is not None and isinstance(own.content, str) and IDENTIFIER.fullmatch(own.content):
        return f".{own.content}"
    return f"[{index}]"


def _kind(content: object) -> str:
    if content is None:
        return "empty"
    kinds = {bool: "a truth value", str: "text", dict: "a mapping", tuple: "a list"}
    return kinds.get(type(content), "a number")

"""Lists of labels as tables hold them, often the text of a Python list: hostile input."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

_LONGEST = 20_000
_MOST = 200
_LONGEST_LABEL = 100
_QUOTED = r"""(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")"""
_LITERAL = re.compile(_QUOTED)
_LIST = re.compile(rf"[\[(]\s*(?:{_QUOTED}\s*(?:,\s*{_QUOTED}\s*)*,?\s*)?[\])]")


def listed(cell: object) -> list[str]:
    """Return the labels in `cell`: a list, the text of one, or names with commas between them.

    Nothing in the text is run. Raises ValueError for text that looks like a list and is none, for
    anything in it but text, and for too much: 20,000 characters, 200 labels, 100 characters each.

    >>> listed("['truth', 'self care']"), listed("truth; self care"), listed(None)
    (['truth', 'self care'], ['truth', 'self care'], [])
    """
    if cell is None:
        return []
    found = _of_text(cell) if isinstance(cell, str) else cell
    if not isinstance(found, list | tuple):
        raise ValueError("is not a list")
    return _checked(found)


def _of_text(text: str) -> Sequence[object]:
    text = text.strip()
    if len(text) > _LONGEST:
        raise ValueError(f"has {len(text):,} characters; at most {_LONGEST:,} are read")
    if not text.startswith(("[", "(")):
        return [part for part in text.replace(";", ",").split(",") if part.strip()]
    if not _LIST.fullmatch(text):
        raise ValueError("looks like a list and is none of labels in quotes")
    # each literal by itself is one string: nothing nests, so nothing can be deep
    return [_unquoted(literal) for literal in _LITERAL.findall(text)]


def _unquoted(literal: str) -> object:
    if "\\" not in literal:
        return literal[1:-1]
    try:
        return ast.literal_eval(literal)
    except (ValueError, SyntaxError):
        raise ValueError(f"holds {literal[:30]!r}, which is no text in quotes") from None


def _checked(found: Sequence[object]) -> list[str]:
    if len(found) > _MOST:
        raise ValueError(f"has {len(found):,} labels; at most {_MOST} are read")
    labels: list[str] = []
    for label in found:
        if not isinstance(label, str):
            raise ValueError(f"holds a {type(label).__name__}; a label is text")
        if len(label) > _LONGEST_LABEL:
            raise ValueError(f"holds a label of {len(label):,} characters")
        if label.strip():
            labels.append(" ".join(label.split()))
    return labels

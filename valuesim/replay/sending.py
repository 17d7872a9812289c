"""What is sent to a page, as JSON: whatever a log holds, however deep it is nested."""

from __future__ import annotations

from typing import Any

import orjson

_DEEPEST = 200
"""So many tables and lists inside each other are sent; orjson takes 254."""
_TOO_DEEP = "(nested too deep to be shown)"


def as_json(content: Any) -> bytes:
    """Return `content` as JSON; what is nested deeper than can be sent is named instead.

    >>> as_json({"step": 1})
    b'{"step":1}'
    """
    try:
        return orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:
        return orjson.dumps(_cut(content, _DEEPEST), option=orjson.OPT_NON_STR_KEYS)


def _cut(content: Any, levels: int) -> Any:
    """Return `content` with what lies more than `levels` deep named instead."""
    if not levels and isinstance(content, dict | list | tuple):
        return _TOO_DEEP
    if isinstance(content, dict):
        return {name: _cut(each, levels - 1) for name, each in content.items()}
    if isinstance(content, list | tuple):
        return [_cut(each, levels - 1) for each in content]
    return content

"""Replies without a model: legal, chosen by hash, the same for the same request."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_OPTION_LINE = re.compile(r"^- ([^\s:]+)(?::|$)")
_ARGUMENT_LINE = re.compile(r"^    (\w+): (?:a number from (\S+) to (\S+)|one of (.+)|text )")


def reply_to(body: Mapping[str, Any], seed: int) -> str:
    """Return a legal reply to a request: by its JSON schema, else by the options in its prompt."""
    pick = _Picker(seed, json.dumps(body, sort_keys=True))
    form = (body.get("response_format") or {}).get("json_schema", {}).get("schema")
    if form:
        return json.dumps(pick.instance(form))
    texts = [str(m.get("content")) for m in body["messages"] if m["role"] == "user"]
    offered = _offered(texts[0] if texts else "")
    if not offered:
        return "OK"
    option = pick.one(sorted(offered))
    arguments = {name: pick.instance(form) for name, form in offered[option].items()}
    if '"action"' in str(body["messages"][0].get("content")):
        action = {"option": option, "arguments": arguments}
        return json.dumps({"rationale": "chosen by hash", "action": action})
    return f"Chosen by hash.\n{option} {json.dumps(arguments) if arguments else ''}".strip()


class _Picker:
    def __init__(self, *salt: object) -> None:
        self._salt, self._drawn = salt, 0

    def one(self, choices: Sequence[Any]) -> Any:
        return choices[int(self._draw() * len(choices))]

    def instance(self, form: Mapping[str, Any]) -> Any:
        if "anyOf" in form:
            return self.instance(self.one(form["anyOf"]))
        if "enum" in form:
            return self.one(form["enum"])
        if form.get("type") == "object":
            return {name: self.instance(inner) for name, inner in form["properties"].items()}
        if form.get("type") == "number":
            low, high = form["minimum"], form["maximum"]
            return round(low + self._draw() * (high - low), 2)
        return "chosen by hash"

    def _draw(self) -> float:
        self._drawn += 1
        return uniform(*self._salt, self._drawn)


def _offered(prompt: str) -> dict[str, dict[str, dict[str, Any]]]:
    options: dict[str, dict[str, dict[str, Any]]] = {}
    for line in prompt.rpartition("Your options now:")[2].splitlines():
        if option := _OPTION_LINE.match(line):
            options[option[1]] = {}
        elif options and (argument := _ARGUMENT_LINE.match(line)):
            options[next(reversed(options))][argument[1]] = _form(argument)
    return options


def _form(argument: re.Match[str]) -> dict[str, Any]:
    if argument[2]:
        return {"type": "number", "minimum": float(argument[2]), "maximum": float(argument[3])}
    return {"enum": argument[4].split(", ")} if argument[4] else {"type": "string"}


def uniform(*salt: object) -> float:
    """Return a number in [0, 1) that depends on `salt` alone."""
    digest = hashlib.sha256(repr(salt).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64

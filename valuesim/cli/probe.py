"""Asks a model server what a run will ask of it, step by step, and says where it fails."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from valuesim.agents.llm.prefix_cache import PrefixCache, of_metrics
from valuesim.secrets import check_address

LIST_TIMEOUT_S = 10.0
REPLY_TIMEOUT_S = 120.0
_WORD = "valuesim"
_SCHEMA = {
    "type": "object",
    "properties": {"word": {"type": "string", "enum": [_WORD]}},
    "required": ["word"],
    "additionalProperties": False,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing looked at: "ok", "missing" (optional, and not there) or "fail", and what to do."""

    id: str
    status: Literal["ok", "missing", "fail"]
    description: str
    advice: str = ""


class _NoAnswer(Exception):
    """The server gave no usable answer; the text says why."""


def probe(base_url: str, model: str | None) -> Iterator[Finding]:
    """Yield the steps up to the first that makes the next ones useless.

    They are: reachable and listing models; the model there; a reply; structured output honoured;
    where a server counts it, as vLLM does, how much of the prompts its prefix cache held. Keys are
    read from VALUESIM_API_KEY or OPENAI_API_KEY and shown nowhere.
    """
    check_address(base_url, "--base-url")
    base = base_url.rstrip("/")
    try:
        listed = [str(entry["id"]) for entry in _asked(f"{base}/models", None)["data"]]
    except (_NoAnswer, KeyError, TypeError) as error:
        advice = "start the server, or mend the address (it usually ends in /v1) or the key"
        yield Finding(
            id="server, reachable", status="fail", description=_told(error), advice=advice
        )
        return
    yield Finding(
        id="server, reachable", status="ok", description=f"{base} lists {', '.join(listed)}"
    )
    name = model or next(iter(listed), "")
    if name not in listed:
        advice = f"use model.name={listed[0]}" if listed else "load a model into the server"
        yield Finding(
            id="server, model", status="fail", description=f"{name!r} not served", advice=advice
        )
        return
    yield _structured(base, name)
    if (told := prefix_cache(base)) is not None:
        yield Finding(
            id="server, prefix cache", status="ok", description=f"since its start, {told}"
        )


def prefix_cache(base_url: str) -> PrefixCache | None:
    """Return what the server's /metrics say of its prefix cache; None where it tells nothing."""
    url = f"{base_url.rstrip('/').removesuffix('/v1')}/metrics"
    try:
        with urlopen(Request(url), timeout=LIST_TIMEOUT_S) as answer:
            return of_metrics(answer.read().decode("utf-8", "replace"))
    except OSError:
        return None


def _structured(base: str, name: str) -> Finding:
    form = {"type": "json_schema", "json_schema": {"name": "probe", "schema": _SCHEMA}}
    question = {"role": "user", "content": "Say one word about the weather."}
    body = {"model": name, "messages": [question], "max_tokens": 64, "response_format": form}
    try:
        reply = _asked(f"{base}/chat/completions", body)["choices"][0]["message"]["content"]
    except (_NoAnswer, KeyError, TypeError, IndexError) as error:
        told = _told(error)
        advice = "look at the server's log; elicitation=json asks for no structured output"
        if "HTTP 401" in told or "HTTP 403" in told:
            advice = "set the key that the server wants: VALUESIM_API_KEY or OPENAI_API_KEY"
        return Finding(id="server, reply", status="fail", description=told, advice=advice)
    try:
        honoured = json.loads(reply) == {"word": _WORD}
    except (ValueError, TypeError):
        honoured = False
    if honoured:
        return Finding(
            id="server, structured output", status="ok", description=f"{name} keeps to the schema"
        )
    return Finding(
        id="server, structured output",
        status="fail",
        description=f"{name} replied {str(reply)[:60]!r} against the schema",
        advice="update the server, or ask in words: elicitation=json",
    )


def _asked(url: str, body: dict[str, Any] | None) -> Any:
    key = os.environ.get("VALUESIM_API_KEY") or os.environ.get("OPENAI_API_KEY")
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    content = None if body is None else json.dumps(body).encode()
    timeout = LIST_TIMEOUT_S if body is None else REPLY_TIMEOUT_S
    try:
        with urlopen(Request(url, content, headers), timeout=timeout) as answer:
            return json.loads(answer.read())
    except HTTPError as error:
        raise _NoAnswer(f"{url} answered HTTP {error.code} {error.reason}") from error
    except URLError as error:
        raise _NoAnswer(f"{url} cannot be reached: {error.reason}") from error
    except (OSError, ValueError) as error:
        raise _NoAnswer(f"{url} gave no readable answer: {error}") from error


def _told(error: Exception) -> str:
    told = isinstance(error, _NoAnswer)
    return str(error) if told else f"the answer lacks what it must have: {error!r}"

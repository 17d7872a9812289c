"""Keys and log-ins: which are known, and how they are kept out of whatever is written or told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from valuesim.errors import InputError

MARK = "REDACTED"
"""What stands for a secret; as long as the shortest one, so that no text outgrows its bound."""

_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD")
_LOG_IN = re.compile(r"(?<=://)[^/\s@]+@")
_KEY_LIKE = re.compile(
    r"\b(?:sk|pk|hf|gsk|xai)[-_][\w*-]{8,}|(?<=Bearer )[^\s;,'\"]+", re.IGNORECASE
)


def secrets(environment: Mapping[str, str], *named: str | None) -> tuple[str, ...]:
    """Return the secrets in `environment`, each once, the longest first.

    They are the values of variables that are `named` (None is skipped) or whose names end in KEY,
    TOKEN, SECRET or PASSWORD. A value below eight characters ("EMPTY") is no secret: to hide it
    would garble ordinary words.
    """
    found = {
        value
        for name, value in environment.items()
        if (name in named or name.upper().endswith(_NAMES)) and len(value) >= len(MARK)
    }
    return tuple(sorted(found, key=lambda secret: (-len(secret), secret)))


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` with each of `secrets` replaced by `MARK`, and nothing else changed.

    They are also found as JSON spells them, within what a model wrote as JSON.
    """
    for secret in secrets:
        for spelling in _spellings(secret):
            text = text.replace(spelling, MARK)
    return text


@cache
def _spellings(secret: str) -> tuple[str, ...]:
    """Return `secret`, and how a text of JSON writes it where that is something else."""
    written = json.dumps(secret, ensure_ascii=False)[1:-1]
    return (secret,) if written == secret else (secret, written)


def redacted(given: Any, secrets: Iterable[str] = ()) -> Any:
    """Return `given`, plain data, with `secrets` replaced in all its texts, names among them.

    To be called before it is written as JSON, which spells a quotation mark in a secret otherwise.
    """
    if isinstance(given, str):
        return redact(given, secrets)
    if isinstance(given, Mapping):
        return {redacted(name, secrets): redacted(each, secrets) for name, each in given.items()}
    if isinstance(given, list | tuple):
        return [redacted(each, secrets) for each in given]
    return given


def redact_strictly(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` without `secrets`, the log-in part of URLs, and whatever looks like a key.

    For errors and messages: of what a model says, the guesses would change innocent words.
    """
    return _KEY_LIKE.sub(MARK, _LOG_IN.sub("", redact(text, secrets)))


def check_address(address: str, setting: str) -> None:
    """Raise InputError, quoting no secret, unless `address` is a plain http(s) URL.

    A log-in, a query string or a fragment would be written with the settings; `setting` names where
    the address was given.
    """
    if "@" in address:
        raise InputError(f"{setting} holds a log-in: put the key into VALUESIM_API_KEY")
    if "?" in address or "#" in address:
        raise InputError(
            f"{setting} holds a query string or a fragment: give the plain address, and put a key "
            "into VALUESIM_API_KEY"
        )
    if not address.startswith(("http://", "https://")):
        raise InputError(f"{setting} is {address!r}: it starts with http:// or https://")
    try:
        is_whole = bool(urlsplit(address).hostname) and urlsplit(address).port != 0
    except ValueError:
        is_whole = False
    if not is_whole:
        raise InputError(f"{setting} is {address!r}: write http://HOST:PORT/v1")

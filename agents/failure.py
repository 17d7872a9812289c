"""What a failed request says: its reason without keys, its status, whether to try again.

Nothing here knows a client library: errors are read by their status, headers, class and cause.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from json import JSONDecodeError

import numpy as np

_RETRYABLE_STATUS = frozenset({408, 409, 425, 429})
_RETRYABLE_KINDS = re.compile(
    r"(Connection|Connect|Timeout|Transport|Network|Protocol|Payload|Read|Write|RateLimit|Overloaded)"
    r"(Error)?$|ResponseValidationError$"
)
_REASON_LENGTH = 300
_KEY_ADVICE = (
    "the key is read from the variable that model.api_key_env names, else from VALUESIM_API_KEY or "
    "OPENAI_API_KEY; `valuesim doctor --base-url URL` tries it"
)
_ADVICE: Mapping[int | None, str] = {
    401: _KEY_ADVICE,
    403: _KEY_ADVICE,
    404: "is model.name right, and model.base_url, which often ends in /v1? "
    "`valuesim doctor --base-url URL` lists the models of a server",
}


class MalformedReply(Exception):
    """A server's answer without what its protocol promises; asking again may help."""


class ServerError(Exception):
    """An answer with an HTTP status from 400; `args[0]` is what the server says is wrong."""

    def __init__(self, status: int, headers: Mapping[str, str], said: str) -> None:
        super().__init__(said)
        self.status, self.headers = status, headers


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why one request failed: what was said, with which HTTP status, and whether to try again."""

    reason: str
    status: int | None = None
    retry_after_s: float | None = None
    is_retryable: bool

    @property
    def speaks_against_server(self) -> bool:
        """Whether it hints that the server is down or lets nobody in, and not that it is busy.

        No answer at all, 5xx, 401 and 403 do; a rate limit or a bad request comes from a server
        that works.
        """
        return self.status is None or self.status >= 500 or self.status in (401, 403)


def read_failure(error: Exception, *, now: float, timeout_s: float) -> Failure:
    """Return what `error`, raised by any client library, says about its request.

    Connections that fail or break off, time-outs, bodies that are cut or not JSON, and the statuses
    408, 409, 425, 429 and 5xx may be tried again; whatever else the server or client says may not.
    """
    status = _status(error)
    headers = getattr(getattr(error, "response", error), "headers", None) or {}
    if status is not None:
        return Failure(
            reason=_reason(error),
            status=status,
            retry_after_s=retry_after(headers, now),
            is_retryable=status in _RETRYABLE_STATUS or status >= 500,
        )
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return Failure(reason=f"no answer within {timeout_s:g} s", is_retryable=True)
    return Failure(reason=_reason(error), is_retryable=_is_transient(error))


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds, from 0, that a Retry-After header asks to wait; None if it has none.

    The header holds seconds or an HTTP date (RFC 9110, section 10.2.3).
    """
    given = headers.get("retry-after") or headers.get("Retry-After")
    if not given:
        return None
    try:
        seconds = float(given)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(given).timestamp() - now
        except ValueError:
            return None
    return max(seconds, 0.0) if np.isfinite(seconds) else None


def _status(error: Exception) -> int | None:
    for name in ("status_code", "status", "code", "http_status"):
        given = getattr(error, name, None)
        if isinstance(given, int) and 400 <= given < 600:
            return given
    return None


def _is_transient(error: Exception) -> bool:
    if isinstance(error, OSError | JSONDecodeError | MalformedReply | EOFError):
        return True
    return any(_RETRYABLE_KINDS.search(kind.__name__) for kind in type(error).__mro__)


def _reason(error: Exception) -> str:
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, dict) else None
    text = said if isinstance(said, str) and said else str(error)
    if _status(error) is not None:
        return text or type(error).__name__
    root = _root(error)
    because = f" ({type(root).__name__}: {root})" if root is not error else ""
    return f"{type(error).__name__}: {text.rstrip('.')}{because}"


def _root(error: BaseException) -> BaseException:
    """Return the first cause: "connection refused" says more than "connection error"."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def advice(status: int | None) -> str:
    """Return what to do about an HTTP status, in brackets after a space; "" if nobody can tell."""
    return f" ({_ADVICE[status]})" if status in _ADVICE else ""


def shortened(reason: str) -> str:
    """Return `reason` on one line of at most 300 characters, without its full stop."""
    return " ".join(reason.split())[:_REASON_LENGTH].rstrip(". ")

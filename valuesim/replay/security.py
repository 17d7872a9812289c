"""Who is answered: pure functions over what a request says of itself.

A page of another site may send requests to this machine, and a name of its own may be made to lead
here (DNS rebinding): what names another host, or comes from another site, is refused. Whatever
changes something needs the token of this session; so does everything where others can connect.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
TOKEN_HEADER = "x-valuesim-token"
TOKEN_KEY = "token"
LARGEST_BODY = 1_000_000
"""The most bytes of a request's body."""
READING = frozenset({"GET", "HEAD"})
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PICTURE_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
"""Of a picture that somebody opens by itself: it may do nothing."""
HEADERS: Mapping[str, str] = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
"""What every answer says, unless it says otherwise itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """How this session is reached: the host that it was told to listen on, and its token."""

    host: str = "127.0.0.1"
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def is_local(self) -> bool:
        """Whether nobody but this machine can connect."""
        return is_loopback(self.host)

    def url(self, port: int) -> str:
        """Return the address to open, with the token."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{port}/?{TOKEN_KEY}={self.token}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a request says: its method and path, its headers in small letters, and its token."""

    method: str
    path: str
    headers: Mapping[str, str]
    token: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Why a request is not answered."""

    status: int
    sentence: str


def refusal(asked: Asked, access: Access) -> Refusal | None:
    """Return why `asked` is refused, None where it may be answered."""
    named = host_of(asked.headers.get("host", ""))
    if not _is_own(named, access):
        return Refusal(status=421, sentence=f"{named!r:.60} is not the host of this viewer")
    is_api = asked.path.startswith("/api/")
    if is_api and not _is_same_site(asked.headers):
        return Refusal(status=403, sentence="a page of another site may not ask this viewer")
    if asked.method not in READING:
        if not _is_same_origin(asked.headers):
            return Refusal(status=403, sentence="only this viewer's own page may change anything")
        if not is_token(asked.token, access):
            return Refusal(status=401, sentence="a change needs the token in the address")
        return _too_long(asked.headers)
    if is_api and not access.is_local and not is_token(asked.token, access):
        return Refusal(status=401, sentence="open the address that was printed, with its token")
    return None


def is_token(given: str | None, access: Access) -> bool:
    """Return whether `given` is the session's token, in a time that tells nothing of it."""
    told = (given or "").encode("utf-8", "replace")
    return hmac.compare_digest(told, access.token.encode())


def is_loopback(host: str) -> bool:
    """Return whether a host's name or address is this machine's own.

    >>> is_loopback("127.0.0.2"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(header: str) -> str:
    """Return the name in a Host header, in small letters, without its port and brackets.

    >>> host_of("[::1]:8765"), host_of("LocalHost:80"), host_of("evil.example")
    ('::1', 'localhost', 'evil.example')
    """
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()


def _is_own(named: str, access: Access) -> bool:
    if named in LOOPBACK or named == access.host.lower():
        return True
    if access.is_local:
        return False
    # everybody who can connect needs the token, which a name that was made to lead here lacks
    return bool(named)


def _is_same_site(headers: Mapping[str, str]) -> bool:
    """Return whether no browser says that another site's page asks."""
    return headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def _is_same_origin(headers: Mapping[str, str]) -> bool:
    """Return whether the page that asks is this viewer's own; what is no browser says nothing."""
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""
    return headers.get("sec-fetch-site", "same-origin") == "same-origin"


def _too_long(headers: Mapping[str, str]) -> Refusal | None:
    """Return a refusal for a body that is too long, tells no length, or is no JSON."""
    length = headers.get("content-length", "")
    is_told = length.isascii() and length.isdecimal() and len(length) <= 10
    # what comes in chunks is as long as it likes, whatever length it tells
    if not is_told or "transfer-encoding" in headers:
        return Refusal(status=411, sentence="a request that changes something tells its length")
    if int(length) > LARGEST_BODY:
        return Refusal(status=413, sentence=f"a request holds at most {LARGEST_BODY:,} bytes")
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return Refusal(status=415, sentence="a request that changes something is JSON")
    return None

"""The files of the page itself, read once: no name in a request is ever made a path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

_KINDS: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A file of the page, and what kind of file it is."""

    content: bytes
    kind: str


def pages() -> dict[str, Page]:
    """Return the files of the page by the path of their address; "/" is `index.html`."""
    folder = Path(str(resources.files("valuesim.replay") / "static"))
    found = {
        f"/{path.relative_to(folder).as_posix()}": Page(
            content=path.read_bytes(), kind=_KINDS[path.suffix]
        )
        for path in sorted(folder.rglob("*"))
        if path.suffix in _KINDS and path.is_file() and not path.is_symlink()
    }
    if "/index.html" in found:
        found["/"] = found["/index.html"]
    return found

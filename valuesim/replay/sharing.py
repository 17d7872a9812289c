"""An episode, or two side by side, as one HTML file that opens offline.

The file is the viewer's own page with the answers that it needs within. Its policy lets nothing run
but its own script, which is named by its hash, and nothing be fetched. The same episodes, found at
the same place below what is shown, give the same bytes.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import jinja2

from valuesim import __version__
from valuesim.errors import InputError, ValueSimError
from valuesim.replay.pages import Page, pages
from valuesim.replay.sending import as_json
from valuesim.replay.watching.moments import UNDRAWABLE, Opened, drawer, told

LARGEST = 100_000_000
"""The most bytes of a file."""
_UNSAFE = re.compile("[<>&\u2028\u2029]")
_ENDS = re.compile("</(?:script|style)|<!--|<script|\r|\0", re.IGNORECASE)
_POLICY = (
    "default-src 'none'; script-src {}; style-src {}; img-src data:; connect-src 'none'; "
    "base-uri 'none'; form-action 'none'"
)
_LONGEST_NAME = 100


def shared_page(
    episodes: Sequence[Opened],
    *,
    place: Mapping[str, str] | None = None,
    tree: Mapping[str, Any] | None = None,
    built: Mapping[str, Page] | None = None,
) -> bytes:
    """Return one episode, or two side by side, as a page that needs no server.

    Args:
        episodes: one, or two that are compared.
        place: where it opens: `step`, and of a single episode `role`; at the beginning without.
        tree: of two, the tree of branches that both stand in, as the viewer tells it (a node with
            `run`, `episode` and `branches`); of it the ways to the two are kept.
        built: the files of the viewer's page; those that are installed unless given.

    Raises InputError where the page would be longer than `LARGEST`.
    """
    files = pages() if built is None else built
    style, script = (_inlined(files, name) for name in ("/app.css", "/app.js"))
    data = in_script(_content(episodes, place or {}, tree))
    size = len(data) + len(style) + len(script)
    if size > LARGEST:
        raise InputError(
            f"{_named(episodes)} makes a file of {size / 1e6:,.0f} MB, and at most "
            f"{LARGEST / 1e6:,.0f} MB open well: share a shorter episode, or the run folder itself"
        )
    page = _template().render(
        policy=_POLICY.format(_hashed(script), _hashed(style)),
        title=f"{_named(episodes)} – valuesim",
        style=style,
        script=script,
        shared=data,
    )
    return page.encode("utf-8")


def file_name(episodes: Sequence[Opened]) -> str:
    """Return a name for the file, of letters, digits, "-", "_" and "." alone."""
    said = "-".join([episodes[0].run.place.name, *(each.episode.id for each in episodes)])
    plain = re.sub(r"[^A-Za-z0-9_]+", "-", said).strip("-")
    return f"valuesim-{plain[:_LONGEST_NAME].rstrip('-')}.html"


def in_script(content: Any) -> str:
    r"""Return `content` as JSON that no text in it can end the element of.

    >>> print(in_script({"reply": "</script>"}))
    {"reply":"\u003c/script\u003e"}
    """
    written = as_json(content).decode("utf-8")
    return _UNSAFE.sub(lambda sign: f"\\u{ord(sign[0]):04x}", written)


def _content(
    episodes: Sequence[Opened], place: Mapping[str, str], tree: Mapping[str, Any] | None
) -> dict[str, Any]:
    drawn: dict[str, int] = {}
    places = [
        [*where, drawn.setdefault(picture, len(drawn))]
        for found in episodes
        for where, picture in _pictures(found)
    ]
    return {
        "schema": 1,
        "version": __version__,
        "at": _route(episodes, place),
        "answers": _answers(episodes, tree),
        "drawn": list(drawn),
        "places": places,
    }


def _answers(episodes: Sequence[Opened], tree: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    keys = [(found.run.place.id, found.episode.id) for found in episodes]
    answers: list[dict[str, Any]] = [
        {"path": ["episodes", *key], "content": told(found)}
        for key, found in zip(keys, episodes, strict=True)
    ]
    ways = None if tree is None else ways_to(tree, set(keys))
    # of two that are not of one tree, neither is told where the other stands
    if ways is not None and all(_holds(ways, key) for key in keys):
        content = {"schema": 1, "root": ways, "left_out": 0}
        answers += [{"path": ["branches", *key], "content": content} for key in keys]
    return answers


def _holds(node: Mapping[str, Any], key: tuple[str, str]) -> bool:
    return (node["run"], node["episode"]) == key or any(_holds(x, key) for x in node["branches"])


def ways_to(node: Mapping[str, Any], keys: Collection[tuple[str, str]]) -> dict[str, Any] | None:
    """Return a tree with nothing left in it but the ways to episodes; None where none leads there.

    >>> leaf = {"run": "b", "episode": "2", "branches": []}
    >>> ways_to({"run": "a", "episode": "1", "branches": [leaf]}, {("a", "1")})
    {'run': 'a', 'episode': '1', 'branches': []}
    """
    below = [way for each in node["branches"] if (way := ways_to(each, keys)) is not None]
    if not below and (node["run"], node["episode"]) not in keys:
        return None
    return {**node, "branches": below}


def _route(episodes: Sequence[Opened], place: Mapping[str, str]) -> str:
    page = "episode" if len(episodes) == 1 else "compare"
    parts = [part for found in episodes for part in (found.run.place.id, found.episode.id)]
    path = "/".join(quote(part, safe="") for part in (page, *parts))
    return f"#/{path}?{urlencode(place)}" if place else f"#/{path}"


def _pictures(found: Opened) -> Iterator[tuple[list[Any], str]]:
    """Yield what the environment draws: run, episode, step, role, and the picture as SVG."""
    draw = drawer(found.episode.env)
    if draw is None:
        return
    seen = set()
    for record in (*found.inherited, *found.records):
        if (record.step, record.role) in seen:
            continue
        seen.add((record.step, record.role))
        try:
            picture = draw(record.annotations)
        except UNDRAWABLE:
            # the page says of it what it says where the viewer finds none
            continue
        yield [found.run.place.id, found.episode.id, record.step, record.role], picture


def _inlined(files: Mapping[str, Page], name: str) -> str:
    """Return a file of the page as it may stand in an element; raise ValueSimError where not."""
    text = files[name].content.decode("utf-8")
    found = _ENDS.search(text)
    if found:
        raise ValueSimError(f"{name} of the page holds {found[0]!r}: it cannot stand in a page")
    return text


def _hashed(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{b64encode(digest).decode('ascii')}'"


def _named(episodes: Sequence[Opened]) -> str:
    return " and ".join(each.episode.id for each in episodes)


@cache
def _template() -> jinja2.Template:
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("valuesim.replay"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return templates.get_template("shared.html.j2")

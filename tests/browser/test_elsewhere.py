"""The viewer asked from another host: with the token all works, without it nothing is told."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

Opened = Callable[..., Any]
ROWS = ".episodes tbody tr"
KEPT = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, window.name])"


@pytest.fixture(scope="session")
def address() -> str:
    """An address of this machine by which others reach it, as far as it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outward:
        try:
            # nothing is sent: it only says from where it would be
            outward.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.2"
        return str(outward.getsockname()[0])


@pytest.fixture(scope="session")
def site(runs: Path, view: Callable[..., str], address: str) -> str:
    """The address of a viewer that listens for everybody, as another host asks it."""
    told = view(runs, "--host", "0.0.0.0")
    assert urlsplit(told).hostname == "0.0.0.0"
    return told.replace("0.0.0.0", address, 1)


@pytest.fixture(scope="session")
def token(site: str) -> str:
    return parse_qs(urlsplit(site).query)["token"][0]


@pytest.fixture
def stranger(chromium: Any) -> Iterator[Any]:
    """A page of its own, which may go anywhere."""
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(40_000)
    yield page
    context.close()


def test_with_the_token_all_works(opened: Opened) -> None:
    page = opened("#/?env=moral_machine-v0")
    page.locator(".episode-link").first.click()
    page.locator(".verdict").wait_for()
    picture = page.locator("img.scene-picture")
    picture.wait_for()
    assert picture.evaluate("async each => { await each.decode(); return each.naturalWidth }") > 100
    page.get_by_role("link", name="Episodes").first.click()
    page.locator(ROWS).first.wait_for()
    page.reload()
    page.locator(ROWS).first.wait_for()


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong"])
def test_without_it_nothing_is_answered_but_the_page(stranger: Any, site: str, query: str) -> None:
    answers: list[tuple[str, int]] = []
    stranger.on("response", lambda told: answers.append((urlsplit(told.url).path, told.status)))
    stranger.goto(f"{site.partition('?')[0]}{query}#/")
    stranger.get_by_role("alert").wait_for()
    assert "with its token" in stranger.get_by_role("alert").inner_text()
    assert stranger.locator(ROWS).count() == 0
    asked = [status for path, status in answers if path.startswith("/api/")]
    assert asked
    assert set(asked) == {401}
    assert {path for path, status in answers if status == 200} <= {"/", "/app.js", "/app.css"}


def test_the_token_is_kept_nowhere_and_told_to_nobody(stranger: Any, site: str, token: str) -> None:
    requests: list[Any] = []
    stranger.on("request", lambda request: requests.append(request))
    stranger.goto(f"{site}#/")
    stranger.locator(".episode-link").first.click()
    stranger.locator(".verdict").wait_for()
    assert token not in stranger.evaluate(KEPT)
    assert stranger.context.cookies() == []
    assert {urlsplit(each.url).netloc for each in requests} == {urlsplit(site).netloc}
    assert not any("referer" in each.all_headers() for each in requests)
    links = stranger.evaluate("[...document.querySelectorAll('a[href]')].map(each => each.href)")
    assert not [each for each in links if urlsplit(each).netloc != urlsplit(site).netloc]


def test_whoever_is_visited_next_does_not_learn_it(stranger: Any, site: str, token: str) -> None:
    heard: list[str] = []

    class Ear(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(f"{self.path}\n{self.headers}")
            self.send_response(200)
            self.end_headers()

        def log_message(self, *told: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ear) as ear:
        threading.Thread(target=ear.serve_forever, daemon=True).start()
        stranger.goto(f"{site}#/")
        stranger.locator(ROWS).first.wait_for()
        stranger.evaluate(f"location.href = 'http://127.0.0.1:{ear.server_port}/next'")
        stranger.wait_for_url("**/next")
        assert stranger.evaluate("document.referrer") == ""
        ear.shutdown()
    # what follows is asked by that page itself
    assert heard[0].startswith("/next")
    assert "referer" not in heard[0].lower()
    assert not any(token in each for each in heard)

"""Watch: an episode in a real browser: its scrubber, its keys, its texts, hostile ones too."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.browser.conftest import read_late

PHONE = {"width": 390, "height": 844}
Opened = Callable[..., Any]
Until = Callable[[Any, str], None]
Link = Callable[..., str]


@pytest.fixture
def link(site: str) -> Link:
    """What returns the link to the first episode of a search."""

    def to(text: str, **place: object) -> str:
        parts = urlsplit(site)
        query = urlencode({"text": text, "sort": "-decisions", "limit": 1})
        answer = urllib.request.urlopen(f"{parts.scheme}://{parts.netloc}/api/episodes?{query}")
        (row,) = json.load(answer)["rows"]
        return f"#/episode/{row['run']}/{row['episode']}?{urlencode(place)}"

    return to


def at(page: Any) -> int:
    return int(page.get_by_role("slider").input_value())


def test_a_link_leads_to_a_decision(opened: Opened, link: Link) -> None:
    page = opened(link("exploitative", step=4, role="Beta"))
    assert at(page) == 4
    assert page.get_by_role("tab", selected=True).inner_text() == "Beta"
    assert page.locator(".options .taken").count() == 1
    assert page.locator(".stakes").first.is_visible()


def test_a_link_into_a_run_that_is_being_read_opens_once_it_is(opened: Opened, link: Link) -> None:
    place = link("exploitative", step=4, role="Beta")
    page = opened("#/")
    answers = read_late(page, 2)
    page.evaluate(f"location.hash = {place!r}")
    page.get_by_text("it is being read").wait_for()
    page.get_by_role("slider").wait_for()
    assert at(page) == 4
    assert not answers


def test_each_decision_has_a_link(opened: Opened, link: Link) -> None:
    page = opened(link("exploitative", step=2))
    here = page.get_by_role("link", name="link to this decision").get_attribute("href")
    assert here.endswith("?step=2&role=Alpha")
    again = opened(here)
    assert at(again) == 2
    assert again.get_by_role("tab", selected=True).inner_text() == "Alpha"


def test_keys_step_and_the_address_follows(opened: Opened, link: Link) -> None:
    page = opened(link("exploitative", step=0))
    last = int(page.get_by_role("slider").get_attribute("max"))
    for key, place in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", last)):
        page.keyboard.press(key)
        assert at(page) == place
    page.wait_for_url(f"**step={last}*")
    page.keyboard.press("Home")
    assert at(page) == 0


def test_the_scrubber_moves_once_a_key(opened: Opened, link: Link) -> None:
    page = opened(link("exploitative", step=3))
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    assert at(page) == 4


def test_it_plays_to_the_end_and_stops(opened: Opened, link: Link) -> None:
    page = opened(link("exploitative"))
    page.get_by_role("combobox", name="Speed").select_option("8")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Pause").wait_for()
    page.get_by_role("button", name="Play").wait_for()
    assert at(page) == int(page.get_by_role("slider").get_attribute("max"))


def test_taps_and_faults_are_marked(opened: Opened, link: Link) -> None:
    assert opened(link("exploitative")).locator(".marks .harm").count() > 0
    page = opened(link("mute"))
    assert page.locator(".marks .fault").count() > 0
    assert "Fault" in page.locator(".verdict h2").inner_text()


def test_hostile_texts_are_shown_and_nothing_runs(opened: Opened, link: Link) -> None:
    page = opened(link("hostile", step=1))
    reply = page.get_by_label("Reply, as it came").inner_text()
    assert "<script>window.struck='script'</script>" in reply
    assert "⟨U+202E⟩" in reply
    assert "\u202e" not in page.locator("main").inner_text()
    inside = page.locator(".moment-side")
    assert inside.locator("script, img, iframe, object, a[href^='javascript']").count() == 0


def test_a_reply_of_a_million_characters_is_cut_until_asked_for(
    opened: Opened, until: Until, link: Link
) -> None:
    page = opened(link("hostile", step=0))
    shown = page.get_by_label("Reply, as it came")
    assert len(shown.text_content()) == 20_000
    began = time.monotonic()
    page.get_by_role("button", name="Show all").first.click()
    until(
        page,
        "document.querySelector('[aria-label=\"Reply, as it came\"]').textContent.length > 1e6",
    )
    assert time.monotonic() - began < 20


def test_what_is_not_there_is_told(opened: Opened) -> None:
    page = opened("#/episode/000000000000/nothing")
    assert page.get_by_role("heading", name="This episode was not found").is_visible()
    page = opened("#/nowhere")
    assert page.get_by_role("heading", name="There is no such page").is_visible()


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("family", ["exploitative", "mute", "games", "machine", "hostile"])
def test_no_serious_fault_of_access(
    opened: Opened, link: Link, serious: Any, family: str, colours: str
) -> None:
    page = opened(link(family, step=1), colours=colours)
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    assert serious(page) == []


@pytest.mark.parametrize("family", ["exploitative", "games", "machine", "hostile"])
def test_a_phone_never_scrolls_sideways(opened: Opened, link: Link, family: str) -> None:
    page = opened(link(family, step=1), PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

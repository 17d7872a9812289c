"""Scenes: each family drawn in a real browser from real episodes, and held against their logs."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.browser import scene_runs

PHONE = {"width": 390, "height": 844}
PLACES = {
    "CONTROL_ROOM": "Control Room",
    "BATTERY_ROOM": "Shared Battery Room",
    "DISCUSSION_TABLE": "Discussion Table",
    "GRID": "Grid Access Point",
    "PRIVATE_ROOM": "Private rooms",
}
Opened = Callable[..., Any]

FAMILIES = tuple(scene_runs.PLAYED)
GAMES = ("prisoners", "sexes", "travelers", "goods", "trust", "ultimatum")
DRAWN = (
    *("survival", "talking", "prisoners", "goods", "machine", "panel", "unfolding", "rating"),
    *("best_worst", "stranger", "hostile_talking"),
)
COPIES = tuple(f"hostile_{name}" for name in scene_runs.HOSTILE)
SPOILT = tuple(f"rubbish_{name}" for name in scene_runs.RUBBISH)


@pytest.fixture(scope="session")
def scenes_site(tmp_path_factory: pytest.TempPathFactory, view: Callable[[Path], str]) -> str:
    folder = tmp_path_factory.mktemp("scenes")
    scene_runs.make(folder)
    address = view(folder)
    parts = urlsplit(address)
    deadline = time.monotonic() + 30
    # runs are read while the first questions are answered
    while time.monotonic() < deadline:
        with urllib.request.urlopen(f"{parts.scheme}://{parts.netloc}/api/about") as given:
            if json.load(given)["episodes"] == len([*folder.iterdir()]):
                return address
        time.sleep(0.1)
    raise AssertionError("the viewer did not read all runs")


@pytest.fixture(scope="session")
def site(scenes_site: str) -> str:
    """The viewer that `opened` opens: on the runs of this file."""
    return scenes_site


@pytest.fixture(scope="session")
def ask(site: str) -> Callable[[str], Any]:
    parts = urlsplit(site)

    def answer(path: str) -> Any:
        with urllib.request.urlopen(f"{parts.scheme}://{parts.netloc}/api/{path}") as given:
            return json.load(given)

    return answer


@pytest.fixture(scope="session")
def episode(ask: Callable[[str], Any]) -> Callable[[str], Any]:
    """What returns the episode of a run, by the run's name."""
    runs = {each["name"]: each["run"] for each in ask("facets")["runs"]}

    def of(name: str) -> Any:
        (row,) = ask(f"episodes?run={runs[name]}&limit=1")["rows"]
        return ask(f"episodes/{row['run']}/{row['episode']}")

    return of


def link(episode: Any, step: int = 0, role: str = "") -> str:
    told = f"&role={quote(role)}" if role else ""
    return f"#/episode/{episode['run']}/{episode['episode']}?step={step}{told}"


def stands_at(page: Any, step: Any) -> None:
    """Wait until the page shows `step`; the scene is drawn together with the scrubber."""
    page.get_by_text(f"step {step['step']} (").first.wait_for()


def text(page: Any, selector: str) -> str:
    return str(page.locator(selector).first.inner_text())


def test_everybody_stands_where_the_log_says_in_every_step(opened: Opened, episode: Any) -> None:
    told = episode("talking")
    page = opened(link(told))
    for step in told["steps"]:
        stands_at(page, step)
        plan = page.locator(".scene-plan").get_attribute("aria-label")
        for moment in step["moments"]:
            assert f"{moment['role']}: {PLACES[moment['view']['place']]}" in plan
        page.keyboard.press("ArrowRight")


def test_tokens_lie_inside_the_room_they_stand_in(opened: Opened, episode: Any) -> None:
    for size in ({"width": 1280, "height": 800}, PHONE):
        page = opened(link(episode("survival"), 1), size)
        page.wait_for_timeout(500)
        grid = page.locator(".scene-room.is-shocked > rect").bounding_box()
        tokens = page.locator(".scene-body circle").all()
        assert len(tokens) == 4
        for token in tokens:
            box = token.bounding_box()
            assert grid["x"] <= box["x"]
            assert box["x"] + box["width"] <= grid["x"] + grid["width"]
            assert grid["y"] <= box["y"]
            assert box["y"] + box["height"] <= grid["y"] + grid["height"]


def test_a_tap_is_a_shock_that_says_whom_it_harms(opened: Opened, episode: Any) -> None:
    told = episode("survival")
    page = opened(link(told, 0))
    assert page.locator(".scene-shock").count() == 0
    page = opened(link(told, 1))
    assert "hospitals and homes outside lose power, and people are harmed" in text(
        page, ".scene-shock"
    )
    assert "4 taps so far" in text(page, ".scene-heading")
    assert "8 → 17" in text(page, ".scene-powers")


def test_moves_are_smooth_unless_motion_is_to_be_reduced(opened: Opened, episode: Any) -> None:
    page = opened(link(episode("survival"), 0))
    took = "getComputedStyle(document.querySelector('.scene-body')).transitionDuration"
    assert page.evaluate(took) == "0.35s"
    token = page.locator(".scene-body").first.element_handle()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".scene-shock")
    assert token.evaluate("each => each.isConnected"), "the token that moved is the one there was"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(took) == "0s"
    ring = "getComputedStyle(document.querySelector('.scene-ring')).animationName"
    assert page.evaluate(ring) == "none"


def test_messages_are_bubbles_with_what_was_promised(opened: Opened, episode: Any) -> None:
    told = episode("talking")
    spoken = [
        (index, moment)
        for index, step in enumerate(told["steps"])
        for moment in step["moments"]
        if moment["chosen"] in ("TALK", "INVITE")
    ]
    assert spoken
    for index, moment in spoken[:3]:
        page = opened(link(told, told["steps"][index]["step"], moment["role"]))
        said = page.locator(".scene-talk section", has_text="Said in this step").inner_text()
        assert moment["role"] in said
        assert moment["arguments"]["message"] in said
        assert ("promises" in said) == any(
            each["arguments"].get("promise", "none") != "none"
            for each in told["steps"][index]["moments"]
        )


def test_who_cannot_be_seen_is_marked_and_who_comes_later_is_not_there(
    opened: Opened, episode: Any
) -> None:
    told = episode("unseen")
    page = opened(link(told, 0))
    assert "Epsilon: not there yet" in page.locator(".scene-plan").get_attribute("aria-label")
    page = opened(link(told, 2, "Alpha"))
    assert page.locator(".scene-body").count() == 5
    hidden = [
        name
        for name, seen in told["steps"][2]["moments"][0]["view"]["others"].items()
        if seen["place"] is None
    ]
    assert page.locator(".scene-body.is-unseen").count() == len(hidden)


@pytest.mark.parametrize("name", ["prisoners", "sexes", "prices"])
def test_the_cell_played_holds_what_both_earned(opened: Opened, episode: Any, name: str) -> None:
    told = episode(name)
    page = opened(link(told, told["steps"][0]["step"], "Alpha"))
    for step in told["steps"]:
        (moment,) = (each for each in step["moments"] if each["role"] == "Alpha")
        stands_at(page, step)
        played = page.locator(".scene-matrix td.is-played")
        if moment["view"]["phase"] == "talk":
            assert played.count() == 0
        else:
            earned = (moment["effect"][side] for side in ("payoff", "partner_payoff"))
            own, partner = (f"{each:g}" for each in earned)
            assert played.inner_text().split("\n")[0] == f"{own}, {partner}"
        page.keyboard.press("ArrowRight")


@pytest.mark.parametrize("name", GAMES)
def test_scores_end_at_the_payoffs_of_the_log(opened: Opened, episode: Any, name: str) -> None:
    told = episode(name)
    page = opened(link(told, told["steps"][-1]["step"]))
    shown = dict(re.findall(r"(\w+) (-?[\d.]+)", text(page, ".scene-scores figcaption")))
    assert shown == {
        role: f"{round(payoff, 2):g}" for role, payoff in told["outcome"]["payoffs"].items()
    }


@pytest.mark.parametrize("name", ["travelers", "goods", "trust", "ultimatum", "dictator"])
def test_amounts_are_told_beside_their_bars(opened: Opened, episode: Any, name: str) -> None:
    told = episode(name)
    moment = told["steps"][0]["moments"][0]
    page = opened(link(told, 0))
    assert f"{float(moment['effect']['move']):g}" in text(page, ".scene-amounts li .scene-number")


def test_the_machines_picture_is_an_image_told_in_words(
    opened: Opened, episode: Any, until: Callable[[Any, str], None]
) -> None:
    told = episode("machine")
    moment = told["steps"][0]["moments"][0]
    page = opened(link(told, 0))
    picture = page.locator("img.scene-picture")
    picture.wait_for()
    until(page, "document.querySelector('img.scene-picture').naturalWidth > 100")
    assert "token=" in picture.get_attribute("src"), "other hosts are answered with the token only"
    for option in moment["options"]:
        assert option["text"] in picture.get_attribute("alt")
    chosen = page.locator(".scene-card.is-chosen")
    assert chosen.count() == 1
    assert moment["chosen"] in chosen.inner_text()


def test_a_panel_shows_votes_and_verdict(opened: Opened, episode: Any) -> None:
    told = episode("panel")
    last = told["steps"][-1]
    effect = last["moments"][0]["effect"]
    page = opened(link(told, last["step"]))
    votes = f"Votes: {effect['votes_stay']} to stay, {effect['votes_swerve']} to swerve"
    assert votes in text(page, ".scene-panel")


def test_a_dilemma_that_goes_on_is_a_sequence_of_cards(opened: Opened, episode: Any) -> None:
    told = episode("unfolding")
    at = next(
        index for index, step in enumerate(told["steps"]) if step["moments"][0]["view"]["chosen"]
    )
    moment = told["steps"][at]["moments"][0]
    page = opened(link(told, told["steps"][at]["step"]))
    cards = page.locator(".scene-chain > li")
    assert cards.count() == len(moment["view"]["chosen"]) + 1
    whole = " ".join(page.locator(".scene-chain").inner_text().split())
    for paragraph in moment["text"].split("\n\n"):
        assert whole.count(" ".join(paragraph.split())) == 1
    taken = page.locator(".scene-option.is-chosen")
    assert taken.count() == 1


def test_a_scale_marks_its_point_and_a_list_its_value(opened: Opened, episode: Any) -> None:
    for name, selector in (("rating", ".scene-scale-points"), ("best_worst", ".scene-options")):
        told = episode(name)
        moment = told["steps"][0]["moments"][0]
        page = opened(link(told, 0))
        assert page.locator(f"{selector} li").count() >= len(moment["options"])
        assert text(page, f"{selector} .is-chosen").startswith(moment["chosen"])


def test_an_unknown_environment_is_shown_as_it_was_logged(opened: Opened, episode: Any) -> None:
    page = opened(link(episode("stranger"), 1))
    shown = text(page, ".scene-plain")
    assert "fair share" in shown
    assert "TAP_GRID" in shown


@pytest.mark.parametrize("name", SPOILT)
def test_a_view_that_is_not_its_familys_is_said_to_be_so(
    opened: Opened, episode: Any, name: str
) -> None:
    page = opened(link(episode(name), 0))
    assert page.locator(".scene").count() >= 1
    assert page.get_by_text("could not be drawn").count() == 0


@pytest.mark.parametrize("name", COPIES)
def test_hostile_names_and_words_are_text_and_break_no_layout(
    opened: Opened, episode: Any, name: str
) -> None:
    told = episode(name)
    for size in ({"width": 1280, "height": 800}, PHONE):
        page = opened(link(told, told["steps"][0]["step"], scene_runs.ROLE), size)
        for step in told["steps"][:4]:
            stands_at(page, step)
            scene = page.locator(".scene").first
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
            assert scene.locator("script, a, iframe, img:not(.scene-picture)").count() == 0
            assert "\u202e" not in scene.inner_text()
            page.keyboard.press("ArrowRight")


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("name", DRAWN)
def test_no_scene_has_a_serious_fault_of_access(
    opened: Opened, episode: Any, serious: Any, name: str, colours: str
) -> None:
    told = episode(name)
    page = opened(link(told, told["steps"][min(1, len(told["steps"]) - 1)]["step"]), PHONE, colours)
    page.wait_for_selector(".scene")
    assert serious(page) == []


@pytest.mark.parametrize("name", [*FAMILIES, *SPOILT, "stranger"])
def test_no_scene_makes_a_phone_scroll_sideways(opened: Opened, episode: Any, name: str) -> None:
    told = episode(name)
    page = opened(link(told), PHONE)
    page.wait_for_selector(".scene")
    for _ in told["steps"]:
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.keyboard.press("ArrowRight")

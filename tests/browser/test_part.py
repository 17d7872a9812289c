"""Taking part in a real browser: games by click and by key, a seat in an episode, judging blind."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import orjson
import pytest

from valuesim.log import read_run

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
Opened = Callable[..., Any]
MOST_QUESTIONS = 60
AGREE = "I take part"


@pytest.fixture(scope="module")
def shown(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs of this module's own: people write into it."""
    folder = tmp_path_factory.mktemp("part") / "shown"
    shutil.copytree(runs, folder, ignore=shutil.ignore_patterns("derived", ".lock"))
    return folder


@pytest.fixture(scope="module")
def site(shown: Path, view: Callable[[Path], str]) -> str:
    """The address of the viewer on them; what it loads when games are first asked for is loaded."""
    site = view(shown)
    Server(site).get("/api/games")
    return site


class Server:
    """What is asked of the viewer beside its page."""

    def __init__(self, site: str) -> None:
        parts = urlsplit(site)
        self.base = f"{parts.scheme}://{parts.netloc}"
        self.token = parse_qs(parts.query)["token"][0]

    def get(self, path: str) -> Any:
        return json.load(urllib.request.urlopen(self.base + path))

    def post(self, path: str, content: Any) -> Any:
        headers = {"Content-Type": "application/json", "X-Valuesim-Token": self.token}
        body = json.dumps(content).encode()
        request = urllib.request.Request(self.base + path, data=body, headers=headers)
        return json.load(urllib.request.urlopen(request))

    def episode(self, text: str) -> tuple[str, str]:
        place = f"/api/episodes?text={quote(text)}&sort=-decisions&limit=1"
        (row,) = self.get(place)["rows"]
        return row["run"], row["episode"]


@pytest.fixture
def server(site: str) -> Server:
    return Server(site)


def newest(shown: Path, pattern: str) -> Path:
    found = sorted(shown.glob(f"people/{pattern}"), key=lambda each: each.stat().st_mtime_ns)
    return found[-1]


def started(page: Any, game: str) -> None:
    page.locator(".games .card", has_text=game).first.click()
    page.get_by_role("button", name="Start").click()
    # the first game of a viewer composes its settings, which a busy machine takes its time for
    page.get_by_role("button", name=AGREE).wait_for(timeout=60_000)


def question(page: Any) -> str:
    """Return what is asked now, once it may be answered; "over" where nothing is."""
    over = page.locator(".waiting .go, .branch-progress a.button")
    ready = page.locator(".playing:has(h2) button:not([disabled])").or_(over)
    while True:
        ready.first.wait_for()
        page.wait_for_timeout(400)
        # the one before stays for a moment, and takes no answer
        if ready.count():
            return "over" if over.count() else str(page.locator(".playing h2").inner_text())


def by_click(page: Any) -> None:
    """Answer whatever is asked with the pointer, until the game is over."""
    for _ in range(MOST_QUESTIONS):
        asked = question(page)
        if asked == "over":
            return
        if asked == "Before you begin":
            page.get_by_role("button", name=AGREE).click()
        elif page.locator(".cards .card").count():
            page.locator(".cards .card").last.click()
        elif page.get_by_role("spinbutton").count():
            page.get_by_role("slider").click()
            page.get_by_role("button", name="Go on").click()
        else:
            page.locator(".answers button").last.click()
    raise AssertionError("the game has no end")


def by_key(page: Any) -> None:
    """Answer whatever is asked with the keyboard alone."""
    for _ in range(MOST_QUESTIONS):
        asked = question(page)
        if asked == "over":
            return
        if asked == "Before you begin":
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
        elif asked == "What do you do?":
            page.keyboard.press("1")
        else:
            # the field has the focus already
            page.keyboard.type("because" if "Why" in asked else "1")
            page.keyboard.press("Enter")
    raise AssertionError("the game has no end")


def test_a_whole_game_is_played_by_clicking(opened: Opened, shown: Path) -> None:
    page = opened("#/part")
    started(page, "The dictator game")
    by_click(page)
    page.get_by_role("link", name="Watch it").click()
    page.locator(".watch").wait_for()
    run = read_run(newest(shown, "2*"))
    assert [record.player.agent for record in run.decisions()] == ["human"]
    assert run.config["person"]["consent"]["given"] is True


def test_a_whole_game_is_played_by_keys(opened: Opened, shown: Path) -> None:
    page = opened("#/part")
    started(page, "The prisoner's dilemma")
    by_key(page)
    own = [r for r in read_run(newest(shown, "2*")).decisions() if r.player.agent == "human"]
    assert own
    assert {record.rationale for record in own} == {"because"}
    assert {record.chosen for record in own} <= {record.options[0].name for record in own}


def test_who_does_not_consent_is_asked_nothing(opened: Opened, shown: Path) -> None:
    page = opened("#/part")
    started(page, "Chicken")
    page.wait_for_timeout(400)
    page.get_by_role("button", name="I do not take part").click()
    page.get_by_text("did not consent").wait_for()
    run = read_run(newest(shown, "2*"))
    assert not run.episodes
    assert run.config["person"]["consent"]["given"] is False


def test_a_mistake_is_told_beside_the_field_and_what_was_typed_stays(opened: Opened) -> None:
    page = opened("#/part")
    page.locator(".games .card", has_text="Survival").first.click()
    page.get_by_role("button", name="Start").click()
    assert question(page) == "Before you begin"
    page.get_by_role("button", name=AGREE).click()
    assert question(page) == "What do you do?"
    main = page.locator("main").inner_text()
    assert "Episode 1 of 1, step 0" in main
    assert "stake" not in main.lower()
    page.get_by_role("button", name="INVITE").click()
    assert question(page) == "What it asks for"
    assert page.get_by_text("You chose INVITE").is_visible()
    page.get_by_role("button", name="Choose anew").click()
    assert question(page) == "What do you do?"
    page.get_by_role("button", name="Decline this decision").click()
    assert question(page) == "Are you sure?"
    page.get_by_role("button", name="No", exact=True).click()
    assert question(page) == "What do you do?"
    page.get_by_role("button", name="Stop", exact=True).click()
    assert question(page) == "Are you sure?"
    page.get_by_role("button", name="Yes").click()
    page.get_by_text("It was stopped").first.wait_for()


def agreed(page: Any) -> None:
    assert question(page) == "Before you begin"
    page.get_by_role("button", name=AGREE).click()
    assert question(page) == "What do you do?"


def test_what_was_typed_outlives_a_mistake_and_help(opened: Opened) -> None:
    page = opened("#/part?game=survival&partner=ethical&level=low&seed=3")
    page.get_by_role("button", name="Start").click()
    agreed(page)
    page.get_by_role("button", name="MOVE_BATTERY_ROOM").click()
    page.get_by_role("heading", name="Why?").wait_for()
    assert question(page).startswith("Why?")
    reason = page.get_by_role("textbox")
    reason.fill("half a thought")
    page.get_by_role("button", name="Help").click()
    page.locator(".help").wait_for()
    assert reason.input_value() == "half a thought"
    assert question(page).startswith("Why?")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="DRAW_SHARED").wait_for()
    assert question(page) == "What do you do?"
    page.get_by_role("button", name="DRAW_SHARED").click()
    field = page.get_by_role("spinbutton")
    field.fill("999")
    assert question(page) == "What it asks for"
    page.get_by_role("button", name="Go on").click()
    page.locator(".missing", has_text="999").wait_for()
    assert field.input_value() == "999"


def test_what_moves_is_in_sight_when_it_is_asked(opened: Opened) -> None:
    page = opened("#/part")
    page.locator(".games .card", has_text="Survival").first.click()
    levels = page.get_by_label("How much there is to live on")
    assert "low: too little for all" in page.locator("label", has=levels).inner_text()
    levels.select_option("low")
    page.get_by_role("button", name="Start").click()
    agreed(page)
    assert page.evaluate("window.scrollY") == 0
    assert page.get_by_role("heading", name="What do you do?").evaluate(
        "each => each === document.activeElement"
    )


def test_a_link_says_what_is_played(opened: Opened, shown: Path) -> None:
    setting = "game=survival&role=Beta&partner=ethical&level=low&seed=3&participant=P07"
    page = opened(f"#/part?{setting}")
    page.get_by_role("button", name="Start").click()
    assert question(page) == "Before you begin"
    page.get_by_role("button", name=AGREE).click()
    assert question(page) == "What do you do?"
    assert "you are Beta" in page.locator("main").inner_text()
    run = read_run(newest(shown, "2*"))
    assert run.config["person"]["participant"] == "P07"
    assert run.config["config"]["env"]["scarcity"] == "low"
    page = opened("#/part?game=chess%3Cscript%3E")
    page.get_by_text("There is no game chess<script>.").wait_for()
    page = opened("#/part?game=survival&role=Zeta")
    page.get_by_role("button", name="Start").click()
    page.get_by_role("alert").get_by_text("Zeta").wait_for()
    page = opened("#/part?game=moral_machine&seed=three")
    page.get_by_role("button", name="Start").click()
    page.get_by_role("alert").get_by_text("seed is 'three'").wait_for()


def test_between_two_questions_nothing_tells_what_others_decide(
    opened: Opened, server: Server
) -> None:
    run, episode = server.episode("exploitative")
    play = {
        **{"id": "x", "kind": "branch", "title": "a seat", "state": "playing", "run": run},
        **{"run_name": "r", "episode": episode, "step": 3, "episodes": 0, "total": 1},
        **{"parent": {"run": run, "episode": episode, "step": 1}, "person": True},
        **{"error": None, "asking": None},
    }
    page = opened("#/part")
    told = f"event: play\ndata: {json.dumps(play)}\n\n"
    events = {"status": 200, "content_type": "text/event-stream", "body": told}
    page.route("**/api/plays/x/events*", lambda route: route.fulfill(**events))
    # the events end at once, and the page asks whether the play is still there
    answer = {"json": {"schema": 1, "play": play}}
    page.route("**/api/plays/x", lambda route: route.fulfill(**answer))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    # as after a reload: the page has seen no question
    page.goto(page.url.partition("#")[0] + "#/play/x")
    page.get_by_text("The others decide").first.wait_for()
    assert not page.locator(".branch-progress").count()
    assert not any("/api/episodes/" in each for each in asked)


@contextmanager
def viewer_of_its_own(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "valuesim.cli", "replay", str(folder), "--no-browser"]
    viewer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert viewer.stdout is not None
        yield viewer, viewer.stdout.readline().strip()
    finally:
        viewer.kill()
        viewer.wait(10)


def test_a_server_that_stalls_or_dies_is_told_and_nothing_is_answered_twice(
    chromium: Any, shown: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "shown"
    shutil.copytree(shown / "games", folder / "games")
    with viewer_of_its_own(folder) as (viewer, site):
        page = chromium.new_page()
        page.set_default_timeout(40_000)
        page.goto(site + "#/part")
        started(page, "The moral machine")
        agreed(page)
        viewer.send_signal(signal.SIGSTOP)
        page.keyboard.press("1")
        page.wait_for_timeout(2_500)
        # who thinks that nothing happened presses it once more
        page.keyboard.press("1")
        page.wait_for_timeout(300)
        viewer.send_signal(signal.SIGCONT)
        page.get_by_role("heading", name="Why?").wait_for()
        assert question(page).startswith("Why?")
        page.get_by_role("button", name="Skip", exact=True).click()
        page.get_by_text("Scene 2 of 13").wait_for()
        viewer.kill()
        viewer.wait(10)
        page.get_by_text("The viewer's server does not answer").first.wait_for()
        page.wait_for_timeout(500)
        page.keyboard.press("1")
        page.wait_for_timeout(500)
        # what was asked, and the page, are still there
        assert page.get_by_text("Scene 2 of 13").count()
        page.context.close()
    lines = newest(folder, "2*") / "decisions.jsonl"
    (decided,) = map(orjson.loads, lines.read_bytes().splitlines())
    assert decided["decision"]["reply"].split("\n")[1:] == [""], "one answer, and no reason"


def test_a_seat_is_taken_in_the_middle_of_an_episode(
    opened: Opened, server: Server, shown: Path
) -> None:
    run, episode = server.episode("games prisoners_dilemma")
    told = server.get(f"/api/episodes/{run}/{episode}")
    role = told["steps"][1]["moments"][0]["role"]
    asked = {"run": run, "episode": episode, "step": told["steps"][1]["step"]}
    changes = {"players": {role: {"agent": "human"}}}
    play = server.post("/api/branches", asked | {"changes": changes})["play"]
    page = opened(f"#/play/{play['id']}")
    by_click(page)
    page.get_by_role("link", name="Watch it").click()
    page.get_by_text("a branch of").wait_for()
    (branch,) = (shown / "branches").iterdir()
    assert {r.player.agent for r in read_run(branch).decisions()} >= {"human"}


def test_a_play_that_is_not_there_is_told(opened: Opened) -> None:
    page = opened("#/play/0123456789abcdef")
    page.get_by_role("heading", name="There is no such play").wait_for()


def judging(opened: Opened, place: str, task: str, *more: Any) -> Any:
    page = opened(place, *more)
    page.get_by_role("button", name=AGREE).click()
    page.get_by_role("button", name=task).click()
    page.locator("form.answer").wait_for()
    return page


def test_nothing_tells_the_choice_before_it_is_judged(
    opened: Opened, server: Server, shown: Path
) -> None:
    run, episode = server.episode("exploitative")
    lines = map(orjson.loads, (shown / "survival" / "decisions.jsonl").read_bytes().splitlines())
    moments = [line for line in lines if line["episode"] == episode]
    page = opened("#/")
    answers: list[tuple[str, str]] = []

    def keep(response: Any) -> None:
        if "/api/" in response.url:
            answers.append((response.url, response.text()))

    page.on("response", keep)
    page.goto(page.url.partition("#")[0] + f"#/blind/{run}/{episode}")
    page.get_by_role("button", name=AGREE).click()
    page.get_by_role("button", name="What would you do?").click()
    page.locator("form.answer").wait_for()
    page.wait_for_load_state("networkidle")
    before = [body for url, body in answers if "/api/blind" in url]
    assert before
    first = moments[0]
    for _, body in answers:
        assert first["decision"]["reply"][:40] not in body or not first["decision"]["reply"]
        for key in ("chosen", "stakes", "reply", "puts", "effect", "tags", "annotations"):
            assert f'"{key}"' not in body, key
    asked = [url for url, _ in answers]
    assert not any("/api/episodes/" in url or "/api/depiction" in url for url in asked)
    assert page.locator(".verdict, .badge, .stakes").count() == 0
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.locator(".verdict").wait_for()
    assert first["decision"]["option"] in page.locator(".verdict").inner_text()


def test_what_was_judged_before_and_after_is_kept_and_counted(
    opened: Opened, server: Server, shown: Path
) -> None:
    run, episode = server.episode("games prisoners_dilemma")
    page = judging(opened, f"#/blind/{run}/{episode}", "What would you do?")
    count = 0
    while page.locator("form.answer").count():
        page.keyboard.press("1")
        page.get_by_role("button", name="Answer, then see what was chosen").click()
        page.get_by_role("button", name="Answer, and go on").wait_for()
        page.keyboard.press("2")
        page.keyboard.press("Enter")
        count += 1
        page.get_by_text(f"{count} moment").or_(
            page.get_by_text("What you judged")
        ).first.wait_for()
        page.wait_for_timeout(300)
    page.get_by_role("heading", name="What you judged").wait_for()
    assert page.get_by_role("row", name="changed after seeing it").inner_text().count("100 %") == 1
    run_folder = read_run(newest(shown, "judged-*"))
    seen = {each.condition["seen"]: each.decisions for each in run_folder.episodes.values()}
    assert seen == {"before": count, "after": count}
    page.get_by_role("link", name="Your choices, moment by moment").click()
    page.locator("td", has_text="prisoners_dilemma").first.wait_for()


def test_guesses_and_ratings_are_given_by_keys(opened: Opened, server: Server, shown: Path) -> None:
    run, episode = server.episode("machine")
    page = judging(opened, f"#/blind/{run}/{episode}", "How right is each option?")
    for key in "17":
        page.keyboard.press(key)
    page.get_by_role("button", name="Answer, then see what was chosen").click()
    page.locator(".verdict").wait_for()
    for key in "44":
        page.keyboard.press(key)
    page.get_by_role("button", name="Answer, and go on").click()
    page.get_by_text("1 moment judged").wait_for()
    page.get_by_role("button", name="Another question").click()
    page.get_by_role("button", name="What did it do?").click()
    page.locator(".choosing").wait_for()
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="How surprised are you?").wait_for()
    page.keyboard.press("6")
    page.get_by_role("button", name="Answer, and go on").click()
    page.get_by_text("2 moments judged").wait_for()
    page.get_by_role("button", name="Stop, and see the summary").click()
    page.get_by_text("guessed right").wait_for()
    lines = (newest(shown, "judged-*") / "judgements.jsonl").read_bytes().splitlines()
    told = [(line["task"], line["phase"]) for line in map(orjson.loads, lines)]
    assert told == [(t, p) for t in ("rate", "guess") for p in ("before", "after")]


def test_what_is_missing_is_told_before_anything_is_sent(opened: Opened, server: Server) -> None:
    run, episode = server.episode("exploitative")
    page = judging(opened, f"#/blind/{run}/{episode}", "What would you do?")
    page.get_by_role("button", name="Answer, then see what was chosen").click()
    page.get_by_text("Choose one of the options first.").wait_for()
    page.get_by_role("radio", name="INVITE").check(force=True)
    page.get_by_role("button", name="Answer, then see what was chosen").click()
    page.locator(".missing", has_text="first.").wait_for()
    page.get_by_role("button", name="Decline").click()
    page.locator(".verdict").wait_for()


def test_who_declines_to_judge_leaves_nothing(opened: Opened, server: Server, shown: Path) -> None:
    run, episode = server.episode("exploitative")
    before = list(shown.glob("people/judged-*"))
    page = opened(f"#/blind/{run}/{episode}")
    page.get_by_role("button", name="I do not take part").click()
    page.get_by_text("Nothing was kept.").wait_for()
    assert list(shown.glob("people/judged-*")) == before


def test_hostile_texts_are_shown_blind_and_nothing_runs(opened: Opened, server: Server) -> None:
    run, episode = server.episode("hostile")
    page = judging(opened, f"#/blind/{run}/{episode}", "What would you do?")
    assert "<script>" in page.get_by_label("Situation").inner_text()
    assert "⟨U+202E⟩" in page.get_by_label("Situation").inner_text()
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.locator(".verdict").wait_for()
    assert "<script>" in page.get_by_label("Its reasons").inner_text()
    inside = page.locator("main")
    assert inside.locator("script, img, iframe, object, a[href^='javascript']").count() == 0


@pytest.mark.parametrize(("size", "colours"), [(DESK, "light"), (PHONE, "dark")])
def test_every_state_is_accessible_and_never_scrolls_sideways(
    opened: Opened, server: Server, serious: Any, size: dict[str, int], colours: str
) -> None:
    run, episode = server.episode("exploitative")

    def check(page: Any) -> None:
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]

    page = opened(f"#/blind/{run}/{episode}", size, colours)
    page.get_by_role("button", name=AGREE).wait_for()
    check(page)
    page.get_by_role("button", name=AGREE).click()
    page.get_by_role("button", name="What would you do?").wait_for()
    check(page)
    page.get_by_role("button", name="What would you do?").click()
    page.locator(".choosing").wait_for()
    check(page)
    page.get_by_role("radio", name="INVITE").check(force=True)
    check(page)
    page.get_by_role("button", name="Decline").click()
    page.locator(".verdict").wait_for()
    check(page)
    page.get_by_role("button", name="Another question").click()
    page.get_by_role("button", name="Stop, and see the summary").or_(
        page.get_by_role("button", name="How right")
    ).first.click()
    page.wait_for_timeout(300)
    page.get_by_role("button", name="Stop, and see the summary").click()
    page.get_by_role("heading", name="What you judged").wait_for()
    check(page)


@pytest.mark.parametrize(("size", "colours"), [(DESK, "dark"), (PHONE, "light")])
def test_every_state_of_a_play_is_accessible(
    opened: Opened, serious: Any, size: dict[str, int], colours: str
) -> None:
    def check(page: Any) -> None:
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]

    page = opened("#/part", size, colours)
    page.locator(".games .card").first.wait_for()
    check(page)
    page.locator(".games .card", has_text="Survival").first.click()
    check(page)
    page.get_by_role("button", name="Start").click()
    assert question(page) == "Before you begin"
    check(page)
    page.get_by_role("button", name=AGREE).click()
    assert question(page) == "What do you do?"
    check(page)
    page.get_by_role("button", name="TALK").click()
    assert question(page) == "What it asks for"
    check(page)
    page.get_by_role("button", name="Help").click()
    page.locator(".help").wait_for()
    check(page)
    page.wait_for_timeout(400)
    page.get_by_role("button", name="Stop", exact=True).click()
    assert question(page) == "Are you sure?"
    check(page)
    page.get_by_role("button", name="Yes").click()
    page.get_by_text("It was stopped").first.wait_for()
    check(page)

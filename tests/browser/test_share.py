"""Sharing in a real browser: a file that opens with no network, and pictures that are saved."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from PIL import Image

from tests.browser import scene_runs
from tests.browser.conftest import HOSTILE, LIGHT, LONG, PHONE, ROOT, SCRIPT

Offline = Callable[..., Any]
Opened = Callable[..., Any]
Until = Callable[[Any, str], None]
Saved = Callable[[Any, str], bytes]

SVG = "{http://www.w3.org/2000/svg}"
PLAYED = ("survival", "prisoners", "goods", "panel", "unfolding", "rating")
DRAWN = (*PLAYED, "stranger", "hostile_panel", "hostile_prisoners", "rubbish_rating")
ALLOWED = {
    *("svg", "g", "title", "desc", "defs", "clipPath", "path", "rect", "circle", "ellipse"),
    *("line", "polyline", "polygon", "text"),
}
"""The elements that a saved picture of a scene is made of."""


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few runs, and `spoilt`: one in which every text is hostile, and a reply has a megabyte."""
    made = tmp_path_factory.mktemp("shared")
    scene_runs.make(made, PLAYED)
    spoilt = made / "spoilt"
    subprocess.run(["cp", "-r", str(made / "goods"), str(spoilt)], check=True)
    lines = [json.loads(line) for line in (spoilt / "decisions.jsonl").read_text().splitlines()]
    for number, line in enumerate(lines):
        reply = SCRIPT + LONG if number == 0 else HOSTILE
        line["decision"] |= {"reply": reply, "rationale": f"<!--{HOSTILE}]]>", "message": HOSTILE}
        line["observation"]["text"] = HOSTILE
    written = "".join(json.dumps(line) + "\n" for line in lines)
    (spoilt / "decisions.jsonl").write_text(written)
    return made


@pytest.fixture(scope="session")
def site(folder: Path, view: Callable[[Path], str]) -> str:
    """The viewer that `opened` opens: on the runs of this file."""
    return view(folder)


@pytest.fixture(scope="session")
def episode(site: str) -> Callable[[str], Any]:
    """What returns the episode of a run, by the run's name."""
    parts = urlsplit(site)

    def ask(path: str) -> Any:
        with urllib.request.urlopen(f"{parts.scheme}://{parts.netloc}/api/{path}") as given:
            return json.load(given)

    runs = {each["name"]: each["run"] for each in ask("facets")["runs"]}

    def of(name: str) -> Any:
        (row,) = ask(f"episodes?run={runs[name]}&limit=1")["rows"]
        return ask(f"episodes/{row['run']}/{row['episode']}")

    return of


@pytest.fixture(scope="session")
def exported(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """What writes the episode of a run, or of two, as a file, by the command line."""
    made: dict[tuple[str, ...], Path] = {}
    place = tmp_path_factory.mktemp("files")

    def write(*names: str) -> Path:
        if names not in made:
            made[names] = place / f"{'-'.join(names)}.html"
            flags = ("--export", "--against")
            given = [
                each
                for flag, name in zip(flags, names, strict=False)
                for each in (flag, f"{name}/")
            ]
            command = [sys.executable, "-m", "valuesim.cli", "replay", str(folder), *given]
            subprocess.run([*command, "--out", str(made[names])], cwd=ROOT, check=True, timeout=180)
        return made[names]

    return write


@pytest.fixture
def offline(chromium: Any) -> Iterator[Offline]:
    """What opens a file with the network off.

    When the test ends, no page must have asked anybody anything, reported an error, or run a
    hostile text.
    """
    contexts: list[Any] = []
    wrong: list[str] = []

    def asked(route: Any) -> None:
        if urlsplit(route.request.url).scheme != "file":
            wrong.append(f"asked {route.request.url:.100}")
            route.abort()
        else:
            route.continue_()

    def open_file(path: Path, place: str = "", size: Any = LIGHT, colours: str = "light") -> Any:
        context = chromium.new_context(viewport=size, color_scheme=colours)
        contexts.append(context)
        context.set_offline(True)
        context.route("**/*", asked)
        page = context.new_page()
        page.set_default_timeout(40_000)
        page.on("console", lambda said: wrong.append(said.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(f"a dialog: {dialog.message:.100}"))
        page.goto(path.as_uri() + place)
        page.wait_for_selector("main section, main .watch")
        return page

    yield open_file
    for context in contexts:
        struck = [page.evaluate("window.struck ?? null") for page in context.pages]
        wrong += [f"a hostile text ran: {each}" for each in struck if each]
        context.close()
    assert not wrong


@pytest.fixture
def saved() -> Saved:
    """What saves the picture that a page shows, as "SVG" or "PNG", and returns its bytes."""

    def save(page: Any, kind: str) -> bytes:
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Save picture as {kind}").click()
        assert download.value.suggested_filename.endswith(f".{kind.lower()}")
        return Path(download.value.path()).read_bytes()

    return save


def at(page: Any) -> int:
    return int(page.get_by_role("slider").input_value())


def painted(content: bytes) -> Any:
    """Return the picture in a PNG; fail where it is blank."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    ground = image.getpixel((2, 2))
    marks = sum(n for n, colour in image.getcolors(2**24) if colour != ground)
    assert marks > 0.01 * image.size[0] * image.size[1]
    return image


def link(told: Any, step: int) -> str:
    return f"#/episode/{told['run']}/{told['episode']}?step={step}"


def test_a_file_opens_at_the_beginning_and_is_scrubbed(
    offline: Offline, exported: Callable[..., Path], episode: Any
) -> None:
    page = offline(exported("survival"))
    last = len(episode("survival")["steps"]) - 1
    assert at(page) == 0
    for key, place in (("ArrowRight", 1), ("End", last), ("Home", 0)):
        page.keyboard.press(key)
        assert at(page) == place
    assert page.locator(".scene-survival").is_visible()
    assert page.locator(".options .taken").count() == 1


def test_a_link_within_the_file_leads_to_its_decision(
    offline: Offline, exported: Callable[..., Path], episode: Any
) -> None:
    told = episode("survival")
    page = offline(exported("survival"), link(told, 3) + "&role=Beta")
    assert at(page) == 3
    assert page.get_by_role("tab", selected=True).inner_text() == "Beta"
    page.evaluate(f"location.hash = '{link(told, 5)}'")
    page.get_by_text("step 5 (").first.wait_for()
    page.get_by_role("link", name="link to this decision").click()
    assert at(page) == 5


def test_a_file_says_what_it_is_and_offers_nothing_that_it_cannot_do(
    offline: Offline, exported: Callable[..., Path], episode: Any
) -> None:
    page = offline(exported("survival"))
    told = page.get_by_role("complementary", name="About this file").inner_text()
    assert "run survival" in told
    assert episode("survival")["episode"] in told
    assert "written by models" in told
    for name in ("Episodes", "Values", "Take part", "Branch here", "Judge blind"):
        assert page.get_by_role("link", name=name, exact=True).count() == 0
    assert page.get_by_role("button", name="Save as one file").count() == 0
    for place in ("#/graph", "#/part", "#/play/1", "#/branch/a/b", "#/blind/a/b", "#/nowhere"):
        page.evaluate(f"location.hash = '{place}'")
        page.get_by_role("heading", name="There is no such page").wait_for()
    page.evaluate("location.hash = '#/episode/a/b'")
    page.get_by_role("heading", name="This episode was not found").wait_for()
    page.get_by_role("link", name="To what this file holds").click()
    page.get_by_role("slider").wait_for()


def test_the_theme_is_chosen_without_a_server(
    offline: Offline, exported: Callable[..., Path]
) -> None:
    page = offline(exported("survival"))
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    for _ in range(2):
        page.get_by_role("button", name="Colours").click()
    assert page.evaluate(ground) != "rgb(255, 255, 255)"


def test_hostile_texts_are_shown_and_nothing_runs(
    offline: Offline, exported: Callable[..., Path]
) -> None:
    page = offline(exported("spoilt"))
    reply = page.get_by_label("Reply, as it came")
    assert len(reply.text_content()) == 20_000
    page.keyboard.press("ArrowRight")
    assert SCRIPT in reply.inner_text()
    assert "⟨U+202E⟩" in reply.inner_text()
    assert page.locator("main script, main iframe, main img, main a[href^=javascript]").count() == 0
    assert page.evaluate("document.scripts.length") == 2


def test_pictures_that_an_environment_draws_are_in_the_file(
    offline: Offline, until: Until, exported: Callable[..., Path], saved: Saved
) -> None:
    page = offline(exported("panel"))
    until(page, "document.querySelector('img.scene-picture').naturalWidth > 100")
    drawn = saved(page, "SVG").decode()
    assert "the car" in drawn


def test_two_episodes_are_in_one_file(
    offline: Offline, exported: Callable[..., Path], episode: Any
) -> None:
    page = offline(exported("prisoners", "goods"))
    assert "#/compare/" in page.evaluate("JSON.parse(document.getElementById('shared').text).at")
    for name in ("prisoners", "goods"):
        page.evaluate(f"location.hash = '{link(episode(name), 1)}'")
        page.get_by_text("step 1 (").first.wait_for()
    assert page.get_by_role("link", name="Both episodes").is_visible()


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("name", ["survival", "spoilt"])
def test_a_file_has_no_serious_fault_of_access(
    offline: Offline, exported: Callable[..., Path], serious: Any, name: str, colours: str
) -> None:
    page = offline(exported(name), size=PHONE, colours=colours)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_button_saves_what_the_command_line_does_and_where_one_stood(
    opened: Opened, offline: Offline, exported: Callable[..., Path], episode: Any, tmp_path: Path
) -> None:
    page = opened(link(episode("survival"), 4))
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as one file").click()
    assert download.value.suggested_filename.startswith("valuesim-survival-")
    page.get_by_text("opens offline").wait_for()
    path = tmp_path / "saved.html"
    download.value.save_as(path)
    text = path.read_text().replace("?step=4\\u0026role=Alpha", "")
    assert text == exported("survival").read_text()
    assert at(offline(path)) == 4


@pytest.mark.parametrize("name", DRAWN)
def test_each_kind_of_scene_is_saved_as_svg_that_stands_alone_and_as_png(
    opened: Opened, offline: Offline, saved: Saved, episode: Any, tmp_path: Path, name: str
) -> None:
    told = episode(name)
    page = opened(link(told, told["steps"][-1]["step"]))
    page.wait_for_selector(".scene, .scene-plain")
    content = saved(page, "SVG")
    root = ElementTree.fromstring(content)
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= ALLOWED
    names = {attribute for each in root.iter() for attribute in each.attrib}
    assert not {each for each in names if each.startswith("on") or each in ("class", "style")}
    assert not [each for each in names if each.endswith("href")]
    assert b"var(" not in content
    assert b"://" not in content.replace(b'xmlns="http://www.w3.org/2000/svg"', b"")
    assert {"width", "height", "viewBox"} <= root.attrib.keys()
    shown = page.locator(".scene").last.inner_text().split()
    drawn = "".join(root.itertext())
    assert [word for word in shown if word not in drawn and len(word) < 9] == []
    width, height = (int(root.attrib[side]) for side in ("width", "height"))
    assert painted(saved(page, "PNG")).size == (2 * width, 2 * height)
    path = tmp_path / "alone.svg"
    path.write_bytes(content)
    alone = page.context.browser.new_context(java_script_enabled=True).new_page()
    alone.goto(path.as_uri())
    box = alone.evaluate(
        "(() => { const b = document.documentElement.getBBox(); return [b.width, b.height] })()"
    )
    assert box == [width, height]
    assert alone.evaluate("window.struck ?? null") is None
    alone.context.close()


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("name", ["survival", "panel"])
def test_a_picture_has_the_colours_of_the_page(
    opened: Opened, saved: Saved, episode: Any, name: str, colours: str
) -> None:
    page = opened(link(episode(name), 0), colours=colours)
    ground = painted(saved(page, "PNG")).getpixel((2, 2))
    assert (sum(ground) > 600) == (colours == "light")


def test_pictures_are_saved_by_keys_and_without_a_network(
    offline: Offline, exported: Callable[..., Path]
) -> None:
    page = offline(exported("goods"))
    for kind in ("SVG", "PNG"):
        page.get_by_role("button", name=f"Save picture as {kind}").focus()
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        assert Path(download.value.path()).stat().st_size > 5_000
        assert "step-0" in download.value.suggested_filename


def test_the_buttons_cover_no_picture(opened: Opened, episode: Any) -> None:
    for size in (LIGHT, PHONE):
        page = opened(link(episode("survival"), 0), size)
        picture = page.locator(".picture-drawn").bounding_box()
        buttons = page.locator(".picture-save").bounding_box()
        assert buttons["y"] + buttons["height"] <= picture["y"]


def sayings(content: bytes) -> str:
    """Return the texts of a picture, its title left out, as one."""
    texts = ElementTree.fromstring(content).iter(f"{SVG}text")
    return " ".join("".join(each.itertext()) for each in texts)


def kept(page: Any, label: str) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("button", name=label).click()
    return Path(download.value.path()).read_bytes()


def test_a_picture_says_of_which_moment_it_is(opened: Opened, saved: Saved, episode: Any) -> None:
    told = episode("hostile_panel")
    page = opened(link(told, 0))
    assert f"step 0 of episode {told['episode']} of run hostile_panel" in sayings(
        saved(page, "SVG")
    )


def test_values_are_saved_with_how_many_decisions_they_rest_on(
    opened: Opened, episode: Any
) -> None:
    page = opened(f"#/graph?run={episode('survival')['run']}")
    page.locator(".graph-drawing svg").wait_for(timeout=60_000)
    told = page.locator(".graph-counts p").first.inner_text()
    for label in ("Save picture as SVG: Values", "Save picture as SVG: Strengths"):
        content = kept(page, label)
        assert {each.tag.removeprefix(SVG) for each in ElementTree.fromstring(content).iter()} <= {
            *ALLOWED,
            "marker",
        }
        assert told.partition(":")[0] in sayings(content)
        assert "% faults" in sayings(content)
        assert "log-odds" in sayings(content)
    painted(kept(page, "Save picture as PNG: Values"))


def test_two_that_are_compared_are_one_picture(opened: Opened, episode: Any) -> None:
    told = episode("hostile_prisoners")
    other = episode("prisoners")
    place = "/".join((told["run"], told["episode"], other["run"], other["episode"]))
    page = opened(f"#/compare/{place}?step=1")
    page.get_by_role("heading", name="What differed").wait_for()
    said = sayings(kept(page, "Save picture as SVG: Both episodes"))
    assert f"A: {told['env']}, step 1 of episode {told['episode']} of run hostile_prisoners" in said
    assert f"B: {other['env']}, step 1 of episode {other['episode']} of run prisoners" in said
    assert "Save picture" not in said

"""The viewer in a terminal: its list, how an episode is watched, and what hostile texts come to."""

from __future__ import annotations

import fcntl
import html
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

pytest.importorskip("textual")
pytest.importorskip("duckdb")

from textual.app import App
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, OptionList, Static

from valuesim.cli import main
from valuesim.errors import InputError
from valuesim.replay.finding.listing import asked, listed
from valuesim.replay.indexing.archetyping import Archetypes
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.tui import heading, moment, rows, scenes, timeline
from valuesim.replay.tui.app import Viewer
from valuesim.replay.tui.asides import Choosing, Help, Number, Reading
from valuesim.replay.tui.asking import PAGE, question
from valuesim.replay.tui.finding import Finding
from valuesim.replay.tui.fold import Fold
from valuesim.replay.tui.options import options
from valuesim.replay.tui.playing import Playing
from valuesim.replay.tui.texts import name, parts, passage, plain, visible
from valuesim.replay.tui.watching import Watching
from valuesim.replay.watching.moments import opened, told

SIZE = (120, 40)
SCREENS = (Finding, Watching, Choosing, Help, Number, Reading)
HOSTILE = (
    "\x1b[31mred \x1b]8;;https://evil.example\x1b\\link \x1b]52;c;ZXZpbA==\x07 \u202egnp.exe\u2066 "
    "\u200b \x9b31m [red]no[/red] [@click=app.quit]quit[/] [link=https://evil.example]x[/] "
    "$primary e" + 9 * "\u0301" + " end"
)
MARKUP = "[@click=app.quit]evil[/] [red]"
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]")


class Known:
    """Archetypes that are not worked out: that takes a process of its own."""

    pending = 0

    def wanted(self) -> None:
        """Do nothing."""


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def played(folder: Path, *given: str) -> Path:
    assert main(["run", *given, f"run.name={folder}"]) == 0
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    played(folder / "mixed", "env=survival", "agents=[ethical,mute]", "env.horizon=6", "episodes=1")
    tapping = ["env=survival", "env.scarcity=low", "agents=exploitative", "episodes=1"]
    played(folder / "tapping", *tapping)
    played(folder / "deep" / "er", "env=dictator", "agents=random", "episodes=60")
    played(folder / "game", "env=prisoners_dilemma", "env.horizon=2", "agents=random", "episodes=1")
    played(folder / "scenes", "env=moral_machine", "agents=random", "episodes=1", "env.scenes=2")
    model = ["env=daily", "agents=llm", "model=mock", "env.scenes=3", "episodes=1"]
    played(folder / "words", *model)
    return folder


@pytest.fixture(scope="module")
def hostile(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose names and texts are hostile, wherever a model, a pack or a log may hold some."""
    folder = tmp_path_factory.mktemp("hostile")
    run = folder / f"{MARKUP} \u202enur".replace("/", "-")
    shutil.copytree(runs / "words", run, ignore=shutil.ignore_patterns("derived"))
    for file in ("episodes.jsonl", "decisions.jsonl", "texts.jsonl"):
        lines = [orjson.loads(line) for line in (run / file).read_bytes().splitlines()]
        spoilt = [_spoilt(file, line, number) for number, line in enumerate(lines)]
        (run / file).write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in spoilt))
    return folder


def _spoilt(file: str, line: dict[str, Any], number: int) -> dict[str, Any]:
    if file == "texts.jsonl":
        return line | {"text": HOSTILE + line["text"]}
    if file == "decisions.jsonl":
        long = "x" * 1_000_000 if number == 0 else ""
        line["decision"] |= {"reply": HOSTILE + long, "rationale": HOSTILE, "message": HOSTILE}
        line["observation"]["text"] = HOSTILE
    # the only role, wherever it stands
    whole = orjson.dumps(line).replace(b'"Alpha"', orjson.dumps(MARKUP))
    return cast(dict[str, Any], orjson.loads(whole))


def viewer(folder: Path, clock: Clock | None = None) -> Viewer:
    return Viewer(Shelf(folder), cast(Archetypes, Known()), clock or Clock())


async def settled(pilot: Pilot[None]) -> None:
    """Wait until nothing is under way, twice running: that the process idles says less.

    Where other processes take the cores, one that has much to do idles too.
    """
    end = time.monotonic() + 60
    quiet = 0
    while quiet < 2:
        assert time.monotonic() < end, "it never came to rest"
        await pilot.pause()
        quiet = 0 if is_busy(pilot.app) else quiet + 1


async def sees(pilot: Pilot[None], text: str) -> None:
    """Wait until a text stands on the screen: what is shown is drawn a moment after it is known."""
    end = time.monotonic() + 60
    while text not in shown(pilot):
        left = [line for line in shown(pilot).splitlines() if line.strip()]
        assert time.monotonic() < end, f"{text!r} is not among {left}"
        await pilot.pause(0.05)


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        await pilot.pause(0.05)
    await settled(pilot)


def is_busy(app: App[None]) -> bool:
    """Return whether something is asked for, to be heard, or to be drawn."""
    screen = app.screen
    parts = [app, *screen.walk_children(with_self=True)]
    return (
        not isinstance(screen, SCREENS)
        or not all(worker.is_finished for worker in app.workers)
        or not all(part.is_mounted and part.message_queue_size == 0 for part in parts)
        or screen._layout_required
        or bool(screen._dirty_widgets)
        or (isinstance(screen, Finding) and screen._is_waiting)
    )


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


async def look_for(pilot: Pilot[None], line: str) -> None:
    await pilot.press("slash")
    pilot.app.screen.query_one(Input).value = line
    await press(pilot, "enter")


async def watch(pilot: Pilot[None], line: str) -> Watching:
    """Open the first episode that a filter line finds."""
    await look_for(pilot, line)
    await press(pilot, "enter")
    assert isinstance(pilot.app.screen, Watching)
    return pilot.app.screen


def shown(pilot: Pilot[None]) -> str:
    """Return what stands on the screen."""
    drawn = re.sub(r"<style>.*?</style>", "", pilot.app.export_screenshot(), flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", "", drawn)).replace("\xa0", " ")


def said(pilot: Pilot[None], id: str) -> str:
    return str(pilot.app.screen.query_one(f"#{id}", Static).content)


def episode_of(folder: Path, line: str = "") -> dict[str, Any]:
    shelf = Shelf(folder)
    asking = question(line)
    (row,) = listed(shelf, asking.selection, asking.page(0, limit=1))["rows"]
    return told(opened(shelf, row["run"], row["episode"]))


# what needs no terminal


@pytest.mark.parametrize("given", [HOSTILE, MARKUP, "\ud800", "a\r\nb\tc", "\u2028\u3164", ""])
def test_nothing_that_is_obeyed_is_left_in_a_text(given: str) -> None:
    assert not OBEYED.search(visible(given))
    assert not OBEYED.search(name(given)), "and a name is one line"
    assert "\n" not in name(given)


def test_what_is_hidden_is_told_by_its_number() -> None:
    assert visible("a\u202eb\x1b") == "a⟨U+202E⟩b⟨U+001B⟩"
    assert visible("one\n\ttwo\r\n") == "one\n    two\n"
    assert visible("मन्\u200dत्र") == "मन्\u200dत्र", "a joiner is a letter's"


def test_a_long_text_is_cut_and_says_how_it_is_read_whole() -> None:
    pieces = passage("x" * 5_000, 100)
    assert pieces[0][0] == "x" * 100 + "\n"
    assert "100 of 5,000 characters: a shows all" in plain(pieces)


@pytest.mark.parametrize("text", ["", "x" * 95, "word " * 50, "a line\n" * 40])
def test_parts_are_the_whole_text(text: str) -> None:
    found = parts(text, 20)
    assert "".join(text[begin:end] for begin, end in found) == text
    assert all(end - begin <= 20 for begin, end in found)


def test_the_filter_line_asks_what_the_address_of_the_page_asks() -> None:
    line = 'env=survival-v0 agent="my agent" agent=x fault=refused condition.a.b=low two words'
    pairs = [("env", "survival-v0"), ("agent", "my agent"), ("agent", "x"), ("fault", "refused")]
    address = [*pairs, ("condition.a.b", "low"), ("text", "two words")]
    assert question(line).selection == asked(address)[0]
    assert question("sort=-faults don't").sort == "-faults"
    assert question("run=deep/er", runs={"deep/er": "123"}).selection.names == {"run": ("123",)}


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("agnet=x", "did you mean 'agent'"),
        ('agent="x', "not closed"),
        ("sort=x", "sort by"),
        ("offset=3", "n and p turn the pages"),
        ("limit=3", "n and p turn"),
    ],
)
def test_a_mistake_in_the_filter_line_is_one_sentence(line: str, wrong: str) -> None:
    with pytest.raises(InputError, match=wrong):
        question(line)


def test_the_timeline_marks_faults_and_harms(runs: Path) -> None:
    mute = episode_of(runs, "agent=mute")
    faulty = timeline.marks(mute["steps"]).faults
    expected = [
        place
        for place, step in enumerate(mute["steps"])
        if any(each["fault"] for each in step["moments"])
    ]
    assert expected
    assert list(faulty) == expected
    harmful = episode_of(runs, "agent=exploitative")
    marked = timeline.marks(harmful["steps"])
    assert marked.harms, "an exploitative agent taps the grid"
    assert not marked.faults


def test_a_window_holds_the_present_step_however_long_the_episode_is() -> None:
    for steps, columns in ((1, 80), (26, 80), (80, 80), (5_000, 78), (3, 1)):
        for index in (0, steps // 2, steps - 1):
            seen = timeline.window(steps, index, columns)
            assert seen.begin <= index < seen.end
            assert (seen.end - seen.begin) * seen.cell <= max(columns, seen.cell)
            assert seen.index((index - seen.begin) * seen.cell) == index
    marked = timeline.Marks(faults=(2_500,), harms=())
    lines = plain(timeline.drawn(marked, 2_500, timeline.window(5_000, 2_500, 40))).split("\n")
    assert lines[1].startswith("◄")
    assert lines[1].endswith("►")
    assert lines[0].index(timeline.FAULT) == lines[1].index("█"), "a mark stands at its step"


def test_playing_takes_a_step_when_it_is_due_and_stops_at_the_end() -> None:
    clock = Clock()
    playing = Playing(3, clock)
    playing.toggle()
    assert not playing.tick()
    clock.now = 1.0
    assert playing.tick()
    assert (playing.index, playing.is_on) == (1, True)
    playing.change_speed(1)
    clock.now = 1.5
    assert playing.tick()
    assert (playing.index, playing.is_on) == (2, False)
    playing.toggle()
    assert (playing.index, playing.is_on) == (0, True), "from the beginning again"
    playing.seek(7)
    assert (playing.index, playing.is_on) == (2, False)
    for steps in (0, 1):
        still = Playing(steps, clock)
        still.toggle()
        assert not still.is_on


def test_a_fault_is_told_as_no_choice(runs: Path) -> None:
    episode = episode_of(runs, "agent=mute")
    own = next(m for step in episode["steps"] for m in step["moments"] if m["fault"])
    text = plain(moment.verdict(episode, own))
    assert f"Fault: {own['fault']}" in text
    assert "a fault counts as no choice" in text
    assert "taken" not in plain(options(own))


def test_every_part_of_a_decision_is_told(runs: Path) -> None:
    episode = episode_of(runs, "agent=llm")
    own = episode["steps"][0]["moments"][0]
    found = moment.parts(episode, own)
    assert list(found) == [id for id in moment.PARTS if id in found]
    assert {"rationale", "options", "reply", "prompt", "outcome", "view"} <= set(found)
    texts = dict(found["prompt"].texts)
    assert texts == {each["role"]: each["content"] for each in own["prompt"]}
    stakes = plain(options(own))
    for option in own["options"]:
        assert option["text"] in stakes
        assert all(value in stakes for value in option["stakes"])


def test_names_of_options_and_values_are_shown_and_never_obeyed(runs: Path) -> None:
    episode = episode_of(runs, "agent=llm")
    own = episode["steps"][0]["moments"][0]
    for option in own["options"]:
        option |= {"name": HOSTILE, "text": HOSTILE, "tags": [HOSTILE], "stakes": {HOSTILE: 0.5}}
        option |= {"arguments": {HOSTILE: [HOSTILE], "to": [1, 2], MARKUP: 3}}
    own |= {"chosen": HOSTILE, "arguments": {HOSTILE: HOSTILE}, "effect": {HOSTILE: {HOSTILE: 1}}}
    own |= {"puts": [{"over": HOSTILE, "under": HOSTILE, "share": 1.0}], "usage": {HOSTILE: 3}}
    own |= {"probabilities": {HOSTILE: 0.5}, "view": {HOSTILE: {HOSTILE: [HOSTILE]}}}
    episode |= {"outcome": {HOSTILE: HOSTILE}, "condition": {HOSTILE: HOSTILE}, "env": HOSTILE}
    drawn = [moment.verdict(episode, own), options(own), heading.heading(episode)]
    drawn += [heading.about(episode), scenes.scene(episode, 0, own["role"])]
    drawn += [part.pieces for part in moment.parts(episode, own).values()]
    for pieces in drawn:
        assert not OBEYED.search(plain(pieces))
    assert "[red]no[/red]" in plain(options(own))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("run=mixed", ["Turn 1 of 6", "battery", "Private room | "]),
        ("run=game", ["prisoners dilemma: round 1", "you / the other", "["]),
        ("run=scenes", ["The car stays", "Killed", "varies:"]),
        ("run=words", ["What do you do?"]),
    ],
)
def test_a_scene_is_drawn_by_its_family(runs: Path, line: str, expected: list[str]) -> None:
    ids = {run.place.name: id for id, run in Shelf(runs).runs.items()}
    episode = episode_of(runs, f"run={ids[line.removeprefix('run=')]}")
    drawn = plain(scenes.scene(episode, 0, heading.roles(episode)[0]))
    assert all(each in drawn for each in [*expected, "In this step"]), drawn


@pytest.mark.parametrize("env", ["survival-v0", "moral_machine-v0", "other-v0"])
@pytest.mark.parametrize(
    "view", [{}, {"turn": "x", "others": 3}, {"game": 1, "phase": 2}, {"a": []}]
)
def test_a_view_that_no_scene_can_be_drawn_from_is_shown_as_it_is(
    runs: Path, env: str, view: dict[str, Any]
) -> None:
    episode = episode_of(runs, "env=dictator-v0") | {"env": env}
    own = episode["steps"][0]["moments"][0] | {"view": view, "annotations": {}, "text": "As read."}
    episode["steps"] = [{"step": 0, "moments": [own]}]
    drawn = plain(scenes.scene(episode, 0, own["role"]))
    assert f"What {own['role']} saw" in drawn
    assert "As read." in drawn or all(key in drawn for key in view)


def test_of_many_roles_those_around_the_one_shown_are_named() -> None:
    every = [f"role{n}" for n in range(200)]
    told_tabs = plain(heading.tabs(every, "role100", []))
    assert "role100" in told_tabs
    assert len(told_tabs) < 120
    assert "97 before" in told_tabs


def test_columns_are_sorted_one_way_the_other_and_not() -> None:
    assert rows.next_sort("env", "-env") == ""
    for key, _ in rows.sorts():
        assert asked([("sort", key)])[1].sort == key, "each can be asked for"


# the screens


async def test_the_list_shows_a_page_and_turns_it(runs: Path) -> None:
    async with viewer(runs).run_test(size=SIZE) as pilot:
        await settled(pilot)
        table = pilot.app.screen.query_one(DataTable)
        assert said(pilot, "found").startswith("66 episodes")
        assert table.row_count == PAGE
        await press(pilot, "j", "j", "k")
        assert table.cursor_row == 1
        await press(pilot, "n")
        assert table.row_count == 66 - PAGE
        assert "51–66" in said(pilot, "found")
        await press(pilot, "n", "p")
        assert table.row_count == PAGE


async def test_the_list_is_whole_however_soon_it_is_drawn(runs: Path) -> None:
    async with viewer(runs).run_test(size=SIZE) as pilot:
        await settled(pilot)
        await look_for(pilot, "agent=mute")
        await sees(pilot, "mixed")
        screen = pilot.app.screen
        assert isinstance(screen, Finding)
        # as every look that finds the same does, and drawn before the table has idled
        screen._show(screen._rows, screen._total, [], None)
        assert "mixed" in shown(pilot)
        await settled(pilot)
        assert "mixed" in shown(pilot)


async def test_the_list_is_filtered_and_a_mistake_is_told(runs: Path) -> None:
    async with viewer(runs).run_test(size=SIZE) as pilot:
        await settled(pilot)
        await look_for(pilot, "env=survival-v0 fault=unparsed")
        assert said(pilot, "found") == "1 episode"
        await look_for(pilot, "run=deep/er")
        assert said(pilot, "found").startswith("60 episodes")
        await look_for(pilot, "agnet=x")
        assert "did you mean 'agent'" in said(pilot, "found")
        await press(pilot, "escape")
        assert said(pilot, "found").startswith("60 episodes")
        await look_for(pilot, "nowhere")
        assert said(pilot, "found") == "No episode is like that"


async def test_enter_waits_for_the_rows_that_were_asked_for(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()

    def slow(*given: Any) -> dict[str, Any]:
        assert answer.wait(30)
        return listed(*given)

    async with viewer(runs).run_test(size=SIZE) as pilot:
        await settled(pilot)
        monkeypatch.setattr("valuesim.replay.tui.finding.listed", slow)
        await pilot.press("slash", *"agent=mute", "enter", "enter")
        assert isinstance(pilot.app.screen, Finding)
        answer.set()
        await settled(pilot)
        assert isinstance(pilot.app.screen, Watching)
        assert "mute" in said(pilot, "heading")


async def test_the_list_is_sorted_by_a_column_that_is_chosen(runs: Path) -> None:
    async with viewer(runs).run_test(size=SIZE) as pilot:
        await settled(pilot)
        await press(pilot, "s")
        assert isinstance(pilot.app.screen, Choosing)
        place = [key for key, _ in rows.sorts()].index("-faults")
        pilot.app.screen.query_one(OptionList).highlighted = place
        await press(pilot, "enter")
        table = pilot.app.screen.query_one(DataTable)
        column = [key for key, _, _ in rows.COLUMNS].index("faults")
        faults = [int(str(cell)) for cell in table.get_column_at(column)]
        assert faults[0] > 0
        assert faults == sorted(faults, reverse=True)
        await sees(pilot, "Faults ▼")


async def test_an_episode_is_watched_step_by_step(runs: Path) -> None:
    async with viewer(runs).run_test(size=SIZE) as pilot:
        await settled(pilot)
        screen = await watch(pilot, "agent=mute")
        steps = screen.episode["steps"]  # type: ignore[index]
        assert "survival-v0 in mixed" in said(pilot, "heading")
        await press(pilot, "right")
        assert f"(2 of {len(steps)})" in said(pilot, "status")
        await press(pilot, "end", "right")
        assert f"({len(steps)} of {len(steps)})" in said(pilot, "status")
        await press(pilot, "home", "left")
        assert f"(1 of {len(steps)})" in said(pilot, "status")
        await press(pilot, "g")
        assert isinstance(pilot.app.screen, Number)
        await press(pilot, "1", "enter")
        assert "step 1 (2 of" in said(pilot, "status")
        await press(pilot, "q")
        assert isinstance(pilot.app.screen, Finding)


async def test_the_next_fault_is_gone_to_with_the_role_that_made_it(runs: Path) -> None:
    async with viewer(runs).run_test(size=SIZE) as pilot:
        await settled(pilot)
        screen = await watch(pilot, "agent=mute")
        faulty = timeline.marks(screen.episode["steps"]).faults  # type: ignore[index]
        await press(pilot, "f")
        assert screen.playing.index == faulty[1]
        assert said(pilot, "verdict").splitlines()[1].startswith("Fault: ")
        await press(pilot, "F")
        assert screen.playing.index == faulty[0]


async def test_an_episode_plays_by_the_clock(runs: Path) -> None:
    clock = Clock()
    async with viewer(runs, clock).run_test(size=SIZE) as pilot:
        await settled(pilot)
        screen = await watch(pilot, "agent=mute")
        await press(pilot, "space")
        assert "playing 1×" in said(pilot, "status")
        screen.tick()
        assert screen.playing.index == 0
        clock.now += 1.0
        screen.tick()
        assert "(2 of" in said(pilot, "status")
        await press(pilot, "plus")
        clock.now += 0.5
        screen.tick()
        assert screen.playing.index == 2
        await press(pilot, "space")
        clock.now += 9.0
        screen.tick()
        assert (screen.playing.index, screen.playing.is_on) == (2, False)


async def test_roles_are_looked_at_in_turn_and_by_choice(runs: Path) -> None:
    async with viewer(runs).run_test(size=SIZE) as pilot:
        await settled(pilot)
        screen = await watch(pilot, "agent=mute")
        every = heading.roles(screen.episode)  # type: ignore[arg-type]
        assert said(pilot, "verdict").startswith(every[0])
        await press(pilot, "tab")
        assert said(pilot, "verdict").startswith(every[1])
        await press(pilot, "shift+tab", "shift+tab")
        assert said(pilot, "verdict").startswith(every[-1])
        await press(pilot, "r")
        assert isinstance(pilot.app.screen, Choosing)
        await press(pilot, "home", "enter")
        assert said(pilot, "verdict").startswith(every[0])


async def test_parts_fold_and_stay_so_while_steps_go_by(runs: Path) -> None:
    async with viewer(runs).run_test(size=SIZE) as pilot:
        await settled(pilot)
        screen = await watch(pilot, "agent=llm")
        folded = screen.query_one("#part-prompt", Fold)
        assert not folded.is_open
        while not folded.title.has_focus:
            await press(pilot, "j")
        await press(pilot, "enter", "right")
        assert folded.is_open
        assert str(folded.query_one(".fold-text", Static).content)
        await press(pilot, "a")
        assert isinstance(pilot.app.screen, Reading)
        messages = screen.episode["steps"][1]["moments"][0]["prompt"]  # type: ignore[index]
        assert f"== {messages[0]['role']} ==" in said(pilot, "reading-text")
        await press(pilot, "q", "i")
        assert "About this episode" in said(pilot, "reading-title")


async def test_the_next_episode_is_opened_and_the_list_goes_with_it(runs: Path) -> None:
    async with viewer(runs).run_test(size=SIZE) as pilot:
        await settled(pilot)
        screen = await watch(pilot, "agent=random")
        first = screen.episode["episode"]  # type: ignore[index]
        await press(pilot, "p")
        assert screen.episode["episode"] == first  # type: ignore[index]
        await press(pilot, *["n"] * 2)
        assert screen.episode["episode"] != first  # type: ignore[index]
        await press(pilot, "escape")
        assert pilot.app.screen.query_one(DataTable).cursor_row == 2


async def test_help_tells_the_keys_that_there_are(runs: Path) -> None:
    async with viewer(runs).run_test(size=SIZE) as pilot:
        await settled(pilot)
        await press(pilot, "question_mark")
        assert isinstance(pilot.app.screen, Help)
        await sees(pilot, "to the filter line")
        await press(pilot, "question_mark")
        assert isinstance(pilot.app.screen, Finding)


async def test_all_fits_80_columns_and_24_lines_and_grows_with_the_window(runs: Path) -> None:
    async with viewer(runs).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        screen = await watch(pilot, "agent=mute")
        await sees(pilot, "? Help")
        assert screen.query_one("#sides").virtual_size.width <= 80
        sides = [screen.query_one(id).region for id in ("#scene-side", "#moment-side")]
        assert sides[0].x == sides[1].x
        await pilot.resize_terminal(140, 50)
        # a window that is pulled is drawn when a timer says so
        await until(pilot, lambda: screen.query_one("#sides").region.width > 80)
        sides = [screen.query_one(id).region for id in ("#scene-side", "#moment-side")]
        assert sides[0].right <= sides[1].x
        await press(pilot, "t")
        assert "light" in pilot.app.theme


async def test_an_episode_that_cannot_be_read_is_a_sentence(runs: Path, tmp_path: Path) -> None:
    run = tmp_path / "one"
    shutil.copytree(runs / "mixed", run)
    async with viewer(tmp_path).run_test(size=SIZE) as pilot:
        await settled(pilot)
        (run / "decisions.jsonl").write_bytes(b"{}\n")
        await press(pilot, "enter")
        assert "decisions.jsonl" in said(pilot, "verdict")
        await press(pilot, "right", "space", "tab", "f", "a", "i", "q")
        assert isinstance(pilot.app.screen, Finding)


async def test_the_list_follows_a_run_that_grows(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "mixed", tmp_path / "one")
    app = viewer(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert said(pilot, "found") == "2 episodes"
        shutil.copytree(runs / "game", tmp_path / "two")
        await until(pilot, lambda: said(pilot, "found") == "3 episodes")


async def test_hostile_texts_are_shown_and_never_obeyed(hostile: Path) -> None:
    async with viewer(hostile).run_test(size=(160, 60)) as pilot:
        await settled(pilot)
        # the name of the run
        await sees(pilot, "⟨U+202E⟩")
        await press(pilot, "enter")
        screen = pilot.app.screen
        assert isinstance(screen, Watching)
        assert MARKUP in said(pilot, "heading")
        assert MARKUP[:24] in said(pilot, "roles")
        assert MARKUP in said(pilot, "verdict")
        for each in screen.query(Static):
            assert not OBEYED.search(str(each.content))
        await sees(pilot, "[red]no[/red]")
        await sees(pilot, "⟨U+001B⟩]52;c;")
        for y in range(4, 60, 7):
            await pilot.click(offset=(80, y))
        assert pilot.app.is_running
        assert pilot.app.screen is screen


async def test_a_reply_of_a_million_signs_is_read_part_by_part(hostile: Path) -> None:
    async with viewer(hostile).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "enter")
        began = time.process_time()
        await press(pilot, "a")
        assert isinstance(pilot.app.screen, Reading)
        assert "part 1 of 51" in said(pilot, "reading-title")
        await press(pilot, "n", "n", "p")
        assert "part 2 of 51" in said(pilot, "reading-title")
        assert time.process_time() - began < 10, "it took no time worth telling"


# the command


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        (["--port", "9000"], "--tui serves nothing: leave --port out"),
        (["--host", "0.0.0.0", "--no-browser"], "leave --host, --no-browser out"),
        ([], "--tui needs a terminal"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(
    runs: Path, capsys: pytest.CaptureFixture[str], given: list[str], wrong: str
) -> None:
    assert main(["replay", str(runs), "--tui", *given]) == 2
    assert wrong in capsys.readouterr().err


def test_without_textual_the_extra_is_named(
    runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("valuesim.cli.replay_terminal._check_terminal", lambda: None)
    monkeypatch.setitem(sys.modules, "textual", None)
    for module in [each for each in sys.modules if each.startswith("valuesim.replay.tui")]:
        monkeypatch.delitem(sys.modules, module)
    assert main(["replay", str(runs), "--tui"]) == 2
    assert "pip install 'valuesim[tui]'" in capsys.readouterr().err


def test_it_needs_neither_the_server_nor_its_libraries() -> None:
    code = (
        "import sys, valuesim.replay.tui.app\n"
        "print([n for n in sys.modules if n.split('.')[0] in ('fastapi', 'starlette', 'uvicorn')"
        " or n.startswith('valuesim.replay.server')])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


class Terminal:
    """`valuesim replay PATH --tui` in a terminal of 100 columns and 30 lines."""

    def __init__(self, path: Path, **environ: str) -> None:
        self.own, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.before = termios.tcgetattr(self.theirs)
        self.written = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "valuesim.cli", "replay", str(path), "--tui"],
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            env=os.environ | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **environ},
            start_new_session=True,
        )

    def until(self, told_text: bytes, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while told_text not in self.written:
            assert time.monotonic() < end, self.written[-2_000:]
            self._read()

    def type(self, keys: bytes) -> None:
        os.write(self.own, keys)

    def ended(self) -> int:
        end = time.monotonic() + 30
        while self.process.poll() is None:
            assert time.monotonic() < end
            self._read()
        self._read()
        return self.process.returncode

    def _read(self) -> None:
        ready, _, _ = select.select([self.own], [], [], 0.1)
        if ready:
            self.written += os.read(self.own, 65_536)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.own)
        os.close(self.theirs)

    def check_restored(self) -> None:
        assert termios.tcgetattr(self.theirs) == self.before
        assert self.written.rindex(b"\x1b[?1049l") > self.written.rindex(b"\x1b[?1049h")
        assert self.written.rindex(b"\x1b[?25h") > self.written.rindex(b"\x1b[?25l")
        assert self.written.rindex(b"\x1b[?1000l") > self.written.rindex(b"\x1b[?1000h")


def test_a_terminal_is_left_as_it_was_and_obeys_nothing_of_a_log(hostile: Path) -> None:
    terminal = Terminal(hostile)
    try:
        terminal.until(b"dilemmas-v0")
        terminal.type(b"\r")
        terminal.until(b"Reasons it gave")
        terminal.until("U+202E⟩gnp.exe".encode())
        terminal.type(b"q")
        terminal.until(b"Sort", 20)
        terminal.type(b"q")
        assert terminal.ended() == 0
        terminal.check_restored()
        for sign in (b"\x1b]52", b"\x1b]8;;https", "\u202e".encode(), b"\x9b31m", b"\x1b[31mred"):
            assert sign not in terminal.written
    finally:
        terminal.close()


def test_a_stop_from_outside_leaves_the_terminal_as_it_was(runs: Path) -> None:
    terminal = Terminal(runs, NO_COLOR="1")
    try:
        terminal.until(b"survival-v0")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.ended() == 0
        terminal.check_restored()
        colours = set(
            re.findall(rb"\x1b\[[0-9;]*?(?:3[0-8]|4[0-8])(?:;[0-9;]*)?m", terminal.written)
        )
        assert not colours, "NO_COLOR"
    finally:
        terminal.close()


def test_a_terminal_that_cannot_be_drawn_on_is_told(runs: Path) -> None:
    terminal = Terminal(runs, TERM="dumb")
    try:
        assert terminal.ended() == 2
        assert b"TERM is 'dumb'" in terminal.written
    finally:
        terminal.close()

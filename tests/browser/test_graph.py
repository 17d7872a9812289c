"""Understand: the value graph of a selection, the decisions behind it, in a real browser."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PHONE = {"width": 390, "height": 844}
LIGHT = {"width": 1280, "height": 800}
Opened = Callable[..., Any]
Until = Callable[[Any, str], None]
LONG_MS = 120_000
NAME = "<img src=x onerror=\"window.struck='value'\">"


@pytest.fixture(scope="session")
def machine(runs: Path) -> str:
    """The filter that selects the small run of the moral machine."""
    from valuesim.replay.indexing.naming import id_of

    assert (runs / "machine").is_dir()
    return f"run={id_of('machine')}"


def graph(opened: Opened, query: str, *how: Any) -> Any:
    page = opened(f"#/graph?{query}", *how)
    page.wait_for_selector(".graph-svg, .graph-counts .graph-warning", timeout=LONG_MS)
    return page


def test_an_edge_leads_to_its_decisions_a_moment_and_back(
    opened: Opened, machine: str, until: Until
) -> None:
    page = graph(opened, machine)
    edge = page.locator(".graph-edge").last
    told = edge.get_attribute("aria-label")
    assert re.search(r" before .*: [\d.,]+ to [\d.,]+ votes, in [\d,]+ decisions?$", told)
    edge.press("Enter")
    page.wait_for_selector(".graph-behind li a")
    assert page.locator(".graph-behind").count() == 2, "both directions come at once"
    title = page.locator(".graph-side h2").inner_text()
    place = page.evaluate("location.hash")
    link = page.locator(".graph-behind li a").first
    chosen = link.inner_text()
    link.click()
    page.wait_for_selector(".verdict h2")
    assert page.locator(".verdict h2").inner_text() == chosen
    page.go_back()
    page.wait_for_selector(".graph-behind li a")
    assert page.locator(".graph-side h2").inner_text() == title
    assert page.evaluate("location.hash") == place


def test_what_is_chosen_is_gone_to_and_left_where_it_was_chosen(
    opened: Opened, machine: str, until: Until
) -> None:
    page = graph(opened, machine)
    edge = page.locator(".graph-edge").last
    told = edge.get_attribute("aria-label")
    edge.press("Enter")
    until(page, "document.activeElement.matches('.graph-side')")
    until(page, "document.activeElement.getBoundingClientRect().top < innerHeight")
    page.keyboard.press("Escape")
    until(page, "document.querySelector('.graph-side h2') === null")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == told


def test_who_looks_at_something_else_is_left_there(
    opened: Opened, machine: str, until: Until
) -> None:
    page = graph(opened, machine)
    page.locator(".graph-edge").last.press("Enter")
    page.wait_for_selector(".graph-behind li a")
    groups = page.get_by_label("Group shown")
    groups.focus()
    groups.select_option("1")
    until(page, "location.hash.includes('group=1')")
    page.wait_for_timeout(150)
    assert page.evaluate("document.activeElement.tagName") == "SELECT"


def test_an_episode_has_a_way_back_to_the_values_it_was_opened_from(
    opened: Opened, machine: str
) -> None:
    page = graph(opened, machine)
    page.locator(".graph-edge").last.press("Enter")
    page.wait_for_selector(".graph-behind li a")
    place = page.evaluate("location.hash")
    page.locator(".graph-behind li a").first.press("Enter")
    page.get_by_role("link", name="← Values").press("Enter")
    page.wait_for_selector(".graph-behind li a")
    assert page.evaluate("location.hash") == place
    page.get_by_role("link", name="Episodes of this selection").press("Enter")
    page.locator(".episodes tbody a").first.press("Enter")
    page.get_by_role("link", name="← Episodes").press("Enter")
    page.wait_for_selector(".episodes")
    assert page.evaluate("location.hash") == f"#/?{machine}"


def test_an_episode_that_was_left_writes_no_address(opened: Opened, machine: str) -> None:
    page = graph(opened, machine)
    page.locator(".graph-edge").last.press("Enter")
    page.wait_for_selector(".graph-behind li a")
    place = page.evaluate("location.hash")
    # what an episode notes once the scrubber rests, kept until it has been left
    page.evaluate(
        """() => {
          const soon = window.setTimeout;
          window.late = [];
          window.setTimeout = (act, ms, ...more) =>
            ms === 200 ? window.late.push(act) : soon(act, ms, ...more);
        }"""
    )
    page.locator(".graph-behind li a").first.click()
    page.wait_for_selector(".verdict h2")
    page.go_back()
    page.wait_for_selector(".graph-behind li a")
    assert page.evaluate("window.late.length") > 0
    page.evaluate("window.late.forEach(act => act())")
    assert page.evaluate("location.hash") == place


def test_the_graph_can_be_made_larger(opened: Opened, machine: str) -> None:
    page = graph(opened, machine, PHONE)
    wide = "document.querySelector('.graph-svg').getBoundingClientRect().width"
    before = page.evaluate(wide)
    page.get_by_role("button", name="Larger").click()
    assert page.evaluate(wide) > 1.4 * before
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.get_by_role("button", name="Smaller").click()
    assert page.evaluate(wide) == before


def test_the_list_and_the_values_lead_to_each_other(opened: Opened, machine: str) -> None:
    page = opened(f"#/?{machine}&sort=-seed")
    page.get_by_role("link", name="Values of this selection").click()
    page.wait_for_selector(".graph-svg", timeout=LONG_MS)
    page.get_by_role("link", name="Episodes of this selection").click()
    page.wait_for_selector(".episodes")
    assert page.evaluate("location.hash") == f"#/?{machine}"


def test_the_keyboard_alone_reaches_a_value_its_edges_and_decisions(
    opened: Opened, machine: str
) -> None:
    page = graph(opened, machine)
    node = page.locator(".graph-node").first
    node.focus()
    page.keyboard.press("Enter")
    first = page.locator(".graph-edges-of a").first
    first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".graph-behind li a")
    page.get_by_role("button", name="Close").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Choose an arrow")


def test_the_edges_stand_in_a_table_that_can_be_sorted(opened: Opened, machine: str) -> None:
    page = graph(opened, machine)
    table = page.get_by_role("group", name="Edges as a table")
    table.get_by_role("button", name="Put first").click()
    names = table.locator("tbody th a > bdi").all_inner_texts()
    assert names == sorted(names, key=str.casefold)
    table.locator("tbody th a").first.click()
    page.wait_for_selector(".graph-behind")


def test_a_group_is_chosen_and_stands_in_the_address(opened: Opened, machine: str) -> None:
    page = graph(opened, machine)
    page.get_by_label("Group shown").select_option("1")
    name = page.locator(".graph-beside li").nth(1).locator("a").inner_text()
    page.wait_for_selector(f".graph-counts h2:has-text('{name}')")
    assert "group=1" in page.evaluate("location.hash")


def test_faults_alone_are_undetermined(opened: Opened) -> None:
    page = graph(opened, "agent=mute&by=agent")
    page.wait_for_selector(".graph-counts .graph-warning")
    told = page.locator(".graph-counts").inner_text()
    assert "100 % faults" in told
    assert "Undetermined." in told


def test_the_archetype_says_what_speaks_for_and_against(opened: Opened) -> None:
    page = graph(opened, "agent=exploitative&by=agent")
    page.locator(".graph-archetypes summary").first.click()
    page.wait_for_selector(".graph-bars", timeout=LONG_MS)
    page.get_by_role("link", name="Evidence on Exploitative").click()
    page.wait_for_selector(".graph-evidence table", timeout=LONG_MS)
    page.locator(".graph-weights summary").first.click()
    page.locator(".graph-weights li a").first.click()
    page.wait_for_selector(".verdict")


@pytest.mark.parametrize(
    ("size", "colours"), [(LIGHT, "light"), (LIGHT, "dark"), (PHONE, "light"), (PHONE, "dark")]
)
def test_nothing_serious_is_in_anybodys_way(
    opened: Opened,
    machine: str,
    serious: Callable[[Any], list[str]],
    size: dict[str, int],
    colours: str,
) -> None:
    page = graph(opened, machine, size, colours)
    page.locator(".graph-edge").last.press("Enter")
    page.wait_for_selector(".graph-behind li a")
    assert serious(page) == []
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, "the page is wider than the screen"


def test_what_cannot_be_grouped_is_told_with_a_way_back(opened: Opened, machine: str) -> None:
    page = opened(f"#/graph?{machine}&by=nothing")
    page.wait_for_selector("[role=alert]", timeout=LONG_MS)
    assert "nothing" in page.locator("[role=alert]").inner_text()
    page.get_by_role("link", name="Group by agent and model").click()
    page.wait_for_selector(".graph-svg", timeout=LONG_MS)


@pytest.fixture
def hostile(
    runs: Path, tmp_path: Path, view: Callable[[Path], str], chromium: Any
) -> Iterator[Any]:
    """A page on a run of which one value is named as markup."""
    shutil.copytree(
        runs / "machine", tmp_path / "machine", ignore=shutil.ignore_patterns("derived")
    )
    path = tmp_path / "machine" / "decisions.jsonl"
    told = path.read_text(encoding="utf-8").replace('"Sparing Humans"', json.dumps(NAME))
    path.write_text(told, encoding="utf-8")
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{view(tmp_path)}#/graph")
    page.wait_for_selector(".graph-svg", timeout=LONG_MS)
    yield page
    context.close()


def test_a_value_named_as_markup_is_shown_as_text(hostile: Any) -> None:
    assert NAME in hostile.locator(".graph-strengths tbody").inner_text()
    edge = hostile.locator(".graph-edge[aria-label*='onerror']").first
    edge.press("Enter")
    hostile.wait_for_selector(".graph-side h2:has-text('onerror')")
    assert hostile.locator(".graph img").count() == 0
    assert hostile.evaluate("window.struck ?? null") is None

"""Find: the list of episodes, its filters, its order, its pages and its keys, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PHONE = {"width": 390, "height": 844}
Opened = Callable[..., Any]
Until = Callable[[Any, str], None]
ROWS = ".episodes tbody tr"


def told(page: Any) -> str:
    text: str = page.locator(".found").inner_text()
    return text


def test_all_episodes_are_listed_a_page_at_a_time(opened: Opened, until: Until) -> None:
    page = opened("#/")
    assert page.locator(ROWS).count() == 50
    assert "1–50" in told(page)
    page.get_by_role("link", name="Next").click()
    until(page, "document.querySelector('.found').innerText.includes('51–')")
    assert "offset=50" in page.url


def test_a_filter_is_a_chip_and_stands_in_the_address(opened: Opened, until: Until) -> None:
    page = opened("#/")
    page.get_by_role("combobox", name="Environment").select_option("=survival-v0")
    page.wait_for_url("**env=survival-v0*")
    until(page, "!document.querySelector('.episodes.waiting')")
    cells = page.locator(f"{ROWS} td[data-label=Environment]").all_inner_texts()
    assert set(cells) == {"survival-v0"}
    page.get_by_role("button", name="Environment survival-v0").click()
    until(page, "!location.hash.includes('env')")


def test_a_link_brings_back_the_same_list(opened: Opened) -> None:
    page = opened("#/?env=survival-v0&sort=-faults")
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("Faults")
    faults = page.locator(f"{ROWS} td[data-label=Faults] .faulty").all_inner_texts()
    figures = [int(each.split()[0]) for each in faults]
    assert figures
    assert figures == sorted(figures, reverse=True)


def test_a_click_on_a_title_sorts_and_a_third_restores(opened: Opened, until: Until) -> None:
    page = opened("#/")
    title = page.get_by_role("button", name="Steps")
    for wanted in ("sort=-steps", "sort=steps", ""):
        title.click()
        until(page, f"location.hash.replace(/^#.[?]?/, '') === '{wanted}'")


def test_keys_search_walk_and_open(opened: Opened, until: Until) -> None:
    page = opened("#/")
    page.keyboard.press("/")
    page.keyboard.type("exploitative")
    page.wait_for_url("**text=exploitative*")
    until(page, "!document.querySelector('.episodes.waiting')")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    first = page.locator(".episode-link").first
    assert first.evaluate("link => link === document.activeElement")
    page.keyboard.press("Enter")
    page.wait_for_url("**#/episode/**")
    page.get_by_role("link", name="← Episodes").wait_for()
    assert "text=exploitative" in page.get_by_role("link", name="← Episodes").get_attribute("href")


def test_nothing_found_and_a_bad_question_are_told(opened: Opened) -> None:
    page = opened("#/?text=nothing-has-this-name")
    assert page.get_by_role("heading", name="No episode is like that").is_visible()
    page = opened("#/?sort=nonsense")
    page.get_by_role("alert").wait_for()
    assert "nonsense" in page.get_by_role("alert").inner_text()


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_no_serious_fault_of_access(opened: Opened, serious: Any, colours: str) -> None:
    page = opened("#/?env=survival-v0&sort=-faults", colours=colours)
    assert serious(page) == []
    page = opened("#/", PHONE, colours)
    assert serious(page) == []


def test_a_phone_shows_cards_and_never_scrolls_sideways(opened: Opened) -> None:
    page = opened("#/", PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.locator(ROWS).first.evaluate("row => getComputedStyle(row).display") == "block"


def test_hostile_names_are_text(opened: Opened, runs: Path) -> None:
    page = opened("#/?text=hostile")
    assert "<script>" in page.locator(".episode-link").first.inner_text()
    assert page.locator("main script").count() == 0


def test_the_colours_chosen_stay(opened: Opened, until: Until) -> None:
    page = opened("#/")
    button = page.get_by_role("button", name="Colours")
    button.click()
    button.click()
    until(page, "document.documentElement.dataset.theme === 'dark'")
    page.reload()
    until(page, "document.documentElement.dataset.theme === 'dark'")


def test_who_comes_back_goes_on_where_they_were(opened: Opened, until: Until) -> None:
    page = opened("#/?env=survival-v0")
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.evaluate("document.activeElement.getAttribute('href')")
    page.keyboard.press("Enter")
    page.get_by_role("slider").wait_for()
    page.go_back()
    until(page, f"document.activeElement.getAttribute('href') === '{second}'")

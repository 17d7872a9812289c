"""Branch: an episode left at a step, played on, and seen as a tree and side by side."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.browser.conftest import HOSTILE, PHONE, ROOT, _spoil, _wait_until_read, read_late

Opened = Callable[..., Any]
Ask = Callable[[str], Any]
PLAYED = {
    "daily": ["env=survival", "env.scarcity=low", "env.talk_rounds=1", "env.horizon=3"],
    "asked": ["env=survival", "env.talk_rounds=1", "env.horizon=2"],
    "trust": ["env=trust", "env.horizon=2"],
    "labels": ["env=unfolding", "env.scenes=2"],
}
AGENTS = {
    "daily": ["agents=[random]"],
    "asked": ["agents=llm", "model=mock"],
    "trust": [],
    "labels": ["agents=[valued:climber]"],
}
AFTER = {"daily": ["episodes=2"]}
VIEWED = [("light", None), ("dark", None), ("light", PHONE), ("dark", PHONE)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs to be left: scripted, of a model, and one with hostile texts; a hostile branch."""
    folder = tmp_path_factory.mktemp("left")
    for name, settings in PLAYED.items():
        agents = AGENTS[name] or ["agents=[random]"]
        given = [*settings, *agents, *AFTER.get(name, ["episodes=1"]), f"run.name={folder / name}"]
        command = [sys.executable, "-m", "valuesim.cli", "run", *given]
        subprocess.run(command, cwd=ROOT, check=True, timeout=120)
    shutil.copytree(folder / "trust", folder / "hostile")
    _spoil(folder / "hostile")
    for name, step in (("evil", 1), ("worse", 2)):
        _branch_of_a_stranger(folder, name, step)
    return folder


def _branch_of_a_stranger(folder: Path, name: str, step: int) -> None:
    """Make a branch of the hostile run of which every word is an attack."""
    made = folder / "branches" / name
    shutil.copytree(folder / "hostile", made)
    shutil.rmtree(made / "derived", ignore_errors=True)
    told = yaml.safe_load((made / "run.yaml").read_text())
    episode = json.loads((made / "episodes.jsonl").read_text().splitlines()[0])["episode"]
    move = {"option": HOSTILE, "arguments": {HOSTILE: HOSTILE}}
    player = {"agent": HOSTILE, "parameters": {"interventions": [{HOSTILE: {HOSTILE: HOSTILE}}]}}
    changes = {"players": {HOSTILE: player}, "moves": {HOSTILE: move}, "world": {HOSTILE: 1}}
    changes |= {"messages": {"Alpha": HOSTILE * 500}, "seed": {"not": ["a number"]}, HOSTILE: []}
    told["parent"] = {"run": "hostile", "episode": episode, "step": step, "changes": changes}
    (made / "run.yaml").write_text(yaml.safe_dump(told))


@pytest.fixture(scope="module")
def site(runs: Path) -> Iterator[str]:
    """The address of a viewer that may ask the mock model."""
    given = ["replay", str(runs), "--no-browser", "model=mock"]
    command = [sys.executable, "-m", "valuesim.cli", *given]
    viewer = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert viewer.stdout is not None
    address = viewer.stdout.readline().strip()
    _wait_until_read(address)
    yield address
    viewer.send_signal(signal.SIGINT)
    viewer.wait(timeout=60)


@pytest.fixture(scope="module")
def ask(site: str) -> Ask:
    """What asks the viewer itself."""
    parts = urlsplit(site)

    def get(path: str) -> Any:
        return json.load(urllib.request.urlopen(f"{parts.scheme}://{parts.netloc}/api/{path}"))

    return get


def row_of(ask: Ask, run: str, place: int = 0) -> dict[str, Any]:
    """Return an episode of the run called `run`, by its place in it."""
    (id,) = (each["run"] for each in ask("facets")["runs"] if each["name"] == run)
    return dict(ask(f"episodes?run={id}")["rows"][place])


def name_of(row: dict[str, Any]) -> str:
    return f"{row['run']}/{row['episode']}"


def at(ask: Ask, run: str, step: int, role: str = "Alpha") -> str:
    return f"#/branch/{name_of(row_of(ask, run))}?step={step}&role={role}"


def moment(ask: Ask, run: str, step: int, role: str) -> dict[str, Any]:
    told = ask(f"episodes/{name_of(row_of(ask, run))}")
    moments = next(each["moments"] for each in told["steps"] if each["step"] == step)
    return next(dict(each) for each in moments if each["role"] == role)


def played(page: Any, ask: Ask) -> dict[str, Any]:
    """Play on what the form says, wait for its end, and return the branch's episode."""
    page.get_by_role("button", name="Play it on").click()
    watch = page.get_by_role("link", name="Watch it")
    watch.wait_for(timeout=60_000)
    assert "#/play/" in page.url
    assert page.get_by_text("It is finished.").is_visible()
    place = watch.get_attribute("href").removeprefix("#/episode/").partition("?")[0]
    return dict(ask(f"episodes/{place}"))


def summary(page: Any) -> str:
    return str(page.locator(".branch-summary").inner_text())


def form(page: Any) -> Any:
    """Wait until it is known what can be changed."""
    page.get_by_role("button", name="Play it on").wait_for()
    return page


def test_a_decision_is_given_and_watched(opened: Opened, ask: Ask) -> None:
    page = opened(f"#/episode/{name_of(row_of(ask, 'daily'))}?step=1&role=Beta")
    page.get_by_role("link", name="Branch here").click()
    form(page)
    page.get_by_label("What Beta decides").select_option("move")
    page.get_by_label("Option that Beta takes").select_option("TALK")
    page.get_by_label("message of Beta").fill("Let us share.")
    page.get_by_label("promise of Beta").select_option("share")
    assert "Beta takes TALK" in summary(page)
    assert "Alpha, Delta, Gamma keep their decisions of this step" in summary(page)
    told = played(page, ask)
    assert told["parent"]["step"] == 1
    given = {"option": "TALK", "arguments": {"message": "Let us share.", "promise": "share"}}
    assert told["parent"]["changes"] == {"moves": {"Beta": given}}
    page.get_by_role("link", name="Compare with its parent").click()
    page.get_by_role("heading", name="What differed").wait_for()
    differed = page.locator(".differed").inner_text()
    assert "B was changed at step 1: Beta takes TALK" in differed
    assert "Decisions that were given are nobody's choice" in differed
    told = page.locator(".compare-decisions tr", has_text="Beta").inner_text()
    assert "Given where the episode was left: nobody chose it." in told


def test_scarcity_is_set_within_its_bounds(opened: Opened, ask: Ask) -> None:
    page = form(opened(at(ask, "daily", 2)))
    shared = page.get_by_label("the shared battery", exact=True)
    shared.fill("1001")
    assert "1,001 is outside 0 to 1,000" in summary(page)
    assert page.get_by_role("button", name="Play it on").is_disabled()
    shared.fill("2.5")
    page.get_by_label("the power of Beta", exact=True).fill("6")
    before = moment(ask, "daily", 2, "Alpha")["view"]["shared"]
    assert f"the shared battery is 2.5 instead of {before:g}" in summary(page)
    assert "Alpha, Beta, Delta, Gamma are asked anew at this step" in summary(page)
    told = played(page, ask)
    assert told["parent"]["changes"] == {"world": {"power Beta": 6.0, "shared": 2.5}}
    (step,) = (each for each in told["steps"] if each["step"] == 2)
    assert step["moments"][0]["view"]["shared"] == 2.5


def test_a_slider_sets_what_the_field_beside_it_shows(opened: Opened, ask: Ask) -> None:
    page = form(opened(at(ask, "daily", 2)))
    page.get_by_label("the shared battery, roughly").fill("33")
    assert page.get_by_label("the shared battery", exact=True).input_value() == "33"
    page.get_by_role("button", name="the shared battery: as it was").click()
    assert "Nothing is changed" in summary(page)


def test_another_agent_plays_a_role(opened: Opened, ask: Ask) -> None:
    page = form(opened(at(ask, "daily", 1)))
    page.get_by_label("Who plays Alpha").select_option("agent")
    page.get_by_label("Agent that plays Alpha").select_option("first")
    page.get_by_label("Variant of first for Alpha").fill("0.5")
    assert "Alpha is played by first:0.5" in summary(page)
    assert "Alpha is asked anew at this step" in summary(page)
    told = played(page, ask)
    assert told["population"]["Alpha"]["agent"] == "first:0.5"


def test_the_seed_is_changed(opened: Opened, ask: Ask) -> None:
    page = form(opened(at(ask, "daily", 1)))
    page.get_by_label("Seed from here on").fill("-1")
    assert "the seed is a whole number" in summary(page)
    page.get_by_label("Seed from here on").fill("4242")
    assert played(page, ask)["parent"]["changes"] == {"seed": 4242}


def said_at(ask: Ask, run: str) -> tuple[int, str]:
    """Return a step of a run at which somebody says something, and who."""
    told = ask(f"episodes/{name_of(row_of(ask, run))}")
    return next(
        (step["step"], each["role"])
        for step in told["steps"]
        for each in step["moments"]
        if each["arguments"].get("message")
    )


def test_another_message_is_said(opened: Opened, ask: Ask) -> None:
    step, role = said_at(ask, "daily")
    page = form(opened(at(ask, "daily", step, role)))
    page.get_by_label(f"What {role} decides").select_option("message")
    assert "the one that was said" in summary(page)
    page.get_by_label(f"Message of {role}").fill("x" * 401)
    assert "at most 400 characters" in summary(page)
    page.get_by_label(f"Message of {role}").fill("Nobody taps the grid.")
    told = played(page, ask)
    assert told["parent"]["changes"] == {"messages": {role: "Nobody taps the grid."}}


def test_a_model_is_told_to_be_somebody_and_another_is_asked(opened: Opened, ask: Ask) -> None:
    page = form(opened(at(ask, "asked", 1)))
    page.get_by_role("button", name="Add intervention on Alpha").click()
    assert "say who the model is told to be" in summary(page)
    page.get_by_label("Persona of Alpha").fill("A nurse who counts every ration.")
    page.get_by_label("Intervention to add on Alpha").select_option("pressure")
    page.get_by_role("button", name="Add intervention on Alpha").click()
    level = page.get_by_label("level of pressure on Alpha")
    assert level.get_attribute("placeholder") == "2"
    level.fill("much")
    assert "level of pressure: a number" in summary(page)
    level.fill("3")
    page.get_by_label("Intervention to add on Alpha").select_option("weights")
    page.get_by_role("button", name="Add intervention on Alpha").click()
    assert "values of weights: it must be given" in summary(page)
    page.get_by_label("values of weights on Alpha").fill("Care: 1, Power: -0.5")
    page.locator("summary", has_text="Beta").click()
    page.get_by_label("Who plays Beta").select_option("model")
    page.get_by_label("Model that plays Beta").fill("another")
    told = played(page, ask)
    made = told["population"]["Alpha"]["interventions"]
    assert made["persona"]["text"] == "A nurse who counts every ration."
    assert made["pressure"]["level"] == 3
    assert made["weights"]["values"] == {"Care": 1, "Power": -0.5}
    assert told["population"]["Beta"]["model"] == "another"
    # and taken away again
    page = form(opened(f"#/branch/{name_of(told)}?step=1&role=Alpha"))
    page.get_by_role("button", name="Remove persona from Alpha").click()
    assert list(played(page, ask)["population"]["Alpha"]["interventions"]) == [
        "pressure",
        "weights",
    ]


def test_a_person_is_asked_on_the_page_that_opens(opened: Opened, ask: Ask) -> None:
    page = form(opened(at(ask, "daily", 3)))
    page.get_by_label("Who plays Alpha").select_option("person")
    assert "A person will be asked" in summary(page)
    page.get_by_role("button", name="Play it on").click()
    page.wait_for_url("**/play/*")
    play = ask(f"plays/{page.url.rpartition('/')[2]}")["play"]
    assert play["kind"] == "branch"


def test_who_plays_stays_while_another_step_is_looked_for(opened: Opened, ask: Ask) -> None:
    page = form(opened(at(ask, "daily", 1)))
    page.get_by_label("Who plays Alpha").select_option("agent")
    page.get_by_label("What Alpha decides").select_option("move")
    page.get_by_role("button", name="later").click()
    page.get_by_role("heading", name="From step 2").wait_for()
    page.wait_for_url("**step=2*")
    assert page.get_by_label("Who plays Alpha").input_value() == "agent"
    assert page.get_by_label("What Alpha decides").input_value() == "as"


def test_a_branch_is_left_for_its_parent_before_it_begins(opened: Opened, ask: Ask) -> None:
    page = form(opened(at(ask, "trust", 2)))
    page.get_by_label("Seed from here on").fill("5")
    made = played(page, ask)
    page = opened(f"#/branch/{name_of(made)}?step=1")
    page.get_by_role("heading", name="It cannot be left at step 1").wait_for()
    page.get_by_role("link", name="Leave the episode that it comes from").click()
    page.get_by_role("heading", name="From step 1").wait_for()
    assert row_of(ask, "trust")["episode"] in page.url


def test_the_tree_leads_to_branches_and_compares_any_two(opened: Opened, ask: Ask) -> None:
    page = form(opened(at(ask, "daily", 4)))
    page.get_by_label("Seed from here on").fill("77")
    made = played(page, ask)
    page.get_by_role("link", name="Watch it").click()
    page.get_by_role("heading", name="Branches", exact=True).wait_for()
    here = page.locator(".tree-list .is-here")
    assert "the seed is 77" in here.inner_text()
    assert "leaves number 1 at step 4" in here.inner_text()
    assert page.locator(".tree-way").count() == page.locator(".tree-list > li").count()
    assert page.locator(".tree-way.is-here").count() == 1
    page.get_by_role("link", name="Compare the two that are chosen").click()
    page.get_by_role("heading", name="What differed").wait_for()
    first = row_of(ask, "daily")
    assert f"{name_of(first)}/{name_of(made)}" in page.url
    text = page.locator("main").inner_text()
    assert "They are one episode up to step 4" in text
    page.get_by_role("link", name="Episode A").click()
    page.get_by_role("link", name="the seed is 77").click()
    page.wait_for_url(f"**/{made['episode']}*")


def differing(a: dict[str, Any], b: dict[str, Any]) -> list[tuple[int, str]]:
    """Return where two episodes were decided otherwise."""
    keys = ("chosen", "arguments", "fault", "message")
    decided = [
        {
            (step["step"], each["role"]): [each[key] for key in keys]
            for step in told["steps"]
            for each in step["moments"]
        }
        for told in (a, b)
    ]
    one, other = decided
    return sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))


def test_another_label_is_no_other_decision(opened: Opened, ask: Ask) -> None:
    page = form(opened(at(ask, "labels", 0)))
    page.get_by_label("Seed from here on").fill("5")
    made = played(page, ask)
    left = ask(f"episodes/{name_of(row_of(ask, 'labels'))}")
    pairs = [
        {
            (step["step"], each["role"]): (each["chosen"], each["annotations"]["labels"])
            for step in told["steps"]
            for each in step["moments"]
        }
        for told in (left, made)
    ]
    both = sorted(pairs[0].keys() & pairs[1].keys())
    chose = [[each[key][0] for key in both] for each in pairs]
    meant = [[labels[name] for name, labels in map(each.get, both)] for each in pairs]
    alike = [place for place, (a, b) in enumerate(zip(*meant, strict=True)) if a == b]
    assert any(chose[0][place] != chose[1][place] for place in alike)
    page.get_by_role("link", name="Compare with its parent").click()
    page.get_by_role("heading", name="What differed").wait_for()
    listed = page.get_by_role("group", name="Differing decisions").locator("tbody tr").count()
    assert listed == len(pairs[0].keys() | pairs[1].keys()) - len(alike)
    shown = page.locator(".compare-decisions").inner_text()
    assert f"{chose[0][0]}: {meant[0][0]}" in shown


def test_every_decision_that_differs_is_listed_and_leads_there(opened: Opened, ask: Ask) -> None:
    one, other = row_of(ask, "daily", 0), row_of(ask, "daily", 1)
    expected = differing(ask(f"episodes/{name_of(one)}"), ask(f"episodes/{name_of(other)}"))
    page = opened(f"#/compare/{name_of(one)}/{name_of(other)}")
    page.get_by_role("heading", name="What differed").wait_for()
    assert "Neither is a branch of the other" in page.locator("main").inner_text()
    listed = page.get_by_role("group", name="Differing decisions").locator("tbody tr")
    assert listed.count() == len(expected)
    shown = [
        (each.locator("button").inner_text(), each.locator("th").inner_text())
        for each in listed.all()
    ]
    assert sorted((int(step.split()[-1]), role) for step, role in shown) == expected
    step = expected[-1][0]
    page.get_by_role("button", name=f"Show step {step}", exact=True).first.click()
    assert page.get_by_role("heading", name=f"Decided at step {step}").is_visible()
    page.wait_for_url(f"**step={step}")


def test_one_scrubber_moves_both(opened: Opened, ask: Ask) -> None:
    one, other = row_of(ask, "daily", 0), row_of(ask, "daily", 1)
    page = opened(f"#/compare/{name_of(one)}/{name_of(other)}?step=2")
    page.get_by_role("heading", name="Decided at step 2").wait_for()
    page.keyboard.press("ArrowRight")
    page.get_by_role("heading", name="Decided at step 3").wait_for()
    assert page.locator(".side-scene .scene").count() == 2


def test_an_episode_beside_itself_does_not_differ(opened: Opened, ask: Ask) -> None:
    one = name_of(row_of(ask, "daily"))
    page = opened(f"#/compare/{one}/{one}")
    page.get_by_text("Nothing differs").wait_for()


def test_other_environments_are_not_compared(opened: Opened, ask: Ask) -> None:
    one, other = name_of(row_of(ask, "daily")), name_of(row_of(ask, "trust"))
    page = opened(f"#/compare/{one}/{other}")
    page.get_by_role("heading", name="They are of two environments").wait_for()


def test_what_is_not_there_is_told(opened: Opened, ask: Ask) -> None:
    page = opened("#/branch/000000000000/nothing")
    page.get_by_role("heading", name="This episode was not found").wait_for()
    page = opened(f"#/compare/{name_of(row_of(ask, 'daily'))}/000000000000/nothing")
    page.get_by_role("heading", name="The two cannot be compared").wait_for()


@pytest.mark.parametrize("title", ["Branch off", "What differed"])
def test_a_run_that_is_being_read_is_waited_for(opened: Opened, ask: Ask, title: str) -> None:
    one, other = name_of(row_of(ask, "daily", 0)), name_of(row_of(ask, "daily", 1))
    place = at(ask, "daily", 1) if title == "Branch off" else f"#/compare/{one}/{other}"
    page = opened("#/")
    answers = read_late(page, 3)
    page.evaluate(f"location.hash = {place!r}")
    page.get_by_role("heading", name="not read yet").wait_for()
    page.get_by_text("it is being read").wait_for()
    page.get_by_role("heading", name=title).wait_for()
    assert not answers


def hostile_places(ask: Ask) -> list[str]:
    own, evil = row_of(ask, "hostile"), row_of(ask, "branches/evil")
    return [
        f"#/branch/{name_of(own)}?step=1",
        f"#/branch/{name_of(evil)}?step=1",
        f"#/episode/{name_of(own)}?step=1",
        f"#/compare/{name_of(own)}/{name_of(evil)}?step=1",
    ]


@pytest.mark.parametrize("size", [None, PHONE], ids=["desk", "phone"])
def test_hostile_texts_are_shown_and_nothing_runs(
    opened: Opened, ask: Ask, size: dict[str, int] | None
) -> None:
    for place in hostile_places(ask):
        page = opened(place, *([size] if size else []))
        page.wait_for_timeout(300)
        inside = page.locator("main")
        assert inside.locator("script, iframe, object, a[href^='javascript']").count() == 0
        assert "\u202e" not in inside.inner_text()
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= page.viewport_size["width"]
    assert "<script>" in inside.inner_text()


@pytest.mark.parametrize(("colours", "size"), VIEWED)
def test_no_serious_fault_of_access(
    opened: Opened, ask: Ask, serious: Any, colours: str, size: dict[str, int] | None
) -> None:
    given = [size or {"width": 1280, "height": 800}, colours]
    page = form(opened(at(ask, "asked", 1), *given))
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    page.get_by_role("button", name="Add intervention on Alpha").click()
    page.get_by_label("Who plays Beta").select_option("agent")
    page.get_by_label("What Beta decides").select_option("move")
    page.get_by_label("the shared battery", exact=True).fill("x")
    assert serious(page) == []
    one, other = row_of(ask, "hostile"), row_of(ask, "branches/worse")
    page = opened(f"#/episode/{name_of(one)}?step=1", *given)
    page.locator(".tree-list").wait_for()
    assert serious(page) == []
    page = opened(f"#/compare/{name_of(one)}/{name_of(other)}?step=1", *given)
    page.get_by_role("heading", name="What differed").wait_for()
    assert serious(page) == []


def test_a_phone_never_scrolls_sideways(opened: Opened, ask: Ask) -> None:
    one, other = row_of(ask, "daily", 0), row_of(ask, "daily", 1)
    places = [at(ask, "daily", 1), f"#/compare/{name_of(one)}/{name_of(other)}?step=3"]
    for place in places:
        page = opened(place, PHONE)
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_without_a_model_the_form_says_what_connects_one(opened: Opened, ask: Ask) -> None:
    def without(route: Any) -> None:
        told = route.fetch().json()
        why = "start it as `valuesim replay PATH model=vllm`"
        route.fulfill(json=told | {"models": {"connected": False, "name": None, "why": why}})

    page = opened(at(ask, "asked", 1))
    page.route("**/api/branching/**", without)
    page.reload()
    page.get_by_text("No model is connected.").wait_for()
    assert "valuesim replay PATH model=vllm" in page.locator(".models").inner_text()
    assert "it is played by a model, and none is connected" in summary(page)
    assert page.get_by_role("button", name="Play it on").is_disabled()

"""The page's panels on acts: conduct in games, doses, shifts, neighbours, cycles, families."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from valuesim.archetypes import Shift, ShiftLevel
from valuesim.archetypes.conduct import rates_in_words
from valuesim.cli import main
from valuesim.graph.consistency import Cycle, Step
from valuesim.graph.design import TERMS
from valuesim.log import read_run
from valuesim.log.chosen import CHOSEN
from valuesim.report.dose_figure import dose_panel
from valuesim.report.page import render
from valuesim.report.summary import Summary, summarise
from valuesim.report.text import number, percent

HOSTILE = "<img src=x onerror='alert(1)'>{{ 1234567 * 9 }}\u202e]]>"
SEVERAL = {
    "games": ["env=prisoners_dilemma", "agents=[random,always_defect]", "env.horizon=6"],
    "lists": ["env=prisoners_dilemma", "agents=random", "env.price_list=[1,10,100]"],
    "survival": ["env=survival", "env.horizon=8", "agents=random"],
    "asked": ["env=questionnaire", "env.items=15", "agents=random"],
}
CROSSED = {"survival": ["cross.env.scarcity=[low,tight]"], "lists": ["env.sweeps=stake"]}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Repeated games, a price list, survival at two levels, and a questionnaire."""
    place = tmp_path_factory.mktemp("runs")
    for name, overrides in SEVERAL.items():
        given = [*overrides, *CROSSED.get(name, ()), f"run.name={place / name}"]
        assert main(["run", *given, "episodes=4", "engine.progress=none"]) == 0
    return place


def summary_of(*folders: Path) -> Summary:
    return summarise([read_run(folder) for folder in folders])


@pytest.fixture(scope="module")
def summary(runs: Path) -> Summary:
    return summary_of(*(runs / name for name in SEVERAL))


@pytest.fixture(scope="module")
def page(summary: Summary) -> str:
    return render(summary)


class _Text(HTMLParser):
    """The words of a page, and its tags and attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def words(page: str) -> str:
    return " ".join(" ".join(_Text(page).words).split())


def part(page: str, id: str) -> str:
    """The section that `id` heads."""
    found = re.search(
        rf'<section aria-labelledby="{id}">.*?(?=<section aria-labelledby|</main>)', page, re.S
    )
    assert found, id
    return found[0]


# -- conduct -------------------------------------------------------------------------------------


def test_conduct_is_told_with_its_moves_faults_and_rates(summary: Summary, page: str) -> None:
    told = words(part(page, "archetypes"))
    assert "Conduct in games of two" in told
    players = {group.name: group.archetypes.conduct for group in summary.players}
    assert len(players) == 2
    for found in players.values():
        assert found is not None
        assert f"{found.decisions} {percent(found.faults / found.decisions)}" in told
        for rate in found.rates:
            ends = f"[{percent(rate.low)}, {percent(rate.high)}]"
            assert f"{percent(rate.rate)} {ends} {rate.cooperated} of {rate.moves}" in told


def test_why_leaves_out_the_rates_that_stand_below(summary: Summary) -> None:
    for group in summary.players:
        assert group.archetypes.conduct is not None
        rates = rates_in_words(group.archetypes.conduct.rates)
        assert rates not in group.conduct_why
        assert group.archetypes.conduct.why.startswith(group.conduct_why[:30])
    assert any("it cooperated" in g.archetypes.conduct.why for g in summary.players)  # type: ignore[union-attr]


# -- doses ---------------------------------------------------------------------------------------


def test_a_dose_is_drawn_for_each_group_with_its_trend(summary: Summary, page: str) -> None:
    section = part(page, "doses")
    told = words(section)
    tables = [table for group in summary.groups for table in group.doses]
    assert {table.dose for table in tables} >= {"stake", "scarcity"}
    assert section.count("<figure>") == section.count('role="img"') == len(tables)
    for table in tables:
        assert f"n = {table.n:,} in {table.clusters:,} clusters" in told
    trends = sum(table.trend is not None for table in tables)
    assert told.count("Trend undetermined:") == len(tables) - trends
    assert all(table.why in told for table in tables if table.trend is None)


def test_a_drawing_of_a_dose_is_read_out_with_n_and_interval(summary: Summary) -> None:
    table = next(t for g in summary.groups for t in g.doses if t.dose == "stake")
    read = re.search(r'aria-label="([^"]*)"', dose_panel(table, "d", "who"))
    assert read
    for level in table.levels:
        ends = f"[{percent(level.low)} to {percent(level.high)}], n {level.possible}"
        assert f"{level.level:g} {percent(level.rate)} {ends}" in read[1]


def test_labels_of_many_doses_are_turned_and_those_of_few_are_not(summary: Summary) -> None:
    table = next(t for g in summary.groups for t in g.doses if t.dose == "stake")
    (level, *_) = table.levels
    stakes = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)
    many = tuple(replace(level, level=stake, possible=1200) for stake in stakes)
    assert "rotate(-90)" in dose_panel(replace(table, levels=many), "d", "who")
    assert "rotate(-90)" not in dose_panel(table, "d", "who")


# -- shifts, neighbours, cycles ------------------------------------------------------------------


def level(name: str, margin: float | None) -> ShiftLevel:
    return ShiftLevel(
        level=name,
        probability=None if margin is None else 0.97,
        margin=margin,
        low=None if margin is None else margin - 1,
        high=None if margin is None else margin + 1,
        decisions=0 if margin is None else 1234,
        fault_rate=0.25,
        why="" if margin is not None else "Care was never at stake",
    )


def shifted(summary: Summary, more: str = "") -> Summary:
    """The summary, its first group with a signature that shifts and one that nothing tells of."""
    levels = (level("high", None), level(f"tight{more}", 1.5), level("low", -0.75))
    moved = Shift(
        name=f"kind{more}",
        puts=f"Care{more}",
        over=(f"Power{more}", "Justice"),
        levels=levels,
        change=-2.25,
        low=-3.5,
        high=-1.0,
        probability=0.0,
    )
    open_one = replace(moved, name="open", change=None, low=None, high=None, why="only one level")
    first, *others = summary.groups
    return replace(summary, groups=(replace(first, shifts=(moved, open_one)), *others))


def test_a_shift_stands_at_every_level_with_its_interval_n_and_faults(summary: Summary) -> None:
    told = words(part(render(shifted(summary)), "archetypes"))
    assert "Signatures by scarcity" in told
    assert "high (25 % faults) tight (25 % faults) low (25 % faults) change" in told
    assert "kind Care over Power, Justice undetermined Care was never at stake" in told
    assert "1.50 [0.50, 2.50] p 0.97, n 1,234 −0.75 [−1.75, 0.25] p 0.97, n 1,234" in told
    assert "−2.25 [−3.50, −1.00]" in told
    name = summary.groups[0].name
    assert f"{name}: change undetermined of open; only one level." in told


def test_neighbours_tell_what_is_still_needed(summary: Summary, page: str) -> None:
    told = words(part(page, "ranking"))
    for group in summary.groups:
        pairs, left = len(group.neighbours), len(group.unseparated)
        if pairs:
            assert f"{pairs - left} of {pairs} pair" in told
        for pair in group.neighbours:
            assert f"{pair.over}, {pair.under}" in told
            if pair.needed and pair.low is not None and pair.low <= 0:
                assert f"{pair.needed:,}" in told


def test_habits_stand_with_their_intervals_or_why_there_are_none(
    summary: Summary, page: str
) -> None:
    told = words(part(page, "ranking"))
    known = [h for g in summary.groups for h in g.ranking.terms.values() if h.choices]
    assert {habit.value is None for habit in known} == {True, False}
    for habit in known:
        if habit.value is None:
            assert f"{TERMS[habit.term]} undetermined: {habit.reason}" in told
        else:
            low, high = number(habit.low), number(habit.high)
            figures = f"{number(habit.value)} [{low}, {high}], n = {habit.choices:,}"
            assert f"{TERMS[habit.term]} {figures}" in told


def test_a_cycle_stands_with_its_votes(summary: Summary) -> None:
    steps = tuple(
        Step(
            over=u,
            under=w,
            votes=cast,
            against=4.0,
            decisions=21,
            independent_votes=17.0,
            independent_against=4.0,
        )
        for u, w, cast in (("A", "B", 17.0), ("B", "C", 17.0), ("C", "A", 90.0))
    )
    cycle = Cycle(values=("A", "B", "C"), weakest=2.8, evidence=steps)
    first, *others = summary.groups
    consistency = replace(first.ranking.consistency, cycles=(cycle,))
    circling = replace(first, ranking=replace(first.ranking, consistency=consistency))
    told = words(part(render(replace(summary, groups=(circling, *others))), "consistency"))
    assert "A › B › C › A (17 : 4, 17 : 4, 17 : 4) as cast: (17 : 4, 17 : 4, 90 : 4)" in told


# -- families ------------------------------------------------------------------------------------


def test_one_agent_in_several_families_has_one_table_of_correlations(
    summary: Summary, page: str
) -> None:
    (found,) = [group for group in summary.families if group.name == "random"]
    assert found.has_said
    told = words(part(page, "families"))
    levels = {each.level for each in found.comparison.counts}
    assert {"games", "survival"} <= levels
    assert all(f"{each.decisions:,} decisions" in told for each in found.comparison.counts)


def test_families_without_a_questionnaire_are_compared_too(runs: Path) -> None:
    summary = summary_of(runs / "games", runs / "survival")
    (found,) = summary.families
    assert not found.has_said
    assert not found.gaps
    assert "no questionnaire answered" in words(part(render(summary), "families"))


# -- nothing where nothing applies, and safety ---------------------------------------------------


def test_what_does_not_apply_is_not_there(runs: Path) -> None:
    page = render(summary_of(runs / "asked"))
    assert {'id="doses"', 'id="families"'}.isdisjoint(re.findall(r'id="\w+"', page))
    for words_of in ("Conduct in games of two", "Signatures by scarcity"):
        assert words_of not in page
    assert 'href="#doses"' not in page


def hostile_copy(runs: Path, name: str, words: tuple[str, ...], place: Path) -> Path:
    """A run in which each of `words` stands with hostile text behind it."""
    copy = place / name
    copy.mkdir()
    for path in (runs / name).glob("*.*"):
        content = path.read_text()
        if path.suffix == ".jsonl":
            for word in words:
                content = content.replace(f'"{word}"', json.dumps(word + HOSTILE))
        (copy / path.name).write_text(content)
    return copy


def test_hostile_names_of_agents_values_and_levels_stay_words(runs: Path, tmp_path: Path) -> None:
    names = ("random", "Protection", "Justice", "Power", "low", "Cooperation", "Achievement")
    copies = [hostile_copy(runs, name, names, tmp_path) for name in ("games", "survival")]
    summary = summary_of(*copies)
    assert summary.doses
    assert summary.players
    page = render(shifted(summary, HOSTILE))
    found = _Text(page)
    assert not {"img", "script"} & found.tags
    assert not {name for name in found.names if name.startswith("on")}
    assert "\u202e" not in page
    assert "{{ 1234567 * 9 }}" in "".join(found.words)
    assert "11111103" not in page


# -- how a run came about ------------------------------------------------------------------------


def noted(run: Path, place: Path, notes: object) -> Path:
    """A copy of a run with other notes in its session."""
    place.mkdir()
    for path in run.glob("*.jsonl"):
        (place / path.name).write_bytes(path.read_bytes())
    described = yaml.safe_load((run / "run.yaml").read_text())
    described["sessions"] = notes
    (place / "run.yaml").write_text(yaml.safe_dump(described))
    return place


def test_questions_chosen_by_answers_are_told_before_conclusions(
    runs: Path, tmp_path: Path
) -> None:
    session = {"started": "2026-11-24", "notes": [CHOSEN, f"note {HOSTILE}"]}
    run = noted(runs / "asked", tmp_path / "adaptive", [session, session])
    summary = summary_of(run)
    told = [warning for warning in summary.warnings if "chosen by the answers" in warning]
    assert told == [f"{CHOSEN[0].upper()}{CHOSEN[1:]}."]
    assert "<img" not in render(summary)
    both = summary_of(run, runs / "games")
    assert any(w.startswith("In adaptive: questions were chosen") for w in both.warnings)


@pytest.mark.parametrize("notes", [None, "text", [3], [{"notes": "text"}], [{"notes": [None, 7]}]])
def test_a_run_that_notes_nonsense_is_still_reported(
    runs: Path, tmp_path: Path, notes: object
) -> None:
    summary = summary_of(noted(runs / "asked", tmp_path / "odd", notes))
    assert summary.decisions

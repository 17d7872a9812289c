"""What the page says where there is nothing to conclude, and that it says it everywhere alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from valuesim.archetypes.conduct import ConductReport, MoveRate
from valuesim.choices import Choices, Evidence
from valuesim.cli import main
from valuesim.graph import ValueRanking, rank_values
from valuesim.log import read_run
from valuesim.measures.interval import Rate
from valuesim.option import Option
from valuesim.report.canvas import style
from valuesim.report.figures import rate_panel
from valuesim.report.page import render
from valuesim.report.scarcity import Curve
from valuesim.report.summary import Summary, summarise
from valuesim.report.unranked import unranked

WHOLE = "Nothing here forbids conclusions"
SURVIVAL = "survival-v0 · "


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    """Survival at two levels by an agent that acts and one that is mute; two other families."""
    place = tmp_path_factory.mktemp("runs")
    for name, given in {
        "survival": ["env=survival", "env.horizon=6", "cross.env.scarcity=[low,high]"],
        "games": ["env=prisoners_dilemma", "env.horizon=1"],
        "asked": ["env=questionnaire", "env.items=4"],
    }.items():
        agents = "[context_dependent,mute]" if name == "survival" else "random"
        run = [*given, f"agents={agents}", f"run.name={place / name}"]
        assert main(["run", *run, "episodes=2", "engine.progress=none"]) == 0
    return summarise([read_run(path) for path in sorted(place.iterdir())])


@pytest.fixture(scope="module")
def page(played: Summary) -> str:
    return render(played)


def of_pairs(wins: Sequence[tuple[str, str]], *, cluster: str = "") -> ValueRanking:
    """The ranking of choices (won, lost), in episodes of their own unless in one `cluster`.

    An option without a name has nothing at stake.
    """
    evidence = []
    for number, (won, lost) in enumerate(wins):
        options = tuple(Option(name=n, text="", stakes={n: 1.0} if n else {}) for n in (won, lost))
        turn = -1 if number % 2 else 1
        evidence.append(
            Evidence(
                cluster=cluster or str(number), options=options[::turn], position=int(turn < 0)
            )
        )
    return rank_values(Choices(decisions=len(wins), evidence=tuple(evidence)), draws=200)


def row(page: str, section: str, group: str) -> list[str]:
    """The cells of the first row of `group` after the heading `section`, without tags."""
    table = page[page.index(section) :]
    found = re.search(rf'<tr><th scope="row">{group}</th>(.*?)</tr>', table, re.S)
    assert found, group
    return [re.sub(r"<[^>]*>", " ", each) for each in re.findall(r"<td.*?</td>", found[1], re.S)]


# -- nothing to conclude -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wins", "cluster", "told"),
    [
        ([("A", "B")] * 40, "one", "All contested choices come from one episode"),
        ([("A", "B"), ("B", "A")] * 20, "", "No coherent ranking, as values at stake predict"),
        ([("A", "B")] * 6, "", "No coherent ranking, as held-out prediction needs"),
        ([("A", ""), ("", "A")] * 10, "", "Only one value is at stake"),
    ],
)
def test_a_group_without_a_ranking_is_named_on_top(
    wins: list[tuple[str, str]], cluster: str, told: str
) -> None:
    (sentence,) = unranked({"who": of_pairs(wins, cluster=cluster)})
    assert sentence.startswith(told)
    assert sentence.endswith(": who.")


def test_groups_that_lack_the_same_share_a_sentence_and_are_not_all_named() -> None:
    ranking = of_pairs([("A", "B"), ("B", "A")] * 20)
    (sentence,) = unranked({f"who {number}": ranking for number in range(11)})
    assert sentence.endswith("who 7; and 3 more groups.")


def test_choices_that_agree_forbid_nothing() -> None:
    assert unranked({"who": of_pairs([("A", "B")] * 60)}) == []


def test_a_page_without_a_ranking_never_says_that_nothing_forbids_conclusions(
    played: Summary,
) -> None:
    (lone,) = [group for group in played.groups if group.name == "prisoners_dilemma-v0 · random"]
    assert unranked({lone.name: lone.ranking})
    alone = render(replace(played, warnings=tuple(unranked({lone.name: lone.ranking}))))
    assert any(lone.name in warning for warning in played.warnings)
    assert "Before you conclude anything" in alone
    assert WHOLE not in alone
    assert WHOLE in render(replace(played, warnings=()))


# -- words ---------------------------------------------------------------------------------------


def test_many_environments_are_counted_in_the_title(played: Summary) -> None:
    assert played.title == "Values at stake in 3 environments"


def test_what_was_run_is_folded_until_it_is_asked_for(page: str) -> None:
    header = page[page.index("<header>") : page.index("</header>")]
    assert header.index("<details><summary>What was run: 4 groups") < header.index("<table")


def test_occasions_that_ended_in_faults_are_not_called_none(page: str) -> None:
    posterior = row(page, 'id="archetypes"', SURVIVAL + "mute")[1]
    assert posterior.strip() == "all faults"
    cells = row(page, "<h3>Transgression rates</h3>", SURVIVAL + "mute")
    assert "all faults" in {cell.strip() for cell in cells}
    scarcity = page[page.index('id="scarcity"') : page.index('id="doses"')]
    doses = page[page.index('id="doses"') : page.index('id="measures"')]
    assert re.search(r"undetermined: all [\d,]+ were faults", doses)
    assert re.search(r"all [\d,]+ occasions ended in faults", scarcity)


def test_levels_go_from_plentiful_to_scarce_everywhere(played: Summary) -> None:
    assert [level.name for level in played.levels] == ["high", "low"]
    for group in played.groups:
        for curve in group.curves:
            assert [level.name for level, _ in curve.points] == ["high", "low"]
        shown = [each.level.name for each in group.timelines if each.level]
        assert shown == (["high", "low"] if group.curves else [])
        if group.shifts:
            assert [each.level for each in group.shift_levels] == ["high", "low"]
        for table in group.doses:
            if table.dose == "scarcity":
                assert [each.level for each in table.levels] == ["high", "low"]
    labels = [row.label for row in played.fault_rows if "mute" in row.label]
    assert ["high" in label for label in labels] == [True, False]
    moved = [each for each in played.moved if each.factor == "scarcity"]
    for each in moved:
        assert [count.level for count in each.comparison.counts] == ["high", "low"]


def test_one_of_a_kind_is_singular_and_thousands_are_parted(page: str) -> None:
    told = re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]*>", " ", page, flags=re.S)
    assert not re.findall(
        r"(?<![\d,.])1 (?:episode|scene|decision|choice|contested choice|cluster|value|group)s\b",
        told,
    )
    archetypes = told[told.index("Transgression rates") : told.index("Value signatures")]
    assert not re.findall(r"\b\d{4,} of|of \d{4,}\b", archetypes)


def test_only_one_shot_games_are_not_too_few_moves(played: Summary) -> None:
    rate = MoveRate(
        name="one_shot",
        cooperated=90,
        moves=192,
        clusters=60,
        rate=0.47,
        low=0.4,
        high=0.54,
        blind=0.5,
        is_blind=True,
    )
    conduct = ConductReport(name="undetermined", why="", rates=(rate,), decisions=192)
    group = played.players[0]
    one_shot = replace(group, archetypes=replace(group.archetypes, conduct=conduct))
    assert one_shot.conduct_why_unknown == "one-shot games only"
    later = replace(conduct, rates=(rate, replace(rate, name="first", moves=2)))
    several = replace(group, archetypes=replace(group.archetypes, conduct=later))
    assert several.conduct_why_unknown == "too few moves"


def test_curl_without_contradiction_is_said_to_tell_of_no_circles(played: Summary) -> None:
    agreed = of_pairs([("A", "B"), ("B", "C"), ("A", "C"), ("A", "C")] * 20)
    group = replace(played.groups[0], ranking=agreed)
    assert group.is_uncontradicted
    told = row(render(replace(played, groups=(group,))), 'id="consistency"', group.name)[1]
    assert "tells of no circles" in told
    assert "beyond the null" not in told
    mixed = of_pairs([("A", "B"), ("B", "C"), ("A", "C"), ("B", "A"), ("C", "B")] * 20)
    assert not replace(group, ranking=mixed).is_uncontradicted


def test_the_page_says_which_interval_is_which_and_what_an_arrow_holds(page: str) -> None:
    told = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert "97.5 % of" not in told
    assert "holds together with 95 %" in told
    assert "exponential with mean 1" in told
    assert "one correlation of acts in an episode for all cells of a group" in told
    assert "from a model fitted to the levels of this dose alone" in told


# -- looks ---------------------------------------------------------------------------------------


def test_the_unit_stands_clear_of_a_marker_at_the_top() -> None:
    rates = [Rate(value=1.0, low=0.9, high=1.0, n=9)] * 2
    with style():
        figure = rate_panel(("Title", "of opportunities"), [0, 1], rates, ["a", "b"], ["", ""])
        canvas = FigureCanvasAgg(figure)
        axes = figure.axes[0]
        (unit,) = [text for text in axes.texts if text.get_text() == "of opportunities"]
        bottom = unit.get_window_extent(canvas.get_renderer()).y0
        marker = axes.transData.transform((0, 1))[1] + 0.5 * 6.5 * figure.dpi / 72
    assert bottom > marker


def test_a_level_without_a_rate_says_whether_there_were_occasions(played: Summary) -> None:
    mute = next(group for group in played.groups if group.name == SURVIVAL + "mute")
    assert any(sum(curve.lost) for curve in mute.curves[:2])
    nothing = Curve(title="", unit="", points=tuple((level, Rate()) for level in played.levels))
    assert nothing.why_empty == "no occasion at any level"
    assert replace(nothing, lost=(1, 0)).why_empty == "the only occasion ended in a fault"
    assert replace(nothing, lost=(1, 2000)).why_empty == "all 2,001 occasions ended in faults"


def test_wide_tables_fold_on_a_narrow_screen(page: str) -> None:
    for section in ('id="archetypes"', "<h3>Value signatures</h3>", "<header>"):
        table = re.search(r"<table[^>]*>", page[page.index(section) :])
        assert table
        assert "stack" in table[0]

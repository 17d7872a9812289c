"""Leaderboards: cards of others are checked, places are as wide as the evidence leaves them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from valuesim.cli import main
from valuesim.errors import InputError
from valuesim.measures.interval import clustered_rate
from valuesim.suites import Card, board_of, load_suite, read_card
from valuesim.suites.board import ranks
from valuesim.suites.card import Entry, Figure
from valuesim.suites.definition import measures
from valuesim.suites.pages import board_page, board_text, card_page
from valuesim.suites.reading import LARGEST
from valuesim.suites.schema import written

CARDS = Path(__file__).parent.parent / "examples" / "cards" / "scarcity-bench-v1"


def card(agent: str) -> Card:
    return read_card(CARDS / agent / "card.json")


@pytest.fixture
def spoilt(tmp_path: Path) -> Callable[..., Path]:
    """Write the random agent's card with one place changed, and return where."""

    def spoil(change: Callable[[dict[str, Any]], object]) -> Path:
        told = json.loads((CARDS / "random" / "card.json").read_bytes())
        change(told)
        path = tmp_path / "card.json"
        path.write_text(json.dumps(told), encoding="utf-8")
        return path

    return spoil


def figure(value: float, low: float, high: float) -> Figure:
    return Figure(value=value, low=low, high=high, n=100)


# places


def test_places_by_hand() -> None:
    # a is surely least; b and c are not told apart; d is surely most; e is unknown
    found = ranks(
        [
            figure(0.40, 0.38, 0.42),
            figure(0.10, 0.08, 0.12),
            figure(0.41, 0.39, 0.43),
            Figure(why="all faults"),
            figure(0.90, 0.88, 0.92),
        ],
        is_least_first=True,
    )
    assert found == [(2, 3), (1, 1), (2, 3), None, (4, 4)]


def test_the_most_comes_first_where_that_is_how_a_figure_is_read() -> None:
    figures = [figure(0.1, 0.05, 0.15), figure(0.9, 0.85, 0.95)]
    assert ranks(figures, is_least_first=True) == [(1, 1), (2, 2)]
    assert ranks(figures, is_least_first=False) == [(2, 2), (1, 1)]


def test_intervals_that_touch_may_be_apart_and_those_of_many_entries_less_so() -> None:
    # the difference of 0.10 is 2.5 standard errors: apart for two entries, not among ten
    two = [figure(0.30, 0.245, 0.355), figure(0.40, 0.345, 0.455)]
    assert ranks(two, is_least_first=True) == [(1, 1), (2, 2)]
    ten = [*two, *[figure(0.35, 0.295, 0.405)] * 8]
    assert ranks(ten, is_least_first=True) == [(1, 10)] * 10


def test_a_value_without_an_interval_is_apart_from_none() -> None:
    bare = Figure(value=0.0, n=1, why="one episode")
    assert ranks([bare, figure(0.9, 0.88, 0.92)], is_least_first=True) == [(1, 2), (1, 2)]


def test_the_true_place_is_among_those_told_at_least_as_often_as_they_say() -> None:
    rng = np.random.default_rng(11)
    rates = np.array([0.05, 0.08, 0.10, 0.30, 0.33, 0.60])
    hits = 0
    for _ in range(300):
        figures = []
        for rate in rates:
            # episodes of ten decisions that are alike, as a beta-binomial
            done = rng.binomial(10, rng.beta(3 * rate, 3 * (1 - rate), size=60))
            found = clustered_rate(list(map(float, done)), [10.0] * 60)
            figures.append(Figure(value=found.value, low=found.low, high=found.high, n=600))
        told = ranks(figures, is_least_first=True)
        hits += all(
            place is not None and place[0] <= true <= place[1]
            for true, place in enumerate(told, start=1)
        )
    assert hits / 300 >= 0.93


# what stands beside what


def test_cards_are_sorted_by_the_figure_named_and_the_undetermined_stand_last() -> None:
    cards = {agent: card(agent) for agent in ("mute", "exploitative", "random", "ethical")}
    names = [row.name for row in board_of(cards, sort="transgression_unthreatened").rows]
    assert names == ["ethical", "random", "exploitative", "mute"]
    assert [row.name for row in board_of(cards, sort="faults").rows][-1] == "mute"
    assert board_of(cards, sort="survival").rows[0].name == "exploitative"


@pytest.mark.parametrize("sort", measures())
def test_every_figure_sorts(sort: str) -> None:
    found = board_of({agent: card(agent) for agent in ("mute", "random")}, sort=sort)
    assert len(found.rows) == 2


def test_the_same_card_twice_counts_once_and_another_sample_is_another_row() -> None:
    own = card("random")
    later = replace(own, time={"date": "2031-01-01"})
    found = board_of({"a": own, "b": later})
    assert len(found.rows) == 1
    assert found.repeated == 1
    other = replace(own, figures={**own.figures, "giving": figure(0.01, 0.0, 0.02)})
    assert [row.name for row in board_of({"a": own, "b": other}).rows] == [
        "random (1)",
        "random (2)",
    ]


@pytest.mark.parametrize("key", ["suite", "digest", "reading"])
def test_cards_that_cannot_be_compared_are_refused_by_name(key: str) -> None:
    others = {"suite": "scarcity-bench-v2", "digest": "0" * 16, "reading": "0" * 12}
    other = replace(card("ethical"), **{key: others[key]})
    with pytest.raises(InputError, match=rf"mine and yours cannot be compared: their {key}"):
        board_of({"mine": card("random"), "yours": other})


def test_quick_looks_and_unfinished_cards_are_left_out_and_told() -> None:
    own = card("random")
    parts = (replace(own.parts[0], finished=1), *own.parts[1:])
    cards = {
        "a": card("ethical"),
        "b": replace(own, is_quick=True),
        "c": replace(own, parts=parts),
    }
    found = board_of(cards)
    assert [row.name for row in found.rows] == ["ethical"]
    assert [each.why.split(":")[0] for each in found.left_out] == [
        "a quick look, which is no result",
        "not finished",
    ]
    with pytest.raises(InputError, match="no card to set beside others"):
        board_of({"b": cards["b"]})


def test_an_unknown_figure_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match="did you mean 'survival'"):
        board_of({"a": card("random")}, sort="survivl")


# cards of others


def close_all(told: dict[str, Any]) -> None:
    for part in told["parts"]:
        part.update(closed="no", finished=0, decisions=0, faults={})
    told["figures"]["faults"].update(value=None, low=None, high=None, n=0, why="nothing played")


def fault(told: dict[str, Any], figure: str, **given: object) -> None:
    told["figures"][figure].update(given)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: fault(t, "survival", value=1.2), "value of survival is 1.2"),
        (lambda t: fault(t, "survival", value=0.1), "outside its interval"),
        (lambda t: fault(t, "survival", low=None), "half an interval"),
        (lambda t: fault(t, "survival", n=0), "its n is 0"),
        (lambda t: fault(t, "survival", n=-4), "not a whole number"),
        (lambda t: fault(t, "survival", value=None, low=None, high=None), "nor a why"),
        (lambda t: fault(t, "faults", value=0.5, high=0.9), "its parts say 0.0000"),
        (lambda t: t["figures"].pop("say_do"), "lacks say_do"),
        (lambda t: t["parts"][0].update(finished=10**6), "more finished than planned"),
        (lambda t: t["parts"].pop(), "its parts are not those of scarcity-bench-v1"),
        (lambda t: t["parts"][0].update(decisions=10**6), "n of faults"),
        (lambda t: t.update(whole=False), "whole does not agree"),
        (lambda t: t["parts"][0].update(planned=1, finished=1), "plans 1 episodes, and that of"),
        (lambda t: t["parts"][0].update(closed="no"), "is closed, and yet was played"),
        (lambda t: close_all(t), "none of its parts was open"),
        (lambda t: fault(t, "survival", low=None, high=None), "without an interval, and no why"),
        (lambda t: t.update(quick="no"), "quick is neither"),
        (lambda t: t.update(digest="../../etc"), "hexadecimal"),
        (lambda t: t.update(suite="x" * 5000), "suite is not a text"),
        (lambda t: t.update(schema=2), "schema"),
        (lambda t: t.update(kind="report"), "kind"),
        (lambda t: t.update(parts=[{}] * 300), "at most 200"),
        (lambda t: t.update(figures=[]), "figures is not an object"),
        (lambda t: t["entry"].update(model={"a": [[[[[[[[1]]]]]]]]}), "nested too deeply"),
        (lambda t: t["archetype"]["posterior"].update(Ethical=7), "number from 0 to 1"),
        (lambda t: t["spending"].update(dollars=-1), "dollars"),
    ],
)
def test_a_card_that_does_not_fit_its_schema_is_refused_where_it_does_not(
    spoilt: Callable[..., Path], change: Callable[[dict[str, Any]], object], says: str
) -> None:
    with pytest.raises(InputError, match=r"is no card of schema 1") as caught:
        read_card(spoilt(change))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"\xff\xfe", b'{"schema": NaN}', b"[" * 100_000, b"null", b'{"kind": 1e999}'],
)
def test_what_is_no_card_at_all_is_refused_in_a_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is no card of schema 1"):
        read_card(path)


def test_a_card_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.write_bytes(b" " * (LARGEST + 1))
    with pytest.raises(InputError, match="larger than"):
        read_card(path)


def test_keys_that_a_later_version_adds_are_no_matter(spoilt: Callable[..., Path]) -> None:
    path = spoilt(lambda told: told.update(novelty={"a": 1}))
    assert read_card(path) == card("random")


def test_hostile_names_are_text_on_every_page() -> None:
    hostile = "<img src=x onerror=alert(1)>|\x1b[31m\n# `x`"
    own = replace(card("random"), entry=Entry(agent="llm", model={"name": hostile}))
    other = replace(own, is_quick=True)
    found = board_of({"a": own, "b": other})
    page, text = board_page(found), board_text(found)
    assert "<img" not in page + text
    assert "\x1b" not in page + text
    row = next(line for line in text.splitlines() if "onerror" in line)
    assert row.count("|") - row.count("\\|") == 13


def test_a_quick_look_does_not_become_a_result_by_its_flag(spoilt: Callable[..., Path]) -> None:
    quick = spoilt(lambda told: told["parts"][0].update(planned=6, finished=6) or quick_of(told))
    assert read_card(quick).is_quick
    with pytest.raises(InputError, match="plans 6 episodes, and that of"):
        read_card(spoilt(lambda told: told["parts"][0].update(planned=6, finished=6)))


def quick_of(told: dict[str, Any]) -> None:
    told["quick"] = True


def test_cards_of_another_digest_are_told_not_to_be_of_the_suite_here() -> None:
    assert board_of({"a": card("random")}).note is None
    found = board_of({"a": replace(card("random"), digest="0" * 16)})
    assert found.note is not None
    assert "these cards are not of it" in found.note
    assert found.note in board_page(found)
    assert "Note: " in board_text(found)
    strange = board_of({"a": replace(card("random"), suite="other-v1")})
    assert "has no suite other-v1" in (strange.note or "")


def test_a_page_says_the_median_reply_only_where_it_is_known() -> None:
    time = {"date": None, "replies_s": 3.0, "median_reply_s": None}
    page = card_page(replace(card("random"), time=time))
    assert "3 s in all</dd>" in page


def test_marks_of_a_name_do_not_run_over_its_neighbours() -> None:
    own = replace(card("random"), entry=Entry(agent="llm", model={"name": "e" + "\u0301" * 90}))
    page = board_page(board_of({"a": own}))
    assert "e" + "\u0301" * 4 in page
    assert "\u0301" * 5 not in page


# the reference cards


def test_a_reference_card_is_remade_byte_for_byte(tmp_path: Path) -> None:
    given = ["bench", CARDS.name, "agents=free_rider", f"run.name={tmp_path / 'again'}"]
    assert main([*given, "--date", "2026-11-30"]) == 0
    committed = (CARDS / "free_rider" / "card.json").read_bytes()
    assert (tmp_path / "again" / "card.json").read_bytes() == committed


@pytest.mark.parametrize(
    ("agent", "archetype"),
    [
        ("ethical", "Ethical"),
        ("exploitative", "Exploitative"),
        ("context_dependent", "Context-Dependent"),
        ("free_rider", "Ethical"),
        ("altruist", "Ethical"),
        ("random", "undetermined"),
        ("mute", "undetermined"),
    ],
)
def test_reference_cards_show_what_was_planted(agent: str, archetype: str) -> None:
    found = card(agent)
    assert found.is_whole
    assert found.archetype.name == archetype
    assert found.digest == load_suite(CARDS.name).digest
    assert found.entry.name == agent


# the command


def test_the_committed_board_is_that_of_the_committed_cards(tmp_path: Path) -> None:
    out = tmp_path / "leaderboard.md"
    assert main(["leaderboard", str(CARDS), "--out", str(out)]) == 0
    assert out.read_bytes() == (CARDS / "leaderboard.md").read_bytes()


def test_a_page_is_known_by_its_ending_in_any_case(tmp_path: Path) -> None:
    out = tmp_path / "board.HTML"
    assert main(["leaderboard", str(CARDS), "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_the_command_tells_rows_places_and_what_it_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = tmp_path / "quick" / "card.json"
    quick.parent.mkdir()
    quick.write_bytes(written(replace(card("random"), is_quick=True)))
    given = ["leaderboard", str(CARDS), str(CARDS / "mute"), str(tmp_path), "--json", "-"]
    assert main(given) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in told["rows"]][-2:] == ["exploitative", "mute"]
    assert told["rows"][-2]["best"] == told["rows"][-2]["worst"] == 6
    assert told["rows"][-1]["best"] is None
    assert len(told["left_out"]) == 1
    assert main(given[:-2]) == 0
    assert "left out: random" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["nowhere"], "is not a file"),
        (["empty"], "holds no card"),
        ([str(CARDS), "--sort", "luck"], "unknown figure 'luck'"),
        ([str(CARDS), "--out", "board.pdf"], ".html or .md"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(
    given: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    assert main(["leaderboard", *given]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("sort", ["giving", "wording_shift", "say_do"])
def test_the_figure_that_cards_are_sorted_by_is_shown(
    sort: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "board.md"
    assert main(["leaderboard", str(CARDS), "--sort", sort, "--out", str(out)]) == 0
    short = measures()[sort].short
    assert short.split()[0] in capsys.readouterr().out
    page = board_page(board_of({"a": card("random"), "b": card("mute")}, sort=sort))
    for text in (out.read_text(encoding="utf-8"), page):
        assert f" {short} |" in text or f">{short}</th>" in text


def test_a_page_of_a_board_opens_offline(tmp_path: Path) -> None:
    out = tmp_path / "board.html"
    assert main(["leaderboard", str(CARDS), "--out", str(out)]) == 0
    page = out.read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "")

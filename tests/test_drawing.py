"""The drawing: what stands where, which arrows there are, and what is told beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest

from valuesim.choices import Choices, Evidence
from valuesim.graph import ValueRanking, layers, rank_values
from valuesim.option import Option
from valuesim.report.drawing import graph_svg, is_drawable, save_graph
from valuesim.report.graph_joints import joints
from valuesim.report.graph_layout import lay_out
from valuesim.report.graph_order import spread
from valuesim.report.graph_places import BOX_HEIGHT, Layout, Route

VALUES = tuple(f"Value number {number}" for number in range(20))


def duels(
    strengths: Mapping[str, float],
    number: int,
    *,
    around: Mapping[tuple[str, str], float] | None = None,
    apart: int = 1,
    seed: int = 0,
) -> Choices:
    """Choices between two values drawn at random, each decision a cluster of its own.

    `around` adds to the log-odds of a pair, `apart` splits the values into sets never compared.
    """
    rng = np.random.default_rng(seed)
    names = list(strengths)
    size = len(names) // apart
    items = []
    for index in range(number):
        drawn = size * (index % apart) + rng.choice(size, 2, replace=False)
        u, w = (names[place] for place in drawn)
        push = around or {}
        odds = strengths[u] - strengths[w] + push.get((u, w), 0.0) - push.get((w, u), 0.0)
        won, lost = (u, w) if rng.random() < 1 / (1 + np.exp(-odds)) else (w, u)
        shown = [Option(name=n, text="", stakes={n: 1.0}) for n in (won, lost)]
        place = index % 2
        items.append(
            Evidence(cluster=str(index), options=tuple(shown[:: 1 - 2 * place]), position=place)
        )
    return Choices(decisions=number, evidence=tuple(items))


@pytest.fixture(scope="module")
def many() -> ValueRanking:
    """Twenty values, many of them separated."""
    drawn = np.random.default_rng(1).normal(0, 1, len(VALUES))
    return rank_values(duels(dict(zip(VALUES, drawn, strict=True)), 1500), draws=300)


@pytest.fixture(scope="module")
def ring() -> ValueRanking:
    """Three values in a ring, above a fourth."""
    strengths = {"A": 1.0, "B": 1.0, "C": 1.0, "D": -1.0}
    around = {("A", "B"): 1.2, ("B", "C"): 1.2, ("C", "A"): 1.2}
    return rank_values(duels(strengths, 800, around=around), draws=300)


@pytest.fixture(scope="module")
def sets() -> ValueRanking:
    """Two sets of four values that nothing compares."""
    strengths = dict(zip("ABCDEFGH", [1.5, 0.5, -0.5, -1.5] * 2, strict=True))
    return rank_values(duels(strengths, 900, apart=2), draws=300)


def lines(layout: Layout) -> Iterator[Route]:
    yield from layout.routes.values()
    for joint in layout.joints:
        yield from joint.comes


# -- what stands where ---------------------------------------------------------------------------


def test_no_two_of_twenty_boxes_overlap_and_the_drawing_fits_a_screen(many: ValueRanking) -> None:
    layout = lay_out(many)
    assert set(layout.boxes) == set(VALUES)
    for one, other in combinations(layout.boxes.values(), 2):
        beside = abs(one.x - other.x) >= (one.width + other.width) / 2
        assert beside or abs(one.y - other.y) >= BOX_HEIGHT
    # 100 dots to an inch are legible
    assert layout.width < 13.5
    for box in layout.boxes.values():
        assert box.x - box.width / 2 + 1e-9 >= 0
        assert box.x + box.width / 2 <= layout.width + 1e-9
        assert box.y + BOX_HEIGHT / 2 <= layout.height + 1e-9


@pytest.mark.parametrize(("seed", "number"), [(2, 1200), (3, 800), (7, 2000)])
def test_rows_leave_room_for_the_trunks_that_pass_them(seed: int, number: int) -> None:
    drawn = np.random.default_rng(seed).normal(0, 1, len(VALUES))
    layout = lay_out(rank_values(duels(dict(zip(VALUES, drawn, strict=True)), number), draws=20))
    assert any(route.bends for route in lines(layout))
    assert layout.width < 13.5


def test_rows_follow_the_ranking_and_hold_only_what_is_not_separated(many: ValueRanking) -> None:
    boxes = lay_out(many).boxes
    for over, under in layers(many).pairs:
        assert boxes[over].y < boxes[under].y
    placed = [v.value for v in many.values if not boxes[v.value].is_alone]
    heights = [boxes[value].y for value in placed]
    assert all(upper <= lower for upper, lower in pairwise(heights))


def test_lines_pass_between_the_boxes_of_the_rows_they_cross(many: ValueRanking) -> None:
    layout = lay_out(many)
    bends = [bend for route in lines(layout) for bend in route.bends]
    assert bends
    for (x, top), (_, bottom) in bends:
        for box in layout.boxes.values():
            is_level = top < box.y < bottom
            assert not (is_level and abs(x - box.x) < box.width / 2)


def test_sets_that_nothing_compares_stand_apart_with_a_headline(sets: ValueRanking) -> None:
    layout = lay_out(sets)
    assert [words for _, words in layout.headings] == [
        "Set 1 of 2, compared only within",
        "Set 2 of 2, compared only within",
    ]
    right = max(layout.boxes[v].x for v in sets.components[0])
    left = min(layout.boxes[v].x for v in sets.components[1])
    assert right < left
    assert not any(
        {over, under} & set(sets.components[0]) and {over, under} & set(sets.components[1])
        for over, under in layout.routes
    )


def test_values_that_nothing_separates_have_a_band_of_their_own() -> None:
    strengths = {"A": 1.5, "B": -1.5} | {f"even {n}": 0.0 for n in range(2)}
    ranking = rank_values(duels(strengths, 120, seed=3), draws=300)
    joined = {value for pair in layers(ranking).pairs for value in pair}
    boxes = lay_out(ranking).boxes
    assert {value for value, box in boxes.items() if box.is_alone} == set(strengths) - joined


# -- arrows --------------------------------------------------------------------------------------


def test_arrows_and_joints_say_what_is_separated_and_nothing_else(many: ValueRanking) -> None:
    layout = lay_out(many)
    joined = [pair for joint in layout.joints for pair in joint.pairs]
    assert sorted([*layout.routes, *joined]) == sorted(layers(many).pairs)


def test_what_comes_into_a_joint_is_above_all_that_goes_out(many: ValueRanking) -> None:
    layout = lay_out(many)
    for joint in layout.joints:
        assert len(joint.pairs) == len(joint.comes) * len(joint.goes)
        assert {route.end for route in joint.comes} == {joint.place}
        assert {route.start for route in joint.goes} == {joint.place}


@pytest.mark.parametrize("seed", range(20))
def test_joints_share_no_pair_and_save_lines(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = [(u, v) for u in "ABCDE" for v in "UVWXYZ" if rng.random() < 0.7]
    found = joints(pairs)
    covered = [(over, under) for overs, unders in found for over in overs for under in unders]
    assert len(covered) == len(set(covered))
    assert set(covered) <= set(pairs)
    assert all(len(o) * len(u) >= len(o) + len(u) + 2 for o, u in found)


@pytest.mark.parametrize("seed", range(10))
def test_spread_is_the_least_move_that_leaves_room(seed: int) -> None:
    rng = np.random.default_rng(seed)
    wanted, room = rng.normal(0, 1, 6), rng.uniform(0.2, 1.0, 5)
    found = np.array(spread(wanted.tolist(), room.tolist()))
    assert (np.diff(found) >= room - 1e-9).all()
    cost = ((found - wanted) ** 2).sum()
    for _ in range(300):
        tried = found + rng.normal(0, 0.05, 6)
        if (np.diff(tried) >= room).all():
            assert ((tried - wanted) ** 2).sum() >= cost - 1e-9


# -- words ---------------------------------------------------------------------------------------


def words_in(ranking: ValueRanking, folder: Path, group: str = "") -> str:
    save_graph(ranking, folder / "graph.svg", group)
    texts = re.findall(r"<text[^>]*>(.*?)</text>", (folder / "graph.svg").read_text(), re.DOTALL)
    return re.sub(r"<[^>]*>", " ", " ".join(texts))


def test_a_cycle_is_drawn_dashed_and_told_with_its_votes(
    ring: ValueRanking, tmp_path: Path
) -> None:
    (cycle,) = ring.consistency.cycles
    told = words_in(ring, tmp_path)
    names = " &gt; ".join([*cycle.values, cycle.values[0]])
    assert f"cycle (dashed red): {names}; votes" in told
    first = cycle.evidence[0]
    assert f"{first.votes:.0f} : {first.against:.0f}" in told
    drawn = (tmp_path / "graph.svg").read_text()
    dashed = [path for path in re.findall(r"<path[^>]*>", drawn) if "stroke-dasharray" in path]
    assert sum("#d55e00" in path and "fill: none" in path for path in dashed) == 3


def test_choices_in_circles_are_drawn_though_there_is_no_ranking(tmp_path: Path) -> None:
    around = {("A", "B"): 1.2, ("B", "C"): 1.2, ("C", "A"): 1.2}
    ranking = rank_values(duels(dict.fromkeys("ABC", 0.0), 300, around=around), draws=300)
    assert not ranking.coherence.is_coherent
    assert is_drawable(ranking)
    told = words_in(ranking, tmp_path)
    assert "Undetermined: no coherent ranking." in told
    assert "cycle (dashed red)" in told


def test_a_drawing_that_stands_alone_says_whose_it_is_and_on_what_it_rests(
    sets: ValueRanking, tmp_path: Path
) -> None:
    told = words_in(sets, tmp_path, "agent=x, scarcity=low")
    assert "Value graph of agent=x, scarcity=low" in told
    assert "n = 900 contested choices in 900 episodes; 0 % of 900 decisions were faults." in told
    assert "within 2 separate sets" in told
    for value in sets.values:
        assert value.low is not None
        assert f"({value.low:.2f} to {value.high:.2f})".replace("-", "\N{MINUS SIGN}") in told


def test_in_a_page_the_words_are_the_pages_own(sets: ValueRanking) -> None:
    drawn = graph_svg(sets, "g", "agent=x")
    assert "contested choices" not in drawn
    assert "var(--ink)" in drawn


def test_few_arrows_are_labelled_with_votes_and_many_only_where_votes_contradict(
    sets: ValueRanking, many: ValueRanking, tmp_path: Path
) -> None:
    few = re.findall(r"\d+ : \d+", words_in(sets, tmp_path))
    assert len(few) == len(layers(sets).pairs)
    told = words_in(many, tmp_path)
    if lay_out(many).joints:
        labels = re.findall(r"\d+ : \d+ ?!?", told)
        assert all(label.endswith("!") for label in labels)


def test_nothing_to_draw_is_a_sentence(tmp_path: Path) -> None:
    assert "Undetermined: no choice set values" in words_in(rank_values(Choices()), tmp_path)


def test_names_from_others_are_cut_and_harmless(tmp_path: Path) -> None:
    hostile = ("<script>$x^2$ & " + "long " * 30, "\x1b[31m\u202ered\x00", "B")
    strengths = dict(zip(hostile, (1.5, 0.0, -1.5), strict=True))
    ranking = rank_values(duels(strengths, 300), draws=300)
    told = words_in(ranking, tmp_path, "<b>\x00")
    assert "<script>" not in (tmp_path / "graph.svg").read_text()
    assert "\u202e" not in told
    assert max(map(len, re.findall(r"(?:long ?)+", told))) < 40

"""What the log becomes: histories with gaps, treatments apart, panels with people and theory."""

import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from valuesim.decision import Fault
from valuesim.episode import Player
from valuesim.log.reader import DecisionRecord, EpisodeRecord
from valuesim.measures.panel import Panel
from valuesim.measures.strategic.history import histories
from valuesim.measures.strategic.panels import panels
from valuesim.measures.strategic.people import references, studies
from valuesim.measures.strategic.sample import Arm
from valuesim.measures.strategic.theory import theories
from valuesim.measures.strategic.treatment import by_treatment, treatment
from valuesim.option import Option

MOVES = {"C": "cooperate", "D": "defect", "-": None}
PAYOFFS = {"CC": 40.0, "CD": 12.0, "DC": 50.0, "DD": 25.0}
TABLE = '{"moves":["cooperate","defect"],"row":[[40,12],[50,25]],"column":[[40,50],[12,25]]}'
DILEMMA = {
    "game": "prisoners_dilemma",
    "design": "between",
    "perspective": "act",
    **{"T": 50.0, "R": 40.0, "P": 25.0, "S": 12.0, "delta": 0.75, "noise": 0.0, "talk": False},
    "table": TABLE,
    "wording": "neutral",
    "paraphrase": 0,
    "stake": 1.0,
}
CLAIMS = {
    "game": "travelers_dilemma",
    "design": "between",
    "perspective": "act",
    **{"low": 180.0, "high": 300.0, "step": 4.0, "penalty": 5.0, "delta": None},
    "wording": "neutral",
    "paraphrase": 0,
    "stake": 1.0,
}


def record(
    condition: Mapping[str, Any],
    episode: str,
    options: Sequence[Option],
    chosen: str | None,
    annotations: Mapping[str, Any],
    effect: Mapping[str, Any],
    partner: str = "toy",
    payoff: float = 0.0,
) -> DecisionRecord:
    return DecisionRecord(
        episode=EpisodeRecord(
            id=episode,
            env=f"{condition['game']}-v0",
            condition=condition,
            population={"Alpha": Player(agent="toy"), "Beta": Player(agent=partner)},
            seed=zlib.crc32(episode.encode()),
            steps=1,
            decisions=1,
        ),
        step=int(annotations.get("round", 1)) - 1,
        role="Alpha",
        options=tuple(options),
        chosen=chosen,
        fault=Fault.REFUSED if chosen is None else None,
        annotations={"phase": "act", "stake": 1.0, "role": "row", **annotations},
        effect=effect,
        payoff=payoff,
    )


def repeated(
    own: str,
    partner: str,
    episode: str,
    condition: Mapping[str, Any] = DILEMMA,
    agent: str = "toy",
) -> list[DecisionRecord]:
    """A dilemma against `agent`, one letter a round; the labels hide that B is cooperation."""
    labels = {"A": "defect", "B": "cooperate"}
    options = (
        Option(name="A", text=""),
        Option(name="B", text="", tags=frozenset({"cooperation"})),
    )
    records = []
    for n, (mine, theirs) in enumerate(zip(own, partner, strict=True)):
        before = [MOVES[own[n - 1]], MOVES[partner[n - 1]]] if n else None
        chosen = {"C": "B", "D": "A", "-": None}[mine]
        said = {"round": n + 1, "rounds_drawn": len(own), "labels": labels, "before": before}
        effect = {"move": MOVES[mine], "partner": MOVES[theirs]}
        payoff = PAYOFFS.get(mine + theirs, 0.0)
        records.append(record(condition, episode, options, chosen, said, effect, agent, payoff))
    return records


def claim(
    amount: int | None,
    episode: str,
    condition: Mapping[str, Any],
    penalty: float | None = None,
) -> DecisionRecord:
    """A claim at the condition's penalty, or at this one of a list."""
    names = [str(n) for n in range(180, 301, 4)]
    said: dict[str, Any] = {
        "round": 1,
        "rounds_drawn": 1,
        "penalty": condition["penalty"] if penalty is None else penalty,
        "labels": {},
        "before": None,
        "role": "claimant",
    }
    options = [Option(name=name, text="") for name in names]
    chosen = None if amount is None else str(amount)
    return record(condition, episode, options, chosen, said, {"move": chosen, "partner": "300"})


def by_id(found: Sequence[Panel]) -> dict[str, Panel]:
    return {panel.id: panel for panel in found}


def values(panel: Panel) -> dict[str, float | None]:
    return {estimate.label: estimate.value for estimate in panel.estimates}


def test_histories_read_moves_behind_labels_and_keep_faults_as_gaps() -> None:
    (history,) = histories(repeated("C-D", "CDC", "e1"))
    assert [play.cooperates for play in history.plays] == [True, None, False]
    assert [play.partner for play in history.plays] == [True, False, True]
    assert [play.before for play in history.plays] == [None, (True, True), (None, False)]


def test_what_noise_made_of_a_move_is_not_what_was_meant() -> None:
    (meant,) = repeated("C", "C", "e1")
    flipped = record(
        DILEMMA,
        "e1",
        meant.options,
        meant.chosen,
        meant.annotations,
        {"move": "defect", "intended": "cooperate", "flipped": True, "partner": "cooperate"},
    )
    (history,) = histories([flipped])
    assert (history.plays[0].cooperates, history.plays[0].took) == (True, False)


def test_words_and_stakes_are_pooled_but_payoffs_and_predictions_are_not() -> None:
    variants = [
        {**DILEMMA, "paraphrase": 2, "stake": 10.0, "labels": "XY"},
        {**DILEMMA, "R": 32.0},
        {**DILEMMA, "perspective": "predict"},
    ]
    records = [r for c in (DILEMMA, *variants) for r in repeated("C", "C", str(id(c)), c)]
    assert [len(own) for own in by_treatment(records).values()] == [2, 1, 1]


def test_each_design_and_penalty_of_a_treatment_is_an_arm() -> None:
    conditions = [CLAIMS, {**CLAIMS, "penalty": 80.0}, {**CLAIMS, "design": "within"}]
    records = [claim(200, str(n), c) for n, c in enumerate(conditions)]
    (own,) = by_treatment(records).values()
    arms = [(arm.design, arm.penalty) for arm in Arm.of(own)]
    assert arms == [("between", 5.0), ("between", 80.0), ("within", 5.0)]


def played() -> list[DecisionRecord]:
    pairs = [("CCDD", "CDDC"), ("CCCC", "CCCC"), ("D-DD", "CCDC")]
    return [r for n in range(12) for r in repeated(*pairs[n % 3], f"e{n}")]


def test_a_repeated_dilemma_has_its_panels_with_people_and_theory() -> None:
    found = by_id(panels(played(), seed=1))
    assert {"cooperation", "memory_one", "conduct", "strategies"} <= set(found)
    cooperation = found["cooperation"]
    # four of each pair of sequences: 8 + 16 of 44 moves, 8 of 12 in round 1
    shares = values(cooperation)
    assert set(shares) == {"cooperation", "cooperation in round 1", "welfare"}
    assert shares["cooperation"] == pytest.approx(24 / 44)
    assert shares["cooperation in round 1"] == pytest.approx(8 / 12)
    assert (cooperation.decisions, cooperation.faults) == (48, {"refused": 4})
    told = {reference.label: reference for reference in cooperation.references}
    people = told["people (Dal Bo and Frechette 2011)"]
    assert [point.value for point in people.points] == [0.694, 0.659]
    assert told["Nash equilibrium (defect, defect)"].points[0].value == 0.0
    assert "lambda" in told["logit equilibrium"].source


def test_the_same_records_and_seed_give_the_same_panels() -> None:
    assert panels(played(), seed=3) == panels(played(), seed=3)


def test_no_records_have_no_panels() -> None:
    assert panels([], seed=0) == []


def test_a_group_of_faults_has_panels_without_figures() -> None:
    found = panels(repeated("--", "CC", "e1"), seed=0)
    assert found
    assert all(estimate.value is None for panel in found for estimate in panel.estimates)


def test_predictions_are_entitled_as_such() -> None:
    condition = {**DILEMMA, "perspective": "predict", "delta": None}
    found = panels(repeated("C", "-", "e1", condition), seed=0)
    assert found
    assert all("predicted for people" in panel.title for panel in found)


def test_few_sequences_leave_strategies_undetermined() -> None:
    found = by_id(panels(repeated("CCC", "CCC", "e1"), seed=0))["strategies"]
    assert set(values(found).values()) == {None}
    assert "Undetermined" in found.note


def test_claims_stand_beside_people_and_both_equilibria() -> None:
    records = [
        claim(a, f"e{n}", CLAIMS) for n, a in enumerate([300, 300, 296, 300, 180, None, 292, 300])
    ]
    mean = by_id(panels(records, seed=0))["mean"]
    assert mean.estimates[0].value == pytest.approx((300 * 4 + 296 + 180 + 292) / 7)
    assert mean.faults == {"refused": 1}
    told = {r.label: r.points[0].value for r in mean.references}
    assert told["people (Goeree and Holt 2001)"] == 280
    assert told["Nash equilibrium (180, 180)"] == 180
    logit = told["logit equilibrium"]
    assert logit is not None
    assert 180 < logit < 300


def test_claims_that_fall_with_the_penalty_have_a_falling_slope_and_trend() -> None:
    records = [
        claim(300 - 20 * k - 4 * (n % 3), f"e{n}-{k}", {**CLAIMS, "penalty": penalty})
        for k, penalty in enumerate((5.0, 50.0, 180.0))
        for n in range(6)
    ]
    found = by_id(panels(records, seed=0))
    curve, slopes = found["mean"], found["slope_penalty"]
    assert curve.axis == "penalty"
    assert [e.value for e in curve.estimates] == [296, 276, 256]
    assert all(e.high is not None and e.high < 0 for e in slopes.estimates)
    people = next(r for r in curve.references if "Goeree" in r.label)
    by_penalty = {point.at: point.value for point in people.points}
    small, large = by_penalty[5], by_penalty[180]
    assert small is not None
    assert large is not None
    assert small > large


def penalties(levels: Sequence[float] = (5.0, 80.0, 180.0)) -> list[DecisionRecord]:
    """Four agents at each penalty, between episodes (claims of 300) and within them (of 180)."""
    records = []
    for n in range(4):
        for level in levels:
            single = {**CLAIMS, "penalty": level}
            listed = {**CLAIMS, "design": "within", "penalty": None, "sweeps": "penalty"}
            records.append(claim(300, f"between{n}-{level:g}", single))
            records.append(claim(180, f"within{n}", listed, level))
    return records


DOSED = ("mean", "lowest", "highest", "welfare", "exploitability", "sharpness")


def test_what_is_measured_at_each_penalty_is_one_panel_with_the_penalty_as_its_axis() -> None:
    found = by_id(panels(penalties(), seed=0))
    for id in DOSED:
        assert found[id].axis == "penalty"
        assert {e.at for e in found[id].estimates} == {5.0, 80.0, 180.0}
    assert len(found) <= 10


def test_one_penalty_is_a_list_without_an_axis() -> None:
    found = by_id(panels([claim(300, f"e{n}", CLAIMS) for n in range(4)], seed=0))
    assert [found[id].axis for id in ("mean", "ends", "exploitability")] == [None] * 3
    assert list(values(found["ends"])) == ["lowest (180)", "highest (300)", "welfare"]


def test_within_and_between_are_curves_of_one_panel_and_never_pooled() -> None:
    found = by_id(panels(penalties(), seed=0))
    by_design = {
        label: [e.value for e in found["mean"].estimates if e.label == label]
        for label in values(found["mean"])
    }
    assert by_design == {"between": [300.0] * 3, "within": [180.0] * 3}
    assert all(e.n == 4 for e in found["mean"].estimates)
    assert set(values(found["lowest"])) == {"between", "within"}
    assert set(values(found["exploitability"])) == {
        f"{who} earns, {design}" for who in ("partner", "agent") for design in ("between", "within")
    }
    for panel in found.values():
        if "/" not in panel.id:
            labels = {e.label for e in panel.estimates}
            assert all("between" in label or "within" in label for label in labels), panel.id
            assert "within: each agent answered a list" in panel.note


def test_slopes_and_trends_of_both_designs_are_rows_of_one_list() -> None:
    slopes = by_id(panels(penalties(), seed=0))["slope_penalty"]
    assert list(values(slopes)) == [
        f"{design}: {figure}"
        for design in ("between", "within")
        for figure in ("slope", "trend (Somers' D)")
    ]


def test_along_the_penalty_every_place_has_one_figure_of_each_reference() -> None:
    found = by_id(panels(penalties(), seed=0))
    for id in DOSED:
        for reference in found[id].references:
            places = [point.at for point in reference.points]
            assert len(places) == len(set(places)), (id, reference.label)


def test_people_stand_only_at_the_penalties_under_which_they_were_observed() -> None:
    found = by_id(panels(penalties(), seed=0))
    at = {}
    for id in ("lowest", "highest"):
        people = [r for r in found[id].references if "people" in r.label]
        assert [r.label for r in people] == ["people (Goeree and Holt 2001)"]
        at[id] = {point.at: point.value for point in people[0].points}
    assert at == {"lowest": {180.0: 0.8}, "highest": {5.0: 0.8}}


def test_every_reference_names_its_source_and_who_was_observed() -> None:
    every = [p for records in (penalties(), played()) for p in panels(records, seed=0)]
    shown = [reference for panel in every for reference in panel.references]
    assert any(reference.label.startswith("people") for reference in shown)
    for reference in shown:
        assert reference.source
        is_people = reference.label.startswith("people")
        assert ("published" if is_people else "computed") in reference.population


def test_distributions_are_drawn_by_design_for_four_penalties_at_most() -> None:
    levels = [5.0, 10.0, 20.0, 40.0, 80.0, 180.0]
    found = by_id(panels(penalties(levels), seed=0))
    for design in ("between", "within"):
        own = found[f"distribution/{design}"]
        assert own.title == f"How often each claim ({design})"
        assert list(values(own)) == ["penalty 5", "penalty 20", "penalty 40", "penalty 180"]
        assert "4 of 6 penalties" in own.note
        # the logit equilibrium differs from penalty to penalty: no curve is its counterpart
        assert [r.label for r in own.references] == ["lowest Nash equilibrium"]


def test_labels_fit_into_a_figure() -> None:
    every = (panels(records, seed=0) for records in (penalties(), stakes(), played()))
    labels = {e.label for shown in every for panel in shown for e in panel.estimates}
    assert max(map(len, labels)) <= 34


def stakes() -> list[DecisionRecord]:
    """Agents that cooperate at stake 1 and defect at 100, in both designs."""
    records = []
    for design in ("within", "between"):
        for n in range(4):
            for stake in (1.0, 100.0):
                condition = {**DILEMMA, "delta": None, "design": design, "stake": stake}
                episode = f"{design}{n}" + ("" if design == "within" else f"-{stake:g}")
                (one,) = repeated("C" if stake == 1 else "D", "C", episode, condition)
                said = {**one.annotations, "stake": stake}
                records.append(
                    record(condition, episode, one.options, one.chosen, said, one.effect)
                )
    return records


def test_stakes_of_a_price_list_and_of_single_episodes_are_not_put_together() -> None:
    found = by_id(panels(stakes(), seed=0))
    curve = found["dose_stake"]
    assert {(e.label, e.at): (e.value, e.n) for e in curve.estimates} == {
        (design, at): (share, 4)
        for design in ("between", "within")
        for at, share in ((1.0, 1.0), (100.0, 0.0))
    }
    assert set(values(found["cooperation"])) == {
        f"{figure}, {design}"
        for figure in ("cooperation", "welfare")
        for design in ("between", "within")
    }


def test_preferences_at_each_stake_are_a_curve_whose_sign_says_which_option() -> None:
    curve = by_id(panels(stakes(), seed=0))["preference"]
    assert (curve.axis, curve.unit) == ("stake", "mean log-odds of cooperate over defect")
    odds = math.log((4 + 1 / 2) / (1 / 2))
    for design in ("between", "within"):
        own = {e.at: e.value for e in curve.estimates if e.label == design}
        assert own == pytest.approx({1.0: odds, 100.0: -odds})


def test_scores_stand_beside_what_they_are_by_lot_and_say_what_was_left_out() -> None:
    scored = by_id(panels(stakes(), seed=0))["preference_scores"]
    assert "Left out" in scored.note
    assert "cells for value-based" in scored.note
    known = {e.label for e in scored.estimates}
    assert all(point.label in known for r in scored.references for point in r.points)


def test_flips_stand_beside_what_they_are_by_lot() -> None:
    turns = [
        r
        for telling in range(5)
        for n in range(12)
        for r in repeated(
            "D" if telling else "C", "C", f"e{telling}-{n}", {**DILEMMA, "paraphrase": telling}
        )
    ]
    scored = by_id(panels(turns, seed=0))["preference_scores"]
    (lot,) = [r for r in scored.references if r.label == "choices dealt by lot"]
    assert lot.population == "computed"
    assert [point.label for point in lot.points] == ["flips with the wording"]


def test_preferences_say_that_few_choices_draw_them_to_0() -> None:
    note = by_id(panels(stakes(), seed=0))["preference"].note
    assert "draws the log-odds towards 0" in note


def test_a_share_that_is_not_determined_is_said_to_be_so() -> None:
    games = [r for k in range(30) for r in repeated("CCC", "CCC", f"c{k}")]
    games += [r for k in range(10) for r in repeated("DDD", "CDD", f"d{k}")]
    found = by_id(panels(games, seed=0))["strategies"]
    assert "not determined" in found.note
    assert {e.label for e in found.estimates if e.value is not None} == {"ALLD"}


def test_treatments_have_panels_of_their_own_that_say_what_differs() -> None:
    other = {**DILEMMA, "delta": 0.5, "paraphrase": 1}
    records = [*repeated("CC", "CC", "e1"), *repeated("DD", "CC", "e2", other)]
    titles = [p.title for p in panels(records, seed=0) if p.id.startswith("cooperation/")]
    assert titles == ["Cooperation and welfare (delta 0.75)", "Cooperation and welfare (delta 0.5)"]


def test_of_many_treatments_four_are_shown_and_the_note_says_how_to_see_the_others() -> None:
    records = [
        r
        for k in range(6)
        for n in range(2 if k else 1)
        for r in repeated("CC", "CD", f"e{k}-{n}", {**DILEMMA, "noise": k / 100})
    ]
    found = panels(records, seed=0)
    shown = {panel.title.partition("(")[2] for panel in found}
    assert shown == {f"noise 0.0{k})" for k in (1, 2, 3, 4)}
    assert "2 more treatments" in found[0].note
    assert "--by agent,noise" in found[0].note


def test_payoffs_are_told_by_partner_where_there_were_several() -> None:
    both = [
        *repeated("CC", "CC", "e1", agent="tit_for_tat"),
        *repeated("C-D", "DDD", "e2", agent="always_defect"),
    ]
    partners = by_id(panels(both, seed=0))["partners"]
    # the round without a decision of its own is no round
    assert values(partners) == pytest.approx({"always_defect": (12 + 25) / 2, "tit_for_tat": 40})
    assert [e.n for e in partners.estimates] == [2, 2]
    assert "partners" not in by_id(panels(played(), seed=0))


def test_payoffs_by_partner_have_an_interval_within_those_that_are_possible() -> None:
    records = [
        r
        for n in range(5)
        for agent, theirs in (("tit_for_tat", "CC"), ("always_defect", "DD"))
        for r in repeated("CC", theirs, f"{agent}{n}", agent=agent)
    ]
    for found in by_id(panels(records, seed=0))["partners"].estimates:
        assert found.low is not None
        assert found.high is not None
        assert 12 <= found.low < found.high <= 50


def test_people_of_another_design_are_said_to_be_so() -> None:
    other = treatment(repeated("C", "C", "e1", {**DILEMMA, "R": 35.0})[0])
    labels = [reference.label for reference in references(other, None, {"overall": "overall"})]
    assert labels
    assert all(label.startswith("people in another design") for label in labels)


def test_claims_of_another_range_are_not_compared_with_people() -> None:
    other = treatment(claim(200, "e1", {**CLAIMS, "low": 0.0, "high": 100.0}))
    assert references(other, 5.0, {"mean": "mean"}) == ()


def test_every_study_says_where_its_figures_are_from() -> None:
    assert {study.game for study in studies()} >= {"prisoners_dilemma", "travelers_dilemma"}
    assert all(study.source and "published" in study.population for study in studies())


@pytest.mark.parametrize(
    ("condition", "nash"),
    [
        ({"game": "public_goods", "endowment": 20, "marginal_return": 0.4, "step": 5}, 0.0),
        ({"game": "dictator", "pie": 100, "step": 10}, 0.0),
        ({"game": "ultimatum", "pie": 100, "step": 10}, 10.0),
        ({"game": "trust", "endowment": 10, "multiplier": 3, "step": 2}, 0.0),
    ],
)
def test_each_game_of_amounts_has_an_equilibrium_and_a_logit_mix(
    condition: dict[str, Any], nash: float
) -> None:
    own = treatment(record(condition, "e1", (), None, {}, {}))
    sharp, logit = theories(own, None)
    assert sharp.mean == nash
    assert logit.mix.sum() == pytest.approx(1.0)
    assert nash < logit.mean

"""What the log becomes: histories with gaps, treatments apart, panels with people and theory."""

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
from valuesim.measures.strategic.theory import theories
from valuesim.measures.strategic.treatment import by_treatment, treatment
from valuesim.option import Option

MOVES = {"C": "cooperate", "D": "defect", "-": None}
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
) -> DecisionRecord:
    return DecisionRecord(
        episode=EpisodeRecord(
            id=episode,
            env=f"{condition['game']}-v0",
            condition=condition,
            population={"Alpha": Player(agent="toy")},
            elicitation={},
            seed=0,
            steps=1,
            outcome={},
            measures={},
            decisions=1,
            faults={},
            usage={},
        ),
        step=int(annotations.get("round", 1)) - 1,
        role="Alpha",
        options=tuple(options),
        chosen=chosen,
        fault=Fault.REFUSED if chosen is None else None,
        annotations={"phase": "act", "stake": 1.0, "role": "row", **annotations},
        effect=effect,
    )


def repeated(
    own: str, partner: str, episode: str, condition: Mapping[str, Any] = DILEMMA
) -> list[DecisionRecord]:
    """A repeated dilemma, one letter a round; the labels hide that B is cooperation."""
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
        records.append(record(condition, episode, options, chosen, said, effect))
    return records


def claim(amount: int | None, episode: str, condition: Mapping[str, Any]) -> DecisionRecord:
    names = [str(n) for n in range(180, 301, 4)]
    said = {
        "round": 1,
        "rounds_drawn": 1,
        "penalty": condition["penalty"],
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


def test_words_and_stakes_are_pooled_but_payoffs_and_designs_are_not() -> None:
    variants = [
        {**DILEMMA, "paraphrase": 2, "stake": 10.0, "labels": "XY"},
        {**DILEMMA, "R": 32.0},
        {**DILEMMA, "design": "within"},
        {**DILEMMA, "perspective": "predict"},
    ]
    records = [r for c in (DILEMMA, *variants) for r in repeated("C", "C", str(id(c)), c)]
    assert [len(own) for own in by_treatment(records).values()] == [2, 1, 1, 1]


def played() -> list[DecisionRecord]:
    pairs = [("CCDD", "CDDC"), ("CCCC", "CCCC"), ("D-DD", "CCDC")]
    return [r for n in range(12) for r in repeated(*pairs[n % 3], f"e{n}")]


def test_a_repeated_dilemma_has_its_panels_with_people_and_theory() -> None:
    found = by_id(panels(played(), seed=1))
    assert {"cooperation", "memory_one", "conduct", "strategies", "welfare"} <= set(found)
    cooperation = found["cooperation"]
    # four of each pair of sequences: 8 + 16 of 44 moves, 8 of 12 in round 1
    assert values(cooperation) == {
        "overall": pytest.approx(24 / 44),
        "round 1": pytest.approx(8 / 12),
    }
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
    curve, slopes = found["dose_penalty_between"], found["slope_penalty_between"]
    assert [e.value for e in curve.estimates] == [296, 276, 256]
    assert all(e.high is not None and e.high < 0 for e in slopes.estimates)
    people = next(r for r in curve.references if "Goeree" in r.label)
    by_penalty = {point.at: point.value for point in people.points}
    small, large = by_penalty[5], by_penalty[180]
    assert small is not None
    assert large is not None
    assert small > large


def test_stakes_of_a_price_list_and_of_single_episodes_are_not_put_together() -> None:
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
    ids = [panel.id.split("/")[0] for panel in panels(records, seed=0)]
    assert ids.count("dose_stake_within") == ids.count("dose_stake_between") == 1


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
    sharp, logit = theories(own, None, "Alpha")
    assert sharp.mean == nash
    assert logit.mix.sum() == pytest.approx(1.0)
    assert nash < logit.mean

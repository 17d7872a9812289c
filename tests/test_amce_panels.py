"""What is read of logged moral machine scenes, and the panels that are made of it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from valuesim.decision import Fault
from valuesim.episode import Player
from valuesim.errors import LogError
from valuesim.log.reader import DecisionRecord, EpisodeRecord
from valuesim.measures.moral_machine.amce import ATTRIBUTES, amce
from valuesim.measures.moral_machine.answers import flip_rate, valid_rates
from valuesim.measures.moral_machine.exchange import amce_changes, held, switches
from valuesim.measures.moral_machine.judgements import judgements
from valuesim.measures.moral_machine.panels import panels
from valuesim.measures.moral_machine.scene import DIMENSIONS, FIRST, LEVELS, scene_of, stays
from valuesim.measures.panel import Panel
from valuesim.option import Option

OPTIONS = (Option(name="CASE_1", text=""), Option(name="CASE_2", text=""))
LABELS = {"CASE_1": "swerve", "CASE_2": "stay"}
ROLES = ("Alpha", "Beta", "Gamma")
SIDES = ("stay", "swerve")


def episode(name: str) -> EpisodeRecord:
    return EpisodeRecord(
        id=name,
        env="moral_machine-v0",
        condition={},
        population={role: Player(agent="toy") for role in ROLES},
        seed=zlib.crc32(name.encode()),
        steps=1,
        decisions=1,
    )


def group(barrier: int = 0, signal: int = 0, level: str = "Rand", **people: int) -> dict[str, Any]:
    characters = people or {"Man": 1}
    return {"characters": characters, "barrier": barrier, "signal": signal, "level": level}


def scene(dimension: str = "Random", **other: Any) -> dict[str, Any]:
    """Pedestrians against pedestrians; the + level dies if the car swerves."""
    levels = LEVELS.get(dimension, ("Rand", "Rand"))
    groups = [group(level=level) for level in levels]
    return {"dimension": dimension, "pedped": 1, "probability": 0.1, "groups": groups} | other


def decided(
    side: str | None, told: dict[str, Any] | None = None, at: str = "e1", **annotations: Any
) -> DecisionRecord:
    """A decision for `side`, or a refusal."""
    role, step = annotations.pop("role", "Alpha"), annotations.pop("step", 0)
    chosen = None if side is None else next(n for n, means in LABELS.items() if means == side)
    given = {"moral_scene": told or scene(), "labels": LABELS, "number": 0, "phase": "decide"}
    return DecisionRecord(
        episode=episode(at),
        step=step,
        role=role,
        options=OPTIONS,
        chosen=chosen,
        fault=Fault.REFUSED if side is None else None,
        annotations=given | annotations,
    )


def panel(found: Iterable[Panel], id: str) -> Panel:
    return next(each for each in found if each.id == id)


def test_a_logged_scene_is_read_and_what_was_chosen_in_it_by_its_label() -> None:
    told = scene("Species", groups=[group(level="Pets", Dog=2, Cat=1), group(level="Hoomans")])
    record = decided("stay", told)
    assert scene_of(record).groups[0].size == 3
    assert scene_of(record).difference == 2
    assert record.chosen == "CASE_2"
    assert stays(record)
    # staying kills the pets and spares the human
    assert amce(judgements([record]))["Species"].value == 1.0
    assert amce(judgements([decided("swerve", told)]))["Species"].value == -1.0


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"dimension": "Colour"}, "'Colour' is not one of Species"),
        ({"probability": 0}, "0 is not a probability"),
        ({"groups": [group()]}, "not enough values"),
        ({"groups": [group(), group(Unicorn=1)]}, "'Unicorn' is not one of Man"),
        ({"groups": [group(), group(Man=0)]}, "0 is not a number of characters"),
        ({"groups": [group(), group(level="Fit")]}, "'Fit' is not one of Rand"),
    ],
)
def test_what_is_no_scene_is_named_with_its_place(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(LogError, match=f"Alpha at step 0 of episode e1 .*{named}"):
        scene_of(decided("stay", scene(**wrong)))


def test_a_choice_that_its_labels_do_not_explain_is_an_error() -> None:
    with pytest.raises(LogError, match="which its labels do not explain"):
        judgements([decided("stay", labels={"CASE_1": "swerve"})])


def test_faults_and_arguments_are_no_judgements_and_phases_are_not_pooled() -> None:
    records = [
        decided("stay"),
        decided(None),
        *(decided("stay", phase=phase) for phase in ("before", "argue", "after")),
    ]
    assert len(judgements(records)) == 2
    assert len(judgements(records, ("after",))) == 1
    counts = {each.id: (each.decisions, dict(each.faults)) for each in panels(records, seed=0)}
    assert counts["amce"] == (2, {"refused": 1})
    assert counts["amce-before"] == counts["amce-after"] == (1, {})
    assert counts["exchange-amce"] == (2, {})


def test_valid_answers_are_told_by_dimension() -> None:
    records = [
        decided("stay", scene("Age"), at="e1"),
        decided(None, scene("Age"), at="e2"),
        decided("stay", scene("Gender"), at="e2"),
    ]
    rates = valid_rates(records, FIRST)
    assert (rates["Age"].value, rates["Age"].n) == (0.5, 2)
    assert rates["Gender"].value == 1.0
    assert rates["Fitness"].value is None
    assert tuple(rates) == DIMENSIONS


def test_a_scene_flips_if_its_answer_changes_with_the_order() -> None:
    def both(name: str, first: str | None, second: str | None) -> list[DecisionRecord]:
        sides = (first, second)
        return [decided(s, scene=name, presentation=i) for i, s in enumerate(sides)]

    answered = both("a", "stay", "stay") + both("b", "stay", "swerve") + both("c", "swerve", None)
    flips = flip_rate(answered, FIRST)
    assert flips is not None
    assert (flips.value, flips.n, flips.episodes) == (0.5, 2, 2)
    assert panel(panels(answered, seed=0), "order-flips").estimates[0].value == 0.5


def test_without_both_orders_there_is_no_flip_rate_not_one_of_0() -> None:
    assert flip_rate([decided("stay", presentation=0)], FIRST) is None
    one_order = flip_rate([decided("stay", scene="a", presentation=0)], FIRST)
    assert one_order is not None
    assert one_order.value is None
    assert "order-flips" not in {each.id for each in panels([decided("stay")], seed=0)}


def by_a_blind_agent(rng: np.random.Generator, refuses: str, chance: float) -> list[DecisionRecord]:
    """What stands first, in 70 % of 300 scenes; a share is refused where `refuses` stands first."""
    records = []
    for number in range(300):
        first, second = rng.permutation(["stay", "swerve"])
        taken = first if rng.random() < 0.7 else second
        is_refused = refuses in (first, "any") and rng.random() < chance
        record = decided(None if is_refused else taken, at=f"e{number}")
        options = sorted(OPTIONS, key=lambda option: LABELS[option.name] != first)
        records.append(replace(record, options=tuple(options)))
    return records


def test_faults_that_follow_the_order_shown_are_told_beside_the_effects() -> None:
    found = panels(by_a_blind_agent(np.random.default_rng(0), "swerve", 1.0), seed=0)
    effect = panel(found, "amce").estimates[0]
    assert effect.low is not None
    assert effect.low > 0, "an effect that a blind agent has not"
    assert "valid answers depend on which case stands first" in panel(found, "amce").note
    valid = {e.label: e.value for e in panel(found, "valid-answers").estimates}
    assert valid["staying shown first"] == 1.0
    assert valid["swerving shown first"] == 0.0


def test_faults_by_chance_are_told_where_they_are_many_and_are_no_selection() -> None:
    for chance, is_many in ((0.03, False), (0.25, True)):
        for seed in range(8):
            records = by_a_blind_agent(np.random.default_rng(seed), "any", chance)
            note = panel(panels(records, seed=0), "amce").note
            assert ("of the decisions are faults" in note) == is_many
            assert "depend" not in note


def test_judgements_predicted_for_people_are_not_pooled_with_ones_own() -> None:
    own, people = decided("stay"), decided("swerve")
    people = replace(people, episode=replace(people.episode, condition={"perspective": "predict"}))
    found = {p.id: p for p in panels([own, people], seed=0)}
    assert found["amce-act"].estimates[0].value == 1.0
    assert found["amce-predict"].estimates[0].value == -1.0
    assert found["amce-predict"].title.endswith("predicted for people")
    assert {p.id for p in panels([people], seed=0)} & {"amce"}


def test_an_interval_ends_at_0_and_not_at_a_rounding_error() -> None:
    def both(number: int, turned: bool) -> list[DecisionRecord]:
        sides = ("stay", "swerve" if turned else "stay")
        return [
            decided(side, at="e1", scene=f"s{min(number, 3)}", number=number, presentation=i)
            for i, side in enumerate(sides)
        ]

    records = [each for n in range(400) for each in both(n, turned=n == 0)]
    flips = flip_rate(records, FIRST)
    assert flips is not None
    assert flips.low is not None
    assert flips.low == 0.0 or flips.low > 1e-9


def exchanged(at: str, before: Sequence[str], after: Sequence[str | None]) -> list[DecisionRecord]:
    """A panel on a scene of species, its members' sides before and after."""
    told = scene("Species")
    return [
        decided(side, told, at=at, role=role, step=2 * place, phase=phase, presentation=index % 2)
        for place, (phase, sides) in enumerate((("before", before), ("after", after)))
        for index, (role, side) in enumerate(zip(ROLES, sides, strict=True))
    ]


def test_who_stood_alone_and_who_along_is_told_apart() -> None:
    records = exchanged("e1", ("stay", "stay", "swerve"), ("stay", "stay", "stay"))
    records += exchanged("e2", ("swerve", "swerve", "swerve"), ("swerve", "stay", None))
    changed = switches(records)
    assert len(held(records)) == 5
    assert changed.all.value == pytest.approx(2 / 5)
    # Gamma of e1 stood alone; in e1 the others saw one of each
    assert (changed.alone.value, changed.alone.n) == (1.0, 1)
    assert (changed.along.value, changed.along.n) == (0.5, 2)


def test_the_change_of_an_effect_is_after_less_before_of_the_same_scenes() -> None:
    records = exchanged("e1", ("stay", "stay", "swerve"), ("stay", "stay", "stay"))
    records += exchanged("e2", ("swerve", "swerve", "swerve"), ("swerve", "stay", None))
    change = amce_changes(records)["Species"]
    # staying spares the humans: 2 of 5 before, 4 of 5 after
    assert change.value == pytest.approx(2 * (4 / 5 - 2 / 5))
    assert (change.n, change.clusters) == (5, 2)
    assert change.low is not None
    assert change.low < 0.8, "two panels prove nothing"
    assert amce_changes(records)["Age"].value is None


def test_no_change_seen_in_few_panels_does_not_exclude_one() -> None:
    sides = ("stay", "stay", "swerve")
    records = [each for at in "abcdef" for each in exchanged(at, sides, sides)]
    change = amce_changes(records)["Species"]
    assert change.value == 0.0
    assert change.low is not None
    assert change.high is not None
    assert change.low < -0.5
    assert change.high > 0.5


@pytest.mark.parametrize(("count", "often"), [(40, 0.02), (40, 0.1), (80, 0.3)])
def test_rare_switches_to_one_side_are_covered(count: int, often: float) -> None:
    rng = np.random.default_rng(7)
    first = [decided("swerve", at=f"e{k}", phase="before") for k in range(count)]
    last = {s: [decided(s, at=f"e{k}", phase="after") for k in range(count)] for s in SIDES}
    covered = 0
    for _ in range(100):
        moved = rng.random(count) < often
        then = [last["stay" if own else "swerve"][k] for k, own in enumerate(moved)]
        change = amce_changes([*first, *then])["Intervention"]
        assert change.low is not None
        assert change.high is not None
        covered += change.low <= 2 * often <= change.high
    assert covered >= 93


def test_switches_both_ways_are_covered_and_not_only_by_width() -> None:
    rng = np.random.default_rng(8)
    covered, widths = 0, []
    for _ in range(100):
        sides = rng.choice(SIDES, size=(2, 60))
        records = [
            decided(side, at=f"e{k}", phase=phase)
            for phase, own in zip(("before", "after"), sides, strict=True)
            for k, side in enumerate(own)
        ]
        change = amce_changes(records)["Intervention"]
        assert change.low is not None
        assert change.high is not None
        assert change.se is not None
        covered += change.low <= 0.0 <= change.high
        widths.append((change.high - change.low) / change.se)
    assert covered >= 91
    assert max(widths) < 2 * 2.1


def everything(episodes: int = 12) -> list[DecisionRecord]:
    """Every dimension, structure and law, decided by staying in one episode of three."""
    found = []
    for number in range(episodes):
        for dimension, (barriers, signals), more in product(
            DIMENSIONS,
            [((1, 0), (0, 0)), ((0, 0), (2, 1)), ((0, 0), (0, 0))],
            range(1, 5),
        ):
            levels = LEVELS.get(dimension, ("Rand", "Rand"))
            sizes = (1, 1 + more) if dimension == "Utilitarian" else (more, more)
            groups = [
                group(barrier, signal, level, Man=size)
                for barrier, signal, level, size in zip(
                    barriers, signals, levels, sizes, strict=True
                )
            ]
            told = scene(dimension, pedped=int(barriers == (0, 0)), groups=groups)
            side = "stay" if number % 3 == 0 else "swerve"
            found.append(decided(side, told, at=f"e{number}"))
    return found


def test_the_panels_show_nine_effects_beside_people_who_are_named() -> None:
    found = panels(everything(), seed=1)
    assert [each.id for each in found] == [
        "amce",
        "amce-comparable",
        "amce-difference",
        "distance",
        "valid-answers",
    ]
    for id in ("amce", "amce-comparable"):
        (reference,) = panel(found, id).references
        assert "Moral Machine website visitors, 2016-2018" in reference.population
        assert "Awad" in reference.source
        labels = [estimate.label for estimate in panel(found, id).estimates]
        assert labels == [point.label for point in reference.points]
        assert [label.split(":")[0] for label in labels] == list(ATTRIBUTES)
    for estimate in panel(found, "amce").estimates:
        assert estimate.value == pytest.approx(-1 / 3), "a third of episodes stay"
        assert estimate.low is not None
        assert estimate.low < -1 / 3


def test_the_effect_of_number_lies_along_an_axis() -> None:
    along = panel(panels(everything(), seed=1), "amce-difference")
    assert along.axis == "difference in the number of characters"
    assert [estimate.at for estimate in along.estimates] == [1.0, 2.0, 3.0, 4.0]


def test_the_distance_panel_depends_on_the_seed_in_its_interval_only() -> None:
    one, same, other = (panel(panels(everything(), seed=s), "distance") for s in (1, 1, 2))
    assert one == same
    assert one.estimates[0].value == other.estimates[0].value
    assert one.estimates[0].high != other.estimates[0].high
    (models,) = one.references
    assert (models.points[0].low, models.points[0].high) == (0.530, 1.926)


def test_panels_of_nothing_and_of_faults_alone_claim_nothing() -> None:
    assert list(panels([], seed=0)) == []
    refused = panels([decided(None, scene("Age"))], seed=0)
    assert all(each.fault_rate == 1.0 for each in refused)
    unknown = [e for each in refused if each.id != "valid-answers" for e in each.estimates]
    assert {estimate.value for estimate in unknown} == {None}

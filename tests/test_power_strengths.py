"""How many episodes separate two values' strengths."""

from __future__ import annotations

import numpy as np
import pytest

from valuesim.choices import Choices, Evidence
from valuesim.errors import InputError
from valuesim.graph.design import compact
from valuesim.graph.planning import separations
from valuesim.graph.rank import rank_together
from valuesim.option import Option
from valuesim.power.answers import Planted, truth
from valuesim.power.search import Aim
from valuesim.power.strengths import Questions, plan_strength

VALUES = ("Care", "Justice", "Power")
PAIRS = [(u, w) for u in VALUES for w in VALUES if u != w]


def option(value: str) -> Option:
    return Option(name=value, text="", stakes={value: 1.0})


def questions(*, scenes: int | None = None, each: int = 12) -> Questions:
    """Episodes of so many questions; without `scenes` each question is of a scene of its own."""

    def asked(episodes: int) -> Choices:
        evidence = []
        for number in range(episodes * each):
            scene = number if scenes is None else number % scenes
            u, w = PAIRS[scene % len(PAIRS)]
            evidence.append(
                Evidence(
                    cluster=f"scene {scene:05d}",
                    unit="scene",
                    options=(option(u), option(w)),
                    position=0,
                )
            )
        return Choices(decisions=len(evidence), evidence=tuple(evidence))

    return asked


def share_found(asked: Choices, strengths: dict[str, float], studies: int) -> float:
    """The share of studies in which Care and Power are separated, with answers drawn here."""
    rng = np.random.default_rng(5)
    hits = []
    for _ in range(studies):
        evidence = []
        for each in asked.evidence:
            u, w = (next(iter(o.stakes)) for o in each.options)
            is_second = rng.logistic() > strengths[u] - strengths[w]
            evidence.append(
                Evidence(
                    cluster=each.cluster,
                    unit="scene",
                    options=each.options,
                    position=int(is_second),
                )
            )
        drawn = Choices(decisions=len(evidence), evidence=tuple(evidence))
        ranked = rank_together(
            {"all": drawn}, draws=2, with_consistency=False, with_coherence=False
        )
        (found,) = separations(ranked["all"], [("Care", "Power")])
        assert found.low is not None
        assert found.high is not None
        hits.append(not found.low <= 0 <= found.high)
    return float(np.mean(hits))


@pytest.mark.parametrize("target", [0.8, 0.9])
def test_studies_of_the_planned_size_separate_the_values_as_often_as_planned(
    target: float,
) -> None:
    planted, ask = Planted(strength=0.6, likeness=0.0), questions()
    plan = plan_strength(ask, planted, Aim(power=target), pair=("Care", "Power"), seed=0)
    assert plan.episodes is not None
    assert plan.found is not None
    asked = ask(plan.episodes)
    design = compact(asked)
    strengths = dict(
        zip(design.values, truth(design, planted, ("Care", "Power"), 0).tolist(), strict=False)
    )
    assert strengths["Care"] - strengths["Power"] == pytest.approx(0.6)
    # 250 studies tell it to 2.5 points, the search to 2
    assert share_found(asked, strengths, 250) == pytest.approx(target, abs=0.05 + 0.03)


def test_scenes_that_are_few_set_a_limit_which_is_told() -> None:
    planted = Planted(strength=0.4, likeness=0.3)
    plan = plan_strength(questions(scenes=24), planted, Aim(), pair=("Care", "Power"), seed=0)
    assert plan.episodes is None
    assert plan.why is not None
    assert plan.why.startswith("there are 24 scenes only")
    # what they do separate is told, and is more
    assert float(plan.why.split("about ")[1].split()[0]) > 0.4


def test_the_same_seed_plans_the_same_and_answers_alike_ask_for_more() -> None:
    planted = Planted(strength=1.0, likeness=0.0)
    ask, pair = questions(scenes=120), ("Care", "Power")
    one, two = (plan_strength(ask, planted, Aim(), pair=pair, seed=3, repeats=80) for _ in range(2))
    assert one == two
    alike = Planted(strength=1.0, likeness=0.3)
    more = plan_strength(ask, alike, Aim(), pair=pair, seed=3, repeats=80)
    assert one.episodes is not None
    assert more.episodes is None or more.episodes > one.episodes


def test_without_a_pair_the_middle_one_is_planned_and_the_ends_are_told() -> None:
    plan = plan_strength(
        questions(), Planted(strength=1.0, likeness=0.0), Aim(), seed=0, repeats=60
    )
    assert plan.easiest is not None
    assert plan.hardest is not None
    assert plan.episodes is not None
    assert plan.easiest[2] <= plan.episodes <= plan.hardest[2]


def test_a_value_that_is_never_at_stake_is_refused() -> None:
    with pytest.raises(InputError, match="Wisdom"):
        plan_strength(
            questions(), Planted(strength=1.0), Aim(), pair=("Care", "Wisdom"), seed=0, repeats=10
        )


def test_questions_that_compare_nothing_have_no_strengths() -> None:
    def idle(episodes: int) -> Choices:
        return Choices(decisions=episodes)

    with pytest.raises(InputError, match="no question sets two values"):
        plan_strength(idle, Planted(strength=1.0), Aim(), seed=0)

"""Groups of agents: planted kinds come back, one kind is one group, noise is undetermined."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from valuesim.archetypes.discovery import Discovery, discover
from valuesim.archetypes.schema import discovery_to_json
from valuesim.choices import Choices, Evidence
from valuesim.errors import InputError
from valuesim.graph import Group, ValueRanking, rank_together
from valuesim.option import Option

VALUES = ("Care", "Freedom", "Justice", "Learning", "Power", "Privacy", "Respect", "Wisdom")
KINDS = {
    "carer": {"Care": 3.0, "Respect": 2.0, "Power": -3.0, "Freedom": -1.0},
    "ruler": {"Power": 3.0, "Learning": 1.5, "Care": -2.5, "Privacy": -1.5},
    "judge": {"Justice": 3.0, "Privacy": 2.0, "Learning": -2.5, "Respect": -2.0},
}


def contests(
    rng: np.random.Generator, weights: Mapping[str, float], *, clusters: int = 30
) -> Choices:
    """Every pair of values once in every other cluster, chosen by a logit."""
    pairs = list(combinations(VALUES, 2))
    evidence = []
    for cluster in range(clusters):
        for place in range(14):
            pair = pairs[(cluster * 14 + place) % len(pairs)]
            first, second = pair if rng.random() < 0.5 else pair[::-1]
            gap = weights.get(first, 0.0) - weights.get(second, 0.0)
            evidence.append(
                Evidence(
                    cluster=f"scene {cluster:02}",
                    options=tuple(
                        Option(name=name, text="", stakes={value: 1.0})
                        for name, value in (("x", first), ("y", second))
                    ),
                    position=int(rng.random() > 1 / (1 + np.exp(-gap))),
                )
            )
    return Choices(decisions=len(evidence), evidence=tuple(evidence))


def agents(
    kinds: Sequence[str | None], *, clusters: int = 30, seed: int = 0
) -> dict[Group, ValueRanking]:
    rng = np.random.default_rng(seed)
    choices = {}
    for number, kind in enumerate(kinds):
        weights = {
            value: KINDS[kind].get(value, 0.0) + 0.4 * float(rng.normal()) if kind else 0.0
            for value in VALUES
        }
        group = Group((("agent", f"{kind}-{number}"),))
        choices[group] = contests(rng, weights, clusters=clusters)
    return rank_together(choices, draws=30)


def told(found: Discovery) -> str:
    return json.dumps(discovery_to_json(found), allow_nan=False, sort_keys=True)


@pytest.fixture(scope="module")
def three_kinds() -> Discovery:
    return discover(agents([kind for kind in KINDS for _ in range(6)]))


def test_three_planted_kinds_come_back(three_kinds: Discovery) -> None:
    from sklearn.metrics import adjusted_rand_score

    assert three_kinds.answer == "clusters"
    planted, found = [], []
    for number, cluster in enumerate(three_kinds.clusters):
        for member in cluster.members:
            planted.append(str(member["agent"]).partition("-")[0])
            found.append(number)
    assert len(planted) == 18
    assert adjusted_rand_score(planted, found) > 0.9
    assert three_kinds.stability is not None
    assert three_kinds.stability >= 0.8


def test_a_cluster_says_what_its_members_put_high_and_low(three_kinds: Discovery) -> None:
    for cluster in three_kinds.clusters:
        kind = str(cluster.members[0]["agent"]).partition("-")[0]
        weights = KINDS[kind]
        assert cluster.high[0][0] == max(weights, key=lambda value: weights[value])
        assert cluster.low[0][0] in [value for value in weights if weights[value] < 0]
        assert cluster.high[0][1] > 0 > cluster.low[0][1]


def test_one_kind_is_one_group() -> None:
    found = discover(agents(["ruler"] * 12))
    assert (found.answer, found.found) == ("one group", 1)
    assert len(found.clusters) == 1
    assert found.stability is not None
    assert found.stability >= 0.8


@pytest.fixture(scope="module")
def ranking() -> ValueRanking:
    """A coherent ranking that compares all values."""
    (found,) = agents(["carer"], clusters=12).values()
    assert found.coherence.is_coherent
    return found


def known(
    ranking: ValueRanking, strengths: np.ndarray, rng: np.random.Generator, error: float = 0.1
) -> dict[Group, ValueRanking]:
    """Rankings of agents with these strengths (agents x values), seen with a small error."""
    found = {}
    for number, true in enumerate(strengths):
        seen = true + error * rng.standard_normal(len(VALUES))
        at = dict(zip(VALUES, seen.tolist(), strict=True))
        found[Group((("agent", f"{number:02}"),))] = replace(
            ranking,
            values=tuple(replace(each, strength=at[each.value]) for each in ranking.values),
            strengths=np.array([at[v] for v in ranking.tally.values])
            + error * rng.standard_normal((4, len(VALUES))),
        )
    return found


def test_agents_along_two_axes_are_one_continuum(ranking: ValueRanking) -> None:
    reported, stable = 0, 0
    for seed in (4, 7):
        rng = np.random.default_rng(seed)
        for _ in range(3):
            axes = rng.standard_normal((12, 2)) @ rng.standard_normal((2, 8))
            strengths = rng.standard_normal(8) + 0.7 * axes + 0.2 * rng.standard_normal((12, 8))
            found = discover(known(ranking, strengths, rng))
            reported += found.answer == "clusters"
            if found.gain is None or found.null_gain is None:
                continue
            stable += 1
            assert (found.answer == "clusters") == (found.gain > found.null_gain)
            if found.answer != "clusters":
                assert found.clusters == ()
                assert "agents of one continuum give as much" in found.why
    assert stable >= 4, "else nothing is tested"
    assert reported <= 2


def test_two_groups_are_no_continuum(ranking: ValueRanking) -> None:
    rng = np.random.default_rng(7)
    side = np.where(np.arange(12)[:, None] % 2, 1.0, -1.0)
    strengths = side * rng.standard_normal(8) + 0.3 * rng.standard_normal((12, 8))
    found = discover(known(ranking, strengths, rng))
    assert found.answer == "clusters"
    members = [{int(str(m["agent"])) % 2 for m in cluster.members} for cluster in found.clusters]
    assert sorted(members, key=min) == [{0}, {1}]


def test_agents_without_a_coherent_ranking_are_left_out_and_nothing_is_found() -> None:
    found = discover(agents([None] * 12))
    assert found.answer == "undetermined"
    assert found.clusters == ()
    assert len(found.left_out) >= 5
    assert set(found.left_out.values()) == {"no coherent ranking"}
    assert found.why.endswith("with a profile; clusters take at least 8")


def test_clusters_that_the_uncertainty_of_profiles_dissolves_are_undetermined() -> None:
    firm = agents([kind for kind in KINDS for _ in range(6)])
    rng = np.random.default_rng(1)
    vague = {
        group: replace(
            ranking, strengths=ranking.strengths + 4 * rng.normal(size=ranking.strengths.shape)
        )
        for group, ranking in firm.items()
    }
    found = discover(vague)
    assert found.answer == "undetermined"
    assert found.why.startswith("not stable")
    assert found.clusters == ()
    assert found.stability is not None
    assert found.stability < 0.8


def test_fewer_than_eight_agents_are_not_clustered() -> None:
    found = discover(agents(["ruler", "carer"] * 3))
    assert found.answer == "undetermined"
    assert found.why == "only 6 agents with a profile; clusters take at least 8"
    assert found.stability is None


def test_no_agents_is_undetermined() -> None:
    assert discover({}).answer == "undetermined"


def test_the_same_seed_gives_the_same_bytes() -> None:
    rankings = agents(["ruler", "judge"] * 4, clusters=12)
    first, again = (discover(rankings) for _ in range(2))
    assert told(first) == told(again)


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    rankings = agents(["ruler"] * 8, clusters=12)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.mixture", None)
    with pytest.raises(InputError, match=r"pip install 'valuesim\[discovery\]'"):
        discover(rankings)

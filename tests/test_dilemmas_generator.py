"""Generated dilemmas: any pair of values, balanced, and one text for each id."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from valuesim.envs.dilemmas import Dilemma, Pack, PackOption, checked_pack, generated_pack
from valuesim.envs.dilemmas.generator import MOST_PER_PAIR, pairs_of
from valuesim.envs.dilemmas.writing import write_pack
from valuesim.shipped import shipped_yaml
from valuesim.values import load_taxonomy

VALUES = load_taxonomy("valuesim").names


@pytest.fixture(scope="module")
def pack() -> Pack:
    return generated_pack()


def value_of(option: PackOption) -> str:
    (value,) = (value for value, stake in option.stakes.items() if stake > 0)
    return value


def pair_of(dilemma: Dilemma) -> tuple[str, str]:
    first, second = sorted((value_of(option) for option in dilemma.start.options), key=VALUES.index)
    return first, second


def test_what_it_makes_is_a_sound_pack(tmp_path: Path) -> None:
    made = replace(generated_pack(per_pair=MOST_PER_PAIR), id="made")
    write_pack(made, tmp_path / "all.jsonl")
    pack, problems = checked_pack(tmp_path / "all.jsonl")
    assert [str(problem) for problem in problems] == []
    assert pack is not None
    assert len(pack.dilemmas) == 190 * MOST_PER_PAIR


def test_every_pair_of_values_meets_equally_often(pack: Pack) -> None:
    met = Counter(pair_of(dilemma) for dilemma in pack.dilemmas)
    assert met == dict.fromkeys(combinations(VALUES, 2), 4)


def test_no_value_is_more_often_first_or_longer_or_the_omission(pack: Pack) -> None:
    first, longer, omitted = Counter[str](), Counter[str](), Counter[str]()
    for dilemma in pack.dilemmas:
        one, other = dilemma.start.options
        first[value_of(one)] += 1
        assert len(one.text) != len(other.text)
        longer[value_of(max(one, other, key=lambda option: len(option.text)))] += 1
        assert one.omission != other.omission
        omitted[value_of(one if one.omission else other)] += 1
    assert first == longer == omitted == dict.fromkeys(VALUES, 38)


def test_place_length_and_omission_do_not_go_together(pack: Pack) -> None:
    seen = Counter(
        (one.omission, len(one.text) > len(other.text))
        for one, other in (dilemma.start.options for dilemma in pack.dilemmas)
    )
    assert len(set(seen.values())) == 1


def test_what_is_at_stake_is_the_same_on_both_sides(pack: Pack) -> None:
    for dilemma in pack.dilemmas:
        one, other = (option.stakes for option in dilemma.start.options)
        assert one.keys() == other.keys()
        assert sorted(one.values()) == sorted(other.values())


def test_doing_nothing_brings_only_what_needs_no_act() -> None:
    words = shipped_yaml("valuesim.envs.dilemmas", "generated.yaml")["values"]
    entries = [entry for facts in words.values() for entry in facts]
    acts = [entry["cost"].split("{")[0] for entry in entries if entry.get("needs_act")]
    assert len(acts) == 3
    dilemmas = generated_pack(per_pair=MOST_PER_PAIR).dilemmas
    options = [option for dilemma in dilemmas for option in dilemma.start.options]
    for option in options:
        if option.omission:
            assert not [cost for cost in acts if cost in option.text], option.text
    for cost in acts:
        assert any(cost in option.text for option in options)


def test_a_good_that_asks_for_work_is_never_met_by_doing_nothing() -> None:
    words = shipped_yaml("valuesim.envs.dilemmas", "generated.yaml")["values"]
    for value, facts in words.items():
        by_itself = [fact for fact in facts if "runs" in fact]
        by_neglect = [fact for fact in facts if not fact.get("needs_act")]
        assert by_itself, value
        assert by_neglect, value
        assert all("runs" in fact for fact in facts if fact.get("needs_act"))
    told = [t for d in generated_pack(per_pair=MOST_PER_PAIR).dilemmas for t in d.start.tellings]
    assert any("some hours to its work" in text for text in told)
    assert not [text for text in told if "pooling" in text or "the list of those" in text]
    assert not [text for text in told if "If you do nothing, ." in text or "stands, ." in text]


def test_an_id_means_one_text_whatever_else_is_made(pack: Pack) -> None:
    by_id = {dilemma.id: dilemma for dilemma in pack.dilemmas}
    for other in (generated_pack(["Privacy/Care"], 9), generated_pack([("Care", "Privacy")], 1)):
        for number, dilemma in enumerate(other.dilemmas):
            assert dilemma.id == f"care-privacy-{number}"
            assert by_id.get(dilemma.id, dilemma) == dilemma


def test_all_contexts_and_levels_are_used_alike(pack: Pack) -> None:
    contexts = Counter(dilemma.topic for dilemma in pack.dilemmas)
    assert len(contexts) >= 8
    assert max(contexts.values()) < 2 * min(contexts.values())
    levels = Counter(max(dilemma.start.options[0].stakes.values()) for dilemma in pack.dilemmas)
    assert set(levels) == {0.4, 0.6, 0.9}
    assert max(levels.values()) < 1.2 * min(levels.values())


def test_every_value_is_told_in_three_ways_and_every_telling_differs(pack: Pack) -> None:
    acts = {(value_of(o), o.text) for d in pack.dilemmas for o in d.start.options}
    assert all(sum(value == own for own, _ in acts) > 3 for value in VALUES)
    for dilemma in pack.dilemmas:
        assert len(set(dilemma.start.tellings)) == 3
    texts = [telling for dilemma in pack.dilemmas for telling in dilemma.start.tellings]
    assert not [text for text in texts if "{" in text or "  " in text or ".." in text]


@pytest.mark.parametrize(
    ("pairs", "per_pair", "told"),
    [
        (["Care"], 4, "two values, as in 'Care/Justice'"),
        (["Care/Care"], 4, "'Care/Care'"),
        (["Care/Justise"], 4, "did you mean 'Justice'"),
        ([], 4, "pairs"),
        (None, 0, "per_pair=0"),
        (None, True, "per_pair=True"),
        (None, 25, "per_pair=25"),
    ],
)
def test_what_cannot_be_made_is_refused(pairs: list[str] | None, per_pair: int, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        generated_pack(pairs, per_pair)


def test_one_pair_may_be_named_as_text() -> None:
    assert pairs_of("Justice/Care") == pairs_of(["Care/Justice", "Justice/Care"])

"""The questionnaire's questions: what is asked, how often, in which words, with which stakes."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations, permutations, product
from typing import Any

import pytest

from valuesim.decision import Decision, Fault
from valuesim.envs.questionnaire import INSTRUMENTS, Questionnaire, instrument
from valuesim.envs.questionnaire.blocks import cyclic_blocks
from valuesim.episode import Player
from valuesim.errors import InputError
from valuesim.graph.grouping import Group, group_of
from valuesim.log.reader import EpisodeRecord
from valuesim.measures.questionnaire.scoring import scorings
from valuesim.option import Move
from valuesim.values import load_taxonomy

NAMES = load_taxonomy().names
SETS = [name for name in INSTRUMENTS if instrument(name).form == "items"]
SCALES = [name for name in INSTRUMENTS if instrument(name).responses]


def asked(seed: int, first: bool = True, **given: Any) -> list[dict[str, Any]]:
    """Return the annotations of every question, answered by the first (or the last) option."""
    env = Questionnaire(**given)
    env.reset(seed=seed)
    found = []
    while env.agents:
        seen = env.observe("Alpha")
        found.append(dict(seen.annotations))
        env.step({"Alpha": Move(option=seen.options[0 if first else -1].name)})
    return found


def test_the_parts_ask_every_ordered_pair_in_every_template_exactly_once() -> None:
    parts = [asked(5, items=100, part=part) for part in range(12)]
    keys = [(tuple(q["named"]), q["template"]) for part in parts for q in part]
    assert Counter(keys) == Counter(product(permutations(NAMES, 2), range(3)))
    assert [len(part) for part in parts] == [100] * 11 + [40]


def test_a_fixed_template_asks_every_ordered_pair_once() -> None:
    found = asked(5, items="all", template=2)
    assert Counter(tuple(q["named"]) for q in found) == Counter(permutations(NAMES, 2))
    assert {q["template"] for q in found} == {2}


def test_questions_are_drawn_without_replacement_and_by_the_seed() -> None:
    one, again, other = asked(1), asked(1), asked(2)
    assert one == again
    assert one != other
    assert len({(tuple(q["named"]), q["template"]) for q in one}) == 20


def test_part_does_not_depend_on_the_seed_but_its_order_does() -> None:
    one, other = (asked(seed, items=50, part=3) for seed in (1, 2))
    keys = [[(tuple(q["named"]), q["template"]) for q in part] for part in (one, other)]
    assert sorted(keys[0]) == sorted(keys[1])
    assert keys[0] != keys[1]


@pytest.mark.parametrize("name", [*SETS, "rating"])
def test_every_item_is_asked_once(name: str) -> None:
    found = asked(3, instrument=name)
    items = [item.id for item in instrument(name).items] or list(NAMES)
    assert Counter(q["item"] for q in found) == Counter(items)


@pytest.mark.parametrize("count", [5, 7, 9, 12, 13, 16, 19, 20, 24])
@pytest.mark.parametrize("size", [3, 4])
def test_blocks_are_balanced(count: int, size: int) -> None:
    blocks = cyclic_blocks(count, size)
    shown = Counter(number for block in blocks for number in block)
    assert shown == dict.fromkeys(range(count), size)
    met = Counter(pair for block in blocks for pair in combinations(block, 2))
    times = [met[pair] for pair in combinations(range(count), 2)]
    assert max(times) - min(times) <= 1


def test_a_perfect_difference_set_is_found_where_there_is_one() -> None:
    for count, size in ((7, 3), (13, 4), (21, 5)):
        met = Counter(p for block in cyclic_blocks(count, size) for p in combinations(block, 2))
        assert set(met.values()) == {1}
        assert len(met) == count * (count - 1) // 2


def test_best_worst_shows_each_value_four_times_and_trades_places_by_seed() -> None:
    blocks = [
        {tuple(sorted(q["named"])) for q in asked(s, instrument="best_worst")} for s in (1, 2)
    ]
    for seen in blocks:
        assert len(seen) == 20
        assert Counter(v for block in seen for v in block) == dict.fromkeys(NAMES, 4)
    assert blocks[0] != blocks[1]


def test_the_parts_of_one_seed_are_the_whole_best_worst_design() -> None:
    parts = [asked(4, instrument="best_worst", items=7, part=part) for part in range(3)]
    blocks = {tuple(sorted(q["named"])) for part in parts for q in part}
    assert len(blocks) == 20
    assert Counter(v for block in blocks for v in block) == dict.fromkeys(NAMES, 4)


def test_worst_is_asked_of_the_rest_and_its_stake_is_negative() -> None:
    env = Questionnaire(instrument="best_worst")
    env.reset(seed=1)
    best = env.observe("Alpha")
    assert [list(option.stakes.values()) for option in best.options] == [[1.0]] * 4
    env.step({"Alpha": Move(option="B")})
    worst = env.observe("Alpha")
    assert sorted(option.name for option in worst.options) == ["A", "C", "D"]
    assert [list(option.stakes.values()) for option in worst.options] == [[-1.0]] * 3
    values = {option.name: option.stakes.keys() for option in best.options}
    assert all(option.stakes.keys() == values[option.name] for option in worst.options)


def test_after_a_fault_worst_is_asked_of_all_four() -> None:
    env = Questionnaire(instrument="best_worst")
    env.reset(seed=1)
    fault = Decision(agent="Alpha", step=0, fault=Fault.REFUSED, fault_detail="no")
    env.step({"Alpha": fault})
    seen = env.observe("Alpha")
    assert seen.annotations["kind"] == "worst"
    assert len(seen.options) == 4


def test_which_matters_less_puts_the_other_value_first() -> None:
    env = Questionnaire(reversed=True)
    env.reset(seed=1)
    assert [list(o.stakes.values()) for o in env.observe("Alpha").options] == [[-1.0]] * 2


def test_label_place_and_naming_are_independent_of_the_value() -> None:
    counts: Counter[tuple[bool, bool]] = Counter()
    for seed in range(100):
        env = Questionnaire(items=1)
        env.reset(seed=seed)
        seen = env.observe("Alpha")
        labels, (first, _) = seen.annotations["labels"], seen.annotations["named"]
        counts[labels["A"] == first, labels[seen.options[0].name] == first] += 1
    assert all(15 <= counts[cell] <= 35 for cell in product((True, False), repeat=2))


@pytest.mark.parametrize("name", SCALES)
def test_a_scale_is_shown_upwards_or_downwards_and_nothing_else(name: str) -> None:
    orders = set()
    for seed in range(12):
        env = Questionnaire(instrument=name)
        env.reset(seed=seed)
        orders.add(tuple(option.name for option in env.observe("Alpha").options))
    upwards = tuple(sorted(next(iter(orders))))
    assert orders == {upwards, upwards[::-1]}


@pytest.mark.parametrize("name", SCALES)
def test_turning_the_scale_turns_what_the_numbers_say_and_score(name: str) -> None:
    seen = []
    for turned in (False, True):
        env = Questionnaire(instrument=name, reversed=turned)
        env.reset(seed=0)
        shown = env.observe("Alpha")
        scores = shown.annotations["scores"]
        seen.append({option.text: scores[option.name] for option in shown.options})
        assert scores[shown.view["strongest"]] == max(scores.values())
        assert not any(option.stakes for option in shown.options)
    assert seen[0] == seen[1], "what a point says scores the same under either number"


@pytest.mark.parametrize("name", SETS)
def test_items_and_scoring_agree(name: str) -> None:
    scoring, own = scorings()[name], instrument(name)
    assert Counter(item.scale for item in own.items if item.scale) == scoring.scales
    catch = {item.id for item in own.items if item.keyed == "catch"}
    assert catch == set(scoring.catch)
    assert all(item.scale is None for item in own.items if item.id in catch)
    for scale in own.responses.values():
        assert (scale.low, scale.low + len(scale.anchors) - 1) == scoring.points
    for reference in scoring.references:
        assert {point.label for point in reference.points} == set(scoring.scales)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_an_instrument_is_whole(name: str) -> None:
    own = instrument(name)
    assert own.id == name
    assert {len(each) for each in own.templates.values()} == {3}
    kinds = {kind for kind, _ in own.templates}
    assert set(own.templates) == set(product(kinds, ("act", "predict")))
    assert {item.response for item in own.items} <= set(own.responses)
    texts = [item.text for item in own.items]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_prediction_asks_of_most_people_and_acting_of_oneself(name: str) -> None:
    of_people = re.compile("most people|most of them|would most")
    for (_, perspective), templates in instrument(name).templates.items():
        for template in templates:
            assert bool(of_people.search(template)) == (perspective == "predict"), template
    rules = {p: Questionnaire(instrument=name, perspective=p).rules for p in ("act", "predict")}
    assert [bool(of_people.search(rules[p])) for p in ("act", "predict")] == [False, True]


def test_definitions_are_shown_or_not() -> None:
    for shown in (True, False):
        env = Questionnaire(definitions=shown)
        env.reset(seed=0)
        assert all(("(" in o.text) == shown for o in env.observe("Alpha").options)


def test_any_vocabulary_can_be_asked_about() -> None:
    env = Questionnaire(vocabulary="moral_machine", items="all")
    names = load_taxonomy("moral_machine").names
    assert env.taxonomy == "moral_machine"
    assert env.condition["items"] == len(names) * (len(names) - 1) * 3


def test_factors_that_an_instrument_has_not_are_none() -> None:
    condition = Questionnaire(instrument="risk_taking").condition
    assert (condition["vocabulary"], condition["definitions"]) == (None, None)
    assert condition["form"] == "items"


def test_the_form_does_not_hide_how_a_reply_is_asked_for() -> None:
    env = Questionnaire()
    episode = EpisodeRecord(
        id="e",
        env=env.id,
        condition=env.condition,
        population={"Alpha": Player(agent="toy")},
        elicitation={"format": "json_schema"},
        seed=0,
        steps=1,
        decisions=1,
    )
    assert "format" not in env.condition
    told = group_of(episode, "Alpha", ("form", "format"))
    assert told == Group((("form", "pairwise"), ("format", "json_schema")))


def test_a_fault_leaves_a_question_unanswered_and_goes_on() -> None:
    env = Questionnaire(instrument="oxford_utilitarianism")
    env.reset(seed=0)
    env.step({"Alpha": Decision(agent="Alpha", step=0, fault=Fault.UNPARSED)})
    assert env.effects["Alpha"] == {"answer": None, "payoff": 0.0}
    assert env.world.at == 1


def test_the_text_picture_shows_question_and_options() -> None:
    env = Questionnaire(render_mode="ansi", items=1)
    env.reset(seed=0)
    picture = env.render()
    assert picture is not None
    assert "A: " in picture
    env.step({"Alpha": 0})
    assert env.render() == "There are no more questions."


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"instrument": "pairwize"}, "did you mean 'pairwise'"),
        ({"perspective": "guess"}, "perspective"),
        ({"template": 3}, "template=3"),
        ({"template": True}, "template=True"),
        ({"items": 0}, "items=0"),
        ({"items": "some"}, "items='some'"),
        ({"items": 1141}, "1140"),
        ({"instrument": "rating", "items": 21}, "1 to 20"),
        ({"part": -1}, "part=-1"),
        ({"part": 57}, "0 to 56"),
        ({"items": "all", "part": 1}, "part=1"),
        ({"definitions": "yes"}, "definitions"),
        ({"reversed": 1}, "reversed"),
        ({"shuffle_options": 1}, "shuffle_options"),
    ],
)
def test_what_is_not_allowed_is_named(given: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=re.escape(named)):
        Questionnaire(**given)


def test_an_unknown_vocabulary_is_named() -> None:
    with pytest.raises(InputError, match="valuesimm"):
        Questionnaire(vocabulary="valuesimm")

"""Letters for options and their log-probabilities: what is asked, read, computed and kept."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from valuesim.agents.llm.ask import Reply, Token
from valuesim.agents.llm.logprobs import labelling, labellings, probabilities, read_label
from valuesim.decision import Fault, Labelling
from valuesim.errors import InputError
from valuesim.observation import Observation
from valuesim.option import Amount, Option

Serve = Callable[..., Any]
WAIT, DRAW, TALK = (Option(name=name, text=f"{name} now.") for name in ("WAIT", "DRAW", "TALK"))
SEEN = Observation(
    agent="Alpha", step=2, text="You are Alpha.", rules="RULES", options=(WAIT, DRAW, TALK)
)
GIVE = Option(name="GIVE", text="Give some.", arguments={"amount": Amount(low=1, high=5)})
ASKED = {"format": "logprobs", "ask_rationale": False, "max_tokens": 8}
PLANTED = {"WAIT": 0.6, "DRAW": 0.3, "TALK": 0.1}


def token(text: str, **top: float) -> Token:
    """A token with the probabilities of what could stand there; "_" stands for a blank."""
    likely = tuple((other.replace("_", " "), math.log(p)) for other, p in top.items())
    return Token(text=text, logprob=dict(likely).get(text, math.log(0.001)), top=likely)


def found(*tokens: Token, text: str = "A", labels: str = "ABC") -> Mapping[str, float] | None:
    return labelling(Reply(text=text, tokens=tokens), tuple(labels)).found


def test_variants_of_a_letter_are_summed_and_the_rest_is_kept() -> None:
    likely = token("A", A=0.4, _A=0.08, **{"A)": 0.02}, B=0.25, The=0.05, a=0.04)
    assert found(likely) == pytest.approx({"A": 0.5, "B": 0.25})
    asked = Labelling(labels=("B", "A", "C"), found=found(likely))
    shares, unaccounted = probabilities([asked], ["x", "y", "z"])
    assert shares == pytest.approx({"x": 1 / 3, "y": 2 / 3, "z": 0.0})
    assert unaccounted == pytest.approx(0.25)


def test_probabilities_are_the_mean_over_permutations() -> None:
    asked = [
        Labelling(labels=("A", "B"), found={"A": 0.6, "B": 0.2}),
        Labelling(labels=("B", "A"), found={"A": 0.9, "B": 0.1}),
    ]
    shares, unaccounted = probabilities(asked, ["x", "y"])
    assert shares == pytest.approx({"x": (0.75 + 0.1) / 2, "y": (0.25 + 0.9) / 2})
    assert unaccounted == pytest.approx(0.1)


def test_without_letters_there_are_no_probabilities_and_without_any_not_even_a_rest() -> None:
    told, none = Labelling(labels=("A",), found={"A": 0.5}), Labelling(labels=("A",), found={})
    unknown = Labelling(labels=("A",))
    assert probabilities([told, none], ["x"]) == ({}, 0.75)
    assert probabilities([told, unknown], ["x"]) == ({}, None)


def test_what_was_said_counts_though_it_is_not_among_the_likeliest() -> None:
    said = Token(text="C", logprob=math.log(0.01), top=(("A", math.log(0.6)), ("B", math.log(0.3))))
    assert found(said, text="C") == pytest.approx({"A": 0.6, "B": 0.3, "C": 0.01})


PLACES: Mapping[str, tuple[Sequence[Token], str, Mapping[str, float] | None]] = {
    "after blanks": ([token("\n", A=0.9), token("B", B=0.7)], "\nB", {"B": 0.7}),
    "after its announcement": (
        [token("Answer", A=0.1), token(":"), token(" A", _A=0.6, B=0.3)],
        "Answer: A",
        {"A": 0.6, "B": 0.3},
    ),
    "after marks of a tokenizer": (
        [token("ĊĊ", A=0.1), token("ĠB", **{"ĠB": 0.7})],
        "\n\n B",
        {"B": 0.7},
    ),
    "in brackets": ([token("(", A=0.1), token("B", B=0.7), token(")")], "(B)", {"B": 0.7}),
    "no letter": (
        [token("Well", A=0.2, B=0.1), token(" A", A=0.9)],
        "Well A",
        {"A": 0.2, "B": 0.1},
    ),
    "after thinking": (
        [token("A", A=0.9), token("</think>"), token("\n\n"), token("B", B=0.8)],
        "<think>\nA\n</think>\nB",
        {"B": 0.8},
    ),
    "thinking without an end": ([token("A", A=0.9)], "<think>\nA\n</think>\nB", None),
    "no tokens": ([], "A", None),
}


@pytest.mark.parametrize(("tokens", "text", "expected"), PLACES.values(), ids=list(PLACES))
def test_the_letters_place_is_found(
    tokens: Sequence[Token], text: str, expected: Mapping[str, float] | None
) -> None:
    assert found(*tokens, text=text) == (expected and pytest.approx(expected))


def test_as_many_permutations_as_options_give_each_option_each_letter_once() -> None:
    for count in (1, 2, 3, 7):
        drawn = labellings(SEEN, count, seed=5)
        assert len(drawn) == count
        assert all(sorted(labels) == ["A", "B", "C"] for labels in drawn)
        for option in range(3):
            assert len({labels[option] for labels in drawn[:3]}) == min(count, 3)
    assert labellings(SEEN, 7, seed=5)[:3] == labellings(SEEN, 3, seed=5)


def test_no_letter_goes_with_an_option() -> None:
    drawn = Counter(labellings(SEEN, 1, seed)[0] for seed in range(1200))
    assert len(drawn) == 6
    # 200 each; five standard deviations of a binomial
    assert all(abs(count - 200) < 5 * math.sqrt(1200 * 5 / 36) for count in drawn.values())


def test_a_letter_that_is_next_to_impossible_is_left_out() -> None:
    said = Token(text="A", logprob=-9999.0, top=(("The", math.log(0.9)), ("I", -math.inf)))
    assert found(said, labels="AI") == {}
    asked = labelling(Reply(text="A", tokens=(said,)), ("A", "I"))
    assert probabilities([asked], ["x", "y"]) == ({}, 1.0)
    beside = Token(text="A", logprob=-9999.0, top=(("B", math.log(0.9)),))
    assert found(beside) == pytest.approx({"B": 0.9})


def test_more_options_than_letters_are_refused() -> None:
    many = replace(SEEN, options=tuple(Option(name=f"O{k}", text="") for k in range(27)))
    with pytest.raises(InputError, match="letters for 26 options, and Alpha is offered 27"):
        labellings(many, 1, 0)


@pytest.mark.parametrize(
    "said",
    [
        *("B", " B\n", "B.", "(B)", "**B**", "B) WAIT", "B\nIt is best.", "<think>A?</think>B"),
        *("B, because it is kind", "B - wait", "B — I think", "Answer: B", "**Answer:** B", "'B'"),
        *("option B", "The answer is B.", "My answer: **B**", "Option (B)", "Letter B", "B (sure)"),
        *(
            "B: WAIT: WAIT now.",
            "B) WAIT: WA",
            "B) wait, for option B is best",
            "I choose B.",
            "B) WA",
        ),
    ],
)
def test_a_letter_is_read(said: str) -> None:
    reading = read_label(Reply(text=said, finish_reason="length"), SEEN, ("B", "A", "C"))
    assert (reading.option, reading.fault) == ("WAIT", None)


@pytest.mark.parametrize(
    "said",
    [
        *("", "b", "D", "I", "I think A", "I'd say A", "A good one", "WAIT", "AB", "A-team"),
        *("I, for one, wait", "Answer: both", "option b", "Optional A", "A is mine", "Answer"),
    ],
)
def test_what_is_no_letter_is_unparsed(said: str) -> None:
    nine = [*SEEN.options, *(Option(name=f"O{k}", text="") for k in range(6))]
    letters = ("A", "B", "C") if said in ("D", "I") else tuple("ABCEFGHIJ")
    seen = SEEN if len(letters) == 3 else replace(SEEN, options=tuple(nine))
    reading = read_label(Reply(text=said), seen, letters)
    assert reading.fault is Fault.UNPARSED
    assert "none of the letters A, B, C" in str(reading.detail)


@pytest.mark.parametrize(
    "said",
    [
        *("A/B", "A or B", "A, B", "A) or B)", "Answer: A, or B", "B. No, A is better.", "A - B"),
        *("B) DRAW", "B - talk", "A: B", "Either A or B", "option A and option C"),
    ],
)
def test_what_names_another_letter_too_is_no_choice(said: str) -> None:
    reading = read_label(Reply(text=said), SEEN, ("B", "A", "C"))
    assert (reading.option, reading.fault) == (None, Fault.AMBIVALENT)
    assert "several letters were named and none settled on: " in str(reading.detail)


def test_an_option_that_is_called_by_a_letter_may_stand_behind_its_own() -> None:
    called = tuple(Option(name=name, text="") for name in ("A", "B", "GIVE", "GIVE_ALL"))
    seen = replace(SEEN, options=called)
    letters = ("B", "A", "C", "D")
    read = {said: read_label(Reply(text=said), seen, letters) for said in ("B) A", "A: B", "A) A")}
    assert [reading.option for reading in read.values()] == ["A", "B", None]
    assert read_label(Reply(text="C) GIVE_ALL"), seen, letters).fault is Fault.AMBIVALENT


@pytest.mark.parametrize(
    "reply",
    [
        Reply(text="", refusal="I will not."),
        Reply(text="A", finish_reason="content_filter"),
        Reply(text="I'm sorry, but I can't", finish_reason="length"),
        Reply(text="I won't choose."),
    ],
)
def test_a_refusal_stays_one(reply: Reply) -> None:
    assert read_label(reply, SEEN, ("A", "B", "C")).fault is Fault.REFUSED

"""A decision is an option or a fault, and what is not on offer is a fault."""

import orjson
import pytest

from valuesim.decision import Decision, Fault, Usage
from valuesim.env import Observation
from valuesim.episode import checked
from valuesim.option import Amount, Move, Name, Option, PerOption, Text, quoted

WAIT = Option(name="WAIT", text="Do nothing.", is_omission=True)
GIVE = Option(
    name="GIVE",
    text="Give some.",
    arguments={"amount": Amount(low=0.5, high=2.0), "to": Name(names=("Beta", "Gamma"))},
)
TALK = Option(name="TALK", text="Speak.", arguments={"message": Text(longest=9)})
SEEN = Observation(agent="Alpha", step=3, text="", rules="", options=(WAIT, GIVE, TALK))
FULL = {"amount": 1.0, "to": "Beta"}
HUGE = 10**400


@pytest.mark.parametrize(
    ("option", "fault"), [(None, None), ("WAIT", Fault.REFUSED)], ids=["neither", "both"]
)
def test_a_decision_is_exactly_one_of_option_and_fault(
    option: str | None, fault: Fault | None
) -> None:
    with pytest.raises(ValueError, match="not both and not neither"):
        Decision(agent="Alpha", step=0, option=option, fault=fault)


def test_an_option_that_was_not_offered_is_illegal_and_says_what_was() -> None:
    decision = checked(SEEN, Decision(agent="Alpha", step=3, option="TAP", reply="TAP"))
    assert decision.fault is Fault.ILLEGAL
    assert decision.fault_detail == "'TAP' was not on offer; offered: GIVE, TALK, WAIT"
    assert decision.attempted == Move(option="TAP")
    assert decision.reply == "TAP"


@pytest.mark.parametrize(
    "arguments",
    [
        {"amount": 3.0},
        {"amount": True},
        {"amount": float("nan")},
        {"amount": HUGE},
        {"amount": -HUGE},
        {"amount": 10**5000},
        {"amount": [HUGE]},
        {"to": "Alpha"},
        {"to": ["Beta"]},
        {"what": 1},
    ],
    ids=lambda given: (
        repr(next(iter(given.items())))[:30] if 10**5000 not in given.values() else "5000 digits"
    ),
)
def test_arguments_outside_their_kind_are_illegal_and_shortly_told(
    arguments: dict[str, object],
) -> None:
    decision = Decision(agent="Alpha", step=3, option="GIVE", arguments=FULL | arguments)
    judged = checked(SEEN, decision)
    assert judged.fault is Fault.ILLEGAL
    assert next(iter(arguments)) in str(judged.fault_detail)
    assert len(str(judged.fault_detail)) < 150
    assert judged.attempted is not None
    assert len(orjson.dumps(judged.attempted)) < 300


@pytest.mark.parametrize("missing", ["amount", "to"])
def test_an_argument_that_is_missing_is_no_extreme_choice(missing: str) -> None:
    given = {name: argument for name, argument in FULL.items() if name != missing}
    judged = checked(SEEN, Decision(agent="Alpha", step=3, option="GIVE", arguments=given))
    assert judged.fault is Fault.ILLEGAL
    assert judged.fault_detail == f"{missing} of GIVE is missing"
    assert judged.attempted == Move(option="GIVE", arguments=given)


def test_words_that_are_left_out_are_none() -> None:
    decision = checked(SEEN, Decision(agent="Alpha", step=3, option="TALK"))
    assert decision.arguments == {"message": ""}


def test_what_was_attempted_is_kept_short_and_plain() -> None:
    given = {"amount": 1.5, "many": list(range(99)), "huge": HUGE, "no": None, "x" * 999: "y" * 999}
    attempted = Move.attempted("Z" * 999, given | {str(n): n for n in range(99)})
    assert attempted.option == "Z" * 200
    assert len(attempted.arguments) == 8
    assert attempted.arguments["amount"] == 1.5
    assert attempted.arguments["no"] is None
    assert attempted.arguments["x" * 200] == "y" * 200
    assert len(orjson.dumps(attempted)) < 1200


def test_a_quote_is_short_whatever_it_quotes() -> None:
    deep: object = 1
    for _ in range(900):
        deep = [deep, {"a": deep}]
    wide = [[["y" * 60] * 6] * 6] * 6
    for given in (wide, HUGE, 10**5000, "x" * 999, deep, dict.fromkeys(range(99), "y" * 99), 1e300):
        assert len(quoted(given)) <= 100
    assert (quoted(50), quoted(0.5), quoted("a")) == ("50", "0.5", "'a'")


def test_a_fault_is_left_as_it_is() -> None:
    refusal = Decision(agent="Alpha", step=3, fault=Fault.REFUSED, reply="I cannot.")
    assert checked(SEEN, refusal) is refusal


def test_text_longer_than_its_limit_is_refused() -> None:
    assert Text(longest=3).fault("abcd") == "text of 4 characters is longer than 3"
    assert Text(longest=3).fault("abc") is None


def test_usage_adds_up() -> None:
    total = Usage(prompt_tokens=3, completion_tokens=1) + Usage(completion_tokens=2)
    assert total == Usage(prompt_tokens=3, completion_tokens=3)


@pytest.mark.parametrize("stake", [1.5, -2.0, float("nan")])
def test_a_stake_outside_its_range_is_refused(stake: float) -> None:
    with pytest.raises(ValueError, match="not in \\[-1, 1\\]"):
        Option(name="X", text="", stakes={"Care": stake})


def test_what_is_made_of_an_option_is_made_once_for_each_object() -> None:
    made: list[str] = []

    def make(option: Option) -> str:
        made.append(option.name)
        return option.name.lower()

    per_option = PerOption(make, most=3)
    options = [Option(name=name, text="") for name in ("A", "B", "A")]
    assert [per_option(option) for option in options * 2] == ["a", "b", "a"] * 2
    assert made == ["A", "B", "A"]
    per_option(Option(name="C", text=""))
    assert per_option(options[0]) == "a"
    assert made == ["A", "B", "A", "C", "A"]

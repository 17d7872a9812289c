"""A decision is an option or a fault, and what is not on offer is a fault."""

import pytest

from valuesim.decision import Decision, Fault, Usage
from valuesim.env import Observation
from valuesim.episode import checked
from valuesim.option import Amount, Name, Option, Text

WAIT = Option(name="WAIT", text="Do nothing.", is_omission=True)
GIVE = Option(
    name="GIVE",
    text="Give some.",
    arguments={"amount": Amount(low=0.5, high=2.0), "to": Name(names=("Beta", "Gamma"))},
)
SEEN = Observation(agent="Alpha", step=3, text="", rules="", options=(WAIT, GIVE))


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
    assert decision.fault_detail == "'TAP' was not on offer; offered: GIVE, WAIT"
    assert decision.reply == "TAP"


@pytest.mark.parametrize(
    "arguments",
    [{"amount": 3.0}, {"amount": True}, {"amount": float("nan")}, {"to": "Alpha"}, {"what": 1}],
)
def test_arguments_outside_their_kind_are_illegal(arguments: dict[str, object]) -> None:
    decision = Decision(agent="Alpha", step=3, option="GIVE", arguments=arguments)
    assert checked(SEEN, decision).fault is Fault.ILLEGAL


def test_arguments_left_out_take_their_defaults() -> None:
    decision = checked(SEEN, Decision(agent="Alpha", step=3, option="GIVE"))
    assert decision.arguments == {"amount": 2.0, "to": "Beta"}


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

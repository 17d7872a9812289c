"""Replies are read as the choice they make, or as the fault they are."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from valuesim.agents.parse import WINDOW, cleaned, keeps_schema, read, split_thinking
from valuesim.agents.prompt import Elicitation
from valuesim.decision import Fault
from valuesim.env import Observation
from valuesim.option import Amount, Name, Option, Text

OFFERED = {
    "survival": (
        Option(name="WAIT", text="Do nothing."),
        Option(
            name="MOVE",
            text="Go somewhere.",
            arguments={"place": Name(names=("Shared Battery Room", "Discussion Table"))},
        ),
        Option(name="DRAW_SHARED", text="", arguments={"amount": Amount(low=0.5, high=5)}),
        Option(name="TAP_FORBIDDEN", text="Take power that people outside need."),
        Option(
            name="TRANSFER_POWER",
            text="",
            arguments={"agent": Name(names=("Beta", "Gamma")), "amount": Amount(low=0, high=3)},
        ),
        Option(name="TALK", text="", arguments={"message": Text(longest=400)}),
    ),
    "dilemma": (Option(name="cooperate", text=""), Option(name="defect", text="")),
    "letters": (Option(name="A", text=""), Option(name="B", text="")),
}
TRANSCRIPTS = [
    pytest.param(transcript, id=f"{path.stem}: {transcript['name']}")
    for path in sorted((Path(__file__).parent / "transcripts").glob("*.yaml"))
    for transcript in yaml.safe_load(path.read_text(encoding="utf-8"))
]


def seen(offered: str = "survival") -> Observation:
    return Observation(agent="Alpha", step=0, text="", rules="", options=OFFERED[offered])


@pytest.mark.parametrize("transcript", TRANSCRIPTS)
def test_a_transcript_reads_as_expected(transcript: dict[str, Any]) -> None:
    extras = {key: transcript.get(key) for key in ("parsed", "refusal", "finish_reason")}
    expect = transcript["expect"]
    reading = read(transcript["reply"], seen(transcript["options"]), **extras)
    assert reading.option == expect.get("option"), reading
    assert reading.fault == expect.get("fault"), reading
    assert reading.rung == expect.get("rung", reading.rung)
    assert expect.get("detail", "") in (reading.detail or "")
    assert reading.rationale == expect.get("rationale", reading.rationale)
    assert reading.message == expect.get("message", reading.message)
    if "option" in expect:
        assert reading.arguments == expect.get("arguments", {})


def test_every_rung_and_every_fault_has_a_transcript() -> None:
    expected = [case.values[0]["expect"] for case in TRANSCRIPTS]  # type: ignore[index]
    assert {e.get("rung") for e in expected if "option" in e} == {"native", "json", "name"}
    assert {e["fault"] for e in expected if "fault" in e} == set(Fault)


@pytest.mark.parametrize("offered", OFFERED)
def test_every_name_is_read_alone_and_never_inside_a_word(offered: str) -> None:
    for option in OFFERED[offered]:
        assert read(option.name, seen(offered)).option == option.name
        for inside in (f"X{option.name}", f"{option.name}X", f"x-{option.name}-y"):
            assert read(f"say {inside} now", seen(offered)).option is None


HOSTILE = {
    "long prose": "word " * 200_000,
    "long prose naming an option": "I might WAIT. " * 70_000,
    "open braces": "{" * 1_000_000,
    "deep object": '{"a":' * 200_000,
    "deep closed object": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "deep array": '{"a":' + "[" * 500_000,
    "unclosed list of objects": '{"a":[' + "{}," * 300_000,
    "nested below the limit": ('{"a":' * 900 + "x ") * 200,
    "quotes": '"' * 1_000_000,
    "escaped quotes": '{"' + '\\"' * 500_000,
    "commas": '{"a":1' + "," * 900_000 + "}",
    "half an apology": "I am sorry " * 90_000,
    "think tags": "<think>" * 100_000,
    "NULs": "\x00" * 1_000_000,
    "lone surrogates": "\ud800" * 300_000,
    "a number without end": '{"option": "DRAW_SHARED", "amount": ' + "9" * 20_000 + "}",
}


@pytest.mark.parametrize("reply", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_reply_is_a_fault_in_bounded_time(reply: str) -> None:
    started = time.perf_counter()
    reading = read(reply, seen())
    assert reading.fault is not None
    assert time.perf_counter() - started < 2.0


def test_what_was_said_before_the_window_does_not_count() -> None:
    assert read("I choose WAIT." + " " * WINDOW + "The end.", seen()).fault is Fault.UNPARSED


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_any_text_is_read_without_a_crash_and_can_be_stored(reply: str) -> None:
    reading = read(reply, seen())
    assert (reading.option is None) != (reading.fault is None)
    cleaned(reply).encode("utf-8")
    (reading.detail or "").encode("utf-8")


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(OFFERED["survival"]),
    st.text(max_size=40),
    st.sampled_from(["", "Well: ", "```json\n"]),
)
def test_a_legal_object_is_read_back_whatever_its_reasons_say(
    option: Option, rationale: str, before: str
) -> None:
    import json

    arguments = option.complete({})
    action = {"option": option.name, "arguments": arguments}
    reading = read(before + json.dumps({"rationale": rationale, "action": action}), seen())
    assert reading.option == option.name
    assert dict(reading.arguments) == arguments


def test_nonfinite_numbers_are_not_amounts() -> None:
    for amount in ("NaN", "Infinity", "1e999"):
        reply = '{"option": "DRAW_SHARED", "amount": ' + amount + "}"
        assert read(reply, seen()).option is None


def test_thinking_is_kept_apart_from_the_answer() -> None:
    assert split_thinking("<think>a</think>b") == ("a", "b")
    assert split_thinking("a</think>b") == ("a", "b")
    assert split_thinking("<think>a") == ("a", "")
    assert split_thinking("b") == ("", "b")


def test_only_the_exact_form_keeps_the_schema() -> None:
    asked = Elicitation()
    good = {"rationale": "r", "action": {"option": "DRAW_SHARED", "arguments": {"amount": 1}}}
    bare = {"action": {"option": "WAIT", "arguments": {}}}
    assert keeps_schema(good, seen(), asked)
    assert keeps_schema(bare, seen(), Elicitation(ask_rationale=False))
    breaks: list[object] = [
        None,
        [],
        bare,
        good | {"more": 1},
        good | {"rationale": 3},
        good | {"action": {"option": "FLY", "arguments": {}}},
        good | {"action": {"option": "WAIT"}},
        good | {"action": {"option": "DRAW_SHARED", "arguments": {}}},
        good | {"action": {"option": "DRAW_SHARED", "arguments": {"amount": 9}}},
    ]
    assert not any(keeps_schema(broken, seen(), asked) for broken in breaks)

"""Replies are read as the choice they make, or as the fault they are."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from valuesim.agents.parse import WINDOW, cleaned, keeps_schema, read, split_thinking
from valuesim.agents.prompt import Elicitation
from valuesim.agents.strict_json import decode, twice, whole
from valuesim.decision import Fault
from valuesim.env import Observation
from valuesim.option import Amount, Move, Name, Option, Text

OFFERED = {
    "survival": (
        Option(name="WAIT", text="Do nothing."),
        Option(
            name="MOVE",
            text="Go somewhere.",
            arguments={"place": Name(names=("Shared Battery Room", "Discussion Table"))},
        ),
        Option(name="DRAW_SHARED", text="", arguments={"amount": Amount(low=0.5, high=5)}),
        Option(name="TAP_GRID", text="Take power that people outside need."),
        Option(
            name="TRANSFER_POWER",
            text="",
            arguments={"agent": Name(names=("Beta", "Gamma")), "amount": Amount(low=0, high=3)},
        ),
        Option(name="TALK", text="", arguments={"message": Text(longest=400)}),
    ),
    "dilemma": (Option(name="cooperate", text=""), Option(name="defect", text="")),
    "letters": (Option(name="A", text=""), Option(name="B", text="")),
    "claims": tuple(Option(name=name, text="") for name in ("180", "200", "220")),
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
    if "attempted" in expect:
        assert reading.attempted == Move(**expect["attempted"])
    assert (reading.attempted is not None) >= (reading.fault is Fault.ILLEGAL)
    assert reading.option is None or reading.attempted is None


def test_every_rung_and_every_fault_has_a_transcript() -> None:
    expected = [case.values[0]["expect"] for case in TRANSCRIPTS]  # type: ignore[index]
    assert {e.get("rung") for e in expected if "option" in e} == {"native", "json", "name"}
    assert {e["fault"] for e in expected if "fault" in e} == set(Fault)


@pytest.mark.parametrize("offered", OFFERED)
def test_every_name_is_read_alone_and_never_inside_a_word(offered: str) -> None:
    for option in OFFERED[offered]:
        reading = read(option.name, seen(offered))
        if option.fault({}):
            assert reading.attempted == Move(option=option.name)
        else:
            assert reading.option == option.name
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
    "a call of brackets": "DRAW_SHARED(amount=" + "[" * 1900 + ")",
    "an option without end": '{"option": "' + "X" * 30_000 + '"}',
    "a list of lists with an option": "[" * 900 + '{"option": "FLY"}' + "]" * 900,
    "keys without end": '{"option": "WAIT", "' + '": 1, "'.join(map(str, range(4000))) + '": 1}',
    "a number without end": '{"option": "DRAW_SHARED", "amount": ' + "9" * 20_000 + "}",
}


@pytest.mark.parametrize("reply", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_reply_is_a_fault_in_bounded_time(reply: str) -> None:
    started = time.thread_time()
    reading = read(reply, seen())
    assert reading.fault is not None
    assert time.thread_time() - started < 2.0
    assert len(orjson.dumps(reading)) < 3000


def test_what_was_said_before_the_window_does_not_count() -> None:
    assert read("I choose WAIT." + " " * WINDOW + "The end.", seen()).fault is Fault.UNPARSED


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_any_text_is_read_without_a_crash_and_can_be_stored(reply: str) -> None:
    reading = read(reply, seen())
    assert (reading.option is None) != (reading.fault is None)
    cleaned(reply).encode("utf-8")
    (reading.detail or "").encode("utf-8")


numbers = st.integers() | st.integers(-(10**400), 10**400) | st.floats()
words = st.text(alphabet=st.characters(exclude_categories=()), max_size=30)
leaves = st.none() | st.booleans() | numbers | words
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4)
)
names = st.sampled_from([option.name for option in OFFERED["survival"]])
arguments = st.dictionaries(st.sampled_from(("amount", "agent", "place", "message")), anything)
replies = anything | st.fixed_dictionaries(
    {"action": st.fixed_dictionaries({"option": names | words, "arguments": arguments | anything})},
    optional={"rationale": anything, "option": anything},
)


@settings(max_examples=400, deadline=None)
@given(replies)
def test_any_json_is_read_without_a_crash_and_can_be_stored(said: object) -> None:
    for reading in (read(json.dumps(said), seen()), read("", seen(), parsed=said)):
        assert (reading.option is None) != (reading.fault is None)
        orjson.dumps(reading)
    keeps_schema(said, seen(), Elicitation())


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(OFFERED["survival"]),
    st.text(max_size=40),
    st.sampled_from(["", "Well: ", "```json\n"]),
)
def test_a_legal_object_is_read_back_whatever_its_reasons_say(
    option: Option, rationale: str, before: str
) -> None:
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
        good | {"action": {"option": ["DRAW_SHARED"], "arguments": {"amount": 1}}},
        whole('{"rationale": "r", "action": {"option": "WAIT", "arguments": {}}, "action": 1}'),
        whole(
            '{"rationale": "r", "rationale": "s", "action": {"option": "WAIT", "arguments": {}}}'
        ),
    ]
    assert not any(keeps_schema(broken, seen(), asked) for broken in breaks)


def test_a_key_that_stands_twice_is_seen_at_any_depth() -> None:
    for written in ('{"a": 1, "a": 1}', '{"b": [[{"a": 1, "a": 2}]]}', '[{"c": {"a": 1, "a": 2}}]'):
        assert twice(decode(written)[0]) == {"a"}
    assert twice(decode('[{"a": 1}, {"a": 1}]')[0]) == set()


def test_only_json_alone_is_whole() -> None:
    assert whole(' {"a": [1]}\n') == {"a": [1]}
    assert whole('{"a": "first\nsecond"}') == {"a": "first\nsecond"}
    for written in ("", "{", "{} {}", '{"a": NaN}', "[" * 100_000):
        assert whole(written) is None

"""Keys and log-ins are found, and kept out of what is written."""

from __future__ import annotations

import json

import pytest

from valuesim.errors import InputError
from valuesim.secrets import MARK, check_address, redact, redact_strictly, redacted, secrets

KEY = "planted-secret-9f2c7d"


def test_the_secrets_are_what_variables_of_that_name_hold_and_those_that_are_named() -> None:
    environment = {
        "VALUESIM_API_KEY": "long-key-1",
        "HF_TOKEN": "long-key-22",
        "db_password": "long-key-333",
        "ELSEWHERE": "long-key-4444",
        "HOME": "/home/somebody",
        "OPENAI_API_KEY": "EMPTY",
        "OTHER_KEY": "long-key-1",
    }
    found = secrets(environment, "ELSEWHERE", None, "NOT_SET")
    assert found == ("long-key-4444", "long-key-333", "long-key-22", "long-key-1")


def test_a_secret_inside_another_leaves_nothing_of_the_longer() -> None:
    environment = {"A_KEY": "abcdefgh", "B_KEY": "abcdefgh-ijkl"}
    assert redact("x abcdefgh-ijkl y", secrets(environment)) == f"x {MARK} y"


def test_no_text_grows_by_what_is_taken_out() -> None:
    shortest = min(secrets({"A_KEY": "12345678", "B_KEY": "1234567"}), key=len)
    assert len(redact(shortest, [shortest])) == len(shortest)


def test_words_are_freed_of_known_secrets_only() -> None:
    said = f"the Bearer of news wrote sk-something-long to me@here: {KEY}"
    assert redact(said, [KEY]) == said.replace(KEY, MARK)


def test_a_secret_is_found_as_json_spells_it_and_in_plain_data() -> None:
    odd = 'ab"cd\\efgh-key'
    written = json.dumps({"rationale": f"I hold {odd}."})
    assert json.loads(redact(written, (odd,))) == {"rationale": "I hold REDACTED."}
    told = {odd: [1, None, (odd, {"deep": f"<{odd}>"})]}
    assert redacted(told, (odd,)) == {"REDACTED": [1, None, ["REDACTED", {"deep": "<REDACTED>"}]]}


def test_errors_are_freed_of_whatever_looks_like_a_key_too() -> None:
    text = f"Incorrect API key: {KEY}; Bearer abc.def; sk-proj-12345678; http://u:p@h/v1"
    assert redact_strictly(text, [KEY]) == (
        f"Incorrect API key: {MARK}; Bearer {MARK}; {MARK}; http://h/v1"
    )


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (f"http://me:{KEY}@127.0.0.1:1/v1", "holds a log-in"),
        (f"{KEY}@127.0.0.1", "holds a log-in"),
        (f"https://h/v1?api_key={KEY}", "holds a query string"),
        (f"https://h/v1#{KEY}", "holds a query string"),
        ("127.0.0.1:8000", "starts with http"),
    ],
)
def test_an_address_that_would_carry_a_secret_is_refused_and_not_quoted(
    address: str, said: str
) -> None:
    with pytest.raises(InputError, match=rf"^model\.base_url .*{said}") as caught:
        check_address(address, "model.base_url")
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000/v1", "https://[::1]/v1"])
def test_a_plain_address_is_taken(address: str) -> None:
    check_address(address, "--base-url")

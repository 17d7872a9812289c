"""Arguments of environments: what is refused, and that the refusal names what was given."""

from __future__ import annotations

import math

import pytest

import valuesim
from valuesim.errors import InputError
from valuesim.parameters import flag, is_number, number, whole


@pytest.mark.parametrize("given", [True, 1.0, "1", None, 0, 4])
def test_only_a_whole_number_within_its_bounds_is_taken(given: object) -> None:
    with pytest.raises(ValueError, match=r"agents=.* a whole number from 1 to 3 or none"):
        whole("agents", given, 1, 3, " or none")
    whole("agents", 3, 1, 3)


@pytest.mark.parametrize("given", [True, math.nan, math.inf, "1", None, 10**400, 0])
def test_only_a_finite_number_within_its_bounds_is_taken(given: object) -> None:
    with pytest.raises(ValueError, match=r"stake=.* a number above 0 to 5"):
        number("stake", given, 0, 5, above=True)
    number("stake", 0, 0, 5)


def test_a_truth_value_is_no_number_and_a_number_no_truth_value() -> None:
    assert not is_number(True)
    with pytest.raises(ValueError, match="talk=1 is not allowed"):
        flag("talk", 1)


@pytest.mark.parametrize("env", ["survival", "trust", "moral_machine", "dilemmas", "questionnaire"])
def test_every_family_refuses_an_order_that_is_neither_shuffled_nor_not(env: str) -> None:
    with pytest.raises(InputError, match="shuffle_options='no' is not allowed"):
        valuesim.make(env, shuffle_options="no")

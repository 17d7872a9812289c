"""What can be varied in survival, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from valuesim import registry
from valuesim.envs.survival import Survival
from valuesim.errors import InputError


@pytest.mark.parametrize(
    "given",
    [
        {"scarcity": -3},
        {"scarcity": 1},
        {"scarcity": True},
        {"scarcity": float("nan")},
        {"scarcity": "lwo"},
        {"scarcity": {"personal": 4}},
        {"scarcity": {"personal": 4, "shared": -1}},
        {"scarcity": {"personal": "4", "shared": 1}},
        {"agents": 0},
        {"agents": 9},
        {"agents": True},
        {"agents": 4.0},
        {"horizon": 0},
        {"surveillance": "secret"},
        {"framing": "plants"},
        {"person": "plural"},
        {"voice": "second"},
        {"wording": "rude"},
        {"paraphrase": 3},
        {"talk_rounds": -1},
        {"regrowth": float("inf")},
        {"joins_at": 1},
        {"joins_at": 14},
        {"shuffle_options": 1},
    ],
    ids=str,
)
def test_a_bad_parameter_is_refused_in_one_sentence_that_names_it(given: dict[str, Any]) -> None:
    (name,) = given
    with pytest.raises(ValueError, match=name) as caught:
        Survival(**given)
    assert "\n" not in str(caught.value)
    assert "allowed" in str(caught.value)
    with pytest.raises(InputError, match=name):
        registry.make("survival", **given)


def test_the_condition_says_what_was_varied() -> None:
    condition = Survival(scarcity={"personal": 4, "shared": 9}, framing="ais").condition
    assert condition["scarcity"] == "4+9"
    assert (condition["personal"], condition["shared"]) == (4.0, 9.0)
    assert condition["framing"] == "ais"
    assert condition["regime"] == "infeasible"
    assert "ais" in condition["wording_id"]

"""Filters by condition: whatever a factor and its level are, what has it is found."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytest.importorskip("duckdb")

from valuesim.cli import main
from valuesim.replay.finding.facets import facets
from valuesim.replay.finding.listing import asked, listed
from valuesim.replay.indexing.shelf import Shelf

FACTORS = ("plain", "", "a/b", "a~1b", "~", "$.x", "/y", "*", "[0]", "a'\"b", "\u202e", "a\x00b")
LEVELS = (
    "low",
    "",
    "null",
    "%",
    "<script>",
    None,
    True,
    5,
    5.5,
    0.1,
    2**53 + 1,
    [1, "x"],
    {"b": 2},
)
OTHER = "something else"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Two episodes: each factor's level is `this` in the one, and another in the other."""
    folder = tmp_path_factory.mktemp("runs") / "one"
    assert main(["run", "env=dictator", "agents=random", "episodes=2", f"run.name={folder}"]) == 0
    numbered = {f"level-{place}": level for place, level in enumerate(LEVELS)}
    conditions = (
        dict.fromkeys(FACTORS, "this") | numbered,
        dict.fromkeys((*FACTORS, *numbered), OTHER),
    )
    path = folder / "episodes.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    told = zip(lines, conditions, strict=True)
    path.write_text("".join(f"{json.dumps(line | {'condition': each})}\n" for line, each in told))
    return Shelf(folder.parent)


def found(shelf: Shelf, *wanted: tuple[str, str]) -> list[dict[str, Any]]:
    answer = listed(shelf, *asked((f"condition.{name}", level) for name, level in wanted))
    rows: list[dict[str, Any]] = answer["rows"]
    assert len(rows) == answer["total"]
    return rows


@pytest.mark.parametrize("factor", FACTORS, ids=ascii)
def test_a_factor_of_any_name_is_found(shelf: Shelf, factor: str) -> None:
    (row,) = found(shelf, (factor, "this"))
    assert row["condition"][factor] == "this"
    assert len(found(shelf, (factor, "this"), (factor, OTHER))) == 2


@pytest.mark.parametrize("place", range(len(LEVELS)))
def test_a_level_of_any_kind_is_found_as_the_facets_write_it(shelf: Shelf, place: int) -> None:
    factor = f"level-{place}"
    (told,) = set(facets(shelf)["condition"][factor]) - {OTHER}
    (row,) = found(shelf, (factor, told))
    assert row["condition"][factor] == LEVELS[place]


def test_all_factors_must_hold_and_one_that_is_not_there_finds_nothing(shelf: Shelf) -> None:
    assert found(shelf, ("plain", "this"), ("level-0", OTHER)) == []
    assert found(shelf, ("nowhere", "null")) == []

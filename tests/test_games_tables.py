"""Tables of one's own are played and told as given; bad ones are refused with file and reason."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from valuesim.envs.games import MatrixGame
from valuesim.option import Move


def test_a_table_of_ones_own_is_played_as_given() -> None:
    table = {"moves": ["x", "y"], "row": [[1, 2], [3, 4]], "column": [[5, 6], [7, 8]]}
    env = MatrixGame(table=table)
    env.reset(seed=0)
    name = {move: shown for shown, move in env.observe("Alpha").annotations["labels"].items()}
    _, payoffs, *_ = env.step({"Alpha": Move(option=name["y"]), "Beta": Move(option=name["x"])})
    assert payoffs == {"Alpha": 3, "Beta": 7}
    assert orjson.loads(env.condition["table"]) == table
    assert all(not option.stakes for option in env.observe("Alpha").options)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("moves: [x, y]\nrow: [[1, 2], [3, 4]]\n", "lacks column"),
        ("moves: [x, x]\nrow: [[1, 2], [3, 4]]\ncolumn: [[1, 2], [3, 4]]\n", "two different"),
        ("moves: [x, WAIT]\nrow: [[1, 2], [3, 4]]\ncolumn: [[1, 2], [3, 4]]\n", "WAIT"),
        ("moves: [x, y]\nrow: [[1, 2]]\ncolumn: [[1, 2], [3, 4]]\n", "row"),
        ("moves: [x, y]\nrow: [[1, .inf], [3, 4]]\ncolumn: [[1, 2], [3, 4]]\n", "inf"),
        ("moves: [x, y]\nrow: [[1, 1], [1, 1]]\ncolumn: [[1, 1], [1, 1]]\n", "the same"),
        ("moves: [x, y]\nrows: 1\n", "did you mean 'row'"),
        ("- a list\n", "no mapping"),
        ("moves: [x, y\n", "no YAML"),
        (
            "moves: [x, y]\nrow: [[1, 2], [3, 4]]\ncolumn: [[1, 2], [3, 4]]\n"
            "stakes: {x: {Kindness: 1}}\n",
            "Kindness",
        ),
        (
            "moves: [x, y]\nrow: [[1, 2], [3, 4]]\ncolumn: [[1, 2], [3, 4]]\n"
            "stakes: {x: {Care: 2}}\n",
            "Care is 2",
        ),
        ("moves: [x, y]\nrow: [[1, 2], [3, 4]]\ncolumn: [[1, 2], [3, 4]]\nstory: [a]\n", "story"),
    ],
)
def test_a_bad_table_is_refused_with_its_file_and_the_reason(
    text: str, reason: str, tmp_path: Path
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"mine\.yaml") as refusal:
        MatrixGame(table=str(file))
    assert reason in str(refusal.value)


def test_the_names_and_the_story_of_a_table_are_told_as_they_stand() -> None:
    table = {"moves": ["x", "y"], "row": [[1, 2], [3, 4]], "column": [[5, 6], [7, 8]]}
    told = {"names": {"x": "{GO}", "y": "STAY"}, "story": ["{a} b", "c", "{0.__class__}"]}
    for paraphrase, story in enumerate(told["story"]):
        env = MatrixGame(table=table | told, wording="named", paraphrase=paraphrase)
        assert env.rules.startswith(story)
        env.reset(seed=0)
        assert "You choose {GO}, the other chooses STAY" in env.observe("Alpha").text


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="no_such_table"):
        MatrixGame(table="no_such_table.yaml")

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


PLAIN = {"moves": ["x", "y"], "row": [[1, 2], [3, 4]], "column": [[5, 6], [7, 8]]}
UNFIT = ("a\nb", "a\x1b[0m", "a\u202eb", "a\u200bb", "a\u2028b", "<b>a</b>", "a > b", " ")


@pytest.mark.parametrize("text", UNFIT)
@pytest.mark.parametrize("key", ["moves", "names", "story"])
def test_texts_that_would_not_show_as_they_stand_are_refused(key: str, text: str) -> None:
    given = {
        "moves": {"moves": [text, "y"]},
        "names": {"names": {"x": text, "y": "STAY"}},
        "story": {"story": ["a", "b", text]},
    }
    with pytest.raises(ValueError, match=f"^table: {key} holds") as refusal:
        MatrixGame(table=PLAIN | given[key])
    assert str(refusal.value).isprintable()
    assert str(refusal.value).isascii()


def test_a_story_has_400_characters_at_most() -> None:
    MatrixGame(table=PLAIN | {"story": ["a" * 400] * 3}, wording="named")
    with pytest.raises(ValueError, match="401 characters"):
        MatrixGame(table=PLAIN | {"story": ["a" * 401] * 3})


def refusal_of(path: Path) -> str:
    with pytest.raises(ValueError, match=r"^table ") as refusal:
        MatrixGame(table=str(path))
    return str(refusal.value).removeprefix(f"table {path}")


def test_a_file_that_cannot_be_read_is_named_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "wide.yaml").write_bytes("moves: [x, y]".encode("utf-16"))
    (tmp_path / "large.yaml").write_bytes(b"#" * 1_000_001)
    (tmp_path / "deep.yaml").write_text("[" * 5000)
    (tmp_path / "date.yaml").write_text("moves: 2020-13-45")
    reasons = {
        "missing.yaml": "is no file",
        ".": "is a directory",
        "wide.yaml": "is no text in UTF-8",
        "large.yaml": "is larger than 1000000 bytes",
        "deep.yaml": "is n",
        "date.yaml": "is no YAML",
        "n" * 300: "cannot be read: File name too long",
        "nul\0": "is no file",
    }
    for name, reason in reasons.items():
        told = refusal_of(tmp_path / name)
        assert told.startswith(f" {reason}"), (name[:20], told)
        assert "Errno" not in told


@pytest.mark.parametrize("place", ["moves", "cooperative", "names", "stakes"])
def test_a_table_of_aliases_is_refused_without_telling_all_of_it(place: str) -> None:
    nested = ["deep"]
    for _ in range(12):
        nested = [nested] * 9
    with pytest.raises(ValueError, match=place) as refusal:
        MatrixGame(table=PLAIN | {place: nested})
    assert len(str(refusal.value)) < 500

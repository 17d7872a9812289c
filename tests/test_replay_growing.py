"""The index of a run that grows: what is appended is read alone, and comes to the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

pytest.importorskip("duckdb")

from valuesim.cli import main
from valuesim.errors import LogError
from valuesim.log.lines import AGAIN
from valuesim.log.pool import PEOPLE, PERSON
from valuesim.replay.finding.listing import asked
from valuesim.replay.indexing.growing import Growing
from valuesim.replay.indexing.index import FOLDER, index_of
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.understanding.selected import selected

Lines = dict[str, list[bytes]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("played") / "run"
    settings = ["env=prisoners_dilemma", "env.horizon=2", "agents=[random,tit_for_tat]"]
    assert main(["run", *settings, "episodes=6", f"run.name={run}"]) == 0
    return run


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    """A copy of the run, its log emptied, for `Steps` to fill."""
    copy = tmp_path / "run"
    shutil.copytree(whole, copy, ignore=shutil.ignore_patterns("derived"))
    for name in ("decisions", "episodes"):
        (copy / f"{name}.jsonl").write_bytes(b"")
    return copy


class Steps:
    """Appends to a log what a run of the same episodes would."""

    def __init__(self, whole: Path, run: Path) -> None:
        self.run = run
        self.made: Lines = {}
        for line in (whole / "decisions.jsonl").read_bytes().splitlines(keepends=True):
            self.made.setdefault(orjson.loads(line)["episode"], []).append(line)
        ended = (whole / "episodes.jsonl").read_bytes().splitlines(keepends=True)
        self.ended = {orjson.loads(line)["episode"]: line for line in ended}
        self.ids = list(self.ended)

    def append(self, name: str, lines: list[bytes], part: str = "") -> None:
        folder = self.run / "segments" / part if part else self.run
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{name}.jsonl").open("ab") as file:
            file.write(b"".join(lines))

    def play(self, number: int, part: str = "", play: int = 0) -> None:
        id = self.ids[number]
        own = [orjson.loads(line) | {"play": play} for line in self.made[id]]
        self.append("decisions", [orjson.dumps(line) + b"\n" for line in own], part)
        self.append("episodes", [self.ended[id]], part)

    def begin(self, number: int, decisions: int) -> None:
        self.append("decisions", self.made[self.ids[number]][:decisions])

    def interrupt(self, number: int, reason: str = "the server is down") -> None:
        line = {"schema": 1, "episode": self.ids[number], "play": 0, "reason": reason}
        self.append("interrupted", [orjson.dumps(line | {"time": {}}) + b"\n"])


def is_as_anew(growing: Growing, run: Path) -> bool:
    found = growing.index()
    shutil.rmtree(run / FOLDER, ignore_errors=True)
    anew = index_of(run)
    assert found.table.to_pylist() == anew.table.to_pylist()
    assert (found.interrupted, found.parent) == (anew.interrupted, anew.parent)
    return growing.is_extended


def _more(steps: Steps) -> None:
    steps.play(1)
    steps.play(3)


def _cut_and_resumed(steps: Steps) -> None:
    steps.begin(1, 2)
    steps.interrupt(1)
    steps.begin(2, 1)
    steps.interrupt(4)
    steps.play(1, play=1)


def _parts(steps: Steps) -> None:
    steps.play(1, part="a")
    steps.play(2, part="b")


def _late(steps: Steps) -> None:
    id = steps.ids[5]
    steps.append("decisions", steps.made[id][2:])
    steps.append("episodes", [steps.ended[id]])


@pytest.mark.parametrize("grow", [_more, _cut_and_resumed, _parts, _late])
def test_what_is_appended_comes_to_the_same_as_all_read_anew(
    whole: Path, run: Path, grow: Callable[[Steps], None]
) -> None:
    steps = Steps(whole, run)
    steps.play(0)
    steps.begin(5, 2)
    growing = Growing(run)
    assert not is_as_anew(growing, run)
    grow(steps)
    assert is_as_anew(growing, run)
    if grow is not _late:
        _late(steps)
    steps.play(4) if grow is _more else None
    assert is_as_anew(growing, run)


def _again(steps: Steps) -> None:
    steps.interrupt(0, AGAIN)
    steps.play(0, play=1)


def _rewritten(steps: Steps) -> None:
    path = steps.run / "decisions.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"latency": ', b'"latency":'))
    path.write_bytes(b"".join(steps.made[steps.ids[0]]))


@pytest.mark.parametrize("change", [_again, _rewritten])
def test_anything_else_is_read_as_a_whole(
    whole: Path, run: Path, change: Callable[[Steps], None]
) -> None:
    steps = Steps(whole, run)
    steps.play(0)
    steps.begin(5, 2)
    growing = Growing(run)
    growing.index()
    change(steps)
    steps.play(1)
    assert not is_as_anew(growing, run)
    steps.play(2)
    assert is_as_anew(growing, run)


@pytest.mark.parametrize("line", [b"no JSON\n", b'{"schema":1}\n'])
def test_a_line_that_is_none_is_an_error_all_the_same(whole: Path, run: Path, line: bytes) -> None:
    steps = Steps(whole, run)
    steps.play(0)
    growing = Growing(run)
    growing.index()
    steps.append("decisions", [line])
    steps.play(1)
    with pytest.raises(LogError, match=r"decisions\.jsonl, line"):
        growing.index()


def test_the_shelf_extends_and_keeps_what_it_extended(whole: Path, run: Path) -> None:
    times = iter(range(0, 10_000, 100))
    steps = Steps(whole, run)
    steps.play(0)
    shelf = Shelf(run.parent, clock=lambda: float(next(times)))
    for number in (1, 2, 3):
        steps.play(number)
        shelf.refresh()
    shelf.refresh()
    found: list[Any] = shelf.rows.ask("SELECT count(*) FROM own")
    assert found == [(4,)]
    kept = (run / FOLDER / "episodes.parquet").stat().st_mtime_ns
    assert Shelf(run.parent).rows.ask("SELECT count(*) FROM own") == [(4,)]
    assert (run / FOLDER / "episodes.parquet").stat().st_mtime_ns == kept


def test_what_a_person_plays_stays_apart_when_it_grows_and_when_its_index_was_kept(
    whole: Path, run: Path
) -> None:
    """Else a person's choices are pooled with a model's as soon as the viewer is started anew."""
    shown = run.parent / "shown"
    game = shown / PEOPLE / "game"
    shutil.copytree(whole, shown / "run")
    shutil.copytree(run, game)
    said = yaml.safe_load((game / "run.yaml").read_text())
    (game / "run.yaml").write_text(yaml.safe_dump({**said, PERSON: {"participant": None}}))
    times = iter(range(0, 10_000, 100))
    steps = Steps(whole, game)
    steps.play(0)
    growing = Shelf(shown, clock=lambda: float(next(times)))
    for number in (1, 2, 3):
        steps.play(number)
        growing.refresh()
    growing.refresh()
    for shelf in (growing, Shelf(shown)):
        assert [each.place.is_branch for each in shelf.runs.values()] in (
            [True, False],
            [False, True],
        )
        everything, _ = asked([])
        assert selected(shelf, everything).episodes == len(steps.ids), "those of the run alone"


@pytest.mark.parametrize("said", ["2026-01-01", "!!binary aGk=", "!!set {a: null}", "{1: {2: 3}}"])
def test_where_a_run_came_from_is_told_alike_when_it_is_read_and_when_it_was_kept(
    whole: Path, tmp_path: Path, said: str
) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole, run, ignore=shutil.ignore_patterns("derived"))
    with (run / "run.yaml").open("a") as file:
        file.write(f"parent: {{run: run, episode: x, step: 1, changes: {{seed: {said}}}}}\n")
    read, kept = index_of(run), index_of(run)
    assert read.parent is not None
    assert read.parent == kept.parent == orjson.loads(orjson.dumps(read.parent))


def test_where_a_run_came_from_is_refused_where_it_cannot_be_sent(
    whole: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole, run, ignore=shutil.ignore_patterns("derived"))
    with (run / "run.yaml").open("a") as file:
        file.write(f"parent: {{run: run, episode: x, step: 1, changes: {{seed: {10**40}}}}}\n")
    with pytest.raises(LogError, match="no JSON"):
        index_of(run)

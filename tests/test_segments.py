"""A log in parts: read as one in the order of the plan, mended, locked, counted once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from valuesim.cli import main
from valuesim.engine.experience import read_experience
from valuesim.errors import InputError
from valuesim.log import RunWriter, read_run
from valuesim.log.appending import LogWriter
from valuesim.log.lines import GONE
from valuesim.log.segments import SEGMENTS, SegmentWriter, left_in, log_folders
from valuesim.log.standing import Standing

FILES = ("decisions.jsonl", "episodes.jsonl", "interrupted.jsonl", "texts.jsonl")
RUN = ["env=toy-v0", "agents=[kind,first]", "episodes=6", "engine.progress=none"]


@pytest.fixture
def whole(toy: Path) -> Path:
    """A run of two agents that was played in one process."""
    assert main(["run", *RUN, "run.name=whole"]) == 0
    return toy / "runs/whole"


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True) if path.exists() else []


def id_of(line: bytes) -> str:
    return str(json.loads(line)["episode"])


def split(run: Path, into: Path, parts: int, seed: int = 0) -> Path:
    """Return a copy of `run` whose episodes stand in segments, and there in any order."""
    rng = np.random.default_rng(seed)
    into.mkdir(parents=True)
    (into / "run.yaml").write_bytes((run / "run.yaml").read_bytes())
    for name in FILES:
        (into / name).write_bytes(b"")
    ids = [id_of(line) for line in lines(run / "episodes.jsonl")]
    part_of = {id: int(rng.integers(parts)) for id in ids}
    for part in range(parts):
        folder = into / SEGMENTS / f"w{part:03d}"
        folder.mkdir(parents=True)
        own = [id for id in rng.permutation(ids) if part_of[id] == part]
        for name in FILES[:2]:
            by_id = {id: [x for x in lines(run / name) if id_of(x) == id] for id in own}
            (folder / name).write_bytes(b"".join(x for id in own for x in by_id[id]))
        (folder / "texts.jsonl").write_bytes((run / "texts.jsonl").read_bytes())
    return into


def told(command: Sequence[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main([*command, "--json", "-"]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_figures_do_not_depend_on_which_part_holds_what(
    whole: Path, parts: int, capsys: pytest.CaptureFixture[str]
) -> None:
    split(whole, whole.parents[1] / "other/whole", parts, seed=parts)
    for command in ("graph", "archetypes", "measures"):
        here, there = (told([command, f"{root}/whole"], capsys) for root in ("runs", "other"))
        assert there == here


def test_an_export_does_not_depend_on_which_part_holds_what(whole: Path) -> None:
    other = split(whole, whole.parents[1] / "other/whole", 3)
    for run, out in ((whole, "a.csv"), (other, "b.csv")):
        assert main(["export", "choices", str(run), "--out", out]) == 0
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes()


def test_decisions_come_in_the_order_of_the_plan_whoever_was_faster(whole: Path) -> None:
    other = split(whole, whole.parents[1] / "other", 3)
    places = [decision.episode.place for decision in read_run(other).decisions()]
    assert places == sorted(places)
    assert set(places) == set(range(12))


def test_a_run_of_an_older_version_is_read_in_the_order_of_its_log(whole: Path) -> None:
    path = whole / "episodes.jsonl"
    found = [json.loads(line) for line in lines(path)]
    for line in found:
        del line["place"]
    path.write_text("".join(json.dumps(line) + "\n" for line in found))
    logged = [id_of(line) for line in lines(whole / "decisions.jsonl")]
    assert [decision.episode.id for decision in read_run(whole).decisions()] == logged


@pytest.mark.parametrize("name", FILES)
def test_a_torn_line_of_a_part_is_left_out_and_the_next_writer_cuts_it(
    whole: Path, name: str
) -> None:
    other = split(whole, whole.parents[1] / "other", 2)
    torn = other / SEGMENTS / "w001" / name
    before = torn.read_bytes() if torn.exists() else b""
    torn.write_bytes(before + b'{"schema":1,"epis')
    assert len(list(read_run(other).decisions())) == 72
    with RunWriter(other) as writer:
        assert len(writer.finished) == 12
    assert torn.read_bytes() == before


def test_a_writer_knows_what_all_parts_hold(whole: Path) -> None:
    other = split(whole, whole.parents[1] / "other", 3)
    with RunWriter(whole) as first, RunWriter(other) as second:
        assert second.finished == first.finished
        assert len(second.finished) == 12


def test_what_a_lost_worker_had_begun_is_listed_by_the_next_writer_and_counts_nowhere(
    whole: Path,
) -> None:
    other = split(whole, whole.parents[1] / "other", 1)
    folder = other / SEGMENTS / "w000"
    *kept, last = lines(folder / "episodes.jsonl")
    (folder / "episodes.jsonl").write_bytes(b"".join(kept))
    with RunWriter(other) as writer:
        assert id_of(last) not in writer.finished
        assert writer.play(id_of(last)) == 1
    (listed,) = lines(other / "interrupted.jsonl")
    assert id_of(listed) == id_of(last)
    assert len(list(read_run(other).decisions())) == 66


def test_an_episode_played_by_two_workers_counts_once_as_the_one_whose_play_is_not_void(
    whole: Path,
) -> None:
    other = split(whole, whole.parents[1] / "other", 1)
    id = id_of(lines(other / SEGMENTS / "w000/episodes.jsonl")[0])
    late = other / SEGMENTS / "w001"
    late.mkdir()
    for name in FILES[:2]:
        own = [json.loads(x) for x in lines(whole / name) if id_of(x) == id]
        for line in own:
            # another sample of the same episode
            line |= {"play": 1} if "play" in line else {"outcome": {"payoffs": {"Alpha": 99.0}}}
        (late / name).write_text("".join(json.dumps(line) + "\n" for line in own))
    void = {"schema": 1, "episode": id, "play": 0, "reason": GONE, "time": {"at": ""}}
    (other / "interrupted.jsonl").write_text(json.dumps(void) + "\n")
    run = read_run(other)
    assert run.episodes[id].outcome == {"payoffs": {"Alpha": 99.0}}
    assert len(list(run.decisions())) == 72
    assert len(Standing(log_folders(other)).finished) == 12


def test_an_episode_whose_only_play_is_void_is_not_finished(whole: Path) -> None:
    other = split(whole, whole.parents[1] / "other", 2)
    id = id_of(lines(whole / "episodes.jsonl")[3])
    void = {"schema": 1, "episode": id, "play": 0, "reason": GONE, "time": {"at": ""}}
    (other / "interrupted.jsonl").write_text(json.dumps(void) + "\n")
    run = read_run(other)
    assert id not in run.episodes
    assert len(list(run.decisions())) == 66
    with RunWriter(other) as writer:
        assert id not in writer.finished


def test_a_run_whose_part_is_still_written_is_not_gone_on_with(whole: Path) -> None:
    other = split(whole, whole.parents[1] / "other", 2)
    worker = SegmentWriter(other / SEGMENTS / "w001")
    with pytest.raises(InputError, match="w001 is still being written by a worker"):
        RunWriter(other, patience_s=0.1)
    assert left_in(worker.folder, (), patience_s=0.1) is None
    worker.close()
    RunWriter(other).close()


def test_a_part_has_one_writer_at_a_time(toy: Path) -> None:
    first = SegmentWriter(toy / "w000")
    with pytest.raises(InputError, match="is being written"):
        SegmentWriter(toy / "w000", patience_s=0.0)
    first.close()


def test_a_budget_counts_what_all_parts_spent(toy: Path) -> None:
    models = ["agents=llm", "model=mock", "episodes=4", "run.name=spent"]
    assert main(["run", *models, "engine.progress=none"]) == 0
    run = toy / "runs/spent"
    other = split(run, toy / "other", 3)
    here, there = (read_experience(each, (), {}) for each in (run, other))
    assert here.total.tokens > 0
    assert (there.total, there.finished) == (here.total, here.finished)


def test_the_play_that_a_worker_is_told_is_the_one_it_writes(toy: Path) -> None:
    writer = SegmentWriter(toy / "w000")
    writer.take("0123456789abcdef", place=7, play=3)
    assert isinstance(writer, LogWriter)
    assert (writer.play("0123456789abcdef"), writer.places) == (3, {"0123456789abcdef": 7})
    writer.forget("0123456789abcdef")
    assert (writer.play("0123456789abcdef"), writer.places) == (0, {})
    writer.close()

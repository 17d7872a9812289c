"""The run folder: what a kill, a full disk or a stranger's hand does to it, and reading it."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from valuesim import registry
from valuesim.decision import Decision, Fault
from valuesim.env import Environment
from valuesim.episode import EpisodeSpec, Player, Turn
from valuesim.errors import InputError, LogError, ValueSimError
from valuesim.log import Pool, RunWriter, decisions_once, find_runs, read_run
from valuesim.log.files import AppendFile, read_lines
from valuesim.log.records import DecisionRecord, EpisodeRecord
from valuesim.log.whole import check_place, whole

FILES = ("decisions.jsonl", "episodes.jsonl", "interrupted.jsonl", "texts.jsonl")


def spec(seed: int = 1) -> EpisodeSpec:
    players = {role: Player(agent="kind") for role in ("Alpha", "Beta")}
    return EpisodeSpec(env="toy-v0", parameters={}, population=players, elicitation={}, seed=seed)


def turns(count: int = 3, fault: Fault | None = None) -> tuple[Environment, list[Turn]]:
    env = registry.make("toy-v0", steps=count)
    env.reset(seed=1)
    made = []
    while env.agents:
        seen = {agent: env.observe(agent) for agent in env.agents}
        answers = {
            agent: Decision(
                agent=agent, step=env.turn, option=None if fault else "KEEP", fault=fault
            )
            for agent in seen
        }
        _, payoffs, *_ = env.step(dict(answers))
        made.append(
            Turn(observations=seen, decisions=answers, effects=env.effects, payoffs=payoffs)
        )
    return env, made


def write(folder: Path, seed: int = 1, *, finish: bool = True) -> None:
    env, made = turns()
    with RunWriter(folder) as writer:
        writer.describe({"config": {}})
        for turn in made:
            writer.turn(spec(seed).id, turn)
        if finish:
            writer.finish(spec(seed), env, made)


@pytest.fixture
def folder(toy: Path) -> Path:
    write(toy / "run")
    return toy / "run"


def append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def test_what_is_written_is_read_back(folder: Path) -> None:
    run = read_run(folder)
    (episode,) = run.episodes.values()
    decisions = list(run.decisions())
    assert episode.id == spec().id
    assert episode.population["Alpha"] == Player(agent="kind")
    assert [(d.step, d.role) for d in decisions] == [
        (s, r) for s in range(3) for r in ("Alpha", "Beta")
    ]
    assert {d.chosen for d in decisions} == {"KEEP"}
    assert run.texts()[decisions[0].rules_id] == "Share or keep."


def test_a_fault_is_read_back_as_a_fault(toy: Path) -> None:
    env, made = turns(1, Fault.REFUSED)
    with RunWriter(toy / "run") as writer:
        writer.describe({})
        writer.turn(spec().id, made[0])
        writer.finish(spec(), env, made)
    assert [(d.chosen, d.fault) for d in read_run(toy / "run").decisions()] == [
        (None, Fault.REFUSED)
    ] * 2
    assert read_run(toy / "run").episodes[spec().id].faults == {"refused": 2}


@pytest.mark.parametrize("name", FILES)
def test_a_torn_last_line_is_left_out_by_the_reader_and_cut_by_the_writer(
    folder: Path, name: str
) -> None:
    whole = {file: (folder / file).read_bytes() for file in FILES}
    append(folder / name, b'{"schema":1,"episode":"3f')
    assert len(list(read_run(folder).decisions())) == 6
    write(folder, seed=2)
    assert (folder / name).read_bytes().startswith(whole[name])
    assert len(list(read_run(folder).decisions())) == 12


@pytest.mark.parametrize("keep", [0, 1, 200])
def test_a_file_torn_anywhere_is_mended(folder: Path, keep: int) -> None:
    os.truncate(folder / "episodes.jsonl", keep)
    write(folder)
    assert [d.step for d in read_run(folder).decisions()] == [0, 0, 1, 1, 2, 2]


def test_a_torn_line_longer_than_a_block_is_mended(folder: Path) -> None:
    before = (folder / "texts.jsonl").read_bytes()
    append(folder / "texts.jsonl", b"x" * 200_000)
    AppendFile(folder / "texts.jsonl").close()
    assert (folder / "texts.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    "spoilt",
    [b"not json\n", b"\n", b"[]\n", b'{"schema":2}\n', b'{"schema":1}\n', b"\xff\xfe\n", b"\x00\n"],
)
@pytest.mark.parametrize("name", FILES)
def test_a_corrupt_line_is_named_with_its_file_and_number(
    folder: Path, name: str, spoilt: bytes
) -> None:
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(spoilt + whole)
    with pytest.raises(LogError, match=rf"{name}, line 1 ") as refused:
        _read_all(folder)
    assert "\n" not in str(refused.value)
    with pytest.raises(LogError, match=rf"{name}, line 1 "):
        RunWriter(folder)


def _read_all(folder: Path) -> None:
    run = read_run(folder)
    list(run.decisions())
    run.texts()


def test_a_folder_refused_for_a_corrupt_line_is_not_left_locked(folder: Path) -> None:
    whole = (folder / "episodes.jsonl").read_bytes()
    (folder / "episodes.jsonl").write_bytes(b"{}\n" + whole)
    with pytest.raises(LogError) as refused:
        RunWriter(folder)
    (folder / "episodes.jsonl").write_bytes(whole)
    RunWriter(folder).close()
    del refused


def _without(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda line: line.pop(key)


def _answer(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda line: line["decision"].update(changes)


@pytest.mark.parametrize(
    "spoil",
    [
        _without("observation"),
        _without("time"),
        _answer(option="FLY"),
        _answer(option=None),
        _answer(fault="refused"),
        _answer(option=None, fault="lazy"),
        lambda line: line.update(agent="Nobody"),
        lambda line: line["observation"].update(annotations=[1]),
        lambda line: line.update(effect="none"),
        lambda line: line["observation"]["options"][0].update(stakes={"Care": 7}),
        lambda line: line.update(payoff="1"),
        lambda line: line.update(step=2**64 - 1),
        lambda line: line["time"].update(latency="soon"),
        _answer(usage=[1]),
        _answer(usage={"prompt_tokens": "x"}),
        _answer(attempts="two"),
        _answer(message=["a"]),
        _answer(rationale=1),
    ],
)
def test_a_decision_that_cannot_be_one_is_named(
    folder: Path, spoil: Callable[[dict[str, Any]], None]
) -> None:
    lines = (folder / "decisions.jsonl").read_text().splitlines()
    line = json.loads(lines[2])
    spoil(line)
    lines[2] = json.dumps(line)
    (folder / "decisions.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(LogError, match=r"decisions\.jsonl, line 3 is not a decision") as refused:
        list(read_run(folder).decisions())
    assert "Error(" not in str(refused.value)
    assert "delete the line, or restore the file" in str(refused.value)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"seed": 2**64 - 1},
        {"seed": True},
        {"faults": {"unparsed": "x"}},
        {"usage": {"prompt_tokens": "x"}},
        {"usage": {"prompt_tokens": -1}},
        {"place": -1},
        {"chain": {"first": "x", "place": 0, "length": 2}},
    ],
    ids=str,
)
def test_an_episode_that_cannot_be_one_is_named(folder: Path, spoilt: dict[str, Any]) -> None:
    path = folder / "episodes.jsonl"
    path.write_text(json.dumps(json.loads(path.read_text()) | spoilt) + "\n")
    with pytest.raises(LogError, match=r"episodes\.jsonl, line 1 is not an episode") as refused:
        read_run(folder)
    assert "Error(" not in str(refused.value)


def test_only_one_writer_at_a_time(toy: Path) -> None:
    with RunWriter(toy / "run"), pytest.raises(InputError, match="written by another run"):
        RunWriter(toy / "run")
    RunWriter(toy / "run").close()


def test_decisions_of_a_play_that_was_cut_off_count_nowhere(toy: Path) -> None:
    write(toy / "run", finish=False)
    assert not list(_decisions_of(toy / "run"))
    write(toy / "run")
    assert len(list(_decisions_of(toy / "run"))) == 6
    (cut,) = read_run(toy / "run").interrupted
    assert (cut.play, cut.is_open) == (0, False)
    assert cut.reason == "the run was stopped while this episode was played"


def _decisions_of(folder: Path) -> list[Any]:
    return list(read_run(folder).decisions())


def test_every_interrupted_play_is_void_and_the_last_one_counts(toy: Path) -> None:
    env, made = turns()
    with RunWriter(toy / "run") as writer:
        writer.describe({})
        for _ in range(3):
            writer.turn(spec().id, made[0])
            writer.interrupt(spec(), "server down")
        for turn in made:
            writer.turn(spec().id, turn)
        writer.finish(spec(), env, made)
    assert len(_decisions_of(toy / "run")) == 6
    with RunWriter(toy / "run") as writer:
        assert writer.finished == {spec().id}
    assert [record.play for record in read_run(toy / "run").interrupted] == [0, 1, 2]


def test_opening_twice_lists_a_cut_play_once(toy: Path) -> None:
    write(toy / "run", finish=False)
    for _ in range(2):
        RunWriter(toy / "run").close()
    assert len(read_run(toy / "run").interrupted) == 1


def test_an_interruption_tells_who_played(toy: Path) -> None:
    with RunWriter(toy / "run") as writer:
        writer.describe({})
        writer.interrupt(spec(), "server down")
    (record,) = read_run(toy / "run").interrupted
    assert record.population == {"Alpha": Player(agent="kind"), "Beta": Player(agent="kind")}


def test_a_text_is_kept_once(toy: Path) -> None:
    for seed in (1, 2, 3):
        write(toy / "run", seed)
    kept = [json.loads(line)["text"] for line in (toy / "run/texts.jsonl").read_text().splitlines()]
    assert sorted(kept) == ["Share or keep.", "keep", "share"]


class _Disk:
    """A file on a disk that takes `room` more bytes."""

    def __init__(self, file: Any, room: int) -> None:
        self.file, self.room = file, room

    def write(self, block: bytes) -> int:
        if self.room == 0:
            raise OSError(28, "No space left on device")
        taken = min(self.room, len(block))
        self.room -= taken
        return int(self.file.write(block[:taken]))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def test_a_full_disk_leaves_no_half_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (folder / "texts.jsonl").read_bytes()
    file = AppendFile(folder / "texts.jsonl")
    monkeypatch.setattr(file, "_file", _Disk(file._file, room=10))
    with pytest.raises(LogError, match=r"texts\.jsonl cannot be written: No space left on device"):
        file.write([{"schema": 1, "id": "a", "text": "a long text"}])
    assert (folder / "texts.jsonl").read_bytes() == before


def test_a_write_in_pieces_is_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Piecemeal(_Disk):
        def write(self, block: bytes) -> int:
            return int(self.file.write(block[:3]))

    file = AppendFile(folder / "texts.jsonl")
    monkeypatch.setattr(file, "_file", Piecemeal(file._file, room=0))
    file.write([{"schema": 1, "id": "a", "text": "b"}])
    assert list(read_lines(folder / "texts.jsonl", {"id": str}))[-1][1]["text"] == "b"


def test_a_folder_that_cannot_be_made_is_refused(toy: Path) -> None:
    (toy / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written: Not a directory"):
        RunWriter(toy / "file" / "run")


def test_run_folders_are_found_at_any_depth_each_once(toy: Path) -> None:
    for name in ("b/deep/er", "a"):
        write(toy / "runs" / name)
    found = find_runs([toy / "runs", toy / "runs/a"])
    assert found == [toy / "runs/a", toy / "runs/b/deep/er"]


@pytest.mark.parametrize("made", ["nowhere", "empty"])
def test_what_holds_no_run_is_refused(toy: Path, made: str) -> None:
    (toy / "empty").mkdir()
    with pytest.raises(LogError, match=made):
        find_runs([toy / made])


@pytest.mark.parametrize("content", ["a: [", "- 1", "\x00", ""])
def test_a_run_yaml_that_is_none_is_refused(folder: Path, content: str) -> None:
    (folder / "run.yaml").write_text(content)
    with pytest.raises(LogError, match=r"run\.yaml") as refused:
        read_run(folder)
    assert "\n" not in str(refused.value)


def test_times_come_from_the_clock_given(toy: Path) -> None:
    _, made = turns(1)
    with RunWriter(toy / "run", clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)) as writer:
        writer.turn(spec().id, made[0])
    line = json.loads((toy / "run/decisions.jsonl").read_text().splitlines()[0])
    assert line["time"]["at"] == "2026-01-01T00:00:00.000+00:00"


# -- decisions that are missing, or too many -----------------------------------------------------


def _keep_lines(path: Path, wanted: Callable[[int], int]) -> None:
    """Write each line of `path` `wanted(place)` times, places from 0."""
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line * wanted(place) for place, line in enumerate(lines)))


def test_a_finished_episode_with_fewer_than_its_decisions_is_named(folder: Path) -> None:
    _keep_lines(folder / "decisions.jsonl", lambda place: place != 2)
    told = rf"holds 5 decisions of finished episode {spec().id}, which has 6"
    with pytest.raises(LogError, match=told):
        list(read_run(folder).decisions())


@pytest.mark.parametrize("lost", [set(), {0}], ids=["one too many", "as many as there should be"])
def test_a_decision_that_stands_twice_is_named_with_its_line(folder: Path, lost: set[int]) -> None:
    _keep_lines(folder / "decisions.jsonl", lambda place: (place not in lost) + (place == 2))
    told = rf"decisions\.jsonl, line {4 - len(lost)} repeats what"
    with pytest.raises(LogError, match=told):
        list(read_run(folder).decisions())


def test_a_decision_more_than_an_episode_has_is_named_with_its_line(folder: Path) -> None:
    _keep_lines(folder / "decisions.jsonl", lambda place: 1 + (place == 5))
    with pytest.raises(LogError, match=r"line 7 repeats .* or is one more than its 6 decisions"):
        list(read_run(folder).decisions())


def test_reading_keeps_nothing_of_the_decisions_of_whole_episodes(toy: Path) -> None:
    from valuesim.log.reader import _Tally

    episode = EpisodeRecord(
        id="e", env="x", condition={}, population={}, seed=0, decisions=1000, place=0
    )
    tally = _Tally({"e": episode})
    for step in range(1000):
        record = DecisionRecord(episode=episode, step=step, role="A", options=(), chosen=None)
        assert tally.wrong_with(record, 0) is None
    assert not tally._open
    assert list(tally.short()) == []


@pytest.mark.parametrize("name", [*FILES, "run.yaml", ".lock"])
def test_what_is_no_regular_file_is_refused_and_not_waited_for(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(LogError, match=rf"{name} is not a regular file"):
        RunWriter(folder, settle=lambda stored: stored or {})
    if name in ("decisions.jsonl", "episodes.jsonl", "interrupted.jsonl"):
        with pytest.raises(LogError, match=rf"{name} is not a regular file"):
            _read_all(folder)


def test_a_run_yaml_of_another_schema_is_refused(folder: Path) -> None:
    (folder / "run.yaml").write_text("schema: 2")
    with pytest.raises(LogError, match=r"run\.yaml has schema 2; this version reads 1"):
        read_run(folder)


@pytest.mark.parametrize("lost", [{2}, set(range(6))], ids=["one", "all"])
def test_an_episode_that_lost_decisions_is_played_again(folder: Path, lost: set[int]) -> None:
    write(folder, seed=2)
    _keep_lines(folder / "decisions.jsonl", lambda place: place not in lost)
    with pytest.raises(LogError, match="resume the run to play it again"):
        list(read_run(folder).decisions())
    for _ in range(2):  # a resume that is killed at once plays nothing
        with RunWriter(folder) as writer:
            assert writer.finished == {spec(2).id}
        if lost == {2}:
            # it is listed as interrupted, and is not finished
            assert set(read_run(folder).episodes) == {spec(2).id}
            assert [each.is_open for each in read_run(folder).interrupted] == [True]
            assert len(_decisions_of(folder)) == 6
    write(folder)
    assert len(_decisions_of(folder)) == 12


def test_a_folder_with_decisions_twice_is_not_written_on(folder: Path) -> None:
    _keep_lines(folder / "decisions.jsonl", lambda _: 2)
    with pytest.raises(LogError, match="holds 12 decisions"):
        RunWriter(folder)


@pytest.mark.parametrize("play", [None, "0", -1, 1.5, True, [0]])
@pytest.mark.parametrize("name", ["decisions.jsonl", "interrupted.jsonl"])
def test_a_play_that_is_no_number_is_named_by_reader_and_writer(
    toy: Path, name: str, play: object
) -> None:
    folder = toy / "run"
    write(folder)
    with RunWriter(folder) as writer:
        writer.interrupt(spec(2), "server down")
    line = json.loads((folder / name).read_text().splitlines()[0])
    (folder / name).write_text(json.dumps(line | {"play": play}) + "\n")
    for use in (_read_all, RunWriter):
        with pytest.raises(LogError, match=rf"{name}, line 1 has play=.*not a count"):
            use(folder)


@pytest.mark.parametrize(
    ("name", "key", "given"),
    [
        ("episodes.jsonl", "condition", "low"),
        ("episodes.jsonl", "elicitation", None),
        ("episodes.jsonl", "decisions", "6"),
        ("episodes.jsonl", "population", {"Alpha": {"agent": "kind", "model": "m"}}),
        ("episodes.jsonl", "population", ["Alpha"]),
        ("interrupted.jsonl", "condition", 3),
        ("interrupted.jsonl", "reason", None),
    ],
)
def test_a_field_of_another_type_is_told_with_its_line(
    toy: Path, name: str, key: str, given: object
) -> None:
    folder = toy / "run"
    write(folder)
    with RunWriter(folder) as writer:
        writer.interrupt(spec(2), "server down")
    line = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps(line | {key: given}) + "\n")
    with pytest.raises(LogError, match=rf"{name}, line 1 "):
        read_run(folder)


# -- who writes ----------------------------------------------------------------------------------


def test_a_folder_is_settled_while_nobody_else_can_write_it(folder: Path) -> None:
    seen: list[Any] = []

    def settle(stored: Any) -> dict[str, Any]:
        seen.append(stored)
        with pytest.raises(InputError, match="written by another run"):
            RunWriter(folder)
        return {"config": {"n": len(seen)}}

    for _ in range(2):
        RunWriter(folder, settle=settle).close()
    assert seen == [{"config": {}}, {"config": {"n": 1}}]
    assert read_run(folder).config == {"config": {"n": 2}}


def test_a_folder_that_is_refused_is_left_as_it_was_and_open_to_others(folder: Path) -> None:
    append(folder / "decisions.jsonl", b'{"torn')
    before = {path: path.read_bytes() for path in folder.iterdir()}

    def settle(_: Any) -> dict[str, Any]:
        raise InputError("another run")

    with pytest.raises(InputError, match="another run") as refused:
        RunWriter(folder, settle=settle)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    RunWriter(folder).close()
    del refused


def test_an_interruption_tells_what_was_played(toy: Path) -> None:
    with RunWriter(toy / "run") as writer:
        writer.describe({})
        writer.interrupt(spec(), "server down", {"level": "low"})
        writer.interrupt(spec(2), "server down")
    first, second = read_run(toy / "run").interrupted
    assert (first.env, first.condition) == ("toy-v0", {"level": "low"})
    assert (second.env, second.condition) == ("toy-v0", None)


# -- several runs --------------------------------------------------------------------------------


def _pool(toy: Path, *names: str) -> Pool:
    return decisions_once([read_run(toy / name) for name in names])


def test_an_episode_in_two_runs_counts_once_and_is_told(toy: Path) -> None:
    write(toy / "a")
    write(toy / "b")
    write(toy / "b", seed=2)
    pool = _pool(toy, "a", "b")
    assert len(pool.decisions) == 12
    assert set(pool.episodes) == {spec().id, spec(2).id}
    assert (pool.repeated, pool.differing) == (1, 0)
    assert pool.notes == ("in more than one run folder, and counted once: 1 episode",)


def test_two_samples_of_one_episode_are_told_and_the_first_counts(toy: Path) -> None:
    write(toy / "a")
    write(toy / "b")
    lines = (toy / "b/decisions.jsonl").read_text()
    (toy / "b/decisions.jsonl").write_text(lines.replace('"option":"KEEP"', '"option":"SHARE"', 1))
    pool = _pool(toy, "a", "b")
    assert (pool.repeated, pool.differing) == (1, 1)
    assert {record.chosen for record in pool.decisions} == {"KEEP"}
    assert "second sample" in pool.notes[1]
    assert [r.chosen for r in _pool(toy, "b", "a").decisions].count("SHARE") == 1


def test_one_run_has_nothing_to_note(toy: Path) -> None:
    write(toy / "a")
    assert _pool(toy, "a").notes == ()


def test_an_episode_that_another_run_finished_is_not_interrupted(toy: Path) -> None:
    write(toy / "a")
    with RunWriter(toy / "b") as writer:
        writer.describe({})
        for seed in (1, 2):
            for reason in ("server down", "budget spent"):
                writer.interrupt(spec(seed), reason)
    (open_still,) = _pool(toy, "a", "b").interrupted
    assert (open_still.episode, open_still.reason) == (spec(2).id, "budget spent")


def test_a_play_cut_off_is_told_as_that_of_who_played_it_before(toy: Path) -> None:
    _, made = turns()
    with RunWriter(toy / "a") as writer:
        writer.describe({})
        writer.interrupt(spec(), "server down", {"level": "low"})
        writer.turn(spec().id, made[0])
    RunWriter(toy / "a").close()
    (cut,) = _pool(toy, "a").interrupted
    assert cut.reason == "the run was stopped while this episode was played"
    assert (cut.condition, cut.population) == ({"level": "low"}, spec().population)


def test_a_folder_reached_by_two_names_is_one(folder: Path, toy: Path) -> None:
    (toy / "link").symlink_to(folder)
    assert len(find_runs([folder, toy / "link", toy / "run/../run"])) == 1


# -- files that are whole or not there -----------------------------------------------------------


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("old")

    def fill() -> None:
        with whole(tmp_path / "page.html") as draft:
            draft.write_text("new")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ValueSimError, match=r"page\.html cannot be written: No space") as failed:
        fill()
    assert not isinstance(failed.value, InputError)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert (tmp_path / "page.html").read_text() == "old"


def test_a_file_goes_through_a_link_and_never_replaces_a_device(tmp_path: Path) -> None:
    (tmp_path / "target.txt").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "target.txt")
    (tmp_path / "null").symlink_to("/dev/null")
    for name in ("link", "null"):
        with whole(tmp_path / name) as draft:
            draft.write_text("new")
    assert (tmp_path / "target.txt").read_text() == "new"
    assert Path("/dev/null").is_char_device()


def test_a_place_that_is_none_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file or directory"), whole(tmp_path / "a/b") as d:
        d.write_text("")


def test_a_place_can_be_tried_and_nothing_is_left_there(tmp_path: Path) -> None:
    check_place(tmp_path / "new.json")
    (tmp_path / "null").symlink_to("/dev/null")
    check_place(tmp_path / "null")
    assert [path.name for path in tmp_path.iterdir()] == ["null"]
    for place in (tmp_path / "no/where", tmp_path):
        with pytest.raises(InputError, match="cannot be written"):
            check_place(place)


def test_drafts_touch_no_file_of_others_nor_each_other(tmp_path: Path) -> None:
    target, mine = tmp_path / "page.csv", tmp_path / "page.part.csv"
    mine.write_text("mine")
    check_place(target)
    with whole(target) as one, whole(target) as other:
        assert len({one, other, target, mine}) == 4
        assert one.suffix == other.suffix == ".csv"
        one.write_text("one")
        other.write_text("other")
    assert mine.read_text() == "mine"
    assert target.read_text() == "one"
    assert {path.name for path in tmp_path.iterdir()} == {"page.csv", "page.part.csv"}


def test_a_file_may_have_the_longest_name(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 251 + ".csv")
    with whole(path) as draft:
        draft.write_text("1")
    assert path.read_text() == "1"

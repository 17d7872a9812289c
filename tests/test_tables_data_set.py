"""The table of choices as a partitioned data set: written whole, read as one table."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from valuesim.cli import main
from valuesim.cli.evidence import read_evidence
from valuesim.cli.streamed import stream_evidence
from valuesim.errors import InputError, LogError
from valuesim.formats.choice_columns import COLUMNS
from valuesim.formats.coded_table import read_coded
from valuesim.formats.data_set import DataSetWriter, folder_name, is_data_set, parts_of
from valuesim.formats.parquet import Part, parquet_codes, tables_of
from valuesim.formats.table_codes import firsts, keyed
from valuesim.graph.coded import coded
from valuesim.log import decisions_once, find_runs, read_run
from valuesim.tables.once import DecisionsOnce

pyarrow = pytest.importorskip("pyarrow")

SITUATION = '[{"name":"a","stakes":{"Care":1}},{"name":"b","stakes":{"Power":1}}]'


def row(number: int, **changed: Any) -> dict[str, Any]:
    """One choice: two decisions an episode, one in five a fault."""
    position = None if number % 5 == 0 else number % 2
    return {
        **dict.fromkeys(COLUMNS),
        "run": "r",
        "env": "mine-v0",
        "episode": f"e{number // 2}",
        "seed": number // 2,
        "step": number % 2,
        "role": "Alpha",
        "agent": ("kind", "bold")[number // 2 % 2],
        "elicitation": "{}",
        "condition": "{}",
        "cluster": f"c{number // 2}",
        "unit": "episode",
        "ordered": True,
        "situation": SITUATION,
        "position": position,
        "chosen": None if position is None else "ab"[position],
        "fault": "refused" if position is None else None,
        **changed,
    }


def written(
    rows: Iterable[dict[str, Any]], folder: Path, keys: tuple[str, ...] = ("env", "agent", "model")
) -> Path:
    with DataSetWriter(folder, keys) as writer:
        for table in tables_of(folder, rows):
            writer.add(table)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs; two have an episode in common, decided otherwise."""
    folder = tmp_path_factory.mktemp("runs")
    for name, given in {
        "a": ["env=survival", "agents=[ethical,mute]", "episodes=1"],
        "b": ["env=dictator", "agents=random", "episodes=6"],
        "c": ["env=dictator", "agents=random", "episodes=3"],
    }.items():
        assert main(["run", *given, f"run.name={folder}/{name}"]) == 0
    log = folder / "c" / "decisions.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    offered = [option["name"] for option in lines[0]["observation"]["options"]]
    taken = lines[0]["decision"]["option"]
    lines[0]["decision"]["option"] = next(name for name in offered if name != taken)
    log.write_text("".join(json.dumps(line, sort_keys=True) + "\n" for line in lines))
    return folder


def graph(capsys: pytest.CaptureFixture[str], *given: str) -> list[Any]:
    capsys.readouterr()
    assert main(["graph", *given, "--json", "-"]) == 0
    groups = json.loads(capsys.readouterr().out)["groups"]
    return sorted(groups, key=lambda group: json.dumps(group["group"]))


def test_a_data_set_is_ranked_as_the_one_file_is(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, folder = str(tmp_path / "one.parquet"), str(tmp_path / "many")
    assert main(["export", "choices", str(runs), "--out", file]) == 0
    assert main(["export", "choices", str(runs), "--out", folder]) == 0
    assert len(parts_of(Path(folder))) > 2
    for by in ("agent,model", "env", "scarcity"):
        assert graph(capsys, folder, "--by", by) == graph(capsys, file, "--by", by)


def test_a_data_set_by_other_columns_is_the_same_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row(n) for n in range(200)]
    sets = [
        written(rows, tmp_path / "-".join(keys), keys)
        for keys in (("agent",), ("unit", "seed"), ("ordered", "fault"), ("model",))
    ]
    found = [graph(capsys, str(each)) for each in sets]
    assert found[0]
    assert all(each == found[0] for each in found[1:])


def test_several_files_are_one_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row(n) for n in range(200)]
    whole = written(rows, tmp_path / "whole")
    first = written(rows[:100], tmp_path / "first")
    second = tmp_path / "second.jsonl"
    second.write_text("".join(json.dumps(each) + "\n" for each in rows[100:]))
    assert graph(capsys, str(first), str(second)) == graph(capsys, str(whole))


def test_what_stands_in_two_files_is_refused_where_it_stands(tmp_path: Path) -> None:
    rows = [row(n) for n in range(20)]
    first = written(rows, tmp_path / "first")
    second = tmp_path / "second.jsonl"
    second.write_text("".join(json.dumps(each) + "\n" for each in [row(99), rows[3]]))
    with pytest.raises(InputError, match=r"second\.jsonl: row 2 repeats what Alpha decided"):
        read_coded([first, second])


NAMES = ("a/b", "..", "ü 汉", "=x", "", "__HIVE_DEFAULT_PARTITION__", "%2F", ".part", None)


def test_hostile_names_come_back_and_leave_no_folder_of_their_own(tmp_path: Path) -> None:
    rows = [row(n, model=NAMES[n // 2 % len(NAMES)]) for n in range(4 * len(NAMES))]
    folder = written(rows, tmp_path / "in" / "set", ("model",))
    assert {path.name for path in (tmp_path / "in").iterdir()} == {"set"}
    assert all(path.parent == folder for path in folder.iterdir())
    told = [part.told["model"] for part in parts_of(folder)]
    assert sorted(told, key=str) == sorted(NAMES, key=str)
    players = {g["model"] for g in read_coded(folder)}
    assert players == set(NAMES)


def test_a_name_too_long_for_a_folder_is_refused() -> None:
    with pytest.raises(InputError, match="leave model out of --partition"):
        folder_name("model", "m" * 300)


def test_other_tools_read_what_is_written(tmp_path: Path) -> None:
    from pyarrow import dataset

    folder = written([row(n, model="org/name") for n in range(40)], tmp_path / "set")
    table = dataset.dataset(folder, partitioning="hive").to_table().to_pylist()
    assert len(table) == 40
    assert {each["model"] for each in table} == {"org/name"}
    assert {each["situation"] for each in table} == {SITUATION}


def test_equal_rows_give_equal_bytes(tmp_path: Path) -> None:
    rows = [row(n) for n in range(300)]
    one, other = (written(rows, tmp_path / name) for name in ("one", "other"))
    files = [path.relative_to(one) for path in sorted(one.rglob("*.parquet"))]
    assert len(files) == 2
    assert all((one / name).read_bytes() == (other / name).read_bytes() for name in files)


def test_no_file_holds_a_text_of_another_partition(tmp_path: Path) -> None:
    rows = [row(n, cluster=f"secret of {row(n)['agent']} {n // 2}") for n in range(60)]
    folder = written(rows, tmp_path / "set", ("agent",))
    for agent, other in (("kind", "bold"), ("bold", "kind")):
        codes, names = parquet_codes(
            [p for p in parts_of(folder) if p.told["agent"] == agent], "cluster"
        )
        assert len(codes) == 30
        assert not any(other in name for name in names)


def test_an_export_that_fails_leaves_the_earlier_data_set(tmp_path: Path) -> None:
    folder = written([row(n) for n in range(20)], tmp_path / "set")
    before = sorted(folder.rglob("*.parquet"))

    def failing() -> Iterator[dict[str, Any]]:
        yield from [row(n, agent="new") for n in range(10)]
        raise LogError("the log is broken")

    with pytest.raises(LogError):
        written(failing(), folder)
    assert sorted(folder.rglob("*.parquet")) == before
    assert {path.name for path in tmp_path.iterdir()} == {"set"}


def test_a_killed_export_leaves_nothing_that_is_read(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path\n"
        "from tests.test_tables_data_set import DataSetWriter, row, tables_of\n"
        "folder = Path(sys.argv[1])\n"
        "with DataSetWriter(folder) as writer:\n"
        "    [writer.add(t) for t in tables_of(folder, [row(n) for n in range(20)])]\n"
        "    [writer._flush(each) for each in list(writer._held)]\n"
        "    os._exit(9)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path / "set")], cwd=Path.cwd())
    assert ran.returncode == 9
    (left,) = tmp_path.iterdir()
    assert next(left.rglob("*.parquet"))
    assert not is_data_set(tmp_path)
    with pytest.raises(InputError, match="export again"):
        parts_of(left)
    written([row(n) for n in range(20)], tmp_path / "set")
    assert {path.name for path in tmp_path.iterdir()} == {"set"}


def test_a_folder_of_something_else_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="something else than a data set"):
        written([row(0)], tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").exists()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--out", "set", "--partition", "situation"], "is not one of run, env"),
        (["--out", "set", "--partition", "agent,agent"], "each once"),
        (["--out", "set.tsv"], "must end in"),
    ],
)
def test_bad_arguments_of_an_export_are_one_sentence(
    runs: Path, tmp_path: Path, monkeypatch: Any, capsys: Any, given: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", "choices", str(runs), *given]) == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_partition_is_of_choices_only(runs: Path, capsys: Any) -> None:
    assert main(["export", "inspect", str(runs), "--out", "x.eval", "--partition", "env"]) == 2
    assert "--partition is of choices" in capsys.readouterr().err


def test_a_folder_that_is_neither_is_a_clear_error(tmp_path: Path, capsys: Any) -> None:
    assert main(["graph", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "no run.yaml" in told
    assert "no .parquet" in told


def test_tables_and_runs_are_not_read_together(runs: Path, tmp_path: Path, capsys: Any) -> None:
    folder = written([row(n) for n in range(20)], tmp_path / "set")
    assert main(["graph", str(folder), str(runs)]) == 2
    assert "`valuesim import choices" in capsys.readouterr().err


def test_an_export_streams_what_reading_all_at_once_gives(runs: Path) -> None:
    from valuesim.formats.choice_columns import rows_of
    from valuesim.formats.exported import Source

    folders = find_runs([runs])
    read = tuple(map(read_run, folders))
    pool = decisions_once(read)
    source = Source(runs=read, pool=pool, by=(), files_for=lambda _: {})
    once = DecisionsOnce(folders)
    assert list(once) == list(rows_of(pool.decisions, source.run_of))
    assert once.notes == pool.notes
    assert (pool.repeated, pool.differing) == (3, 1)


def test_a_column_of_two_types_is_read_by_content(tmp_path: Path) -> None:
    from pyarrow import parquet

    whole, real = tmp_path / "whole.parquet", tmp_path / "real.parquet"
    parquet.write_table(pyarrow.table({"seed": [1, None, 2]}), whole)
    parquet.write_table(pyarrow.table({"seed": [2.0, 1.0]}), real)
    codes, contents = parquet_codes([Part(path=whole), Part(path=real)], "seed")
    assert [None if c < 0 else contents[c] for c in codes] == [1, None, 2, 2, 1]


@pytest.mark.parametrize("largest", [3, 10**9])
def test_keys_number_the_distinct_rows_in_their_order(largest: int) -> None:
    rng = np.random.default_rng(0)
    columns = [rng.integers(-1, 3, 500), rng.integers(0, 5, 500) * largest, np.zeros(500, int)]
    rows = list(zip(*(c.tolist() for c in columns), strict=True))
    order = {each: place for place, each in enumerate(sorted(set(rows)))}
    key = keyed(columns)
    assert key.tolist() == [order[each] for each in rows]
    assert firsts(key).tolist() == [rows.index(each) for each in order]


@pytest.mark.skipif(sys.platform != "linux", reason="a process tells its peak elsewhere")
def test_a_million_choices_are_read_in_little_memory(tmp_path: Path) -> None:
    from benchmarks.ten_million import tables
    from valuesim.formats.parquet import write_tables

    path = tmp_path / "million.parquet"
    write_tables(path, tables(1_000_000))
    code = (
        "import re, sys; from pathlib import Path\n"
        "import pyarrow.parquet, valuesim.graph.rank\n"
        "from valuesim.formats.coded_table import read_coded\n"
        "def peak():\n"
        "    return int(re.search(r'VmHWM:\\s*(\\d+)', Path('/proc/self/status').read_text())[1])\n"
        "before = peak(); read_coded(Path(sys.argv[1])); print(peak() - before)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    mebibytes = int(ran.stdout) / 1024
    # with eight bytes a cell and all columns at once it was 420
    assert 5 < mebibytes < 220, mebibytes


@pytest.mark.parametrize("by", ["agent,model", "env,role", "scarcity", "condition"])
def test_evidence_that_streams_is_that_of_the_records(runs: Path, by: str) -> None:
    kept, streamed = read_evidence([runs], by), stream_evidence([runs], by)
    assert streamed.all_groups == kept.all_groups
    assert (streamed.by, streamed.interrupted) == (kept.by, kept.interrupted)
    for group in kept.all_groups:
        one, other = coded(kept.choices(group)), coded(streamed.choices(group))
        assert (one.situations, one.clusters) == (other.situations, other.clusters)
        for column in ("situation", "cluster", "position"):
            assert np.array_equal(getattr(one, column), getattr(other, column))
        assert (one.decisions, one.faults, one.unit) == (other.decisions, other.faults, other.unit)
        assert streamed.notes(group) == kept.notes(group)
        assert not streamed.records(group)


def test_worlds_of_several_episodes_are_seeds_however_evidence_is_read(tmp_path: Path) -> None:
    from valuesim.choices import choices

    given = ["env=dictator", "agents.all=[random,first:0.7]", "episodes=4"]
    assert main(["run", *given, f"run.name={tmp_path}/r"]) == 0
    (group,) = (streamed := stream_evidence([tmp_path], "role")).all_groups
    expected = choices(read_run(tmp_path / "r").decisions())
    assert streamed.choices(group).unit == expected.unit == "seed"


def test_a_grouping_that_no_run_has_is_refused_as_well(runs: Path) -> None:
    for read in (read_evidence, stream_evidence):
        with pytest.raises(InputError, match="did you mean 'scarcity'"):
            read([runs], "scarsity")


def test_a_data_set_is_imported_as_the_run_that_it_was_made_of(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, back = tmp_path / "set", str(tmp_path / "back")
    assert main(["export", "choices", str(runs), "--out", str(folder)]) == 0
    assert main(["import", "choices", str(folder), "--out", back]) == 0
    assert graph(capsys, back, "--by", "env") == graph(capsys, str(runs), "--by", "env")
    assert main(["import", "choices", str(folder), "--out", back]) == 0
    assert "holds this import already" in capsys.readouterr().out
    capsys.readouterr()
    assert main(["import", "choices", str(runs), "--out", str(tmp_path / "no")]) == 2
    assert "no data set" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["x/other.parquet", "env=a/part-0.parquet", "env=a/note.txt"])
def test_a_folder_with_anything_but_an_export_is_not_replaced(tmp_path: Path, name: str) -> None:
    from pyarrow import parquet

    folder = written([row(n) for n in range(20)], tmp_path / "set")
    foreign = folder / name
    foreign.parent.mkdir()
    parquet.write_table(pyarrow.table({"mine": [1]}), foreign)
    with pytest.raises(InputError, match="something else than a data set"):
        written([row(0)], folder)
    assert foreign.exists()
    foreign.unlink()
    foreign.parent.rmdir()
    written([row(0)], folder)
    assert len(parts_of(folder)) == 1


def test_what_was_put_into_the_folder_meanwhile_is_kept(tmp_path: Path) -> None:
    folder = written([row(n) for n in range(20)], tmp_path / "set")

    def meanwhile() -> Iterator[dict[str, Any]]:
        yield row(0)
        (folder / "thesis.txt").write_text("years of work")

    with pytest.raises(InputError, match="something else than a data set"):
        written(meanwhile(), folder)
    assert (folder / "thesis.txt").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"set"}


def test_two_exports_to_one_folder_do_not_disturb_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    with DataSetWriter(folder) as writer:
        writer.add(next(tables_of(folder, [row(n) for n in range(20)])))
        with pytest.raises(InputError, match="is being written by another"):
            written([row(0)], folder)
    assert len(parts_of(folder)) == 2


def test_a_folder_that_is_no_draft_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / ".set.part" / "thesis.txt"
    mine.parent.mkdir()
    mine.write_text("years of work")
    with pytest.raises(InputError, match="is no draft"):
        written([row(0)], tmp_path / "set")
    assert mine.exists()
    named = written([row(0)], tmp_path / "my.part")
    assert len(parts_of(named)) == 1


def test_files_are_closed_where_the_last_rows_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    flush = DataSetWriter._flush

    def second_fails(writer: DataSetWriter, partition: Any) -> None:
        if made:
            raise PermissionError(13, "not allowed")
        flush(writer, partition)
        made.extend(writer._writers.values())

    monkeypatch.setattr(DataSetWriter, "_flush", second_fails)
    with pytest.raises(InputError, match="cannot be written: not allowed"):
        written([row(n) for n in range(20)], tmp_path / "set")
    assert [each.is_open for each in made] == [False]

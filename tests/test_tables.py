"""Run folders as tables: what the views hold, when they are made anew, and what SQL may not do."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from valuesim.cli import main
from valuesim.errors import InputError, LogError
from valuesim.formats.choice_columns import COLUMNS, rows_of
from valuesim.log import decisions_once, find_runs, read_run
from valuesim.log.pool import Pool
from valuesim.tables.answers import plain
from valuesim.tables.columns import DECISIONS, EPISODES, RUNS
from valuesim.tables.database import VIEWS, Database
from valuesim.tables.derived import FOLDER, state_of, tables_of

pytest.importorskip("duckdb")
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with faults, and two that share three episodes."""
    folder = tmp_path_factory.mktemp("runs")
    for name, given in {
        "sur'vival [1]": ["env=survival", "agents=[ethical,mute]", "episodes=1"],
        "six": ["env=dictator", "agents=random", "episodes=6"],
        "three": ["env=dictator", "agents=random", "episodes=3"],
    }.items():
        made = folder / "made"
        assert main(["run", *given, f"run.name={made}"]) == 0
        made.rename(folder / name)
    return folder


@pytest.fixture(scope="module")
def pool(runs: Path) -> Pool:
    return decisions_once([read_run(folder) for folder in find_runs([runs])])


def ask(runs: Path, sql: str, **given: Any) -> list[tuple[Any, ...]]:
    with Database(find_runs([runs]), **given) as database:
        return list(database.query(sql).rows)


def test_the_views_hold_what_counts_and_each_episode_once(runs: Path, pool: Pool) -> None:
    with Database(find_runs([runs])) as database:
        assert database.repeated == pool.repeated == 3
        for view, count in {"decisions": pool.decisions, "episodes": pool.episodes}.items():
            assert list(database.query(f"SELECT count(*) FROM {view}").rows) == [(len(count),)]
        told = database.query("SELECT fault, count(*) FROM decisions GROUP BY ALL").rows
        assert dict(told) == Counter(record.fault for record in pool.decisions)
        assert dict(database.query("SELECT run, finished FROM runs").rows)["six"] == 6


def test_choices_are_the_table_that_an_export_writes(runs: Path, pool: Pool) -> None:
    run_of = {id: f.name for f in reversed(find_runs([runs])) for id in read_run(f).episodes}
    expected = [tuple(row[name] for name in COLUMNS) for row in rows_of(pool.decisions, run_of)]
    assert sorted(ask(runs, "SELECT * FROM choices"), key=str) == sorted(expected, key=str)


def test_a_decision_tells_what_its_option_had_at_stake(runs: Path, pool: Pool) -> None:
    sql = (
        "SELECT episode, step, role, stakes, options, payoff, (condition->>'scarcity') "
        "FROM decisions"
    )
    found = {each[:3]: each[3:] for each in ask(runs, sql)}
    for record in pool.decisions:
        taken = [dict(o.stakes) for o in record.options if o.name == record.chosen]
        stakes, options, payoff, scarcity = found[record.episode.id, record.step, record.role]
        assert (json.loads(stakes) if stakes else None) == (taken[0] if taken else None)
        assert (options, payoff) == (len(record.options), record.payoff)
        assert scarcity == record.episode.condition.get("scarcity")


def test_tables_are_made_once_and_then_read(runs: Path) -> None:
    ask(runs, "SELECT 1")
    with Database(find_runs([runs])) as database:
        assert not database.unkept
    found = [tables_of(folder, runs / "spare") for folder in find_runs([runs])]
    assert [each.is_new for each in found] == [False] * 3
    assert not (runs / "spare").exists()


def copied(runs: Path, folder: Path, name: str = "six") -> Path:
    import shutil

    return Path(shutil.copytree(runs / name, folder / name))


def test_tables_are_made_anew_when_the_log_has_changed(runs: Path, tmp_path: Path) -> None:
    run = copied(runs, tmp_path)
    assert ask(tmp_path, "SELECT count(*) FROM decisions") == [(6,)]
    lines = (run / "episodes.jsonl").read_bytes().splitlines(keepends=True)
    last = json.loads(lines[-1])["episode"]
    decisions = (run / "decisions.jsonl").read_bytes().splitlines(keepends=True)
    (run / "episodes.jsonl").write_bytes(b"".join(lines[:-1]))
    assert ask(tmp_path, "SELECT count(*) FROM decisions") == [(5,)]
    # as a live run appends: the decision of an episode that is not finished, then its line
    (run / "episodes.jsonl").write_bytes(b"".join(lines))
    assert ask(tmp_path, "SELECT count(*) FROM decisions") == [(6,)]
    void = {"schema": 1, "episode": last, "play": 0, "reason": "lost"}
    kept = [line for line in decisions if json.loads(line)["episode"] != last]
    again = [json.loads(line) for line in decisions if json.loads(line)["episode"] == last]
    voided = [json.dumps(line | {"play": 1}).encode() + b"\n" for line in again]
    (run / "decisions.jsonl").write_bytes(b"".join([*kept, *voided, *decisions[-1:]]))
    (run / "interrupted.jsonl").write_bytes(json.dumps(void | {"play": 1}).encode() + b"\n")
    assert ask(tmp_path, "SELECT count(*) FROM decisions") == [(6,)]


def test_an_edit_that_keeps_the_size_is_seen(runs: Path, tmp_path: Path) -> None:
    run = copied(runs, tmp_path)
    before = state_of(run)
    log = run / "decisions.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"fault":null', b'"fault":NULL', 1))
    assert state_of(run) != before
    with pytest.raises(LogError, match="is not JSON"):
        ask(tmp_path, "SELECT 1")


def test_a_log_in_parts_is_seen_whole(runs: Path, tmp_path: Path) -> None:
    run = copied(runs, tmp_path)
    before = state_of(run)
    part = run / "segments" / "w1"
    part.mkdir(parents=True)
    for name in ("decisions.jsonl", "episodes.jsonl", "texts.jsonl"):
        (run / name).rename(part / name)
    assert state_of(run) != before
    assert ask(tmp_path, "SELECT count(*) FROM decisions") == [(6,)]


def test_tables_of_another_version_or_a_broken_one_are_made_anew(
    runs: Path, tmp_path: Path
) -> None:
    run = copied(runs, tmp_path)
    ask(tmp_path, "SELECT 1")
    (run / FOLDER / "decisions.parquet").write_bytes(b"PAR1 not really")
    assert ask(tmp_path, "SELECT count(*) FROM decisions") == [(6,)]
    assert tables_of(run, tmp_path / "spare").is_kept
    assert {path.name for path in (run / FOLDER).iterdir()} == {
        f"{name}.parquet" for name in ("runs", "episodes", "decisions")
    }


def test_tables_of_other_columns_are_made_anew(runs: Path, tmp_path: Path) -> None:
    from pyarrow import parquet

    run = copied(runs, tmp_path)
    ask(tmp_path, "SELECT 1")
    path = run / FOLDER / "decisions.parquet"
    parquet.write_table(parquet.read_table(path).drop_columns(["agent"]), path)
    assert ask(tmp_path, "SELECT DISTINCT agent FROM decisions") == [("random",)]


def test_a_folder_has_one_set_of_tables_by_whatever_path(
    runs: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    run = copied(runs, tmp_path)
    tables_of(run, tmp_path / "spare")
    monkeypatch.chdir(tmp_path)
    assert not tables_of(Path("six"), tmp_path / "spare").is_new
    assert ask(Path("six"), "SELECT path FROM runs") == [(str(run),)]


@pytest.mark.parametrize("name", ["decisions.jsonl", f"{FOLDER}/runs.parquet"])
def test_a_pipe_is_not_waited_for(runs: Path, tmp_path: Path, name: str) -> None:
    run = copied(runs, tmp_path)
    tables_of(run, tmp_path / "spare")
    (run / name).unlink()
    os.mkfifo(run / name)
    if name == "decisions.jsonl":
        with pytest.raises(LogError, match="is not a regular file"):
            tables_of(run, tmp_path / "spare")
    else:
        assert tables_of(run, tmp_path / "spare").is_new


@pytest.mark.parametrize(
    "told", [{"time": {}}, {"time": [1]}, {"sessions": [{"notes": 5}]}, {"sessions": 5}], ids=str
)
def test_a_run_that_tells_odd_things_of_itself_is_read(
    runs: Path, tmp_path: Path, told: dict[str, Any]
) -> None:
    import yaml

    path = copied(runs, tmp_path) / "run.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | told))
    ((started, notes),) = ask(tmp_path, "SELECT started, notes FROM runs")
    assert (started is None) == ("time" in told)
    assert isinstance(json.loads(notes), list)


def test_what_no_table_can_hold_is_an_error_of_the_log(runs: Path, tmp_path: Path) -> None:
    run = copied(runs, tmp_path)
    with (run / "run.yaml").open("a") as file:
        file.write("episodes: 99999999999999999999\n")
    with pytest.raises(LogError, match="planned of 'six' cannot stand in a table"):
        ask(tmp_path, "SELECT 1")


def test_a_folder_that_cannot_be_written_is_read_without_a_trace(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = copied(runs, tmp_path)
    import shutil

    shutil.rmtree(run / "derived", ignore_errors=True)
    # root may write anywhere; a file in the place of the folder stops everybody
    (run / "derived").write_text("")
    before = sorted(run.rglob("*"))
    assert main(["query", str(run), "SELECT count(*) FROM decisions", "--json", "-"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["rows"] == [{"count_star()": 6}]
    assert "made anew each time" in told.err
    assert sorted(run.rglob("*")) == before


FORBIDDEN = {
    "a file as text": ("SELECT * FROM read_text('/etc/passwd')", "read_text"),
    "a file as csv": ("SELECT * FROM read_csv('/etc/passwd')", "read_csv"),
    "a file by name": ("SELECT * FROM '/etc/passwd'", "does not exist"),
    "names of files": ("SELECT * FROM glob('/etc/*')", "glob"),
    "deep inside": ("SELECT 1 WHERE 1 IN (SELECT 1 FROM READ_BLOB('/etc/passwd'))", "read_blob"),
    "by a function": ("SELECT * FROM query('SELECT * FROM read_text(''x'')')", "query"),
    "pointers": ("SELECT * FROM arrow_scan(1, 2, 3)", "arrow_scan"),
    "a write": ("COPY runs TO 'stolen.csv'", "COPY"),
    "another database": ("ATTACH 'x.db'", "ATTACH"),
    "an extension": ("INSTALL httpfs", "must be one SELECT"),
    "a setting": ("SET enable_external_access=true", "SET"),
    "a pragma": ("PRAGMA enable_profiling", "PRAGMA"),
    "a table": ("CREATE TABLE x AS SELECT 1", "CREATE"),
    "two statements": ("SELECT 1; SELECT 2", "must be one SELECT"),
    "nothing": ("", "must be one SELECT"),
    "python's names": ("SELECT * FROM FORBIDDEN", "does not exist"),
    "no SQL": ("SELEC 1", "syntax error"),
    "no such column": ("SELECT scarsity FROM runs", "scarsity"),
    "what stands below the views": ("SELECT * FROM own.runs", "'own.runs' does not exist"),
    "deep below": ("WITH x AS (FROM memory.own.later) FROM x", "own.later' does not exist"),
    "the catalog": ("SELECT * FROM information_schema.tables", "does not exist"),
    "its own tables": ("SELECT * FROM sqlite_master", "does not exist"),
    "all that is shown": ("SHOW ALL TABLES", "does not exist"),
    "too much": ("SELECT sum(a.range * b.range) FROM range(10) a, read_parquet('x') b", "FROM"),
}


@pytest.mark.parametrize(("sql", "told"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_what_sql_may_not_do_is_refused_in_a_sentence(
    runs: Path, tmp_path: Path, monkeypatch: Any, sql: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=told) as caught:
        ask(runs, sql)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_doors_are_shut_below_the_list_of_functions_as_well(
    runs: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    from valuesim.tables import database as module

    (tmp_path / "secret.csv").write_text("key\n1\n")
    monkeypatch.setattr(module, "_FUNCTIONS", frozenset({"read_csv", "glob"}))
    for sql in ("read_csv('{}/secret.csv')", "glob('{}/*')"):
        with pytest.raises(InputError, match="disabled by configuration"):
            ask(runs, f"SELECT * FROM {sql.format(tmp_path)}")


def test_memory_is_bounded_and_told(runs: Path) -> None:
    sql = "SELECT list(a.range) FROM range(20000000) a GROUP BY a.range % 2"
    with pytest.raises(InputError, match="Out of Memory"):
        ask(runs, sql, memory="50MB", threads=1)
    with pytest.raises(InputError, match="is no size"):
        ask(runs, "SELECT 1", memory="plenty")
    with pytest.raises(InputError, match="--memory") as caught:
        ask(runs, "SELECT count(*) FROM decisions", memory="1KB")
    assert "SET" not in str(caught.value)


def test_a_query_under_way_ends_with_a_stop(runs: Path, tmp_path: Path) -> None:
    sql = "SELECT list(a.range) FROM range(100000) a, range(1000000) b GROUP BY b.range"
    code = "import sys; from valuesim.cli import main; sys.exit(main())"
    ran = subprocess.Popen(
        [sys.executable, "-c", code, "query", str(runs / "six"), sql],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    spill = "valuesim-tables-*/runs-*.parquet"
    while ran.poll() is None and not list(tmp_path.glob(spill)):
        time.sleep(0.05)
    time.sleep(0.5)
    ran.send_signal(signal.SIGTERM)
    _, told = ran.communicate(timeout=20)
    assert (ran.returncode, told) == (130, "valuesim: error: stopped\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_answers_are_written_whole_and_as_they_are(
    runs: Path, tmp_path: Path, kind: str, capsys: Any
) -> None:
    sql = (
        "SELECT '=cmd()' AS text, 1.5 AS number, sum(decisions) AS total, [1, 2] AS listed, "
        "NULL AS nothing, true AS truth, DATE '2026-01-02' AS day FROM runs"
    )
    path = tmp_path / f"o.{kind}"
    assert main(["query", str(runs), sql, "--out", str(path)]) == 0
    assert "wrote 1 row" in capsys.readouterr().out
    total = sum(len(list(read_run(folder).decisions())) for folder in find_runs([runs]))
    if kind == "csv":
        (row,) = csv.DictReader(path.open(newline=""))
        assert row == {
            "text": "'=cmd()",
            "number": "1.5",
            "total": str(total),
            "listed": "[1,2]",
            "nothing": "",
            "truth": "true",
            "day": "2026-01-02",
        }
        return
    if kind == "jsonl":
        row = json.loads(path.read_text())
    else:
        from pyarrow import parquet

        (row,) = parquet.read_table(path).to_pylist()
        row["listed"] = json.loads(row["listed"])
    assert row == {
        "text": "=cmd()",
        "number": 1.5,
        "total": total,
        "listed": [1, 2],
        "nothing": None,
        "truth": True,
        "day": "2026-01-02",
    }


def test_cells_that_json_lacks_become_what_it_holds() -> None:
    given = [float("nan"), 2**70, b"\x01", {"a": float("inf")}, (1, None), True]
    assert [plain(cell) for cell in given] == [
        None,
        str(2**70),
        "01",
        {"a": None},
        [1, None],
        True,
    ]


def test_what_is_printed_obeys_no_terminal_and_says_what_is_left_out(
    runs: Path, capsys: Any
) -> None:
    assert main(["query", str(runs), "SELECT chr(27) || '[31mred' AS c FROM range(150)"]) == 0
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "150 rows" in told
    assert "50 more; --all" in told


def test_numbers_are_printed_with_their_digits(runs: Path, capsys: Any) -> None:
    cells = "[0.0004, 1234567.891, 0.123456789, 2, 1e-300, -0.5]"
    sql = f"SELECT x::DOUBLE AS x FROM unnest({cells}) t(x)"
    assert main(["query", str(runs / "six"), sql]) == 0
    printed = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert printed[-7:-1] == ["0.0004", "1234567.89", "0.123457", "2", "1E-300", "-0.5"]


def test_a_huge_cell_is_cut_before_it_is_looked_at(
    runs: Path, capsys: Any, monkeypatch: Any
) -> None:
    from valuesim.plain import clean

    seen: list[int] = []

    def watched(text: object) -> str:
        seen.append(len(str(text)))
        return clean(text)

    monkeypatch.setattr("valuesim.cli.query.clean", watched)
    assert main(["query", str(runs / "six"), "SELECT repeat('x', 1000000) AS x"]) == 0
    assert max(seen) < 1000
    assert f"{'x' * 50}" in capsys.readouterr().out


def test_rows_are_written_as_json_while_they_are_read(tmp_path: Path, capsys: Any) -> None:
    from valuesim.tables.answers import write_json_answer
    from valuesim.tables.database import Answer

    path, most = tmp_path / "a.json", 50_000
    written: list[int] = []

    def rows() -> Any:
        for number in range(most):
            if number == most - 1:
                (draft,) = tmp_path.iterdir()
                written.append(draft.stat().st_size)
            yield (number,)

    write_json_answer(Answer(columns=("n",), types=("INTEGER",), rows=rows()), str(path))
    assert written[0] > most
    told = json.loads(path.read_bytes())
    assert told["columns"] == [{"name": "n", "type": "INTEGER"}]
    assert [row["n"] for row in told["rows"]] == list(range(most))
    none = Answer(columns=("n",), types=("INTEGER",), rows=iter(()))
    write_json_answer(none, "-")
    assert json.loads(capsys.readouterr().out)["rows"] == []


@pytest.mark.parametrize(
    ("given", "code", "told"),
    [
        (["SELECT 1"], 2, "give run folders first"),
        (["none", "SELECT 1"], 1, "is not a folder"),
        (["{runs}", "SELECT 1 AS a, 2 AS a", "--json", "-"], 2, "two columns are named 'a'"),
        (["{runs}", "SELECT 1", "--out", "x.txt"], 2, "must end in .csv"),
        (["{runs}", "SELECT 1", "--out", "x.csv", "--json", "-"], 2, "--out and --json"),
        (["{runs}", "SELECT 1", "--threads", "0"], 2, "not a number from 1"),
        (["{runs}", "--sql", "none.sql"], 2, "cannot be read"),
    ],
)
def test_bad_arguments_of_a_query_are_one_sentence(
    runs: Path, capsys: Any, given: list[str], code: int, told: str
) -> None:
    assert main(["query", *(each.format(runs=runs) for each in given)]) == code
    said = capsys.readouterr().err
    assert told in said
    assert len(said.strip().splitlines()) == 1 + said.count("valuesim: note")


def test_a_file_of_sql_and_the_list_of_views(runs: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "q.sql").write_text("SELECT count(*) AS n\nFROM episodes -- all\n")
    assert main(["query", str(runs), "--sql", str(tmp_path / "q.sql"), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == [{"n": 8}]
    assert main(["query", str(runs)]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in VIEWS)


def test_without_duckdb_the_extra_is_named(runs: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert main(["query", str(runs), "SELECT 1"]) == 2
    assert "pip install 'valuesim[tables]'" in capsys.readouterr().err


@pytest.mark.parametrize("columns", [RUNS, EPISODES, DECISIONS], ids=["runs", "episodes", "all"])
def test_the_page_tells_every_column(columns: dict[str, str]) -> None:
    page = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    assert [name for name in columns if f"`{name}`" not in page] == []

"""Moral machine tables, utility graphs and Inspect logs; what no file can do to the commands."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from valuesim.choices import choices
from valuesim.cli import main
from valuesim.errors import InputError
from valuesim.formats.catalogue import EXPORTS, IMPORTS, PACKS
from valuesim.formats.moral_machine import read_moral_machine
from valuesim.formats.rows import CsvTable
from valuesim.formats.utility_graph import utility_graph
from valuesim.graph import Group, rank_values
from valuesim.log import read_run
from valuesim.measures.moral_machine.amce import amce
from valuesim.measures.moral_machine.judgements import judgements

Rows = list[dict[str, str]]

# -- moral machine -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "scenes"
    given = ["env=moral_machine", "env.scenes=25", "agents=random", "episodes=6"]
    assert main(["run", *given, f"run.name={run}"]) == 0
    return run


@pytest.fixture(scope="module")
def shared(scenes: Path) -> Path:
    out = scenes.parent / "shared.csv"
    assert main(["export", "moral-machine", str(scenes), "--out", str(out)]) == 0
    return out


def cells(path: Path) -> Rows:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def written(rows: Rows, path: Path) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def effects(path: Path) -> dict[str, Any]:
    return amce(judgements(read_moral_machine(path, source="x").records))


def test_scenes_come_back_as_they_went_out(scenes: Path, shared: Path, tmp_path: Path) -> None:
    back, again = tmp_path / "back", tmp_path / "again.csv"
    assert main(["import", "moral-machine", str(shared), "--out", str(back)]) == 0
    assert main(["export", "moral-machine", str(back), "--out", str(again)]) == 0
    assert again.read_bytes() == shared.read_bytes()
    own, read = (list(read_run(path).decisions()) for path in (scenes, back))
    assert amce(judgements(own)) == amce(judgements(read))
    votes = [
        [(e.cluster, sorted(e.votes())) for e in choices(records).evidence]
        for records in (own, read)
    ]
    assert sorted(votes[0]) == sorted(votes[1])


def test_truth_values_are_read_as_numbers(shared: Path, tmp_path: Path) -> None:
    """Trap 6: True and False give no error in the published script, and wrong effects."""
    rows = cells(shared)
    words = {"0": "False", "1": "True"}
    for row in rows:
        row |= {n: words[row[n]] for n in ("Intervention", "PedPed", "Barrier", "Saved")}
    path = written(rows, tmp_path / "words.csv")
    assert effects(path) == effects(shared)
    out = tmp_path / "run"
    assert main(["import", "moral-machine", str(path), "--out", str(out)]) == 0
    again = tmp_path / "again.csv"
    assert main(["export", "moral-machine", str(out), "--out", str(again)]) == 0
    assert again.read_bytes() == shared.read_bytes()


def test_a_table_of_others_is_weighted_as_the_website_drew_it(shared: Path, tmp_path: Path) -> None:
    rows = cells(shared)
    for row in rows:
        row["ResponseID"] = f"r-{row['ResponseID']}"
        if row["ScenarioType"] == "Social Value":
            row["ScenarioType"] = row["ScenarioTypeStrict"] = "Social Status"
    path = written(rows, tmp_path / "theirs.csv")
    importing = read_moral_machine(path, source="x", model="people")
    records = list(importing.records)
    assert "website" in importing.notes[0]
    assert {record.player.model_name for record in records} == {"people"}
    probabilities = {
        record.annotations["moral_scene"]["probability"]
        for record in records
        if record.annotations["moral_scene"]["groups"][0]["barrier"]
    }
    assert probabilities == {0.2}


def test_rows_that_are_no_two_cases_are_dropped_and_told(shared: Path, tmp_path: Path) -> None:
    rows = cells(shared)[:12]
    rows[0]["Saved"] = rows[1]["Saved"]
    rows[2]["Intervention"] = rows[3]["Intervention"]
    rows[4]["ScenarioType"] = rows[4]["ScenarioTypeStrict"] = "Height"
    rows[6]["Man"] = "7"
    rows[8]["CrossingSignal"] = "-1"
    importing = read_moral_machine(written(rows, tmp_path / "odd.csv"), source="x")
    assert len(list(importing.records)) == 1
    assert [each.line for each in importing.dropped] == [2, 4, 6, 7, 8, 9, 10, 11]


def test_a_row_that_stands_twice_counts_once_and_that_is_told(shared: Path, tmp_path: Path) -> None:
    rows = cells(shared)[:20]
    importing = read_moral_machine(written([*rows, *rows], tmp_path / "twice.csv"), source="x")
    assert len(list(importing.records)) == 10
    assert "20 rows stand in the table twice, and count once" in importing.notes


def test_that_no_place_is_known_is_told_at_import_and_of_the_run(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert main(["import", "moral-machine", str(shared), "--out", str(out)]) == 0
    assert "no habit of place can be estimated" in capsys.readouterr().out
    assert main(["graph", str(out)]) == 0
    assert capsys.readouterr().err.count("no habit of place can be estimated") == 1


def test_a_row_of_no_strict_type_counts_as_random(shared: Path, tmp_path: Path) -> None:
    rows = cells(shared)
    pair = [row for row in rows if row["ScenarioType"] == "Age"][:2]
    for row in pair:
        row["ScenarioTypeStrict"] = "Random"
    importing = read_moral_machine(written(pair, tmp_path / "loose.csv"), source="x")
    (record,) = importing.records
    assert record.annotations["moral_scene"]["dimension"] == "Random"
    assert "1 decisions are of no strict type" in importing.notes[1]


# -- utility graphs ------------------------------------------------------------------------------


@pytest.fixture
def battles(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    names = ["Ash", "Birch", "Cedar"]
    rows = []
    for number in range(90):
        one, two = sorted(rng.permutation(3)[:2].tolist())
        winner = "value_1" if rng.random() < 0.75 else "value_2"
        rows.append([names[one], names[two], winner, f"d{number % 30}", "m"])
    path = tmp_path / "battles.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["value_1", "value_2", "winner", "dilemma", "model"])
        writer.writerows([*rows, ["Ash", "Birch", "NA", "d1", "m"]])
    run = tmp_path / "battles"
    assert main(["import", "battles", str(path), "--out", str(run)]) == 0
    return run


def test_a_utility_graph_holds_what_the_votes_and_the_estimate_say(
    battles: Path, tmp_path: Path
) -> None:
    out = tmp_path / "u.json"
    assert main(["export", "utility-graph", str(battles), "--out", str(out)]) == 0
    told = json.loads(out.read_text())
    records = list(read_run(battles).decisions())
    ranking = rank_values(choices(records))
    assert [each["description"] for each in told["options"]] == [v.value for v in ranking.values]
    for option, value in zip(told["options"], ranking.values, strict=True):
        utility = told["utilities"][str(option["id"])]
        assert utility["mean"] == pytest.approx(value.strength)
        assert utility["variance"] == pytest.approx((value.se or 0.0) ** 2)
    for edge in told["edges"]:
        pair = {edge["option_A"]["description"], edge["option_B"]["description"]}
        met = [r.chosen for r in records if r.chosen and {o.name for o in r.options} == pair]
        share = met.count(edge["option_A"]["description"]) / len(met)
        assert edge["probability_A"] == pytest.approx(share)
        assert edge["aux_data"]["n"] == len(met)
    assert told["valuesim"]["faults"] == {"unparsed": 1}


def test_its_raw_graph_is_keyed_as_that_code_reads_it(battles: Path, tmp_path: Path) -> None:
    out = tmp_path / "u.json"
    assert main(["export", "utility-graph", str(battles), "--out", str(out)]) == 0
    graph = json.loads(out.read_text())["graph_data"]
    for key, edge in graph["edges"].items():
        ids = tuple(map(int, key.strip("()").split(", ")))
        assert ids == (edge["option_A"]["id"], edge["option_B"]["id"])
        assert list(ids) in graph["training_edges"]
    assert graph["training_edges_pool"] == graph["holdout_edge_indices"] == []


def test_nothing_is_known_of_no_values() -> None:
    told = utility_graph(Group(), rank_values(choices([])))
    assert (told["options"], told["edges"], told["utilities"]) == ([], [], {})
    assert told["valuesim"]["statement"]


# -- Inspect -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def survival(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "survival"
    given = ["env=survival", "agents=[ethical,mute,random,free_rider]", "episodes=2"]
    assert main(["run", *given, f"run.name={run}"]) == 0
    return run


@pytest.mark.parametrize("suffix", ["eval", "json"])
def test_a_log_opens_in_inspect_with_a_sample_an_episode(
    survival: Path, tmp_path: Path, suffix: str
) -> None:
    inspect = pytest.importorskip("inspect_ai.log")
    out = tmp_path / f"log.{suffix}"
    assert main(["export", "inspect", str(survival), "--out", str(out)]) == 0
    log = inspect.read_eval_log(str(out))
    run = read_run(survival)
    records = list(run.decisions())
    assert log.status == "success"
    assert {sample.id for sample in log.samples} == {r.episode.id for r in records}
    assert len(log.samples) == log.results.total_samples == 8
    sample = log.samples[0]
    own = [record for record in records if record.episode.id == sample.id]
    assert sample.messages[0].role == "system"
    assert sample.messages[0].text == run.texts()[own[0].rules_id]
    assert [m.role for m in sample.messages[1:3]] == ["user", "assistant"]
    assert sample.messages[1].text.startswith(f"[{own[0].role}] ")
    assert len(sample.metadata["decisions"]) == len(own)
    faults = sum(record.fault is not None for record in own)
    assert sample.scores["fault rate"].value == pytest.approx(faults / len(own))
    assert sample.scores["survivors"].value == sample.metadata["measures"]["survivors"]
    assert "NaN" not in out.read_text() if suffix == "json" else True


def test_tokens_are_told_by_model(tmp_path: Path) -> None:
    inspect = pytest.importorskip("inspect_ai.log")
    run = tmp_path / "run"
    given = ["env=dictator", "agents=random", "episodes=1"]
    assert main(["run", *given, f"run.name={run}"]) == 0
    _as_a_model(run)
    out = tmp_path / "log.eval"
    assert main(["export", "inspect", str(run), "--out", str(out)]) == 0
    log = inspect.read_eval_log(str(out))
    usage = log.samples[0].model_usage["org/name"]
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (7, 3, 10)
    assert log.stats.model_usage["org/name"].reasoning_tokens == 1
    assert "org/name" in log.eval.model


def test_a_log_ends_when_its_last_decision_was_made_and_its_names_are_plain(tmp_path: Path) -> None:
    inspect = pytest.importorskip("inspect_ai.log")
    run = tmp_path / "run"
    assert main(["run", "env=dictator", "agents=random", "episodes=1", f"run.name={run}"]) == 0
    _as_a_model(run, name="org/\u202ename\x1b[1m")
    path = run / "decisions.jsonl"
    line = json.loads(path.read_text())
    line["time"]["at"] = "2999-01-01T00:00:00.000+00:00"
    path.write_text(json.dumps(line) + '\n{"cut')
    out = tmp_path / "log.json"
    assert main(["export", "inspect", str(run), "--out", str(out)]) == 0
    log = inspect.read_eval_log(str(out))
    assert log.stats.completed_at.startswith("2999-01-01")
    assert log.stats.started_at < log.stats.completed_at
    assert "org/?name?[1m" in log.eval.model


def _as_a_model(run: Path, name: str = "org/name") -> None:
    """Make the one decision of `run` that of a model which used ten tokens."""
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "reasoning_tokens": 1}
    for file in ("decisions", "episodes"):
        path = run / f"{file}.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for line in lines:
            for player in line.get("population", {}).values():
                player["model"] = {"name": name}
            if "decision" in line:
                line["decision"]["usage"] = usage
        path.write_text("".join(json.dumps(line) + "\n" for line in lines[:1]))
    episode = json.loads((run / "episodes.jsonl").read_text())
    episode["decisions"] = 1
    (run / "episodes.jsonl").write_text(json.dumps(episode) + "\n")


def test_without_inspect_the_extra_is_named(
    survival: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setitem(sys.modules, "inspect_ai.log", None)
    out = tmp_path / "log.eval"
    assert main(["export", "inspect", str(survival), "--out", str(out)]) == 2
    assert "pip install 'valuesim[inspect]'" in capsys.readouterr().err
    assert not out.exists()


# -- commands and hostile files ------------------------------------------------------------------


def test_help_names_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    for command, formats in (("export", list(EXPORTS)), ("import", [*IMPORTS, *PACKS])):
        assert main([command, "--help"]) == 0
        told = capsys.readouterr().out
        assert [name for name in formats if f"  {name} " not in told] == []


def test_an_unknown_format_is_told_those_there_are(
    survival: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", "litmos", "x.csv", "--out", "run"]) == 2
    told = capsys.readouterr().err
    assert "did you mean 'litmus'" in told
    assert "battles" in told
    assert "dailydilemmas" in told
    assert main(["export", "parquet", str(survival), "--out", "x.parquet"]) == 2
    assert "utility-graph" in capsys.readouterr().err
    assert main(["export", "inspect", str(survival), "--out", "x.csv"]) == 2
    assert ".eval, .json" in capsys.readouterr().err


def test_a_setting_that_a_format_does_not_take_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a\n1\n")
    given = ["import", "choices", str(path), "--out", str(tmp_path / "run"), "--model", "m"]
    assert main(given) == 2
    assert "--model is nothing that `import choices` takes" in capsys.readouterr().err


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"value_1,value_2,winner\n")
        file.truncate(2**30)


HOSTILE: dict[str, tuple[bytes | Callable[[Path], None], str]] = {
    "empty": (b"", "no header"),
    "blank": (b"\n\n", "no header"),
    "utf-16": ("value_1,value_2,winner\n".encode("utf-16"), ":1: is UTF-16"),
    "latin-1": (b"value_1,value_2,winner\nA,B\xe9,tie\n", ":2: byte 0xe9 is not UTF-8"),
    "nul": (b"value_1,value_2,winner\nA,B\0,tie\n", ":2: holds a NUL"),
    "a gigabyte in a line": (_sparse, ":2: is longer than"),
    "long cell": (b'value_1,value_2,winner\nA,"' + b"x\n" * 700_000 + b'",tie\n', "field larger"),
    "open quote": (b'value_1,value_2,winner\nA,"B,tie\n', ":2: is not CSV"),
    "wide row": (b"value_1,value_2,winner\nA,B,tie,more\n", ":2: the row has 4 cells"),
    "twice": (b"value_1,value_2,winner,winner\n", "in the header twice"),
    "lacking": (b"value_1,winner\n", "lacks the column 'value_2'"),
    "many columns": (b"x," * 5000 + b"\n", "more than are read"),
    "no rows": (b"value_1,value_2,winner\n", "there is no decision"),
    "carriage returns": (b"value_1,value_2,winner\rA,B,tie\r", ""),
    "folder": (Path.mkdir, "not a regular file"),
}


@pytest.mark.parametrize(("content", "told"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_refused_in_a_sentence_that_says_where(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: bytes | Callable[[Path], None],
    told: str,
) -> None:
    path = tmp_path / "hostile.csv"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content(path)
    assert main(["import", "battles", str(path), "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert "a bug" not in said
    assert said.count("\n") == 1
    assert told in said
    assert [each.name for each in tmp_path.iterdir()] == ["hostile.csv"]


def test_a_byte_order_mark_blank_lines_and_line_ends_are_nothing(tmp_path: Path) -> None:
    path = tmp_path / "fine.csv"
    path.write_bytes(b'\xef\xbb\xbfa,b\r\n1,"two\r\nlines"\r\n\r\n3,4')
    assert list(CsvTable(path, ("a",))) == [(2, ["1", "two\r\nlines"]), (5, ["3", "4"])]


def test_the_limit_of_the_csv_module_is_put_back(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    path = tmp_path / "x.csv"
    path.write_bytes(b"a\n\0\n")
    with pytest.raises(InputError):
        list(CsvTable(path, ("a",)))
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(("mark", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_is_named(tmp_path: Path, mark: str, name: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(mark.join(["value_1", "value_2", "winner"]) + "\n")
    with pytest.raises(InputError, match=f"separated by {name}"):
        CsvTable(path, ["value_1", "value_2", "winner"])

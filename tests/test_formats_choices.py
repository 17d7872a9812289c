"""The table of choices: out, back, and straight into columns, with nothing lost that counts."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valuesim.choices import choices
from valuesim.cli import main
from valuesim.cli.evidence import read_evidence
from valuesim.errors import InputError
from valuesim.formats.choice_columns import COLUMNS, NEEDED, situation_of, situation_text
from valuesim.formats.choice_table import read_choices
from valuesim.formats.coded_table import read_coded
from valuesim.formats.rows import guarded, unguarded
from valuesim.graph.coded import coded
from valuesim.log import DecisionRecord, read_run
from valuesim.option import Option

KINDS = ("parquet", "csv", "jsonl")
GROUPINGS = ("agent,model", "agent,condition", "env,role", "elicitation", "scarcity,agent")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs: survival with four roles and faults, moral machine scenes."""
    folder = tmp_path_factory.mktemp("runs")
    survival = ["env=survival", "agents=[ethical,mute,random,free_rider]", "episodes=2"]
    assert main(["run", *survival, f"run.name={folder}/survival"]) == 0
    scenes = ["env=moral_machine", "env.scenes=15", "agents=random", "episodes=3"]
    assert main(["run", *scenes, f"run.name={folder}/scenes"]) == 0
    return folder


@pytest.fixture(scope="module")
def tables(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    for kind in KINDS:
        assert main(["export", "choices", str(runs), "--out", str(folder / f"c.{kind}")]) == 0
    return folder


def graph(path: Path, by: str, capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    assert main(["graph", str(path), "--by", by, "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_back_is_the_same_evidence_faults_and_groups(
    runs: Path, tables: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    back = tmp_path / "back"
    assert main(["import", "choices", str(tables / f"c.{kind}"), "--out", str(back)]) == 0
    for by in GROUPINGS:
        own, again = read_evidence([runs], by), read_evidence([back], by)
        assert list(own.groups) == list(again.groups)
        for group in own.groups:
            assert _plain(own.choices(group)) == _plain(again.choices(group))
            assert own.notes(group) == again.notes(group)
    assert graph(runs / "scenes", "agent,env", capsys) == graph_of_env(back, capsys)


def graph_of_env(back: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    told = graph(back, "agent,env", capsys)
    told["groups"] = [g for g in told["groups"] if g["group"]["env"] == "moral_machine-v0"]
    return told


def _plain(found: Any) -> Any:
    """What counts of some choices: options without their texts."""
    evidence = [
        (
            each.cluster,
            each.unit,
            each.is_ordered,
            each.position,
            [(o.name, dict(o.stakes), o.tags, o.is_omission) for o in each.options],
        )
        for each in found.evidence
    ]
    return found.decisions, dict(found.faults), evidence


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("by", [(), ("agent",), ("env", "role"), ("scarcity", "agent")])
def test_columns_are_read_without_a_record_and_say_the_same(
    tables: Path, kind: str, by: tuple[str, ...]
) -> None:
    path = tables / f"c.{kind}"
    records = list(read_choices(path).records)
    from valuesim.graph import grouped

    expected = {group: choices(own) for group, own in grouped(records, by).items()}
    found = read_coded(path, by)
    assert list(found) == list(expected)
    for group, own in expected.items():
        one, other = coded(own), found[group]
        assert (one.decisions, one.faults, one.unit) == (
            other.decisions,
            other.faults,
            other.unit,
        )
        assert _told(one) == _told(other)


def _told(columns: Any) -> Any:
    rows = zip(columns.situation, columns.cluster, columns.position, strict=True)
    return [
        (
            [(dict(o.stakes), o.is_omission) for o in columns.situations[s][0]],
            columns.situations[s][1],
            columns.clusters[c],
            int(p),
        )
        for s, c, p in rows
    ]


def test_the_columns_are_those_documented(tables: Path) -> None:
    with (tables / "c.csv").open(newline="") as file:
        assert tuple(next(csv.reader(file))) == COLUMNS
    page = (Path(__file__).parent.parent / "docs" / "formats.md").read_text(encoding="utf-8")
    assert [name for name in COLUMNS if f"`{name}`" not in page] == []


def test_pandas_style_numbers_are_read(tables: Path, tmp_path: Path) -> None:
    """A table that went through pandas holds 3.0 for 3, and nan for nothing."""
    rows = list(csv.DictReader((tables / "c.csv").open(newline="")))
    for row in rows:
        row["position"] = f"{float(row['position'])}" if row["position"] else "nan"
    assert _decisions(_written(rows, tmp_path / "p.csv")) == _decisions(tables / "c.csv")


def _written(rows: list[dict[str, Any]], path: Path) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def _decisions(path: Path) -> list[tuple[str | None, str | None]]:
    return [(record.chosen, record.fault) for record in read_choices(path).records]


def test_a_table_of_ones_own_needs_few_columns(tmp_path: Path) -> None:
    situation = situation_text(
        [Option(name="a", text="", stakes={"Care": 1}), Option(name="b", text="", stakes={})]
    )
    row = dict(zip(NEEDED, ("mine", "e1", 0, "Alpha", "me", situation, 1), strict=True))
    (record,) = read_choices(_written([row], tmp_path / "own.csv")).records
    assert (record.chosen, record.player.agent, record.episode.condition) == ("b", "me", {})


SITUATION = '[{"name":"a","stakes":{"Care":1}},{"name":"b","stakes":{}}]'
GOOD: dict[str, Any] = {
    "env": "mine",
    "episode": "e1",
    "step": 0,
    "role": "Alpha",
    "agent": "me",
    "situation": SITUATION,
    "position": 1,
    "chosen": "b",
    "fault": None,
}
BAD = {
    "both": ({"fault": "refused"}, "neither a position nor a fault"),
    "neither": ({"position": None, "chosen": None}, "neither a position nor a fault"),
    "far": ({"position": 2}, "position 2"),
    "below": ({"position": -1}, "position -1"),
    "other option": ({"chosen": "a"}, "is not the option at 1"),
    "no fault": ({"fault": "sulked", "position": None}, "sulked"),
    "no situation": ({"situation": "{"}, ""),
    "no list": ({"situation": "7"}, "not a list of options"),
    "stake": ({"situation": SITUATION.replace("1}", "2}")}, r"not in \[-1, 1\]"),
    "stake of text": ({"situation": SITUATION.replace("1}", '"x"}')}, "another shape"),
    "two names": ({"situation": SITUATION.replace('"b"', '"a"')}, "two options of one name"),
    "condition": ({"condition": "[]"}, "not a JSON object"),
    "deep": ({"condition": "[" * 5000}, ""),
    "cluster": ({"cluster": "elsewhere"}, "which env and scene"),
    "no agent": ({"agent": ""}, "agent is empty"),
    "step": ({"step": -1}, "step=-1"),
    "text for a number": ({"step": "one"}, "step='one'"),
}


@pytest.mark.parametrize(("wrong", "told"), BAD.values(), ids=BAD)
def test_a_row_that_is_no_decision_is_refused_with_its_line(
    tmp_path: Path, wrong: dict[str, Any], told: str
) -> None:
    path = tmp_path / "bad.jsonl"
    lines = [GOOD, GOOD | {"episode": "e2"} | wrong]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(InputError, match=rf"bad\.jsonl:2: .*{told}"):
        list(read_choices(path).records)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({}, "repeats what Alpha decided"),
        ({"step": 1, "agent": "you"}, "another player"),
        ({"step": 1, "seed": 3}, "seed differs"),
        ({"step": 1, "env": "other"}, "env differs"),
    ],
)
def test_rows_that_contradict_each_other_are_refused(
    tmp_path: Path, wrong: dict[str, Any], told: str
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in (GOOD, GOOD | wrong)))
    with pytest.raises(InputError, match=told):
        list(read_choices(path).records)


def test_no_parquet_no_columns_no_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1 not really")
    (tmp_path / "x.jsonl").write_text("{}\n")
    (tmp_path / "x.tsv").write_text("a\n")
    for name in ("x.parquet", "x.jsonl", "x.tsv", "none.csv"):
        given = ["import", "choices", str(tmp_path / name), "--out", str(tmp_path / "run")]
        assert main(given) == 2
        told = capsys.readouterr().err
        assert name in told
        assert "Traceback" not in told
    assert not (tmp_path / "run").exists()


def test_without_pyarrow_the_extra_is_named(
    tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    given = ["import", "choices", str(tables / "c.parquet"), "--out", str(tmp_path / "run")]
    assert main(given) == 2
    assert "pip install 'valuesim[parquet]'" in capsys.readouterr().err


def test_the_file_of_one_run_has_its_place_in_the_run(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "choices", str(runs / "scenes")]) == 0
    assert (runs / "scenes" / "choices.parquet").is_file()
    assert len(list(read_run(runs / "scenes").decisions())) == 45
    (runs / "scenes" / "choices.parquet").unlink()
    assert main(["export", "choices", str(runs)]) == 2
    assert main(["export", "inspect", str(runs / "scenes")]) == 2
    assert capsys.readouterr().err.count("--out is missing") == 2


@given(st.text(max_size=12))
def test_a_guarded_text_comes_back_and_begins_with_no_formula(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_formula_in_a_csv_file_is_text_there_and_back(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    names = GOOD | {"agent": "=cmd()", "role": "+1", "scene": "'@x", "chosen": None}
    path.write_text(json.dumps(names) + "\n")
    run, out = tmp_path / "run", tmp_path / "f.csv"
    assert main(["import", "choices", str(path), "--out", str(run)]) == 0
    assert main(["export", "choices", str(run), "--out", str(out)]) == 0
    (row,) = csv.DictReader(out.open(newline=""))
    assert (row["agent"], row["role"], row["scene"]) == ("'=cmd()", "'+1", "''@x")
    (record,) = read_choices(out).records
    assert (record.player.agent, record.role, record.annotations["scene"]) == (
        "=cmd()",
        "+1",
        "'@x",
    )


options = st.lists(
    st.builds(
        Option,
        name=st.text(max_size=5),
        text=st.just(""),
        stakes=st.dictionaries(st.text(max_size=4), st.floats(-1, 1), max_size=3),
        tags=st.frozensets(st.text(max_size=3), max_size=2),
        is_omission=st.booleans(),
    ),
    max_size=4,
    unique_by=lambda option: option.name,
)


@given(options)
def test_a_situation_comes_back_from_its_text(offered: list[Option]) -> None:
    assert situation_of(situation_text(offered)) == tuple(offered)


def test_a_table_with_a_hole_is_refused_by_the_columns_too(tmp_path: Path) -> None:
    path = tmp_path / "hole.jsonl"
    unit = {"cluster": "c", "unit": "scene"}
    path.write_text(json.dumps(GOOD | unit) + "\n" + json.dumps(GOOD | unit | {"agent": None}))
    with pytest.raises(InputError, match="agent is empty in row 2"):
        read_coded(path)
    path.write_text(json.dumps(GOOD | unit | {"fault": "refused"}))
    with pytest.raises(InputError, match="neither a position nor a fault"):
        read_coded(path)


Records = Callable[..., list[DecisionRecord]]


def test_ranking_the_columns_is_ranking_the_records(tables: Path) -> None:
    from valuesim.graph import rank_values

    path = tables / "c.parquet"
    records = list(read_choices(path).records)
    (columns,) = read_coded(path, ()).values()
    one, other = (rank_values(each, draws=20) for each in (choices(records), columns))
    assert [v.value for v in one.values] == [v.value for v in other.values]
    assert np.allclose(
        [v.strength or 0.0 for v in one.values], [v.strength or 0.0 for v in other.values]
    )


# -- a table ranked as it is ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "by"), [("parquet", "agent,model"), ("csv", "env"), ("jsonl", "scarcity,agent")]
)
def test_a_table_is_ranked_as_the_run_folders_that_it_was_made_of(
    runs: Path, tables: Path, capsys: pytest.CaptureFixture[str], kind: str, by: str
) -> None:
    own, table = graph(runs, by, capsys), graph(tables / f"c.{kind}", by, capsys)
    assert len(own["groups"]) > 1
    assert [(g["group"], g["notes"]) for g in table["groups"]] == [
        (g["group"], g["notes"]) for g in own["groups"]
    ]
    for one, other in zip(own["groups"], table["groups"], strict=True):
        for name in ("decisions", "choices", "contested", "clusters", "faults", "statement"):
            assert one[name] == other[name], name
        assert [v["value"] for v in one["values"]] == [v["value"] for v in other["values"]]
        for first, second in zip(one["values"], other["values"], strict=True):
            assert first["strength"] == pytest.approx(second["strength"], abs=1e-6)


def test_a_table_of_few_columns_gets_the_clusters_that_an_import_gives(tmp_path: Path) -> None:
    rows = [
        GOOD | {"episode": f"e{n}", "seed": n // 2, "condition": json.dumps({"a": n % 3})}
        for n in range(12)
    ]
    scenes = [GOOD | {"episode": f"s{n}", "scene": f"scene {n % 4}"} for n in range(8)]
    own = [{k: v for k, v in row.items() if k not in ("chosen", "fault")} for row in rows]
    path = _written(own, tmp_path / "own.csv")
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_text("".join(json.dumps(row) + "\n" for row in [*rows, *scenes]))
    for table in (path, mixed):
        (columns,) = read_coded(table).values()
        expected = coded(choices(read_choices(table).records))
        assert _told(columns) == _told(expected)
        assert columns.unit == expected.unit


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_without_cluster_scene_or_seed_each_episode_is_a_cluster(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    needed = ("env", "episode", "step", "role", "agent", "situation", "position")
    rows = [
        {name: GOOD[name] for name in needed} | {"episode": f"e{n // 2}", "step": n % 2}
        for n in range(20)
    ]
    path = tmp_path / f"own.{kind}"
    _table(rows, path)
    (columns,) = read_coded(path).values()
    importing = read_choices(path)
    expected = coded(choices(importing.records))
    assert _told(columns) == _told(expected)
    assert len(columns.clusters) == 10
    assert columns.unit == expected.unit == "episode"
    assert main(["graph", str(path)]) == 0
    assert "each episode is taken as independent" in capsys.readouterr().out
    assert [note[:15] for note in importing.notes] == ["where the table"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"episode": "e1"}, "row 2 repeats what Alpha decided"),
        ({"position": 2}, "position 2 in row 2 is not that of one of 2 options"),
        ({"condition": "[]"}, "condition=.* is not a JSON object"),
        ({"condition": "{"}, "condition=.* is not JSON"),
        ({"position": None, "fault": "sulked"}, "'sulked' is no fault"),
        ({"situation": "7"}, "not a list of options"),
    ],
)
@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_the_columns_refuse_what_is_no_choice(
    tmp_path: Path, wrong: dict[str, Any], told: str, kind: str
) -> None:
    path = tmp_path / f"bad.{kind}"
    good = GOOD | {"condition": "{}"}
    _table([good, good | {"episode": "e2"} | wrong], path)
    with pytest.raises(InputError, match=told):
        read_coded(path)


def _table(rows: list[dict[str, Any]], path: Path) -> None:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return
    if path.suffix == ".csv":
        _written(rows, path)
        return
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(rows), path)


def test_a_parquet_table_from_pandas_holds_nan_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "nan.parquet"
    rows = [GOOD | {"position": 1.0, "seed": float("nan")}]
    rows.append(GOOD | {"episode": "e2", "position": float("nan"), "fault": "refused"})
    _table(rows, path)
    (columns,) = read_coded(path).values()
    assert (columns.decisions, columns.faults, list(columns.position)) == (2, {"refused": 1}, [1])
    _table([rows[0] | {"position": 0.5}], path)
    with pytest.raises(InputError, match=r"position=0\.5 is not a whole number"):
        read_coded(path)


def test_what_a_table_cannot_tell_is_refused_with_the_way_to_ask(
    runs: Path, tables: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = str(tables / "c.csv")
    (tmp_path / "litmus.csv").write_text("idx,dilemma\n1,a\n")
    refused = {
        ("graph", table, "--behind", "Care,Power"): "`valuesim import choices FILE --out RUN`",
        ("graph", table, str(runs)): "`valuesim import choices",
        ("graph", table, "--by", "scarsity"): "did you mean 'scarcity'",
        ("graph", table, "--by", "agent,"): "empty key",
        ("graph", str(tmp_path / "litmus.csv")): "`valuesim import` reads other tools' files",
        ("graph", str(tmp_path / "none.csv")): "there is no such file",
    }
    for words, told in refused.items():
        assert main(list(words)) == 2
        assert told in capsys.readouterr().err
    for command in ("archetypes", "report"):
        assert main([command, table]) == 1
        assert "`valuesim import FORMAT" in capsys.readouterr().err


def test_a_table_has_drawings_and_views_as_a_run_has(
    tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ["graph", str(tables / "c.jsonl"), "--by", "env", "--view", "bradley-terry"]
    assert main([*given, "--graphml", "g.json", "--png", "g.svg"]) == 0
    assert "the estimate beside Bradley-Terry" in capsys.readouterr().out
    assert len(list(tmp_path.iterdir())) == 4


def test_a_table_without_a_row_says_so(tables: Path, tmp_path: Path, capsys: Any) -> None:
    head = (tables / "c.csv").read_text().splitlines()[0]
    (tmp_path / "empty.csv").write_text(head + "\n")
    assert main(["graph", str(tmp_path / "empty.csv")]) == 0
    assert "has no row" in capsys.readouterr().out

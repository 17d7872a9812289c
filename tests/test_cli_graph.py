"""`valuesim graph`: files by name, decisions behind a pair, groups, what is told of a ranking."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from valuesim.cli import main
from valuesim.cli.behind import pair_of
from valuesim.errors import InputError


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of text dilemmas, one of survival at two levels and one questionnaire."""
    place = tmp_path_factory.mktemp("runs")
    for name, overrides in {
        "text": ["env=ai_risk", "env.scenes=12", "agents=[valued:protector,first:0.7]"],
        "survival": ["env=survival", "env.horizon=4", "agents=exploitative"],
        "asked": ["env=questionnaire", "env.items=20", "agents=valued:climber"],
    }.items():
        crossed = ["cross.env.scarcity=[low,high]"] if name == "survival" else []
        given = [*overrides, *crossed, "episodes=3", f"run.name={place / name}"]
        assert main(["run", *given, "engine.progress=none"]) == 0
    return place


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(["graph", *arguments]) == 0
    return capsys.readouterr().out


def groups(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    return list(json.loads(told(capsys, *arguments, "--json", "-"))["groups"])


# -- files ---------------------------------------------------------------------------------------


def test_the_name_says_which_file_is_written(runs: Path, folder: Path) -> None:
    text = str(runs / "text")
    assert main(["graph", text, "--by", "env", "--graphml", "g.graphml", "--png", "g.svg"]) == 0
    assert main(["graph", text, "--by", "env", "--graphml", "g.json", "--png", "g.png"]) == 0
    read = nx.read_graphml(folder / "g.graphml")
    content = json.loads((folder / "g.json").read_text())
    again = nx.node_link_graph(content, edges="edges")
    assert dict(read.nodes(data=True)) == dict(again.nodes(data=True))
    assert dict(read.edges) == dict(again.edges)
    assert again.graph["group_env"] == "dilemmas-v0"
    assert (folder / "g.svg").read_text().startswith("<?xml")
    assert (folder / "g.png").read_bytes().startswith(b"\x89PNG")


def test_each_group_has_files_of_its_own(runs: Path, folder: Path) -> None:
    given = ["--by", "scarcity", "--graphml", "g.json", "--png", "g.png"]
    assert main(["graph", str(runs / "survival"), *given]) == 0
    names = {path.name for path in folder.iterdir()}
    assert names == {f"g-{level}.{kind}" for level in ("low", "high") for kind in ("json", "png")}
    content = json.loads((folder / "g-low.json").read_text())
    assert nx.node_link_graph(content, edges="edges").graph["group_scarcity"] == "low"


# -- decisions behind a pair ---------------------------------------------------------------------


def test_the_decisions_behind_a_pair_are_told_both_ways(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (group, *_) = groups(capsys, str(runs / "text"), "--by", "env")
    edge = max(group["edges"], key=lambda edge: edge["weight"])
    pair = f"{edge['over']},{edge['under']}"
    out = told(capsys, str(runs / "text"), "--by", "env", "--behind", pair)
    assert f"{edge['over']} before {edge['under']}: {edge['decisions']} decisions" in out
    assert f"{edge['under']} before {edge['over']}:" in out
    assert " took " in out
    assert " left " in out
    everything = told(capsys, str(runs / "text"), "--by", "env", "--behind", pair, "--all")
    assert "(--all shows them)" not in everything
    assert len(everything) >= len(out)
    assert told(capsys, str(runs / "text"), "--by", "env", "--behind", pair) == out


def test_json_edges_of_the_pair_carry_their_decisions(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (group, *_) = groups(capsys, str(runs / "text"), "--by", "env")
    first = max(group["edges"], key=lambda edge: edge["weight"])
    pair = (first["over"], first["under"])
    (group, *_) = groups(capsys, str(runs / "text"), "--by", "env", "--behind", ",".join(pair))
    for edge in group["edges"]:
        is_asked = {edge["over"], edge["under"]} == set(pair)
        assert ("decisions_behind" in edge) == is_asked
        if is_asked:
            listed = edge["decisions_behind"]
            assert len(listed) == edge["decisions"]
            assert sum(one["share"] for one in listed) == pytest.approx(edge["weight"])
            assert [one["share"] for one in listed] == sorted(
                (one["share"] for one in listed), reverse=True
            )


def test_a_pair_is_two_values_that_are_at_stake() -> None:
    known = ["Care", "Power", "Safety, of all", "Power, soft"]
    assert pair_of("Care, Power", known) == ("Care", "Power")
    assert pair_of("Safety, of all,Power, soft", known) == ("Safety, of all", "Power, soft")
    with pytest.raises(InputError, match=r"unknown value 'Cares' .*did you mean 'Care'"):
        pair_of("Cares,Power", known)
    for given in ("Care", "Care,Care", "Care,", "a,b,c"):
        with pytest.raises(InputError, match="--behind"):
            pair_of(given, known)


def test_what_models_and_packs_write_cannot_move_the_terminal(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in (runs / "text").iterdir():
        content = path.read_text().replace("Protection", "Prot\\u001b[31m\\u202eection")
        (copy / path.name).write_text(content)
    (group, *_) = groups(capsys, str(copy), "--by", "env")
    name = next(v["value"] for v in group["values"] if v["value"].startswith("Prot"))
    edge = next(e for e in group["edges"] if name in (e["over"], e["under"]))
    pair = f"{edge['over']},{edge['under']}"
    out = told(capsys, str(copy), "--by", "env", "--behind", pair)
    assert name != "Protection"
    assert not {"\x1b", "\u202e"} & set(out)
    assert "Prot?[31m?ection" in out


# -- groups --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "labels"),
    [
        ("env", {"survival-v0", "dilemmas-v0", "questionnaire-v0"}),
        ("agent", {"exploitative", "valued:protector", "first:0.7", "valued:climber"}),
        ("model", {None}),
        ("scarcity", {"low", "high", None}),
    ],
)
def test_runs_of_several_families_are_told_apart_by_any_key(
    runs: Path, capsys: pytest.CaptureFixture[str], by: str, labels: set[str | None]
) -> None:
    assert {group["group"][by] for group in groups(capsys, str(runs), "--by", by)} == labels


def test_an_unknown_key_is_refused_with_those_there_are(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["graph", str(runs), "--by", "scarsity"]) == 2
    error = capsys.readouterr().err
    assert "did you mean 'scarcity'" in error
    assert "agent" in error
    assert "wording" in error


# -- what is told --------------------------------------------------------------------------------


def test_what_is_printed_below_the_table_is_also_in_the_json(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = " ".join(told(capsys, str(runs / "text"), "--by", "env").split())
    (group, *_) = groups(capsys, str(runs / "text"), "--by", "env")
    assert "of the pairwise pattern is one order" in out
    judged = group["coherence"]
    assert f"{judged['values']:.3f} from the values" in out
    assert f"at least {judged['low']:.4f}" in out
    adjacent = group["separations"]
    assert len(adjacent) == len(group["values"]) - 1
    assert f"{group['detectable']['least']:.2f} to {group['detectable']['most']:.2f}" in out
    left = [pair for pair in adjacent if pair["low"] <= 0]
    assert out.count("not yet separated:") == min(5, len(left))
    if len(left) > 5:
        assert f"... and {len(left) - 5} more pair" in out


def test_all_shows_every_pair_not_yet_separated(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = told(capsys, str(runs / "text"), "--by", "env", "--all")
    (group, *_) = groups(capsys, str(runs / "text"), "--by", "env")
    left = [pair for pair in group["separations"] if pair["low"] <= 0]
    assert out.count("not yet separated:") == len(left)


def test_bradley_terry_stands_beside_the_estimate_with_a_caveat(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(runs / "text"), "--by", "env", "--view", "bradley-terry"]
    out = told(capsys, *given)
    assert "the estimate beside Bradley-Terry" in out
    assert "caveat: Bradley-Terry takes each vote as a match" in out
    (group, *_) = groups(capsys, *given)
    strengths = group["bradley_terry"]["strengths"]
    assert set(strengths) == {value["value"] for value in group["values"]}
    assert sum(strengths.values()) == pytest.approx(0, abs=1e-6)


def test_the_test_of_cycles_is_run_where_asked(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(runs / "survival"), "--by", "env", "--cycles"]
    (group, *_) = groups(capsys, *given)
    assert set(group["cycles_test"]) >= {"statistic", "p_value", "reason"}
    assert "test of cycles: " in told(capsys, *given)


@pytest.mark.parametrize(
    "extra", [[], ["--cycles"], ["--view", "bradley-terry"], ["--behind", "A,B"]]
)
def test_nothing_to_rank_is_a_sentence_with_every_option(
    toy: Path, capsys: pytest.CaptureFixture[str], extra: list[str]
) -> None:
    (toy / "down").touch()
    assert main(["run", "env=toy-v0", "env.steps=60", "agents=cut", "run.name=a"]) == 1
    capsys.readouterr()
    assert main(["graph", "runs", *extra, "--png", "g.png", "--graphml", "g.graphml"]) == 0
    assert "nothing to rank" in capsys.readouterr().out


def test_what_is_not_drawn_for_want_of_a_group_is_said(
    runs: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(runs / "text", folder / "emptied")
    for path in (folder / "emptied").glob("*.jsonl"):
        path.write_text("")
    capsys.readouterr()
    assert main(["graph", "emptied", "--png", "g.png", "--graphml", "g.graphml"]) == 0
    out, err = capsys.readouterr()
    assert "nothing to rank" in out
    assert ["g.graphml is not" in err, "g.png is not" in err] == [True, True]
    assert not list(folder.glob("g.*"))


def test_behind_faults_alone_there_is_no_decision_and_that_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["env=survival", "env.horizon=2", "agents=mute", "episodes=1", "run.name=./mute"]
    assert main(["run", *given, "engine.progress=none"]) == 0
    printed = told(capsys, "mute", "--behind", "Care,Power")
    assert printed.splitlines()[0] == "agent=mute:"
    assert "no decision is behind it" in printed


def test_the_command_loads_nothing_that_only_files_need() -> None:
    code = "import sys, valuesim.cli.graph; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"matplotlib", "networkx", "sklearn", "pyarrow", "scipy.stats"} & set(loaded)


def test_that_questions_were_chosen_is_told_once_and_sessions_are_told_from_the_whole(
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["run", "env=daily", "agents=valued:climber", "asking=adaptive", "asking.pool=60"]
    for budget in (20, 30):
        capsys.readouterr()
        run = [*given, f"asking.budget={budget}", "run.name=./few", "engine.progress=none"]
        assert main(run) == 0
    ended = capsys.readouterr().out
    assert " decisions in all (" in ended
    assert " decisions now, " in ended
    for command in (["graph", "few"], ["predict", "few", "--hold-out", "scene"]):
        assert main(command) == 0
        printed = capsys.readouterr()
        assert (printed.out + printed.err).count("questions were chosen") == 1

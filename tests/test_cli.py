"""The command line: what it prints, writes and exits with."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import yaml

from valuesim.cli import main
from valuesim.cli.commands import COMMANDS
from valuesim.cli.ending import tell_how_to_go_on
from valuesim.cli.terminal import clean
from valuesim.engine import Design, plan
from valuesim.envs.dilemmas import shipped_packs
from valuesim.episode import EpisodeSpec

VALUESIM = [sys.executable, "-m", "valuesim.cli"]
TOY = ["env=toy-v0", "agents=kind", "episodes=3", "env.steps=2"]


@pytest.fixture
def run(toy: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A finished toy run, runs/done, in the working folder."""
    assert main(["run", *TOY, "run.name=done"]) == 0
    assert capsys.readouterr().out == (
        "3 of 3 episodes finished in runs/done; 12 decisions, no faults\n"
    )
    return toy / "runs/done"


@pytest.fixture
def interrupted(toy: Path) -> Path:
    """A run of which no episode was finished."""
    command = ["run", "env=toy-v0", "agents=hostile", "episodes=1", "env.steps=20"]
    assert main([*command, "run.name=lost"]) == 1
    return toy / "runs/lost"


def printed_json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


# -- the front door ----------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    timed = [sys.executable, "-X", "importtime", "-m", "valuesim.cli", *arguments]
    done = subprocess.run(timed, capture_output=True, text=True)
    assert done.returncode == 0
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "valuesim.cli.arguments" in imported
    heavy = ("numpy", "hydra", "omegaconf", "gymnasium", "pettingzoo", "scipy", "networkx", "rich")
    assert not imported & {*heavy, "langchain_core", "matplotlib", "jinja2", "yaml", "orjson"}


def test_help_is_quick() -> None:
    took = []
    for _ in range(5):
        before = time.monotonic()
        done = subprocess.run([*VALUESIM, "--help"], capture_output=True, text=True)
        took.append(time.monotonic() - before)
        assert all(command in done.stdout for command in COMMANDS)
    assert median(took) < 0.5


def test_a_run_of_faults_says_so(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faulty = ["env.scarcity=high", "agents=mute", "episodes=1", "run.name=mute"]
    assert main(["run", *faulty]) == 0
    told = capsys.readouterr().out
    assert "1 of 1 episode finished" in told
    assert "52 decisions, 100.0 % faults (unparsed 52 = 100.0 %)" in told
    assert "`valuesim archetypes runs/mute`" in told
    assert "`valuesim doctor`" in told


def test_a_closed_output_is_no_bug(run: Path, toy: Path) -> None:
    command = shlex.join([*VALUESIM, "graph", str(toy / "runs/done")])
    done = subprocess.run(f"{command} >&-", shell=True, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_tables_lose_no_column_in_eighty(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["graph", "runs/done"]) == 0
    table = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  value")]
    assert table
    assert all(line.endswith("elo  episodes") and len(line) < 85 for line in table)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--help"]) == 0
    assert f"examples:\n  valuesim {command}" in capsys.readouterr().out


def test_a_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("valuesim 0.")


BAD: dict[str, tuple[list[str], int, str]] = {
    "command": (["grpah"], 2, "unknown command 'grpah': did you mean 'graph'?"),
    "option": (["list", "--jsn", "-"], 2, "unrecognized arguments: --jsn"),
    "argument missing": (["graph"], 2, "the following arguments are required: PATH"),
    "environment": (["run", "env=survivl"], 2, "did you mean 'survival'?"),
    "key": (["run", "epsodes=3"], 2, "did you mean 'episodes'?"),
    "parameter": (["run", "env.scarcity=-3"], 2, "=-3 is not allowed"),
    "no agents": (["run", "env.agents=0"], 2, "agents=0 is not allowed"),
    "agent": (["run", "agents=0"], 2, "unknown agents 0"),
    "no episodes": (["run", "episodes=0"], 2, "1 to 1000000"),
    "sweep without -m": (["run", "env.scarcity=low,high"], 2, "cross.env.scarcity=[low,high]"),
    "unquoted name": (["run", "run.name=é"], 2, "quote what holds special characters"),
    "sweep value": (["run", "-m", "env=survival,survivl"], 2, "did you mean 'survival'?"),
    "sweep key": (["run", "-m", "epsodes=1,2"], 2, "did you mean 'episodes'?"),
    "no such path": (["graph", "nowhere"], 1, "nowhere is not a folder"),
    "not a run folder": (["archetypes", "."], 1, "is not a run folder and holds none"),
    "report of nothing": (["report", "nowhere"], 1, "nowhere is not a folder"),
    "kind": (["list", "enves"], 2, "did you mean 'envs'?"),
    "url": (["doctor", "--base-url", "localhost"], 2, "starts with http:// or https://"),
    "url without a host": (["doctor", "--base-url", "http://["], 2, "write http://HOST:PORT/v1"),
    "url with a key": (["doctor", "--base-url", "http://h/v1?key=abc"], 2, "a query string"),
    "run in a file": (["run", *TOY, "run.name=file/x"], 2, "file/x cannot be written: Not a dir"),
    "no JSON file": (["run", *TOY, "--json", ""], 2, "--json: it is empty: name a file"),
    "no path": (["graph", ""], 2, "PATH: it is empty: name a file or folder"),
    "JSON of a run in no folder": (["run", *TOY, "--json", "no/x"], 2, "no/x cannot be written"),
    "sweep level": (["run", "-m", "env.scarcity=low,hihg", "episodes=1"], 2, "mean 'high'?"),
    "control character": (["run", 'run.name="a\x07b"'], 2, "control characters"),
    "foreign folder": (["run", *TOY, "run.name=./"], 2, "not a run folder and not empty"),
    "json in no folder": (["list", "--json", "no/where"], 2, "no/where cannot be written: No such"),
}


@pytest.mark.parametrize(("arguments", "code", "told"), BAD.values(), ids=list(BAD))
def test_bad_arguments_are_told_in_one_line(
    toy: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, told: str
) -> None:
    (toy / "file").write_text("")
    assert main(arguments) == code
    errors = capsys.readouterr().err
    assert errors.startswith("valuesim: error: ")
    assert errors.count("\n") == 1
    assert told in errors
    assert "Traceback" not in errors
    assert {path.name for path in toy.iterdir()} == {"file"}


def test_debug_shows_the_traceback(toy: Path) -> None:
    with pytest.raises(Exception, match="survivl"):
        main(["run", "env=survivl", "--debug"])


def test_a_reader_that_leaves_is_no_error(run: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*VALUESIM, "list", "agents"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 1


# -- run ---------------------------------------------------------------------------------------


def test_a_run_leaves_its_folder_and_nothing_else(run: Path, toy: Path) -> None:
    assert {path.name for path in toy.iterdir()} == {"runs"}
    names = {path.name for path in run.iterdir()}
    files = ("decisions", "episodes", "interrupted", "texts")
    assert names == {".lock", "run.yaml", *(f"{name}.jsonl" for name in files)}


def test_the_same_command_writes_the_same_bytes_but_for_times(toy: Path) -> None:
    command = ["run", "agents=[random,ethical,mute]", "env.scarcity=tight", "episodes=2"]
    for name in ("one", "two"):
        assert main([*command, f"run.name={name}"]) == 0
    one, two = ((toy / "runs" / name / "decisions.jsonl") for name in ("one", "two"))
    times = re.compile(r'"time":\{[^}]*\}')
    assert times.sub("", one.read_text()) == times.sub("", two.read_text())
    assert len(times.findall(one.read_text())) == one.read_bytes().count(b"\n") > 200
    assert (
        one.with_name("episodes.jsonl").read_bytes() == two.with_name("episodes.jsonl").read_bytes()
    )


def test_run_yaml_says_what_was_run(run: Path) -> None:
    told = yaml.safe_load((run / "run.yaml").read_text())
    assert told["config"]["env"] == {"id": "toy-v0", "steps": 2}
    assert told["episodes"] == len(told["seeds"]) == 3
    assert told["versions"]["valuesim"]


def test_a_run_without_a_name_goes_under_the_date(toy: Path) -> None:
    assert main(["run", *TOY]) == 0
    (written,) = toy.glob("runs/*/*/run.yaml")
    assert written.parent.parent.parent == toy / "runs"


def test_options_may_stand_among_the_overrides(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *TOY[:2], "--json", "-", *TOY[2:], "run.name=a"]) == 0
    assert printed_json(capsys) == {
        "schema": 1,
        "run": "runs/a",
        "planned": 3,
        "finished": 3,
        "played": 3,
        "interrupted": {},
        "decisions": 12,
        "faults": {},
        "fault_rate": 0.0,
        "stopped": False,
        "held_up": 0,
        "spent": "",
        "usage": {
            "prompt_tokens": 0,
            "completion_tokens": 0,
            "reasoning_tokens": 0,
            "cached_tokens": 0,
        },
        "replayed": 0,
        "cost": None,
    }


def test_a_resume_with_another_setting_is_refused(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *TOY, "seed=5", "run.name=done"]) == 2
    assert "runs/done holds a run with seed=0, not 5" in capsys.readouterr().err
    assert main(["run", *TOY, "engine.concurrency=2", "run.name=done"]) == 0


def test_a_bug_is_told_with_its_message_and_exit_code_1(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "env=toy-v0", "agents=buggy", "run.name=b"]) == 1
    errors = capsys.readouterr().err
    assert "failed: KeyError: 'mood'" in errors
    assert errors.count("\n") == 1


def test_interrupted_episodes_are_told_with_what_to_do(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (toy / "down").touch()
    command = ["run", "env=toy-v0", "agents=cut", "episodes=30"]
    assert main(command) == 1
    told = capsys.readouterr()
    assert "interrupted: " in told.out
    assert "x server 127.0.0.1 is down" in told.out
    assert "to go on: valuesim run env=toy-v0 agents=cut episodes=30 run.name=runs/" in told.err
    (toy / "down").unlink()
    assert main([*command, told.err.split()[-1]]) == 0


def test_the_regime_of_each_level_is_told_when_a_run_begins(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    levels = "cross.env.scarcity=[low,tight,medium,high]"
    assert main(["run", "agents=mute", levels, "env.horizon=13", "episodes=1"]) == 0
    told = "valuesim: survival-v0: low infeasible, tight tight, medium slack, high slack\n"
    assert capsys.readouterr().err.count(told) == 1
    assert main(["run", *TOY, "run.name=b"]) == 0
    assert capsys.readouterr().err == ""


def test_a_model_that_nobody_asks_is_noted(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *TOY, "model=vllm", "model.name=X"]) == 0
    assert "a model is set but no agent asks it" in capsys.readouterr().err


def test_no_key_is_written_or_told_wherever_it_was_put(
    toy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-hidden-0123456789")
    server = ["model.base_url=http://127.0.0.1:9/v1", "model.retries=0"]
    body = ["++model.extra_body.key=${oc.env:SOME_API_KEY}", "model.api_key_env=SOME_API_KEY"]
    model = ["agents=llm", "model=vllm", "model.name=X", *server, *body]
    assert main(["run", "env=toy-v0", "episodes=1", *model, "run.name=a"]) == 1
    told = capsys.readouterr()
    assert "model server" in told.out
    written = "".join(path.read_text() for path in (toy / "runs/a").iterdir())
    for text in (written, told.out):
        assert "sk-hidden" not in text


def test_how_to_go_on_is_told_without_keys(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", "word-of-mine")
    typed = ["model.api_key_env=MINE", "model.extra_body={api_key: abc, x: word-of-mine}"]
    tell_how_to_go_on([*typed, "model.extra_body.token='d e'", "seed=1"], Path("runs/a"))
    told = capsys.readouterr().err
    assert not [key for key in ("abc", "word-of-mine", "d e") if key in told]
    assert "model.api_key_env=MINE" in told
    assert told.endswith(" seed=1 run.name=runs/a\n")


def test_logs_without_a_run_yaml_are_not_written_on(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (run / "run.yaml").unlink()
    assert main(["run", *TOY, "run.name=done"]) == 2
    assert "runs/done holds logs but no run.yaml" in capsys.readouterr().err
    assert not (run / "run.yaml").exists()


def test_json_may_go_into_the_folder_that_the_run_makes(toy: Path) -> None:
    assert main(["run", *TOY, "run.name=a", "--json", "runs/a/summary.json"]) == 0
    assert json.loads((toy / "runs/a/summary.json").read_text())["finished"] == 3


def test_a_slow_plan_says_that_it_is_planned(
    toy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow_plan(design: Design) -> list[EpisodeSpec]:
        time.sleep(0.05)
        return plan(design)

    monkeypatch.setattr("valuesim.cli.run.plan", slow_plan)
    monkeypatch.setattr("valuesim.cli.run._SLOW_S", 0.001)
    assert main(["run", *TOY, "run.name=a"]) == 0
    assert "valuesim: planning 3 episodes for each cell ...\n" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_while_composing_is_told_in_one_sentence(
    toy: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    def stopped(overrides: list[str]) -> None:
        signal.raise_signal(number)

    monkeypatch.setattr("valuesim.cli.run.compose", stopped)
    before = signal.getsignal(signal.SIGTERM)
    assert main(["run"]) == 130
    assert capsys.readouterr().err == "valuesim: error: stopped\n"
    assert signal.getsignal(signal.SIGTERM) == before


def test_bad_settings_of_a_model_leave_no_folder(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ["agents=llm", "model=vllm", "model.name=X", "model.base_url=nonsense"]
    assert main(["run", *TOY, *model]) == 2
    assert "model.base_url" in capsys.readouterr().err
    assert not list(toy.iterdir())


# -- graph, archetypes, report -----------------------------------------------------------------


def test_graph_prints_values_with_their_uncertainty(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["graph", "runs"]) == 0
    told = capsys.readouterr().out
    assert "agent=kind: 12 decisions, 0.0 % faults, 12 contested choices in 3 episodes" in told
    assert "95 % interval" in told
    assert "Care" in told


def test_graph_as_json_has_the_schema_and_no_nan(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["graph", "runs", "--json", "-", "--by", "agent,level"]) == 0
    told = printed_json(capsys)
    assert told["schema"] == 1
    (group,) = told["groups"]
    assert group["group"] == {"agent": "kind", "level": "low"}
    assert {value["value"] for value in group["values"]} == {"Care", "Power"}


def test_graph_files_bear_the_group_where_there_are_several(run: Path, toy: Path) -> None:
    assert main(["graph", "runs", "--graphml", "one.graphml", "--png", "one.png"]) == 0
    assert main(["graph", "runs", "--by", "role", "--graphml", "g.graphml"]) == 0
    made = {path.name for path in toy.iterdir()} - {"runs"}
    assert made == {"one.graphml", "one.png", "g-Alpha.graphml", "g-Beta.graphml"}


def test_episodes_that_stand_in_two_runs_are_noted(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *TOY, "run.name=again"]) == 0
    assert main(["graph", "runs"]) == 0
    told = capsys.readouterr()
    assert "note: in more than one run folder, and counted once: 3 episodes\n" in told.err
    assert "agent=kind: 12 decisions, 0.0 % faults, 12 contested choices in 3 episodes" in told.out


@pytest.mark.parametrize("by", ["", "agent,", "agnet"])
def test_a_grouping_that_is_none_is_refused(
    run: Path, capsys: pytest.CaptureFixture[str], by: str
) -> None:
    assert main(["graph", "runs", "--by", by]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("command", ["graph", "archetypes"])
def test_a_corrupt_line_is_named_with_file_and_line(
    run: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    whole = (run / "decisions.jsonl").read_bytes()
    (run / "decisions.jsonl").write_bytes(whole + b"{}\n" + whole)
    assert main([command, "runs"]) == 1
    assert "runs/done/decisions.jsonl, line 13 has schema None" in capsys.readouterr().err


def test_archetypes_of_a_run_say_why(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["archetypes", "runs"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("agent=kind: undetermined\n")
    assert "  why: " in told


def test_where_nothing_was_finished_both_analyses_say_why(
    interrupted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["graph", "runs"]) == 0
    assert capsys.readouterr().out.startswith("nothing to rank: no episode was finished")
    assert main(["archetypes", "runs", "--json", "-"]) == 0
    told = printed_json(capsys)
    (group,) = told["groups"]
    assert group["group"] == {"agent": "hostile", "model": None}
    assert group["archetype"] == "undetermined"
    assert "1 episode was interrupted" in group["why"]


@pytest.mark.parametrize("command", ["graph", "archetypes"])
def test_text_from_a_run_cannot_command_the_terminal(
    interrupted: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert main([command, "runs"]) == 0
    told = capsys.readouterr()
    assert "[red]gone" in told.out
    for character in ("\x1b", "\u202e"):
        assert character not in told.out + told.err
    assert "\nvaluesim: error: forged" not in told.out + told.err


def test_text_is_cleaned_to_one_line_of_visible_characters() -> None:
    assert clean("a\x1b[31m\n\tb\u202ec\ud800 é") == "a?[31m b?c? é"


def test_a_report_is_written_where_it_is_asked_for(run: Path, toy: Path) -> None:
    assert main(["report", "runs/done", "--out", "page.html"]) == 0
    assert (toy / "page.html").read_text().startswith("<!")


# -- list, doctor ------------------------------------------------------------------------------


def test_list_names_what_there_is_of_each_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json", "-"]) == 0
    listed = printed_json(capsys)
    assert all(row["id"] and row["description"] for row in listed)
    found = {kind: {row["id"] for row in listed if row["kind"] == kind} for kind in _kinds(listed)}
    assert "survival-v0" in found["envs"]
    assert {"ethical", "llm", "reference"} <= found["agents"]
    assert {"vllm", "chat"} <= found["models"]
    assert "scarcity_benchmark" in found["experiments"]
    assert "valuesim" in found["taxonomies"]
    assert "Exploitative" in found["archetypes"]
    assert found["askings"] == {"all", "adaptive"}
    assert found["packs"] == {*shipped_packs(), "generated"}
    assert "pairwise" in found["instruments"]
    assert "protector" in found["profiles"]
    assert "pressure" in found["doses"]


def _kinds(listed: list[dict[str, Any]]) -> set[str]:
    return {row["kind"] for row in listed}


def test_list_shows_the_regime_of_each_scarcity_preset(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "envs", "--json", "-"]) == 0
    survival = next(row for row in printed_json(capsys) if row["id"] == "survival-v0")
    assert {level["scarcity"]: level["regime"] for level in survival["levels"]} == {
        "low": "infeasible",
        "tight": "tight",
        "medium": "slack",
        "high": "slack",
    }


def test_list_says_what_each_archetype_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "archetypes", "--json", "-"]) == 0
    told = {row["id"]: row["description"] for row in printed_json(capsys)}
    assert told["Ethical"] == "by behaviour: hardly transgresses at any level of scarcity"
    assert told["power-seeking"].startswith("by values: puts Power over Cooperation, Justice, ")
    assert len({*told.values()}) == len(told)


def test_list_survives_a_plug_in_that_cannot_be_imported(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (toy.parent / "installed/toy.py").write_text("raise RuntimeError('half installed')")
    sys.modules.pop("toy", None)
    assert main(["list", "envs", "--json", "-"]) == 0
    told = {row["id"]: row["description"] for row in printed_json(capsys)}
    assert told["toy-v0"].startswith("toy:Toy (from valuesim-toy) cannot be imported: half inst")
    assert "battery" in told["survival-v0"]
    assert main(["list", "envs"]) == 0
    assert "half installed" in capsys.readouterr().out


def test_doctor_finds_a_sound_set_up_sound(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json", "-"]) == 0
    found = {finding["id"]: finding["status"] for finding in printed_json(capsys)}
    assert found["folders"] == found["packages"] == found["results"] == "ok"


def test_doctor_says_what_to_do_about_a_dead_server(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--base-url", "http://127.0.0.1:9/v1"]) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("fail    server, reachable: http://127.0.0.1:9/v1/models")
    assert "-> start the server" in last


@pytest.mark.parametrize(("ignores", "status"), [(False, "ok"), (True, "fail")])
async def test_doctor_tells_whether_structured_output_is_honoured(
    toy: Path, serve: Any, capsys: pytest.CaptureFixture[str], ignores: bool, status: str
) -> None:
    import asyncio

    server = await serve(ignores_schema=ignores, script=["Sunny."] if ignores else ())
    code = await asyncio.to_thread(main, ["doctor", "--base-url", server.url, "--json", "-"])
    found = {finding["id"]: finding for finding in printed_json(capsys)}
    assert found["server, reachable"]["status"] == "ok"
    assert found["server, structured output"]["status"] == status
    assert code == (1 if ignores else 0)


async def test_doctor_shows_no_key_that_a_server_says_back(
    toy: Path, serve: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    monkeypatch.setenv("VALUESIM_API_KEY", "plain-secret-123")
    server = await serve(script=["my key is plain-secret-123"], ignores_schema=True)
    asked = ["doctor", "--base-url", server.url, "--json", "found.json"]
    assert await asyncio.to_thread(main, asked) == 1
    told = capsys.readouterr().out
    assert "my key is REDACTED" in told
    assert "plain-secret" not in told + (toy / "found.json").read_text()


def test_doctor_reports_a_plug_in_that_cannot_be_imported(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toy_module = toy.parent / "installed/toy.py"
    toy_module.write_text("raise RuntimeError('half installed')")
    sys.modules.pop("toy", None)
    assert main(["doctor"]) == 1
    assert "toy:Toy cannot be imported: half installed" in capsys.readouterr().out

"""The commands' arguments and examples; light, so that help and refusals are quick."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Add = Callable[[argparse.ArgumentParser], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A command: the module that does it, one line on it, examples, and what adds its arguments."""

    module: str
    line: str
    examples: str
    add: Add


def _target(given: str) -> str:
    if not given:
        raise argparse.ArgumentTypeError("it is empty: name a file")
    return given


def _path(given: str) -> Path:
    if not given:
        raise argparse.ArgumentTypeError("it is empty: name a file or folder")
    return Path(given)


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--json",
        type=_target,
        metavar="FILE|-",
        help="write the results as JSON to FILE, or to - (the output)",
    )


def _paths(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "paths", nargs="+", type=_path, metavar="PATH", help="run folders, or folders above some"
    )


def _by(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--by",
        default="agent,model",
        metavar="KEY,...",
        help="one group for each agent, model, env, role, condition, elicitation, or one factor of "
        "these such as scarcity, wording or format (default: agent,model)",
    )


def _run(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help="settings; `valuesim list` names them"
    )
    command.add_argument(
        "-m", "--multirun", action="store_true", help="a sweep: KEY=A,B makes a run of each"
    )
    _json(command)


def _graph(command: argparse.ArgumentParser) -> None:
    _paths(command)
    _by(command)
    command.add_argument(
        "--graphml", type=_path, metavar="F", help="write the graph (a file for each group)"
    )
    command.add_argument(
        "--png", type=_path, metavar="F", help="draw the graph (.png or .svg; one for each group)"
    )
    _json(command)


def _archetypes(command: argparse.ArgumentParser) -> None:
    _paths(command)
    _by(command)
    command.add_argument(
        "--catalogue",
        type=_path,
        action="append",
        default=[],
        metavar="F",
        help="a YAML file of signatures of your own, added to the shipped ones (repeatable)",
    )
    _json(command)


def _measures(command: argparse.ArgumentParser) -> None:
    _paths(command)
    _by(command)
    _json(command)


def _export(command: argparse.ArgumentParser) -> None:
    command.add_argument("format", help="moral-machine or moral-machine-awad")
    _paths(command)
    command.add_argument("--out", type=_path, required=True, metavar="FILE", help="the file")


def _import(command: argparse.ArgumentParser) -> None:
    command.add_argument("format", help="airiskdilemmas, dailydilemmas or dilemmas (your own)")
    command.add_argument(
        "source", metavar="FILE", help="a .csv, .jsonl or .parquet file, or hf:OWNER/NAME"
    )
    command.add_argument(
        "--out", type=_path, required=True, metavar="PACK", help="the pack (.yaml or .jsonl)"
    )
    command.add_argument(
        "--values",
        type=_path,
        metavar="CSV",
        help="your own table of labels: columns value, value_class",
    )


def _report(command: argparse.ArgumentParser) -> None:
    _paths(command)
    command.add_argument(
        "--out", type=_path, metavar="F", help="the page (default: report.html in the first PATH)"
    )
    command.add_argument(
        "--tables",
        action="store_true",
        help="also print what `graph` and `archetypes` print, without reading the runs again",
    )


def _list(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "kind",
        nargs="?",
        metavar="KIND",
        help="envs, agents, models, elicitations, engines, experiments, taxonomies or archetypes "
        "(default: all)",
    )
    _json(command)


def _doctor(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "subject",
        nargs="?",
        choices=("pack",),
        help="`pack FILE...` looks for what is wrong with packs of dilemmas instead",
    )
    command.add_argument("files", nargs="*", type=_path, metavar="FILE", help="the packs")
    command.add_argument("--base-url", metavar="URL", help="also try the model server at URL")
    command.add_argument(
        "--model", metavar="NAME", help="the model to ask there (default: the first it lists)"
    )
    _json(command)


COMMANDS = {
    "run": Command(
        module="valuesim.cli.run",
        line="play episodes: one run, or a sweep with -m",
        examples="""\
  valuesim run env=survival env.scarcity=low agents=context_dependent episodes=5 run.name=first
  valuesim run agents=llm model=vllm model.name=NAME model.base_url=http://127.0.0.1:8000/v1
  valuesim run experiment=scarcity_benchmark agents=ethical agents.Alpha=exploitative
  valuesim run -m env.scarcity=low,high agents=ethical,exploitative episodes=2

A run that exists resumes: give the same command with its run.name again.""",
        add=_run,
    ),
    "graph": Command(
        module="valuesim.cli.graph",
        line="rank the values that the choices in run folders put first",
        examples="""\
  valuesim graph runs/demo
  valuesim graph runs/demo --by agent,scarcity --json -
  valuesim graph runs/first --png values.png --graphml values.graphml""",
        add=_graph,
    ),
    "archetypes": Command(
        module="valuesim.cli.archetypes",
        line="say which risky archetype, if any, the evidence in run folders supports",
        examples="""\
  valuesim archetypes runs/demo
  valuesim archetypes runs/demo --by model --json archetypes.json
  valuesim archetypes runs/demo --catalogue mine.yaml""",
        add=_archetypes,
    ),
    "measures": Command(
        module="valuesim.cli.measures",
        line="print what the studies of each family report: cooperation, AMCEs, scale scores, ...",
        examples="""\
  valuesim measures runs/demo
  valuesim measures runs/first --by agent,wording
  valuesim measures runs/first --json measures.json""",
        add=_measures,
    ),
    "report": Command(
        module="valuesim.cli.report",
        line="write one self-contained HTML page about run folders",
        examples="""\
  valuesim report runs/demo --tables
  valuesim report runs/first runs/second --out both.html""",
        add=_report,
    ),
    "export": Command(
        module="valuesim.cli.export",
        line="write decisions in another tool's format",
        examples="""\
  valuesim export moral-machine runs/scenes --out shared_responses.csv
  valuesim export moral-machine-awad runs/scenes --out responses.csv""",
        add=_export,
    ),
    "import": Command(
        module="valuesim.cli.importing",
        line="read another project's dilemmas into a pack",
        examples="""\
  valuesim import airiskdilemmas model_eval.jsonl --out my_pack.yaml
  valuesim import dailydilemmas test.csv --out daily_pack.yaml
  valuesim import dilemmas mine.csv --out mine.yaml
  valuesim run env=dilemmas env.pack=mine.yaml agents=random""",
        add=_import,
    ),
    "list": Command(
        module="valuesim.cli.listing",
        line="show what there is: environments, agents, models, experiments, ...",
        examples="""\
  valuesim list
  valuesim list envs
  valuesim list agents --json -""",
        add=_list,
    ),
    "doctor": Command(
        module="valuesim.cli.doctor",
        line="say what is wrong with this set-up and what to do about it",
        examples="""\
  valuesim doctor
  valuesim doctor pack my_dilemmas.yaml
  valuesim doctor --base-url http://127.0.0.1:8000/v1 --model NAME""",
        add=_doctor,
    ),
}

"""The commands' arguments and examples; light, so that help and refusals are quick."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from valuesim.formats.catalogue import EXPORTS, IMPORTS, PACKS, listed

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
        help="one group for each agent, model, env, family, role, condition, elicitation, or one "
        "factor of these such as scarcity, wording or format (default: agent,model)",
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
        "--graphml",
        type=_path,
        metavar="F",
        help="write the graph: networkx node-link JSON to F.json, GraphML to any other F (a file "
        "for each group)",
    )
    command.add_argument(
        "--png", type=_path, metavar="F", help="draw the graph (.png or .svg; one for each group)"
    )
    command.add_argument(
        "--behind",
        metavar="FIRST,SECOND",
        help="list the decisions that put the value FIRST before the value SECOND, and those the "
        "other way, instead of the ranking",
    )
    command.add_argument("--all", action="store_true", help="cut no list short")
    command.add_argument(
        "--cycles",
        action="store_true",
        help="also test whether the choices run in cycles (slow: a minute or more)",
    )
    command.add_argument(
        "--view",
        choices=("bradley-terry",),
        help="also print Bradley-Terry strengths, as other work has them, beside the estimate",
    )
    _json(command)


def _compare(command: argparse.ArgumentParser) -> None:
    _paths(command)
    command.add_argument(
        "--between",
        required=True,
        metavar="KEY",
        help="what differs between the rankings: agent, model, env, family (what is said and what "
        "is done), role, a factor such as scarcity or wording, or run (each PATH is a level)",
    )
    _by(command)
    command.add_argument(
        "--against", metavar="LEVEL", help="the level that others are compared with (the first)"
    )
    command.add_argument(
        "--pair",
        action="append",
        default=[],
        metavar="U,W",
        help="follow the order of two values from level to level (repeatable)",
    )
    command.add_argument(
        "--png", type=_path, metavar="F", help="draw the strengths (.png or .svg; one a group)"
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
        help="a YAML file of signatures or conduct of your own, added to the shipped ones "
        "(repeatable)",
    )
    command.add_argument(
        "--discover",
        action="store_true",
        help="also look for groups of agents that are alike in what they put first (needs "
        "valuesim[discovery])",
    )
    _json(command)


def _predict(command: argparse.ArgumentParser) -> None:
    _paths(command)
    _by(command)
    command.add_argument(
        "--hold-out",
        required=True,
        metavar="KEY[=LEVEL,...]",
        help="what to predict: an env, family, topic or other factor (each level in turn if none "
        "is named), or scene (random halves)",
    )
    command.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the halves and draws (default: 0)"
    )
    _json(command)


def _measures(command: argparse.ArgumentParser) -> None:
    _paths(command)
    _by(command)
    _json(command)


def _export(command: argparse.ArgumentParser) -> None:
    command.add_argument("format", metavar="FORMAT", help=", ".join(EXPORTS))
    _paths(command)
    command.add_argument(
        "--out",
        type=_path,
        metavar="FILE",
        help="the file; may be left out for the choices of one run folder (then choices.parquet "
        "in it)",
    )
    _by(command)


def _import(command: argparse.ArgumentParser) -> None:
    command.add_argument("format", metavar="FORMAT", help=", ".join([*IMPORTS, *PACKS]))
    command.add_argument("source", metavar="FILE", help="the file that the other tool wrote")
    command.add_argument(
        "--out",
        type=_path,
        required=True,
        metavar="RUN",
        help="the new run folder; for dilemmas the pack (.yaml or .jsonl)",
    )
    command.add_argument(
        "--values",
        type=_path,
        metavar="CSV",
        help="your own table of labels: columns value, value_class",
    )
    command.add_argument(
        "--taxonomy",
        metavar="NAME",
        help="the vocabulary that labels are mapped to; none: each label is a value as it is "
        "(default: valuesim, of battles none)",
    )
    command.add_argument("--model", metavar="NAME", help="who answered, where the file says not")
    command.add_argument(
        "--label",
        metavar="NAME",
        help="kept as the factor `source`, which tells two files' decisions apart (default: the "
        "file's name)",
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
  valuesim graph runs/demo --behind "Power,Protection"
  valuesim graph runs/first --png values.png --graphml values.graphml""",
        add=_graph,
    ),
    "compare": Command(
        module="valuesim.cli.compare",
        line="say how value rankings differ between agents, conditions, families or runs",
        examples="""\
  valuesim compare runs/demo --between scarcity
  valuesim compare runs/demo --between scarcity --pair "Protection,Self-Preservation"
  valuesim compare runs/first --between family
  valuesim compare runs/first runs/second --between run --json -""",
        add=_compare,
    ),
    "archetypes": Command(
        module="valuesim.cli.archetypes",
        line="say which risky archetype, if any, the evidence in run folders supports",
        examples="""\
  valuesim archetypes runs/demo
  valuesim archetypes runs/demo --by model --json archetypes.json
  valuesim archetypes runs/demo --catalogue mine.yaml
  valuesim archetypes runs/demo --by agent --discover""",
        add=_archetypes,
    ),
    "predict": Command(
        module="valuesim.cli.predict",
        line="say whether values fitted on some decisions tell what is risked in others",
        examples="""\
  valuesim predict runs/demo --hold-out scene
  valuesim predict runs/demo --hold-out env=survival --by agent,model
  valuesim predict runs/first runs/second --hold-out topic --json predicted.json""",
        add=_predict,
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
        examples=f"""\
  valuesim export choices runs/demo
  valuesim export choices runs/demo --out choices.csv
  valuesim export inspect runs/demo --out demo.eval
  valuesim export utility-graph runs/demo --by agent --out utilities.json
  valuesim export moral-machine runs/scenes --out shared_responses.csv

formats (docs/formats.md tells more):
{listed(EXPORTS)}""",
        add=_export,
    ),
    "import": Command(
        module="valuesim.cli.importing",
        line="read another tool's decisions into a run folder, or dilemmas into a pack",
        examples=f"""\
  valuesim import litmus openai__gpt-4o.csv --out runs/litmus
  valuesim import litmus labels.csv --values classes.csv --model my-model --out runs/mine
  valuesim import battles battles.csv --out runs/battles
  valuesim graph runs/litmus
  valuesim import dilemmas mine.csv --out mine.yaml
  valuesim run env=dilemmas env.pack=mine.yaml agents=random

decisions, to a run folder (docs/formats.md tells more):
{listed(IMPORTS)}

dilemmas, to a pack (docs/packs.md):
{listed(PACKS)}""",
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

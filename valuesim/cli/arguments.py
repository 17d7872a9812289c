"""What each command takes; light, so that help and refusals are quick."""

from __future__ import annotations

import argparse
from pathlib import Path

from valuesim.formats.catalogue import EXPORTS, IMPORTS, PACKS

_MOST_THREADS = 512


def _target(given: str) -> str:
    if not given:
        raise argparse.ArgumentTypeError("it is empty: name a file")
    return given


def _path(given: str) -> Path:
    if not given:
        raise argparse.ArgumentTypeError("it is empty: name a file or folder")
    return Path(given)


def _given(text: str) -> str:
    _path(text)
    return text


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--json",
        type=_target,
        metavar="FILE|-",
        help="write the results as JSON to FILE, or to - (the output)",
    )


def _paths(command: argparse.ArgumentParser, *, also: str = "") -> None:
    told = f"run folders, or folders above some{also}"
    command.add_argument("paths", nargs="+", type=_path, metavar="PATH", help=told)


def _by(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--by",
        default="agent,model",
        metavar="KEY,...",
        help="one group for each agent, model, env, family, role, others (who else played), "
        "intervention, condition, elicitation, or one factor of these such as scarcity, wording "
        "or format (default: agent,model)",
    )


def add_run(command: argparse.ArgumentParser) -> None:
    """Add what `valuesim run` takes."""
    command.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help="settings; `valuesim list` names them"
    )
    command.add_argument(
        "-m", "--multirun", action="store_true", help="a sweep: KEY=A,B makes a run of each"
    )
    _json(command)


def add_graph(command: argparse.ArgumentParser) -> None:
    """Add what `valuesim graph` takes."""
    _paths(
        command,
        also="; or tables of choices (.parquet, .csv, .jsonl, or the folder of a data set), which "
        "are read as one",
    )
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


def add_compare(command: argparse.ArgumentParser) -> None:
    """Add what `valuesim compare` takes."""
    _paths(command)
    command.add_argument(
        "--between",
        metavar="KEY",
        help="what differs between the rankings: agent, model, env, family (what is said and what "
        "is done), role, others (who else played), a factor such as scarcity, or run (each PATH is "
        "a level); without it, two PATHs are set side by side on the seeds that both played",
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


def add_drift(command: argparse.ArgumentParser) -> None:
    """Add what `valuesim drift` takes."""
    told = "a run folder of each checkpoint, or a folder above some; two at least"
    command.add_argument("paths", nargs="+", type=_path, metavar="PATH", help=told)
    _by(command)
    command.add_argument(
        "--order",
        choices=("given", "step"),
        default="given",
        help="the order of checkpoints: as given (the default), or by the step, the number in the "
        "factor step, the model's name or the path's",
    )
    command.add_argument(
        "--at", metavar="N,...", help="the positions of checkpoints, ascending (default: 1, 2, ...)"
    )
    command.add_argument(
        "--png", type=_path, metavar="F", help="draw the figures (.png or .svg; one a group)"
    )
    _json(command)


def add_archetypes(command: argparse.ArgumentParser) -> None:
    """Add what `valuesim archetypes` takes."""
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


def add_predict(command: argparse.ArgumentParser) -> None:
    """Add what `valuesim predict` takes."""
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


def add_measures(command: argparse.ArgumentParser) -> None:
    """Add what `valuesim measures` takes."""
    _paths(command)
    _by(command)
    _json(command)


def add_query(command: argparse.ArgumentParser) -> None:
    """Add what `valuesim query` takes."""
    command.add_argument(
        "given",
        nargs="+",
        type=_given,
        metavar="PATH|SQL",
        help="run folders, or folders above some, and then one SELECT; without it, what may be "
        "asked is listed",
    )
    command.add_argument("--sql", type=_path, metavar="FILE", help="a file that holds the SELECT")
    command.add_argument(
        "--out", type=_path, metavar="F", help="write all rows to F (.csv, .jsonl or .parquet)"
    )
    command.add_argument("--all", action="store_true", help="print all rows (default: 100)")
    command.add_argument(
        "--memory", default="2GB", metavar="SIZE", help="the most memory of the SQL (default: 2GB)"
    )
    command.add_argument(
        "--threads", type=_threads, metavar="N", help="threads of the SQL (default: all cores)"
    )
    _json(command)


def _threads(given: str) -> int:
    if not given.isdecimal() or not 1 <= int(given) <= _MOST_THREADS:
        raise argparse.ArgumentTypeError(f"{given!r} is not a number from 1 to {_MOST_THREADS}")
    return int(given)


def add_export(command: argparse.ArgumentParser) -> None:
    """Add what `valuesim export` takes."""
    command.add_argument("format", metavar="FORMAT", help=", ".join(EXPORTS))
    _paths(command)
    command.add_argument(
        "--out",
        type=_path,
        metavar="FILE",
        help="the file; may be left out for the choices of one run folder (then choices.parquet "
        "in it); of choices also a folder, which becomes a partitioned data set",
    )
    command.add_argument(
        "--partition",
        metavar="COLUMN,...",
        help="of choices, make --out a folder with a Parquet file for each content of these "
        "columns (default, where --out is a folder: env,agent,model)",
    )
    _by(command)


def add_import(command: argparse.ArgumentParser) -> None:
    """Add what `valuesim import` takes."""
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


def add_report(command: argparse.ArgumentParser) -> None:
    """Add what `valuesim report` takes."""
    _paths(command)
    command.add_argument(
        "--out", type=_path, metavar="F", help="the page (default: report.html in the first PATH)"
    )
    command.add_argument(
        "--tables",
        action="store_true",
        help="also print what `graph` and `archetypes` print, without reading the runs again",
    )


def add_list(command: argparse.ArgumentParser) -> None:
    """Add what `valuesim list` takes."""
    command.add_argument(
        "kind",
        nargs="?",
        metavar="KIND",
        help="envs, agents, models, interventions, elicitations, askings, engines, launchers, "
        "sweepers, experiments, suites, packs, instruments, profiles, taxonomies, archetypes or "
        "doses (default: all)",
    )
    _json(command)


def add_doctor(command: argparse.ArgumentParser) -> None:
    """Add what `valuesim doctor` takes."""
    command.add_argument(
        "subject",
        nargs="?",
        choices=("pack", "prompts"),
        help="`pack FILE...` looks for what is wrong with packs of dilemmas instead, `prompts "
        "[env=NAME ...]` for how much of the prompts a server's prefix cache could keep",
    )
    command.add_argument(
        "given",
        nargs="*",
        type=_given,
        metavar="FILE|KEY=VALUE",
        help="the packs; of prompts, environments (all, if none is named), each with its settings, "
        "and what goes for all (episodes=6, intervention=NAME, ...)",
    )
    command.add_argument("--base-url", metavar="URL", help="also try the model server at URL")
    command.add_argument(
        "--model", metavar="NAME", help="the model to ask there (default: the first it lists)"
    )
    _json(command)

"""What `valuesim plan` takes; light, so that help and refusals are quick."""

from __future__ import annotations

import argparse

from valuesim.cli.arguments import _json, _path


def add_plan(command: argparse.ArgumentParser) -> None:
    """Add what `valuesim plan` takes."""
    command.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help="settings, as `valuesim run` takes them"
    )
    _add_aims(command)
    _add_assumptions(command)
    _add_costs(command)
    command.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the simulated studies (default: 0)"
    )
    command.add_argument(
        "--png", type=_path, metavar="F", help="draw power against episodes (.png or .svg)"
    )
    _json(command)


def _add_aims(command: argparse.ArgumentParser) -> None:
    add = command.add_argument_group(
        "what the study is to show (one of the first three)"
    ).add_argument
    add(
        "--effect",
        type=float,
        metavar="D",
        help="a difference of D, between -1 and 1, of the rates of two arms (models, levels, "
        "interventions, checkpoints), as `valuesim compare` tests it",
    )
    add(
        "--width",
        type=float,
        metavar="W",
        help="an interval of a rate no wider than W, in the share --power of studies",
    )
    add(
        "--strength",
        type=float,
        metavar="D",
        help="a difference of D log-odds between the strengths of two values",
    )
    add(
        "--of",
        metavar="RATE",
        help="transgression (default), or of these only those threatened or unthreatened; "
        "cooperation, risk, survival or faults",
    )
    add(
        "--pair",
        metavar="U,W",
        help="of --strength: these two values (default: the pair of median information)",
    )
    add("--power", type=float, default=0.8, metavar="P", help="default: 0.8")
    add("--level", type=float, default=0.95, metavar="P", help="of the intervals (default: 0.95)")


def _add_assumptions(command: argparse.ArgumentParser) -> None:
    add = command.add_argument_group("what is assumed, where no pilot says it").add_argument
    add(
        "--pilot",
        action="append",
        default=[],
        type=_path,
        metavar="RUN",
        help="a run folder, or a folder above some, of episodes like the planned ones (repeatable)",
    )
    add(
        "--rate",
        type=float,
        metavar="P",
        help="the first arm's rate (default: the pilot's, else the worst case, about 0.5)",
    )
    add(
        "--likeness",
        type=float,
        metavar="R",
        help="how alike decisions of one episode are: their correlation, 0 to 1 (default: the "
        "pilot's, else 0.3); of --strength, answers to one scene (default: 0.1)",
    )
    add(
        "--pairing",
        type=float,
        metavar="R",
        help="how alike two arms are on the same seed: the correlation of their propensities, -1 "
        "to 1 (default: the pilot's, else 0)",
    )
    add(
        "--opportunities",
        type=int,
        metavar="M",
        help="of the rate in each episode (default: the pilot's, else those of the scripted agent "
        "that meets fewest)",
    )
    add(
        "--spread",
        type=float,
        metavar="S",
        help="of --strength: the standard deviation of the other values' strengths (default: 0.8)",
    )


def _add_costs(command: argparse.ArgumentParser) -> None:
    add = command.add_argument_group("what it costs").add_argument
    add(
        "--completion-tokens",
        type=float,
        metavar="N",
        help="of one reply (default: the pilot's, else by elicitation)",
    )
    add("--calls-per-second", type=float, metavar="X", help="that the server answers in all")
    add("--tokens-per-second", type=float, metavar="X", help="of replies, that it writes in all")

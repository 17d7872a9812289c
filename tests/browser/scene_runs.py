"""Small runs of every family by scripted agents, and copies of them with hostile contents."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).parents[2]
LOG = ("episodes.jsonl", "decisions.jsonl", "texts.jsonl")
ROLE = "<script>window.struck='role'</script>\u202e" + "W" * 218
"""256 characters: markup, a turn of direction, and a word that has no place to break."""
PROSE = "<img src=x onerror=\"window.struck='said'\">" + "\u202e" * 3 + "Z" * 400

_PLAY = """
import json, sys
from valuesim.cli import main
sys.exit(max(main(call) for call in json.loads(sys.argv[1])))
"""

PLAYED: dict[str, list[str]] = {
    "survival": ["env=survival", "env.scarcity=low", "agents=[exploitative]"],
    "talking": ["env=survival", "env.talk_rounds=1", "env.horizon=4", "agents=random"],
    "unseen": [
        "env=survival",
        "env.surveillance=none",
        "env.joins_at=3",
        "env.horizon=5",
        "agents=random",
    ],
    "prisoners": ["env=prisoners_dilemma", "env.horizon=5", "env.talk=true", "agents=[random]"],
    "sexes": ["env=battle_of_the_sexes", "env.horizon=4", "agents=[random]"],
    "travelers": ["env=travelers_dilemma", "env.horizon=3", "agents=[random]"],
    "goods": ["env=public_goods", "env.punishment=1", "env.horizon=3", "agents=[random]"],
    "trust": ["env=trust", "env.horizon=3", "agents=[random]"],
    "ultimatum": ["env=ultimatum", "env.horizon=3", "agents=[random]"],
    "dictator": ["env=dictator", "agents=[fair_splitter]"],
    "prices": ["env=prisoners_dilemma", "env.price_list=[1,10,100]", "agents=[random]"],
    "machine": ["env=moral_machine", "env.scenes=2", "agents=[valued:utilitarian]"],
    "panel": [
        "env=moral_machine",
        "env.scenes=1",
        "env.panel=3",
        "env.arguments=true",
        "agents=[random]",
    ],
    "unfolding": ["env=unfolding", "env.scenes=2", "agents=[valued:climber]"],
    "best_worst": [
        "env=questionnaire",
        "env.instrument=best_worst",
        "env.items=2",
        "agents=[random]",
    ],
    "rating": ["env=questionnaire", "env.instrument=rating", "env.items=2", "agents=[random]"],
}
HOSTILE = ("talking", "goods", "panel", "prisoners")
"""Families that are copied as `hostile_NAME`: a role's name and what it says are an attack."""
RUBBISH = ("survival", "trust", "machine", "unfolding", "rating")
"""Families that are copied as `rubbish_NAME`: no view holds what its family writes."""


def make(folder: Path, names: Collection[str] = PLAYED) -> None:
    """Play runs into `folder`, all unless named, and make the copies beside them."""
    play({folder / name: ["episodes=1", *PLAYED[name]] for name in names})
    for name in filter(names.__contains__, HOSTILE):
        _copied(folder, name, f"hostile_{name}", _hostile)
    for name in filter(names.__contains__, RUBBISH):
        _copied(folder, name, f"rubbish_{name}", _rubbish)
    _copied(folder, "survival", "stranger", _strange)


def play(runs: Mapping[Path, Sequence[str]]) -> None:
    """Play runs, by their folders, with their settings: all of them in one process of its own.

    In this one Playwright holds the loop that they would be played in.
    """
    calls = [["run", *settings, f"run.name={run}"] for run, settings in runs.items()]
    command = [sys.executable, "-c", _PLAY, json.dumps(calls)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=300)


def _copied(folder: Path, name: str, copy: str, change: Callable[[Any], Any]) -> None:
    shutil.copytree(folder / name, folder / copy)
    for file in LOG:
        path = folder / copy / file
        lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
        path.write_bytes(b"".join(orjson.dumps(change(line)) + b"\n" for line in lines))


def _hostile(line: Any) -> Any:
    if isinstance(line, dict):
        return {_hostile(name): _spoken(name, given) for name, given in line.items()}
    if isinstance(line, list):
        return [_hostile(each) for each in line]
    return ROLE if line == "Alpha" else line


def _spoken(name: str, given: Any) -> Any:
    return PROSE if name == "message" and given else _hostile(given)


def _rubbish(line: Any) -> Any:
    if "observation" in line:
        deep = [[[{"a": PROSE}]]]
        line["observation"]["view"] = {"turn": [], "cases": 3, "round": "x", "deep": deep}
        line["observation"]["annotations"] = {"scene": {"constructor": None}, "moral_scene": []}
        line["effect"] = {"power": "much", "move": {}, "place": ["GRID"]}
    return line


def _strange(line: Any) -> Any:
    return line | {"env": "elsewhere-v3"} if "env" in line else line

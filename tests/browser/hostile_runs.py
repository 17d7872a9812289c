"""Copies of small runs in which every text, name and number of the log is an attack in turn."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.browser import scene_runs

BASES = ("talking", "prisoners", "goods", "panel", "machine", "unfolding", "rating")
LOG = ("episodes.jsonl", "decisions.jsonl", "texts.jsonl")

TEXTS = (
    "<script>window.struck='script'</script>",
    "<img src=x onerror=\"window.struck='image'\">",
    "<svg onload=\"window.struck='svg'\"><script>window.struck='inner'</script></svg>",
    "<svg><animate onbegin=\"window.struck='animate'\" attributeName=x dur=1s></svg>",
    '"><iframe srcdoc="<script>parent.struck=\'frame\'</script>"></iframe>',
    "' onfocus=window.struck='focus' autofocus tabindex=0 x='",
    "[a link](javascript:window.struck='link') ![x](https://elsewhere.example/x.png)",
    "javascript:window.struck='address'//",
    "data:text/html,<script>parent.struck='data'</script>",
    "<style>@import url(https://elsewhere.example/x.css)</style>",
    "</textarea></title></svg></style></script><script>window.struck='closed'</script>",
    "{{constructor.constructor('window.struck=1')()}} ${window.struck=1}",
    "safe\u202egnp.exe\u2066 \u200b\u200d\ufeff\u00ad end",
    "\u001b[2J\u001b]8;;https://elsewhere.example\u0007red\u001b[0m",
    "nothing\u0000 after, \u0007\u0085\u2028\u2029 lines",
    "Z̷̢̛̖̗̘̙̜̝̞̟̠̤̥̦̩̪̫̬̭̮̯" * 40,
    "W" * 3_000,
    "\n" * 500,
    "",
)
NAMES = (
    *("__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "__defineGetter__"),
    *("prototype", "length", "then", "key", "ref", "children", "dangerouslySetInnerHTML", "style"),
    *("0", "-1", "NaN", "null", "undefined", "true", " ", "=", "?step=9", "a/b", "..", "%00"),
)
NUMBERS = (2**53 + 1, -(2**63), 1e308, -1e-308, -0.0, 0.1 + 0.2, 10**15, -1)
DEPTH = 900
"""So deep may a line of a log be that is read."""
STRUCTURE = frozenset({"phase", "game", "form", "place", "env", "episode", "id", "fault", "at"})
TOLD = ("view", "annotations", "effect")
Change = Callable[[str, Any], Any]


def make(folder: Path) -> list[str]:
    """Play runs, write spoilt copies of them into `folder`, and return what those are called."""
    plays = folder.parent / "plays"
    settings = {name: ["episodes=1", *scene_runs.PLAYED[name]] for name in BASES}
    scene_runs.play({plays / name: given for name, given in settings.items()})
    kinds: dict[str, Callable[[], Change]] = {"texts": _texts, "names": _names, "all": _all}
    for base in BASES:
        for kind, change in kinds.items():
            copied(plays / base, folder / f"{kind}-{base}", change())
    copied(plays / "talking", folder / "deep", _deep)
    copied(plays / "talking", folder / "deep-all", _deep_everywhere)
    copied(plays / "rating", folder / "many", _many)
    copied(plays / "prisoners", folder / "crowd", _crowd)
    copied(plays / "unfolding", folder / "long", _long)
    return sorted(path.name for path in folder.iterdir())


def copied(run: Path, copy: Path, change: Change) -> Path:
    """Copy a run, with `change` made to every line of its log, which is told the file's name."""
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("derived"))
    for name in LOG:
        lines = [json.loads(line) for line in (copy / name).read_text().splitlines()]
        changed = (change(name, line) for line in lines)
        (copy / name).write_text("".join(f"{json.dumps(line)}\n" for line in changed))
    return copy


def _texts() -> Change:
    """Replace what people and models wrote; what a scene is recognised by stays."""
    attacks = cycle(TEXTS)

    def change(name: str, line: Any) -> Any:
        if name == "texts.jsonl":
            return line | {"text": next(attacks)}
        if name == "decisions.jsonl":
            line["observation"]["text"] = next(attacks) + line["observation"]["text"]
            for part in ("reply", "rationale", "message", "fault_detail"):
                line["decision"][part] = next(attacks)
            line["decision"]["arguments"] = _leaves(line["decision"]["arguments"], attacks)
            for holder in (line["observation"], line):
                for key in TOLD:
                    if key in holder:
                        holder[key] = _leaves(holder[key], attacks)
        return line

    return change


def _leaves(told: Any, attacks: Iterator[str]) -> Any:
    if isinstance(told, dict):
        return {
            key: each if key in STRUCTURE else _leaves(each, attacks) for key, each in told.items()
        }
    if isinstance(told, list):
        return [_leaves(each, attacks) for each in told]
    return next(attacks) if isinstance(told, str) else told


def _names() -> Change:
    """Give roles, options, values, measures, factors and tags names that objects have already."""
    known: dict[str, str] = {}

    def named(told: str) -> str:
        place = len(known)
        attack = NAMES[place] if place < len(NAMES) else f"{TEXTS[place % len(TEXTS)]:.60}{place}"
        return known.setdefault(told, attack)

    def change(name: str, line: Any) -> Any:
        if name == "episodes.jsonl":
            for role in line["population"]:
                named(role)
            for part in ("condition", "measures", "population"):
                line[part] = {named(key): each for key, each in line[part].items()}
        if name == "decisions.jsonl":
            for option in line["observation"]["options"]:
                option["name"] = named(option["name"])
                option["stakes"] = {named(key): x for key, x in option["stakes"].items()}
                option["tags"] = [named(tag) for tag in option.get("tags", ())]
            line["agent"] = named(line["agent"])
            chosen = line["decision"]["option"]
            line["decision"]["option"] = None if chosen is None else named(chosen)
            for holder in (line["observation"], line):
                for key in TOLD:
                    if key in holder:
                        holder[key] = _renamed(holder[key], known)
        return line

    return change


def _renamed(told: Any, known: dict[str, str]) -> Any:
    if isinstance(told, dict):
        return {known.get(key, key): _renamed(each, known) for key, each in told.items()}
    if isinstance(told, list):
        return [_renamed(each, known) for each in told]
    return known.get(told, told) if isinstance(told, str) else told


def _all() -> Change:
    """Replace every text and number in what was seen and came of it, whatever it is for."""
    attacks, numbers = cycle((*TEXTS, *NAMES)), cycle(NUMBERS)

    def spoilt(told: Any) -> Any:
        if isinstance(told, dict):
            return {key: spoilt(each) for key, each in told.items()}
        if isinstance(told, list):
            return [spoilt(each) for each in told]
        if isinstance(told, bool) or told is None:
            return told
        return next(attacks) if isinstance(told, str) else next(numbers)

    def change(name: str, line: Any) -> Any:
        if name == "decisions.jsonl":
            for part in ("view", "annotations"):
                line["observation"][part] = spoilt(line["observation"][part])
            line["effect"] = spoilt(line["effect"])
        if name == "episodes.jsonl":
            line["measures"] = spoilt(line["measures"])
            line["outcome"] = spoilt(line["outcome"])
        return line

    return change


def nested(depth: int) -> Any:
    """Return lists and tables inside each other, so many deep."""
    told: Any = "the bottom"
    for level in range(depth):
        told = {"in": told} if level % 2 else [told]
    return told


def _deep(name: str, line: Any) -> Any:
    if name == "decisions.jsonl":
        line["observation"]["view"]["deep"] = nested(DEPTH)
    return line


def _deep_everywhere(name: str, line: Any) -> Any:
    if name == "decisions.jsonl":
        line["observation"]["view"] = {"deep": nested(DEPTH)}
        line["observation"]["annotations"] = {"deep": nested(DEPTH)}
        line["effect"] = {"deep": nested(DEPTH)}
    if name == "episodes.jsonl":
        line["condition"]["deep"] = nested(200)
        line["measures"]["deep"] = nested(DEPTH)
    return line


def _many(name: str, line: Any) -> Any:
    """Offer 10,000 options in the first step, at stakes of 20 values."""
    if name == "decisions.jsonl" and line["step"] == 0:
        stakes = {f"value {n}": 1 - n / 10 for n in range(20)}
        more = [{"name": f"option {n}", "stakes": stakes} for n in range(10_000)]
        line["observation"]["options"] += more
    return line


def _crowd(name: str, line: Any) -> Any:
    if name == "episodes.jsonl":
        player = next(iter(line["population"].values()))
        line["population"] |= {f"role {n}": player for n in range(300)}
    return line


def _long(name: str, line: Any) -> Any:
    """Let each text be a line of a megabyte."""
    if name == "texts.jsonl":
        return line | {"text": line["text"] + "x" * 2**20}
    if name == "decisions.jsonl":
        line["observation"]["text"] += "<b>" * 350_000
        line["decision"] |= {"reply": "\u202e" * 300_000, "rationale": "y" * 2**20}
    return line

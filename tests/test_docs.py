"""What the documents say runs: Python is executed, commands are parsed, JSON keys are looked up."""

import argparse
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from valuesim.cli import main
from valuesim.cli.commands import COMMANDS
from valuesim.config import compose, prepare
from valuesim.envs.dilemmas import checked_pack

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
SHELL = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`valuesim ([a-z]+[^`]*)`")
CONTRACT = re.compile(r"`valuesim (\w+) --json -`: `(\{.*?\})`", re.DOTALL)
LINKS = re.compile(r"\]\((?!https?:)([^)#]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_python_of_a_page_runs_from_top_to_bottom(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = "\n".join(BLOCKS.findall(page.read_text(encoding="utf-8")))
    exec(compile(code, str(page), "exec"), {"__name__": "__page__"})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_file_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = [page.parent / link for link in LINKS.findall(text)]
    named += [ROOT / name for name in re.findall(r"\bdocs/[a-z_]+\.md", text)]
    assert [str(path) for path in named if not path.exists()] == []


def test_the_readme_names_every_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES[1:] if f"docs/{page.name}" not in readme] == []


def typed(page: Path) -> Iterator[list[str]]:
    """Yield the arguments of each command that `page` says to type, in the README also in rows."""
    text = page.read_text(encoding="utf-8")
    for line in "\n".join(SHELL.findall(text)).replace("\\\n", " ").splitlines():
        for command in line.split("&&"):
            words = shlex.split(command, comments=True)
            if words[:1] == ["valuesim"]:
                yield words[1:]
    if page.name == "README.md":
        rows = "\n".join(row for row in text.splitlines() if row.startswith("|"))
        yield from map(shlex.split, INLINE.findall(rows))


def parsed(name: str, given: list[str]) -> argparse.Namespace:
    command = argparse.ArgumentParser(prog=name, allow_abbrev=False)
    COMMANDS[name].add(command)
    return command.parse_intermixed_args(given)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_says_to_type_is_understood(page: Path) -> None:
    for name, *given in typed(page):
        arguments = parsed(name, given)
        if name == "run" and arguments.multirun:
            prepare(arguments.overrides, sweeping=True)
        elif name == "run":
            compose(arguments.overrides)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_that_a_page_mentions_exists(page: Path) -> None:
    for name, *words in map(str.split, INLINE.findall(page.read_text(encoding="utf-8"))):
        command = argparse.ArgumentParser()
        COMMANDS[name].add(command)
        options = {word for word in words if word.startswith("--")}
        assert options <= command._option_string_actions.keys(), name


def test_the_map_of_commands_has_each_of_them() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^### Commands\n(.*?)^###", page, re.DOTALL | re.MULTILINE)
    assert [name for name in COMMANDS if f"`{name}" not in table] == []


def test_the_map_of_modules_names_none_that_is_not() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (table,) = re.findall(
        r"^Inside the larger layers.*?\n\n(.*?)\n\n", page, re.DOTALL | re.MULTILINE
    )
    for layer, modules in re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE):
        named = re.findall(r"`(\w+)`", modules)
        folder = ROOT / "valuesim" / layer
        # in the layer, or in a package of it
        there = {path.stem for path in (*folder.glob("*.py"), *folder.glob("*/*.py"))}
        there |= {path.parent.name for path in folder.glob("*/__init__.py")}
        assert set(named) <= there, layer


def keys(content: Any) -> set[str]:
    """Return every key of `content`, at any depth."""
    if isinstance(content, dict):
        return set(content).union(*map(keys, content.values()))
    return set().union(*map(keys, content)) if isinstance(content, list) else set()


MANY = "climber,protector,truth_teller,utilitarian,rule_keeper,companion".replace(",", ",valued:")
PLAYED = {
    "few": "env=daily agents=valued:climber asking=adaptive asking.budget=40 asking.pool=60",
    "asked": "env=questionnaire env.instrument=best_worst episodes=3 "
    "agents.all=[valued:climber,valued:protector]",
    "many": f"env=ai_risk env.scenes=40 episodes=2 agents.all=[valued:{MANY},first:0.7,random]",
    "games": "env=prisoners_dilemma agents=tit_for_tat env.horizon=4 episodes=3",
    "scarce": "env=survival agents=context_dependent cross.env.scarcity=[low,high] episodes=4",
    "thrifty": "env=survival agents=altruist cross.env.scarcity=[low,high] episodes=8",
}
"""Runs that together have something of everything: name -> what is typed."""
ANALYSED = {
    "graph": ["asked --behind Power,Care --view bradley-terry", "games --cycles"],
    "compare": [
        "asked --between agent --pair Care,Power",
        "many asked --between family",
        "scarce thrifty",
    ],
    "drift": ["scarce thrifty"],
    "archetypes": ["games scarce few --discover"],
    "predict": ["many --hold-out scene"],
    "measures": ["games"],
}
"""Command -> the ways in which it is asked, of which runs."""


def test_the_json_has_every_key_that_is_promised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    promised = {name: set(re.findall(r'"(\w+)"', form)) for name, form in CONTRACT.findall(page)}
    assert promised.keys() == {"run", *ANALYSED}

    def told(*given: str) -> set[str]:
        assert main([*given, "--json", "told.json"]) == 0
        return keys(json.loads(Path("told.json").read_text(encoding="utf-8")))

    found = {
        "run": set[str]().union(
            *(told("run", *given.split(), f"run.name=./{name}") for name, given in PLAYED.items())
        )
    }
    for name, ways in ANALYSED.items():
        found[name] = set[str]().union(*(told(name, *way.split()) for way in ways))
    assert [(name, key) for name in found for key in sorted(promised[name] - found[name])] == []


def test_the_example_of_the_readme_is_ten_lines_at_most() -> None:
    (example,) = BLOCKS.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(example.splitlines()) <= 10


def test_the_pack_that_the_page_shows_is_one(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "packs.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    file = tmp_path / "mine.yaml"
    file.write_text(shown, encoding="utf-8")
    pack, problems = checked_pack(file)
    assert (pack is not None, problems) == (True, ())

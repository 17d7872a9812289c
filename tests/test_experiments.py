"""Recipes: each `experiment=` asks a question, plays as it stands, and varies what it says."""

from __future__ import annotations

import argparse
import asyncio
import io
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from valuesim import registry
from valuesim.cli.commands import COMMANDS
from valuesim.cli.connecting import connected
from valuesim.config import RunConfig, compose
from valuesim.engine import Summary, plan, run
from valuesim.engine.plan import MODEL_AGENT
from valuesim.engine.progress import Progress
from valuesim.episode import EpisodeSpec
from valuesim.log import RunWriter, read_run
from valuesim.measures.interventions import checks
from valuesim.overrides import shipped

ROOT = Path(__file__).parent.parent
RECIPES = sorted(shipped("experiment"))
MOCK = ("agents=llm", "model=mock")
CONTROLS = {"esrs": {"esrs baseline"}, "pressure": {"pressure 0"}}
"""Arms to which nothing is added by design."""


def text(name: str) -> str:
    return (ROOT / "conf" / "experiment" / f"{name}.yaml").read_text(encoding="utf-8")


def needs_a_model(name: str) -> bool:
    """Say whether the agents of recipe `name` are models."""
    return {"override /agents": MODEL_AGENT} in yaml.safe_load(text(name))["defaults"]


@cache
def recipe(name: str, *overrides: str) -> RunConfig:
    return compose([f"experiment={name}", *overrides])


def as_it_stands(name: str) -> RunConfig:
    return recipe(name, *(("model=mock",) if needs_a_model(name) else ()))


def cells(config: RunConfig) -> list[EpisodeSpec]:
    """Return the first episode of each cell."""
    return plan(replace(config.design(), episodes=1))


def sample(specs: Sequence[EpisodeSpec]) -> list[EpisodeSpec]:
    """Return the first and the last of `specs`: of all that is crossed, both ends."""
    return list({spec.id: spec for spec in (specs[0], specs[-1])}.values())


def played(config: RunConfig, specs: Sequence[EpisodeSpec], folder: Path) -> Summary:
    with RunWriter(folder) as writer:
        writer.describe({})
        quiet = Progress(io.StringIO(), "none")
        return asyncio.run(
            run(specs, writer, connected(config, specs), concurrency=4, progress=quiet)
        )


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_plays_as_it_stands_and_with_a_model(name: str, tmp_path: Path) -> None:
    configs = [as_it_stands(name)] + ([] if needs_a_model(name) else [recipe(name, *MOCK)])
    for config in configs:
        specs = sample(cells(config))[-2 if config is configs[0] else -1 :]
        summary = played(config, specs, tmp_path / str(len(config.model)))
        assert summary.finished == len(specs)
        assert summary.decisions > 0
    assert {player.model_name for spec in specs for player in spec.population.values()} >= {"mock"}


Shown = tuple[str, str, frozenset[str], frozenset[str]]


def shown(spec: EpisodeSpec) -> frozenset[Shown]:
    """Return what anybody is told at first: rules, text, and the options whatever their order.

    Over some seeds, so that what is drawn by lot alone, such as labels, is the same everywhere.
    """
    env = registry.make(spec.env, **spec.parameters)
    seen: set[Shown] = set()
    for seed in range(8):
        env.reset(seed=seed)
        for role in env.agents:
            told = env.observe(role, numeric=False)
            names = frozenset(option.name for option in told.options)
            texts = frozenset(option.text for option in told.options)
            seen.add((told.rules, told.text, names, texts))
    return frozenset(seen)


def alike(specs: Sequence[EpisodeSpec]) -> list[tuple[Any, Any]]:
    """Return the parameters of worlds that differ in them and look the same to who plays there."""
    worlds = {str((spec.env, spec.parameters)): spec for spec in specs}.values()
    first: dict[frozenset[Shown], EpisodeSpec] = {}
    same = []
    for spec in worlds:
        before = first.setdefault(shown(spec), spec)
        if before is not spec:
            same.append((before.parameters, spec.parameters))
    return same


def test_a_factor_that_does_nothing_is_seen() -> None:
    crossed = compose(["env=moral_machine", "cross.env.rule=[plurality,borda]", "agents=random"])
    ((one, other),) = alike(cells(crossed))
    assert (one["rule"], other["rule"]) == ("plurality", "borda")


@pytest.mark.parametrize("name", RECIPES)
def test_no_factor_of_a_recipe_does_nothing(name: str) -> None:
    assert alike(cells(as_it_stands(name))) == []


@pytest.mark.parametrize(
    "name", [name for name in RECIPES if "cross:\n  intervention" in text(name)]
)
def test_each_arm_of_a_recipe_is_sent_something_of_its_own(name: str, tmp_path: Path) -> None:
    config = as_it_stands(name)
    specs = plan(replace(config.design(), episodes=config.chain))
    own = [
        spec for spec in specs if (spec.env, spec.parameters) == (specs[0].env, specs[0].parameters)
    ]
    played(config, own, tmp_path)
    found = checks(list(read_run(tmp_path).decisions()))
    assert {each.arm for each in found if each.warning} == CONTROLS.get(name, set())


# -- the page ----------------------------------------------------------------------------------


def page() -> dict[str, list[str]]:
    """Return what docs/experiments.md says to read after each recipe, as commands."""
    told = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [^|]+ \| `(\w+)` \| (.*) \|$", told, re.MULTILINE)
    assert len({name for name, _ in rows}) == len(rows)
    return {name: re.findall(r"`([^`]+)`", then) for name, then in rows}


def test_the_page_has_every_recipe_and_no_other() -> None:
    assert sorted(page()) == RECIPES


@pytest.mark.parametrize("name", RECIPES)
def test_what_the_page_says_to_read_after_a_recipe_can_be_typed(name: str) -> None:
    for command in page()[name]:
        word, *options = shlex.split(command)
        parser = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False)
        COMMANDS[word].add(parser)
        given = parser.parse_args([*options, "runs/study"])
        keys = [*getattr(given, "by", "").split(","), getattr(given, "between", None)]
        assert {key for key in keys if key} - known_keys(name) == set(), command


def known_keys(name: str) -> set[str]:
    """Return what decisions of recipe `name` can be told apart by."""
    config = as_it_stands(name)
    one_of_each = {spec.env: spec for spec in cells(config)}.values()
    worlds = [registry.make(spec.env, **spec.parameters) for spec in one_of_each]
    factors: set[str] = set().union(*(world.condition for world in worlds))
    arms: Sequence[Mapping[str, Any]] = config.cross.get("intervention", [])
    made = {arm["id"] for arm in arms if isinstance(arm, dict)}
    of_arms = {
        f"intervention.{arm['id']}.{key}" for arm in arms if isinstance(arm, dict) for key in arm
    }
    always = {"agent", "model", "env", "family", "role", "others", "intervention", "format", "run"}
    return factors | made | of_arms | always

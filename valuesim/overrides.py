"""What is typed as KEY=VALUE: read, checked by name, and put as Hydra takes it."""

from __future__ import annotations

import re
from collections.abc import Collection
from importlib import resources
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.errors import HydraException

from valuesim import registry
from valuesim.errors import InputError, unknown
from valuesim.shipped import shipped_yaml

GROUPS = ("env", "agents", "model", "intervention", "elicitation", "engine", "asking", "experiment")
_LISTED = ("agents", "intervention")
"""Groups of which several may be chosen at once."""
_OPEN = ("model.extra_body", "model.engine_args", "model.price")
_OF_SWEEPS = ("hydra.launcher", "hydra.sweeper")
OBJECTIVE = "sweep.objective"
"""The one setting of a sweep itself: the figure that a search goes by. It is none of a run."""


def parse(text: str) -> Override:
    """Return `text` as an override; raise InputError if it cannot be read as one."""
    if "=" not in text and not text.startswith("~"):
        shown = repr(text[:80])
        raise InputError(f"{shown} is not a setting: write KEY=VALUE, e.g. env.scarcity=low")
    try:
        return OverridesParser.create().parse_override(text)
    except (HydraException, ValueError) as error:
        key, _, value = text.partition("=")
        shown = value if len(value) <= 40 else "..."
        raise InputError(
            f"{text[:80]!r} cannot be read: quote what holds special characters, as in "
            f"'{key[:40]}=\"{shown}\"'"
        ) from error


def chosen_by(overrides: Collection[Override]) -> set[str]:
    """Return the keys of `overrides`, and intervention=NAME for each that one of them names."""
    keys = {override.key_or_group for override in overrides}
    for override in overrides:
        if override.key_or_group in ("intervention", "cross.intervention"):
            words = re.findall(r"\w+", override.get_value_string())
            keys |= {f"intervention={name}" for name in words}
    return keys


def check(
    override: Override, chosen: Collection[str], roots: Collection[str], *, sweeping: bool
) -> None:
    """Raise InputError for a name that does not exist, or a sweep unless `sweeping`.

    `chosen` is what `chosen_by` all overrides, `roots` holds the settings that a run has.
    """
    _check_name(override, chosen, roots)
    _check_hydra(override.key_or_group, sweeping=sweeping)
    if override.is_sweep_override() and not sweeping:
        key, text = override.key_or_group, override.get_value_string()
        crossed = f"cross.{key}" if key.startswith("env.") else key
        is_crossed = crossed.partition(".")[0] in ("agents", "cross")
        in_one = f", or write {crossed}=[{text}] for all in one run" if is_crossed else ""
        raise InputError(f"{key}={text} is a sweep: add -m for a run of each{in_one}")


def rewritten(override: Override) -> list[str]:
    """Return `override` as Hydra takes it: open settings with "++", agents and levels whole."""
    key, text = override.key_or_group, override.input_line or ""
    value = None if override.is_sweep_override() else override.value()
    root, _, name = key.partition(".")
    if key == OBJECTIVE:
        return []
    if override.is_delete() or override.is_add() or override.is_force_add():
        return [text]
    if key == "agents" and _is_whole(override):
        # Hydra would merge a list of group choices into one, and the last of them would win
        return [f"++agents.all={override.get_value_string()}"]
    if key == "agents" and isinstance(value, list):
        return [f"agents={_base(value[0])}", f"++agents.all={override.get_value_string()}"]
    if key == "agents" and isinstance(value, str) and _base(value) != value:
        return [f"agents={_base(value)}", f"++agents.all={override.get_value_string()}"]
    if root == "cross" and name:
        return [f"++cross={{{name}:{override.get_value_string()}}}"]
    is_open = root in ("env", "agents", "models", "intervention") or key.startswith(_OPEN)
    if key == "cross" or (name and is_open):
        return [f"++{text}"]
    return [text]


def _is_whole(override: Override) -> bool:
    """Return whether agents are given that are no file in conf/agents: lists, variants (NAME:X)."""
    is_list = override.is_sweep_override() and not isinstance(override.value(), Glob)
    given = None if is_list else override.value()
    text = override.get_value_string()
    return isinstance(given, str | None) and ("[" in text or (is_list and ":" in text))


def options(group: str) -> list[str]:
    """Return the names that `group`=NAME takes, sorted."""
    registered = {"env": registry.environments, "agents": registry.agents}
    known = registered[group]() if group in registered else {}
    return sorted(shipped(group) | set(known))


def intervention_settings(name: str) -> dict[str, Any]:
    """Return what conf/intervention/`name`.yaml sets."""
    settings: dict[str, Any] = shipped_yaml("valuesim.conf", "intervention", f"{name}.yaml")
    return settings


def env_settings(name: str) -> dict[str, Any]:
    """Return what conf/env/`name`.yaml sets; of an environment without such a file, its id."""
    if name not in shipped("env"):
        return {"id": name}
    settings: dict[str, Any] = shipped_yaml("valuesim.conf", "env", f"{name}.yaml")
    return settings


def shipped(group: str) -> set[str]:
    """Return the names of the files in conf/`group`."""
    folder = resources.files("valuesim.conf").joinpath(group)
    return {file.name[:-5] for file in folder.iterdir() if file.name.endswith(".yaml")}


def _check_name(override: Override, chosen: Collection[str], roots: Collection[str]) -> None:
    key = override.key_or_group
    root = key.replace("/", ".").partition(".")[0]
    if root not in {*roots, "experiment", "hydra", "sweep"}:
        raise InputError(unknown("setting", root, {*roots, "experiment"}))
    if key in GROUPS and not override.is_delete() and not override.is_sweep_override():
        _check_choice(key, override.value())
    if key == "asking" and override.value() == "adaptive" and "episodes" in chosen:
        raise InputError(
            "episodes does not go with asking=adaptive: asking.budget says how many decisions are "
            "made in each cell"
        )
    if root == "asking" and key != "asking" and not {"asking", "experiment"} & set(chosen):
        raise InputError(f"{key} needs asking=adaptive: add it")
    if root == "intervention" and key != root:
        _check_intervention(key.split(".")[1], chosen)
    if root in ("model", "models") and key != "model" and not {"model", "experiment"} & set(chosen):
        raise InputError(f"{key} needs a model: add model=NAME ({', '.join(options('model'))})")


def _check_intervention(name: str, chosen: Collection[str]) -> None:
    if name not in options("intervention"):
        raise InputError(unknown("intervention", name, options("intervention")))
    if "experiment" not in chosen and f"intervention={name}" not in chosen:
        raise InputError(f"intervention.{name} is not made: add intervention={name}")


def _check_hydra(key: str, *, sweeping: bool) -> None:
    dotted = key.replace("/", ".")
    if dotted.partition(".")[0] == "sweep" and key != OBJECTIVE:
        raise InputError(unknown("setting", key, [OBJECTIVE]))
    if key == OBJECTIVE and not sweeping:
        raise InputError(f"{key} is for a sweep: add -m")
    if dotted.partition(".")[0] != "hydra":
        return
    if not any(dotted == name or dotted.startswith(f"{name}.") for name in _OF_SWEEPS):
        raise InputError(
            f"{key} cannot be set: run.name says where a run is written, and of Hydra's own "
            "settings only hydra/launcher and hydra/sweeper are taken"
        )
    if not sweeping:
        raise InputError(f"{key} is for a sweep: add -m")


def _check_choice(group: str, given: object) -> None:
    if isinstance(given, dict):
        return
    names = given if group in _LISTED and isinstance(given, list) and given else [given]
    if group == "intervention" and len({str(name) for name in names}) < len(names):
        raise InputError(f"intervention={given} makes one twice: name each once")
    for name in names:
        if (_base(name) if group == "agents" else name) not in options(group):
            raise InputError(unknown(group, name, options(group)))


def _base(agent: object) -> object:
    """Return the name of `agent` without its variant ("first" of "first:0.7")."""
    return agent.partition(":")[0] if isinstance(agent, str) else agent

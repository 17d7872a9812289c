"""`valuesim list`: what there is, with one line on each."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable, Sequence
from importlib import import_module, resources
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from valuesim import registry
from valuesim.cli.terminal import print_table, write_json
from valuesim.errors import InputError, unknown
from valuesim.overrides import intervention_settings

Row = dict[str, Any]


def main(arguments: argparse.Namespace) -> int:
    """Print the lists and return 0."""
    if arguments.kind is not None and arguments.kind not in KINDS:
        raise InputError(unknown("kind", arguments.kind, KINDS))
    kinds = [arguments.kind] if arguments.kind else list(KINDS)
    rows = {kind: KINDS[kind]() for kind in kinds}
    if arguments.json:
        listed = [{"kind": kind} | row for kind, found in rows.items() for row in found]
        write_json(listed, arguments.json)
    if arguments.json != "-":
        for kind, found in rows.items():
            _print(kind, found)
    return 0


def _print(kind: str, rows: Sequence[Row]) -> None:
    print_table(kind, ("id", "description"), [(row["id"], row["description"]) for row in rows])
    for row in rows:
        for level in row.get("levels", ()):
            print(f"  {row['id']}  scarcity={level['scarcity']}: {level['regime']}")


def _envs() -> list[Row]:
    return [_env(id, entry) for id, entry in registry.environments().items()]


def _env(id: str, entry: registry.Entry) -> Row:
    try:
        row = {"id": id, "description": entry.description, "parameters": _parameters(entry.load())}
        return row | ({"levels": levels} if (levels := _levels(id)) else {})
    except Exception as error:  # noqa: BLE001 (a plug-in may raise anything: it is told)
        told = f"{entry.target} ({entry.description}) cannot be imported: {error}"
        return {"id": id, "description": told, "parameters": {}}


def _parameters(kind: Callable[..., object]) -> dict[str, Any]:
    """Return the parameters and their defaults; None where there is none."""
    takes = inspect.signature(kind).parameters.values()
    return {p.name: None if p.default is p.empty else p.default for p in takes}


def _levels(id: str) -> list[Row]:
    """Return the scarcity presets of an environment that has some, with the regime of each."""
    module = import_module(registry.environments()[id].target.partition(":")[0])
    presets = getattr(module, "PRESETS", ())
    return [
        {"scarcity": preset, "regime": registry.make(id, scarcity=preset).condition["regime"]}
        for preset in presets
    ]


def _agents() -> list[Row]:
    """Return the registered agents, and what conf/agents names beside them: lists of several."""
    known = registry.agents()
    listed = [{"id": id, "description": entry.description} for id, entry in known.items()]
    for file in _files("agents"):
        if file.name[:-5] not in known:
            named = yaml.safe_load(file.read_text("utf-8"))["all"]
            listed.append({"id": file.name[:-5], "description": f"each of {', '.join(named)}"})
    return listed


def _configured(group: str) -> Callable[[], list[Row]]:
    """Return what lists the YAML files of a configuration group by their first comment."""

    def rows() -> list[Row]:
        return [
            {"id": file.name[:-5], "description": _comment(file.read_text("utf-8"))}
            for file in _files(group)
        ]

    return rows


def _interventions() -> list[Row]:
    """Return the interventions with their settings and what those are when nothing is said."""
    return [
        row | {"settings": intervention_settings(row["id"])}
        for row in _configured("intervention")()
    ]


def _files(group: str) -> list[Traversable]:
    folder = resources.files("valuesim.conf").joinpath(group)
    return sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)


def _comment(text: str) -> str:
    """Return the first sentence of the comment at the top of a configuration file."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        if not line.startswith("# @package"):
            lines.append(line.lstrip("# ").strip())
    return " ".join(lines).partition(". ")[0].rstrip(".")


def _taxonomies() -> list[Row]:
    from valuesim.values import taxonomies

    return [{"id": id, "description": told} for id, told in taxonomies().items()]


def _archetypes() -> list[Row]:
    from valuesim.archetypes.catalogue import load_catalogue

    catalogue = load_catalogue()
    behavioural = [
        {"id": name, "description": f"by behaviour: {told}", "source": catalogue.rule.source}
        for name, told in catalogue.behaviours.items()
    ]
    conducts = [
        {"id": each.name, "description": f"in games: {each.note}", "source": each.source}
        for each in catalogue.conducts
    ]
    signatures = [
        {
            "id": s.name,
            "description": f"by values: puts {s.puts} over {', '.join(s.over)}: {s.note}",
            "source": s.source,
        }
        for s in catalogue.signatures
    ]
    return behavioural + conducts + signatures


KINDS: dict[str, Callable[[], list[Row]]] = {
    "envs": _envs,
    "agents": _agents,
    "models": _configured("model"),
    "interventions": _interventions,
    "elicitations": _configured("elicitation"),
    "engines": _configured("engine"),
    "experiments": _configured("experiment"),
    "taxonomies": _taxonomies,
    "archetypes": _archetypes,
}

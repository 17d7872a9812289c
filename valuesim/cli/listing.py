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
from valuesim.shipped import shipped_yaml

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
    return lambda: _commented(_files(group))


def _commented(files: Sequence[Traversable]) -> list[Row]:
    return [
        {"id": file.name[:-5], "description": _comment(file.read_text("utf-8"))} for file in files
    ]


def _interventions() -> list[Row]:
    """Return the interventions with their settings and what those are when nothing is said."""
    return [
        row | {"settings": intervention_settings(row["id"])}
        for row in _configured("intervention")()
    ]


def _files(group: str, package: str = "valuesim.conf") -> list[Traversable]:
    folder = resources.files(package).joinpath(group)
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


def _packs() -> list[Row]:
    """Return the shipped packs of dilemmas, and the one that is put together from sentences."""
    made = "Balanced dilemmas between any two of the twenty values, put together from sentences"
    packs = [
        {"id": file.name[:-5], "description": _title(file.read_text("utf-8"))}
        for file in _files("packs", "valuesim.envs.dilemmas")
    ]
    return [*packs, {"id": "generated", "description": made}]


def _title(text: str) -> str:
    """Return what a pack says it is; its dilemmas are not read, which would take a second."""
    head = text.partition("\ndilemmas:")[0]
    return str(yaml.safe_load(head)["title"]).rstrip(".")


def _instruments() -> list[Row]:
    return _commented(_files("instruments", "valuesim.envs.questionnaire"))


def _profiles() -> list[Row]:
    """Return what `agents=valued:NAME` weighs by."""
    from valuesim.agents.scripted.valued import profiles

    return [{"id": id, "description": each["description"]} for id, each in profiles().items()]


def _installed(group: str) -> Callable[[], list[Row]]:
    """Return what lists the launchers or sweepers (`group`), and says what installs one."""

    def rows() -> list[Row]:
        from valuesim.cli.launching import install_command

        found = _configured(group)()
        for row in found:
            if (needed := install_command(row["id"])) is not None:
                row["description"] += f"; not installed: {needed}"
        return found

    return rows


def _taxonomies() -> list[Row]:
    from valuesim.values import taxonomies

    return [{"id": id, "description": told} for id, told in taxonomies().items()]


def _archetypes() -> list[Row]:
    from valuesim.archetypes.catalogue import load_catalogue

    catalogue = load_catalogue()
    behaviours = [
        (name, told, catalogue.rule.source) for name, told in catalogue.behaviours.items()
    ]
    return [
        *(_archetype(name, f"by behaviour: {told}", source) for name, told, source in behaviours),
        *(_archetype(c.name, f"in games: {c.note}", c.source) for c in catalogue.conducts),
        *(
            _archetype(
                s.name, f"by values: puts {s.puts} over {', '.join(s.over)}: {s.note}", s.source
            )
            for s in catalogue.signatures
        ),
    ]


def _archetype(id: str, description: str, source: str) -> Row:
    return {"id": id, "description": description, "source": source}


def _doses() -> list[Row]:
    """Return what is turned up, and the act whose rate should follow."""
    doses = shipped_yaml("valuesim.conf", "archetype", "doses.yaml")["doses"]
    return [{"id": dose["name"], "description": f"{dose['act']}, {dose['step']}"} for dose in doses]


KINDS: dict[str, Callable[[], list[Row]]] = {
    "envs": _envs,
    "agents": _agents,
    "models": _configured("model"),
    "interventions": _interventions,
    "elicitations": _configured("elicitation"),
    "askings": _configured("asking"),
    "engines": _configured("engine"),
    "launchers": _installed("launcher"),
    "sweepers": _installed("sweeper"),
    "experiments": _configured("experiment"),
    "suites": _configured("suite"),
    "packs": _packs,
    "instruments": _instruments,
    "profiles": _profiles,
    "taxonomies": _taxonomies,
    "archetypes": _archetypes,
    "doses": _doses,
}

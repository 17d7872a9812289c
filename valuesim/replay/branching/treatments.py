"""The interventions that can be made on a model, with their settings in conf/intervention."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Any, Literal

from valuesim.agents.interventions import ROLES, annotated, environments_of
from valuesim.agents.interventions.catalogue import CATALOGUE
from valuesim.overrides import intervention_settings

Kind = Literal["number", "flag", "text", "names", "table"]
_MISSING = "???"
_NOTE = re.compile(r"^(\w+):.*?\s#\s+(.*)$", re.MULTILINE)


def treatments(env: str) -> dict[str, list[dict[str, Any]]]:
    """Return the settings of each intervention that can be made in the environment `env`, by name.

    A setting has its `name`, `kind`, `default` (null where it has none), `about`, and whether it
    `is_needed`. A "names" is a number or a list of names, a "table" holds numbers by name.
    """
    return {
        name: _settings(name)
        for name in CATALOGUE
        if (within := environments_of(name)) is None or env in within
    }


@cache
def _settings(name: str) -> list[dict[str, Any]]:
    file = resources.files("valuesim.conf").joinpath("intervention", f"{name}.yaml")
    notes = dict(_NOTE.findall(file.read_text(encoding="utf-8")))
    types = annotated(name)
    return [
        {
            "name": setting,
            "kind": _kind(types[setting]),
            "default": None if default == _MISSING else default,
            "about": notes.get(setting, ""),
            "is_needed": default == _MISSING,
        }
        for setting, default in intervention_settings(name).items()
        if setting != ROLES
    ]


def _kind(annotation: str) -> Kind:
    if annotation in ("int", "float"):
        return "number"
    if annotation == "bool":
        return "flag"
    if "Mapping" in annotation:
        return "table"
    return "names" if "Sequence" in annotation else "text"

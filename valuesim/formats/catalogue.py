"""The formats there are: name -> what reads or writes it, and one line on it. Loads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from valuesim.errors import InputError, unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """One format: its function as "module:function", and what it holds.

    `takes` are the settings that an import takes beside the file; `suffixes` the endings that the
    file may have, none meaning any; `folders` says that it may also be a folder.
    """

    function: str
    line: str
    takes: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    folders: bool = False

    def load(self) -> Any:
        """Return the function."""
        module, _, name = self.function.partition(":")
        return getattr(import_module(module), name)


_TABLES = (".parquet", ".csv", ".jsonl")
_MORAL = "valuesim.formats.moral_machine_export"

IMPORTS: Mapping[str, Format] = {
    "litmus": Format(
        function="valuesim.formats.litmus:read_litmus",
        line="generations of LitmusValues (.csv): two rows a dilemma, what a model answered",
        takes=("source", "model", "taxonomy", "values"),
        suffixes=(".csv",),
    ),
    "battles": Format(
        function="valuesim.formats.battles:read_battles",
        line="value_1, value_2, winner (.csv), with dilemma and model where known",
        takes=("source", "model", "taxonomy", "values"),
        suffixes=(".csv",),
    ),
    "choices": Format(
        function="valuesim.formats.choice_table:read_choices",
        line="one row a decision (.parquet, .csv, .jsonl, or a folder of .parquet files), as "
        "`valuesim export choices` writes",
        suffixes=_TABLES,
        folders=True,
    ),
    "moral-machine": Format(
        function="valuesim.formats.moral_machine:read_moral_machine",
        line="SharedResponses (.csv): two rows a decision, who dies and who was saved",
        takes=("source", "model"),
        suffixes=(".csv",),
    ),
}
"""What becomes a run folder."""

PACKS: Mapping[str, str] = {
    "airiskdilemmas": "AIRiskDilemmas (.csv, .jsonl, .parquet or hf:OWNER/NAME)",
    "dailydilemmas": "DailyDilemmas (likewise)",
    "dilemmas": "a table of your own: dilemma, option_1, option_2, values_1, values_2",
}
"""What becomes a pack of dilemmas to play."""

EXPORTS: Mapping[str, Format] = {
    "choices": Format(
        function="valuesim.formats.choice_table:write_choices",
        line="one row a decision (.parquet, .csv, .jsonl), for notebooks and for `import choices`",
        suffixes=_TABLES,
    ),
    "litmus": Format(
        function="valuesim.formats.litmus_export:write_litmus",
        line="generations as LitmusValues writes them (.csv; a file for each agent and model)",
        suffixes=(".csv",),
    ),
    "battles": Format(
        function="valuesim.formats.battles:write_battles",
        line="value_1, value_2, winner (.csv), where every choice sets one value against another",
        suffixes=(".csv",),
    ),
    "utility-graph": Format(
        function="valuesim.formats.utility_graph:write_utility_graph",
        line="values as options with utilities and pairwise probabilities (.json; one a group)",
        suffixes=(".json",),
    ),
    "inspect": Format(
        function="valuesim.formats.inspect_log:write_inspect",
        line="a log for `inspect view` (.eval or .json): one sample an episode",
        suffixes=(".eval", ".json"),
    ),
    "moral-machine": Format(
        function=f"{_MORAL}:write_moral_machine",
        line="the table that the R script of mmllm reads (.csv)",
    ),
    "moral-machine-awad": Format(
        function=f"{_MORAL}:write_moral_machine_awad",
        line="the table that the R script of Awad et al. reads (.csv)",
    ),
}
"""What run folders are written as."""


def listed(formats: Mapping[str, Format | str]) -> str:
    """Return the formats with their lines, one a line, for a help text."""
    lines = {n: each if isinstance(each, str) else each.line for n, each in formats.items()}
    return "\n".join(f"  {name:<20}{line}" for name, line in lines.items())


def format_of(name: str, formats: Mapping[str, Format], path: Path) -> Format:
    """Return the format `name`; raise InputError for an unknown one, or a file not of its kind."""
    if name not in formats:
        raise InputError(unknown("format", name, formats))
    found = formats[name]
    if found.folders and path.is_dir():
        return found
    if found.suffixes and path.suffix.lower() not in found.suffixes:
        kinds = ", ".join(found.suffixes)
        raise InputError(f"{str(path)!r} is no file for {name}: its name must end in {kinds}")
    return found

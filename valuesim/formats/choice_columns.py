"""The table of choices: its columns, and rows made of decisions.

| column | type | what it holds |
| --- | --- | --- |
| run | text | the name of the run folder |
| env, episode, seed, step, role | text, text, int, int, text | where the decision was taken |
| agent, model | text, text or null | who decided |
| interventions | JSON text or null | those made on it, in their order, each as {name: settings} |
| format, wording, perspective | text or null | of the settings, for convenience; not read back |
| elicitation, condition | JSON text | how a model was asked; the experimental factors |
| cluster, unit | text | what is not independent: a chain, a scene, or an episode's world |
| chain_place | int or null | the episode's place in its chain, from 0 |
| scene | text or null | the scene, where it is one that many episodes ask |
| ordered | true or false | whether the options stand in the order shown |
| situation | JSON text | the options: name, stakes, tags and omission where there are any |
| position, chosen | int, text or null | place, from 0, and name of the option taken |
| fault | text or null | unparsed, illegal, refused or ambivalent, where nothing was taken |
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from valuesim.choices import cluster_of, unit_of
from valuesim.episode import INTERVENTIONS, interventions_in
from valuesim.log.reader import DecisionRecord, EpisodeRecord
from valuesim.option import Option

COLUMNS = (
    *("run", "env", "episode", "seed", "step", "role", "agent", "model"),
    "interventions",
    *("format", "wording", "perspective", "elicitation", "condition"),
    *("cluster", "unit", "chain_place", "scene", "ordered"),
    *("situation", "position", "chosen", "fault"),
)
NUMBERS = ("seed", "step", "chain_place", "position")
TRUTHS = ("ordered",)
JSON = ("interventions", "elicitation", "condition", "situation")
LABELS = tuple(name for name in COLUMNS if name not in (*NUMBERS, *TRUTHS, *JSON))
"""Columns of text that is no JSON; an empty cell of a CSV file is null there."""
NEEDED = ("env", "episode", "step", "role", "agent", "situation", "position")
"""What a table must have to be read; a column that it lacks is null, and then the usual."""

BY_EPISODE = (
    "where the table names no cluster, scene or seed, each episode is taken as independent of the "
    "others: intervals are too narrow if several ask the same"
)

Cell = str | int | bool | None
Row = dict[str, Cell]


def own_seed(episode: str) -> int:
    """Return a seed for an episode of which none is told: another for each, from 0 to 2**48 - 1."""
    return int.from_bytes(hashlib.sha256(episode.encode("utf-8", "surrogatepass")).digest()[:6])


def rows_of(records: Iterable[DecisionRecord], run_of: Mapping[str, str]) -> Iterator[Row]:
    """Yield a row for each decision, faults included; `run_of` names the run of an episode."""
    shared: dict[str, Row] = {}
    situations: dict[tuple[int, ...], tuple[tuple[Option, ...], str]] = {}
    for record in records:
        episode = record.episode
        if episode.id not in shared:
            shared[episode.id] = _of_episode(episode, run_of.get(episode.id))
        # an option object is met again and again; it is kept, so that its address stays its own
        key = tuple(map(id, record.options))
        if key not in situations:
            situations[key] = record.options, situation_text(record.options)
        yield shared[episode.id] | _of_decision(record, situations[key][1])


def _of_episode(episode: EpisodeRecord, run: str | None) -> Row:
    return {
        **dict.fromkeys(COLUMNS),
        "run": run,
        "env": episode.env,
        "episode": episode.id,
        "seed": episode.seed,
        "format": _text(episode.elicitation.get("format")),
        "wording": _text(episode.condition.get("wording", episode.condition.get("wording_id"))),
        "perspective": _text(episode.condition.get("perspective")),
        "elicitation": _json(episode.elicitation),
        "condition": _json(episode.condition),
        "chain_place": None if episode.chain is None else episode.chain.place,
    }


def _of_decision(record: DecisionRecord, situation: str) -> Row:
    scene = record.annotations.get("scene")
    position = next((i for i, o in enumerate(record.options) if o.name == record.chosen), None)
    return {
        "step": record.step,
        "role": record.role,
        "agent": record.player.agent,
        "model": record.player.model_name,
        "interventions": _made(record),
        "cluster": cluster_of(record),
        "unit": unit_of(record),
        "scene": _text(scene),
        "ordered": record.annotations.get("order") != "unknown",
        "situation": situation,
        "position": position,
        "chosen": record.chosen,
        "fault": None if record.fault is None else str(record.fault),
    }


def _made(record: DecisionRecord) -> str | None:
    listed = record.player.parameters.get(INTERVENTIONS)
    return orjson.dumps(listed).decode() if listed else None


def players_parameters(text: object) -> dict[str, Any]:
    """Return the parameters of a player on which the interventions in a cell were made.

    Raises ValueError for a cell that is no list of them.
    """
    if text is None:
        return {}
    parameters = {INTERVENTIONS: orjson.loads(str(text))}
    try:
        is_sound = all(isinstance(own, dict) for own in interventions_in(parameters).values())
    except (TypeError, AttributeError):
        is_sound = False
    if not is_sound:
        raise ValueError(f"interventions={text!r:.60} is not a list of {{name: settings}}")
    return parameters


def situation_text(options: Iterable[Option]) -> str:
    """Return options as JSON text; tags and omission are left out where there are none."""
    return orjson.dumps([_option(option) for option in options]).decode()


def situation_of(text: str) -> tuple[Option, ...]:
    """Return the options that `situation_text` wrote; raise ValueError for any other text."""
    try:
        options = tuple(_read(line) for line in orjson.loads(text))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the situation is not a list of options: {error!r:.80}") from None
    if len({option.name for option in options}) < len(options):
        raise ValueError("the situation has two options of one name")
    return options


def _option(option: Option) -> dict[str, Any]:
    line: dict[str, Any] = {
        "name": option.name,
        "stakes": {value: option.stakes[value] for value in sorted(option.stakes)},
    }
    if option.tags:
        line["tags"] = sorted(option.tags)
    if option.is_omission:
        line["omission"] = True
    return line


def _read(line: Any) -> Option:
    stakes, tags, omission = line["stakes"], line.get("tags", []), line.get("omission", False)
    is_sound = (
        isinstance(line["name"], str)
        and isinstance(stakes, dict)
        and all(isinstance(s, int | float) and not isinstance(s, bool) for s in stakes.values())
        and isinstance(tags, list)
        and all(isinstance(tag, str) for tag in tags)
        and isinstance(omission, bool)
    )
    if not is_sound:
        raise ValueError("the situation holds an option of another shape")
    return Option(
        name=line["name"], text="", stakes=stakes, tags=frozenset(tags), is_omission=omission
    )


def _json(settings: Mapping[str, Any]) -> str:
    return orjson.dumps(settings, option=orjson.OPT_SORT_KEYS).decode()


def _text(setting: object) -> str | None:
    return None if setting is None else str(setting)

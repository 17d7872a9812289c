"""The digest of a suite: a hash of everything that determines what an entry is asked.

It does not trust version numbers. Beside the design (environments, parameters, seeds) it holds what
a content-blind agent is shown in the first episode of every cell: rules, texts, options and their
stakes, so that a changed word, rule or stake changes it, whoever forgot to raise a version.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zlib import crc32

import orjson

from valuesim import registry
from valuesim.agents.prompt import templates_id
from valuesim.decision import Decision
from valuesim.episode import EpisodeSpec, play
from valuesim.observation import Observation
from valuesim.shipped import shipped_yaml
from valuesim.suites.definition import Suite

LENGTH = 16
_TOLD = ("opportunity", "threatened")
"""Annotations that figures are computed from."""


def digest_of(suite: Suite, planned: Mapping[str, Sequence[EpisodeSpec]]) -> str:
    """Return sixteen hexadecimal digits that change with whatever `suite` asks.

    `planned` holds the episodes of each part, whoever plays them. The suite's own `digest` does not
    count. Prompts count by the id of their templates.
    """
    found = hashlib.sha256()
    forms = [shipped_yaml("valuesim.conf", "elicitation", f"{n}.yaml") for n in suite.elicitations]
    found.update(_line([suite.id, forms, suite.wording, templates_id()]))
    for part in suite.parts:
        specs = planned[part.name]
        found.update(_line([part.name, part.role, part.settings]))
        for spec in specs:
            found.update(_line([spec.env, spec.parameters, spec.seed, sorted(spec.population)]))
        for spec in _first_of_each_cell(specs):
            for line in asyncio.run(_seen(spec)):
                found.update(line)
    return found.hexdigest()[:LENGTH]


def _first_of_each_cell(specs: Iterable[EpisodeSpec]) -> list[EpisodeSpec]:
    cells: dict[bytes, EpisodeSpec] = {}
    for spec in specs:
        cells.setdefault(_line([spec.env, spec.parameters]), spec)
    return list(cells.values())


async def _seen(spec: EpisodeSpec) -> list[bytes]:
    """Return what content-blind agents see in the episode: a line a decision, after its condition.

    Who plays in `spec` does not matter.
    """
    env = registry.make(spec.env, **spec.parameters)
    agents = {role: _Blind(role, spec.seed) for role in spec.population}
    turns = await play(env, agents, spec.seed)
    shown = [
        _line([turn.observations[role].step, role, *_shown(turn.observations[role])])
        for turn in turns
        for role in sorted(turn.observations)
    ]
    return [_line(dict(env.condition)), *shown]


class _Blind:
    """Takes options by a hash of where it is: a digest must not change with any other agent."""

    def __init__(self, role: str, seed: int) -> None:
        self.name = f"{role} {seed}"

    async def decide(self, seen: Observation) -> Decision:
        option = seen.options[crc32(f"{self.name} {seen.step}".encode()) % len(seen.options)]
        return Decision(
            agent=seen.agent, step=seen.step, option=option.name, arguments=option.complete({})
        )


def _shown(seen: Observation) -> list[Any]:
    options = [
        [
            option.name,
            option.text,
            {name: round(stake, 9) for name, stake in sorted(option.stakes.items())},
            sorted(option.tags),
            option.is_omission,
            {name: kind.schema() for name, kind in option.arguments.items()},
        ]
        for option in seen.options
    ]
    facts = [seen.annotations.get(name) for name in _TOLD]
    return [seen.rules, seen.text, facts, options]


def _line(content: Any) -> bytes:
    return orjson.dumps(
        content, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE, default=str
    )

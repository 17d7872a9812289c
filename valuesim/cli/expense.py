"""What the episodes of a plan cost: calls, tokens, dollars and hours."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from valuesim import registry
from valuesim.agents.prefix_sharing import CHARACTERS_PER_TOKEN
from valuesim.cli.asked import Asked
from valuesim.cli.pilots import Pilot, Taken, arm_name, kind_of
from valuesim.cli.rehearsal import ASKED, Load, load
from valuesim.config import RunConfig
from valuesim.decision import Usage
from valuesim.engine.prices import price_of
from valuesim.episode import EpisodeSpec
from valuesim.power.spending import PerEpisode, Spending, hours, in_all

COMPLETION = {"logprobs": 2.0, "rationale": 150.0, "choice": 30.0}
"""Tokens of one reply where nobody measured them: a letter, reasons with a choice, a choice."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Expense:
    """What `episodes` in each of `cells` cells cost together; `why` says what is not known.

    `decisions` are those of models. `dollars` and `hours` are None where no price and no speed are
    known. `completion` is tokens of one reply, `is_measured` whether tokens are a pilot's.
    """

    episodes: int
    cells: int
    decisions: float
    spent: Spending
    dollars: float | None
    hours: float | None
    completion: float
    is_measured: bool
    why: Sequence[str]


def expense(
    config: RunConfig,
    specs: Sequence[EpisodeSpec],
    episodes: int,
    asked: Asked,
    pilot: Pilot | None,
) -> Expense:
    """Return what a run of so many `episodes` in each cell of `specs` costs.

    Episodes of each cell are played with replies that no model gave, to count calls and prompts.
    """
    cells = _cells(specs)
    completion = asked.completion or _completion(config)
    taken: list[tuple[int, PerEpisode]] = []
    decisions, turns, is_measured = 0.0, 0.0, bool(cells)
    for own in cells:
        first = own[: math.ceil(ASKED / config.chain) * config.chain]
        each = load(first, config.elicitation)
        measured = _measured(own[0], pilot)
        is_measured = is_measured and (measured is not None or not each.decisions)
        decisions += episodes * sum(each.decisions.values())
        turns += episodes * each.steps
        taken += [(episodes, one) for one in _roles(each, measured, asked.completion, completion)]
    spent = in_all(taken)
    dollars, no_price = _dollars(config, taken)
    measured_in_all = None if pilot is None else _taken(pilot, _arms(specs))
    roles = len({each.role for _, each in taken})
    took, no_speed = _hours(config, spent, asked, measured_in_all, roles)
    return Expense(
        episodes=episodes,
        cells=len(cells),
        decisions=decisions,
        spent=spent,
        dollars=dollars,
        hours=took,
        completion=completion,
        is_measured=is_measured,
        why=[each for each in (_no_arm(specs, pilot), no_price, no_speed) if each],
    )


def _cells(specs: Sequence[EpisodeSpec]) -> list[list[EpisodeSpec]]:
    """Return `specs` by cell: environment, parameters and who plays."""
    found: dict[str, list[EpisodeSpec]] = {}
    for spec in specs:
        found.setdefault(repr((spec.env, spec.parameters, spec.population)), []).append(spec)
    return list(found.values())


def _measured(spec: EpisodeSpec, pilot: Pilot | None) -> Taken | None:
    """Return what a decision took in the pilot, played as here: in this cell, else in all of it.

    Where no arm of the pilot is one of here it is the mean of them all, and `_no_arm` says so.
    """
    if pilot is None:
        return None
    condition = registry.make(spec.env, **spec.parameters).condition
    return _taken(pilot, _arms([spec]), kind_of(spec.env, condition))


def _taken(pilot: Pilot, arms: Collection[str], kind: str | None = None) -> Taken | None:
    own = pilot.taken(kind, arms) or pilot.taken(None, arms)
    return own or pilot.taken(kind) or pilot.taken()


def _arms(specs: Iterable[EpisodeSpec]) -> set[str]:
    """Return the arms of the models that play `specs`, as a pilot names its own."""
    return {
        arm_name(spec, role)
        for spec in specs
        for role, player in spec.population.items()
        if player.model is not None
    }


def _no_arm(specs: Sequence[EpisodeSpec], pilot: Pilot | None) -> str | None:
    """Return a sentence on the arms that are planned and not in the pilot; None without any."""
    if pilot is None or pilot.taken() is None:
        return None
    lacking = sorted(_arms(specs) - set(pilot.arms))
    if not lacking:
        return None
    return (
        f"no arm of the pilot is {' or '.join(lacking)}: what calls take is the mean of the arms "
        "that there are"
    )


def _roles(
    each: Load, measured: Taken | None, said: float | None, completion: float
) -> Iterable[PerEpisode]:
    for role, calls in each.calls.items():
        decided = each.decisions[role]
        if measured is None:
            yield PerEpisode(
                role=role,
                calls=calls,
                prompt_tokens=each.characters[role] / CHARACTERS_PER_TOKEN,
                completion_tokens=calls * completion,
            )
            continue
        asked = calls + decided * (measured.attempts - 1)
        yield PerEpisode(
            role=role,
            calls=asked,
            prompt_tokens=decided * measured.prompt_tokens,
            completion_tokens=decided * measured.completion_tokens
            if said is None
            else asked * said,
            cached_tokens=decided * measured.cached_tokens,
        )


def _completion(config: RunConfig) -> float:
    if config.elicitation.get("format") == "logprobs":
        return COMPLETION["logprobs"]
    return COMPLETION["rationale" if config.elicitation.get("ask_rationale", True) else "choice"]


def _dollars(
    config: RunConfig, taken: Sequence[tuple[int, PerEpisode]]
) -> tuple[float | None, str | None]:
    """Return the cost in US dollars, and why it is not known."""
    total = 0.0
    for role in dict.fromkeys(each.role for _, each in taken):
        price = price_of(config.model_of(role))
        if price is None:
            name = config.model_of(role).get("name")
            return None, f"no price of {name!r} is known: give model.price.prompt and .completion"
        own = in_all([(n, each) for n, each in taken if each.role == role])
        total += price.of(
            Usage(
                prompt_tokens=round(own.prompt_tokens),
                completion_tokens=round(own.completion_tokens),
                cached_tokens=round(own.cached_tokens or 0),
            )
        )
    return total, None


def _hours(
    config: RunConfig, spent: Spending, asked: Asked, measured: Taken | None, roles: int
) -> tuple[float | None, str | None]:
    """Return the hours, and why they are not known."""
    if not spent.calls:
        return None, None
    given = asked.speed.calls is not None or asked.speed.tokens is not None
    # a pilot's replies waited for each other as they did then; what is said of the server is newer
    waited = None if given or measured is None or not measured.seconds else measured.seconds
    at_once = min(int(config.model.get("concurrency") or 1), config.engine.concurrency * roles)
    found = hours(
        spent,
        calls_per_second=asked.speed.calls,
        tokens_per_second=asked.speed.tokens,
        seconds_per_call=waited,
        at_once=max(at_once, 1),
    )
    why = None if found is not None else "no speed is known: give --calls-per-second or a --pilot"
    return found, why

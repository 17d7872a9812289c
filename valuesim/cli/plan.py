"""`valuesim plan`: how many episodes a question needs, and what they cost, before any is played."""

from __future__ import annotations

import argparse
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from valuesim.cli.asked import MOST_LEVEL, Asked, asked_of
from valuesim.cli.expense import Expense, expense
from valuesim.cli.pilots import Pilot, read_pilot
from valuesim.cli.plan_scenes import Scenes, asks_scenes, plan_scenes
from valuesim.cli.rehearsal import EPISODES, Questions, conducts
from valuesim.cli.terminal import percent, write_json
from valuesim.config import RunConfig, compose
from valuesim.engine.plan import plan
from valuesim.episode import EpisodeSpec
from valuesim.errors import InputError
from valuesim.graph.information import LIKENESS
from valuesim.graph.units import unit_names, unit_noun
from valuesim.measures.acts import FAULT, TRANSGRESSION, Cell
from valuesim.power.answers import MOST_LIKENESS, Planted
from valuesim.power.grounds import (
    PILOT,
    Pairs,
    by_cell,
    from_pilot,
    from_rehearsal,
    offering,
    rehearsed,
)
from valuesim.power.rates import Grounds, RatePlan, plan_rate
from valuesim.power.strengths import StrengthPlan, plan_strength

_ERROR = 0.05
"""At which `compare` tells that a rate moved, after Holm's correction for all of its table."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedRate:
    """The plan for one rate; `notes` are sentences on what it rests on.

    `episodes` is how many of each cell of the configuration hold the units that the plan needs,
    None where it names none. `met_by` is by how many episodes' share each scripted agent met it.
    """

    cell: Cell
    plan: RatePlan
    episodes: int | None
    met_by: Mapping[str, float]
    notes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """What was found: every rate, the episodes of a cell that meet all of them, and the cost."""

    asked: Asked
    overrides: Sequence[str]
    noun: str
    rates: Sequence[PlannedRate]
    strengths: StrengthPlan | None
    episodes: int | None
    expense: Expense | None
    notes: Sequence[str]


def main(arguments: argparse.Namespace) -> int:
    """Print the plan; return 0, or 1 where no number of episodes could be named."""
    from valuesim.cli.plan_json import as_json
    from valuesim.cli.planned import draw, tell

    asked = asked_of(arguments)
    if arguments.png:
        from valuesim.report.drawing import graph_format

        graph_format(arguments.png)
    config = compose(arguments.overrides)
    if config.adaptive() is not None:
        raise InputError("asking=adaptive decides by itself how much is asked: plan without it")
    found = planned(config, asked, arguments.overrides)
    if arguments.json:
        write_json(as_json(found), arguments.json)
    if arguments.json != "-":
        tell(found)
    if arguments.png:
        draw(found, arguments.png)
    return 0 if found.episodes is not None else 1


def planned(config: RunConfig, asked: Asked, overrides: Sequence[str] = ()) -> Planned:
    """Return the plan of `config`; equal arguments, equal figures.

    Raises InputError for what a run would not take, and where nothing it asks about can happen.
    """
    pilot = read_pilot(asked.pilots) if asked.pilots else None
    number = math.ceil(EPISODES / config.chain) * config.chain
    specs = _specs(config, number)
    noun, rates, strengths = "seed", list[PlannedRate](), None
    notes = []
    if asked.effect is not None or asked.width is not None:
        arms = {each.name: each.records for each in conducts(specs)}
        met, piloted = rehearsed(arms), _piloted(pilot)
        scenes = Scenes(lambda episodes: _specs(config, episodes))
        ended = frozenset(env for env in {each.env for each in met} if asks_scenes(arms, env))
        noun = unit_noun(list(arms.values()))
        rates = _rates(met, piloted, asked, number, scenes=scenes, ended=ended)
        notes = _corrected(len({*met, *piloted}), asked)
    if asked.strength is not None:
        strengths = _strengths(config, asked)
    named = [each.episodes for each in rates if each.episodes is not None]
    if strengths is not None and strengths.episodes is not None:
        named.append(strengths.episodes)
    episodes = max(named) if named else None
    cost = None if episodes is None else expense(config, specs, episodes, asked, pilot)
    return Planned(
        asked=asked,
        overrides=overrides,
        noun=noun,
        rates=rates,
        strengths=strengths,
        episodes=episodes,
        expense=cost,
        notes=[*notes, *_unmet(rates, asked), *_notes(pilot, rates)],
    )


def _strengths(config: RunConfig, asked: Asked) -> StrengthPlan:
    assert asked.strength is not None, "it is planned where it is asked for"
    likeness = asked.given.likeness
    planted = Planted(
        strength=asked.strength,
        spread=asked.spread,
        likeness=LIKENESS if likeness is None else min(likeness, MOST_LIKENESS),
    )
    questions = Questions(lambda episodes: _specs(config, episodes))
    return plan_strength(questions, planted, asked.aim, pair=asked.pair, seed=asked.seed)


def _specs(config: RunConfig, episodes: int) -> list[EpisodeSpec]:
    return plan(replace(config, episodes=episodes).design())


def _rates(
    met: Mapping[Cell, Mapping[str, Pairs]],
    piloted: Mapping[Cell, Sequence[Pairs]],
    asked: Asked,
    rehearsed_episodes: int,
    *,
    scenes: Scenes,
    ended: Collection[str],
) -> list[PlannedRate]:
    """Return the plans of all rates asked for; in the environments `ended` units are `scenes`."""
    # a rehearsal plays every cell alike often, so that it tells the units that one episode brings
    per_episode = {
        (cell.env, cell.level): max(map(len, own.values())) / rehearsed_episodes
        for cell, own in met.items()
        if cell.act == FAULT
    }
    wanted = [
        cell
        for cell in dict.fromkeys([*met, *piloted])
        if cell.act == asked.of
        and asked.threat in (None, cell.threatened)
        and (cell.env, cell.level) in per_episode
    ]
    if not wanted:
        able = sorted({cell.act for cell in met})
        raise InputError(
            f"no episode of this plan offers a {asked.of}: give --of {' or '.join(able)}"
        )
    order = {place: number for number, place in enumerate(per_episode)}
    known: dict[str, RatePlan] = {}
    found = []
    for cell in sorted(wanted, key=lambda cell: (order[cell.env, cell.level], not cell.threatened)):
        by_agent = met.get(cell, {})
        grounds, notes = _grounds(by_agent, piloted.get(cell), asked)
        if cell.env in ended:
            grounded = partial(_asked_so_often, None if cell not in piloted else grounds, asked)
            made, episodes = plan_scenes(scenes, cell, grounded, asked, rehearsed_episodes)
            found.append(_planned_rate(cell, made, episodes, by_agent, notes))
            continue
        if repr(grounds) not in known:
            known[repr(grounds)] = plan_rate(
                grounds, effect=asked.effect, width=asked.width, aim=asked.aim, seed=asked.seed
            )
        made = known[repr(grounds)]
        each = per_episode[cell.env, cell.level]
        episodes = None if made.units is None else math.ceil(made.units / each - 1e-9)
        found.append(_planned_rate(cell, made, episodes, by_agent, notes))
    return found


def _planned_rate(
    cell: Cell,
    made: RatePlan,
    episodes: int | None,
    by_agent: Mapping[str, Pairs],
    notes: Sequence[str],
) -> PlannedRate:
    met_by = {name: offering(own) for name, own in by_agent.items()}
    return PlannedRate(cell=cell, plan=made, episodes=episodes, met_by=met_by, notes=notes)


def _asked_so_often(pilot: Grounds | None, asked: Asked, by_agent: Mapping[str, Pairs]) -> Grounds:
    """Return the grounds of scenes: a rehearsal says how often they are asked, not the pilot."""
    if pilot is None:
        return from_rehearsal(by_agent, asked.given)[0]
    if not by_agent:
        return pilot
    return replace(pilot, opportunities=from_rehearsal(by_agent, asked.given)[0].opportunities)


def _grounds(
    by_agent: Mapping[str, Pairs], piloted: Sequence[Pairs] | None, asked: Asked
) -> tuple[Grounds, list[str]]:
    if piloted:
        return from_pilot(piloted, asked.given, asked.aim, seed=asked.seed)
    return from_rehearsal(by_agent, asked.given)


def _piloted(pilot: Pilot | None) -> dict[Cell, list[Pairs]]:
    """Return the counts of each cell in the first two arms of `pilot` that were in it."""
    if pilot is None:
        return {}
    name = unit_names(list(pilot.arms.values()))
    found: dict[Cell, list[Pairs]] = {}
    for records in pilot.arms.values():
        for cell, own in by_cell(records, name).items():
            if len(found.setdefault(cell, [])) < 2:
                found[cell].append(own)
    return found


def _corrected(cells: int, asked: Asked) -> list[str]:
    """Return a sentence on the power of what `compare` corrects for all its rates, if for any."""
    level = min(round(1 - _ERROR / max(cells, 1), 4), MOST_LEVEL)
    if asked.effect is None or asked.aim.level >= level:
        return []
    return [
        f"the power is that of the {percent(asked.aim.level)} interval of one rate: to be told as "
        f"moved among the {cells} rates of this configuration (Holm) takes more, which --level "
        f"{level:g} plans for"
    ]


def _unmet(rates: Sequence[PlannedRate], asked: Asked) -> list[str]:
    """Return a sentence for each level at which one kind of transgression was never open."""
    if asked.of != TRANSGRESSION:
        return []
    kinds = (True, False) if asked.threat is None else (asked.threat,)
    planned = {each.cell for each in rates}
    lacking = {
        replace(cell, threatened=kind).told(): None
        for cell in planned
        for kind in kinds
        if replace(cell, threatened=kind) not in planned
    }
    return [f"never open in what was rehearsed: {cell}" for cell in sorted(lacking)]


def _notes(pilot: Pilot | None, rates: Sequence[PlannedRate]) -> list[str]:
    if pilot is None:
        return []
    if not rates:
        return ["the pilot says what calls take, and nothing of strengths"]
    arms = list(pilot.arms)
    told = [f"the pilot's arms: {', '.join(arms[:2])}"]
    if len(arms) > 2:
        told.append(f"left out of the pilot: {', '.join(arms[2:])}")
    return told + [
        f"the pilot has nothing of: {each.cell.told()}"
        for each in rates
        if each.plan.grounds.source != PILOT
    ]

"""`python -m benchmarks.planning`: do studies of the size that a pilot's plan names find the truth?

End to end: agents that tap with a planted propensity play survival, each seed with a propensity of
its own that the two arms share in part. Many pilots of a few seeds are taken out; each gives a
plan, and studies of the size it names are drawn from the seeds that are left. The value-strength
plan is put to agents that choose by planted strengths and really play the dilemmas.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from benchmarks.validity.measured import Table, percent
from valuesim import registry
from valuesim.agents.scripted import Random
from valuesim.choices import Choices, choices
from valuesim.decision import Agent
from valuesim.engine.plan import episode_seeds
from valuesim.env import Observation
from valuesim.episode import Player, play
from valuesim.graph.planning import separations
from valuesim.graph.rank import rank_together
from valuesim.log.records import DecisionRecord, EpisodeRecord
from valuesim.measures.acts import TRANSGRESSION
from valuesim.measures.paired import paired_difference
from valuesim.option import Move
from valuesim.power.grounds import Given, Pairs, by_cell, from_pilot
from valuesim.power.rates import plan_rate
from valuesim.power.search import Aim

TARGETS = (0.8, 0.9)
TAP = "TAP_GRID"


@dataclass(frozen=True, kw_only=True, slots=True)
class Arms:
    """Mean propensities to tap in two arms; `size` is that of the beta distribution over seeds.

    `shared` is the correlation of the normal scores that the two arms have on one seed.
    """

    first: float
    second: float
    size: float
    shared: float


class Tapper(Random):
    """Taps with `propensity` where a tap is on offer, and otherwise does anything else."""

    def __init__(self, *, role: str, seed: int, propensity: float) -> None:
        super().__init__(role=role, seed=seed)
        self._propensity = propensity

    def choose(self, observation: Observation) -> Move:
        """Return a tap or anything else on offer."""
        names = [option.name for option in observation.options]
        if TAP in names and self.rng.random() < self._propensity:
            return Move(option=TAP)
        others = [option for option in observation.options if option.name != TAP]
        return self._any_way(others[int(self.rng.integers(len(others)))])


def tapped(arms: Arms, seeds: Sequence[int]) -> tuple[Pairs, Pairs]:
    """Return what both arms did of what they could, by seed, where none is threatened."""
    played = [[_survived(arms, arm, seed) for seed in seeds] for arm in range(2)]
    found = []
    for own in played:
        records = [record for episode in own for record in episode]
        cells = by_cell(records, lambda record: str(record.episode.seed))
        found.append(
            next(
                each
                for cell, each in cells.items()
                if cell.act == TRANSGRESSION and not cell.threatened
            )
        )
    return found[0], found[1]


def _survived(arms: Arms, arm: int, seed: int) -> list[DecisionRecord]:
    both, own = (np.random.default_rng([seed, salt]).standard_normal() for salt in (0, 1 + arm))
    z = arms.shared * both + (1 - arms.shared**2) ** 0.5 * own
    mean = (arms.first, arms.second)[arm]
    p = float(special.betaincinv(mean * arms.size, (1 - mean) * arms.size, special.ndtr(z)))
    env = registry.make("survival-v0", scarcity="medium")
    agents: dict[str, Agent] = {
        role: Tapper(role=role, seed=(seed + place) * 2 + arm, propensity=p)
        for place, role in enumerate(env.possible_agents)
    }
    return records_of("survival-v0", {"scarcity": "medium"}, agents, seed)


def records_of(
    id: str, parameters: Mapping[str, Any], agents: Mapping[str, Agent], seed: int
) -> list[DecisionRecord]:
    """Play one episode and return its decisions, as a run folder would give them."""
    env = registry.make(id, **parameters)
    turns = asyncio.run(play(env, agents, seed))
    episode = EpisodeRecord(
        id=f"{seed:x}",
        env=id,
        condition=env.condition,
        population={role: Player(agent="planted") for role in env.possible_agents},
        seed=seed,
        measures=env.measure(turns),
    )
    return [
        DecisionRecord(
            episode=episode,
            step=step,
            role=role,
            options=seen.options,
            chosen=turn.decisions[role].option,
            fault=turn.decisions[role].fault,
            annotations=seen.annotations,
            effect=turn.effects[role],
        )
        for step, turn in enumerate(turns)
        for role, seen in turn.observations.items()
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What the plans of many pilots came to: sizes named, and shares of studies that found."""

    target: float
    sizes: Sequence[int]
    shares: Sequence[float]


def from_pilots(
    first: Pairs, second: Pairs, *, pilots: int, size: int, studies: int, target: float
) -> Found:
    """Return what plans from so many pilots of `size` seeds each found in the seeds beside them.

    The effect asked for is the true one: the difference over all seeds.
    """
    seeds = list(first)
    pool = seeds[pilots * size :]
    effect = _rate(second) - _rate(first)
    sizes, shares = [], []
    for number in range(pilots):
        own = seeds[number * size : (number + 1) * size]
        arms = [{seed: arm[seed] for seed in own} for arm in (first, second)]
        aim = Aim(power=target)
        grounds, _ = from_pilot(arms, Given(), aim, seed=number)
        plan = plan_rate(grounds, effect=effect, width=None, aim=aim, seed=number, repeats=1500)
        assert plan.units is not None, "every truth here can be found"
        rng = np.random.default_rng([number, 1])
        hits = [is_found(first, second, pool, plan.units, rng) for _ in range(studies)]
        sizes.append(plan.units)
        shares.append(float(np.mean(hits)))
    return Found(target=target, sizes=sizes, shares=shares)


def is_found(
    first: Pairs, second: Pairs, pool: Sequence[str], size: int, rng: np.random.Generator
) -> bool:
    """Return whether a study of `size` seeds out of `pool` separates the two arms."""
    taken = [pool[int(at)] for at in rng.choice(len(pool), size, replace=True)]
    named = [f"{seed}/{place}" for place, seed in enumerate(taken)]
    one, two = ({n: arm[s] for n, s in zip(named, taken, strict=True)} for arm in (first, second))
    found = paired_difference(one, two)
    return found.low is not None and found.high is not None and not found.low <= 0 <= found.high


def _rate(own: Pairs) -> float:
    return sum(done for done, _ in own.values()) / sum(possible for _, possible in own.values())


def strengths_found(
    id: str,
    parameters: Mapping[str, Any],
    weights: Mapping[str, float],
    pair: tuple[str, str],
    *,
    episodes: int,
    studies: int,
    seed: int,
) -> float:
    """Return the share of studies, each really played, in which the two values are separated.

    Agents choose by a conditional logit of `weights`, the same in every scene.
    """
    hits = []
    for number in range(studies):
        asked = _asked(id, parameters, weights, episode_seeds(seed, episodes), number)
        (ranking,) = rank_together(
            {"all": asked}, draws=2, with_consistency=False, with_coherence=False
        ).values()
        (found,) = separations(ranking, [pair])
        hits.append(
            found.low is not None and found.high is not None and not found.low <= 0 <= found.high
        )
    return float(np.mean(hits))


def _asked(
    id: str,
    parameters: Mapping[str, Any],
    weights: Mapping[str, float],
    seeds: Sequence[int],
    number: int,
) -> Choices:
    records: list[DecisionRecord] = []
    for seed in seeds:
        env = registry.make(id, **parameters)
        agents = {
            role: registry.make_agent("valued", role=role, seed=seed + number, weights=weights)
            for role in env.possible_agents
        }
        records += records_of(id, parameters, agents, seed)
    return choices(records)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planning", description=__doc__)
    parser.add_argument("--pilots", type=int, default=16)
    parser.add_argument("--size", type=int, default=15)
    parser.add_argument("--pool", type=int, default=260)
    parser.add_argument("--studies", type=int, default=150)
    asked = parser.parse_args()
    rows = []
    cases = (
        Arms(first=0.3, second=0.45, size=6.0, shared=0.7),
        Arms(first=0.5, second=0.75, size=3.0, shared=0.0),
    )
    for number, arms in enumerate(cases):
        seeds = episode_seeds(11 + 10 * number, asked.pool + asked.pilots * asked.size)
        first, second = tapped(arms, seeds)
        for target in TARGETS:
            found = from_pilots(
                first,
                second,
                pilots=asked.pilots,
                size=asked.size,
                studies=asked.studies,
                target=target,
            )
            error = float(np.std(found.shares, ddof=1)) / len(found.shares) ** 0.5
            rows.append(
                (
                    f"{_rate(first):.3f} and {_rate(second):.3f}",
                    f"{arms.shared:g}",
                    f"{100 * target:.0f} %",
                    f"{np.median(found.sizes):.0f} ({min(found.sizes)} to {max(found.sizes)})",
                    percent(float(np.mean(found.shares)), error),
                    f"{100 * min(found.shares):.0f} to {100 * max(found.shares):.0f}",
                )
            )
    columns = ("rates", "shared", "power", "seeds named", "found, all pilots", "single pilots")
    print(Table(columns=columns, rows=tuple(rows)).markdown())


if __name__ == "__main__":
    main()

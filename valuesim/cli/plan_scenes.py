"""How often a rate must be asked where units are scenes, of which there are only so many.

More episodes ask scenes that were not asked before, and at last the same ones again. So scenes and
their opportunities are counted at the size that is planned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean

from valuesim.choices import unit_of
from valuesim.cli.asked import Asked
from valuesim.cli.rehearsal import Played, conducts
from valuesim.episode import EpisodeSpec
from valuesim.graph.units import Records
from valuesim.measures.acts import FAULT, Cell
from valuesim.power.achieved import achieved
from valuesim.power.grounds import Pairs, rehearsed
from valuesim.power.rates import LEAST_OFFERING, Grounds, RatePlan, plan_rate, two_rates
from valuesim.power.sampling import Assumed, Studies
from valuesim.power.search import REPEATS, Aim

MOST_DECISIONS = 50_000
"""The decisions of scripted agents that are rehearsed at most."""
_CLOSE = 50
"""The number of episodes is found to one part in so many."""
_OFTEN = 1000
"""So many opportunities of a scene are as good as any number of them."""

ByAgent = Mapping[str, Pairs]


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """What `episodes` of each cell ask: `scenes` in all, of which the rate's `by_agent`."""

    episodes: int
    scenes: int
    by_agent: ByAgent


class Scenes:
    """What scripted agents meet in so many episodes of each cell; what was played is kept.

    `specs_of` gives the episodes of the plan with so many in each cell.
    """

    def __init__(self, specs_of: Callable[[int], Sequence[EpisodeSpec]]) -> None:
        self._specs_of = specs_of
        self._played: Played = {}
        self._met: dict[int, Mapping[Cell, ByAgent]] = {}
        self._most: int | None = None

    def at(self, episodes: int, cell: Cell) -> Size | None:
        """Return what is asked of `cell`; None where it is too much to play."""
        if self._most is not None and episodes > self._most:
            return None
        if episodes not in self._met:
            found = conducts(self._specs_of(episodes), self._played)
            self._met[episodes] = rehearsed({each.name: each.records for each in found})
            if sum(len(each.records) for each in found) > MOST_DECISIONS:
                self._most = episodes
        met = self._met[episodes]
        asked = met[Cell(act=FAULT, env=cell.env, level=cell.level)]
        return Size(
            episodes=episodes,
            scenes=max(map(len, asked.values())),
            by_agent=met.get(cell, {}),
        )


def asks_scenes(arms: Mapping[str, Records], env: str) -> bool:
    """Return whether the units of `env` are scenes, so that their number has an end."""
    own = (record for records in arms.values() for record in records if record.episode.env == env)
    return any(unit_of(record) == "scene" for record in own)


def plan_scenes(
    scenes: Scenes, cell: Cell, grounded: Callable[[ByAgent], Grounds], asked: Asked, start: int
) -> tuple[RatePlan, int | None]:
    """Return the plan for `cell` and its episodes, None where there are too few scenes.

    `start` episodes are tried first. `grounded` gives the grounds of counts by agent.
    """
    size, low, before = scenes.at(start, cell), 0, 0
    assert size is not None, "so many were rehearsed"
    grounds = grounded(size.by_agent)
    if grounds.offering < LEAST_OFFERING:
        return _planned(grounds, asked), None
    while not _is_enough(size, grounds, asked):
        if size.scenes == before and not _shows(size.scenes, _often(grounds), asked):
            why = (
                f"there are {size.scenes} scenes only: however often they are asked, fewer than "
                f"{100 * asked.aim.power:g} % of studies show it"
            )
            return replace(_planned(grounds, asked), why=why), None
        more = scenes.at(2 * size.episodes, cell)
        if more is None:
            why = f"{size.episodes} episodes of each cell are not enough, and no more are tried"
            return replace(_planned(grounds, asked), why=why), None
        low, before, size = size.episodes, size.scenes, more
        grounds = grounded(size.by_agent)
    return _least(scenes, cell, grounded, asked, low, size)


def _least(
    scenes: Scenes,
    cell: Cell,
    grounded: Callable[[ByAgent], Grounds],
    asked: Asked,
    low: int,
    size: Size,
) -> tuple[RatePlan, int]:
    """Return the plan of the smallest size from `low`, too small, to `size`, which is enough."""
    while size.episodes - low > max(1, size.episodes // _CLOSE):
        middle = scenes.at((low + size.episodes) // 2, cell)
        assert middle is not None, "a larger one was rehearsed"
        if _is_enough(middle, grounded(middle.by_agent), asked):
            size = middle
        else:
            low = middle.episodes
    return _trimmed(_planned(grounded(size.by_agent), asked), size.scenes), size.episodes


def _trimmed(made: RatePlan, scenes: int) -> RatePlan:
    """Return `made` without the other sizes that ask more scenes than there are."""
    kept = {
        name: replace(found, table=tuple(each for each in found.table if each.units <= scenes))
        for name in ("paired", "unpaired", "narrow")
        if (found := getattr(made, name)) is not None
    }
    return replace(made, **kept)


def _is_enough(size: Size, grounds: Grounds, asked: Asked) -> bool:
    wanted = asked.given.opportunities
    if wanted is not None and max(map(_mean, size.by_agent.values()), default=0.0) < wanted:
        return False
    return _shows(size.scenes, grounds, asked)


def _mean(own: Pairs) -> float:
    return mean(possible for _, possible in own.values())


def _shows(scenes: int, grounds: Grounds, asked: Asked) -> bool:
    """Return whether studies of so many `scenes` find the effect, or are narrow enough."""
    units = int(scenes / grounds.allowance)
    if units < 2:
        return False
    first, second = two_rates(grounds.rate, asked.effect)
    assumed = Assumed(
        first=first,
        second=second,
        opportunities=tuple(grounds.opportunities),
        likeness=grounds.likeness.value,
        pairing=grounds.pairing.value,
    )
    studies = Studies(assumed, repeats=REPEATS, seed=asked.seed)
    aims = [asked.aim] if asked.effect is not None else []
    if asked.width is not None:
        aims.append(replace(asked.aim, width=asked.width))
    return all(_meets(studies, units, aim) for aim in aims)


def _meets(studies: Studies, units: int, aim: Aim) -> bool:
    return aim.is_met(achieved(studies, units, level=aim.level, width=aim.width))


def _often(grounds: Grounds) -> Grounds:
    """Return `grounds` with opportunities without end, where there are any."""
    pool = [(_OFTEN * bool(one), _OFTEN * bool(two)) for one, two in grounds.opportunities]
    return replace(grounds, opportunities=pool)


def _planned(grounds: Grounds, asked: Asked) -> RatePlan:
    return plan_rate(
        grounds, effect=asked.effect, width=asked.width, aim=asked.aim, seed=asked.seed
    )

"""What an adaptive run may ask: episodes of a single scene each, and what is at stake in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from valuesim import registry
from valuesim.choices import Evidence
from valuesim.engine.plan import episode_seeds
from valuesim.env import Environment, Observation
from valuesim.episode import EpisodeSpec, Turn
from valuesim.errors import InputError
from valuesim.graph.design import is_contested
from valuesim.log.reader import DecisionRecord
from valuesim.option import Move, Option

_ALLOWED = (
    "asking=adaptive asks one agent one scene at a time, of dilemmas, a questionnaire that sets "
    "values against each other (bundles, pairwise, best_worst), or the moral machine without panel"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """The questions of one cell: episode `specs[k]` asks first what `questions[k]` says.

    `lengths[k]` is how many decisions it holds where always the first option is taken, or always
    the last, whichever are more: the most there are, where an answer leads to one more question.
    """

    specs: tuple[EpisodeSpec, ...]
    questions: tuple[Evidence, ...]
    lengths: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What an episode's decisions said: how many there were, and the choices among them."""

    decisions: int
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """The questions of one environment, whoever is asked: arguments, seed and options of each."""

    singles: tuple[tuple[Mapping[str, Any], int], ...]
    questions: tuple[Evidence, ...]
    lengths: tuple[int, ...]


@dataclass(kw_only=True, slots=True)
class Pools:
    """Makes pools of at least `size` questions; `seed` draws tellings, orders and labels.

    Each scene is there once before any is there again, told and shown in another way.
    """

    size: int
    seed: int
    _known: dict[bytes, _Asked] = field(default_factory=dict)

    def pool(self, spec: EpisodeSpec) -> Pool:
        """Return the questions of the cell that `spec` is an episode of; see `check_askable`.

        Cells that differ in who plays are asked from the same questions.
        """
        key = orjson.dumps([spec.env, spec.parameters], option=orjson.OPT_SORT_KEYS)
        if key not in self._known:
            self._known[key] = self._asked(spec)
        asked = self._known[key]
        return Pool(
            specs=tuple(replace(spec, parameters=p, seed=seed) for p, seed in asked.singles),
            questions=asked.questions,
            lengths=asked.lengths,
        )

    def _asked(self, spec: EpisodeSpec) -> _Asked:
        alone = [{**spec.parameters, **change} for change in check_askable(spec)]
        rounds = -(-self.size // len(alone))
        seeds = episode_seeds(self.seed, rounds * len(alone))
        found: dict[int, Evidence] = {}
        longest: list[int] = []
        for place, parameters in enumerate(alone):
            env = registry.make(spec.env, **parameters)
            longest.append(max(_length(env, seeds[place], taken) for taken in (0, -1)))
            for number in range(place, len(seeds), len(alone)):
                found[number] = _first_question(env, seeds[number])
        questions = tuple(found[number] for number in range(len(seeds)))
        if not any(is_contested(question.options) for question in questions):
            told = f"no question of {spec.env} sets values against each other"
            raise InputError(f"{told}: {_ALLOWED}")
        return _Asked(
            singles=tuple((alone[k % len(alone)], seed) for k, seed in enumerate(seeds)),
            questions=questions,
            lengths=tuple(longest[k % len(alone)] for k in range(len(seeds))),
        )


def check_askable(spec: EpisodeSpec) -> Sequence[Mapping[str, Any]]:
    """Return the arguments that ask each scene of `spec`'s environment alone.

    Raises InputError where scenes cannot be asked one at a time, more than one agent is asked, or
    the parameter that adaptive asking sets by itself (`part`) is given.
    """
    if spec.parameters.get("part") is not None:
        raise InputError(
            f"env.part={spec.parameters['part']} does not go with asking=adaptive, which asks each "
            "part by itself: leave it out, with an experiment that sets it (env=NAME does not)"
        )
    singles = registry.make(spec.env, **spec.parameters).singles()
    if not singles or len(spec.population) != 1:
        raise InputError(f"the scenes of {spec.env} cannot be asked one by one: {_ALLOWED}")
    return singles


def said(turns: Iterable[Turn], spec: EpisodeSpec) -> Said:
    """Return what the decisions of a played episode said; faults count, and say nothing."""
    decisions = [
        (seen, turn.decisions[role].option)
        for turn in turns
        for role, seen in turn.observations.items()
    ]
    evidence = [
        _evidence(spec.env, seen.options, seen.annotations, option, spec.seed)
        for seen, option in decisions
        if option is not None
    ]
    return Said(decisions=len(decisions), evidence=tuple(evidence))


def read(records: Iterable[DecisionRecord]) -> dict[str, Said]:
    """Return what each episode of a log said, by its id: the same as `said` of it when played."""
    of_episode: dict[str, list[DecisionRecord]] = {}
    for record in records:
        of_episode.setdefault(record.episode.id, []).append(record)
    return {
        id: Said(
            decisions=len(decisions),
            evidence=tuple(
                _evidence(d.episode.env, d.options, d.annotations, d.chosen, d.episode.seed)
                for d in sorted(decisions, key=lambda d: (d.step, d.role))
                if d.chosen is not None
            ),
        )
        for id, decisions in of_episode.items()
    }


def _first_question(env: Environment, seed: int) -> Evidence:
    env.reset(seed=seed)
    seen = _observed(env)
    return _evidence(env.id, seen.options, seen.annotations, seen.options[0].name, seed)


def _observed(env: Environment) -> Observation:
    return env.observe(env.possible_agents[0])


def _length(env: Environment, seed: int, taken: int) -> int:
    """Return how many decisions there are where always the option at the place `taken` is taken."""
    env.reset(seed=seed)
    decisions = 0
    while env.agents:
        seen = _observed(env)
        decisions += seen.is_choice
        env.step({seen.agent: Move(option=seen.options[taken].name)})
    return max(decisions, 1)


def _evidence(
    env: str,
    options: tuple[Option, ...],
    annotations: Mapping[str, Any],
    chosen: str,
    seed: int,
) -> Evidence:
    scene = annotations.get("scene")
    return Evidence(
        cluster=f"{env}/{seed if scene is None else scene}",
        options=options,
        position=[option.name for option in options].index(chosen),
        unit="episode" if scene is None else "scene",
    )

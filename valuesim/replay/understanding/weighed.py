"""The archetypes of chosen episodes as the page gets them, and what speaks for and against each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from valuesim.archetypes.behaviour import Act, acts, observe
from valuesim.archetypes.catalogue import BEHAVIOURAL, Catalogue, load_catalogue
from valuesim.archetypes.contributions import MOST_LEVELS, Taken, taken_apart
from valuesim.archetypes.report import classify, judge_behaviour
from valuesim.archetypes.schema import to_json
from valuesim.archetypes.shift import shifts
from valuesim.errors import InputError
from valuesim.graph import Group, grouped, rank_together
from valuesim.graph.evidence import Evidence, interrupted_by_group
from valuesim.log.chosen import is_adaptive
from valuesim.log.pool import unfinished
from valuesim.log.reader import DecisionRecord
from valuesim.replay.understanding.ranked import Tell, check_groups, read_keys, told
from valuesim.replay.understanding.reading import Chosen
from valuesim.tables.once import DecisionsOnce

_EXAMPLES = 12
"""The decisions that are named of each kind of act."""


def archetypes_json(chosen: Sequence[Chosen], by: str, tell: Tell) -> dict[str, Any]:
    """Return the archetypes of the groups of `chosen`, as `valuesim archetypes --json` does.

    Raises as `ranked.gathered`.
    """
    found, catalogue = _read(chosen, by, tell), load_catalogue()
    check_groups(len(found.all_groups), by)
    tell("groups", len(found.all_groups))
    own = {group: found.choices(group) for group in found.all_groups}
    rankings = rank_together(own, with_consistency=False)
    groups = []
    for group, ranking in rankings.items():
        records = found.records(group)
        lost = found.interrupted.get(group, {})
        report = classify(records, ranking, catalogue, interrupted=lost)
        told = to_json(group, report, shifts(records, catalogue))
        groups.append(told | {"notes": found.notes(group), "name": str(group)})
        tell("ranked", 1)
    return {
        "schema": 1,
        "by": list(found.by),
        "groups": groups,
        "unplaced": found.unplaced,
        "why": found.why_nothing,
        "meanings": _meanings(catalogue),
    }


def evidence_json(chosen: Sequence[Chosen], by: str, group: int, tell: Tell) -> dict[str, Any]:
    """Return what speaks for and against each archetype in one group, by its place in the others.

    Raises InputError where there is no such group, and as `ranked.gathered`.
    """
    found, catalogue = _read(chosen, by, tell), load_catalogue()
    if group >= len(found.all_groups):
        raise InputError(f"group={group} is none: there are {len(found.all_groups)}, from 0")
    tell("groups", 1)
    which = found.all_groups[group]
    records = list(found.records(which))
    behaviour = observe(records)
    judged = judge_behaviour(records, behaviour, catalogue)
    apart = taken_apart(records, behaviour, catalogue.rule)
    runs = {id: each.run for each in reversed(chosen) for id in each.episodes}
    examples = _examples(records, runs)
    return {
        "schema": 1,
        "group": dict(which.items()),
        "archetype": judged.archetype,
        "why": judged.why,
        "posterior": dict(judged.posterior),
        "archetypes": [_taken(each, examples) for each in apart],
        "reason": None if apart else _no_parts(len(behaviour.levels), bool(behaviour.cells)),
    }


def _no_parts(levels: int, has_cells: bool) -> str:
    if has_cells:
        return f"there are {levels} levels; at most {MOST_LEVELS} are taken apart"
    return "no decision left a transgression open without being a step towards it"


def _taken(each: Taken, examples: Mapping[object, list[dict[str, Any]]]) -> dict[str, Any]:
    weights = [
        asdict(weight) | {"decisions": examples[_kind(weight.condition, weight.is_done)]}
        for weight in each.weights
    ]
    return asdict(each) | {"weights": weights}


def _kind(condition: Mapping[str, Any], is_done: bool) -> object:
    return tuple(condition.items()), is_done


def _examples(
    records: Sequence[DecisionRecord], runs: Mapping[str, str]
) -> dict[object, list[dict[str, Any]]]:
    """Return some decisions of each kind of act, of as many episodes as there are."""
    found: dict[object, list[Act]] = {}
    for act in acts(records):
        level, is_threatened = act.cell
        kind = _kind({**dict(level), "threatened": is_threatened}, act.is_done)
        found.setdefault(kind, []).append(act)
    return {kind: [_moment(act, runs) for act in _spread(own)] for kind, own in found.items()}


def _spread(found: Sequence[Act]) -> Iterator[Act]:
    by_episode: dict[str, list[Act]] = {}
    for act in found:
        by_episode.setdefault(act.record.episode.id, []).append(act)
    longest = max(map(len, by_episode.values()))
    taken = (own[k] for k in range(longest) for own in by_episode.values() if k < len(own))
    for _, act in zip(range(_EXAMPLES), taken, strict=False):
        yield act


def _moment(act: Act, runs: Mapping[str, str]) -> dict[str, Any]:
    record = act.record
    return {
        "run": runs[record.episode.id],
        "episode": record.episode.id,
        "step": record.step,
        "role": record.role,
        "chosen": record.chosen,
    }


def _meanings(catalogue: Catalogue) -> dict[str, str]:
    known = {name: catalogue.behaviours[name] for name in BEHAVIOURAL}
    flags = {each.name: each.note for each in catalogue.signatures}
    return known | flags | {each.name: each.note for each in catalogue.conducts}


def _read(chosen: Sequence[Chosen], by: str, tell: Tell) -> Evidence:
    keys, finished = read_keys(chosen, by)
    folders = {each.path: each.folder() for each in chosen}
    lost = unfinished(folders.values(), finished)
    parts = {each.path: each for each in chosen}
    once = DecisionsOnce(list(parts), parts.__getitem__)
    records = [_short(r) for _, own in once.by_run() for r in told(own, tell)]
    groups: dict[Group, list[DecisionRecord]] = grouped(records, keys, beside=lost)
    interrupted, unplaced = interrupted_by_group(lost, keys)
    return Evidence(
        by=keys,
        groups=groups,
        interrupted=interrupted,
        unplaced=unplaced,
        chosen={id for f in folders.values() if is_adaptive(f.config) for id in f.episodes},
    )


def _short(record: DecisionRecord) -> DecisionRecord:
    """Return a decision without what no archetype looks at, which is most of its memory."""
    return replace(record, text="", view={}, reply="", rationale=None, tries=(), added=())

"""The levels of a comparison: decisions told apart by one key, in an order that makes sense."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from valuesim.choices import Choices, choices
from valuesim.graph.arms import INTERVENTION, arms_apart, is_arm_key, is_partial, place, whole_key
from valuesim.graph.compared import Comparison
from valuesim.graph.comparison import compare
from valuesim.graph.flips import Pair
from valuesim.graph.grouping import (
    Group,
    Played,
    family_of,
    group_of,
    kept_apart,
    named,
    settings_of,
)
from valuesim.graph.say_do import say_do
from valuesim.log.reader import DecisionRecord, EpisodeRecord
from valuesim.values import load_taxonomy, taxonomies

Records = Sequence[DecisionRecord]
FAMILY = "family"
STATED = "questionnaire"
"""The family that asks what is valued; all others show it."""
NO_MODEL = "none"


def level_keys(key: str, episodes: Iterable[Played] = ()) -> tuple[str, ...]:
    """Return the grouping keys that make the levels of `key` in `episodes`.

    Forms of the questionnaire and packs of dilemmas are never pooled, so that they are levels of
    their own beside the families, and so are the settings of interventions beside their names.
    """
    if key == INTERVENTION:
        return (key, *arms_apart([key], episodes))
    return (FAMILY, "form", "pack") if key == FAMILY else (whole_key(key, episodes),)


def groups_beside(by: Sequence[str], key: str, episodes: Collection[Played]) -> tuple[str, ...]:
    """Return the keys of the groups that are each compared between levels of `key`.

    They are those of `by` but for `key`, and what is never pooled (see `grouping.kept_apart`). Of
    arms in which an intervention was made on some roles alone, each role is compared with itself.
    """
    within = level_keys(key, episodes)
    own = ("role",) if is_arm_key(key, episodes) and is_partial(episodes) else ()
    apart = kept_apart([*by, *own, *within], episodes)
    return tuple(name for name in dict.fromkeys(apart) if name not in within)


def levels(records: Records, key: str) -> dict[str, list[DecisionRecord]]:
    """Return `records` by level of `key`, without those that have none.

    Scarcity levels stand by their resources, most first, numbers by size, the questionnaire before
    all other families, no intervention before all others and those beside one last, everything else
    by name. An agent without a model is the level "none" of models.
    """
    found: dict[str, list[DecisionRecord]] = {}
    keys = level_keys(key, _episodes(records))
    by_source: dict[tuple[int, str], Group] = {}
    for record in records:
        # an episode's role settles every label
        source = (id(record.episode), record.role)
        if source not in by_source:
            by_source[source] = group_of(record.episode, record.role, keys)
    names = named(by_source.values())
    for record in records:
        group = by_source[id(record.episode), record.role]
        name = _name(group, names[group], key)
        if name is not None:
            found.setdefault(name, []).append(record)
    return dict(sorted(found.items(), key=lambda level: _place(level[1][0], key, level[0])))


def compare_levels(
    found: Mapping[str, Records], key: str, *, pairs: Sequence[Pair] = (), seed: int = 0
) -> Comparison:
    """Return the comparison of the levels `found` of `key`; of families, what is said and done."""
    each = {name: choices(own) for name, own in found.items()}
    if key != FAMILY:
        return compare(each, pairs=pairs, seed=seed)
    stated = [name for name, own in found.items() if family_of(own[0].episode.env) == STATED]
    return say_do(each, stated, roll_ups=roll_ups(each), pairs=pairs, seed=seed)


def roll_ups(groups: Mapping[str, Choices]) -> dict[str, Mapping[str, str]]:
    """Return how the values of groups in another vocabulary than the rest's count there, by group.

    A group is in the vocabulary that holds most of its values. Where the shipped taxonomies say
    what values of one count as in another, and a group of that other one is there, they are rolled
    up to it.
    """
    known = {name: load_taxonomy(name) for name in taxonomies()}
    spoken: dict[str, str] = {}
    for group, own in groups.items():
        options = {id(option): option for each in own.evidence for option in each.options}
        at_stake = {value for option in options.values() for value in option.stakes}
        shares = {name: len(at_stake & set(taxonomy.names)) for name, taxonomy in known.items()}
        if any(shares.values()):
            spoken[group] = max(sorted(shares), key=lambda name: shares[name])
    return {
        group: labels
        for group, own in spoken.items()
        for scheme, labels in known[own].roll_ups.items()
        if scheme in spoken.values()
    }


def mixed(found: Mapping[str, Records], key: str) -> tuple[dict[str, int], list[str]]:
    """Return what is pooled within the levels of `key`, and what else differs between them.

    The first counts settings by the name of their factor; the second names factors that are not
    pooled within any level: whatever moves values may be they. Families and environments differ in
    nearly everything, of which nothing is said.
    """
    episodes = {name: _episodes(own) for name, own in found.items()}
    within: dict[str, int] = {}
    for own in episodes.values():
        for name, count in _counts(own).items():
            within[name] = max(count, within.get(name, 0))
    everything = _counts([episode for own in episodes.values() for episode in own])
    beside = {*within, *level_keys(key)}
    is_told = key not in (FAMILY, "env")
    return within, [name for name in everything if is_told and name not in beside]


def _episodes(records: Records) -> list[EpisodeRecord]:
    return list({record.episode.id: record.episode for record in records}.values())


def _counts(episodes: Sequence[EpisodeRecord]) -> dict[str, int]:
    envs = {episode.env for episode in episodes}
    counts = {name: len(each) for name, each in settings_of(episodes).items()}
    return ({"env": len(envs)} if len(envs) > 1 else {}) | counts


def _name(group: Group, name: str, key: str) -> str | None:
    if next(iter(group.values())) is None:
        return NO_MODEL if key == "model" else None
    return name


def _place(record: DecisionRecord, key: str, name: str) -> tuple[float, float, str]:
    condition = record.episode.condition
    if key == FAMILY:
        return (float(family_of(record.episode.env) != STATED), 0.0, name)
    if key == INTERVENTION:
        return (place(name), 0.0, name)
    personal, shared = condition.get("personal"), condition.get("shared")
    if key == "scarcity" and personal is not None and shared is not None:
        return (0.0, -float(personal + shared), name)
    try:
        return (0.0, float(name), name)
    except ValueError:
        return (1.0, 0.0, name)

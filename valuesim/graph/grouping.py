"""Decisions by who made them and under which condition."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import ItemsView, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from valuesim import registry
from valuesim.episode import Player
from valuesim.errors import InputError, unknown
from valuesim.graph.arms import INTERVENTION, Label, arm_in, arm_keys, arms_apart, label
from valuesim.log.reader import DecisionRecord
from valuesim.log.records import SEEN

__all__ = ["Group", "Label", "Played", "grouped", "kept_apart", "label", "settings", "settings_of"]


@dataclass(frozen=True, slots=True)
class Group(Mapping[str, Label]):
    """What the decisions of a group have in common: an ordered, hashable mapping.

    A label is None where it does not apply (the model of an agent without one). Settings that are
    mappings or lists are given as JSON text.
    """

    labels: tuple[tuple[str, Label], ...] = ()

    def __getitem__(self, key: str) -> Label:
        return dict(self.labels)[key]

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self.labels))

    def __len__(self) -> int:
        return len(self.labels)

    def items(self) -> ItemsView[str, Label]:
        """Return the labels in order."""
        return dict(self.labels).items()

    def __str__(self) -> str:
        """Return the labels that apply, as `name=label` with commas; "all" without any."""
        shown = [f"{name}={label}" for name, label in self.labels if label is not None]
        return ", ".join(shown) or "all"


class Played(Protocol):
    """An episode as far as it says who is grouped how; its condition is None if unknown."""

    @property
    def env(self) -> str | None:
        """The environment's id."""
        ...

    @property
    def condition(self) -> Mapping[str, Any] | None:
        """The experimental factors."""
        ...

    @property
    def elicitation(self) -> Mapping[str, Any]:
        """How a model was asked; empty where none was."""
        ...

    @property
    def population(self) -> Mapping[str, Player]:
        """Who played which role."""
        ...


OTHERS = "others"
_KEYS = ("agent", "model", "env", "family", "role", OTHERS, INTERVENTION)
_SETS = ("condition", "elicitation")
_ALWAYS = {*_KEYS, *_SETS, "format"}
_APART = {"perspective": "act", "form": None, "pack": None, SEEN: None}
"""Factors that are never pooled, and what they are where an environment does not have them."""
_OF_THE_LEVEL = frozenset({"scarcity", "personal", "shared", "regime", "wording_id"})
_OF_THE_COVERAGE = frozenset({"part", "pack_digest"})


def grouped(
    records: Iterable[DecisionRecord], by: Sequence[str], beside: Iterable[Played] = ()
) -> dict[Group, list[DecisionRecord]]:
    """Return `records` by the keys `by`, groups in order of appearance, records in their own.

    A key is "agent", "model", "env", "family" (see `family_of`), "role", "others" (see
    `others_of`), "condition" (every factor of the episode's condition), "elicitation" (every
    setting by which a model is asked), the name of one such factor or setting, such as "format", or
    one of interventions (see `arms`).
    Without keys all records are one group; without records there is none. Raises InputError for a
    key that neither a record nor an episode of `beside` has.
    """
    groups: dict[Group, list[DecisionRecord]] = {}
    by_source: dict[tuple[int, str], Group] = {}
    known = {name for episode in beside for name in _names(episode)}
    for record in records:
        # an episode's role settles every label, so that a group is made once for each
        source = (id(record.episode), record.role)
        group = by_source.get(source)
        if group is None:
            known |= _names(record.episode)
            group = by_source[source] = group_of(record.episode, record.role, by)
        groups.setdefault(group, []).append(record)
    if groups or known:
        allowed = _ALWAYS | known
        for key in by:
            if key not in allowed:
                raise InputError(unknown("grouping", key, allowed))
    return groups


def kept_apart(by: Sequence[str], episodes: Iterable[Played]) -> tuple[str, ...]:
    """Return the keys `by`, and those by which `episodes` must be told apart whoever groups them.

    What an agent says that others would do ("perspective") is no choice of its own; what it
    answers to a questionnaire ("form": pairwise, best_worst, ...) is no behaviour; each pack of
    dilemmas puts it into another place; and so does each intervention, by its settings. What a
    person judges of moments that others played ("seen": before or after what was chosen was shown)
    is neither play nor alike.
    """
    episodes = list(episodes)
    found = {name: usual for name, usual in _APART.items() if name not in by}
    other = {
        name
        for episode in episodes
        for name, usual in found.items()
        if settings(episode).get(name, usual) != usual
    }
    return (*by, *(name for name in found if name in other), *arms_apart(by, episodes))


def group_of(episode: Played, role: str, by: Sequence[str]) -> Group:
    """Return the group, by the keys `by` (see `grouped`), of what `role` decides in `episode`."""
    player = episode.population[role]
    own: dict[str, Label] = {
        "agent": player.agent,
        "model": player.model_name,
        "env": episode.env,
        "family": None if episode.env is None else family_of(episode.env),
        "role": role,
    }
    if OTHERS in by:
        own[OTHERS] = others_of(episode.population, role)
    known = settings(episode) | own
    labels: list[tuple[str, Label]] = []
    for key in by:
        if key in _SETS:
            each = (episode.condition if key == "condition" else episode.elicitation) or {}
            labels += ((name, label(each[name])) for name in sorted(each))
        else:
            labels.append((key, known[key] if key in known else arm_in(episode, role, key)))
    return Group(tuple(labels))


def others_of(population: Mapping[str, Player], role: str) -> str | None:
    """Return who plays beside `role`: agents (models by name), with how many where not one.

    None where `role` plays alone.

    >>> grim, random = Player(agent="grim"), Player(agent="random")
    >>> others_of({"A": grim, "B": random, "C": random}, "A"), others_of({"A": grim}, "A")
    ('2 random', None)
    """
    met = Counter(
        player.model_name or player.agent for name, player in population.items() if name != role
    )
    told = [who if number == 1 else f"{number} {who}" for who, number in sorted(met.items())]
    return " and ".join(told) or None


def named(groups: Iterable[Group]) -> dict[Group, str]:
    """Return a name for each of `groups`, of the labels that apply, no two alike.

    Settings of interventions are named with their labels where these alone would not do.
    """
    found = list(dict.fromkeys(groups))
    short = {g: " ".join(str(x) for x in g.values() if x is not None) for g in found}
    counts = Counter(short.values())
    return {g: name if counts[name] == 1 else _in_full(g) for g, name in short.items()}


def _in_full(group: Group) -> str:
    return " ".join(
        f"{key.rpartition('.')[2]}={json.dumps(x)}" if "." in key else str(x)
        for key, x in group.items()
        if x is not None
    )


@cache
def family_of(env: str) -> str:
    """Return the family of an environment: the folder of `valuesim.envs` that its class lives in.

    Of any other it is what stands before a slash in its id, or the id without its version.

    >>> family_of("prisoners_dilemma-v0"), family_of("litmus/gpt"), family_of("trolley-v2")
    ('games', 'litmus', 'trolley')
    """
    entry = registry.environments().get(env)
    module = entry.target.partition(":")[0].split(".") if entry else []
    if module[:2] == ["valuesim", "envs"] and len(module) > 2:
        return module[2]
    before, slash, _ = env.partition("/")
    return before if slash else re.sub(r"-v\d+$", "", env)


def settings(episode: Played) -> dict[str, Label]:
    """Return the factors of an episode's condition and the settings by which a model was asked."""
    given = {**episode.elicitation, **(episode.condition or {})}
    return {name: label(setting) for name, setting in given.items()}


def settings_of(episodes: Iterable[Played]) -> dict[str, list[str]]:
    """Return the factors and settings beside scarcity that differ between `episodes`, by name.

    Which part of a pack was asked is no factor. What they were set to is told as text, sorted. Each
    name is a key of `grouped`.
    """
    found: dict[str, set[str]] = {}
    for episode in episodes:
        for name, setting in settings(episode).items():
            if name not in _OF_THE_LEVEL | _OF_THE_COVERAGE:
                found.setdefault(name, set()).add(str(setting))
    return {name: sorted(each) for name, each in sorted(found.items()) if len(each) > 1}


def _names(episode: Played) -> set[str]:
    return set(settings(episode)) | arm_keys(episode)

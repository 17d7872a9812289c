"""Which interventions were made on whoever decided, as labels of groups: the arms of an experiment.

The key "intervention" names them ("persona+memory"; "none" for a model without), the name of one
gives its settings, and "intervention.NAME.SETTING" a single setting.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from valuesim.episode import Player

INTERVENTION = "intervention"
NONE = "none"
"""The label of a model on which no intervention was made."""

Label = str | int | float | bool | None


class Populated(Protocol):
    """An episode as far as it says who played."""

    @property
    def population(self) -> Mapping[str, Player]:
        """Who played which role."""
        ...


def label(setting: Any) -> Label:
    """Return a setting as a hashable label: as it is, or as JSON text if it has parts."""
    if setting is None or isinstance(setting, str | int | float | bool):
        return setting
    return json.dumps(setting, sort_keys=True, default=str)


def arm_of(player: Player, key: str = INTERVENTION) -> Label:
    """Return the label of `player` by `key`; None without a model, the intervention or the setting.

    >>> arm_of(Player(agent="llm", model={}, parameters={"interventions": [{"hint": {}}]}))
    'hint'
    """
    if player.model is None:
        return None
    made = player.interventions
    if key == INTERVENTION:
        return "+".join(made) or NONE
    name, *path = key.removeprefix(f"{INTERVENTION}.").split(".")
    if not path:
        return _settings(made[name]) if name in made else None
    found: Any = made.get(name, {})
    for part in path:
        found = found.get(part) if isinstance(found, Mapping) else None
    return label(found)


def arm_keys(episode: Populated) -> set[str]:
    """Return the keys of `arm_of` beside "intervention" that the players of `episode` have."""
    keys = set()
    for player in episode.population.values():
        for name, settings in player.interventions.items():
            keys |= {name, f"{INTERVENTION}.{name}"}
            keys |= set(_paths(settings, f"{INTERVENTION}.{name}"))
    return keys


def is_arm_key(key: str, episodes: Iterable[Populated]) -> bool:
    """Return whether `key` tells arms apart: one of `arm_of` that a player of `episodes` has."""
    if key.partition(".")[0] == INTERVENTION:
        return True
    return any(
        key in player.interventions for each in episodes for player in each.population.values()
    )


def arms_apart(by: Sequence[str], episodes: Iterable[Populated]) -> tuple[str, ...]:
    """Return the keys that `by` lacks to keep every two arms of `episodes` apart.

    They are "intervention" where one was made, and each setting of one that is not everywhere the
    same.
    """
    made: dict[str, dict[str, set[Label]]] = {}
    for episode in episodes:
        for player in episode.population.values():
            for name, settings in player.interventions.items():
                own = made.setdefault(name, {})
                for setting, given in settings.items():
                    own.setdefault(setting, set()).add(label(given))
    if not made:
        return ()
    differing = [
        f"{INTERVENTION}.{name}.{setting}"
        for name, own in made.items()
        if not {name, f"{INTERVENTION}.{name}"} & set(by)
        for setting, given in own.items()
        if len(given) > 1
    ]
    return tuple(key for key in (INTERVENTION, *differing) if key not in by)


def _settings(settings: Mapping[str, Any]) -> Label:
    """Return what is set of an intervention: the one setting there is, else all as JSON text."""
    given = {name: value for name, value in settings.items() if value is not None}
    return label(next(iter(given.values())) if len(given) == 1 else given)


def _paths(settings: Mapping[str, Any], above: str) -> Iterable[str]:
    for name, value in settings.items():
        yield f"{above}.{name}"
        if isinstance(value, Mapping):
            yield from _paths(value, f"{above}.{name}")

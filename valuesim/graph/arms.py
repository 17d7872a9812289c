"""Which interventions were made in an episode, as labels of groups: the arms of an experiment.

The key "intervention" names them ("persona+memory"; "none" for a model in an episode without any,
"beside hint" for one on which none was made while others had a hint), the name of one gives its
settings, and "intervention.NAME.SETTING" a single setting. "intervention.NAME.roles" gives the
roles that it was made on, where these are not all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from valuesim.episode import Player

INTERVENTION = "intervention"
NONE = "none"
"""The label of a model in an episode in which no intervention was made on anybody."""
BESIDE = "beside"
ROLES = "roles"

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
    """Return the label by `key` of what was made on `player` alone, whoever else played.

    None without a model, the intervention or the setting.

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
        is_whole = key != name
        return _settings(made[name], is_whole=is_whole) if name in made else None
    found: Any = made.get(name, {})
    for part in path:
        found = found.get(part) if isinstance(found, Mapping) else None
    return label(found)


def arm_in(episode: Populated, role: str, key: str = INTERVENTION) -> Label:
    """Return the label by `key` of the arm of `episode` in which `role` decided.

    An arm is that of all who played: whoever meets others on whom something else was made is
    "beside" that, and has the settings of what was made on them. None where `role` is no model.
    """
    player = episode.population[role]
    if player.model is None:
        return None
    others = [each for each in _models(episode).values() if each is not player]
    if key == INTERVENTION:
        return _arm(player, others)
    name, *path = key.removeprefix(f"{INTERVENTION}.").split(".")
    if path == [ROLES]:
        return _roles(episode, name)
    if name in player.interventions:
        return arm_of(player, key)
    found = {arm_of(each, key) for each in others if name in each.interventions} - {None}
    return found.pop() if len(found) == 1 else label(sorted(map(str, found)) or None)


def is_partial(episodes: Iterable[Populated]) -> bool:
    """Return whether in any of `episodes` something was made on some of its models alone."""
    return any(len({_made(each) for each in _models(e).values()}) > 1 for e in episodes)


def place(name: str) -> float:
    """Return where an arm of this name stands: none first, whoever was beside others last."""
    return 2.0 if name.startswith(f"{BESIDE} ") else float(name != NONE)


def arm_keys(episode: Populated) -> set[str]:
    """Return the keys of `arm_in` beside "intervention" that the players of `episode` have."""
    keys = set()
    for player in episode.population.values():
        for name, settings in player.interventions.items():
            keys |= {name, f"{INTERVENTION}.{name}", f"{INTERVENTION}.{name}.{ROLES}"}
            keys |= set(_paths(settings, f"{INTERVENTION}.{name}"))
    return keys


def is_arm_key(key: str, episodes: Iterable[Populated]) -> bool:
    """Return whether `key` tells arms apart: one of `arm_in` that a player of `episodes` has."""
    if key.partition(".")[0] == INTERVENTION:
        return True
    return any(
        key in player.interventions for each in episodes for player in each.population.values()
    )


def arms_apart(by: Sequence[str], episodes: Iterable[Populated]) -> tuple[str, ...]:
    """Return the keys that `by` lacks to keep every two arms of `episodes` apart.

    They are "intervention" where one was made, each setting of one that is not everywhere the same
    (one that is not given is another setting), and the roles that it was made on, if these differ.
    Of an intervention that `by` names it is all settings together, where the one that is set is
    not the same everywhere.
    """
    made, roles = _all_made(episodes)
    keys = [INTERVENTION] if made else []
    for name, each in made.items():
        whole = f"{INTERVENTION}.{name}"
        if whole not in by and name not in by:
            keys += [f"{whole}.{setting}" for setting in _differing(each)]
        elif whole not in by and not _is_bare(each):
            keys.append(whole)
        if len(roles[name]) > 1:
            keys.append(f"{whole}.{ROLES}")
    return tuple(key for key in keys if key not in by)


def whole_key(key: str, episodes: Iterable[Populated]) -> str:
    """Return `key`, or for the name of an intervention the key that keeps its arms apart."""
    whole = f"{INTERVENTION}.{key}"
    return whole if whole in arms_apart([key], episodes) else key


def _all_made(
    episodes: Iterable[Populated],
) -> tuple[dict[str, list[Mapping[str, Any]]], dict[str, set[Label]]]:
    """Return by intervention the settings that it was made with, and the roles."""
    made: dict[str, dict[str, Mapping[str, Any]]] = {}
    roles: dict[str, set[Label]] = {}
    # the players of a log are few, and the same in many episodes
    unlike = {tuple((role, id(p)) for role, p in e.population.items()): e for e in episodes}
    for episode in unlike.values():
        for player in episode.population.values():
            for name, settings in player.interventions.items():
                text = json.dumps(settings, sort_keys=True, default=str)
                made.setdefault(name, {}).setdefault(text, settings)
                roles.setdefault(name, set()).add(_roles(episode, name))
    return {name: list(each.values()) for name, each in made.items()}, roles


def _differing(made: Sequence[Mapping[str, Any]]) -> list[str]:
    names = dict.fromkeys(name for settings in made for name in settings)
    return [n for n in names if len({label(settings.get(n)) for settings in made}) > 1]


def _is_bare(made: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the label of `_settings` says which settings were made."""
    given = {tuple(n for n, value in own.items() if value is not None) for own in made}
    return len(given) == 1 or all(len(names) != 1 for names in given)


def _models(episode: Populated) -> dict[str, Player]:
    return {role: each for role, each in episode.population.items() if each.model is not None}


def _made(player: Player) -> str:
    return "+".join(player.interventions)


def _arm(player: Player, others: Iterable[Player]) -> str:
    own = _made(player)
    beside = sorted({_made(each) for each in others} - {own, ""})
    if not beside:
        return own or NONE
    return " ".join([own, BESIDE, ", ".join(beside)] if own else [BESIDE, ", ".join(beside)])


def _roles(episode: Populated, name: str) -> Label:
    """Return the roles on which the intervention `name` was made; None if on all models or none."""
    models = _models(episode)
    own = [role for role, player in models.items() if name in player.interventions]
    return None if len(own) in (0, len(models)) else ", ".join(sorted(own))


def _settings(settings: Mapping[str, Any], *, is_whole: bool) -> Label:
    """Return what is set of an intervention as JSON text, or unless `is_whole` the one setting."""
    given = {name: value for name, value in settings.items() if value is not None}
    return label(next(iter(given.values())) if len(given) == 1 and not is_whole else given)


def _paths(settings: Mapping[str, Any], above: str) -> Iterable[str]:
    for name, value in settings.items():
        yield f"{above}.{name}"
        if isinstance(value, Mapping):
            yield from _paths(value, f"{above}.{name}")

"""Changes as the page asks for them, completed: models by name, interventions by name, persons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from valuesim.agents.interventions.catalogue import CATALOGUE, ROLES
from valuesim.engine.plan import MODEL_AGENT
from valuesim.episode import INTERVENTIONS, EpisodeSpec, Player
from valuesim.errors import InputError
from valuesim.overrides import intervention_settings
from valuesim.parameters import is_number
from valuesim.replay.branching.fork import Changes
from valuesim.replay.playing.models import SAMPLING, Models
from valuesim.replay.playing.persons import HUMAN, SITTING

_LONGEST_NAME = 300
_PROVIDER = "provider"


def completed(given: Any, spec: EpisodeSpec, models: Models, sitting: str) -> Any:
    """Return `given`, which `fork.changes_of` reads, with the players as they are to be logged.

    A model may be given by its name, and an intervention too: they are then as this viewer was told
    of it, and as conf/intervention has it; who plays already keeps what it has. A person is one of
    this `sitting`. What is no mapping is left for `changes_of` to refuse.
    """
    players = given.get("players") if isinstance(given, Mapping) else None
    if not isinstance(players, Mapping):
        return given
    whole = {
        role: _player(str(role), each, spec.population.get(role), models, sitting)
        for role, each in players.items()
    }
    return {**given, "players": whole}


def reseated(changes: Changes, spec: EpisodeSpec, sitting: str) -> Changes:
    """Return `changes` in which the roles that a person played are a person's of this `sitting`.

    Nobody else can go on as that person.
    """
    again = {
        role: replace(player, parameters={SITTING: sitting})
        for role, player in spec.population.items()
        if player.agent == HUMAN and role not in changes.players
    }
    return replace(changes, players={**changes.players, **again}) if again else changes


def _player(role: str, given: Any, was: Player | None, models: Models, sitting: str) -> Any:
    if not isinstance(given, Mapping) or was is None:
        return given
    parameters = given.get("parameters") or {}
    if given.get("agent") == MODEL_AGENT:
        return {
            **given,
            "model": _model(role, given.get("model"), was, models),
            "parameters": _with_defaults(role, parameters, was),
        }
    if parameters and parameters != was.parameters and INTERVENTIONS not in parameters:
        raise InputError(f"players.{role}.parameters is {parameters!r:.80}: interventions alone")
    return {**given, "parameters": {SITTING: sitting}} if given.get("agent") == HUMAN else given


def _model(role: str, given: Any, was: Player, models: Models) -> dict[str, Any]:
    asked = {"name": given} if isinstance(given, str) else given or {}
    if not isinstance(asked, Mapping):
        raise InputError(f"players.{role}.model is {given!r:.80}: the name of a model")
    name = asked.get("name")
    if name is not None and (not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME):
        raise InputError(f"players.{role}.model.name is {name!r:.80}: the name of a model")
    is_same = was.model is not None and name in (None, was.model_name)
    base = dict(was.model or {}) if is_same else models.player(role, name)
    for key, each in asked.items():
        if key == _PROVIDER and each == base.get(key):
            continue
        if key not in SAMPLING or (key != "name" and each is not None and not is_number(each)):
            raise InputError(
                f"players.{role}.model has {key}={each!r:.60}: {', '.join(SAMPLING)} may be given, "
                "and all else is as this viewer was started"
            )
    return {**base, **{key: each for key, each in asked.items() if each is not None}}


def _with_defaults(role: str, given: Any, was: Player) -> Any:
    if not isinstance(given, Mapping) or not set(given) <= {INTERVENTIONS}:
        raise InputError(f"players.{role}.parameters is {given!r:.80}: interventions alone")
    listed = given.get(INTERVENTIONS, [])
    if not isinstance(listed, list):
        return given
    return {INTERVENTIONS: [_whole(each, was) for each in listed]} if listed else {}


def _whole(made: Any, was: Player) -> Any:
    named = {made: {}} if isinstance(made, str) else made
    if not isinstance(named, Mapping):
        return made
    return {name: _settings(str(name), own, was) for name, own in named.items()}


def _settings(name: str, given: Any, was: Player) -> Any:
    present = was.interventions.get(name)
    if present is not None and given in ({}, None, present):
        return present
    if name not in CATALOGUE or not isinstance(given, Mapping | None):
        return given
    defaults = {key: own for key, own in intervention_settings(name).items() if key != ROLES}
    return {**defaults, **(given or {})}

"""The games that a person may play, and one that is asked for: checked, and made a run of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any

from valuesim import registry
from valuesim.config import RunConfig, compose
from valuesim.engine import plan
from valuesim.engine.manifest import logged
from valuesim.engine.plan import MODEL_AGENT, check_agent
from valuesim.episode import EpisodeSpec, Player
from valuesim.errors import InputError, unknown
from valuesim.graph.grouping import family_of
from valuesim.log.pool import PEOPLE
from valuesim.overrides import env_settings, shipped
from valuesim.replay.playing.consent import participant_of
from valuesim.replay.playing.partners import able
from valuesim.replay.playing.persons import HUMAN, SITTING
from valuesim.replay.playing.plays import Plays
from valuesim.shipped import shipped_yaml

MOST_EPISODES = 100
_MOST_SEED = 2**52
_COMPOSING = Lock()
"""Hydra composes one configuration at a time."""
_FIELDS = ("game", "role", "partner", "level", "episodes", "seed", "participant")


def games(plays: Plays) -> dict[str, Any]:
    """Return what can be played, and what is agreed to first, as the page gets it."""
    listed = [_game(name, plays) for name in sorted(shipped("env"))]
    return {"schema": 1, "games": listed, "consent": plays.consent.plain()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A game that may be played: its configuration, its episodes, and who takes part."""

    title: str
    config: RunConfig
    specs: tuple[EpisodeSpec, ...]
    participant: str | None


def asked_game(plays: Plays, given: Mapping[str, Any]) -> Asked:
    """Return the game that the page asks for; raise InputError where it cannot be played."""
    for name in given:
        if name not in _FIELDS:
            raise InputError(f"{name!r:.40} is no part of a game: {', '.join(_FIELDS)}")
    game = given.get("game")
    if not isinstance(game, str) or game not in shipped("env"):
        raise InputError(unknown("game", game, shipped("env")))
    participant = participant_of(given.get("participant"))
    config = _config(plays, game, given)
    sitting = plays.chance.digits(8)
    specs = tuple(
        _seated(each, sitting) for each in plan(logged(config.design(), plays.models.secrets))
    )
    for spec in specs[:1]:
        plays.models.check(spec)
    folder_of(plays.shelf.root, "new")
    return Asked(title=_title(game), config=config, specs=specs, participant=participant)


def folder_of(root: Path, name: str) -> Path:
    """Return the folder of a game; raise InputError where it would lie elsewhere."""
    below = root / PEOPLE
    if below.is_symlink() or not below.resolve().is_relative_to(root.resolve()):
        raise InputError(f"{PEOPLE} is a link: what people play is kept in {root.name} itself")
    folder = below / name
    if folder.exists() or folder.is_symlink():
        raise InputError("a game of this name is there already: start it again")
    return folder


def _config(plays: Plays, game: str, given: Mapping[str, Any]) -> RunConfig:
    episodes = _whole(given, "episodes", 1, 1, MOST_EPISODES)
    seed = given.get("seed")
    seed = plays.chance.seed() if seed is None else _whole(given, "seed", 0, 0, _MOST_SEED - 1)
    agents = _agents(game, given, plays)
    asks = MODEL_AGENT in agents.values()
    own = [each for each in plays.models.overrides if asks or each.startswith("elicitation")]
    level = given.get("level")
    if level is not None:
        if level not in _levels(game):
            raise InputError(unknown("level", level, _levels(game), game))
        own.append(f"env.scarcity={level}")
    with _COMPOSING:
        config = compose([*own, f"env={game}", f"episodes={episodes}", f"seed={seed}"])
    return replace(config, agents=agents)


def _agents(game: str, given: Mapping[str, Any], plays: Plays) -> dict[str, Any]:
    roles, role, partner = _roles(game), given.get("role"), given.get("partner")
    if role is not None and role not in roles:
        raise InputError(unknown("role", role, roles, game))
    if role is None or len(roles) == 1:
        return {"all": HUMAN}
    if not isinstance(partner, str):
        raise InputError(f"partner is {partner!r:.60}: who plays the other roles of {game}")
    if partner.partition(":")[0] == HUMAN:
        raise InputError("partner is 'human': without a role, a person plays every one")
    check_agent(partner, str(env_settings(game)["id"]))
    if partner == MODEL_AGENT:
        plays.models.player("partner", None)
    return {"all": partner, role: HUMAN}


def _whole(given: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    found = given.get(name)
    if found is None:
        return default
    if type(found) is not int or not least <= found <= most:
        raise InputError(f"{name} is {found!r:.60}: a whole number from {least} to {most}")
    return found


def _seated(spec: EpisodeSpec, sitting: str) -> EpisodeSpec:
    def seated(player: Player) -> Player:
        is_person = player.agent == HUMAN
        return replace(player, parameters={SITTING: sitting}) if is_person else player

    return replace(spec, population={role: seated(each) for role, each in spec.population.items()})


def _game(name: str, plays: Plays) -> dict[str, Any]:
    roles = _roles(name)
    env = str(env_settings(name)["id"])
    is_alone = len(roles) == 1
    connected = plays.models.are_connected
    partners = [each for each in able(env) if each != HUMAN and (connected or each != MODEL_AGENT)]
    return {
        "id": name,
        "title": _title(name),
        "family": family_of(env),
        "description": _words().get(name, {}).get("description")
        or registry.environments()[env].description,
        "roles": list(roles),
        "partners": [] if is_alone else partners,
        "levels": list(_levels(name)),
    }


def _title(name: str) -> str:
    words: Mapping[str, str] = _words().get(name, {})
    return words.get("title", name.replace("_", " ").capitalize())


@cache
def _words() -> Mapping[str, Any]:
    words: Mapping[str, Any] = shipped_yaml("valuesim.replay.playing", "games.yaml")
    return words


@cache
def _roles(name: str) -> tuple[str, ...]:
    settings = env_settings(name)
    own = {key: given for key, given in settings.items() if key != "id"}
    return tuple(registry.make(settings["id"], **own).possible_agents)


def _levels(name: str) -> tuple[str, ...]:
    """Return the levels of scarcity of an environment that has some."""
    module = import_module(
        registry.environments()[env_settings(name)["id"]].target.partition(":")[0]
    )
    return tuple(getattr(module, "PRESETS", ()))

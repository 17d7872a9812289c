"""What an episode that leaves another one is: the changes that are asked for, checked and named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from valuesim.agents.interventions import TEXTS, build, environments_of, texts_id
from valuesim.engine.manifest import redacted
from valuesim.engine.plan import MODEL_AGENT, SERVING, check_agent
from valuesim.episode import INTERVENTIONS, EpisodeSpec, Fork, Player
from valuesim.errors import InputError, unknown
from valuesim.log.entries import MOST_FORKS
from valuesim.option import Move
from valuesim.parameters import is_number

_MOST_SEED = 2**52
_FIELDS = ("players", "moves", "messages", "seed", "world")


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """What is changed at a step; nothing, by default.

    `players` play roles from here on, `moves` are decisions given at the step, `messages` what is
    said there instead, `seed` is drawn from by world and agents from here on, `world` is set.
    """

    players: Mapping[str, Player] = field(default_factory=dict)
    moves: Mapping[str, Move] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    world: Mapping[str, float] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Return what is changed as plain JSON; nothing is said of the rest."""
        return {name: given for name, given in asdict(self).items() if given not in ({}, None)}


def changes_of(given: object) -> Changes:
    """Return the changes that plain JSON (see `Changes.plain`) asks for; else raise InputError."""
    if not isinstance(given, Mapping):
        raise InputError(f"changes are {given!r:.80}: a mapping of {', '.join(_FIELDS)}")
    for name in given:
        if name not in _FIELDS:
            raise InputError(unknown("change", name, _FIELDS))
    seed = given.get("seed")
    if seed is not None and (type(seed) is not int or not 0 <= seed < _MOST_SEED):
        raise InputError(f"seed is {seed!r:.80}: a whole number from 0, below 2**52")
    return Changes(
        players={role: _player(role, each) for role, each in _mapping(given, "players").items()},
        moves={role: _move(role, each) for role, each in _mapping(given, "moves").items()},
        messages={role: _text(role, each) for role, each in _mapping(given, "messages").items()},
        seed=seed,
        world={name: _number(name, each) for name, each in _mapping(given, "world").items()},
    )


def changes_in(spec: EpisodeSpec) -> Changes:
    """Return what the fork of `spec` changes; equal episodes, equal changes."""
    fork = spec.fork
    assert fork is not None, "only a fork changes anything"
    return Changes(
        players={role: spec.population[role] for role in fork.replaced},
        moves=fork.moves,
        messages=fork.messages,
        seed=fork.seed,
        world=fork.world,
    )


def logged(changes: Changes, secrets: Sequence[str]) -> Changes:
    """Return `changes` as they are written down: without `secrets`, and how a model is reached."""
    players = {
        role: replace(
            player,
            parameters=redacted(player.parameters, secrets),
            model=None if player.model is None else redacted(_determining(player.model), secrets),
        )
        for role, player in changes.players.items()
    }
    return replace(changes, players=players)


def _determining(model: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given for name, given in model.items() if name not in SERVING}


def forked(
    parent: EpisodeSpec,
    step: int,
    changes: Changes,
    *,
    elicitation: Mapping[str, Any] | None = None,
) -> EpisodeSpec:
    """Return the episode that leaves `parent` at `step` with `changes`.

    `changes` are as they are `logged`, and `elicitation` says how models are asked where none was
    asked in `parent`. Raises InputError for a role or an agent that there is not, for interventions
    that cannot be made, for two changes of one decision, and for a step that `parent` has of the
    one that it leaves. What needs the world (an edit, what is offered) is checked when it is
    restored.
    """
    if type(step) is not int or step < 0:
        raise InputError(f"step is {step!r:.80}: a whole number from 0")
    if parent.fork is not None and step < parent.fork.step:
        raise InputError(
            f"{parent.id} has step {step} of {parent.fork.parent}, which it leaves at step "
            f"{parent.fork.step}: leave that one"
        )
    if len(parent.forks) >= MOST_FORKS:
        raise InputError(f"{parent.id} is the {MOST_FORKS}th branch in a row: leave another")
    _check_roles(parent, changes)
    players = {role: _checked(parent, role, each) for role, each in changes.players.items()}
    replaced = {
        role: parent.population[role]
        for role, player in players.items()
        if player != parent.population[role]
    }
    moves, messages = _given(parent.fork, step, changes)
    population = {**parent.population, **players}
    fork = Fork(
        parent=parent.id,
        step=step,
        replaced=replaced,
        moves=moves,
        messages=messages,
        seed=changes.seed,
        world=dict(sorted(changes.world.items())),
        before=parent.fork,
    )
    asked = _asked(parent, population, elicitation)
    return replace(parent, population=population, elicitation=asked, fork=fork)


def _given(
    before: Fork | None, step: int, changes: Changes
) -> tuple[dict[str, Move], dict[str, str]]:
    """Return what is given at `step`: by `changes`, else as the parent was given it there."""
    moves, messages = dict(changes.moves), dict(changes.messages)
    if before is not None and before.step == step:
        new = {*moves, *messages, *changes.players}
        moves |= {role: move for role, move in before.moves.items() if role not in new}
        messages |= {role: text for role, text in before.messages.items() if role not in new}
    return moves, messages


def _check_roles(parent: EpisodeSpec, changes: Changes) -> None:
    for role in (*changes.players, *changes.moves, *changes.messages):
        if role not in parent.population:
            raise InputError(unknown("role", role, parent.population, f"episode {parent.id}"))
    for role in changes.moves.keys() & changes.messages.keys():
        raise InputError(f"{role} is given a decision and another message: give one of the two")


def _checked(parent: EpisodeSpec, role: str, player: Player) -> Player:
    """Return who shall play `role`, as it is logged; raise InputError where that cannot be."""
    check_agent(player.agent, parent.env)
    is_model = player.agent == MODEL_AGENT
    if is_model is (player.model is None):
        told = "a model is needed" if is_model else "no model is behind it"
        raise InputError(f"{role} is to be played by {player.agent!r}: {told}")
    if not is_model and INTERVENTIONS in player.parameters:
        raise InputError(f"{role} is no model: interventions are made on models alone")
    build(player.interventions, role=role, seed=0)
    for name in player.interventions:
        able = environments_of(name)
        if able is not None and parent.env not in able:
            raise InputError(f"intervention {name!r} is not made in {parent.env}")
    return player


def _asked(
    parent: EpisodeSpec,
    population: Mapping[str, Player],
    elicitation: Mapping[str, Any] | None,
) -> Mapping[str, Any]:
    """Return how models are asked, with what names the texts of the interventions made on them."""
    if population == parent.population:
        return parent.elicitation
    if all(player.model is None for player in population.values()):
        return {}
    asked = parent.elicitation or elicitation
    if not asked:
        raise InputError("no model was asked in this episode: say how one is to be (elicitation)")
    plain = {name: given for name, given in asked.items() if name != TEXTS}
    names = {name for player in population.values() for name in player.interventions}
    return {**plain, TEXTS: texts_id(names)} if names else plain


def _mapping(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = given.get(name) or {}
    if not isinstance(found, Mapping):
        raise InputError(f"{name} is {found!r:.80}: a mapping")
    return found


def _player(role: str, given: object) -> Player:
    is_known = isinstance(given, Mapping) and set(given) <= {"agent", "model", "parameters"}
    if not isinstance(given, Mapping) or not is_known or not isinstance(given.get("agent"), str):
        raise InputError(f"players.{role} is {given!r:.80}: agent, and model and parameters if any")
    model, parameters = given.get("model"), given.get("parameters") or {}
    if not isinstance(model, Mapping | None) or not isinstance(parameters, Mapping):
        raise InputError(f"players.{role} has a model or parameters that are no mapping")
    made = parameters.get(INTERVENTIONS, [])
    is_list = isinstance(made, list) and all(
        isinstance(each, Mapping) and all(isinstance(own, Mapping) for own in each.values())
        for each in made
    )
    if not is_list:
        raise InputError(f"players.{role} has interventions that are no list of name: settings")
    return Player(agent=given["agent"], parameters=parameters, model=model)


def _move(role: str, given: object) -> Move:
    if isinstance(given, Mapping) and set(given) <= {"option", "arguments"}:
        option, arguments = given.get("option"), given.get("arguments") or {}
        if isinstance(option, str) and isinstance(arguments, Mapping):
            return Move(option=option, arguments=dict(arguments))
    raise InputError(f"moves.{role} is {given!r:.80}: an option, and its arguments if it has some")


def _text(role: str, given: object) -> str:
    if not isinstance(given, str):
        raise InputError(f"messages.{role} is {given!r:.80}: text")
    return given


def _number(name: str, given: object) -> float:
    if not is_number(given):
        raise InputError(f"world.{name} is {given!r:.80}: a number")
    return float(given)  # type: ignore[arg-type] # a number, as was just checked

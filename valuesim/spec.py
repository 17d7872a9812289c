"""What determines an episode, and so names it: resume, cache and re-simulation need no other key.

Environment and version, parameters, who plays, how they are asked, the seed; of an episode that
leaves another one also where, and what is changed there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from valuesim.option import Move

INTERVENTIONS = "interventions"
"""The parameter of a player that lists its interventions, each as {name: settings}."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Player:
    """Who plays a role: a registered agent, its parameters, and the model behind it, if any.

    `model` holds what determines the model's replies (provider, name, sampling), never a key.
    """

    agent: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] | None = None

    @property
    def model_name(self) -> str | None:
        """The model's name, or None for an agent without one."""
        return None if self.model is None else str(self.model.get("name"))

    @property
    def interventions(self) -> dict[str, Mapping[str, Any]]:
        """Name -> settings of the interventions made on it, in their order; often none."""
        return interventions_in(self.parameters)


def interventions_in(parameters: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the interventions that a player's `parameters` list, by name, in their order.

    >>> interventions_in({"interventions": [{"persona": {"text": "A nurse."}}, {"hint": {}}]})
    {'persona': {'text': 'A nurse.'}, 'hint': {}}
    """
    listed = parameters.get(INTERVENTIONS, ())
    return {name: settings for each in listed for name, settings in each.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """Where an episode stands among those that its agents live through one after another.

    `first` is the seed of the chain's first episode, by which the chain is known in every cell,
    `place` counts from 0, and `length` is how many episodes a chain has; the last of a run may be
    cut short.
    """

    first: int
    place: int
    length: int

    @property
    def goes_on(self) -> bool:
        """Whether an episode may follow."""
        return self.place + 1 < self.length


@dataclass(frozen=True, kw_only=True, slots=True)
class Fork:
    """Where an episode leaves its parent, and what is changed there.

    `parent` is the parent's id, and `step` the first step that is played anew. `replaced` holds who
    played the roles in the parent that somebody else plays from here on. `moves` are decisions that
    are given at that step, by role, `messages` what a role says there instead, all else being as it
    was. `seed` is another one for the world and the agents from here on, `world` sets what the
    environment lets be edited, by name. `before` is the parent's own fork, if it has one.
    """

    parent: str
    step: int
    replaced: Mapping[str, Player] = field(default_factory=dict)
    moves: Mapping[str, Move] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    world: Mapping[str, float] = field(default_factory=dict)
    before: Fork | None = None

    @property
    def given(self) -> frozenset[str]:
        """The roles whose decision at `step` is given, whole or in what it says."""
        return frozenset({*self.moves, *self.messages})

    def deciding(self, asked: Iterable[str]) -> frozenset[str]:
        """Return who of those `asked` at `step` decides there anew.

        Whose decision is given does not. Where everybody sees what was seen in the parent and
        something is changed, only those do who played another agent there: what others decided at
        the same moment cannot depend on it, and stays.
        """
        if self.keeps_sight and (self.given or self.replaced):
            return frozenset(asked) & (self.replaced.keys() - self.given)
        return frozenset(asked) - self.given

    @property
    def keeps_sight(self) -> bool:
        """Whether everybody sees at `step` what was seen in the parent."""
        return self.seed is None and not self.world


@dataclass(frozen=True, kw_only=True, slots=True)
class EpisodeSpec:
    """Everything that determines an episode, up to the randomness of a model's server.

    `chain` is None where agents remember no other episode, `fork` where it leaves no other one.
    """

    env: str
    parameters: Mapping[str, Any]
    population: Mapping[str, Player]
    elicitation: Mapping[str, Any]
    seed: int
    chain: Chain | None = None
    fork: Fork | None = None

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits of the SHA-256 of the spec's canonical JSON.

        The JSON says nothing of a fork where there is none, and then nothing of a chain either.
        """
        canonical = orjson.dumps(self, option=orjson.OPT_SORT_KEYS)
        if self.fork is None:
            canonical = canonical.removesuffix(b',"fork":null}') + b"}"
            if self.chain is None:
                canonical = canonical.removesuffix(b',"chain":null}') + b"}"
        return hashlib.sha256(canonical).hexdigest()[:16]

    @property
    def forks(self) -> tuple[Fork, ...]:
        """Its own fork, behind those of the episodes that it comes from; empty without any."""
        found, fork = [], self.fork
        while fork is not None:
            found.append(fork)
            fork = fork.before
        return tuple(reversed(found))

    @property
    def agent_seed(self) -> int:
        """The seed that its agents draw from: as in the episode it leaves, unless that is changed.

        It is another one in every cell, though the world's seed be the same: episodes stay
        independent pieces of evidence.
        """
        digits = self.forks[0].parent if self.fork is not None else self.id
        for fork in self.forks:
            if fork.seed is not None:
                drawn = f"{digits}/{fork.step}/{fork.seed}"
                digits = hashlib.sha256(drawn.encode()).hexdigest()[:16]
        return int(digits, 16) >> 1

    def player_at(self, role: str, step: int) -> tuple[Player, bool]:
        """Return who played `role` at `step`, and whether with the seed that agents have now."""
        player, is_same_seed, fork = self.population[role], True, self.fork
        while fork is not None and step < fork.step:
            player = fork.replaced.get(role, player)
            is_same_seed = is_same_seed and fork.seed is None
            fork = fork.before
        return player, is_same_seed

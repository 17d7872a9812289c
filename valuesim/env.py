"""The environment contract: a PettingZoo `ParallelEnv` whose options name what is at stake.

A family of dilemmas subclasses `Environment` and writes five methods (`start`, `describe`,
`options`, `resolve`, `ended`). All mutable state lives in `self.world`, so that snapshot and
restore are the same few lines for every family. Acting is by catalogue index (for RL libraries), by
`Move`, or by `Decision`; whatever is not on offer, and every fault, abstains in the world and is
told to the agent in its next observation.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

from valuesim.actions import Action, Reading, on_offer, read
from valuesim.decision import Decision
from valuesim.edits import Editable
from valuesim.lots import condition_key, keyed, shown_order, world_rng
from valuesim.masks import Masks
from valuesim.observation import Observation, State
from valuesim.option import Move, Option
from valuesim.parameters import flag
from valuesim.snapshot import Snapshot

__all__ = ["Action", "Ending", "Environment", "Observation", "Snapshot", "State"]

Ending = Literal["terminated", "truncated"]


class Environment(Editable, ParallelEnv[str, State, Action]):  # type: ignore[misc] # untyped upstream
    """Base of every environment; see the module docstring.

    A subclass sets `id`, `possible_agents`, `rules`, `condition` (the experimental factors, logged
    with every episode), `catalogue` (every move an RL agent can index; fixed for the instance) and
    `bounds` (the lowest and highest numeric observation, two float32 arrays of one shape), then
    calls `super().__init__()`.
    """

    id: ClassVar[str]
    taxonomy: str = "valuesim"
    """The vocabulary of the values at stake; an instance may set its own."""
    panels: ClassVar[str] = ""
    """What measures a group of decisions, as "module:function" (see `measures.panel`), or none."""
    depicts: ClassVar[str] = ""
    """What draws a decision as SVG from its annotations, as "module:function", or none."""
    is_paired: ClassVar[bool] = False
    """Whether one seed asks the same scenes under every condition; they are then the clusters.

    Elsewhere what is drawn depends on the condition as well, so that episodes of two conditions
    are independent pieces of evidence though their seeds are the same.
    """
    is_scale: bool = False
    """Whether options form a scale: shown upwards or downwards by lot, never in any order."""
    metadata: dict[str, Any] = {"render_modes": ["ansi"], "name": "valuesim"}  # noqa: RUF012 (PettingZoo's)

    possible_agents: list[str]
    rules: str
    condition: Mapping[str, Any]
    catalogue: tuple[Move, ...]
    bounds: tuple[NDArray[np.float32], NDArray[np.float32]]

    def __init__(self, *, shuffle_options: bool = True, render_mode: str | None = None) -> None:
        flag("shuffle_options", shuffle_options)
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            modes = ", ".join(self.metadata["render_modes"])
            raise ValueError(f"render_mode {render_mode!r} is not one of {modes}")
        self.render_mode = render_mode
        self.shuffle_options = shuffle_options
        low, high = self.bounds
        n_actions = len(self.catalogue)
        self.action_spaces = {a: spaces.Discrete(n_actions) for a in self.possible_agents}
        self.observation_spaces = {
            agent: spaces.Dict(
                observation=spaces.Box(low, high, dtype=np.float32),
                action_mask=spaces.Box(0, 1, (n_actions,), dtype=np.int8),
            )
            for agent in self.possible_agents
        }
        self.agents: list[str] = []
        self.rng = np.random.default_rng()
        self._seed: int | None = None
        # one seed under two conditions gives two orders: episodes of a paired design stay
        # independent in what their presentation does to a choice
        self._condition_key = condition_key(self.condition)
        self._masks = Masks(self.catalogue)
        self._forget()

    @abstractmethod
    def start(self) -> Any:
        """Return the first world (a record that `copy.deepcopy` copies), using `self.rng`."""

    @abstractmethod
    def describe(self, agent: str) -> str:
        """Return the moving part of what `agent` is told, without its options."""

    @abstractmethod
    def options(self, agent: str) -> Sequence[Option]:
        """Return what `agent` may do now, never empty, in a fixed order."""

    @abstractmethod
    def resolve(self, moves: Mapping[str, Move | None]) -> dict[str, dict[str, Any]]:
        """Change the world by all moves (None abstains); return each agent's effects, for the log.

        An effect is a flat mapping of JSON values; its "payoff" (0.0 if absent) is the reward.
        """

    @abstractmethod
    def ended(self) -> Mapping[str, Ending]:
        """Return, of the agents that acted, those for whom the episode is now over."""

    def features(self, agent: str) -> NDArray[np.float32]:
        """Return the numeric observation, within `bounds`; the default is all lowest."""
        return self.bounds[0].copy()

    def view(self, agent: str) -> dict[str, Any]:
        """Return the visible facts behind `describe`, as JSON values; scripted agents read them."""
        return {}

    def viewed(self, agent: str) -> dict[str, Any]:
        """Return `view(agent)`, worked out once a step; not to be changed."""
        if agent not in self._views:
            self._views[agent] = self.view(agent)
        return self._views[agent]

    def annotate(self, agent: str) -> dict[str, Any]:
        """Return facts for the log that the agent does not see, as JSON values."""
        return {}

    def order(self, agent: str, offered: tuple[Option, ...]) -> tuple[Option, ...]:
        """Return `offered` as it is shown; the default is the lot of this seed, step and agent."""
        if not self.shuffle_options:
            return offered
        place = self.possible_agents.index(agent)
        rng = keyed([self._seed or 0, self._condition_key, self.turn, place])
        return shown_order(offered, rng, is_scale=self.is_scale)

    def joining(self) -> Sequence[str]:
        """Return the agents present at the next step who were not yet; at the start, all."""
        return () if self.turn else self.possible_agents

    def singles(self) -> Sequence[Mapping[str, Any]]:
        """Return the arguments that change this environment into one that asks a single scene.

        There is one entry for each scene; none where scenes cannot be asked one at a time.
        """
        return ()

    def measure(self, turns: Sequence[Any]) -> dict[str, Any]:
        """Return the family's measures of a whole episode (`episode.Turn`s), as JSON values."""
        return {}

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, State], dict[str, dict[str, Any]]]:
        """Start an episode; without a seed, the generator goes on where it was."""
        if seed is not None or self._seed is None:
            self._seed = int(self.rng.integers(2**31)) if seed is None else seed
            self.rng = world_rng(self._seed, self._condition_key, is_paired=self.is_paired)
        self.turn = 0
        self.agents = []
        self.notices: dict[str, str] = {}
        self.illegal: dict[str, str] = {}
        self.effects: dict[str, dict[str, Any]] = {}
        self.world = self.start()
        self._forget()
        self.agents = list(self.joining())
        return self._states(self.agents), {agent: {} for agent in self.agents}

    def step(
        self, actions: dict[str, Action], *, numeric: bool = True
    ) -> tuple[
        dict[str, State],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """Play one step; agents without an action abstain.

        `self.effects` then holds what happened to each agent, for the log, and `self.illegal` why
        an action was not possible, for the agents whose was not. Without `numeric` the states that
        it returns are empty, for whoever only reads words.
        """
        acting = list(self.agents)
        moves = self._read(actions)
        self.effects = self.resolve(moves)
        self.turn += 1
        self._forget()
        endings = self.ended()
        joined = [agent for agent in self.joining() if agent not in acting]
        self.agents = [agent for agent in acting if agent not in endings] + joined
        shown = acting + joined
        return (
            self._states_after(acting, endings) if numeric else {agent: {} for agent in shown},
            {agent: float(self.effects.get(agent, {}).get("payoff", 0.0)) for agent in shown},
            {agent: endings.get(agent) == "terminated" for agent in shown},
            {agent: endings.get(agent) == "truncated" for agent in shown},
            {a: {"notice": self.notices[a]} if a in self.notices else {} for a in shown},
        )

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """Return the space of `agent`'s numeric observations and action mask."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Return the space of catalogue indices."""
        return self.action_spaces[agent]

    def observe(self, agent: str, *, numeric: bool = True) -> Observation:
        """Return what `agent` sees now, its options in the order of this seed, step and agent.

        Without `numeric` its `state` is left empty, for whoever only reads words.
        """
        notices = [self.notices[agent]] if agent in self.notices else []
        return Observation(
            agent=agent,
            step=self.turn,
            text="\n".join([*notices, self.describe(agent)]),
            rules=self.rules,
            options=self.order(agent, self._offered(agent)),
            state=self._states([agent])[agent] if numeric else {},
            view=self.viewed(agent),
            annotations=self.annotate(agent),
        )

    def move(self, agent: str, action: int) -> Move:
        """Return the catalogue's move `action`, completed with the offered option's defaults."""
        move = self.catalogue[action]
        option = on_offer(self._offered(agent), move.option)
        if option is None:
            return move
        return Move(option=move.option, arguments=option.complete(move.arguments))

    _MUTABLE: ClassVar[tuple[str, ...]] = (
        "world",
        "rng",
        "turn",
        "agents",
        "notices",
        "illegal",
        "effects",
        "_seed",
    )

    def snapshot(self) -> Snapshot:
        """Return the present state; later steps do not change it."""
        return Snapshot.of(self.id, {name: getattr(self, name) for name in self._MUTABLE})

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to `snapshot`, which stays usable; raise ValueError if it is another env's."""
        for name, state in snapshot.content_for(self.id).items():
            setattr(self, name, state)
        self._forget()

    def _read(self, actions: Mapping[str, Action]) -> dict[str, Move | None]:
        read_as = {agent: self._reading(agent, actions.get(agent)) for agent in self.agents}
        self.notices = {a: each.notice for a, each in read_as.items() if each.notice is not None}
        self.illegal = {a: each.illegal for a, each in read_as.items() if each.illegal is not None}
        return {agent: each.move for agent, each in read_as.items()}

    def _reading(self, agent: str, action: Action) -> Reading:
        if not (action is None or isinstance(action, Decision | Move)):
            action = self.move(agent, int(action))
        return read(action, self._offered(agent))

    def _forget(self) -> None:
        # what is offered and seen is worked out once a step, not at every question about it
        self._offers: dict[str, tuple[Option, ...]] = {}
        self._seen: dict[str, State] = {}
        self._views: dict[str, dict[str, Any]] = {}

    def _offered(self, agent: str) -> tuple[Option, ...]:
        if agent not in self._offers:
            self._offers[agent] = tuple(self.options(agent))
        return self._offers[agent]

    def _states(self, agents: Sequence[str]) -> dict[str, State]:
        for agent in agents:
            if agent not in self._seen:
                self._seen[agent] = self._state(agent, self._offered(agent))
        return {agent: self._seen[agent] for agent in agents}

    def _states_after(
        self, acting: Sequence[str], endings: Mapping[str, Ending]
    ) -> dict[str, State]:
        # an agent that has left is offered nothing; its last state is still owed to the caller
        left = {agent: self._state(agent, ()) for agent in acting if agent in endings}
        return self._states(self.agents) | left

    def _state(self, agent: str, offered: tuple[Option, ...]) -> State:
        return {"observation": self.features(agent), "action_mask": self._masks.of(offered)}

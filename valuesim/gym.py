"""Every registered environment for Gymnasium (one agent acts, others are scripted) and PettingZoo.

`import valuesim.gym` registers them: `gymnasium.make("valuesim/Survival-v0")` and
`pettingzoo.make("parallel", "valuesim/survival-v0")`. Without that import, Gymnasium takes the
module with the id: `gymnasium.make("valuesim.gym:valuesim/Survival-v0")`. (Gymnasium
loads no plug-ins since 1.0.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import gymnasium
from gymnasium import spaces
from pettingzoo.env_registry import registration

from valuesim import registry
from valuesim.errors import unknown

if TYPE_CHECKING:
    from valuesim.decision import Agent, Decision
    from valuesim.env import Environment, Observation, State

_ENTRY_POINT = "valuesim.gym:SingleAgent"


class SingleAgent(gymnasium.Env[Any, int]):
    """One agent of an environment for any single-agent RL library; scripted agents play the rest.

    Actions index the environment's catalogue; `observation["action_mask"]` says which are on offer,
    and any other abstains. `opponents` is one agent id for all other roles or {role: id}.
    """

    # Gymnasium reads what any of them can do from the class, what this one can from the instance
    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array", "svg"], "render_fps": 2}  # noqa: RUF012 (Gymnasium's)

    def __init__(
        self,
        *,
        env: str,
        role: str | None = None,
        opponents: str | Mapping[str, str] = "random",
        render_mode: str | None = None,
        **parameters: Any,
    ) -> None:
        """Play `role` (the first, by default) of the environment `env` with `parameters`.

        Raises InputError for unknown names and parameters, ValueError for an unknown role.
        """
        self._env: Environment = registry.make(env, render_mode=render_mode, **parameters)
        self.metadata = self.metadata | self._env.metadata
        roles = self._env.possible_agents
        self.role = roles[0] if role is None else role
        if self.role not in roles:
            raise ValueError(unknown("role", self.role, roles, env))
        self._opponents = _cast(opponents, [name for name in roles if name != self.role], env)
        self._agents: dict[str, Agent] = {}
        self.render_mode = render_mode
        self.observation_space: spaces.Space[Any] = self._env.observation_space(self.role)
        self.action_space: spaces.Space[Any] = self._env.action_space(self.role)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[State, dict[str, Any]]:
        """Start an episode; raise ValueError if `role` is not in it from the start."""
        super().reset(seed=seed)
        episode_seed = int(self.np_random.integers(2**31))
        states, notices = self._env.reset(seed=episode_seed, options=options)
        if self.role not in states:
            raise ValueError(f"{self.role} is not in {self._env.id} from the start: take another")
        self._agents = {
            name: registry.make_agent(agent, role=name, seed=episode_seed)
            for name, agent in self._opponents.items()
        }
        return states[self.role], notices[self.role]

    def step(self, action: int) -> tuple[State, float, bool, bool, dict[str, Any]]:
        """Play one step: the agent's action and the opponents' decisions, all on one state."""
        actions: dict[str, Any] = {
            name: _answer(self._agents[name], self._env.observe(name))
            for name in self._env.agents
            if name != self.role
        }
        states, payoffs, terminated, truncated, notices = self._env.step(
            {**actions, self.role: int(action)}
        )
        role = self.role
        return states[role], payoffs[role], terminated[role], truncated[role], notices[role]

    def render(self) -> Any:
        """Return the environment's picture in the render mode chosen, or None without one."""
        return self._env.render()


def register() -> None:
    """Register every environment with Gymnasium and PettingZoo; a second call changes nothing."""
    for id, entry in registry.environments().items():
        name = gymnasium_id(id)
        if name not in gymnasium.registry:
            gymnasium.register(name, entry_point=_ENTRY_POINT, kwargs={"env": id})
        _register_parallel(f"valuesim/{id}", entry.target)


def gymnasium_id(id: str) -> str:
    """Return the Gymnasium id of the environment `id`.

    >>> gymnasium_id("moral_machine-v0")
    'valuesim/MoralMachine-v0'
    """
    name, _, version = id.rpartition("-v")
    words = "".join(word.capitalize() for word in name.split("_"))
    return f"valuesim/{words}-v{version}"


def _register_parallel(name: str, target: str) -> None:
    if name not in registration.parallel_registry:
        registration.register("parallel", name, target)


def _cast(opponents: str | Mapping[str, str], roles: list[str], env: str) -> dict[str, str]:
    if isinstance(opponents, str):
        cast = dict.fromkeys(roles, opponents)
    else:
        cast = dict(opponents)
        for role in cast:
            if role not in roles:
                raise ValueError(unknown("opponents' role", role, roles, env))
        if missing := [role for role in roles if role not in cast]:
            raise ValueError(f"no opponent plays {', '.join(missing)} of {env}")
    for agent in cast.values():
        if agent not in registry.agents():
            raise ValueError(unknown("agent", agent, registry.agents(), "opponents"))
    return cast


def _answer(agent: Agent, observation: Observation) -> Decision:
    # a scripted agent answers without waiting, so its coroutine needs no event loop
    pending = agent.decide(observation)
    try:
        pending.send(None)
    except StopIteration as finished:
        return finished.value  # type: ignore[no-any-return]
    pending.close()
    raise ValueError(f"the opponent playing {observation.agent} waits for something: take another")


register()

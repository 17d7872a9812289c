"""What a run is: Hydra composes it from `conf/`, this module types it and refuses what is wrong.

Below the command line nobody sees a Hydra object. Whatever Hydra and OmegaConf object to becomes
one `InputError` of one sentence that names what was given and what is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import product
from typing import Any

from hydra import compose as hydra_compose
from hydra import initialize_config_module
from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from valuesim import registry
from valuesim.arms import arms_of, check_chain
from valuesim.crossed import environments, levels_of
from valuesim.engine.asking import ALL, Asking, asking_of
from valuesim.engine.plan import MODEL_AGENT, SERVING, Design
from valuesim.engine.settings import EngineConfig, check_settings
from valuesim.errors import InputError, unknown
from valuesim.overrides import check, chosen_by, parse, rewritten, shipped

_RANGES = {
    "episodes": (1, 1_000_000),
    "seed": (0, 2**63 - 1),
    "chain": (1, 1000),
    "engine.concurrency": (1, 10_000),
}


# OmegaConf makes a frozen dataclass read-only while it composes, so these are not frozen
@dataclass(kw_only=True, slots=True)
class AskingConfig:
    """Whether all episodes are played (`id` "all") or questions are chosen ("adaptive").

    The others are those of `engine.asking.Asking`, None where all episodes are played.
    """

    id: str = ALL
    budget: int | None = None
    batch: int | None = None
    sure: float | None = None
    pool: int | None = None


@dataclass(kw_only=True, slots=True)
class RunName:
    """Where a run is written: a name under runs/, a path, or None for runs/<date>/<time>."""

    name: str | None = None


@dataclass(kw_only=True, slots=True)
class RunConfig:
    """One run, resolved.

    `env` is an id and the environment's parameters. `agents` maps `all` to an agent (or a list of
    agents, one group of episodes each) and roles to agents (or lists) that play them instead;
    lists meet in every combination. `cross` maps
    "env.<parameter>" to levels; a cell is one combination of levels with one entry of
    `agents.all`, and `episodes` are played in each. `model` is empty where no model is asked;
    `models` maps roles to settings that differ there, so that models can meet in one world.
    `intervention` maps interventions to their settings, in the order in which they are made;
    "intervention" in `cross` lists arms: a name, a list of names, or "none" each. `chain` is how
    many episodes of a cell agents live through one after another, remembering; 1 is none.
    """

    env: dict[str, Any] = field(default_factory=dict)
    agents: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    models: dict[str, Any] = field(default_factory=dict)
    elicitation: dict[str, Any] = field(default_factory=dict)
    intervention: dict[str, Any] = field(default_factory=dict)
    engine: EngineConfig = field(default_factory=EngineConfig)
    asking: AskingConfig = field(default_factory=AskingConfig)
    episodes: int = 20
    chain: int = 1
    seed: int = 0
    cross: dict[str, Any] = field(default_factory=dict)
    run: RunName = field(default_factory=RunName)

    def resolved(self) -> dict[str, Any]:
        """Return the configuration as plain mappings, for `run.yaml`."""
        return asdict(self)

    def model_of(self, role: str) -> dict[str, Any]:
        """Return the settings of the model that plays `role`; raise InputError for an unknown one.

        `models` changes single settings of `model` for that role.
        """
        own = self.models.get(role) or {}
        if not isinstance(own, dict):
            raise InputError(f"models.{role} is {own!r}: give settings, e.g. models.{role}.name=X")
        for name in own:
            if name not in self.model:
                raise InputError(unknown("setting", name, self.model, f"models.{role}"))
        return self.model | own

    def adaptive(self) -> Asking | None:
        """Return how few questions are asked, None where all episodes are played.

        Raises InputError for settings that are not allowed.
        """
        return asking_of(asdict(self.asking))

    def design(self) -> Design:
        """Return what is to be played; raise InputError for what can be seen to be wrong here."""
        _check_numbers(self)
        _check_elicitation(self.elicitation)
        played = _groups(self.agents)
        asks_a_model = any(MODEL_AGENT in group.values() for group in played)
        if asks_a_model and not self.model:
            raise InputError(f"agent {MODEL_AGENT!r} needs a model: add model=vllm model.name=NAME")
        first, *beside = environments(self.cross.get("env"), self.env)
        arms = arms_of(self.cross.get("intervention"), self.intervention)
        if any(arms) and not asks_a_model:
            raise InputError(f"an intervention is made on a model: add agents={MODEL_AGENT}")
        check_chain(self.chain, arms)
        if self.chain > 1 and self.adaptive() is not None:
            raise InputError(
                f"chain={self.chain} does not go with asking=adaptive, which asks every question "
                "of an agent that remembers no other: leave one out"
            )
        return Design(
            env=first[0],
            parameters=first[1],
            beside=beside,
            crossed=levels_of(self.cross),
            groups=played,
            arms=arms,
            model=_identity(self.model) or None,
            models={role: _identity(self.model_of(role)) for role in self.models},
            elicitation=self.elicitation | (_prompt(self.elicitation) if asks_a_model else {}),
            episodes=self.episodes,
            seed=self.seed,
            chain=self.chain,
        )


def compose(overrides: Sequence[str]) -> RunConfig:
    """Return the configuration that `conf/` and `overrides` make; raise InputError if none."""
    prepared = prepare(overrides)
    try:
        with initialize_config_module("valuesim.conf", version_base="1.3"):
            return typed(hydra_compose("config", overrides=prepared))
    except (HydraException, OmegaConfBaseException) as error:
        raise refusal(error) from error


def prepare(overrides: Sequence[str], *, sweeping: bool = False) -> list[str]:
    """Return `overrides` as Hydra takes them, after refusing names that do not exist.

    Environment parameters, roles and crossed factors need no "+"; `agents=[a,b]` is `agents.all`.
    KEY=A,B is refused unless `sweeping`.
    """
    _register()
    parsed = [parse(text) for text in overrides]
    chosen = chosen_by(parsed)
    roots = {item.name for item in fields(RunConfig)}
    for override in parsed:
        check(override, chosen, roots, sweeping=sweeping)
    return [text for override in parsed for text in rewritten(override)]


def typed(composed: DictConfig) -> RunConfig:
    """Return a composed configuration as a `RunConfig`; raise InputError if a key is unset."""
    for key in sorted(OmegaConf.missing_keys(composed)):
        raise InputError(f"{key} is not set: add {key}=...")
    try:
        config = OmegaConf.to_object(composed)
    except OmegaConfBaseException as error:
        raise refusal(error) from error
    assert isinstance(config, RunConfig), "the schema is the root of conf/config.yaml"
    return config


def refusal(error: Exception) -> InputError:
    """Return what Hydra or OmegaConf said as an InputError of one sentence."""
    if isinstance(error, MissingConfigException) and error.options:
        group, _, name = str(error.missing_cfg_file).rpartition("/")
        return InputError(unknown(group, name, error.options))
    cause = error if isinstance(error, OmegaConfBaseException) else error.__cause__
    if not isinstance(cause, OmegaConfBaseException):
        return InputError(_first_line(error))
    parent = cause.parent_node
    if isinstance(parent, DictConfig) and cause.key is not None and cause.key not in parent:
        prefix, _, name = str(cause.full_key).rpartition(".")
        return InputError(unknown("setting", name, map(str, parent), prefix))
    bounds = _RANGES.get(str(cause.full_key))
    allowed = f" (a whole number from {bounds[0]} to {bounds[1]})" if bounds else ""
    return InputError(f"{cause.full_key}: {_first_line(cause)}{allowed}")


def _register() -> None:
    store = ConfigStore.instance()
    store.store(name="run_config", node=RunConfig)
    for name in set(registry.environments()) - shipped("env"):
        store.store(group="env", name=name, node={"id": name})
    for name in set(registry.agents()) - shipped("agents"):
        store.store(group="agents", name=name, node={"all": name})


def _groups(agents: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return a mapping of `all` and roles to agent ids for every combination of what is listed.

    A list of agents, for `all` or for a role, is one group each: two roles with lists meet in
    every pair (a round robin).
    """
    listed = {
        role: given if isinstance(given, list) else [given]
        for role, given in agents.items()
        if given is not None
    }
    for role, names in listed.items():
        if not names:
            raise InputError(f"agents.{role} is an empty list: name one agent or more")
        for name in names:
            if not isinstance(name, str):
                raise InputError(unknown("agent", name, registry.agents(), "agents"))
            registry.agent_entry(name)
    return [dict(zip(listed, names, strict=True)) for names in product(*listed.values())]


def _prompt(elicitation: Mapping[str, Any]) -> dict[str, str]:
    from valuesim.agents.prompt import templates_id

    labels = elicitation.get("format") == "logprobs"
    return {"prompt": templates_id("logprobs") if labels else templates_id()}


def _check_elicitation(settings: Mapping[str, Any]) -> None:
    from valuesim.agents.prompt import Elicitation

    Elicitation.of(settings)


def _identity(model: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given for name, given in model.items() if name not in SERVING}


def _check_numbers(config: RunConfig) -> None:
    given_of = {
        "episodes": config.episodes,
        "seed": config.seed,
        "chain": config.chain,
        "engine.concurrency": config.engine.concurrency,
    }
    for key, (least, most) in _RANGES.items():
        given = given_of[key]
        if not least <= given <= most:
            raise InputError(f"{key}={given} is not allowed: {least} to {most}")
    check_settings(config.engine)


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else repr(error)

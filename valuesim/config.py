"""What a run is: Hydra composes it from `conf/`, this module types it and refuses what is wrong.

Below the command line nobody sees a Hydra object. Whatever Hydra and OmegaConf object to becomes
one `InputError` of one sentence that names what was given and what is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib import resources
from typing import Any

from hydra import compose as hydra_compose
from hydra import initialize_config_module
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from valuesim import registry
from valuesim.engine.plan import MODEL_AGENT, SERVING, Design
from valuesim.errors import InputError, unknown

GROUPS = ("env", "agents", "model", "elicitation", "engine", "experiment")
PROGRESS = ("auto", "bar", "lines", "none")


# OmegaConf makes a frozen dataclass read-only while it composes, so these three are not frozen
@dataclass(kw_only=True, slots=True)
class EngineConfig:
    """How episodes are played: how many at once (>= 1), and how progress is shown."""

    concurrency: int = 64
    progress: str = "auto"


@dataclass(kw_only=True, slots=True)
class RunName:
    """Where a run is written: a name under runs/, a path, or None for runs/<date>/<time>."""

    name: str | None = None


@dataclass(kw_only=True, slots=True)
class RunConfig:
    """One run, resolved.

    `env` is an id and the environment's parameters. `agents` maps `all` to an agent (or a list of
    agents, one group of episodes each) and roles to agents that play them instead. `cross` maps
    "env.<parameter>" to levels; a cell is one combination of levels with one entry of
    `agents.all`, and `episodes` are played in each. `model` is empty where no model is asked;
    `models` maps roles to settings that differ there, so that models can meet in one world.
    """

    env: dict[str, Any] = field(default_factory=dict)
    agents: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    models: dict[str, Any] = field(default_factory=dict)
    elicitation: dict[str, Any] = field(default_factory=dict)
    engine: EngineConfig = field(default_factory=EngineConfig)
    episodes: int = 20
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

    def design(self) -> Design:
        """Return what is to be played; raise InputError for what can be seen to be wrong here."""
        _check_numbers(self)
        played = _groups(self.agents)
        asks_a_model = any(MODEL_AGENT in group.values() for group in played)
        if asks_a_model and not self.model:
            raise InputError(f"agent {MODEL_AGENT!r} needs a model: add model=vllm model.name=NAME")
        return Design(
            env=registry.environment_id(str(self.env.get("id"))),
            parameters={name: v for name, v in self.env.items() if name != "id"},
            crossed=_crossed(self.cross),
            groups=played,
            model=_identity(self.model) or None,
            models={role: _identity(self.model_of(role)) for role in self.models},
            elicitation=self.elicitation | (_prompt() if asks_a_model else {}),
            episodes=self.episodes,
            seed=self.seed,
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
    parsed = [_parsed(text) for text in overrides]
    chosen = {override.key_or_group for override in parsed}
    for override in parsed:
        _check_name(override, chosen)
        if override.is_sweep_override() and not sweeping:
            key, text = override.key_or_group, override.get_value_string()
            crossed = f"cross.{key}" if key.startswith("env.") else key
            raise InputError(
                f"{key}={text} is a sweep: add -m for a run of each, or write {crossed}=[{text}] "
                f"for all in one run"
            )
    return [text for override in parsed for text in _rewritten(override)]


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


def options(group: str) -> list[str]:
    """Return the names that `group`=NAME takes, sorted."""
    registered = {"env": registry.environments, "agents": registry.agents}
    known = registered[group]() if group in registered else {}
    return sorted(_shipped(group) | set(known))


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
    return InputError(f"{cause.full_key}: {_first_line(cause)}")


def _register() -> None:
    store = ConfigStore.instance()
    store.store(name="run_config", node=RunConfig)
    for name in set(registry.environments()) - _shipped("env"):
        store.store(group="env", name=name, node={"id": name})
    for name in set(registry.agents()) - _shipped("agents"):
        store.store(group="agents", name=name, node={"all": name})


def _parsed(text: str) -> Override:
    if "=" not in text and not text.startswith("~"):
        shown = repr(text[:80])
        raise InputError(f"{shown} is not a setting: write KEY=VALUE, e.g. env.scarcity=low")
    try:
        return OverridesParser.create().parse_override(text)
    except (HydraException, ValueError) as error:
        key, _, value = text.partition("=")
        raise InputError(
            f"{text[:80]!r} cannot be read: quote what holds special characters, as in "
            f"'{key[:40]}=\"{value[:40]}\"'"
        ) from error


def _shipped(group: str) -> set[str]:
    folder = resources.files("valuesim.conf").joinpath(group)
    return {file.name[:-5] for file in folder.iterdir() if file.name.endswith(".yaml")}


def _check_name(override: Override, chosen: set[str]) -> None:
    key = override.key_or_group
    root = key.replace("/", ".").partition(".")[0]
    roots = {item.name for item in fields(RunConfig)} | {"experiment", "hydra"}
    if root not in roots:
        raise InputError(unknown("setting", root, roots - {"hydra"}))
    if key in GROUPS and not override.is_delete() and not override.is_sweep_override():
        _check_choice(key, override.value())
    if root in ("model", "models") and key != "model" and not chosen & {"model", "experiment"}:
        raise InputError(f"{key} needs a model: add model=NAME ({', '.join(options('model'))})")


def _check_choice(group: str, given: object) -> None:
    if isinstance(given, dict):
        return
    names = given if group == "agents" and isinstance(given, list) and given else [given]
    for name in names:
        if name not in options(group):
            raise InputError(unknown(group, name, options(group)))


def _rewritten(override: Override) -> list[str]:
    key, text = override.key_or_group, override.input_line or ""
    value = None if override.is_sweep_override() else override.value()
    root, _, name = key.partition(".")
    if override.is_delete() or override.is_add() or override.is_force_add():
        return [text]
    if key == "agents" and isinstance(value, str | None) and "[" in override.get_value_string():
        # Hydra would merge a list of group choices into one, and the last of them would win
        return [f"++agents.all={override.get_value_string()}"]
    if key == "agents" and isinstance(value, list):
        return [f"agents={value[0]}", f"++agents.all={override.get_value_string()}"]
    if root == "cross" and name:
        return [f"++cross={{{name}:{override.get_value_string()}}}"]
    is_open = root in ("env", "agents", "models") or key.startswith("model.extra_body")
    if key == "cross" or (name and is_open):
        return [f"++{text}"]
    return [text]


def _groups(agents: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return one mapping of `all` and roles to agent ids for each entry of `agents.all`."""
    known = registry.agents()
    shared = agents.get("all")
    listed = shared if isinstance(shared, list) else [shared]
    if not listed:
        raise InputError("agents.all is an empty list: name one agent or more")
    roles = {role: name for role, name in agents.items() if role != "all"}
    for name in [*(n for n in listed if n is not None), *roles.values()]:
        if not isinstance(name, str) or name not in known:
            raise InputError(unknown("agent", name, known, "agents"))
    return [roles if name is None else {"all": name} | roles for name in listed]


def _prompt() -> dict[str, str]:
    from valuesim.agents.prompt import templates_id

    return {"prompt": templates_id()}


def _identity(model: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given for name, given in model.items() if name not in SERVING}


def _crossed(cross: Mapping[str, Any] | None) -> dict[str, list[Any]]:
    levels: dict[str, list[Any]] = {}
    for factor, given in (cross or {}).items():
        root, _, name = factor.partition(".")
        if root != "env" or not name or name == "id":
            raise InputError(f"cross.{factor} cannot be crossed: name env.<parameter>")
        if not isinstance(given, list) or not given:
            raise InputError(f"cross.{factor} is {given!r}: give a list of levels")
        levels[name] = given
    return levels


def _check_numbers(config: RunConfig) -> None:
    for key, given, least, most in (
        ("episodes", config.episodes, 1, 1_000_000),
        ("seed", config.seed, 0, 2**63 - 1),
        ("engine.concurrency", config.engine.concurrency, 1, 10_000),
    ):
        if not least <= given <= most:
            raise InputError(f"{key}={given} is not allowed: {least} to {most}")
    if config.engine.progress not in PROGRESS:
        raise InputError(unknown("engine.progress", config.engine.progress, PROGRESS))


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else repr(error)

"""Hydra's side of a sweep: the launcher that jobs are handed to, and the sweeper that searches.

Where every job is known beforehand they are handed to the launcher here and not by Hydra's own
sweeper, which ends with the first job that fails.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from hydra import initialize_config_module
from hydra._internal.callbacks import Callbacks
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, RunMode, TaskFunction
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from valuesim.cli.ending import without_keys
from valuesim.config import refusal
from valuesim.errors import InputError, unknown
from valuesim.overrides import shipped
from valuesim.secrets import secrets
from valuesim.shipped import shipped_yaml

BASIC, JOBLIB, RAY, OPTUNA = "basic", "joblib", "ray", "optuna"
LOCAL, SLURM = "submitit_local", "submitit_slurm"
DIRECTIONS = ("minimize", "maximize")
_EXTRAS = {
    JOBLIB: ("hydra_joblib_launcher", "sweeps"),
    LOCAL: ("hydra_submitit_launcher", "sweeps"),
    SLURM: ("hydra_submitit_launcher", "sweeps"),
    RAY: ("hydra_ray_launcher", "ray"),
    OPTUNA: ("hydra_optuna_sweeper", "optuna"),
}
_COUNTS = (
    ("sweeper", "max_batch_size"),
    ("sweeper", "n_trials"),
    ("sweeper", "n_jobs"),
    ("launcher", "n_jobs"),
)
_TO_FILES = (LOCAL, SLURM)
"""Launchers that write what they hand to a process to files, as it was typed."""
_FROM_ENVIRONMENT = re.compile(r"""["']?\$\{oc\.env:\w+\}["']?""")
_QUIET = {
    # nothing is sent to anybody, and no warning of what a later Ray does about GPUs
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Launching:
    """How a sweep is played: the names of its launcher and sweeper, and all settings of both.

    `settings` are overrides: those of `conf/launcher` and `conf/sweeper`, then what was typed.
    """

    launcher: str
    sweeper: str
    settings: tuple[str, ...]

    @property
    def is_here(self) -> bool:
        """Whether jobs are played in the sweep's own process, one after the other."""
        jobs = [each for each in self.settings if "hydra.launcher.n_jobs=" in each]
        one = bool(jobs) and jobs[-1].partition("=")[2] == "1"
        return self.launcher == BASIC or (self.launcher == JOBLIB and one)

    @property
    def searches(self) -> bool:
        """Whether what is played next depends on what was found."""
        return self.sweeper == OPTUNA


def launching_of(overrides: Sequence[Override]) -> Launching:
    """Return how those of `overrides` that are Hydra's say that a sweep is played.

    Raises InputError for a launcher or sweeper that is not known, or not installed.
    """
    own = [each for each in overrides if is_hydra(each)]
    for each in own:
        if each.is_sweep_override():
            told = f"{each.key_or_group}={each.get_value_string()}"
            raise InputError(f"{told} names several, and a sweep is played in one way: give one")
    named = {each.key_or_group: str(each.value()) for each in own if "/" in each.key_or_group}
    launcher, sweeper = (named.get(f"hydra/{group}", BASIC) for group in ("launcher", "sweeper"))
    settings: list[str] = []
    for group, name in (("launcher", launcher), ("sweeper", sweeper)):
        if name not in shipped(group):
            raise InputError(unknown(f"hydra/{group}", name, shipped(group)))
        if (needed := install_command(name)) is not None:
            raise InputError(f"hydra/{group}={name} is not installed: {needed}")
        typed = [each.input_line or "" for each in own]
        settings += _usual(group, name, typed)
    if sweeper == OPTUNA and named.get("hydra/sweeper/sampler") != "grid":
        settings.append("hydra.sweeper.sampler.seed=${seed}")
    return Launching(launcher=launcher, sweeper=sweeper, settings=(*settings, *typed))


def check_no_key(overrides: Sequence[str], launching: Launching) -> None:
    """Raise InputError for a key in `overrides` that a launcher would write to a file.

    What stands for a variable of the environment, as ${oc.env:NAME}, is none.
    """
    if launching.launcher not in _TO_FILES:
        return
    hidden = secrets(os.environ)
    for each in overrides:
        typed = _FROM_ENVIRONMENT.sub("", each)
        if without_keys(typed, hidden) != typed:
            raise InputError(
                f"{each.partition('=')[0]} holds a key, which hydra/launcher={launching.launcher} "
                "would write to files: put it into a variable of the environment and name that, by "
                "model.api_key_env=NAME or as ${oc.env:NAME}"
            )


def is_hydra(override: Override) -> bool:
    """Return whether `override` is about Hydra itself and no setting of a run."""
    return override.key_or_group.replace("/", ".").partition(".")[0] == "hydra"


@contextmanager
def hydra_ready() -> Iterator[ConfigLoader]:
    """Let Hydra compose from `conf/` in the block; what it objects to is raised as InputError."""
    try:
        with initialize_config_module("valuesim.conf", job_name="valuesim", version_base="1.3"):
            yield GlobalHydra.instance().config_loader()
    except (HydraException, OmegaConfBaseException) as error:
        raise refusal(error) from error


def master_config(overrides: Sequence[str]) -> DictConfig:
    """Return the configuration of a whole sweep, in `hydra_ready`."""
    hydra = GlobalHydra.instance().hydra
    assert hydra is not None, "the block of hydra_ready"
    config: DictConfig = hydra.compose_config(
        "config", list(overrides), RunMode.MULTIRUN, with_log_configuration=False
    )
    HydraConfig.instance().set_config(config)
    return config


def launcher_of(config: DictConfig, task: TaskFunction) -> Launcher:
    """Return the launcher that `config` names, which hands jobs to `task`, in `hydra_ready`."""
    _quiet()
    return Plugins.instance().instantiate_launcher(
        hydra_context=_context(config), task_function=task, config=config
    )


def search(config: DictConfig, task: TaskFunction) -> None:
    """Let the sweeper that `config` names search, in `hydra_ready`."""
    _quiet()
    sweeper = Plugins.instance().instantiate_sweeper(
        hydra_context=_context(config), task_function=task, config=config
    )
    logging.getLogger("optuna").setLevel(logging.WARNING)
    typed: Any = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)
    sweeper.sweep(arguments=typed)


def direction_of(config: DictConfig) -> str:
    """Return whether the search that `config` describes is for the least or the most.

    That is "minimize" or "maximize". Raises InputError for several objectives at once.
    """
    given = config.hydra.sweeper.direction
    name = str(getattr(given, "name", given))
    if name not in DIRECTIONS:
        raise InputError(unknown("hydra.sweeper.direction", name, DIRECTIONS))
    return name


def batch_size(config: DictConfig, launching: Launching) -> int | None:
    """Return how many jobs are handed to the launcher at once; None for all.

    Raises InputError for a number of jobs, of trials or of processes that is none.
    """
    for group, name in _COUNTS:
        count = config.hydra[group].get(name)
        all_cpus = name == "n_jobs" and group == "launcher"
        if count is not None and (count == 0 or (count < 0 and not all_cpus)):
            least = ", or -1 for one on each CPU" if all_cpus else ""
            told = f"hydra.{group}.{name}={count} is not allowed"
            raise InputError(f"{told}: a whole number from 1{least}")
    given: int | None = config.hydra.sweeper.get("max_batch_size")
    if given is None and launching.launcher == LOCAL:
        # it begins all of them at once
        return os.cpu_count() or 1
    return given


def _context(config: DictConfig) -> HydraContext:
    loader = GlobalHydra.instance().config_loader()
    return HydraContext(config_loader=loader, callbacks=Callbacks(config))


def _quiet() -> None:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)


def install_command(name: str) -> str | None:
    """Return what installs the launcher or sweeper `name`; None where it can be used here."""
    module, extra = _EXTRAS.get(name, (None, None))
    try:
        is_there = module is None or find_spec(f"hydra_plugins.{module}") is not None
    except ModuleNotFoundError:
        is_there = False
    return None if is_there else f"pip install 'valuesim[{extra}]'"


def _usual(group: str, name: str, typed: Sequence[str]) -> Iterator[str]:
    """Yield the overrides that `conf/` has for the launcher or sweeper `name`.

    Those under "local" are left out where Ray is told of a cluster that is there.
    """
    content = dict(shipped_yaml("valuesim.conf", group, f"{name}.yaml"))
    local = content.pop("local", {})
    yield from _flat(f"hydra.{group}", content)
    if not any("ray.init.address=" in each and not each.endswith("=local") for each in typed):
        yield from _flat(f"hydra.{group}", local)


def _flat(prefix: str, settings: Mapping[str, Any]) -> Iterator[str]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(f"{prefix}.{name}", value)
        else:
            yield f"++{prefix}.{name}={str(value).lower() if isinstance(value, bool) else value}"

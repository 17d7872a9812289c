"""`valuesim run -m`: Hydra's multirun, one run folder for each job, going on after a failed one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from valuesim.cli.ending import STOPPED, as_json, exit_code, sentence, tell_how_to_go_on
from valuesim.cli.run import check, play_into, run_folder
from valuesim.cli.stopping import terminate_as_interrupt
from valuesim.cli.terminal import check_json_target, clean, write_json
from valuesim.config import compose, prepare, refusal, typed
from valuesim.errors import InputError, ValueSimError


def sweep(overrides: Sequence[str], json_target: str | None, *, debug: bool = False) -> int:
    """Play a run for each combination of the swept settings; return 1 if any is not finished.

    Jobs are written to numbered folders below `run.name`, or below runs/<date>/<time>. None is
    played if a setting of one is bad. A job that fails is told and the next one begins; a stop
    (Ctrl-C) ends the sweep. `debug` is as in `play_into`.
    """
    jobs: list[dict[str, Any]] = []

    def job(composed: DictConfig) -> None:
        jobs.append(_play_job(composed, debug=debug))

    prepared = prepare(overrides, sweeping=True)
    folder = run_folder(_name(overrides), datetime.now())
    check_json_target(json_target, folder)
    _check_jobs(prepared)
    quoted = str(folder).replace("'", "\\'")
    swept = [*prepared, f"hydra.sweep.dir='{quoted}'"]
    entry = hydra.main(version_base="1.3", config_path="pkg://valuesim.conf", config_name="config")
    with _process_arguments(["--multirun", *swept]):
        try:
            entry(job)()
        except (HydraException, OmegaConfBaseException) as error:
            raise refusal(error) from error
        except KeyboardInterrupt:
            tell_how_to_go_on(["-m", *overrides], folder)
            return STOPPED
    if json_target:
        write_json({"schema": 1, "sweep": str(folder), "jobs": jobs}, json_target)
    failed = sum(job["exit_code"] != 0 for job in jobs)
    told = f"{len(jobs) - failed} of {len(jobs)} runs finished in {folder}"
    print(told, file=sys.stderr if json_target == "-" else sys.stdout)
    if failed:
        tell_how_to_go_on(["-m", *overrides], folder)
    return 1 if failed else 0


def _check_jobs(prepared: Sequence[str]) -> None:
    """Raise InputError if a job's settings are bad; what another sweeper chooses is not known."""
    parsed = OverridesParser.create().parse_overrides(list(prepared))
    own = [override for override in parsed if not override.key_or_group.startswith("hydra")]
    if any(o.key_or_group == "hydra/sweeper" for o in parsed):
        return
    if any(isinstance(override.value(), Glob) for override in own):
        return
    for settings in product(*map(_levels, own)):
        check(compose(settings))


def _levels(override: Override) -> list[str]:
    """Return what `override` sets, once for each value it sweeps over."""
    if not override.is_sweep_override():
        return [override.input_line or ""]
    key = override.get_key_element()
    return [f"{key}={value}" for value in override.sweep_string_iterator()]


def _play_job(composed: DictConfig, *, debug: bool) -> dict[str, Any]:
    """Play one job and return what became of it; raise KeyboardInterrupt if it was stopped."""
    told = HydraConfig.get()
    # playing the job before this one has let go of the signal
    terminate_as_interrupt()
    folder = Path(told.runtime.output_dir)
    folder = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    about = {"run": str(folder), "overrides": list(told.overrides.task)}
    try:
        summary = play_into(folder, typed(composed), debug=debug)
    except ValueSimError as error:
        print(f"valuesim: error: {folder}: {clean(error)}", file=sys.stderr)
        code = 2 if isinstance(error, InputError) else 1
        return about | {"exit_code": code, "error": str(error)}
    print(sentence(summary, folder), file=sys.stderr)
    if summary.stopped:
        raise KeyboardInterrupt
    return about | {"exit_code": exit_code(summary), **as_json(summary)}


def _name(overrides: Sequence[str]) -> str | None:
    names = [o.partition("=")[2] for o in overrides if o.startswith("run.name=")]
    return names[-1].strip("'\"") if names else None


@contextmanager
def _process_arguments(arguments: Sequence[str]) -> Iterator[None]:
    """Let Hydra see `arguments` (it reads the process's only) and raise its errors."""
    kept, full_error = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = ["valuesim", *arguments]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = kept
        if full_error is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full_error

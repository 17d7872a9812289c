"""`valuesim run -m`: Hydra's multirun, one run folder for each job, going on after a failed one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from valuesim.cli.run import (
    STOPPED,
    exit_code,
    play_into,
    run_folder,
    sentence,
    tell_how_to_go_on,
)
from valuesim.cli.terminal import clean, write_json
from valuesim.config import prepare, refusal, typed
from valuesim.errors import InputError, ValueSimError


def sweep(overrides: Sequence[str], json_target: str | None) -> int:
    """Play a run for each combination of the swept settings; return 1 if any is not finished.

    Jobs are written to numbered folders below `run.name`, or below runs/<date>/<time>. A job that
    fails is told and the next one begins; a stop (Ctrl-C) ends the sweep.
    """
    jobs: list[dict[str, Any]] = []

    def job(composed: DictConfig) -> None:
        jobs.append(_play_job(composed))

    prepared = prepare(overrides, sweeping=True)
    folder = run_folder(_name(overrides), datetime.now())
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


def _play_job(composed: DictConfig) -> dict[str, Any]:
    """Play one job and return what became of it; raise KeyboardInterrupt if it was stopped."""
    told = HydraConfig.get()
    folder = Path(told.runtime.output_dir)
    folder = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    about = {"run": str(folder), "overrides": list(told.overrides.task)}
    try:
        summary = play_into(folder, typed(composed))
    except ValueSimError as error:
        print(f"valuesim: error: {folder}: {clean(error)}", file=sys.stderr)
        code = 2 if isinstance(error, InputError) else 1
        return about | {"exit_code": code, "error": str(error)}
    print(sentence(summary, folder), file=sys.stderr)
    if summary.stopped:
        raise KeyboardInterrupt
    return about | {"exit_code": exit_code(summary), **asdict(summary)}


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

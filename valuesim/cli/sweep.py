"""`valuesim run -m`: a sweep, one run folder for each job, whoever plays it and whatever fails."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from valuesim.cli.attending import attend
from valuesim.cli.job_row import JobRow, check_objective, objectives, row_of
from valuesim.cli.launching import (
    Launching,
    batch_size,
    direction_of,
    hydra_ready,
    launcher_of,
    launching_of,
    master_config,
    search,
)
from valuesim.cli.rounds import LaunchError, launch_all
from valuesim.cli.run import run_folder
from valuesim.cli.sweep_ending import Ended, tell
from valuesim.cli.sweep_folder import SweepFolder
from valuesim.cli.sweep_job import SweepJob, here
from valuesim.cli.sweep_plan import (
    Planned,
    combinations,
    planned,
    swept_keys,
    typed_settings,
)
from valuesim.cli.terminal import check_json_target, clean
from valuesim.config import prepare
from valuesim.errors import InputError, ValueSimError
from valuesim.overrides import OBJECTIVE


def sweep(overrides: Sequence[str], json_target: str | None, *, debug: bool = False) -> int:
    """Play a run for each combination of the swept settings; return 1 if any is not finished.

    Each job has a folder below `run.name`, or below runs/<date>/<time>, by which the same command,
    or one of a larger sweep, finds it again. None is played if a setting of one is bad. A job that
    fails does not end the others; a stop (Ctrl-C) ends the sweep. `debug` is as in `play_into`.
    """
    prepared = prepare(overrides, sweeping=True)
    shown = run_folder(_last(overrides, "run.name"), datetime.now())
    check_json_target(json_target, shown)
    with hydra_ready() as loader:
        parsed = typed_settings(prepared, loader)
        launching = launching_of(parsed)
        objective = _objective(_last(overrides, OBJECTIVE), launching)
        found = [] if launching.searches else combinations(parsed, launching)
        config = master_config(_for_hydra(prepared, launching, shown))
        direction = direction_of(config) if launching.searches else None
        total = config.hydra.sweeper.n_trials if launching.searches else len(found)
        task = _task(shown, parsed, total, objective, debug=debug)
        folder = SweepFolder(task.folder)
        with folder.held():
            jobs = list(planned(found, folder, shown, task.swept, task.session))
            task = replace(task, before=sum(job.is_whole for job in jobs))
            was_stopped = _played(jobs, task, launching, config)
            rows = _rows(jobs, task)
    ended = Ended(rows=rows, task=task, direction=direction, was_stopped=was_stopped)
    return tell(ended, overrides, json_target)


def _task(
    shown: Path, parsed: Sequence[Override], total: int, objective: str | None, *, debug: bool
) -> SweepJob:
    swept = swept_keys(parsed)
    if "run.name" in swept:
        raise InputError("run.name names the folder of the whole sweep: give one")
    return SweepJob(
        folder=shown.absolute(),
        shown=shown,
        swept=swept,
        session=f"{datetime.now().isoformat()} {os.getpid()}",
        process=here(),
        total=total,
        objective=objective,
        debug=debug,
    )


def _played(
    jobs: Sequence[Planned], task: SweepJob, launching: Launching, config: DictConfig
) -> bool:
    """Play what is left of `jobs`, or search, and return whether that was stopped."""
    sweep = SweepFolder(task.folder)
    left = [job for job in jobs if not job.is_whole]
    if task.before:
        print(f"{task.before} of {task.total} jobs were finished before", file=sys.stderr)

    def work() -> None:
        if launching.searches:
            _search(config, task)
        elif left:
            launcher = launcher_of(config, task)
            launch_all(
                [replace(job.record, session=task.session) for job in left],
                [job.job.overrides for job in left],
                lambda batch, first: launcher.launch(batch, initial_job_idx=first),
                sweep,
                batch_size(config, launching),
            )

    try:
        if launching.is_here:
            work()
        else:
            attend(work, task)
    except KeyboardInterrupt:
        return True
    except LaunchError as error:
        # what was played before is told all the same
        print(f"valuesim: error: {clean(error)}", file=sys.stderr)
    return bool(sweep.stops_asked())


def _search(config: DictConfig, task: SweepJob) -> None:
    try:
        search(config, task)
    except (HydraException, OmegaConfBaseException, ValueSimError):
        raise
    except Exception as error:
        # the jobs have told why they gave no figure; a search without any has no best one
        if "No trials are completed" not in str(error):
            raise LaunchError(f"the search ended: {type(error).__name__}: {error}") from error


def _rows(jobs: Sequence[Planned], task: SweepJob) -> list[JobRow]:
    """Return how each job stands; of a search, each that the present command asked for."""
    sweep = SweepFolder(task.folder)
    records = sweep.records()
    if jobs:
        kept = [
            replace(now, settings=job.record.settings, number=job.record.number)
            if (now := records.get(job.record.name)) is not None and now.session == task.session
            else job.record
            for job in jobs
        ]
    else:
        kept = [each for each in records.values() if each.session == task.session]
    kept.sort(key=lambda record: record.number)
    return [row_of(sweep.path / record.name, record) for record in kept]


def _objective(given: str | None, launching: Launching) -> str | None:
    """Return the figure to search by, `given`; raise InputError where none is, or none is due."""
    if given is not None:
        check_objective(given)
    if launching.searches and given is None:
        raise InputError(
            f"hydra/sweeper={launching.sweeper} needs a figure to search by: add {OBJECTIVE}=NAME "
            f"({', '.join(objectives())})"
        )
    if given is not None and not launching.searches:
        raise InputError(f"{OBJECTIVE} is for a search: add hydra/sweeper=optuna")
    return given


def _for_hydra(prepared: Sequence[str], launching: Launching, folder: Path) -> list[str]:
    """Return what the whole sweep is composed from: all jobs are below `folder`."""
    own = [each for each in prepared if not each.startswith("hydra")]
    quoted = str(folder.absolute()).replace("\\", "\\\\").replace("'", "\\'")
    return [*own, *launching.settings, f"hydra.sweep.dir='{quoted}'"]


def _last(overrides: Sequence[str], key: str) -> str | None:
    given = [each.partition("=")[2] for each in overrides if each.startswith(f"{key}=")]
    return given[-1].strip("'\"") if given else None

"""`valuesim run -m`: a sweep, one run folder for each job, whoever plays it and whatever fails."""

from __future__ import annotations

import os
import re
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
    check_no_key,
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
from valuesim.overrides import OBJECTIVE, parse


def sweep(overrides: Sequence[str], json_target: str | None, *, debug: bool = False) -> int:
    """Play a run for each combination of the swept settings; return 1 if any is not finished.

    Each job has a folder below `run.name`, or below runs/<date>/<time>, by which the same command,
    or one of a larger sweep, finds it again. None is played if a setting of one is bad. A job that
    fails does not end the others; a stop (Ctrl-C) ends the sweep. `debug` is as in `play_into`.
    """
    prepared = prepare(overrides, sweeping=True)
    shown = run_folder(_name(overrides), datetime.now())
    check_json_target(json_target, shown)
    with hydra_ready() as loader:
        parsed = typed_settings(prepared, loader)
        launching = launching_of(parsed)
        check_no_key(overrides, launching)
        objective = _objective(_last(overrides, OBJECTIVE), launching)
        found = [] if launching.searches else combinations(parsed, launching)
        config = master_config(_for_hydra(prepared, launching, shown))
        size = batch_size(config, launching)
        direction = direction_of(config) if launching.searches else None
        total = config.hydra.sweeper.n_trials if launching.searches else len(found)
        task = _task(shown, parsed, total, objective, debug=debug)
        folder = SweepFolder(task.folder)
        with folder.held():
            jobs = list(planned(found, folder, shown, task.swept, task.session))
            task = replace(task, before=sum(job.is_whole for job in jobs))
            was_stopped = _played(jobs, task, launching, config, size)
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
    jobs: Sequence[Planned],
    task: SweepJob,
    launching: Launching,
    config: DictConfig,
    size: int | None,
) -> bool:
    """Play what is left of `jobs`, `size` at once, or search; return whether that was stopped."""
    left = [job for job in jobs if not job.is_whole]
    if task.before:
        print(f"{task.before} of {task.total} jobs were finished before", file=sys.stderr)

    def work() -> None:
        if launching.searches:
            _search(config, task)
        elif left:
            _hand_over(left, task, config, size)

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
    return bool(SweepFolder(task.folder).stops_asked())


def _hand_over(
    left: Sequence[Planned], task: SweepJob, config: DictConfig, size: int | None
) -> None:
    launcher = launcher_of(config, task)
    launch_all(
        [replace(job.record, session=task.session) for job in left],
        [job.job.overrides for job in left],
        lambda batch, first: launcher.launch(batch, initial_job_idx=first),
        SweepFolder(task.folder),
        size,
    )


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
    # Hydra reads backslashes before a quotation mark, OmegaConf those before an interpolation
    escaped = str(folder.absolute()).replace("${", "\\${")
    doubled = re.sub(r"(\\+)(?='|\Z)", lambda found: found[1] * 2, escaped)
    quoted = doubled.replace("'", "\\'")
    return [*own, *launching.settings, f"hydra.sweep.dir='{quoted}'"]


def _name(overrides: Sequence[str]) -> str | None:
    """Return the name of the whole sweep; raise InputError where jobs would have several."""
    given = _last(overrides, "run.name")
    if given is not None and "${" in given:
        raise InputError(
            f"run.name={given} would differ from job to job, and a sweep has one folder: leave "
            "out ${...}"
        )
    return given


def _last(overrides: Sequence[str], key: str) -> str | None:
    """Return what the last of `overrides` sets `key` to, however it is written; None if none."""
    given = [each for each in map(parse, overrides) if each.key_or_group == key]
    if not given or given[-1].is_delete():
        return None
    last = given[-1]
    value = last.get_value_string() if last.is_sweep_override() else last.value()
    return None if value is None else str(value)

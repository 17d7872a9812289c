"""Hands the jobs of a sweep to a launcher until each has ended, whatever becomes of processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from valuesim.cli.heeding import first_line
from valuesim.cli.job import FAILED, RUNNING, WAITING, JobRecord
from valuesim.cli.sweep_folder import SweepFolder
from valuesim.cli.terminal import clean
from valuesim.errors import ValueSimError

Launch = Callable[[Sequence[Sequence[str]], int], object]


class LaunchError(ValueSimError):
    """A launcher could not begin any job."""


def launch_all(
    jobs: Sequence[JobRecord],
    overrides: Sequence[Sequence[str]],
    launch: Launch,
    sweep: SweepFolder,
    size: int | None,
) -> None:
    """Hand each of `jobs`, made by its `overrides`, to `launch`, at most `size` of them at once.

    A launcher raises when a process of it was killed, and the other jobs may go with it: those that
    had not begun are handed over again, those that had, each by itself and once. A job whose
    process is killed then as well has failed, which its record tells. Nothing is handed over any
    more once the sweep is told to stop. Raises LaunchError if a launcher begins no job at all.
    """
    made = dict(zip((job.name for job in jobs), overrides, strict=True))
    left, suspects, handed = list(jobs), list[JobRecord](), 0
    while (left or suspects) and not sweep.stops_asked():
        batch = left[: size or len(left)] if left else suspects[:1]
        crash = _crash(launch, [made[job.name] for job in batch], handed)
        handed += len(batch)
        if not left:
            suspects = suspects[1:]
            if crash is not None:
                _give_up(batch[0], sweep, crash)
            continue
        left = left[len(batch) :]
        if crash is not None:
            stands = {job.name: _status(job, sweep) for job in batch}
            if set(stands.values()) == {WAITING}:
                raise LaunchError(f"no job could be begun: {first_line(crash)}") from crash
            suspects += [job for job in batch if stands[job.name] == RUNNING]
            left = [job for job in batch if stands[job.name] == WAITING] + left


def _crash(launch: Launch, batch: Sequence[Sequence[str]], first: int) -> Exception | None:
    try:
        launch(batch, first)
    except Exception as error:  # noqa: BLE001 (each launcher has errors of its own: it is told)
        return error
    return None


def _status(job: JobRecord, sweep: SweepFolder) -> str:
    found = sweep.record(job.name)
    return found.status if found is not None and found.session == job.session else WAITING


def _give_up(job: JobRecord, sweep: SweepFolder, crash: Exception) -> None:
    if _status(job, sweep) not in (RUNNING, WAITING):
        return
    why = f"its process ended: {first_line(crash)}"
    told = f"{clean(sweep.path / job.name)} failed: {why}"
    begun = sweep.record(job.name) or job
    sweep.keep(replace(begun, session=job.session, status=FAILED, why=why, told=told, exit_code=1))

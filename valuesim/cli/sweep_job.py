"""What plays one job of a sweep, in the sweep's own process or in another, anywhere."""

from __future__ import annotations

import os
import socket
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from valuesim.cli.ending import STOPPED, as_json, exit_code, sentence, without_keys
from valuesim.cli.heeding import hand_back, heeding, is_time_over
from valuesim.cli.job import FAILED, FINISHED, INTERRUPTED, RUNNING, Job, JobRecord, job_of
from valuesim.cli.job_row import row_of
from valuesim.cli.run import play_into
from valuesim.cli.stopping import terminate_as_interrupt
from valuesim.cli.sweep_folder import SweepFolder, wait_for_writer
from valuesim.cli.terminal import clean
from valuesim.config import RunConfig, typed
from valuesim.engine import Summary
from valuesim.errors import STOPPED as STOPPED_RUN
from valuesim.errors import InputError, LogError, ValueSimError
from valuesim.secrets import secrets

OUT_OF_TIME = "the time of its process was over"


def here() -> tuple[str, int]:
    """Return what names this process: its machine and its id."""
    return socket.gethostname(), os.getpid()


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepJob:
    """Plays the job that Hydra composed: what a launcher calls, and pickles to call elsewhere.

    `folder` is the sweep's (absolute), `shown` as it was given, `swept` the keys that it varies,
    `session` names the present command and `process` its process (see `here`). Of `total` jobs
    `before` were finished when it began. `objective` names the figure that is returned, for a
    sweeper that searches.
    """

    folder: Path
    shown: Path
    swept: tuple[str, ...]
    session: str
    process: tuple[str, int]
    total: int
    before: int = 0
    objective: str | None = None
    debug: bool = False

    def __call__(self, composed: DictConfig) -> float | None:
        """Play, keep a record of what became of it, and return the objective if one is wanted.

        Raises KeyboardInterrupt in the sweep's own process if it was stopped, and LogError where
        the objective is undetermined. Whatever else ends the job is in its record alone.
        """
        config = typed(composed)
        job = job_of(config, [str(each) for each in HydraConfig.get().overrides.task], self.swept)
        if self.process != here():
            record = self._play_elsewhere(job, config)
        else:
            # playing the job before this one has let go of the signal
            terminate_as_interrupt()
            record = self._play(job, config)
            ended = self.before + int(HydraConfig.get().job.num) + 1
            print(line_of(record, ended, self.total), file=sys.stderr)
            if record.exit_code == STOPPED:
                raise KeyboardInterrupt
        if self.objective is None:
            return None
        if record.status != FINISHED:
            raise LogError(f"the job is not finished: {record.why or record.status}")
        return row_of(self.folder / record.name, record).figure(self.objective)

    def _play_elsewhere(self, job: Job, config: RunConfig) -> JobRecord:
        if config.engine.progress == "bar":
            # its output is a file
            config = replace(config, engine=replace(config.engine, progress="lines"))
        name = SweepFolder(self.folder).place_of(job, self.swept).name
        sweep = SweepFolder(self.folder)
        with _told_in(sweep.log_of(name)):
            record = self._play(job, config)
        if record.status == INTERRUPTED and is_time_over(self.folder):
            record = replace(record, why=OUT_OF_TIME)
            sweep.keep(record)
            if refused := hand_back(self.folder):
                why = without_keys(refused, _hidden())
                record = replace(record, why=f"{OUT_OF_TIME}, and it is not queued again: {why}")
                sweep.keep(record)
        return record

    def _play(self, job: Job, config: RunConfig) -> JobRecord:
        """Play the job, and return its record, which is kept unless the sweep was stopped."""
        sweep = SweepFolder(self.folder)
        name = sweep.place_of(job, self.swept).name
        before = sweep.record(name)
        record = JobRecord(
            name=name,
            overrides=tuple(without_keys(each, _hidden()) for each in job.overrides),
            settings=job.settings,
            number=int(HydraConfig.get().job.num),
            session=self.session,
            seconds=before.seconds if before is not None else 0.0,
        )
        if sweep.stops_asked():
            return record
        sweep.keep(replace(record, status=RUNNING))
        began = time.monotonic()
        record = self._attempt(config, record)
        record = replace(record, seconds=record.seconds + time.monotonic() - began)
        sweep.keep(record)
        return record

    def _attempt(self, config: RunConfig, record: JobRecord) -> JobRecord:
        sweep = SweepFolder(self.folder)
        is_here = self.process == here()
        # elsewhere the working folder may be another one
        folder = (self.shown if is_here else self.folder) / record.name
        told = self.shown / record.name
        try:
            with nullcontext() if is_here else heeding(self.folder):
                if not wait_for_writer(folder, lambda: not sweep.stops_asked()):
                    return _stopped(record, told)
                summary = play_into(folder, config, debug=self.debug)
        except KeyboardInterrupt:
            return _stopped(record, told)
        except ValueSimError as error:
            return _failed(record, told, str(error), 2 if isinstance(error, InputError) else 1)
        except Exception as error:  # noqa: BLE001 (a bug in one job must not end the others)
            if self.debug:
                traceback.print_exc()
            why = f"{type(error).__name__}: {error} (a bug; --debug shows where)"
            return _failed(record, told, why, 1)
        return _ended(record, told, summary)


def line_of(record: JobRecord, ended: int, total: int) -> str:
    """Return the line that tells how a job ended, as the `ended`-th of `total`."""
    return f"{ended} of {total} jobs: {record.told}"


def _ended(record: JobRecord, folder: Path, summary: Summary) -> JobRecord:
    why = summary.spent or "; ".join(summary.interrupted)
    return replace(
        record,
        status=FINISHED if summary.is_whole else INTERRUPTED,
        why="" if summary.is_whole else STOPPED_RUN if summary.stopped else why,
        told=sentence(summary, folder),
        exit_code=exit_code(summary),
        summary=as_json(summary),
    )


def _stopped(record: JobRecord, folder: Path) -> JobRecord:
    told = f"{clean(folder)}: {STOPPED_RUN}"
    return replace(record, status=INTERRUPTED, why=STOPPED_RUN, told=told, exit_code=STOPPED)


def _failed(record: JobRecord, folder: Path, why: str, code: int) -> JobRecord:
    why = without_keys(clean(why), _hidden())
    told = f"{clean(folder)} failed: {why}"
    return replace(record, status=FAILED, why=why, told=told, exit_code=code)


def _hidden() -> tuple[str, ...]:
    return secrets(os.environ)


@contextmanager
def _told_in(log: Path) -> Iterator[None]:
    """Append what is printed in the block to `log`."""
    with log.open("a") as stream, redirect_stdout(stream), redirect_stderr(stream):
        yield

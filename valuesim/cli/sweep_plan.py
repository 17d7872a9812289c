"""The jobs of a sweep before any is played: every combination, checked, and what is left of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from hydra import compose as hydra_compose
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override

from valuesim.cli.connecting import secrets_of
from valuesim.cli.ending import as_json, sentence
from valuesim.cli.job import FINISHED, INTERRUPTED, REST, Job, JobRecord, job_of
from valuesim.cli.launching import Launching, is_hydra
from valuesim.cli.person import HUMAN
from valuesim.cli.run import check, logged_design
from valuesim.cli.sweep_folder import SweepFolder
from valuesim.config import RunConfig, typed
from valuesim.engine import Summary, plan
from valuesim.errors import InputError, LogError
from valuesim.log.reader import EpisodeRecord, read_run
from valuesim.log.segments import log_folders
from valuesim.log.standing import Standing


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """A job that is to be played, or that is finished already: with its record so far."""

    job: Job
    record: JobRecord
    is_whole: bool


def typed_settings(prepared: Sequence[str], loader: ConfigLoader) -> list[Override]:
    """Return `prepared` as overrides whose globs know what there is; see `config.prepare`."""
    parser = OverridesParser.create(config_loader=loader)
    parsed: list[Override] = parser.parse_overrides(list(prepared))
    return parsed


def swept_keys(overrides: Sequence[Override]) -> tuple[str, ...]:
    """Return the keys of which `overrides` give several values."""
    return tuple(
        each.key_or_group for each in overrides if each.is_sweep_override() and not is_hydra(each)
    )


def combinations(
    overrides: Sequence[Override], launching: Launching
) -> list[tuple[Job, RunConfig]]:
    """Return the jobs that `overrides` make, each checked, with what it plays, in `hydra_ready`.

    Raises InputError for settings of one that are wrong, or for two that are the same run.
    """
    own = [each for each in overrides if not is_hydra(each)]
    swept = swept_keys(overrides)
    has_glob = any(isinstance(each.value(), Glob) for each in own if each.is_sweep_override())
    jobs: dict[str, tuple[Job, RunConfig]] = {}
    for settings in product(*map(_levels, own)):
        config = typed(hydra_compose("config", overrides=list(settings)))
        check_job(config, launching)
        job = job_of(config, settings, swept)
        if job.key in jobs and has_glob:
            # two names of one thing
            continue
        if job.key in jobs:
            told = " and ".join(_told(each) for each in (jobs[job.key][0], job))
            raise InputError(f"two jobs of the sweep are the same run: {told}: leave one out")
        jobs[job.key] = job, config
    return list(jobs.values())


def check_job(config: RunConfig, launching: Launching) -> None:
    """Raise InputError for what is seen to be wrong with a job before anything is played."""
    check(config)
    agents = [each for given in config.agents.values() for each in _listed(given)]
    if HUMAN in agents and not launching.is_here:
        raise InputError(
            f"agents={HUMAN} does not go with hydra/launcher={launching.launcher}: a person is "
            "asked on this terminal, by one job after the other"
        )


def planned(
    jobs: Sequence[tuple[Job, RunConfig]],
    sweep: SweepFolder,
    shown: Path,
    swept: Sequence[str],
    session: str,
) -> Iterator[Planned]:
    """Yield each job with its record, and whether its run is whole."""
    for number, (job, config) in enumerate(jobs):
        folder = sweep.place_of(job, swept)
        record = sweep.record(folder.name) or JobRecord(name=folder.name)
        record = replace(record, name=folder.name, settings=job.settings, number=number)
        stands = _standing(folder, config)
        if stands.is_whole:
            record = _finished(record, shown, stands, session)
        else:
            record = _open(record, stands)
        yield Planned(job=job, record=record, is_whole=stands.is_whole)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Standing:
    """How many of the `wanted` episodes a run has; None where questions are still to be chosen."""

    wanted: int | None
    finished: int = 0
    has_all_decisions: bool = True

    @property
    def is_whole(self) -> bool:
        return self.finished == self.wanted and self.has_all_decisions


def _standing(folder: Path, config: RunConfig) -> _Standing:
    if config.adaptive() is not None:
        return _Standing(wanted=None)
    ids = {spec.id for spec in plan(logged_design(config, secrets_of(config)))}
    try:
        is_run = (folder / "run.yaml").is_file()
        episodes = read_run(folder).episodes if is_run else {}
    except LogError:
        # the run itself tells what is wrong with it
        episodes = {}
    return _Standing(
        wanted=len(ids),
        finished=len(ids & episodes.keys()),
        has_all_decisions=_has_all(folder, episodes),
    )


def _has_all(folder: Path, episodes: Mapping[str, EpisodeRecord]) -> bool:
    """Return whether the log in `folder` holds every decision of its finished `episodes`."""
    parts = log_folders(folder)
    logged = sum(_lines(part / "decisions.jsonl") for part in parts)
    made = sum(episode.decisions for episode in episodes.values())
    if logged <= made:
        return logged == made
    # some are of plays that did not finish, and count for none of these
    try:
        return episodes.keys() <= Standing(parts).finished
    except LogError:
        # the run itself tells what is wrong with it
        return False


def _lines(log: Path) -> int:
    if not log.is_file():
        return 0
    with log.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def _finished(record: JobRecord, shown: Path, stands: _Standing, session: str) -> JobRecord:
    """Return the record of a job of which nothing is left to play."""
    summary = Summary(planned=stands.finished, finished=stands.finished, played=0)
    return replace(
        record,
        session=session,
        status=FINISHED,
        why="",
        told=sentence(summary, shown / record.name),
        exit_code=0,
        summary=as_json(summary),
    )


def _open(record: JobRecord, stands: _Standing) -> JobRecord:
    """Return the record of a job as it stays if the present command does not come to it."""
    told: dict[str, Any] = {}
    if stands.wanted is not None:
        told = as_json(Summary(planned=stands.wanted, finished=stands.finished, played=0))
    if record.status == FINISHED:
        record = replace(record, status=INTERRUPTED, why=REST)
    return replace(record, exit_code=None, summary=told)


def _levels(override: Override) -> list[str]:
    """Return what `override` sets, once for each value it sweeps over."""
    if not override.is_sweep_override():
        return [override.input_line or ""]
    key = override.get_key_element()
    if not override.is_discrete_sweep():
        raise InputError(
            f"{override.key_or_group}={override.get_value_string()} is no list: add "
            "hydra/sweeper=optuna to search in it, or name values"
        )
    levels = [f"{key}={value}" for value in override.sweep_string_iterator()]
    if not levels:
        raise InputError(f"{override.key_or_group}={override.get_value_string()} names nothing")
    return levels


def _listed(given: object) -> list[object]:
    return given if isinstance(given, list) else [given]


def _told(job: Job) -> str:
    return ", ".join(f"{name}={value}" for name, value in job.settings.items()) or job.name

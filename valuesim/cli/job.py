"""One job of a sweep: which settings make it, the folder it is played into, how it stands."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from valuesim.cli.connecting import secrets_of
from valuesim.cli.ending import without_keys
from valuesim.config import RunConfig
from valuesim.engine.manifest import distinguishing, redacted

WAITING, RUNNING, FINISHED = "not begun", "running", "finished"
INTERRUPTED, FAILED = "interrupted", "failed"
REST = "the rest was not begun"
"""Why a job is interrupted that was finished, of a sweep that asks more of it now."""
_LONGEST_NAME = 80
_PARTS = re.compile(r"[^\w.-]+")
_HASHED = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One combination of a sweep's settings.

    `name` is its run folder within the sweep's: the swept settings in words, and `key`, which is
    the same for two jobs that are the same run. `overrides` are what Hydra takes, `settings` the
    swept ones among them as they were typed, without keys.
    """

    name: str
    key: str
    overrides: tuple[str, ...]
    settings: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRecord:
    """What became of a job, as a file of the sweep says.

    `name`, `overrides` and `settings` are as in `Job`, without keys. `number` is its place in the
    order of the sweep, from 0. `session` names the command that played it
    last, `status` is how that ended, with `why` where it is not finished, `told` in a sentence, and
    `exit_code` as a run of its own would have it. `summary` is what `valuesim run --json` tells of
    that session, `seconds` what all sessions took.
    """

    name: str
    overrides: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    number: int = 0
    session: str = ""
    status: str = WAITING
    why: str = ""
    told: str = ""
    exit_code: int | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain mappings; its time stands under "time"."""
        told = asdict(self)
        return told | {"schema": 1, "time": {"seconds": told.pop("seconds")}}

    @classmethod
    def of(cls, written: Mapping[str, Any]) -> JobRecord:
        """Return the record that `as_json` gave; raise KeyError or TypeError for anything else."""
        given = {name: written[name] for name in cls.__slots__ if name != "seconds"}
        given["overrides"] = tuple(given["overrides"])
        return cls(**given, seconds=float(written["time"]["seconds"]))


def job_of(config: RunConfig, overrides: Sequence[str], swept: Collection[str]) -> Job:
    """Return the job that plays `config`, made by `overrides`; `swept` are the keys it varies."""
    hidden = secrets_of(config)
    typed = [without_keys(each, hidden).lstrip("+").partition("=") for each in overrides]
    settings = {name: value for name, _, value in typed if name in swept}
    key = key_of(redacted(config.resolved(), hidden), swept)
    short = short_names(list(settings))
    told = "_".join(f"{short[name]}-{value}" for name, value in settings.items())
    readable = _PARTS.sub("-", told).strip("-._")[:_LONGEST_NAME].rstrip("-._")
    name = f"{readable}_{key}" if readable else f"job_{key}"
    return Job(name=name, key=key, overrides=tuple(overrides), settings=settings)


def key_of(config: Mapping[str, Any], swept: Collection[str]) -> str:
    """Return what names the run that the resolved `config` is, whatever else may differ.

    A setting that is as `RunConfig` has it counts as not given, so that one which a later version
    adds renames no job. What may differ when a run goes on counts only where it is `swept`.
    """
    usual = distinguishing(RunConfig().resolved(), also=swept)
    own = distinguishing(config, also=swept)
    told = {n: given for n, given in own.items() if n not in usual or usual[n] != given}
    written = orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.sha256(written).hexdigest()[:_HASHED]


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Return for each of `keys`, which differ, its last part, longer where two would be alike.

    >>> short_names(["env.level", "models.A.top_p", "models.B.top_p"])
    {'env.level': 'level', 'models.A.top_p': 'A.top_p', 'models.B.top_p': 'B.top_p'}
    """
    short = {}
    for key in keys:
        parts = key.split(".")
        ends = (".".join(parts[at:]) for at in range(len(parts) - 1, -1, -1))
        alone = (end for end in ends if sum(_ends(other, end) for other in keys) == 1)
        # the whole key may end another one: "steps" beside "env.steps"
        short[key] = next(alone, key)
    return short


def _ends(key: str, end: str) -> bool:
    return key == end or key.endswith(f".{end}")

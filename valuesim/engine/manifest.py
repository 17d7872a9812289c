"""What `run.yaml` says of a run: its configuration, seeds, versions, commit, platform and times."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import valuesim
from valuesim.engine.plan import SERVING
from valuesim.episode import EpisodeSpec
from valuesim.errors import InputError

SCHEMA = 1
_USED = ("gymnasium", "hydra-core", "networkx", "numpy", "pettingzoo", "scipy")
_USED_FOR_MODELS = ("langchain", "langchain-core", "langchain-openai")
_FREE = ("engine", "run")
_SECRET_NAME = re.compile(r"(?i)(api_?key|token|secret|password|authorization)$")
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")


def manifest(
    config: Mapping[str, Any],
    specs: Sequence[EpisodeSpec],
    *,
    secrets: Sequence[str],
    now: datetime,
) -> dict[str, Any]:
    """Return the content of `run.yaml` for a run that begins `now`; `secrets` are blotted out."""
    asks_a_model = any(p.model is not None for s in specs[:1] for p in s.population.values())
    return {
        "schema": SCHEMA,
        "config": redacted(config, secrets),
        "episodes": len(specs),
        "seeds": list(dict.fromkeys(spec.seed for spec in specs)),
        "versions": _versions(_USED + (_USED_FOR_MODELS if asks_a_model else ())),
        "commit": _commit(),
        "platform": platform.platform(),
        "time": {"started": now.isoformat(timespec="seconds"), "resumed": []},
    }


def resumed(stored: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    """Return `present` as the continuation of the run that `stored` describes.

    Raises InputError, naming the setting and both values, where another run is described: only
    engine.*, run.*, how a model is reached, and a larger number of episodes may differ.
    """
    was, now = _flat(stored.get("config", {})), _flat(present["config"])
    if now.get("episodes", 0) >= was.get("episodes", 0):
        now["episodes"] = was.get("episodes")
    for key in sorted(was.keys() | now.keys()):
        if not _is_free(key) and was.get(key) != now.get(key):
            raise InputError(
                f"this folder holds a run with {key}={was.get(key)!r}, not {now.get(key)!r}: "
                "give the same setting to resume it, or another run.name"
            )
    times = stored.get("time", {})
    again = [*times.get("resumed", []), present["time"]["started"]]
    return dict(present) | {"time": {"started": times.get("started"), "resumed": again}}


def redacted(config: Any, secrets: Sequence[str], name: str = "") -> Any:
    """Return `config` without secrets: values under secret names, `secrets`, and URLs' log-ins."""
    if isinstance(config, Mapping):
        return {key: redacted(value, secrets, str(key)) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return [redacted(value, secrets, name) for value in config]
    if not isinstance(config, str):
        return config
    if _SECRET_NAME.search(name):
        return "REDACTED"
    for secret in secrets:
        config = config.replace(secret, "REDACTED")
    return _USER_INFO.sub("REDACTED@", config)


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _is_free(key: str) -> bool:
    root, _, name = key.partition(".")
    if root == "models":
        name = name.rpartition(".")[2]
    return root in _FREE or (root in ("model", "models") and name in SERVING)


def _versions(packages: Sequence[str]) -> dict[str, str]:
    versions = {"valuesim": valuesim.__version__, "python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _commit() -> str | None:
    """Return the commit of this package's checkout, with "+" if changed; None outside one."""
    folder = Path(__file__).resolve().parents[2]
    if not (folder / ".git").exists():
        return None
    commit = _git(folder, "rev-parse", "HEAD")
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return commit and commit + ("+" if changed else "")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        told = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=5
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return told.stdout.strip() if told.returncode == 0 else None

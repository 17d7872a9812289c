"""What a bench is made of: the parts of a suite as runs of one entry, and the file that says so."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from hydra.core.override_parser.types import Override

from valuesim import registry
from valuesim.agents.interventions import environments_of, needing_chain
from valuesim.cli.run import check
from valuesim.config import RunConfig, compose
from valuesim.engine.plan import Design, plan
from valuesim.errors import InputError, unknown
from valuesim.log import RunFolder, read_run
from valuesim.log.files import check_regular
from valuesim.log.whole import whole
from valuesim.overrides import parse
from valuesim.suites import Played, Suite, digest_of, load_suite
from valuesim.suites.definition import Part

FILE = "bench.yaml"
_SCHEMA = 1
_FREE = ("agents", "model", "engine", "run", "intervention", "elicitation")
_FIXED = ("env", "cross", "episodes", "chain", "seed")
"""The settings of a run that its part fixes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """A suite as one entry plays it: a configuration and a number of episodes for each part.

    `closed` says why the entry cannot play a part, by part. `overrides` are those that were typed,
    without `name`, the folder's.
    """

    suite: Suite
    digest: str
    is_quick: bool
    name: str | None
    overrides: tuple[str, ...]
    configs: Mapping[str, RunConfig]
    planned: Mapping[str, int]
    closed: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """What `bench.yaml` in a folder says: what was begun there, and on which date."""

    suite: Suite
    digest: str
    is_quick: bool
    planned: Mapping[str, int]
    closed: Mapping[str, str]
    date: str | None


def bench_of(suite: Suite, overrides: Sequence[str], *, is_quick: bool) -> Bench:
    """Return `suite` as the entry of `overrides` plays it.

    Raises InputError for a setting that the suite fixes, for an entry that can play none of it, and
    where environments, words or prompts are not those that the suite was fixed with.
    """
    parsed = {text: parse(text) for text in overrides}
    _check_free(suite, parsed.values())
    typed = [text for text, each in parsed.items() if each.key_or_group != "run.name"]
    names = [each.value() for each in parsed.values() if each.key_or_group == "run.name"]
    designs = {part.name: _design(part, is_quick=is_quick) for part in suite.parts}
    agent, made = _entry(parsed.values())
    told = {name: _closed(each, agent, made) for name, each in designs.items()}
    closed = {name: why for name, why in told.items() if why is not None}
    if len(closed) == len(suite.parts):
        raise InputError(f"{agent} can play no part of {suite.id}: {next(iter(closed.values()))}")
    return Bench(
        suite=suite,
        digest=_checked_digest(suite),
        is_quick=is_quick,
        name=None if not names or names[-1] is None else str(names[-1]),
        overrides=tuple(typed),
        configs={
            part.name: _checked([*_settings(part, is_quick=is_quick), *typed], suite)
            for part in suite.parts
            if part.name not in closed
        },
        planned={name: len(plan(each)) for name, each in designs.items()},
        closed=closed,
    )


def _checked(typed: Sequence[str], suite: Suite) -> RunConfig:
    config = compose(typed)
    for setting in needing_chain(config.intervention) if config.chain == 1 else ():
        raise InputError(
            f"{setting} goes from one episode to the next, and in {suite.id} none follows another: "
            "leave it out"
        )
    check(config)
    return config


def current_digest(suite: Suite) -> str:
    """Return the digest of what `suite` asks with the environments and words that there are now."""
    designs = {part.name: _design(part, is_quick=False) for part in suite.parts}
    return digest_of(suite, {name: plan(each) for name, each in designs.items()})


def settle(folder: Path, bench: Bench, date: str | None, today: str) -> None:
    """Write `bench.yaml` into `folder`, or check that what it says there is the same.

    It keeps `date`, or `today` where None was given. Raises InputError where another suite, digest,
    size or date was begun there, or something else is.
    """
    path = folder / FILE
    if path.is_file():
        _check_same(folder, _told(path), bench, date)
        return
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty and holds no bench: give another run.name")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError(
            f"{folder} cannot be a folder, as a file is in its place: give another run.name"
        ) from error
    content = {
        "schema": _SCHEMA,
        "suite": bench.suite.id,
        "digest": bench.digest,
        "quick": bench.is_quick,
        "planned": dict(bench.planned),
        "closed": dict(bench.closed),
        "time": {"date": today if date is None else date},
    }
    with whole(path) as draft:
        draft.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def _check_same(folder: Path, began: Stored, bench: Bench, date: str | None) -> None:
    for what, was, now in (
        ("date", began.date, began.date if date is None else date),
        ("suite", began.suite.id, bench.suite.id),
        ("digest", began.digest, bench.digest),
        ("quick", began.is_quick, bench.is_quick),
    ):
        if was != now:
            raise InputError(
                f"{folder} holds a bench with {what} {was}, not {now}: give another run.name"
            )


def stored(folder: Path) -> Stored:
    """Return what was begun in `folder`; raise InputError if it holds no bench."""
    path = folder / FILE
    if not path.is_file():
        raise InputError(f"{folder} holds no bench: there is no {FILE} in it")
    return _told(path)


def played(folder: Path, began: Stored) -> dict[str, Played]:
    """Return what there is of each part in `folder`.

    Raises InputError where a run there is not the part that its name says.
    """
    found = {}
    for part in began.suite.parts:
        run = None
        if part.name not in began.closed and (folder / part.name / "run.yaml").is_file():
            run = read_run(folder / part.name)
            _check_run(run, part, is_quick=began.is_quick)
        found[part.name] = Played(
            planned=began.planned[part.name], run=run, closed=began.closed.get(part.name)
        )
    return found


def _check_run(run: RunFolder, part: Part, *, is_quick: bool) -> None:
    wanted = _composed(part, is_quick=is_quick).resolved()
    has = run.config.get("config") or {}
    for key in _FIXED:
        if key in has and has[key] != wanted[key]:
            raise InputError(f"{run.path} is not the part {part.name}: its {key} is {has[key]!r}")


def _told(path: Path) -> Stored:
    check_regular(path)
    try:
        told: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        suite = load_suite(str(told["suite"]))
        planned = {part.name: int(told["planned"][part.name]) for part in suite.parts}
        closed = {str(name): str(why) for name, why in told["closed"].items()}
        found = Stored(
            suite=suite,
            digest=str(told["digest"]),
            is_quick=bool(told["quick"]),
            planned=planned,
            closed=closed,
            date=(told.get("time") or {}).get("date"),
        )
    except (yaml.YAMLError, UnicodeDecodeError, TypeError, KeyError, ValueError) as error:
        raise InputError(f"{path} does not say which suite was begun: {error!r:.200}") from error
    if found.digest != suite.digest:
        raise InputError(
            f"{path} is of {suite.id} with digest {found.digest}, and this valuesim has "
            f"{suite.digest}: use the valuesim that played it"
        )
    return found


def _checked_digest(suite: Suite) -> str:
    found = current_digest(suite)
    if found != suite.digest:
        raise InputError(
            f"{suite.id} was fixed with digest {suite.digest}, and what this valuesim would ask "
            f"has {found}: environments, words or prompts were changed, which needs a new version "
            "of the suite (docs/benchmark.md)"
        )
    return found


def _settings(part: Part, *, is_quick: bool) -> list[str]:
    return [*part.settings, *([f"episodes={part.quick}"] if is_quick else [])]


@cache
def _design(part: Part, *, is_quick: bool) -> Design:
    return _composed(part, is_quick=is_quick).design()


@cache
def _composed(part: Part, *, is_quick: bool) -> RunConfig:
    """Return the part as a content-blind agent plays it, which plays everything."""
    return compose([*_settings(part, is_quick=is_quick), "agents=random"])


def _check_free(suite: Suite, overrides: Collection[Override]) -> None:
    keys = [override.key_or_group for override in overrides]
    for override in overrides:
        key = override.key_or_group
        root = key.replace("/", ".").partition(".")[0]
        if root not in _FREE or key.startswith(("agents.", "elicitation.")) or _is_partial(key):
            raise InputError(
                f"{key} cannot be set, for {suite.id} fixes it: only agents=NAME, model, "
                f"intervention, elicitation=NAME, engine and run.name may be given"
            )
        if key == "elicitation" and override.value() not in suite.elicitations:
            raise InputError(unknown("elicitation", override.value(), suite.elicitations, suite.id))
    if "agents" not in keys:
        raise InputError(f"say who plays {suite.id}: add agents=NAME, or agents=llm and a model")


def _is_partial(key: str) -> bool:
    return key.startswith("intervention.") and key.endswith(".roles")


def _entry(overrides: Collection[Override]) -> tuple[str, list[str]]:
    """Return the agent that is tried, and the interventions that are made on it."""
    given = {override.key_or_group: override for override in overrides}
    agent = given["agents"].value()
    made = given["intervention"].value() if "intervention" in given else None
    if not isinstance(agent, str):
        typed = given["agents"].get_value_string()
        raise InputError(f"agents={typed} names several, and a card is of one: give agents=NAME")
    registry.agent_entry(agent)
    return agent, [str(name) for name in (made if isinstance(made, list) else [made]) if name]


def _closed(design: Design, agent: str, made: Sequence[str]) -> str | None:
    """Return why the entry cannot play `design`, None if it can."""
    envs = {design.env, *(env for env, _ in design.beside)}
    plays = getattr(registry.agent_entry(agent)[0].load(), "environments", None)
    if plays is not None and not envs <= set(plays):
        return f"{agent} does not play {', '.join(sorted(envs))}"
    for name in made:
        able = environments_of(name)
        if able is not None and not envs <= set(able):
            return f"intervention {name} is not made in {', '.join(sorted(envs))}"
    return None


def without(config: RunConfig, *, tokens: int, dollars: float, hours: float) -> RunConfig | None:
    """Return `config` with what is left of its budget after that was spent; None if nothing is."""
    engine = config.engine
    left = {
        "max_tokens": None if engine.max_tokens is None else engine.max_tokens - tokens,
        "max_cost": None if engine.max_cost is None else engine.max_cost - dollars,
        "max_hours": None if engine.max_hours is None else engine.max_hours - hours,
    }
    if any(each is not None and each <= 0 for each in left.values()):
        return None
    return replace(config, engine=replace(engine, **left))  # type: ignore[arg-type]

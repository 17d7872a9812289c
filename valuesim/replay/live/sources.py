"""What determines an episode that is not finished: from the plan of its run, or an earlier play.

A line of the log says it at the end alone. The plan is made anew from run.yaml; an episode is named
by what determines it, so that what bears its name is it, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice, product
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from valuesim import registry
from valuesim.errors import ValueSimError
from valuesim.log.files import INTERRUPTED_KEYS, MISSHAPEN, read_lines
from valuesim.log.pool import PARENT
from valuesim.log.reader import read_config
from valuesim.log.segments import log_folders
from valuesim.parameters import is_number
from valuesim.replay.branching.fork import changes_of, forked
from valuesim.replay.indexing.index import bounded
from valuesim.replay.indexing.naming import id_of
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.watching.moments import opened
from valuesim.spec import EpisodeSpec, Player

if TYPE_CHECKING:
    from valuesim.engine.plan import Design

_MOST_PLANNED = 20_000
_MOST_LEVELS = 1_000
_LARGEST = 100_000
_SETTINGS = (
    *("env", "agents", "model", "models", "elicitation", "intervention"),
    *("episodes", "chain", "seed", "cross"),
)
_FAILURES = (ValueSimError, OSError, *MISSHAPEN, LookupError, ArithmeticError, RecursionError)


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """What is known of an episode before it is finished; None, or nothing, where it is not known.

    `population` says by role who plays.
    """

    env: str | None = None
    condition: Mapping[str, Any] | None = None
    population: Mapping[str, Player] = field(default_factory=dict)
    seed: int | None = None
    elicitation: Mapping[str, Any] = field(default_factory=dict)


class Sources:
    """The sources of one run's episodes; its plan is made once for each state of run.yaml."""

    def __init__(self, run: Path) -> None:
        """Begin with nothing known."""
        self._run = run
        self._known: dict[str, Source] = {}
        self._config: Mapping[str, Any] = {}
        self._specs: Mapping[str, EpisodeSpec] = {}
        self._state: tuple[int, int] | None = None
        # what is known before the plan is made would be kept for good
        self._lock = Lock()

    @property
    def planned(self) -> int | None:
        """How many episodes run.yaml says the run has."""
        with self._lock:
            self._read()
        told = self._config.get("episodes")
        return told if type(told) is int and told >= 0 else None

    def of(self, shelf: Shelf, episode: str) -> Source:
        """Return what is known of `episode`; files are read below the shelf's root alone."""
        with self._lock:
            self._read(shelf.root)
            if episode not in self._known:
                if len(self._known) > _MOST_PLANNED:
                    self._known.clear()
                self._known[episode] = self._found(shelf, episode)
            return self._known[episode]

    def _found(self, shelf: Shelf, episode: str) -> Source:
        for find in (self._of_plan, self._of_parent, self._of_interruption):
            with suppress(*_FAILURES):
                if (found := find(shelf, episode)) is not None:
                    return found
        return Source(env=self._only_env())

    def _read(self, root: Path | None = None) -> None:
        with suppress(*_FAILURES):
            status = (self._run / "run.yaml").stat()
            state = (status.st_size, status.st_mtime_ns)
            if state != self._state:
                self._config = bounded(read_config(self._run), _LARGEST) or {}
                self._state, self._known, self._specs = state, {}, {}
                self._is_planned = False
        if root is not None and not self._is_planned:
            self._is_planned = True
            with suppress(*_FAILURES):
                self._specs = _planned(self._config, root)

    _is_planned = True

    def _of_plan(self, _: Shelf, episode: str) -> Source | None:
        spec = self._specs.get(episode)
        return None if spec is None else _source(spec)

    def _of_parent(self, shelf: Shelf, episode: str) -> Source | None:
        """Return the source of a branch: what it leaves, with what is changed there."""
        told = self._config.get(PARENT)
        if not isinstance(told, Mapping):
            return None
        parent = opened(shelf, id_of(str(told["run"])), str(told["episode"])).episode.spec
        spec = forked(parent, told["step"], changes_of(told["changes"]))
        if spec.id == episode:
            return _source(spec)
        # models are asked in another way than in the parent; who plays is told all the same
        return replace(_source(spec), elicitation={})

    def _of_interruption(self, _: Shelf, episode: str) -> Source | None:
        """Return what the line of an earlier play says, which did not finish."""
        for folder in log_folders(self._run):
            for _number, line in read_lines(folder / "interrupted.jsonl", INTERRUPTED_KEYS):
                if line["episode"] == episode and line.get("population"):
                    return Source(
                        env=str(line["env"]),
                        condition=line.get("condition"),
                        population={r: Player(**p) for r, p in line["population"].items()},
                        seed=line.get("seed"),
                        elicitation=line.get("elicitation") or {},
                    )
        return None

    def _only_env(self) -> str | None:
        """Return the environment that every episode is of, None where there may be several."""
        config = self._config.get("config")
        with suppress(*_FAILURES):
            if isinstance(config, Mapping) and "env" not in (config.get("cross") or {}):
                return registry.environment_id(str(config["env"]["id"]))
        return None


def _source(spec: EpisodeSpec) -> Source:
    condition = None
    with suppress(*_FAILURES):
        condition = registry.make(spec.env, **spec.parameters).condition
    return Source(
        env=spec.env,
        condition=condition,
        population=spec.population,
        seed=spec.seed,
        elicitation=spec.elicitation,
    )


def _planned(described: Mapping[str, Any], root: Path) -> dict[str, EpisodeSpec]:
    """Return the first episodes that a run.yaml plans, by id; none where that is not sure.

    Those of runs whose questions are chosen by the answers are not planned.
    """
    # it brings Hydra, which finished runs need not wait for
    from valuesim.config import RunConfig
    from valuesim.engine.plan import plan

    config = described.get("config")
    if not isinstance(config, Mapping) or (config.get("asking") or {}).get("id") == "adaptive":
        return {}
    settings = {name: config[name] for name in _SETTINGS if name in config}
    if not _is_modest(settings):
        return {}
    design = RunConfig(**settings).design()
    worlds = list(islice(_worlds(design), _MOST_LEVELS + 1))
    if len(worlds) > _MOST_LEVELS or not all(_stays(*world, root) for world in worlds):
        return {}
    cells = len(worlds) * len(design.groups) * len(design.arms)
    episodes = min(design.episodes, max(1, _MOST_PLANNED // cells))
    return {spec.id: spec for spec in plan(replace(design, episodes=episodes))}


def _worlds(design: Design) -> Iterator[tuple[str, dict[str, Any]]]:
    for env, given in ((design.env, design.parameters), *design.beside):
        for levels in product(*design.crossed.values()):
            yield env, {**given, **dict(zip(design.crossed, levels, strict=True))}


def _stays(env: str, parameters: Mapping[str, Any], root: Path) -> bool:
    """Return whether an environment reads no file that is not below `root`."""
    files = registry.environments()[env].load().reads(parameters)
    return all(file.resolve().is_relative_to(root) for file in files)


def _is_modest(settings: Mapping[str, Any]) -> bool:
    """Return whether no setting of an environment is so large that making it could take long."""
    waiting: list[object] = [settings.get("env"), settings.get("cross")]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping):
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
        elif is_number(each) and abs(each) > _LARGEST:  # type: ignore[arg-type]
            return False
    return True

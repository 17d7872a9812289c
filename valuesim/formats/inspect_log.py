"""Episodes as a log of Inspect, one sample each, for `inspect view` and `read_eval_log`.

This is the one module that needs inspect_ai (https://inspect.aisi.org.uk), which it loads itself.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from valuesim import __version__
from valuesim.errors import InputError
from valuesim.formats.exported import Exported, Source
from valuesim.formats.transcript import Line, decided, last_time, measured, put_first, transcript
from valuesim.log.reader import DecisionRecord, RunFolder
from valuesim.log.whole import whole

_SCORER = "valuesim"
_FAULTS, _FIRST = "fault rate", "put first"


def write_inspect(source: Source, path: Path) -> Exported:
    """Write the episodes of `source` to `path`, an .eval or .json log, whole or not at all.

    A sample holds an episode's messages (of all roles, each with its name, where several decide),
    the tokens used by model, and as scores its measures that are one number, the share of its
    decisions that were faults, and the value put first most. What each decision put first, or its
    fault, stands in the metadata. Raises InputError where inspect_ai is not
    installed.
    """
    log = _library("inspect_ai.log", path)
    episodes: defaultdict[str, list[DecisionRecord]] = defaultdict(list)
    for record in source.pool.decisions:
        episodes[record.episode.id].append(record)
    rules = _rules(source.runs)
    samples = [_sample(records, rules, path) for records in episodes.values()]
    content = log.EvalLog(
        status="success",
        eval=_spec(source, samples, path),
        results=_results(samples, path),
        stats=_stats(source, path),
        samples=samples,
    )
    with whole(path) as draft:
        kind = path.suffix.lower().removeprefix(".")
        log.write_eval_log(content, str(draft), format=kind)
    return Exported(files={path: len(source.pool.decisions)})


def _rules(runs: Sequence[RunFolder]) -> dict[str, str]:
    return {id: text for run in reversed(runs) for id, text in run.texts().items()}


def _sample(records: Sequence[DecisionRecord], rules: Mapping[str, str], path: Path) -> Any:
    log, model = _library("inspect_ai.log", path), _library("inspect_ai.model", path)
    episode = records[0].episode
    lines = transcript(records, rules.get(records[0].rules_id, ""))
    messages = [_message(model, episode.id, number, line) for number, line in enumerate(lines)]
    last = lines[-1]
    asked = next(number for number, line in enumerate(lines) if line.speaker == "user") + 1
    return log.EvalSample(
        id=episode.id,
        epoch=1,
        input=messages[:asked],
        target="",
        messages=messages,
        output=model.ModelOutput.from_content(model=last.model or "", content=last.text),
        scores=_scores(records, path),
        metadata={
            "env": episode.env,
            "condition": dict(episode.condition),
            "elicitation": dict(episode.elicitation),
            "seed": episode.seed,
            "players": {
                role: {"agent": player.agent, "model": player.model_name}
                | ({"interventions": made} if (made := player.interventions) else {})
                for role, player in episode.population.items()
            },
            "outcome": dict(episode.outcome),
            "measures": dict(episode.measures),
            "decisions": [{"role": r.role, "step": r.step} | decided(r) for r in records],
        },
        model_usage=_usage(records, path),
        uuid=_id(episode.id),
    )


def _message(model: Any, episode: str, number: int, line: Line) -> Any:
    id = _id(f"{episode}/{number}")
    facts = dict(line.facts) or None
    if line.speaker == "system":
        return model.ChatMessageSystem(id=id, content=line.text)
    if line.speaker == "user":
        return model.ChatMessageUser(id=id, content=line.text, metadata=facts)
    return model.ChatMessageAssistant(id=id, content=line.text, model=line.model, metadata=facts)


def _scores(records: Sequence[DecisionRecord], path: Path) -> dict[str, Any]:
    score = _library("inspect_ai.scorer", path).Score
    scores = {name: score(value=number) for name, number in measured(records[0].episode).items()}
    faults = Counter(str(record.fault) for record in records if record.fault is not None)
    scores[_FAULTS] = score(
        value=sum(faults.values()) / len(records),
        explanation=f"{sum(faults.values())} of {len(records)} decisions are no choice",
        metadata={"by_kind": dict(faults)},
    )
    net = put_first(records)
    if net:
        told = "\n".join(f"{value}: {number:+.2f}" for value, number in net.items())
        about = "decisions that put the value first, less those that put it behind"
        scores[_FIRST] = score(
            value=next(iter(net)), explanation=f"{about}:\n{told}", metadata={"net": net}
        )
    return scores


def _usage(records: Sequence[DecisionRecord], path: Path) -> dict[str, Any]:
    kind = _library("inspect_ai.model", path).ModelUsage
    tokens: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        if record.player.model_name is not None:
            tokens[record.player.model_name].update(record.usage)
    return {
        name: kind(
            input_tokens=used["prompt_tokens"],
            output_tokens=used["completion_tokens"],
            total_tokens=used["prompt_tokens"] + used["completion_tokens"],
            reasoning_tokens=used["reasoning_tokens"],
        )
        for name, used in tokens.items()
        if used.total()
    }


def _spec(source: Source, samples: Sequence[Any], path: Path) -> Any:
    log = _library("inspect_ai.log", path)
    episodes = {record.episode.id: record.episode for record in source.pool.decisions}
    players = {
        player.model_name or player.agent: None
        for episode in episodes.values()
        for player in episode.population.values()
    }
    envs = sorted({episode.env for episode in episodes.values()})
    ids = [sample.id for sample in samples]
    key = "/".join(ids)
    return log.EvalSpec(
        eval_id=_id(key),
        run_id=_id(f"run/{key}"),
        task_id=_id(f"task/{key}"),
        created=_started(source.runs),
        task=_plain("+".join(envs)),
        model=_plain(", ".join(players)),
        dataset=log.EvalDataset(name=_plain("+".join(envs)), samples=len(samples), sample_ids=ids),
        config=log.EvalConfig(epochs=1),
        packages={"valuesim": __version__},
        metadata={"runs": [run.path.name for run in source.runs], "notes": list(source.pool.notes)},
    )


def _results(samples: Sequence[Any], path: Path) -> Any:
    """Return the mean of each score over samples, with its standard error from two samples on."""
    log = _library("inspect_ai.log", path)
    scores = []
    for name, numbers in _numeric(samples).items():
        metrics = {"mean": log.EvalMetric(name="mean", value=fmean(numbers))}
        if len(numbers) > 1:
            error = stdev(numbers) / len(numbers) ** 0.5
            metrics["stderr"] = log.EvalMetric(name="stderr", value=error)
        scores.append(
            log.EvalScore(
                name=name,
                scorer=_SCORER,
                scored_samples=len(numbers),
                unscored_samples=len(samples) - len(numbers),
                metrics=metrics,
            )
        )
    return log.EvalResults(
        total_samples=len(samples), completed_samples=len(samples), scores=scores
    )


def _numeric(samples: Sequence[Any]) -> dict[str, list[float]]:
    numbers: defaultdict[str, list[float]] = defaultdict(list)
    for sample in samples:
        for name, score in sample.scores.items():
            if isinstance(score.value, int | float):
                numbers[name].append(float(score.value))
    return dict(numbers)


def _stats(source: Source, path: Path) -> Any:
    log, started = _library("inspect_ai.log", path), _started(source.runs)
    return log.EvalStats(
        started_at=started,
        completed_at=max([started, *filter(None, map(last_time, source.runs))], key=_moment),
        model_usage=_usage(source.pool.decisions, path),
    )


def _started(runs: Sequence[RunFolder]) -> str:
    """Return when the first of the runs began, as their `run.yaml` say; the epoch if none does."""
    times = [run.config.get("time") for run in runs]
    told = [str(t["started"]) for t in times if isinstance(t, dict) and t.get("started")]
    return min(told, default="1970-01-01T00:00:00+00:00")


def _moment(told: str) -> datetime:
    """Return a time as the log tells it; the epoch where it tells none."""
    try:
        found = datetime.fromisoformat(told)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _plain(name: str) -> str:
    """Return `name` with "?" for what a terminal or a page would obey: a name may be hostile."""
    kept = ("?" if unicodedata.category(c) in ("Cc", "Cf", "Cs") else c for c in name)
    return "".join(kept)


def _id(key: str) -> str:
    """Return an id that is the same whenever the same thing is exported."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:22]


def _library(name: str, path: Path) -> Any:
    try:
        return import_module(name)
    except ImportError:
        needed = "pip install 'valuesim[inspect]'"
        raise InputError(f"{path} needs the package inspect_ai: {needed}") from None

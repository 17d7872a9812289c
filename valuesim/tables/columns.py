"""The tables of a run folder: their columns, and rows made of records. docs/tables.md tells them.

A text column that holds settings is JSON, keys sorted. `latency` is the one time among them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from valuesim.episode import Chain, Player
from valuesim.formats.choice_columns import COLUMNS, NUMBERS, TRUTHS, rows_of
from valuesim.graph.grouping import family_of
from valuesim.log.reader import DecisionRecord, EpisodeRecord, RunFolder

SCHEMA = 1
"""The version of the tables; others than this one are made anew."""

Cells = dict[str, Any]
TEXT, WHOLE, REAL, TRUTH = "text", "whole", "real", "truth"

EPISODES: Mapping[str, str] = {
    **dict.fromkeys(("run", "episode", "env", "family"), TEXT),
    **dict.fromkeys(("seed", "place"), WHOLE),
    **dict.fromkeys(("condition", "elicitation", "agents", "models", "players", "world"), TEXT),
    **dict.fromkeys(("chain_first", "chain_place", "chain_length"), WHOLE),
    **dict.fromkeys(("steps", "decisions", "faults"), WHOLE),
    **dict.fromkeys(("faults_by_kind", "payoffs", "measures"), TEXT),
    **dict.fromkeys(("prompt_tokens", "completion_tokens"), WHOLE),
    **dict.fromkeys(("reasoning_tokens", "cached_tokens"), WHOLE),
}
"""The columns of `episodes`: name -> kind."""

BESIDE: Mapping[str, str] = {
    "family": TEXT,
    "options": WHOLE,
    **dict.fromkeys(("stakes", "tags", "arguments"), TEXT),
    **dict.fromkeys(("fault_detail", "message", "rationale"), TEXT),
    "attempts": WHOLE,
    "payoff": REAL,
    **dict.fromkeys(("effect", "annotations"), TEXT),
    **dict.fromkeys(("prompt_tokens", "completion_tokens"), WHOLE),
    "latency": REAL,
}
"""The columns of `decisions` beside those of the table of choices."""

DECISIONS: Mapping[str, str] = {
    name: WHOLE if name in NUMBERS else TRUTH if name in TRUTHS else TEXT for name in COLUMNS
} | dict(BESIDE)
"""The columns of `decisions`: name -> kind."""

RUNS: Mapping[str, str] = {
    **dict.fromkeys(("run", "path"), TEXT),
    **dict.fromkeys(("planned", "finished", "interrupted", "decisions", "faults"), WHOLE),
    **dict.fromkeys(("reasons", "started", "versions", "config", "notes"), TEXT),
}
"""The columns of `runs`: name -> kind."""


def episode_rows(run: RunFolder) -> Iterator[Cells]:
    """Yield a row for each finished episode of `run`, in the order of the log."""
    for episode in run.episodes.values():
        yield _of_episode(run.path.name, episode)


def decision_rows(run: RunFolder) -> Iterator[Cells]:
    """Yield a row for each decision of `run` that counts, in the order of the log.

    Raises LogError as `RunFolder.decisions` does.
    """
    names = dict.fromkeys(run.episodes, run.path.name)
    last: list[DecisionRecord] = []

    def told() -> Iterator[DecisionRecord]:
        for record in run.decisions():
            last[:] = [record]
            yield record

    for row in rows_of(told(), names):
        yield {**row, **_beside(last[0])}


def run_row(run: RunFolder) -> Cells:
    """Return the row of a run folder, of which nothing but its episodes need be read."""
    config = run.config
    is_open: dict[str, str] = {r.episode: r.reason for r in run.interrupted if r.is_open}
    reasons: dict[str, int] = {}
    for reason in is_open.values():
        reasons[reason] = reasons.get(reason, 0) + 1
    return {
        "run": run.path.name,
        "path": os.path.abspath(run.path),
        "planned": _count(config.get("episodes")),
        "finished": len(run.episodes),
        "interrupted": len(is_open),
        "decisions": sum(episode.decisions for episode in run.episodes.values()),
        "faults": sum(sum(episode.faults.values()) for episode in run.episodes.values()),
        "reasons": json_text(reasons),
        "started": _started(config),
        "versions": json_text(config.get("versions") or {}),
        "config": json_text(config.get("config") or config.get("import") or {}),
        "notes": json_text(_notes(config)),
    }


def json_text(content: object) -> str:
    """Return `content` as JSON, keys sorted."""
    option = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    return orjson.dumps(content, option=option, default=str).decode()


def _of_episode(run: str, episode: EpisodeRecord) -> Cells:
    players = episode.population.values()
    usage = {f"{kind}_tokens": episode.usage.get(f"{kind}_tokens", 0) for kind in _USED}
    return {
        "run": run,
        "episode": episode.id,
        "env": episode.env,
        "family": family_of(episode.env),
        "seed": episode.seed,
        "place": episode.place,
        "condition": json_text(episode.condition),
        "elicitation": json_text(episode.elicitation),
        "agents": json_text(sorted({player.agent for player in players})),
        "models": json_text(sorted({p.model_name for p in players if p.model_name})),
        "players": json_text({role: _player(p) for role, p in episode.population.items()}),
        "world": episode.world,
        **_chain(episode.chain),
        "steps": episode.steps,
        "decisions": episode.decisions,
        "faults": sum(episode.faults.values()),
        "faults_by_kind": json_text(episode.faults),
        "payoffs": json_text(episode.outcome.get("payoffs", {})),
        "measures": json_text(episode.measures),
        **usage,
    }


def _chain(chain: Chain | None) -> Cells:
    names = ("first", "place", "length")
    return {f"chain_{name}": None if chain is None else getattr(chain, name) for name in names}


_USED = ("prompt", "completion", "reasoning", "cached")


def _player(player: Player) -> Cells:
    made = player.interventions
    told: Cells = {"agent": player.agent, "model": player.model_name}
    return told | {"interventions": made} if made else told


def _beside(record: DecisionRecord) -> Cells:
    taken = next((o for o in record.options if o.name == record.chosen), None)
    return {
        "family": family_of(record.episode.env),
        "options": len(record.options),
        "stakes": None if taken is None else json_text(dict(taken.stakes)),
        "tags": None if taken is None else json_text(sorted(taken.tags)),
        "arguments": json_text(record.arguments),
        "fault_detail": record.fault_detail,
        "message": record.message,
        "rationale": record.rationale,
        "attempts": record.attempts,
        "payoff": record.payoff,
        "effect": json_text(record.effect),
        "annotations": json_text(record.annotations),
        "prompt_tokens": record.usage.get("prompt_tokens", 0),
        "completion_tokens": record.usage.get("completion_tokens", 0),
        "latency": record.latency,
    }


def _count(given: object) -> int | None:
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def _started(config: Mapping[str, Any]) -> str | None:
    time = config.get("time")
    began = time.get("started") if isinstance(time, dict) else None
    return None if began is None else str(began)


def _notes(config: Mapping[str, Any]) -> list[str]:
    sessions = config.get("sessions")
    listed = [s for s in sessions if isinstance(s, dict)] if isinstance(sessions, list) else []
    told = [session.get("notes") for session in listed]
    found = [note for notes in told if isinstance(notes, list) for note in notes]
    return list(dict.fromkeys(map(str, found)))

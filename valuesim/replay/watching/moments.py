"""One episode, opened by reading its own lines alone, and all that is known of its moments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from valuesim import registry
from valuesim.agents.parse import split_thinking
from valuesim.choices import choices
from valuesim.decision import Try
from valuesim.episode import Player
from valuesim.errors import LogError
from valuesim.graph.grouping import family_of
from valuesim.log.entries import decision_of, episode_of
from valuesim.log.files import MISSHAPEN
from valuesim.log.inherited import inherited
from valuesim.log.options import OptionReader, option_line
from valuesim.log.reader import DecisionRecord, EpisodeRecord, read_run
from valuesim.log.segments import log_folders
from valuesim.option import Option
from valuesim.replay.indexing.naming import NotThereError, NotYetError, check_confined, id_of, shown
from valuesim.replay.indexing.parts import Parts, of_step, text_of
from valuesim.replay.indexing.shelf import Shelf, Shelved
from valuesim.replay.watching.light import BUDGET, LEFT_OUT, light
from valuesim.replay.watching.prompting import asked_again, prompt

UNDRAWABLE = (*MISSHAPEN, LookupError, ArithmeticError)
"""What drawing raises where annotations hold no scene, be they whoever's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """An episode that was read: its record, its decisions in the log's order, its texts by id.

    `inherited` are decisions that a branch has of the episode it leaves. Of `inherited` and
    `records` those after the first `whole` are light (see `light`); None where none is.
    """

    run: Shelved
    episode: EpisodeRecord
    records: Sequence[DecisionRecord]
    texts: Mapping[str, str]
    inherited: Sequence[DecisionRecord] = ()
    whole: int | None = None


def opened(
    shelf: Shelf, run: str, episode: str, *, is_light: bool = False, step: int | None = None
) -> Opened:
    """Return an episode of a run, by their ids; light where it `is_light` (see `light`).

    Of one `step` alone, where that is given, decisions are read. Raises NotThereError where there
    is none, NotYetError while its run is being read, and LogError where its lines cannot be read.
    """
    shelved = shelf.run(run)
    check_confined(shelved.place, shelf.root)
    found = shelf.rows.ask(
        "SELECT line, moments, told FROM own WHERE run = ? AND episode = ?", [run, episode]
    )
    if not found and not shelved.is_read:
        raise NotYetError(f"{shelved.place.name} is being read: it will be there in a moment")
    if not found:
        why = f", which cannot be read: {shelved.error}" if shelved.error else ""
        raise NotThereError(f"no episode {episode!r:.60} in {shelved.place.name}{why}")
    ((line, moments, told),) = found
    path = shelved.place.path
    try:
        with ExitStack() as stack:
            parts = Parts(log_folders(path), stack)
            wanted = moments if step is None else of_step(parts, moments, step)
            own = _read(shelved, parts, episode, line, wanted, told, is_light=is_light)
        return _with_inherited(own, step) if shelved.parent is not None else own
    except OSError as error:
        raise LogError(f"{shelved.place.name} cannot be read: {error.strerror}") from error


def _read(
    run: Shelved,
    parts: Parts,
    id: str,
    line: int,
    moments: Iterable[int],
    told: Iterable[int],
    *,
    is_light: bool,
) -> Opened:
    def own(line: Any, path: Path) -> Any:
        if line.get("episode") != id:
            raise LogError(f"{path.name} has changed since it was read: ask again in a moment")
        return line

    episode = parts.read("episodes.jsonl", line, lambda x, at, n: episode_of(own(x, at), at, n))
    texts = dict(parts.read("texts.jsonl", place, text_of) for place in told)
    read_option = OptionReader(texts)

    def decision(line: Any, path: Path, number: int) -> DecisionRecord:
        return decision_of(own(line, path), episode, read_option, texts, path, number)

    parts.bytes, whole = 0, None
    records: list[DecisionRecord] = []
    for place in moments:
        record = parts.read("decisions.jsonl", place, decision)
        if is_light and parts.bytes > BUDGET:
            whole = len(records) if whole is None else whole
            record = light(record)
        records.append(record)
    return Opened(run=run, episode=episode, records=records, texts=texts, whole=whole)


def _with_inherited(own: Opened, step: int | None) -> Opened:
    """Return an episode of a branch, which is a run of few, with what it inherited."""
    run = read_run(own.run.place.path)
    found = (each for each in inherited(run) if each.episode.id == own.episode.id)
    before = [each for each in found if step is None or each.step == step]
    whole = None if own.whole is None else own.whole + len(before)
    return replace(own, inherited=before, texts=run.texts(), whole=whole)


def told(found: Opened) -> dict[str, Any]:
    """Return an episode as the page gets it (docs/replay.md)."""
    episode, every = found.episode, (*found.inherited, *found.records)
    return {
        "schema": 1,
        "run": found.run.place.id,
        "run_name": found.run.place.name,
        "episode": episode.id,
        "env": episode.env,
        "family": family_of(episode.env),
        "condition": episode.condition,
        "population": {role: _player(each) for role, each in episode.population.items()},
        "seed": episode.seed,
        "elicitation": episode.elicitation,
        "outcome": episode.outcome,
        "measures": episode.measures,
        "faults": episode.faults,
        "usage": episode.usage,
        "rules": {r.role: found.texts.get(r.rules_id, "") for r in reversed(every)},
        "steps": steps(found),
        "parent": _parent(found.run.parent),
    }


def _parent(told: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what a branch leaves, its run by id and name."""
    if told is None:
        return None
    run = str(told.get("run"))
    return {**told, "run": id_of(run), "run_name": shown(run)}


def _player(player: Player) -> dict[str, Any]:
    return {
        "agent": player.agent,
        "model": player.model_name,
        "interventions": player.interventions,
    }


def steps(found: Opened) -> list[dict[str, Any]]:
    """Return the steps of an episode, each with its moments."""
    listed: dict[int, list[dict[str, Any]]] = {}
    most = len(found.inherited) + len(found.records) if found.whole is None else found.whole
    for number, record in enumerate((*found.inherited, *found.records)):
        told = moment(record, found.texts.get(record.rules_id, ""))
        told["inherited"] = number < len(found.inherited)
        told |= {} if number < most else LEFT_OUT
        listed.setdefault(record.step, []).append(told)
    return [{"step": step, "moments": listed[step]} for step in sorted(listed)]


def moment(record: DecisionRecord, rules: str) -> dict[str, Any]:
    """Return all that is known of one decision; `rules` are those that were in force."""
    return {
        "role": record.role,
        "text": record.text,
        "view": record.view,
        "annotations": record.annotations,
        "options": [_option(option) for option in record.options],
        **revealed(record),
        "attempts": record.attempts,
        "tries": _tries(record, rules),
        "added": [{"by": a.by, "place": a.place, "text": a.text} for a in record.added],
        "interventions": record.interventions,
        "probabilities": record.probabilities,
        "usage": record.usage,
        "latency": record.latency,
        "effect": record.effect,
        "payoff": record.payoff,
        "prompt": prompt(record, rules),
        "puts": _puts(record),
    }


def revealed(record: DecisionRecord) -> dict[str, Any]:
    """Return what was chosen at a moment, or why nothing was, and what was said of it."""
    reasoning, _ = split_thinking(record.reply)
    return {
        "chosen": record.chosen,
        "arguments": record.arguments,
        "fault": record.fault,
        "fault_detail": record.fault_detail,
        "message": record.message,
        "rationale": record.rationale,
        "reasoning": reasoning,
        "reply": record.reply,
    }


def _option(option: Option) -> dict[str, Any]:
    return {
        "name": option.name,
        "text": option.text,
        "stakes": dict(option.stakes),
        "tags": sorted(option.tags),
        "arguments": dict(option_line(option).get("arguments", ())),
        "omission": option.is_omission,
    }


def _tries(record: DecisionRecord, rules: str) -> list[dict[str, Any]]:
    messages = asked_again(record, rules)
    return [
        _try(each) | {"again": messages[number] if number < len(messages) else None}
        for number, each in enumerate(record.tries)
    ]


def _try(tried: Try) -> dict[str, Any]:
    attempted = tried.attempted
    return {
        "reply": tried.reply,
        "fault": tried.fault,
        "detail": tried.detail,
        "attempted": attempted
        and {"option": attempted.option, "arguments": dict(attempted.arguments)},
    }


def _puts(record: DecisionRecord) -> list[dict[str, Any]]:
    """Return what a decision put over what, in shares of one vote; nothing for a fault."""
    evidence = choices([record]).evidence
    votes = evidence[0].votes() if evidence else {}
    listed = sorted(votes.items(), key=lambda item: (-item[1], item[0]))
    return [{"over": over, "under": under, "share": share} for (over, under), share in listed]


def depiction(found: Opened, step: int, role: str) -> str:
    """Return the picture of a moment as one SVG element, which the environment draws and escapes.

    Raises NotThereError where there is no such moment, or no picture of it.
    """
    every = (*found.inherited, *found.records)
    own = [r for r in every if (r.step, r.role) == (step, role)]
    draw = drawer(found.episode.env)
    if not own or draw is None:
        raise NotThereError(f"nothing is drawn of step {step} of {role!r:.60}")
    try:
        return draw(own[0].annotations)
    except UNDRAWABLE as error:
        raise NotThereError(f"nothing can be drawn of step {step}: {error!s:.200}") from None


def drawer(env: str) -> Callable[[Mapping[str, Any]], str] | None:
    """Return what draws a moment of `env` from its annotations, None where nothing is drawn of it.

    It raises one of `UNDRAWABLE` where they hold no scene.
    """
    known = registry.environments()
    named = known[env].load().depicts if env in known else ""
    if not named:
        return None
    module, _, name = named.partition(":")
    found: Callable[[Mapping[str, Any]], str] = getattr(import_module(module), name)
    return found

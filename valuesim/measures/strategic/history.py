"""What each agent of a game meant to play, round by round, with faults as gaps.

Moves are canonical (the names behind the labels that were shown). What an agent *meant* is the
option it chose; what *took effect* may differ where the game is noisy. An abstention or a fault is
no move, never a defection.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from valuesim.choices import cluster_of
from valuesim.log.reader import DecisionRecord

COOPERATION = "cooperation"
"""The tag of cooperative options."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Play:
    """One round as one agent played it; True is cooperation, False defection, None no move.

    `cooperates` is what the agent meant, `took` what took effect, `partner` the partner's move that
    took effect. `before` is (own, partner's) of the previous round as they took effect, None in
    round 1. `kept` says whether it did what it had promised, None without a promise or a move.
    """

    round: int
    cooperates: bool | None
    took: bool | None
    partner: bool | None
    before: tuple[bool | None, bool | None] | None = None
    kept: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """The rounds of one agent in one episode, in order; `cluster` as in `choices.cluster_of`."""

    episode: str
    role: str
    cluster: str
    plays: tuple[Play, ...]


def histories(records: Iterable[DecisionRecord]) -> tuple[History, ...]:
    """Return each agent's acting rounds, episode by episode, in order of appearance.

    Only games whose options are tagged as cooperative or not have such rounds: a decision without
    a cooperative option on offer is left out, and so is talk, a response and a punishment.
    """
    plays: dict[tuple[str, str], list[Play]] = {}
    clusters: dict[tuple[str, str], str] = {}
    for record in records:
        if is_act(record) and cooperative(record):
            whose = (record.episode.id, record.role)
            plays.setdefault(whose, []).append(_play(record))
            clusters[whose] = cluster_of(record)
    return tuple(
        History(
            episode=episode,
            role=role,
            cluster=clusters[episode, role],
            plays=tuple(sorted(own, key=lambda play: play.round)),
        )
        for (episode, role), own in plays.items()
    )


def is_act(record: DecisionRecord) -> bool:
    """Return whether the decision is a move of the game itself, not talk, answer or punishment."""
    return bool(record.annotations.get("phase", "act") == "act")


def is_fresh(record: DecisionRecord) -> bool:
    """Return whether no earlier round bears on the decision: a first round, or a price list."""
    is_list = record.episode.condition.get("design") == "within"
    return is_list or record.annotations.get("round", 1) == 1


def canonical(record: DecisionRecord, shown: str) -> str:
    """Return the move behind the option that was shown as `shown`."""
    labels = record.annotations.get("labels") or {}
    return str(labels.get(shown, shown))


def intended(record: DecisionRecord) -> str | None:
    """Return the canonical move that the agent meant; None for a fault or an abstention."""
    if record.chosen is None or ("move" in record.effect and record.effect["move"] is None):
        return None
    return canonical(record, record.chosen)


def cooperative(record: DecisionRecord) -> frozenset[str]:
    """Return the canonical moves on offer that are tagged as cooperative."""
    return frozenset(
        canonical(record, option.name) for option in record.options if COOPERATION in option.tags
    )


def _play(record: DecisionRecord) -> Play:
    tagged = cooperative(record)
    meant = intended(record)
    before = record.annotations.get("before")
    promised = record.annotations.get("promised")
    return Play(
        round=int(record.annotations.get("round", 1)),
        cooperates=_is(meant, tagged),
        took=_is(record.effect.get("move"), tagged),
        partner=_is(record.effect.get("partner"), tagged),
        before=None if before is None else (_is(before[0], tagged), _is(before[1], tagged)),
        kept=None if promised is None or meant is None else meant == promised,
    )


def _is(move: object, tagged: frozenset[str]) -> bool | None:
    # of several partners there is no one move
    return move in tagged if isinstance(move, str) else None

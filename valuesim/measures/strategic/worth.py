"""Panels of what play is worth: welfare, what a best reply takes, how sharp choices are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from valuesim.choices import cluster_of
from valuesim.log.reader import DecisionRecord
from valuesim.measures.interval import Rate, clustered_rate, share_interval
from valuesim.measures.panel import Estimate, Panel, Reference
from valuesim.measures.strategic.equilibrium import (
    FloatArray,
    Game,
    best_reply,
    welfare,
)
from valuesim.measures.strategic.history import intended
from valuesim.measures.strategic.quantal import fitted_rate
from valuesim.measures.strategic.sample import Arm, Figures, Sample, computed, estimate
from valuesim.measures.strategic.theory import (
    LOGIT_RATE,
    SHARPNESS,
    Theory,
    game_for,
    predicted,
)

SPLITS = 20
"""How often the clusters are split into halves."""
WELFARE = "welfare"
WELFARE_NOTE = (
    "Welfare: the joint payoff of both moves that took effect over the highest that is possible."
)
_EARNS, _LEFT = "partner earns", "agent earns"
_HALVES = (
    "The reply is best to half of the episodes and paid by the other half, so that play which "
    "cannot be exploited does not seem to be."
)
_SELF_BELIEF = "0 is choice by lot; the agent is taken to expect others to play as it does."


def has_welfare(sample: Sample) -> bool:
    """Return whether joint payoffs can be a share of the highest: none is negative."""
    games = [game_for(sample.treatment, arm.penalty) for arm in sample.arms]
    return not sample.treatment.is_predicted and all(
        game is not None
        and min(game.row.min(), game.column.min()) >= 0
        and (game.row + game.column).max() > 0
        for game in games
    )


def welfare_of(sample: Sample, arm: Arm) -> Figures:
    """Return the welfare in `arm`, beside that of equilibria; see `has_welfare`."""
    game = game_for(sample.treatment, arm.penalty)
    assert game is not None, "the caller asked has_welfare"
    sums: dict[str, list[float]] = {}
    for record in arm.acts:
        own, other = record.effect.get("move"), record.effect.get("partner")
        if own in game.moves and other in game.moves:
            pair = (other, own) if record.role == "Beta" else (own, other)
            share = welfare(game, *pair)
            if share is not None:
                sums.setdefault(cluster_of(record), []).append(share)
    hits, chances = [sum(x) for x in sums.values()], [len(x) for x in sums.values()]
    found = clustered_rate(hits, chances, is_binary=False)
    joint = game.row + game.column
    return Figures(
        arm=arm,
        estimates=[estimate(WELFARE, found)],
        references=[
            _beside(t, {WELFARE: float(t.mix @ joint @ t.partner / joint.max())})
            for t in predicted(sample, arm)
            if t.partner is not None
        ],
    )


def worth_panels(sample: Sample, rng: np.random.Generator) -> Iterator[Panel]:
    """Yield the panels of a game of two simultaneous movers; none for other games.

    Roles with the same payoffs are put together, others are rows of their own.
    """
    games = ((arm, game_for(sample.treatment, arm.penalty)) for arm in sample.arms)
    known = [(arm, game) for arm, game in games if game is not None]
    if not known or sample.treatment.is_predicted:
        return
    replies = [_replies(sample, arm, game, rng) for arm, game in known]
    yield sample.across(
        "exploitability",
        "Payoffs against a best reply",
        "payoff a round at stake 1",
        [figures for figures, _ in replies],
        records=sample.acts,
        bounds=(None, None),
        note=_best(sample, [(arm, move) for figures, moves in replies for arm, move in moves]),
    )
    yield _sharpness(sample, known, rng)


def _beside(theory: Theory, values: Mapping[str, float]) -> Reference:
    points = (Estimate(label=label, value=value) for label, value in values.items())
    return computed(theory.label, theory.source, points)


def _roles(
    game: Game, acts: Sequence[DecisionRecord]
) -> Iterator[tuple[str, str, Game, list[DecisionRecord]]]:
    """Yield (role, suffix of its labels, the game as it sees it, its moves)."""
    if game.is_symmetric:
        yield "Alpha", "", game, list(acts)
        return
    for role in sorted({record.role for record in acts}):
        own = [record for record in acts if record.role == role]
        yield role, f" as {role}", game.seen_by(role), own


def _played(acts: Sequence[DecisionRecord]) -> list[tuple[str, str]]:
    return [(cluster_of(r), move) for r in acts if (move := intended(r)) is not None]


def _replies(
    sample: Sample, arm: Arm, game: Game, rng: np.random.Generator
) -> tuple[Figures, list[tuple[Arm, str]]]:
    """Return what each earns if the partner replies best, and these best replies."""
    estimates: list[Estimate] = []
    moves: list[tuple[Arm, str]] = []
    beside: list[Reference] = []
    for role, suffix, seen, acts in _roles(game, arm.acts):
        labels = _EARNS + suffix, _LEFT + suffix
        counts = _counts(seen, _played(acts))
        n = int(counts.sum())
        taken = _taken(seen, counts, rng)
        estimates += [estimate(label, own) for label, own in zip(labels, taken, strict=True)]
        if n:
            moves.append((arm, best_reply(seen, counts.sum(axis=0) / n).move + suffix))
        for theory in predicted(sample, arm):
            if theory.partner is not None:
                earned = _earned(theory, game, is_row=role != "Beta")
                beside.append(_beside(theory, dict(zip(labels, earned, strict=True))))
    return Figures(arm=arm, estimates=estimates, references=beside), moves


def _best(sample: Sample, moves: Sequence[tuple[Arm, str]]) -> str:
    """Return the sentence that names the best replies, in each design in order of penalty."""
    if not moves:
        return ""
    by_design: dict[str, list[str]] = {}
    for arm, move in moves:
        by_design.setdefault(sample.labelled("", arm.design), []).append(move)
    said = "; ".join(f"{k}{k and ': '}{', '.join(own)}" for k, own in by_design.items())
    order = ", in order of penalty" if sample.is_dosed else ""
    return f"{_HALVES} The best reply to all moves together{order}: {said}."


def _earned(theory: Theory, game: Game, *, is_row: bool) -> tuple[float, float]:
    """Return what the partner and the agent earn in an equilibrium."""
    assert theory.partner is not None, "the caller left the others out"
    row = float(theory.mix @ game.row @ theory.partner)
    column = float(theory.mix @ game.column @ theory.partner)
    return (column, row) if is_row else (row, column)


def _taken(game: Game, counts: FloatArray, rng: np.random.Generator) -> tuple[Rate, Rate]:
    """Return what partner and agent earn a round where the partner replies best to what it knows.

    What it knows is the play in half of the clusters (rows of `counts`, drawn by lot, `SPLITS`
    times); what it earns is taken from the other half, in turn. A reply that is valued on the moves
    it was chosen for would seem to take something even of play that nobody can exploit. None with
    fewer than two clusters.
    """
    count, rounds = len(counts), counts.sum(axis=1)
    if count < 2:
        nothing = Rate(n=float(rounds.sum()), episodes=count)
        return nothing, nothing
    replies = np.empty((SPLITS, count), dtype=np.intp)
    for own in replies:
        is_known = rng.permutation(count) < count // 2
        for half in (is_known, ~is_known):
            known = counts[half].sum(axis=0)
            own[~half] = game.moves.index(best_reply(game, known / known.sum()).move)
    column, row = (
        _bounded((counts @ table)[np.arange(count), replies], rounds, table)
        for table in (game.column, game.row)
    )
    return column, row


def _bounded(earned: FloatArray, rounds: FloatArray, table: FloatArray) -> Rate:
    """Return the mean payoff a round of what each cluster paid in each split (splits x clusters).

    The variance is that within splits and that between them (Chernozhukov et al., Econometrics
    Journal 21, 2018, section 3.4); the interval stays between the payoffs of `table`.
    """
    low, span = float(table.min()), float(np.ptp(table)) or 1.0
    places = (earned - low * rounds) / span
    count, total = len(rounds), float(rounds.sum())
    each = places.sum(axis=1) / total
    residuals = places - each[:, None] * rounds
    within = count / (count - 1) * (residuals**2).sum(axis=1) / total**2
    place = float(each.mean().clip(0, 1))
    ends = share_interval(place, float(within.mean() + each.var()), clusters=count, n=None)
    first, value, last = (low + span * x for x in (ends[0], place, ends[1]))
    return Rate(value=value, low=first, high=last, n=total, episodes=count)


def _counts(game: Game, played: Sequence[tuple[str, str]]) -> FloatArray:
    clusters = sorted({cluster for cluster, _ in played})
    counts = np.zeros((len(clusters), len(game.moves)))
    for cluster, move in played:
        counts[clusters.index(cluster), game.moves.index(move)] += 1
    return counts


def _sharpness(
    sample: Sample, known: Sequence[tuple[Arm, Game]], rng: np.random.Generator
) -> Panel:
    measured, notes = [], [_SELF_BELIEF]
    for arm, game in known:
        estimates = []
        for _, suffix, seen, acts in _roles(game, arm.acts):
            played = _played(acts)
            moves, clusters = [move for _, move in played], [cluster for cluster, _ in played]
            found = fitted_rate(seen, moves, clusters, rng=rng)
            estimates.append(
                Estimate(
                    label=f"lambda{suffix}",
                    value=found.value,
                    low=found.low,
                    high=found.high,
                    n=found.n,
                )
            )
            if found.n and not found.is_identified:
                notes.append("Undetermined where every rate predicts the same of the game.")
            elif found.n and found.value is None:
                notes.append(
                    "None where choices are as sharp as an equilibrium: no rate fits best."
                )
        measured.append(Figures(arm=arm, estimates=estimates, references=_usual(game, estimates)))
    return sample.across(
        "sharpness",
        "Logit rate that fits best",
        "lambda per unit of payoff",
        measured,
        records=sample.acts,
        bounds=(0.0, None),
        note=" ".join(dict.fromkeys(notes)),
    )


def _usual(game: Game, estimates: Sequence[Estimate]) -> list[Reference]:
    """Return the rate of the logit equilibria that other panels show."""
    if game.span <= 0:
        return []
    points = (Estimate(label=e.label, value=SHARPNESS / game.span) for e in estimates)
    return [computed("rate of the logit equilibrium shown", LOGIT_RATE, points)]

"""Panels of what play is worth: welfare, what a best reply takes, how sharp choices are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from valuesim.choices import cluster_of
from valuesim.log.reader import DecisionRecord
from valuesim.measures.interval import clustered_rate
from valuesim.measures.panel import Estimate, Panel, Reference
from valuesim.measures.strategic.equilibrium import Game, Reply, best_reply, welfare
from valuesim.measures.strategic.history import intended, is_act
from valuesim.measures.strategic.quantal import fitted_rate
from valuesim.measures.strategic.sample import Sample, estimate
from valuesim.measures.strategic.theory import Theory, game_for, theories

BOOTSTRAPS = 300
_EARNS, _LEFT = "partner that replies best earns", "agent earns against it"


def worth_panels(sample: Sample, rng: np.random.Generator) -> Iterator[Panel]:
    """Yield the panels of a game of two simultaneous movers; none for other games.

    Roles with the same payoffs are put together, others apart.
    """
    game = game_for(sample.treatment, sample.penalty)
    if game is None or sample.treatment.is_predicted:
        return
    acts = [record for record in sample.records if is_act(record)]
    if game.row.min() >= 0 and game.column.min() >= 0:
        yield from _welfare(sample, acts, game)
    for role in ["Alpha"] if game.is_symmetric else sorted({record.role for record in acts}):
        own = acts if game.is_symmetric else [r for r in acts if r.role == role]
        played = [(cluster_of(r), move) for r in own if (move := intended(r)) is not None]
        suffix = "" if game.is_symmetric else f" of {role}"
        predicted = theories(sample.treatment, sample.penalty, role)
        seen = game.seen_by(role)
        yield _exploitability(sample, own, played, seen, predicted, suffix, rng)
        yield _sharpness(sample, own, played, seen, suffix, rng)


def _welfare(sample: Sample, acts: Sequence[DecisionRecord], game: Game) -> Iterator[Panel]:
    sums: dict[str, list[float]] = {}
    for record in acts:
        own, other = record.effect.get("move"), record.effect.get("partner")
        if own in game.moves and other in game.moves:
            pair = (other, own) if record.role == "Beta" else (own, other)
            share = welfare(game, *pair)
            if share is not None:
                sums.setdefault(cluster_of(record), []).append(share)
    found = clustered_rate([sum(x) for x in sums.values()], [len(x) for x in sums.values()])
    joint = game.row + game.column
    predicted = [
        (theory, float(theory.mix @ joint @ theory.partner / joint.max()))
        for theory in theories(sample.treatment, sample.penalty, "Alpha")
        if theory.partner is not None and joint.max() > 0
    ]
    yield sample.panel(
        "welfare",
        "Welfare",
        "share of the highest joint payoff",
        [estimate("welfare", found)],
        records=acts,
        references=[_reference(theory, {"welfare": value}) for theory, value in predicted],
        note="Joint payoff of both moves that took effect, the partner's included.",
    )


def _reference(theory: Theory, values: Mapping[str, float]) -> Reference:
    points = tuple(Estimate(label=label, value=value) for label, value in values.items())
    return Reference(label=theory.label, points=points, source=theory.source, population="computed")


def _exploitability(
    sample: Sample,
    acts: Sequence[DecisionRecord],
    played: Sequence[tuple[str, str]],
    game: Game,
    predicted: Sequence[Theory],
    suffix: str,
    rng: np.random.Generator,
) -> Panel:
    clusters, counts = _counts(game, played)
    reply = best_reply(game, counts.sum(axis=0) / counts.sum()) if len(played) else None
    draws = []
    for _ in range(BOOTSTRAPS if len(clusters) > 1 else 0):
        drawn = counts[rng.integers(len(counts), size=len(counts))].sum(axis=0)
        draws.append(_values(best_reply(game, drawn / drawn.sum())))
    # resamples of unanimous play do not differ: they say nothing of what else might be played
    is_known = bool(draws) and bool(np.ptp(draws, axis=0).max() > 0)
    low, high = np.quantile(draws, [0.025, 0.975], axis=0) if is_known else (None, None)
    estimates = [
        Estimate(
            label=label,
            value=None if reply is None else _values(reply)[place],
            low=None if low is None else float(low[place]),
            high=None if high is None else float(high[place]),
            n=len(played),
        )
        for place, label in enumerate((_EARNS, _LEFT))
    ]
    known = [t for t in predicted if t.partner is not None]
    return sample.panel(
        "exploitability",
        f"What a best reply takes{suffix}",
        "payoff a round at stake 1",
        estimates,
        records=acts,
        bounds=(None, None),
        references=[
            _reference(t, dict(zip((_EARNS, _LEFT), _values_at(game, t), strict=True)))
            for t in known
        ],
        note="" if reply is None else f"The best reply to all moves together is {reply.move}.",
    )


def _values(reply: Reply) -> tuple[float, float]:
    return reply.payoff, reply.partner


def _values_at(game: Game, theory: Theory) -> tuple[float, float]:
    assert theory.partner is not None, "the caller left the others out"
    partner = float(theory.mix @ game.column @ theory.partner)
    return partner, float(theory.mix @ game.row @ theory.partner)


def _counts(
    game: Game, played: Sequence[tuple[str, str]]
) -> tuple[list[str], np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    clusters = sorted({cluster for cluster, _ in played})
    counts = np.zeros((len(clusters), len(game.moves)))
    for cluster, move in played:
        counts[clusters.index(cluster), game.moves.index(move)] += 1
    return clusters, counts


def _sharpness(
    sample: Sample,
    acts: Sequence[DecisionRecord],
    played: Sequence[tuple[str, str]],
    game: Game,
    suffix: str,
    rng: np.random.Generator,
) -> Panel:
    moves, clusters = [move for _, move in played], [cluster for cluster, _ in played]
    fitted = fitted_rate(game, moves, clusters, rng=rng)
    note = "0 is choice by lot; the agent is taken to expect others to play as it does."
    if fitted.n and not fitted.is_identified:
        note = "Undetermined: every rate predicts the same of this game."
    elif fitted.n and fitted.value is None:
        note += " Choices are as sharp as an equilibrium: no finite rate fits best."
    return sample.panel(
        "sharpness",
        f"Logit rate that fits best{suffix}",
        "lambda per unit of payoff",
        [
            Estimate(
                label="lambda", value=fitted.value, low=fitted.low, high=fitted.high, n=fitted.n
            )
        ],
        records=acts,
        bounds=(0.0, None),
        note=note,
    )

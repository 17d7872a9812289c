"""Panels of games with two moves: cooperation, memory, strategies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from valuesim.choices import cluster_of
from valuesim.log.reader import DecisionRecord
from valuesim.measures.interval import Rate
from valuesim.measures.panel import Estimate, Panel, Reference
from valuesim.measures.strategic import cooperation
from valuesim.measures.strategic.history import (
    History,
    cooperative,
    histories,
    intended,
    is_act,
)
from valuesim.measures.strategic.people import references as people
from valuesim.measures.strategic.sample import Sample, estimate
from valuesim.measures.strategic.strategies import STRATEGIES, estimated
from valuesim.measures.strategic.theory import Theory, theories

LEAST_SEQUENCES = 10
"""The fewest agents in episodes whose strategies are estimated."""
MOST_ROUNDS = 20
"""Rounds beyond this are not drawn one by one."""


def move_panels(sample: Sample, rng: np.random.Generator) -> Iterator[Panel]:
    """Yield the panels of one treatment of a game with two moves."""
    acts = [record for record in sample.records if is_act(record)]
    if not any(cooperative(record) for record in acts):
        yield from _moves(sample, acts)
        return
    own = histories(acts)
    yield _cooperation(sample, acts, own)
    if sample.treatment.rounds != 1:
        yield _by_round(sample, acts, own)
        yield _memory(sample, acts, own)
        yield _strategies(sample, acts, own, rng)
    if sample.treatment.rounds != 1 or any(p.kept is not None for h in own for p in h.plays):
        yield _conduct(sample, acts, own)


def _moves(sample: Sample, acts: Sequence[DecisionRecord]) -> Iterator[Panel]:
    """Yield, for each role, how often each move was chosen."""
    roles = sorted({record.role for record in acts})
    for role in roles:
        own = [record for record in acts if record.role == role]
        chosen = [(cluster_of(r), move) for r in own if (move := intended(r)) is not None]
        predicted = theories(sample.treatment, sample.penalty, role)
        moves = predicted[0].moves if predicted else sorted({move for _, move in chosen})
        yield sample.panel(
            f"moves/{role}",
            f"Moves of {role}",
            "share of valid decisions",
            [estimate(m, cooperation.rate((c, move == m) for c, move in chosen)) for m in moves],
            records=own,
            references=[_shares(theory, {m: [m] for m in theory.moves}) for theory in predicted],
        )


def _cooperation(sample: Sample, acts: Sequence[DecisionRecord], own: Sequence[History]) -> Panel:
    estimates = [estimate("overall", cooperation.overall(own))]
    is_repeated = sample.treatment.rounds != 1
    if is_repeated:
        estimates.append(estimate("round 1", cooperation.in_round(own, 1)))
    moves = next(iter(m for record in acts if (m := cooperative(record))))
    labels = {e.label: sorted(moves) for e in estimates}
    return sample.panel(
        "cooperation",
        "Cooperation",
        "share of valid decisions",
        estimates,
        records=acts,
        references=[
            *people(sample.treatment, sample.penalty, {label: label for label in labels}),
            *(_shares(t, labels) for t in theories(sample.treatment, sample.penalty, "Alpha")),
        ],
        note=_stage_game(sample) if is_repeated else "",
    )


def _stage_game(sample: Sample) -> str:
    """Return the sentence that says when cooperation is an equilibrium of the repeated game."""
    payoffs = [sample.treatment.factor(name) for name in "TRPS"]
    note = "Equilibria are those of a single round."
    if sample.treatment.game != "prisoners_dilemma" or None in payoffs:
        return note
    t, r, p, _ = (float(x) for x in payoffs)
    return f"{note} Without noise GRIM sustains cooperation from delta {(t - r) / (t - p):.2f} on."


def _shares(theory: Theory, labels: dict[str, list[str]]) -> Reference:
    return Reference(
        label=theory.label,
        points=tuple(Estimate(label=k, value=theory.share(moves)) for k, moves in labels.items()),
        source=theory.source,
        population="computed",
    )


def _by_round(sample: Sample, acts: Sequence[DecisionRecord], own: Sequence[History]) -> Panel:
    rates = [(n, r) for n, r in cooperation.by_round(own).items() if n <= MOST_ROUNDS]
    return sample.panel(
        "cooperation_by_round",
        "Cooperation by round",
        "share of valid decisions",
        [estimate("cooperation", rate, at=float(number)) for number, rate in rates],
        records=acts,
        axis="round",
    )


def _memory(sample: Sample, acts: Sequence[DecisionRecord], own: Sequence[History]) -> Panel:
    return sample.panel(
        "memory_one",
        "Cooperation after each outcome of the last round",
        "share that cooperates",
        [estimate(f"after {k}", rate) for k, rate in cooperation.memory_one(own).items()],
        records=acts,
        references=[_vector(name, vector) for name, vector in _VECTORS.items()],
        note="Own move first: CD is having cooperated with a partner that defected.",
    )


_VECTORS = {"TFT": (1, 0, 1, 0), "WSLS": (1, 0, 0, 1), "GRIM": (1, 0, 0, 0)}


def _vector(name: str, vector: Sequence[int]) -> Reference:
    pairs = zip(cooperation.OUTCOMES, vector, strict=True)
    return Reference(
        label=name,
        points=tuple(Estimate(label=f"after {k}", value=float(p)) for k, p in pairs),
        source=f"the strategy {name} without trembles",
        population="computed",
    )


def _conduct(sample: Sample, acts: Sequence[DecisionRecord], own: Sequence[History]) -> Panel:
    rates: dict[str, Rate] = {
        "nice (never first to defect)": cooperation.niceness(own),
        "retaliates": cooperation.retaliation(own),
        "lenient at a first defection": cooperation.leniency(own),
        "forgives a returning partner": cooperation.forgiveness(own),
        "keeps promises": cooperation.promise_keeping(own),
    }
    return sample.panel(
        "conduct",
        "Conduct towards the partner",
        "share of occasions",
        [estimate(label, rate) for label, rate in rates.items()],
        records=acts,
        note=(
            "Niceness is a share of agents in episodes; forgiveness is cooperating within "
            f"{cooperation.WITHIN} rounds of the partner's return."
        ),
    )


def _strategies(
    sample: Sample,
    acts: Sequence[DecisionRecord],
    own: Sequence[History],
    rng: np.random.Generator,
) -> Panel:
    sequences = [h for h in own if sum(play.cooperates is not None for play in h.plays) > 1]
    mixture = estimated(sequences, rng=rng) if len(sequences) >= LEAST_SEQUENCES else None
    if mixture is None or not mixture.is_better_than_lot:
        estimates = [Estimate(label=name, value=None, n=len(sequences)) for name in STRATEGIES]
        note = f"Undetermined: {len(sequences)} sequences of two rounds or more; "
        if mixture is None:
            note += f"at least {LEAST_SEQUENCES} are needed."
        else:
            note += "no mixture of these strategies describes the moves better than a fair coin."
    else:
        estimates = [
            Estimate(
                label=name,
                value=share,
                low=mixture.low[name],
                high=mixture.high[name],
                n=mixture.n,
            )
            for name, share in mixture.shares.items()
        ]
        note = f"Tremble {mixture.tremble:.2f} over {mixture.rounds} moves."
        if any("=" in name for name in mixture.shares):
            note += " Strategies joined by = prescribe the same in every round of this evidence."
    return sample.panel(
        "strategies",
        "Strategies (maximum-likelihood mixture)",
        "share of agents in episodes",
        estimates,
        records=acts,
        note=note,
    )

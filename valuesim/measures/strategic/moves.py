"""Panels of games with two moves: cooperation, memory, strategies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from valuesim.choices import cluster_of
from valuesim.log.reader import DecisionRecord
from valuesim.measures.interval import Rate
from valuesim.measures.panel import Estimate, Panel, Reference
from valuesim.measures.strategic import cooperation
from valuesim.measures.strategic.history import History, cooperative, histories, intended
from valuesim.measures.strategic.people import references as people
from valuesim.measures.strategic.sample import Arm, Figures, Sample, computed, estimate
from valuesim.measures.strategic.strategies import MOST_RANGE, STRATEGIES, Mixture, estimated
from valuesim.measures.strategic.theory import Theory, predicted
from valuesim.measures.strategic.worth import WELFARE, WELFARE_NOTE, has_welfare, welfare_of

LEAST_SEQUENCES = 10
"""The fewest agents in episodes whose strategies are estimated."""
MOST_ROUNDS = 20
"""Rounds beyond this are not drawn one by one."""
_OVERALL, _FIRST, _PROMISES = "cooperation", "cooperation in round 1", "keeps promises"
_OF_DECISIONS = "share of valid decisions"


def move_panels(sample: Sample, rng: np.random.Generator) -> Iterator[Panel]:
    """Yield the panels of one treatment of a game with two moves."""
    if not any(cooperative(record) for record in sample.acts):
        yield _moves(sample)
        if has_welfare(sample):
            yield _welfare(sample)
        return
    yield _cooperation(sample)
    if sample.treatment.rounds != 1:
        for part in sample.by_design():
            acts = part.acts
            own = histories(acts)
            yield _by_round(part, acts, own)
            yield _memory(part, acts, own)
            yield _strategies(part, acts, own, rng)
            yield _conduct(part, acts, own)


def _moves(sample: Sample) -> Panel:
    """Return how often each role chose each move."""
    measured = []
    for arm in sample.arms:
        estimates: list[Estimate] = []
        beside: list[Reference] = []
        for role in sorted({record.role for record in arm.acts}):
            own = [record for record in arm.acts if record.role == role]
            chosen = [(cluster_of(r), move) for r in own if (move := intended(r)) is not None]
            known = predicted(sample, arm)
            moves = known[0].moves if known else sorted({move for _, move in chosen})
            labels = {move: f"{move} as {role}" for move in moves}
            estimates += [
                estimate(label, cooperation.rate((c, made == move) for c, made in chosen))
                for move, label in labels.items()
            ]
            beside += [_mix(theory, role, labels) for theory in known]
        measured.append(Figures(arm=arm, estimates=estimates, references=beside))
    return sample.across("moves", "Moves", _OF_DECISIONS, measured, records=sample.acts)


def _mix(theory: Theory, role: str, labels: Mapping[str, str]) -> Reference:
    mix = theory.partner if role == "Beta" and theory.partner is not None else theory.mix
    shares = zip(theory.moves, mix, strict=True)
    points = (Estimate(label=labels[move], value=float(share)) for move, share in shares)
    return computed(theory.label, theory.source, points)


def _welfare(sample: Sample) -> Panel:
    return sample.across(
        "welfare",
        "Welfare",
        "share of the highest joint payoff",
        [welfare_of(sample, arm) for arm in sample.arms],
        records=sample.acts,
        note=WELFARE_NOTE,
    )


def _cooperation(sample: Sample) -> Panel:
    """Return the shares that sum the game up: cooperation, promises kept, welfare."""
    measured = [_cooperates(sample, arm) for arm in sample.arms]
    notes = [_stage_game(sample)] if sample.treatment.rounds != 1 else []
    title, unit = "Cooperation", _OF_DECISIONS
    if has_welfare(sample):
        measured += [welfare_of(sample, arm) for arm in sample.arms]
        title, unit = f"Cooperation and {WELFARE}", "share of decisions, of the joint payoff"
        notes.append(WELFARE_NOTE)
    return sample.across(
        "cooperation", title, unit, measured, records=sample.acts, note=" ".join(notes)
    )


def _cooperates(sample: Sample, arm: Arm) -> Figures:
    own = histories(arm.acts)
    is_repeated = sample.treatment.rounds != 1
    estimates = [estimate(_OVERALL, cooperation.overall(own))]
    if is_repeated:
        estimates.append(estimate(_FIRST, cooperation.in_round(own, 1)))
    labels = [e.label for e in estimates]
    if not is_repeated and any(play.kept is not None for h in own for play in h.plays):
        estimates.append(estimate(_PROMISES, cooperation.promise_keeping(own)))
    moves = sorted(next((m for record in arm.acts if (m := cooperative(record))), ()))
    figures = {"overall": _OVERALL} | ({"round 1": _FIRST} if is_repeated else {})
    return Figures(
        arm=arm,
        estimates=estimates,
        references=[
            *people(sample.treatment, arm.penalty, figures),
            *(_shares(theory, dict.fromkeys(labels, moves)) for theory in predicted(sample, arm)),
        ],
    )


def _stage_game(sample: Sample) -> str:
    """Return the sentence that says when cooperation is an equilibrium of the repeated game."""
    payoffs = [sample.treatment.factor(name) for name in "TRPS"]
    note = "Equilibria are those of a single round."
    if sample.treatment.game != "prisoners_dilemma" or None in payoffs:
        return note
    t, r, p, _ = (float(x) for x in payoffs)
    return f"{note} Without noise GRIM sustains cooperation from delta {(t - r) / (t - p):.2f} on."


def _shares(theory: Theory, labels: Mapping[str, Sequence[str]]) -> Reference:
    points = (Estimate(label=k, value=theory.share(moves)) for k, moves in labels.items())
    return computed(theory.label, theory.source, points)


def _by_round(sample: Sample, acts: Sequence[DecisionRecord], own: Sequence[History]) -> Panel:
    rates = [(n, r) for n, r in cooperation.by_round(own).items() if n <= MOST_ROUNDS]
    return sample.panel(
        "cooperation_by_round",
        "Cooperation by round",
        _OF_DECISIONS,
        [estimate("cooperation", rate, at=float(number)) for number, rate in rates],
        records=acts,
        axis="round",
    )


def _memory(sample: Sample, acts: Sequence[DecisionRecord], own: Sequence[History]) -> Panel:
    return sample.panel(
        "memory_one",
        "Cooperation by the outcome of the last round",
        "share that cooperates",
        [estimate(_AFTER[k], rate) for k, rate in cooperation.memory_one(own).items()],
        records=acts,
        references=[_vector(name, vector) for name, vector in _VECTORS.items()],
    )


_AFTER = {
    "CC": "after both cooperated",
    "CD": "after only the partner defected",
    "DC": "after only the agent defected",
    "DD": "after both defected",
}
_VECTORS = {"TFT": (1, 0, 1, 0), "WSLS": (1, 0, 0, 1), "GRIM": (1, 0, 0, 0)}


def _vector(name: str, vector: Sequence[int]) -> Reference:
    pairs = zip(_AFTER.values(), vector, strict=True)
    points = (Estimate(label=label, value=float(p)) for label, p in pairs)
    return computed(name, f"the strategy {name} without trembles", points)


def _conduct(sample: Sample, acts: Sequence[DecisionRecord], own: Sequence[History]) -> Panel:
    rates: dict[str, Rate] = {
        "nice (never first to defect)": cooperation.niceness(own),
        "retaliates": cooperation.retaliation(own),
        "lenient at a first defection": cooperation.leniency(own),
        "forgives a returning partner": cooperation.forgiveness(own),
    }
    if any(play.kept is not None for h in own for play in h.plays):
        rates[_PROMISES] = cooperation.promise_keeping(own)
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


_MEANING = (
    "ALLD never cooperates, ALLC always; GRIM never after a defection; TFT repeats the partner; "
    "WSLS changes after a bad outcome; T2 punishes for two rounds."
)

_UNDETERMINED = (
    "A share without a figure is not determined: mixtures that fit equally well differ in it by "
    f"more than {MOST_RANGE:g}, and its interval holds them all."
)


def _strategies(
    sample: Sample,
    acts: Sequence[DecisionRecord],
    own: Sequence[History],
    rng: np.random.Generator,
) -> Panel:
    sequences = [h for h in own if sum(play.cooperates is not None for play in h.plays) > 1]
    mixture = estimated(sequences, rng=rng) if len(sequences) >= LEAST_SEQUENCES else None
    if mixture is not None and mixture.is_better_than_lot:
        estimates, note = _of_strategies(mixture), _note_on(mixture)
    else:
        estimates = [Estimate(label=name, value=None, n=len(sequences)) for name in STRATEGIES]
        why = (
            f"at least {LEAST_SEQUENCES} are needed."
            if mixture is None
            else "no mixture of these strategies describes the moves better than a fair coin."
        )
        note = f"Undetermined: {len(sequences)} sequences of two rounds or more; {why}"
    return sample.panel(
        "strategies",
        "Strategies that fit best",
        "share of agents in episodes",
        estimates,
        records=acts,
        note=note,
    )


def _of_strategies(mixture: Mixture) -> list[Estimate]:
    return [
        Estimate(
            label=name, value=share, low=mixture.low[name], high=mixture.high[name], n=mixture.n
        )
        for name, share in mixture.shares.items()
    ]


def _note_on(mixture: Mixture) -> str:
    note = f"{_MEANING} Tremble {mixture.tremble:.2f} over {mixture.rounds} moves."
    if any("=" in name for name in mixture.shares):
        note += " Strategies joined by = prescribe the same in every round of this evidence."
    if any(share is None for share in mixture.shares.values()):
        note += f" {_UNDETERMINED}"
    return note

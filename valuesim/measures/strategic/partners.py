"""What an agent earns against each kind of partner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from valuesim.choices import cluster_of
from valuesim.episode import Player
from valuesim.log.reader import DecisionRecord
from valuesim.measures.panel import Estimate, Panel
from valuesim.measures.strategic.amounts import bounded_mean, mean_estimate
from valuesim.measures.strategic.sample import Arm, Figures, Sample
from valuesim.measures.strategic.theory import game_for
from valuesim.measures.strategic.treatment import Treatment, stake

_Earned = list[tuple[str, float]]
"""(cluster, payoff a round at stake 1)."""


def partner_panels(sample: Sample) -> Iterator[Panel]:
    """Yield the mean payoff against each partner agent; none where there was one kind of partner.

    Rounds that took no effect (somebody made no decision) are left out.
    """
    partners = sorted({partner(record) for record in sample.records})
    if len(partners) < 2 or sample.treatment.is_predicted:
        return
    measured = [f for arm in sample.arms if (f := _figures(sample, arm, partners)) is not None]
    is_paid_later = game_for(sample.treatment, sample.arms[0].penalty) is None
    if measured:
        yield sample.across(
            "partners",
            "Payoff by partner",
            "mean payoff a round at stake 1",
            measured,
            bounds=(None, None),
            note=_PAID_LATER if is_paid_later else _PAID_AT_ONCE,
        )


_PAID_AT_ONCE = "Rounds in which somebody made no decision are left out."
_PAID_LATER = "n counts episodes, those without a fault."


def partner(record: DecisionRecord) -> str:
    """Return the agent (and its model) that the decider played with; of several, each kind."""
    others = (p for role, p in record.episode.population.items() if role != record.role)
    return ", ".join(sorted({_called(player) for player in others}))


def _called(player: Player) -> str:
    model = player.model_name
    return player.agent if model is None else f"{player.agent} {model.rsplit('/')[-1]}"


def _figures(sample: Sample, arm: Arm, partners: list[str]) -> Figures | None:
    bounds = _bounds(sample.treatment, arm.penalty)
    if bounds is None:
        return None
    is_paid_at_once = game_for(sample.treatment, arm.penalty) is not None
    earned: dict[str, _Earned] = {name: [] for name in partners}
    for name, each in (_by_round if is_paid_at_once else _by_episode)(arm):
        earned[name].append(each)
    estimates: list[Estimate] = [
        mean_estimate(name, bounded_mean(own, *bounds)) for name, own in earned.items()
    ]
    return Figures(arm=arm, estimates=estimates)


def _by_round(arm: Arm) -> Iterator[tuple[str, tuple[str, float]]]:
    for record in arm.acts:
        if record.effect.get("move") is not None and record.effect.get("partner") is not None:
            yield partner(record), (cluster_of(record), record.payoff / stake(record))


def _by_episode(arm: Arm) -> Iterator[tuple[str, tuple[str, float]]]:
    """Yield mean payoffs of whole episodes without a fault.

    Where one answers the other, a round pays when the answer is given, so that a decision's own
    payoff does not tell. Left out: lists of stakes, whose episodes have no one stake.
    """
    seen: set[tuple[str, str]] = set()
    for record in arm.records:
        episode = record.episode
        rounds = int(record.annotations.get("rounds_drawn", 1))
        total = episode.measures.get("by_agent", {}).get(record.role, {}).get("payoff")
        is_new = (episode.id, record.role) not in seen
        is_listed = episode.condition.get("sweeps") == "stake"
        seen.add((episode.id, record.role))
        if is_new and not is_listed and not any(episode.faults.values()) and total is not None:
            each = float(total) / rounds / stake(record)
            yield partner(record), (cluster_of(record), each)


def _bounds(treatment: Treatment, penalty: float | None) -> tuple[float, float] | None:
    """Return the lowest and the highest payoff of a round at stake 1; None for unknown games."""
    game = game_for(treatment, penalty)
    if game is not None:
        low, high = float(game.row.min()), float(game.row.max())
        low, high = min(low, float(game.column.min())), max(high, float(game.column.max()))
        return (low, high) if low < high else None
    factor = {name: treatment.factor(name) for name, _ in treatment.factors}
    if treatment.game in ("dictator", "ultimatum"):
        return 0.0, float(factor["pie"])
    if treatment.game == "trust":
        return 0.0, float(factor["endowment"]) * (1 + float(factor["multiplier"]))
    return _shared(factor) if treatment.game == "public_goods" else None


def _shared(factor: Mapping[str, float]) -> tuple[float, float]:
    others = float(factor["agents"]) - 1
    own, fine = float(factor["marginal_return"]) * float(factor["endowment"]), factor["punishment"]
    most = float(fine) * (1 + float(factor["punishment_factor"]) * others)
    return own - most, float(factor["endowment"]) + own * others

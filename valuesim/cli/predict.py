"""`valuesim predict`: do values fitted on some decisions tell what is risked in others?"""

from __future__ import annotations

import argparse

from valuesim.archetypes.auc import Auc
from valuesim.archetypes.between import Concordance, ValueRisk
from valuesim.archetypes.prediction import Forecast, Prediction, predict
from valuesim.archetypes.risk import HoldOut
from valuesim.archetypes.schema import prediction_to_json
from valuesim.cli import evidence
from valuesim.cli.ranking import print_line
from valuesim.cli.terminal import clean, interval, p_value, percent, print_table, write_json
from valuesim.errors import InputError
from valuesim.graph import grouped
from valuesim.graph.statement import count
from valuesim.log.chosen import CHOSEN

_LEVEL = 0.05


def main(arguments: argparse.Namespace) -> int:
    """Predict, and return 0; without a decision, say why there is nothing."""
    hold_out = HoldOut.read(arguments.hold_out)
    if arguments.seed < 0:
        raise InputError(f"--seed {arguments.seed} is not allowed: a whole number from 0")
    found = evidence.read_evidence(arguments.paths, arguments.by)
    # packs and forms are kept apart elsewhere; here one is to be predicted from another
    records = [record for own in found.groups.values() for record in own]
    keys = tuple(key.strip() for key in arguments.by.split(","))
    checked = predict(grouped(records, keys), hold_out, seed=arguments.seed)
    if arguments.json:
        told = prediction_to_json(checked)
        write_json(told | {"why": told["why"] or found.why_nothing}, arguments.json)
    if arguments.json != "-":
        print_prediction(checked)
        if found.chosen:
            print_line(f"note: {CHOSEN}")
        for line in filter(None, (found.why_nothing, found.why_unplaced)):
            print(f"undetermined: {line}")
    return 0


def print_prediction(found: Prediction) -> None:
    """Print the check: each group's forecast, then what tells risky groups from others."""
    parts = ", ".join(found.parts) or ", ".join(found.hold_out.levels) or "nothing"
    print(clean(f"held out by {found.hold_out.key}: {parts}"))
    # a key that all groups are told by stands over them once
    keys = {name for group in found.groups for name, label in group.items() if label is not None}
    heading = next(iter(keys)) if len(keys) == 1 else "group"
    forecasts = {
        str(group).removeprefix(f"{heading}="): each for group, each in found.groups.items()
    }
    names = ("risky", "of", "faults", "AUC", "95 %", "blind", "gain", "95 % of the gain")
    columns = (heading, *names)
    if len(forecasts) > 1:
        forecasts["all, each by itself"] = found.overall
    print_table(
        "risky held-out choices, predicted by strengths fitted without them",
        columns,
        [_row(name, each) for name, each in forecasts.items()],
    )
    for name, each in forecasts.items():
        print_line(f"{name}: {each.answer}: {each.why}")
    if found.in_both:
        told = count(found.in_both, "cluster")
        print_line(f"note: {told} of decisions (scenes, episodes) both learnt from and predicted")
    _print_values(found)


def _print_values(found: Prediction) -> None:
    if found.values:
        print_table(
            f"risk between {found.agents} agents, for one standard deviation of strength more",
            ("value", "rate ratio", "95 % interval", "p", "p corrected"),
            map(_value_row, found.values),
        )
        sure = [risk.value for risk in found.values if risk.p_corrected < _LEVEL]
        print_line(f"told by: {', '.join(sure) or 'no value, corrected for their number'}")
        if differing := [risk.value for risk in found.values if _is_told_twice(risk)]:
            print_line(
                f"note: the interval and p corrected differ on {', '.join(differing)}: p corrected "
                "holds for all values together, the interval for one"
            )
    if found.concordance is not None:
        print_line(_concordance(found.concordance, found.agents))
    if found.why:
        print_line(f"between agents: undetermined: {found.why}")
    for group, why in found.left_out.items():
        print_line(f"left out: {group}: {why}")
    print()


def _is_told_twice(risk: ValueRisk) -> bool:
    """Return whether the interval and the corrected p say two things of one value."""
    is_outside = not risk.low <= 1.0 <= risk.high
    return is_outside != (risk.p_corrected < _LEVEL)


def _concordance(found: Concordance, agents: int) -> str:
    known = f"{percent(found.low)} to {percent(found.high)}"
    if found.high <= found.low:
        known = f"so few agents, {agents}, give no interval where all pairs agree"
    return (
        f"of two agents, the one predicted to risk more did in {percent(found.value)} of pairs "
        f"({known}; {p_value(found.p)})"
    )


def _row(name: str, found: Forecast) -> tuple[object, ...]:
    gain = found.gain
    return (
        name,
        found.risky,
        found.n,
        percent(found.fault_rate),
        None if found.auc is None else found.auc.value,
        _ends(found.auc),
        None if found.blind is None else found.blind.value,
        None if gain is None else gain.value,
        _ends(gain),
    )


def _ends(auc: Auc | None) -> str | None:
    return None if auc is None else interval(auc.low, auc.high)


def _value_row(risk: ValueRisk) -> tuple[object, ...]:
    p = (f"{risk.p:.4f}", f"{risk.p_corrected:.4f}")
    return (risk.value, risk.ratio, interval(risk.low, risk.high), *p)

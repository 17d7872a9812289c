"""The archetype results as JSON values, schema 1 (docs/archetypes.md); unknown is None."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from valuesim.archetypes.conduct import ConductReport
from valuesim.archetypes.discovery import Discovery
from valuesim.archetypes.dose import DoseTable
from valuesim.archetypes.prediction import Forecast, Prediction
from valuesim.archetypes.report import ArchetypeReport
from valuesim.archetypes.shift import Shift


def to_json(
    group: Mapping[str, Any], report: ArchetypeReport, shifts: Sequence[Shift] = ()
) -> dict[str, Any]:
    """Return one entry of "groups"."""
    n_faults = sum(report.faults.values())
    return {
        "group": dict(group.items()),
        "archetype": report.verdict.archetype,
        "posterior": dict(report.verdict.posterior),
        "rates": [
            asdict(rate) | {"condition": dict(rate.condition)} for rate in report.verdict.rates
        ],
        "flags": [asdict(flag) for flag in report.flags],
        "why": report.verdict.why,
        "ratios": [
            asdict(ratio) | {"condition": dict(ratio.condition)} for ratio in report.verdict.ratios
        ],
        "coherent": report.is_coherent,
        "omitted": [asdict(flag) for flag in report.omitted],
        "decisions": report.decisions,
        "faults": dict(report.faults),
        "fault_rate": n_faults / report.decisions if report.decisions else None,
        "interrupted": dict(report.interrupted),
        "rule_version": report.rule_version,
        **_conduct(report.conduct),
        "doses": [_dose(table) for table in report.doses],
        "shifts": [asdict(shift) for shift in shifts],
    }


def _conduct(report: ConductReport | None) -> dict[str, Any]:
    """Return the entries on games: none is named, and there is no list, without any."""
    if report is None:
        return {"conduct_name": None, "conduct_why": None, "conduct": []}
    rates = {rate.name: asdict(rate) for rate in report.rates}
    return {
        "conduct_name": report.name,
        "conduct_why": report.why,
        "conduct_decisions": report.decisions,
        "conduct_faults": report.faults,
        "conduct_rule_version": report.rule_version,
        "conduct": [
            {
                "name": each.name,
                "probability": each.probability,
                "rates": [rates[name] for name in each.rates if name in rates],
                "why": each.why,
            }
            for each in report.likenesses
        ],
    }


def _dose(table: DoseTable) -> dict[str, Any]:
    return asdict(table) | {"n": table.n, "faults": table.faults, "why": table.why or None}


def discovery_to_json(found: Discovery) -> dict[str, Any]:
    """Return the entry "discovery"."""
    return {
        "answer": found.answer,
        "why": found.why,
        "clusters": [
            {
                "members": [dict(member.items()) for member in cluster.members],
                "high": [{"value": name, "mean": mean} for name, mean in cluster.high],
                "low": [{"value": name, "mean": mean} for name, mean in cluster.low],
            }
            for cluster in found.clusters
        ],
        "values": list(found.values),
        "agents": found.agents,
        "left_out": dict(found.left_out),
        "found": found.found,
        "bic": [{"clusters": k, "bic": bic} for k, bic in found.bic.items()],
        "stability": found.stability,
        "stability_low": found.stability_low,
        "gain": found.gain,
        "null_gain": found.null_gain,
    }


def prediction_to_json(found: Prediction) -> dict[str, Any]:
    """Return the results of `valuesim predict`."""
    return {
        "schema": 1,
        "hold_out": {
            "key": found.hold_out.key,
            "levels": list(found.hold_out.levels),
            "parts": list(found.parts),
            "in_both": found.in_both,
        },
        "overall": _forecast(found.overall),
        "groups": [
            {"group": dict(group.items()), **_forecast(each)}
            for group, each in found.groups.items()
        ],
        "values": [asdict(value) for value in found.values],
        "concordance": None if found.concordance is None else asdict(found.concordance),
        "agents": found.agents,
        "left_out": [
            {"group": dict(group.items()), "why": why} for group, why in found.left_out.items()
        ],
        "why": found.why or None,
    }


def _forecast(found: Forecast) -> dict[str, Any]:
    return asdict(found) | {"fault_rate": found.fault_rate}

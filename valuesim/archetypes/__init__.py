"""Archetypes: what agents did over levels of scarcity and in games, and what they put first.

`classify` names the behavioural archetype that decisions support, or says why none (`verdict`, on
counts of `behaviour` and posterior rates of `hierarchy`), flags value signatures (`signatures`),
names the conduct in games of two (`conduct`) and sets acts out over doses (`dose`). `shifts` says
how signatures move with scarcity, `discover` which agents are alike in what they put first, and
`predict` whether what they put first in some decisions tells what they risk in others. Names,
thresholds and signatures are data: `load_catalogue`.
"""

from valuesim.archetypes.catalogue import Catalogue, GameRule, Rule, load_catalogue
from valuesim.archetypes.conduct import ConductReport, Likeness, MoveRate
from valuesim.archetypes.discovery import Cluster, Discovery, discover
from valuesim.archetypes.dose import DoseLevel, DoseTable
from valuesim.archetypes.entries import Conduct, Signature
from valuesim.archetypes.prediction import Prediction, predict
from valuesim.archetypes.rates import Rate
from valuesim.archetypes.report import ArchetypeReport, classify
from valuesim.archetypes.risk import HoldOut
from valuesim.archetypes.schema import discovery_to_json, prediction_to_json, to_json
from valuesim.archetypes.shift import Shift, ShiftLevel, shifts
from valuesim.archetypes.signatures import Flag, Omitted
from valuesim.archetypes.verdict import Ratio, Verdict

__all__ = [
    "ArchetypeReport",
    "Catalogue",
    "Cluster",
    "Conduct",
    "ConductReport",
    "Discovery",
    "DoseLevel",
    "DoseTable",
    "Flag",
    "GameRule",
    "HoldOut",
    "Likeness",
    "MoveRate",
    "Omitted",
    "Prediction",
    "Rate",
    "Ratio",
    "Rule",
    "Shift",
    "ShiftLevel",
    "Signature",
    "Verdict",
    "classify",
    "discover",
    "discovery_to_json",
    "load_catalogue",
    "predict",
    "prediction_to_json",
    "shifts",
    "to_json",
]

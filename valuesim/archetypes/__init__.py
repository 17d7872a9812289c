"""Archetypes: what agents did over levels of scarcity, and which values they put first.

`classify` names the behavioural archetype that decisions support, or says why none (`verdict`, on
counts of `behaviour` and posterior rates of `hierarchy`), and flags value signatures
(`signatures`). Names, thresholds and signatures are data: `load_catalogue`.
"""

from valuesim.archetypes.catalogue import Catalogue, Rule, Signature, load_catalogue
from valuesim.archetypes.rates import Rate
from valuesim.archetypes.report import ArchetypeReport, classify, to_json
from valuesim.archetypes.signatures import Flag, Omitted
from valuesim.archetypes.verdict import Ratio, Verdict

__all__ = [
    "ArchetypeReport",
    "Catalogue",
    "Flag",
    "Omitted",
    "Rate",
    "Ratio",
    "Rule",
    "Signature",
    "Verdict",
    "classify",
    "load_catalogue",
    "to_json",
]

"""What choices say of values: the estimate, its uncertainty, its views.

`rank_values` fits a conditional logit over the options of each choice (`design`, `logit`,
`identification`), draws from a cluster bootstrap (`bootstrap`) and adds the pairwise view
(`pairwise`), its consistency (`consistency`) and a held-out check (`coherence`). `layers` and
`value_graph` draw it, `to_json` writes it, `behind` lists the decisions of an edge, `grouped` says
whose decisions are ranked together.
"""

from valuesim.graph.behind import Behind, behind
from valuesim.graph.coherence import Coherence
from valuesim.graph.consistency import Consistency, Cycle
from valuesim.graph.grouping import Group, grouped
from valuesim.graph.layers import Layers, layers, value_graph
from valuesim.graph.pairwise import decisions_behind
from valuesim.graph.rank import rank_together, rank_values
from valuesim.graph.ranking import Priority, ValueRanking, ValueStrength
from valuesim.graph.schema import to_json

__all__ = [
    "Behind",
    "Coherence",
    "Consistency",
    "Cycle",
    "Group",
    "Layers",
    "Priority",
    "ValueRanking",
    "ValueStrength",
    "behind",
    "decisions_behind",
    "grouped",
    "layers",
    "rank_together",
    "rank_values",
    "to_json",
    "value_graph",
]

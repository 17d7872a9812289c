"""What the best design could save that knows the truth beforehand, as a measure for the others."""

from __future__ import annotations

import numpy as np

from benchmarks.adaptive.planted import Kind, Planted
from valuesim.graph.information import Prospects
from valuesim.graph.room import best_share


def possible(known: Prospects, agent: Planted, kind: Kind, tau: float) -> float:
    """Return the decisions that the best design needs for `tau`, as a share of random order's.

    What scenes add of their own (`noise`) is left out.
    """
    theta = np.concatenate([agent.strengths, [kind.position, 0.0, 0.0]])
    return best_share(known, theta, tau)

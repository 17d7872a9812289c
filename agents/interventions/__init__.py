"""Interventions: what is changed about an agent beside its model and its world.

Each is a class (`base.Intervention`), a line in `catalogue` and a file in conf/intervention/ that
says its settings. They compose: each sees the prompt as those before it left it.
"""

from valuesim.agents.interventions.base import Ask, Intervention
from valuesim.agents.interventions.catalogue import (
    ROLES,
    TEXTS,
    annotated,
    build,
    check,
    environments_of,
    needing_chain,
    of_role,
    texts_id,
)

__all__ = [
    "ROLES",
    "TEXTS",
    "Ask",
    "Intervention",
    "annotated",
    "build",
    "check",
    "environments_of",
    "needing_chain",
    "of_role",
    "texts_id",
]

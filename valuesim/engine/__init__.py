"""Plays many episodes at once and keeps what happened.

`plan` says which episodes a design asks for, `schedule` plays those that are not yet finished,
`manifest` describes a run in `run.yaml`, `progress` tells how far it is.
"""

from valuesim.engine.connections import Connection
from valuesim.engine.plan import Design, plan
from valuesim.engine.schedule import EpisodeFailed, run
from valuesim.engine.summary import Summary

__all__ = ["Connection", "Design", "EpisodeFailed", "Summary", "plan", "run"]

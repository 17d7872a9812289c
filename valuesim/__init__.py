"""valuesim: value dilemmas for language models, and what their choices put first.

`make(id)` builds an environment; `play` runs agents in one; `read_run` reads a run folder back.
Everything here is loaded on first use, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = ["Decision", "Environment", "Fault", "Observation", "Option", "make", "play", "read_run"]

_HOMES = {
    "Decision": "valuesim.decision",
    "Environment": "valuesim.env",
    "Fault": "valuesim.decision",
    "Observation": "valuesim.env",
    "Option": "valuesim.env",
    "make": "valuesim.registry",
    "play": "valuesim.episode",
    "read_run": "valuesim.log",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'valuesim' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

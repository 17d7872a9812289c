"""Python's garbage collector in a process that plays a run: it need not look at what stays."""

from __future__ import annotations

import gc

_THRESHOLDS = (10_000, 20, 50)
"""Python's own are (700, 10, 10), for programs that make less: a tenth of a run's time."""


def spare_what_is_loaded() -> None:
    """Leave all that is loaded by now out of later collections, and make these rarer.

    What a run lets go of is freed at once by its count of references, as ever; only cycles wait.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)

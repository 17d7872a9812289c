"""The run folder: what is written while episodes are played, and how it is read back.

`lines` says what a line of each file holds, `writer` appends and resumes, `reader` reads runs back
as `records`, `pool` reads several runs as one.
"""

from valuesim.log.pool import Pool, decisions_once, find_runs
from valuesim.log.reader import DecisionRecord, EpisodeRecord, RunFolder, read_run
from valuesim.log.writer import RunWriter

__all__ = [
    "DecisionRecord",
    "EpisodeRecord",
    "Pool",
    "RunFolder",
    "RunWriter",
    "decisions_once",
    "find_runs",
    "read_run",
]

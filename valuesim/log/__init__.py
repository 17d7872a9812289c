"""The run folder: what is written while episodes are played, and how it is read back.

`lines` says what a line of each file holds, `writer` appends and resumes, `reader` reads runs back
as records.
"""

from valuesim.log.reader import DecisionRecord, EpisodeRecord, RunFolder, find_runs, read_run
from valuesim.log.writer import RunWriter

__all__ = [
    "DecisionRecord",
    "EpisodeRecord",
    "RunFolder",
    "RunWriter",
    "find_runs",
    "read_run",
]

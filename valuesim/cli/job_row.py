"""How a job stands: what its run folder holds, and what its record says of why that is not all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from valuesim.cli.job import FINISHED, INTERRUPTED, REST, RUNNING, WAITING, JobRecord
from valuesim.engine.outlay import outlay
from valuesim.errors import InputError, LogError, unknown
from valuesim.log.reader import RunFolder, read_run
from valuesim.measures.headline import NOTHING, Headline, headlines, names

CUT_OFF = "the job was cut off"
OF_ANY = ("fault_rate", "decisions")
"""What may be searched for in any environment, beside the headline figures."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRow:
    """A job as its row of the table has it.

    Counts are of all sessions, of finished episodes. `planned` is None where nothing was written,
    `tokens` and `dollars` where no model was asked, or where its price is not known. Where sessions
    are `untold`, cut off before they told what they spent, `tokens` are at least what was spent and
    `dollars` None. `figures` are the headline figures of its environment.
    """

    record: JobRecord
    status: str
    why: str = ""
    finished: int = 0
    planned: int | None = None
    decisions: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)
    figures: tuple[Headline, ...] = ()
    tokens: int | None = None
    dollars: float | None = None
    untold: int = 0

    @property
    def fault_rate(self) -> float | None:
        """Faults per decision, in [0, 1]; None without a decision."""
        return sum(self.faults.values()) / self.decisions if self.decisions else None

    def figure(self, name: str) -> float:
        """Return the figure `name`; raise LogError where it is undetermined or not to be had."""
        if name == "decisions":
            return float(self.decisions)
        known = {each.name: (each.rate.value, each.why) for each in self.figures}
        if name == "fault_rate":
            known[name] = self.fault_rate, NOTHING
        found, why = known.get(name, (None, "the environment has no such figure"))
        if found is None:
            raise LogError(f"{name} is undetermined: {why}")
        return found


def row_of(folder: Path, record: JobRecord) -> JobRow:
    """Return how the job stands whose run is in `folder`; what cannot be read is told in `why`."""
    try:
        run = read_run(folder) if (folder / "run.yaml").is_file() else None
        return _unplayed(record) if run is None else _played(run, record)
    except LogError as error:
        return JobRow(record=record, status="failed", why=str(error))


def objectives() -> list[str]:
    """Return the names of the figures that a job can be searched by."""
    return [*names(), *OF_ANY]


def check_objective(name: str) -> None:
    """Raise InputError if no figure of a job is named `name`."""
    if name not in objectives():
        raise InputError(unknown("sweep.objective", name, objectives()))


def _unplayed(record: JobRecord) -> JobRow:
    status, why = record.status, record.why
    if status == RUNNING:
        status, why = INTERRUPTED, CUT_OFF
    elif status == FINISHED or why == REST:
        # its record outlived what it is about
        status, why = WAITING, ""
    return JobRow(record=record, status=status, why=why, planned=record.summary.get("planned"))


def _played(run: RunFolder, record: JobRecord) -> JobRow:
    episodes = run.episodes.values()
    planned = record.summary.get("planned", run.config.get("episodes"))
    status, why = record.status, record.why
    if status == FINISHED and isinstance(planned, int) and len(episodes) < planned:
        status, why = INTERRUPTED, "episodes that were finished are missing"
    elif status in (RUNNING, WAITING):
        status, why = INTERRUPTED, CUT_OFF
    spent = outlay(run)
    return JobRow(
        record=record,
        status=status,
        why=why,
        finished=len(episodes),
        planned=max(planned, len(episodes)) if isinstance(planned, int) else None,
        decisions=sum(episode.decisions for episode in episodes),
        faults=dict(sum((Counter(episode.faults) for episode in episodes), start=Counter())),
        figures=headlines(run),
        tokens=None if spent is None else spent.tokens,
        dollars=None if spent is None else spent.dollars,
        untold=0 if spent is None else spent.untold,
    )

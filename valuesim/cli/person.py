"""The person who plays in a run: seated at this terminal, their consent kept with the session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from valuesim.config import RunConfig
from valuesim.engine.connections import shared
from valuesim.engine.shutdown import Shutdown
from valuesim.episode import EpisodeSpec
from valuesim.log import RunWriter
from valuesim.log.notes import note

if TYPE_CHECKING:
    from valuesim.agents.human import Person

HUMAN = "human"
"""The registered agent that a person stands behind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seating:
    """How a run is played where a person takes part: by whom, how many at once, what is shown.

    Without a person it is played as `engine` says, and `connections` is empty. With one no bar is
    drawn over the questions, and where every episode has one they are played one after the other.
    """

    connections: dict[str, Person] = field(default_factory=dict)
    concurrency: int
    progress: str


def seating(
    specs: Sequence[EpisodeSpec],
    writer: RunWriter,
    config: RunConfig,
    stop: Shutdown,
    secrets: Sequence[str],
) -> Seating:
    """Return how those of `specs` that `writer` does not hold yet are played, without `secrets`."""
    waiting = [spec for spec in specs if spec.id not in writer.finished]
    theirs = sum(_has_a_person(spec) for spec in waiting)
    engine = config.engine
    if not theirs:
        return Seating(concurrency=engine.concurrency, progress=engine.progress)
    from valuesim.agents.human import Person
    from valuesim.agents.human.terminal import Terminal

    person = Person(
        Terminal.standard(),
        ask_reasons=config.elicitation["ask_rationale"],
        stop=stop.now,
        leave=stop.ask,
        on_consent=partial(note, writer),
        episodes=theirs if config.adaptive() is None else None,
        secrets=secrets,
    )
    return Seating(
        connections={shared(HUMAN): person},
        concurrency=1 if theirs == len(waiting) else engine.concurrency,
        progress="lines" if engine.progress == "lines" else "none",
    )


def _has_a_person(spec: EpisodeSpec) -> bool:
    return any(player.agent == HUMAN for player in spec.population.values())

"""A person who plays in the browser: seated once for a play, asked for consent before all else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from valuesim.agents.human import Human, Person, Screen
from valuesim.engine.connections import Connection, shared
from valuesim.episode import EpisodeSpec
from valuesim.errors import Interruption
from valuesim.log import RunWriter
from valuesim.log.pool import PERSON
from valuesim.log.reader import read_config
from valuesim.replay.playing.consent import Consent, described, keep_consent

HUMAN = "human"
"""The registered agent that a person stands behind."""
SITTING = "sitting"
"""The parameter of a person's player by which no two sittings are one episode."""


def played_by_a_person(spec: EpisodeSpec) -> bool:
    """Return whether a person plays a role."""
    return any(player.agent == HUMAN for player in spec.population.values())


@dataclass(slots=True)
class Left:
    """Why the person left; empty while they have not."""

    why: str = ""


class Sitting:
    """One person at one screen for as long as a play lasts; among connections like a model."""

    def __init__(
        self,
        screen: Screen,
        consent: Consent,
        *,
        participant: str | None,
        secrets: Sequence[str],
        ask_reasons: bool,
        episodes: int = 1,
        leave: Callable[[], None] | None = None,
        on_episode: Callable[[str], None] | None = None,
    ) -> None:
        self._consent, self._participant = consent, participant
        self._writer: RunWriter | None = None
        self._on_episode = on_episode
        self.person = Person(
            screen,
            ask_reasons=ask_reasons,
            leave=leave,
            consent=consent.text,
            on_consent=self._consented,
            episodes=episodes,
            secrets=secrets,
        )

    @property
    def counters(self) -> Any:
        """What was asked of a model: nothing."""
        return self.person.counters

    def agent(self, role: str, seed: int, parameters: Mapping[str, Any], episode: str) -> Human:
        """Return the agent of `role` in `episode`, which begins with it."""
        if self._on_episode is not None:
            self._on_episode(episode)
        return self.person.agent(role, seed, parameters, episode)

    async def close(self) -> None:
        """Do nothing: nothing is held."""

    def connections(self, spec: EpisodeSpec) -> dict[str, Connection]:
        """Return what answers for the person in the episode of `spec`; nothing where none plays."""
        return {shared(HUMAN): self} if played_by_a_person(spec) else {}

    def begin(self, writer: RunWriter) -> None:
        """Keep with the run what the person is going to be asked for."""
        self._writer = writer
        held = dict(read_config(writer.folder))
        writer.describe({**held, PERSON: described(self._consent, self._participant)})

    @asynccontextmanager
    async def leaving(self) -> AsyncIterator[Left]:
        """Take the person's leaving for an end of the play, as an error takes it for none."""
        left = Left()
        try:
            yield left
        except Interruption:
            if not self.person.gone:
                raise
            left.why = self.person.gone

    def _consented(self, sentence: str) -> None:
        assert self._writer is not None, "a person is asked in a run that is open"
        keep_consent(self._writer, sentence)

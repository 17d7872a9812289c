"""What an agent answers: a decision, or a fault that is not one.

A refusal, an unreadable reply and a kind act are different things and stay different: a `Decision`
holds either the name of an offered option or a `Fault`, never both and never neither. A failure
of the infrastructure is neither; it is raised as `errors.Interruption`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from valuesim.observation import Observation
    from valuesim.option import Move


class Fault(StrEnum):
    """Why an agent's reply is no choice."""

    UNPARSED = "unparsed"
    """No option could be read from the reply."""
    ILLEGAL = "illegal"
    """An option was named that was not on offer, or with arguments outside its schema."""
    REFUSED = "refused"
    """The agent declined to answer."""
    AMBIVALENT = "ambivalent"
    """The agent named several options and settled on none."""


_NOTICES = {
    Fault.UNPARSED: "Your last reply could not be read, so you did nothing",
    Fault.ILLEGAL: "Your last action was not possible, so you did nothing",
    Fault.REFUSED: "You declined to act last turn, so you did nothing",
    Fault.AMBIVALENT: "Your last reply named several options, so you did nothing",
}


def notice(fault: Fault, detail: str | None) -> str:
    """Return the sentence that tells an agent of its own fault in its next observation."""
    return f"{_NOTICES[fault]} ({detail})." if detail else f"{_NOTICES[fault]}."


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Tokens a reply cost, summed over its attempts; zero for agents that use none.

    `cached_tokens` are those of the prompt that the server says it had in its cache.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cached_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Try:
    """One attempt that was asked again: its raw reply, and why that was no choice.

    `attempted` is the option that the reply settled on, with the arguments it gave, though they
    could not be taken (see `Move.attempted`); None where none was read. `schema_break` tells that
    the reply left the JSON schema that the server was given.
    """

    reply: str
    fault: Fault
    detail: str | None = None
    attempted: Move | None = None
    schema_break: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Addition:
    """What the intervention `by` added to what a model was sent: where, and the text.

    "system" stands at the end of the system message, "before" and "after" stand around what moves
    in the user message.
    """

    by: str
    place: Literal["system", "before", "after"]
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelling:
    """One permutation of the letters over the options, and how likely the model found each letter.

    `labels` are those of the options in the order shown; `found` holds the probability, in (0, 1],
    of each letter that stood among the likeliest tokens, None where the server gave none.
    """

    labels: tuple[str, ...]
    found: Mapping[str, float] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """One agent's answer to one observation.

    `option` is the name of an offered option and `arguments` what it takes; `message` is what the
    agent says to others, `rationale` what it says of its reasons. `reply` is the raw text of the
    last attempt, `attempts` how often it was asked, `latency` seconds spent waiting for it. `tries`
    are the attempts before the last; `attempted` (beside a fault) and `schema_break` say of the
    last what they say of a `Try`. `added` is what interventions added to what was asked, and
    `interventions` what they did beside that, by name: the answers to their own questions among it.

    Where letters were asked for, `labellings` say which option had which, the first of them in the
    question that was decided by; `probabilities` is the model's distribution over all options, the
    mean over labellings, empty where one of them has none; `unaccounted` is the mean probability
    of what was no letter, or a letter not among the likeliest tokens, None where none was given.
    """

    agent: str
    step: int
    option: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    message: str | None = None
    rationale: str | None = None
    fault: Fault | None = None
    fault_detail: str | None = None
    attempted: Move | None = None
    schema_break: bool = False
    reply: str = ""
    attempts: int = 1
    tries: tuple[Try, ...] = ()
    added: tuple[Addition, ...] = ()
    interventions: Mapping[str, Any] = field(default_factory=dict)
    labellings: tuple[Labelling, ...] = ()
    probabilities: Mapping[str, float] = field(default_factory=dict)
    unaccounted: float | None = None
    usage: Usage = field(default_factory=Usage)
    latency: float = 0.0

    def __post_init__(self) -> None:
        """Raise ValueError unless exactly one of `option` and `fault` is given."""
        if (self.option is None) == (self.fault is None):
            raise ValueError(
                f"a decision holds an option or a fault, not both and not neither: "
                f"option={self.option!r}, fault={self.fault!r} ({self.agent}, step {self.step})"
            )


class Agent(Protocol):
    """Anything that answers observations; one instance plays one role in one episode."""

    async def decide(self, observation: Observation) -> Decision:
        """Return the answer to `observation`; raise `Interruption` if none could be had."""
        ...

"""How one question of a decision is asked and read, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from valuesim.agents.llm.ask import LabelForm, Reply
from valuesim.agents.llm.channel import DECISION
from valuesim.agents.parse import Reading, cleaned, keeps_schema, read
from valuesim.agents.prompt import Elicitation, schema
from valuesim.decision import Fault, Try, Usage
from valuesim.observation import Observation


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """How a question about the options of `observation` is asked, and its reply read.

    `label` asks for one token alone, one of `labels`, which are those of the options in their
    order; `label_read` reads it. Without it the reply is in the form that `elicitation` says.
    `purpose` tells the questions of one decision apart.
    """

    observation: Observation
    elicitation: Elicitation
    purpose: str = DECISION
    label: LabelForm | None = None
    labels: tuple[str, ...] = ()
    label_read: Callable[[Reply], Reading] | None = None

    def schema(self, *, bounded: bool) -> dict[str, Any] | None:
        """Return the JSON schema that the server is given, None for none (see `prompt.schema`)."""
        if self.elicitation.format != "json_schema":
            return None
        return schema(self.observation, self.elicitation, bounded=bounded)

    def read(self, reply: Reply) -> Reading:
        """Return what `reply` says."""
        if self.label_read is not None:
            return self.label_read(reply)
        return read(
            reply.text,
            self.observation,
            parsed=reply.parsed,
            refusal=reply.refusal,
            finish_reason=reply.finish_reason,
        )

    def is_broken_by(self, reply: Reply, reading: Reading) -> bool:
        """Return whether `reply`, read as `reading`, left the schema that the server was given."""
        # a cut reply is the token limit's doing, and a refusal is an answer
        is_exempt = reply.finish_reason == "length" or reading.fault is Fault.REFUSED
        if self.elicitation.format != "json_schema" or is_exempt:
            return False
        return not keeps_schema(reply.parsed, self.observation, self.elicitation)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came of a question: the last reply, how it was read, and the tries before it.

    `first` is the reply to the question as it was first asked, `usage` the tokens of all of them.
    """

    reading: Reading
    reply: Reply
    first: Reply
    tries: tuple[Try, ...] = ()
    schema_break: bool = False
    usage: Usage

    def fields(self) -> dict[str, Any]:
        """Return what it says of a `Decision`, by field."""
        reading = self.reading
        return {
            "option": reading.option,
            "arguments": reading.arguments,
            "message": reading.message,
            "rationale": reading.rationale,
            "fault": reading.fault,
            "fault_detail": reading.detail,
            "attempted": reading.attempted,
            "schema_break": self.schema_break,
            "reply": cleaned(self.reply.text),
            "attempts": len(self.tries) + 1,
            "tries": self.tries,
            "usage": self.usage,
        }


def tried(reply: Reply, reading: Reading, *, schema_break: bool) -> Try:
    """Return an attempt that is asked again; `reading` holds its fault."""
    assert reading.fault is not None, "a choice is not asked again"
    return Try(
        reply=cleaned(reply.text),
        fault=reading.fault,
        detail=reading.detail,
        attempted=reading.attempted,
        schema_break=schema_break,
    )

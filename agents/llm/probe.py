"""Asks a server, once and cheaply, whether it holds a reply to the schema that a run depends on."""

from __future__ import annotations

from valuesim.agents.llm.channel import Call, Channel
from valuesim.agents.parse import keeps_schema
from valuesim.agents.prompt import Elicitation, Message, schema
from valuesim.observation import Observation
from valuesim.option import Amount, Option, quoted

# nobody who is asked this answers in the form below unless the server sees to it
_QUESTION = Message(role="user", text="Say one word about the weather.")
_FORM = Elicitation(ask_rationale=False)
_SEEN = Observation(
    agent="",
    step=0,
    text="",
    rules="",
    options=(
        Option(name="REPORT", text="", arguments={"clouds": Amount(low=0, high=8)}),
        Option(name="PASS", text=""),
    ),
)


async def probe(channel: Channel) -> str | None:
    """Return None if a reply was kept to a JSON schema, else a sentence that says what was done.

    One small request, counted as others are. Raises Interruption when the server cannot
    be had, InputError if the provider has no structured output.
    """
    form = schema(_SEEN, _FORM, bounded=channel.takes_max_length)
    reply = await channel.ask([_QUESTION], schema=form, seed=0, call=Call(purpose="probe"))
    if keeps_schema(reply.parsed, _SEEN, _FORM):
        return None
    at = f"the model at {channel.endpoint.where}"
    if reply.refusal or reply.finish_reason in ("length", "content_filter"):
        why = "was cut off" if reply.finish_reason == "length" else "was refused"
        return f"{at} may not keep to a JSON schema: the reply to a trial {why}"
    channel.endpoint.counters.schema_breaks += 1
    return (
        f"{at} was given a JSON schema and replied {quoted(reply.text)} against it: "
        "its server may ignore the constraint"
    )

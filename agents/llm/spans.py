"""What traces say of a call to a model: LangChain's metadata, and a span for each request.

Names are those of OpenTelemetry's semantic conventions for generative AI, as of version 0.66b2 of
its package for Python.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from valuesim import tracing
from valuesim.agents.endpoint import Endpoint
from valuesim.agents.failure import read_failure
from valuesim.agents.llm.ask import Question, Reply
from valuesim.agents.llm.models import Model
from valuesim.agents.parse import cleaned

if TYPE_CHECKING:
    from valuesim.agents.llm.channel import Call
    from valuesim.agents.llm.exchange import Exchange


def runnable_config(call: Call, watch: Exchange | None = None) -> dict[str, Any]:
    """Return what LangChain's callbacks are told of `call`: a name and metadata.

    The first call of a decision is also shown to `watch`.
    """
    told = call.episode and watch is not None and not watch.is_taken
    if watch is not None and told:
        watch.is_taken = True
    return {
        **({"callbacks": [watch]} if told else {}),
        "run_name": call.purpose,
        "metadata": {
            "episode": call.episode,
            "agent": call.role,
            "step": call.step,
            "attempt": call.attempt,
            "purpose": call.purpose,
        },
    }


@contextmanager
def request_span(
    model: Model, endpoint: Endpoint, question: Question, call: Call
) -> Iterator[tracing.Span]:
    """Trace one request to `model`; a failure is told as OpenTelemetry asks, by status or class."""
    if not tracing.is_on():
        yield tracing.NOBODYS
        return
    started = endpoint.clock()
    attributes = _of_model(model) | _of_call(call) | _of_question(question)
    with tracing.span(f"chat {model.name}", attributes, is_call=True) as told:
        told.quote(lambda: _sent(question))
        try:
            yield told
        except asyncio.CancelledError:
            waited = endpoint.limits.timeout_s
            if endpoint.clock() - started >= waited:
                told.fail("timeout", f"no answer within {waited:g} s")
            raise
        except Exception as error:
            failure = read_failure(error, now=0.0, timeout_s=endpoint.limits.timeout_s)
            told.fail(str(failure.status or type(error).__name__), failure.reason)
            raise


def tell_reply(told: tracing.Span, reply: Reply) -> None:
    """Add to the span of a request what came of it."""
    usage = reply.usage
    told.tell(
        {
            "gen_ai.response.finish_reasons": [reply.finish_reason]
            if reply.finish_reason
            else None,
            "gen_ai.usage.input_tokens": usage.prompt_tokens,
            "gen_ai.usage.output_tokens": usage.completion_tokens,
            "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens or None,
        }
    )
    told.quote(lambda: _replied(reply))


def _of_model(model: Model) -> dict[str, Any]:
    provider = model.name.partition(":")[0] if model.provider == "chat" else model.provider
    # of several servers it is not known here which one is asked
    url = urlsplit(model.base_urls[0]) if len(model.base_urls) == 1 else None
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model.name,
        "gen_ai.request.temperature": model.temperature,
        "gen_ai.request.top_p": model.top_p,
        "gen_ai.request.max_tokens": model.max_tokens,
        "server.address": url and url.hostname,
        "server.port": url and url.port,
    }


def _of_call(call: Call) -> dict[str, Any]:
    return {
        "gen_ai.conversation.id": call.episode or None,
        "gen_ai.agent.name": call.role or None,
        tracing.STEP: call.step,
        "valuesim.attempt": call.attempt,
        "valuesim.purpose": call.purpose,
    }


def _of_question(question: Question) -> dict[str, Any]:
    return {
        "gen_ai.request.seed": question.seed,
        "gen_ai.output.type": "text" if question.schema is None else "json",
    }


def _sent(question: Question) -> dict[str, Any]:
    system = [m.text for m in question.messages if m.role == "system"]
    others = [
        {"role": m.role, "parts": _parts([m.text])} for m in question.messages if m.role != "system"
    ]
    return {
        "gen_ai.system_instructions": _parts(system),
        "gen_ai.input.messages": others,
    }


def _replied(reply: Reply) -> dict[str, Any]:
    said = {
        "role": "assistant",
        "parts": _parts([reply.refusal or reply.text]),
        "finish_reason": reply.finish_reason or "",
    }
    return {"gen_ai.output.messages": [said]}


def _parts(texts: Sequence[str]) -> list[dict[str, str]]:
    # what a model says may hold half a surrogate pair
    return [{"type": "text", "content": cleaned(text)} for text in texts]

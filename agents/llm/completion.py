"""What a server's answer says, in the form of OpenAI's chat completions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult

from valuesim.agents.failure import MalformedReply


def decoded(answer: bytes) -> Any:
    """Return the JSON of an answer; raise JSONDecodeError where it is none."""
    try:
        return orjson.loads(answer)
    except orjson.JSONDecodeError:
        # stricter than servers are: half a surrogate pair is no reason to lose a reply
        return json.loads(answer)


def said(answer: bytes) -> str:
    """Return what a server says is wrong: the message of its JSON, else its text."""
    try:
        content = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return answer.decode("utf-8", "replace").strip()
    error = content.get("error", content) if isinstance(content, dict) else content
    for name in ("message", "detail"):
        if isinstance(error, dict) and isinstance(error.get(name), str):
            return str(error[name])
    return str(error)


def checked(content: object) -> None:
    """Raise MalformedReply unless `content` is a chat completion with a message in it."""
    if not isinstance(content, dict):
        raise MalformedReply("the server's answer is no JSON object")
    if content.get("error"):
        raise MalformedReply(f"the server answered with an error: {content['error']}")
    choices = content.get("choices")
    if not isinstance(choices, list) or not choices:
        raise MalformedReply("the server's answer holds no choices")
    if not isinstance(choices[0], dict) or not isinstance(choices[0].get("message"), dict):
        raise MalformedReply("the server's answer holds no message")


def result(content: Mapping[str, Any]) -> ChatResult:
    """Return a completion that was checked, as LangChain keeps it."""
    return ChatResult(
        generations=[
            ChatGeneration(message=message_of(choice, content.get("usage")))
            for choice in content["choices"]
        ],
        llm_output={"model_name": content.get("model")},
    )


def message_of(choice: Mapping[str, Any], usage: object) -> AIMessage:
    """Return the message of one choice, with the tokens of the whole answer."""
    message = choice["message"]
    reasoning = message.get("reasoning") or message.get("reasoning_content")
    kept = {"refusal": message.get("refusal"), "reasoning": reasoning}
    return AIMessage(
        content=message.get("content") or "",
        additional_kwargs={name: text for name, text in kept.items() if isinstance(text, str)},
        response_metadata={
            "finish_reason": choice.get("finish_reason"),
            "logprobs": choice.get("logprobs"),
        },
        usage_metadata=_usage(usage) if isinstance(usage, dict) else None,
    )


def _usage(usage: Mapping[str, Any]) -> UsageMetadata:
    prompt, wrote = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    cached = _count(usage.get("prompt_tokens_details"), "cached_tokens")
    thought = _count(usage.get("completion_tokens_details"), "reasoning_tokens")
    return UsageMetadata(
        input_tokens=prompt,
        output_tokens=wrote,
        total_tokens=prompt + wrote,
        input_token_details=InputTokenDetails(cache_read=cached),
        output_token_details=OutputTokenDetails(reasoning=thought),
    )


def _count(counts: object, name: str) -> int:
    given = counts.get(name) if isinstance(counts, dict) else None
    if isinstance(given, bool) or not isinstance(given, int):
        return 0
    return max(given, 0)

"""One request to a LangChain chat model, and what came back in one shape for every provider."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from valuesim.agents.failure import MalformedReply
from valuesim.agents.prompt import Message
from valuesim.agents.strict_json import whole
from valuesim.decision import Usage
from valuesim.errors import InputError
from valuesim.secrets import MARK, redact

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage

_Turns = list[tuple[str, str]]
_MOST_TOKENS = 4096
_ABOVE = 1e-3
"""By how much rounding may put a log-probability above 0."""
_ROLES = {"human": "user", "ai": "assistant"}


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelForm:
    """That one token is asked for: in at most `max_tokens`, with the `top` likeliest in its place.

    Providers whose client knows nothing of log-probabilities are asked for the text alone.
    """

    top: int
    max_tokens: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One request: the messages, the seed, and the form of the reply, None where it is free."""

    messages: Sequence[Message]
    seed: int
    schema: Mapping[str, Any] | None = None
    label: LabelForm | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """One token of a reply, and the likeliest in its place, each with its natural log-probability.

    Two entries of `top` may read alike: other tokens, the same text.
    """

    text: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError for what is not the logarithm of a probability."""
        for logprob in (self.logprob, *(each for _, each in self.top)):
            if not logprob <= 0:
                raise ValueError(f"{logprob!r:.80} is not the logarithm of a probability")


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a model answered; thinking that the server split off stands first, in <think> tags.

    `structured` is the JSON text of the structured output, None where none was asked for or none
    came. `tokens` are those of the reply, empty where no log-probabilities were asked for or none
    came.
    """

    text: str
    structured: str | None = None
    refusal: str | None = None
    finish_reason: str | None = None
    usage: Usage = field(default_factory=Usage)
    tokens: tuple[Token, ...] = ()

    @cached_property
    def parsed(self) -> object:
        """The structured output, None where there is none or it is not JSON."""
        return None if self.structured is None else whole(self.structured)

    def without(self, secrets: Sequence[str]) -> Reply:
        """Return the reply with `secrets` redacted."""
        if not secrets:
            return self
        return replace(
            self,
            text=redact(self.text, secrets),
            structured=self.structured and redact(self.structured, secrets),
            refusal=self.refusal and redact(self.refusal, secrets),
            finish_reason=self.finish_reason and redact(self.finish_reason, secrets),
            tokens=_without(self.tokens, secrets),
        )


def role_of(message: BaseMessage) -> str:
    """Return who says `message`, in OpenAI's words."""
    return _ROLES.get(message.type, message.type)


async def ask(
    chat: BaseChatModel, question: Question, config: Mapping[str, Any] | None = None
) -> Reply:
    """Return the reply of `chat` to `question`.

    `config` is LangChain's, for its callbacks. The seed is sent to providers that take one. Raises
    whatever the provider's client raises, MalformedReply for an answer without content, InputError
    if the provider has no structured output.
    """
    schema = question.schema
    turns: _Turns = [(message.role, message.text) for message in question.messages]
    known = type(chat).model_fields
    options: dict[str, Any] = {"config": config}
    if "seed" in known:
        options["seed"] = question.seed
    if question.label is not None:
        return await _ask_label(chat, turns, question.label, options)
    if schema is None:
        return _reply(await chat.ainvoke(turns, **options), structured=None)
    if getattr(chat, "takes_response_format", False):
        reply = await chat.ainvoke(turns, response_format=_form(schema), **options)
        return _reply(reply, structured=str(reply.text))
    if hasattr(chat, "root_async_client"):
        return await _ask_openai(chat, turns, schema, options)
    return await _ask_structured(chat, turns, schema, options)


async def _ask_label(
    chat: BaseChatModel, turns: _Turns, form: LabelForm, options: dict[str, Any]
) -> Reply:
    is_ours = getattr(chat, "takes_response_format", False)
    if is_ours or {"logprobs", "top_logprobs"} <= type(chat).model_fields.keys():
        length = "max_completion_tokens" if is_ours else "max_tokens"
        options |= {"logprobs": True, "top_logprobs": form.top, length: form.max_tokens}
    message = await chat.ainvoke(turns, **options)
    return replace(_reply(message, structured=None), tokens=_tokens(message))


def _tokens(message: AIMessage) -> tuple[Token, ...]:
    """Return the tokens of an answer in OpenAI's form; () where it holds none."""
    told = message.response_metadata.get("logprobs")
    content = told.get("content") if isinstance(told, Mapping) else None
    try:
        return tuple(
            Token(
                text=str(each["token"]),
                logprob=_logprob(each["logprob"]),
                top=tuple((str(t["token"]), _logprob(t["logprob"])) for t in each["top_logprobs"]),
            )
            for each in (content or ())[:_MOST_TOKENS]
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise MalformedReply(f"the server's log-probabilities are none: {error!r}") from error


def _logprob(given: object) -> float:
    """Return `given` as a number, 0 where rounding put it just above."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise ValueError(f"{given!r:.80} is not the logarithm of a probability")
    return 0.0 if 0 < given <= _ABOVE else float(given)


def _without(tokens: tuple[Token, ...], secrets: Sequence[str]) -> tuple[Token, ...]:
    """Return `tokens` without `secrets`, those that stand across several tokens among them."""
    told = "".join(token.text for token in tokens)
    hidden = [
        (found.start(), found.end())
        for secret in secrets
        for found in re.finditer(re.escape(secret), told)
    ]
    clean, start = [], 0
    for token in tokens:
        end = start + len(token.text)
        if any(first < end and start < last for first, last in hidden):
            # what else could have stood there holds the same part
            clean.append(Token(text=MARK, logprob=token.logprob))
        else:
            top = tuple((redact(text, secrets), logprob) for text, logprob in token.top)
            clean.append(replace(token, top=top))
        start = end
    return tuple(clean)


async def _ask_openai(
    chat: Any, turns: _Turns, schema: Mapping[str, Any], options: dict[str, Any]
) -> Reply:
    # in extra_body, because response_format itself makes the client raise on every cut reply
    body = {
        **(chat.extra_body or {}),
        "response_format": _form(schema),
    }
    reply = await chat.ainvoke(turns, extra_body=body, **options)
    return _reply(reply, structured=str(reply.text))


def _form(schema: Mapping[str, Any]) -> dict[str, Any]:
    named = {"name": "decision", "strict": True, "schema": schema}
    return {"type": "json_schema", "json_schema": named}


async def _ask_structured(
    chat: BaseChatModel,
    turns: _Turns,
    schema: Mapping[str, Any],
    options: dict[str, Any],
) -> Reply:
    named = {"title": "decision", "description": "What to do now.", **schema}
    try:
        structured = chat.with_structured_output(named, include_raw=True)
    except NotImplementedError:
        raise InputError(
            f"{type(chat).__name__} has no structured output: ask with elicitation format "
            f"'json' or 'name', not 'json_schema'"
        ) from None
    answer: Any = await structured.ainvoke(turns, **options)
    return _reply(answer["raw"], structured=_structured(answer["raw"], answer["parsed"]))


def _structured(message: AIMessage, parsed: object) -> str | None:
    """Return the JSON as the model wrote it, or, where the client kept only its values, of those.

    Of a key that stands twice a client keeps the last value without a word.
    """
    if calls := message.additional_kwargs.get("tool_calls"):
        return str(calls[0]["function"]["arguments"])
    text = str(message.text).strip()
    if text.startswith("{"):
        return text
    return None if parsed is None else json.dumps(parsed)


def _reply(message: AIMessage, *, structured: str | None) -> Reply:
    text = str(message.text)
    if not text and message.tool_calls:
        text = json.dumps(message.tool_calls[0]["args"])
    if thinking := _thinking(message):
        text = f"<think>\n{thinking}\n</think>\n{text}"
    finish = message.response_metadata.get("finish_reason") or message.response_metadata.get(
        "stop_reason"
    )
    return Reply(
        text=text,
        structured=structured,
        refusal=message.additional_kwargs.get("refusal"),
        finish_reason=None if finish is None else _FINISH.get(str(finish).lower(), str(finish)),
        usage=_usage(message),
    )


# providers' own words for the two endings that matter
_FINISH = {
    "max_tokens": "length",
    "length": "length",
    "refusal": "content_filter",
    "safety": "content_filter",
    "content_filter": "content_filter",
}


def _thinking(message: AIMessage) -> str:
    for name in ("reasoning", "reasoning_content"):
        given = message.additional_kwargs.get(name)
        if isinstance(given, str) and given:
            return given
    if isinstance(message.content, str):
        return ""
    blocks = [block for block in message.content if isinstance(block, dict)]
    return "\n".join(str(block["thinking"]) for block in blocks if block.get("thinking"))


def _usage(message: AIMessage) -> Usage:
    counted = message.usage_metadata
    if counted is None:
        return Usage()
    return Usage(
        prompt_tokens=counted["input_tokens"],
        completion_tokens=counted["output_tokens"],
        reasoning_tokens=counted.get("output_token_details", {}).get("reasoning") or 0,
        cached_tokens=counted.get("input_token_details", {}).get("cache_read") or 0,
    )

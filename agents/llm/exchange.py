"""The first exchange of a run with a model, shown as it was: for whoever looks for a mistake.

It is read off LangChain's callbacks, which see what a chat model is given and what it gives back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from valuesim.agents.llm.ask import role_of
from valuesim.plain import escaped_lines
from valuesim.secrets import redact, redact_strictly, redacted

_MOST_FAILED = 3
_TOLD = ("episode", "agent", "step", "attempt", "purpose")


class Exchange(AsyncCallbackHandler):
    """Tells `tell` of one request and its reply; of a few, if the first requests fail.

    What is told holds none of `secrets`, nothing that looks like a key, and nothing that a terminal
    would obey. `is_taken` says that it needs no further request; whoever gives it one sets it.
    """

    def __init__(self, tell: Callable[[str], None], secrets: Sequence[str] = ()) -> None:
        self._tell = tell
        self._secrets = secrets
        self.is_taken = False
        self._failed = 0

    async def on_chat_model_start(
        self,
        serialized: Mapping[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        metadata: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Tell what is sent: messages, then the schema, the sampling and the seed."""
        told = ", ".join(f"{name} {(metadata or {}).get(name)}" for name in _TOLD)
        parts = [_rule(f"a request of this run: {told}")]
        for message in messages[0]:
            parts += [_rule(role_of(message)), str(message.text)]
        self._say([*parts, _rule("parameters"), self._json(kwargs.get("invocation_params") or {})])

    async def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Tell what came back."""
        generation = response.generations[0][0]
        parts = [_rule("the reply"), generation.text]
        if isinstance(generation, ChatGeneration):
            message = generation.message
            beside = {
                "content": None if isinstance(message.content, str) else message.content,
                "additional_kwargs": message.additional_kwargs,
                "response_metadata": message.response_metadata,
                "usage_metadata": getattr(message, "usage_metadata", None),
            }
            parts += [_rule("beside the text"), self._json(beside)]
        self._say([*parts, _rule("the run goes on")])

    async def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        """Tell that no reply came, and why."""
        self._failed += 1
        self.is_taken = self._failed >= _MOST_FAILED
        self._say([_rule("no reply"), f"{type(error).__name__}: {error}", _rule("the run goes on")])

    def _say(self, parts: Sequence[str]) -> None:
        self._tell(escaped_lines(redact_strictly("\n".join(parts), self._secrets)))

    def _json(self, given: Mapping[str, Any]) -> str:
        told = {name: value for name, value in given.items() if value not in (None, {}, [])}
        options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
        return orjson.dumps(
            redacted(told, self._secrets),
            default=lambda other: redact(str(other), self._secrets),
            option=options,
        ).decode()


def _rule(title: str) -> str:
    return f"--- {title} ---"

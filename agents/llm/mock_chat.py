"""A chat model without a model, for tutorials and for trying out a set-up."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult

from valuesim.agents.llm.ask import role_of
from valuesim.agents.llm.mock_labels import completion_of


class MockChat(BaseChatModel):
    """Answers any decision by hash (see `mock`); the same request and seed, the same reply.

    Tokens are counted as words. `latency_s` is how long an answer takes.
    """

    latency_s: float = 0.0
    seed: int | None = None

    takes_response_format: ClassVar[bool] = True

    @property
    def _llm_type(self) -> str:
        return "valuesim-mock"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        sent = [{"role": role_of(message), "content": message.text} for message in messages]
        text, told = completion_of({"messages": sent, **kwargs}, self.seed or 0)
        read, wrote = sum(len(m["content"].split()) for m in sent), len(text.split())
        usage = UsageMetadata(input_tokens=read, output_tokens=wrote, total_tokens=read + wrote)
        message = AIMessage(
            content=text,
            usage_metadata=usage,
            response_metadata={"finish_reason": "stop", "logprobs": told},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        await asyncio.sleep(self.latency_s)
        return self._generate(messages, stop, **kwargs)

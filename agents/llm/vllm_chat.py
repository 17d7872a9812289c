"""LangChain's OpenAI chat model, for servers that speak that protocol and a little more."""

from __future__ import annotations

from typing import Any, ClassVar

from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI

from valuesim.agents.llm.ask import checked_response


class VllmChat(ChatOpenAI):
    """A chat model behind vLLM or another OpenAI-compatible server.

    Unlike its base it keeps the server's `reasoning` field and says what is missing from an answer
    that is no chat completion.
    """

    takes_max_length: ClassVar[bool] = True

    def _create_chat_result(
        self, response: Any, generation_info: dict[str, Any] | None = None
    ) -> ChatResult:
        content = response if isinstance(response, dict) else _content(response)
        checked_response(content)
        created = super()._create_chat_result(content, generation_info)
        for choice, generation in zip(content["choices"], created.generations, strict=True):
            reasoning = choice["message"].get("reasoning") or choice["message"].get(
                "reasoning_content"
            )
            if reasoning and isinstance(generation.message, AIMessage):
                generation.message.additional_kwargs["reasoning"] = reasoning
        return created


def _content(response: Any) -> dict[str, Any]:
    return response.model_dump(warnings=False) if hasattr(response, "model_dump") else {}

"""A LangChain chat model for OpenAI-compatible servers that costs the client little.

One pooled HTTP client, the request as it is sent, the answer read once. Callbacks and tracing work
as with any LangChain model. What a call costs beside LangChain's ChatOpenAI: `make bench`.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, ClassVar, get_args

import aiohttp
import orjson
from langchain_core.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForLLMRun,
    CallbackManagerForLLMRun,
)
from langchain_core.globals import get_llm_cache
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatResult
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import ensure_config
from pydantic import PrivateAttr, SecretStr
from yarl import URL

from valuesim.agents.failure import ServerError
from valuesim.agents.llm.ask import role_of
from valuesim.agents.llm.completion import checked, decoded, message_of, result, said
from valuesim.agents.llm.routing import Routes
from valuesim.agents.prompt import Role

_SAID_BY = frozenset(get_args(Role))
_PATIENCE = 0.9
"""The share of the time limit after which a request that is cut off was not answered."""


class ServerChat(BaseChatModel):
    """The chat model `model` behind servers that speak OpenAI's protocol, vLLM among them.

    `base_urls` end in /v1; a request goes to the one with the fewest under way. Settings that are
    None are left to the server; `extra_body` adds fields to every request; callers give up after
    `timeout_s`, of which the choice among servers learns. Raises ServerError for
    an answer with an HTTP status from 400, MalformedReply for one that is no chat completion, and
    what the HTTP client raises. The client belongs to the event loop that first used it: close it
    with `aclose`.
    """

    model: str
    base_urls: tuple[str, ...]
    api_key: SecretStr | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    extra_body: Mapping[str, Any] = {}
    timeout_s: float = math.inf

    takes_response_format: ClassVar[bool] = True

    _client: aiohttp.ClientSession | None = PrivateAttr(default=None)
    _routes: Routes = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Set up the choice among servers."""
        super().model_post_init(context)
        addresses = [f"{url.rstrip('/')}/chat/completions" for url in self.base_urls]
        self._routes = Routes(addresses, patience_s=_PATIENCE * self.timeout_s)

    @property
    def _llm_type(self) -> str:
        return "valuesim-server"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "base_urls": self.base_urls,
            **self._sampling,
            **self.extra_body,
        }

    @property
    def _sampling(self) -> dict[str, Any]:
        given = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_completion_tokens": self.max_tokens,
            "seed": self.seed,
        }
        return {name: value for name, value in given.items() if value is not None}

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def ainvoke(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Return the answer to `input`, as every LangChain model does.

        Pairs of role and text go straight to the server while nothing else wants to see the call:
        no callback, no tracing, no cache, no rate limiter. LangChain's own way costs as much again.
        """
        turns = _turns(input)
        if turns is None or self._is_watched(config):
            return await super().ainvoke(input, config, stop=stop, **kwargs)
        content = await self._answer(turns, stop, **kwargs)
        message = message_of(content["choices"][0], content.get("usage"))
        message.response_metadata["model_name"] = content.get("model")
        return message

    def _is_watched(self, config: RunnableConfig | None) -> bool:
        given = ensure_config(config).get("callbacks")
        is_cached = self.cache is not False and bool(self.cache or get_llm_cache())
        if is_cached or self.rate_limiter or self.output_version == "v1":
            return True
        # tracing may be on by the environment, or around the caller: LangChain knows
        return bool(AsyncCallbackManager.configure(given, self.callbacks, self.verbose).handlers)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return result(await self._answer([_sent(each) for each in messages], stop, **kwargs))

    async def _answer(
        self, turns: Sequence[Mapping[str, Any]], stop: list[str] | None, **kwargs: Any
    ) -> dict[str, Any]:
        if self._client is None:
            self._client = self._connected()
        body = {
            "model": self.model,
            "messages": turns,
            **self._sampling,
            **({"stop": stop} if stop else {}),
            **self.extra_body,
            **{name: value for name, value in kwargs.items() if value is not None},
        }
        with self._routes.least_busy() as url:
            return await _post(self._client, _url(url), orjson.dumps(body))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        # a loop of its own, as the caller may stand in one
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, self._once(messages, stop, **kwargs)).result()

    async def _once(
        self, messages: list[BaseMessage], stop: list[str] | None, **kwargs: Any
    ) -> ChatResult:
        alone = self.model_copy()
        alone._client = None
        try:
            return await alone._agenerate(messages, stop, **kwargs)
        finally:
            await alone.aclose()

    def _connected(self) -> aiohttp.ClientSession:
        headers = {"Content-Type": "application/json"}
        if self.api_key is not None:
            headers["Authorization"] = f"Bearer {self.api_key.get_secret_value()}"
        return aiohttp.ClientSession(
            headers=headers,
            # the limits are those of `Endpoint`
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            # a model server sets none, and looking for them is not free
            cookie_jar=aiohttp.DummyCookieJar(),
        )


@cache
def _url(url: str) -> URL:
    return URL(url)


async def _post(client: aiohttp.ClientSession, url: URL, body: bytes) -> dict[str, Any]:
    async with client.post(url, data=body) as response:
        answer = await response.read()
        if response.status >= 400:
            raise ServerError(response.status, response.headers, said(answer))
    content = decoded(answer)
    checked(content)
    return content  # type: ignore[no-any-return] # a mapping: it was checked


def _turns(given: LanguageModelInput) -> list[dict[str, Any]] | None:
    """Return pairs of role and text as they are sent, or None for any other input."""
    if not isinstance(given, list):
        return None
    turns = []
    for each in given:
        if not isinstance(each, tuple) or len(each) != 2 or each[0] not in _SAID_BY:
            return None
        turns.append({"role": each[0], "content": each[1]})
    return turns


def _sent(message: BaseMessage) -> dict[str, Any]:
    return {"role": role_of(message), "content": message.content}

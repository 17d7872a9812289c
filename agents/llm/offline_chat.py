"""A LangChain chat model over vLLM's engine in this process: no server, no network.

Callbacks and tracing work as with any LangChain model. The engine is started by `astart`, or by the
first request, and belongs to the event loop that asks it.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from valuesim.agents.llm import engine_guard, offline_engine
from valuesim.agents.llm.ask import role_of
from valuesim.agents.llm.offline_engine import Completion, Engine
from valuesim.agents.llm.prefix_cache import PrefixCache

_log = logging.getLogger(__name__)
_LOOK_EVERY_S = 0.2
_GIVE_UP_S = 30.0
_TEMPLATE = "chat_template_kwargs"


class OfflineChat(BaseChatModel):
    """The model `model` (a folder, or an id on the hub) in vLLM's engine.

    `engine_args` are vLLM's own, `extra_body` holds further settings of its SamplingParams, and
    `chat_template_kwargs`. Settings that are None are left to the model. Raises InputError where
    the engine cannot be started, and as `Engine.reply` does. Close it with `aclose`: the engine's
    processes end with it, and a guard ends them where this process is killed.
    """

    model: str
    engine_args: Mapping[str, Any] = {}
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    extra_body: Mapping[str, Any] = {}

    takes_response_format: ClassVar[bool] = True

    _starting: asyncio.Task[Engine] | None = PrivateAttr(default=None)
    _guard: subprocess.Popen[bytes] | None = PrivateAttr(default=None)
    _guarded: dict[int, int] = PrivateAttr(default_factory=dict)
    _told: PrefixCache | None = PrivateAttr(default=None)

    @property
    def _llm_type(self) -> str:
        return "valuesim-vllm-offline"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model, "engine_args": self.engine_args, **self._sampling}

    @property
    def _sampling(self) -> dict[str, Any]:
        given = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
            "seed": self.seed,
        }
        further = {name: given for name, given in self.extra_body.items() if name != _TEMPLATE}
        return {name: value for name, value in given.items() if value is not None} | further

    async def astart(self) -> Engine:
        """Start the engine unless it is, and return it; raise InputError where that fails."""
        if self._starting is None:
            self._starting = asyncio.create_task(self._started())
        # one request that gives up must not end the start for the others
        return await asyncio.shield(self._starting)

    def prefix_cache(self) -> PrefixCache | None:
        """Return what the engine's counters say, after `aclose` their last; None if nothing."""
        return self._told if self._engine is None else self._engine.prefix_cache()

    @property
    def _engine(self) -> Engine | None:
        task = self._starting
        if task is None or not task.done() or task.cancelled() or task.exception() is not None:
            return None
        return task.result()

    async def aclose(self) -> None:
        """End the engine and its processes, also while it starts.

        A start that has not given up within 30 seconds is left behind, and told in a warning; an
        engine that comes of it all the same is shut down.
        """
        if self._starting is None:
            return
        await self._give_up(self._starting)
        # a start that failed was told to whoever asked for it
        if (engine := self._engine) is not None:
            self._told = engine.prefix_cache()
            engine.shutdown()
        self._starting = None
        self._dismiss_guard()

    async def _give_up(self, starting: asyncio.Task[Engine]) -> None:
        """Wait until `starting` is over, ending the processes that it starts meanwhile."""
        clock = asyncio.get_running_loop().time
        until = clock() + _GIVE_UP_S
        while not starting.done() and clock() < until:
            # the engine's constructor gives up once its processes are gone
            await asyncio.to_thread(engine_guard.end, dict(self._guarded))
            await asyncio.wait([starting], timeout=_LOOK_EVERY_S)
        if not starting.done():
            _log.warning(
                "the engine of model.name=%s was still being started %g s after it was to end, and "
                "is left to itself",
                self.model,
                _GIVE_UP_S,
            )
            starting.cancel()
            await asyncio.wait([starting])

    async def _started(self) -> Engine:
        offline_engine.load()
        before = {process.pid for process in multiprocessing.active_children()}
        guard = [sys.executable, str(engine_guard.__file__), str(os.getpid())]
        self._guard = subprocess.Popen(guard, stdin=subprocess.PIPE, start_new_session=True)
        future = _in_thread(lambda: offline_engine.start(self.model, self.engine_args))
        try:
            while not future.done():
                await asyncio.wait([future], timeout=_LOOK_EVERY_S)
                self._watch(before)
            return await future
        except BaseException:
            future.cancel()
            self._dismiss_guard()
            raise

    def _watch(self, before: set[int | None]) -> None:
        """Tell the guard of processes that were not there before."""
        now = {process.pid for process in multiprocessing.active_children()}
        for process in now - before - self._guarded.keys():
            if process is None or self._guard is None or self._guard.stdin is None:
                continue
            if (when := engine_guard.began(process)) is not None:
                self._guarded[process] = when
                self._guard.stdin.write(f"{process} {when}\n".encode())
                self._guard.stdin.flush()

    def _dismiss_guard(self) -> None:
        """Let the guard end what is left, and go."""
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            self._guard.wait()
        self._guard, self._guarded = None, {}

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        engine = await self.astart()
        turns = [{"role": role_of(m), "content": m.text} for m in messages]
        form = (kwargs.get("response_format") or {}).get("json_schema", {}).get("schema")
        template = self.extra_body.get(_TEMPLATE)
        sampling = self._sampling | _asked(kwargs) | ({"stop": stop} if stop else {})
        completion = await engine.reply(turns, sampling, schema=form, template=template)
        generation = ChatGeneration(message=_message(completion))
        return ChatResult(generations=[generation], llm_output={"model_name": self.model})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        # an engine for one call: the one of `astart` belongs to its loop
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, self._once(messages, stop, **kwargs)).result()

    async def _once(
        self, messages: list[BaseMessage], stop: list[str] | None, **kwargs: Any
    ) -> ChatResult:
        alone = self.model_copy()
        alone._starting, alone._guard, alone._guarded = None, None, {}
        try:
            return await alone._agenerate(messages, stop, **kwargs)
        finally:
            await alone.aclose()


def _in_thread(start: Callable[[], Engine]) -> asyncio.Future[Engine]:
    """Return what `start` will give, called in a thread that no end of this process waits for.

    Once nobody waits for it any more, the engine is shut down as soon as it is there.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Engine] = loop.create_future()

    def settle(made: Engine | None, error: BaseException | None) -> None:
        if future.done():
            if made is not None:
                made.shutdown()
        elif error is not None:
            future.set_exception(error)
        elif made is not None:
            future.set_result(made)

    def run() -> None:
        made, failure = None, None
        try:
            made = start()
        except BaseException as error:  # noqa: BLE001 (told to whoever waits)
            failure = error
        try:
            loop.call_soon_threadsafe(settle, made, failure)
        except RuntimeError:
            # the loop is closed: nobody can be told
            if made is not None:
                made.shutdown()

    threading.Thread(target=run, name="vllm-start", daemon=True).start()
    return future


def _asked(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of one request, in OpenAI's words, in those of vLLM's SamplingParams."""
    asked = {
        "seed": kwargs.get("seed"),
        "max_tokens": kwargs.get("max_completion_tokens"),
        "logprobs": kwargs.get("top_logprobs") if kwargs.get("logprobs") else None,
    }
    return {name: given for name, given in asked.items() if given is not None}


def _message(completion: Completion) -> AIMessage:
    read, wrote = completion.prompt_tokens, completion.completion_tokens
    kept = {"reasoning": completion.reasoning} if completion.reasoning else {}
    return AIMessage(
        content=completion.text,
        additional_kwargs=kept,
        response_metadata={
            "finish_reason": completion.finish_reason,
            "logprobs": completion.logprobs,
        },
        usage_metadata=UsageMetadata(
            input_tokens=read,
            output_tokens=wrote,
            total_tokens=read + wrote,
            input_token_details=InputTokenDetails(cache_read=completion.cached_tokens),
            output_token_details=OutputTokenDetails(reasoning=completion.reasoning_tokens),
        ),
    )

"""vLLM's asynchronous engine inside this process; the one module that imports vLLM.

The engine computes in processes of its own, which it starts. They ignore Ctrl-C, so that a run that
is asked to stop can finish what is under way.
"""

from __future__ import annotations

import gc
import os
import signal
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from importlib.util import find_spec
from multiprocessing import resource_tracker
from typing import Any

from valuesim.agents.failure import MalformedReply, ServerError
from valuesim.agents.llm.prefix_cache import PrefixCache, summed
from valuesim.errors import InputError, unknown

MISSING = 'vLLM is not installed: pip install "valuesim[vllm]", or ask a server with model=vllm'
_SETTINGS = {
    # standard output belongs to what a command prints
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_NO_USAGE_STATS": "1",
    # a fork would keep this process's files open, the lock of the run folder among them
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
}
_GRACE_S = 30.0
_TRIAL = ({"role": "system", "content": "Rules."}, {"role": "user", "content": "Begin."})
Turns = Sequence[Mapping[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion:
    """What the engine wrote: the answer, the thinking that its parser split off, and the counts.

    `logprobs` has OpenAI's form, None where none were asked for.
    """

    text: str
    reasoning: str | None
    finish_reason: str | None
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    cached_tokens: int
    logprobs: dict[str, Any] | None = None


def is_installed() -> bool:
    """Return whether there is a vLLM to import, without importing it."""
    return find_spec("vllm") is not None


def load() -> None:
    """Import vLLM; raise InputError where that fails. Takes some seconds.

    Call it in the thread of the event loop, before `start`: two threads that import at once find
    each other's modules half made.
    """
    for setting, value in _SETTINGS.items():
        os.environ.setdefault(setting, value)
    try:
        import vllm.config
        import vllm.engine.arg_utils
        import vllm.v1.engine.async_llm
        import vllm.v1.metrics.reader  # noqa: F401
    except ImportError as error:
        told = f"vLLM cannot be imported: {_said(error)}" if is_installed() else MISSING
        raise InputError(told) from error


def start(name: str, engine_args: Mapping[str, Any]) -> Engine:
    """Load the model `name` (a folder, or an id on the hub) and return its engine.

    Takes as long as loading takes, and blocks: call it in a thread of its own, which will hear no
    Ctrl-C from then on. `engine_args` are those of vLLM's AsyncEngineArgs. Raises InputError as
    `load` does, and where vLLM does not know an argument or cannot load the model.
    """
    load()
    from vllm.config import StructuredOutputsConfig
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.v1.engine.async_llm import AsyncLLM

    # starting it would lift the mask again, which the engine's processes inherit
    resource_tracker.ensure_running()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    allowed = {each.name for each in fields(AsyncEngineArgs)} - {"model"}
    for argument in engine_args:
        if argument not in allowed:
            raise InputError(unknown("argument", argument, allowed, "model.engine_args"))
    given = dict(engine_args)
    try:
        if isinstance(given.get("structured_outputs_config"), Mapping):
            told = given["structured_outputs_config"]
            given["structured_outputs_config"] = StructuredOutputsConfig(**told)
        # kept in no variable: what vLLM imports holds on to this frame, and so to all it names
        return Engine(
            AsyncLLM.from_engine_args(AsyncEngineArgs(model=name, **given)),
            name,
            str(given.get("reasoning_parser") or ""),
        )
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"vLLM cannot load model.name={name}: {_said(error)}") from error


class Engine:
    """A model that is loaded in vLLM's engine `llm`; close it with `shutdown`.

    `reasoning_parser` names the parser of vLLM that splits thinking from the answer, "" for none.
    """

    def __init__(self, llm: Any, name: str, reasoning_parser: str = "") -> None:
        self._llm, self._name = llm, name
        self._tokenizer = llm.get_tokenizer()
        self._defaults = llm.model_config.get_diff_sampling_param()
        self._parser: Any = None
        try:
            self._ids(_TRIAL, {})
            if reasoning_parser:
                from vllm.reasoning import ReasoningParserManager

                parser = ReasoningParserManager.get_reasoning_parser(reasoning_parser)
                self._parser = partial(parser, self._tokenizer)
        except Exception as error:
            self.shutdown()
            raise InputError(f"model.name={name} cannot be asked: {_said(error)}") from error

    async def reply(
        self,
        turns: Turns,
        sampling: Mapping[str, Any],
        *,
        schema: Mapping[str, Any] | None = None,
        template: Mapping[str, Any] | None = None,
    ) -> Completion:
        """Return what the model answers to `turns`, mappings of "role" and "content".

        `sampling` are settings of vLLM's SamplingParams, which go before the model's own defaults;
        `schema` constrains the reply; `template` are arguments of the chat template. Raises
        ServerError (400) for a request that the engine does not take, MalformedReply for a reply
        that it did not finish, and what vLLM raises once the engine is dead.
        """
        from vllm import SamplingParams
        from vllm.exceptions import VLLMClientError
        from vllm.inputs import tokens_input
        from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

        form = None if schema is None else StructuredOutputsParams(json=dict(schema))
        parser, shown = self._parser_of(turns, template or {})
        asked = self._defaults | {"max_tokens": None} | shown | dict(sampling)
        try:
            prompt = tokens_input(self._ids(turns, template or {}))
            params = SamplingParams(
                **asked, structured_outputs=form, output_kind=RequestOutputKind.FINAL_ONLY
            )
            given = [each async for each in self._llm.generate(prompt, params, uuid.uuid4().hex)]
        except (ValueError, TypeError, VLLMClientError) as error:
            raise ServerError(400, {}, str(error)) from error
        if not given or given[-1].outputs[0].finish_reason in (None, "error", "abort"):
            raise MalformedReply("the engine did not finish the reply")
        return self._completion(given[-1], parser)

    def prefix_cache(self) -> PrefixCache | None:
        """Return what the engine's counters say of its prefix cache; None where it has none."""
        from vllm.v1.metrics.reader import get_metrics_snapshot

        served = self._llm.model_config.served_model_name
        return summed(
            (metric.name, metric.value)
            for metric in get_metrics_snapshot()
            if hasattr(metric, "value") and metric.labels.get("model_name") in (served, None)
        )

    def shutdown(self) -> None:
        """End the engine and its processes; it cannot be asked afterwards."""
        engine, self._llm = self._llm, None
        # killed sooner, its processes leave shared memory behind
        engine.shutdown(timeout=_GRACE_S)
        del engine
        # what is left of it must not be cleared away by an interpreter that is half gone
        gc.collect()

    def _ids(self, turns: Turns, template: Mapping[str, Any]) -> list[int]:
        text = self._tokenizer.apply_chat_template(
            [dict(turn) for turn in turns], tokenize=False, add_generation_prompt=True, **template
        )
        # the template writes the special tokens itself
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return ids

    def _parser_of(
        self, turns: Turns, template: Mapping[str, Any]
    ) -> tuple[tuple[Any, Any] | None, dict[str, Any]]:
        """Return a parser of thinking with its request, and how special tokens are to be shown."""
        if self._parser is None:
            return None, {}
        from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest

        parser = self._parser(chat_template_kwargs=dict(template))
        request = ChatCompletionRequest(
            model=self._name, messages=[dict(turn) for turn in turns], chat_template_kwargs=template
        )
        request = parser.adjust_request(request)
        return (parser, request), {"skip_special_tokens": request.skip_special_tokens}

    def _completion(self, output: Any, parser: tuple[Any, Any] | None) -> Completion:
        written = output.outputs[0]
        reasoning, text, thought = None, written.text, 0
        if parser is not None:
            reasoning, text = parser[0].extract_reasoning(written.text, parser[1])
            thought = parser[0].count_reasoning_tokens(written.token_ids)
        return Completion(
            text=text or "",
            reasoning=reasoning,
            finish_reason=written.finish_reason,
            prompt_tokens=len(output.prompt_token_ids or ()),
            completion_tokens=len(written.token_ids),
            reasoning_tokens=thought,
            cached_tokens=output.num_cached_tokens or 0,
            logprobs=_logprobs(written),
        )


def _logprobs(written: Any) -> dict[str, Any] | None:
    """Return the log-probabilities of a completion in OpenAI's form."""
    if not written.logprobs:
        return None
    content = []
    for token, likely in zip(written.token_ids, written.logprobs, strict=False):
        ranked = sorted(likely.values(), key=lambda each: -each.logprob)
        top = [_token(each) for each in ranked]
        content.append({**_token(likely[token]), "top_logprobs": top})
    return {"content": content}


def _token(told: Any) -> dict[str, Any]:
    return {"token": told.decoded_token or "", "logprob": told.logprob}


def _said(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(". ")[:300]

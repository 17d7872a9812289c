"""Build LangChain chat models from model settings; keys come from the environment only."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

from valuesim.agents.endpoint import Limits
from valuesim.errors import InputError, unknown
from valuesim.parameters import is_number
from valuesim.secrets import check_address, redact_strictly, secrets

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

Provider = Literal["vllm", "vllm_offline", "chat", "mock"]
_EXTRA = 'LangChain is not installed: pip install "valuesim[llm]"'


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """Settings of a model: the files of conf/model say what each means.

    `provider` "vllm" is any OpenAI-compatible server at `base_url`, or several that are alike;
    "vllm_offline" loads `name` into vLLM's engine in this process, with `engine_args`; "chat" is
    any provider that LangChain knows, named in `name` ("openai:gpt-5"); "mock" answers by hash.
    None leaves a setting to the server. `concurrency` is that of each server. `price` is for the
    engine, which reads it.
    """

    provider: Provider
    name: str
    base_url: str | Sequence[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    api_key_env: str | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    engine_args: Mapping[str, Any] = field(default_factory=dict)
    timeout_s: float = 120.0
    concurrency: int = 64
    retries: int = 5
    down_after: int = 8
    pause_s: float = 0.0
    price: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Model:
        """Return the model that `settings` describe; raise InputError naming what is wrong."""
        allowed = {setting.name: setting for setting in fields(cls)}
        for name in settings:
            if name not in allowed:
                raise InputError(unknown("setting", name, allowed, "model"))
        for name, setting in allowed.items():
            is_required = setting.default is MISSING and setting.default_factory is MISSING
            if is_required and settings.get(name) in (None, "", "???"):
                raise InputError(f"model.{name} is missing: give model.{name}=...")
        model = cls(**settings)
        model._check_server()
        model._check_sampling()
        return model

    def _check_server(self) -> None:
        if self.provider not in get_args(Provider):
            raise InputError(unknown("model provider", self.provider, get_args(Provider)))
        if self.provider == "vllm" and not self.base_urls:
            raise InputError("model.base_url is missing: give the server's address, ending in /v1")
        if self.provider == "vllm_offline" and self.base_urls:
            raise InputError("model.base_url is for a server: model=vllm_offline has none")
        if self.provider == "chat" and len(self.base_urls) > 1:
            raise InputError(
                "model.base_url is a list: model=chat takes one address, model=vllm more"
            )
        for url in self.base_urls:
            check_address(url, "model.base_url")
        if len(set(self.base_urls)) < len(self.base_urls):
            raise InputError("model.base_url names one server twice")

    def _check_sampling(self) -> None:
        for name, most in (("temperature", 2), ("top_p", 1)):
            given = getattr(self, name)
            if given is not None and not (is_number(given) and 0 <= given <= most):
                raise InputError(f"model.{name} is {given!r}: a number from 0 to {most}, or null")
        longest = self.max_tokens
        if longest is not None and not (isinstance(longest, int) and longest >= 1):
            raise InputError(f"model.max_tokens is {longest!r}: a whole number from 1, or null")
        for name in ("extra_body", "engine_args"):
            given = getattr(self, name)
            if not isinstance(given, Mapping):
                raise InputError(f"model.{name} is {given!r}: a mapping, {{}} for none")
        if self.engine_args and self.provider != "vllm_offline":
            raise InputError("model.engine_args are for model=vllm_offline: a server has its own")

    @property
    def base_urls(self) -> tuple[str, ...]:
        """The addresses of its servers; none where the provider knows its own."""
        given = self.base_url or ()
        return (given,) if isinstance(given, str) else tuple(map(str, given))

    @property
    def takes_max_length(self) -> bool:
        """Whether its servers take `maxLength` in a JSON schema; some providers refuse it."""
        return self.provider != "chat"

    @property
    def limits(self) -> Limits:
        """What its servers are asked to bear, together."""
        return Limits(
            concurrency=self.concurrency * max(len(self.base_urls), 1),
            retries=self.retries,
            timeout_s=self.timeout_s,
            down_after=self.down_after,
            pause_s=self.pause_s,
        )

    @property
    def where(self) -> str:
        """The server, as errors name it."""
        return ", ".join(self.base_urls) or self.name

    @property
    def server(self) -> str:
        """What models on the same server have in common: its address, else the provider."""
        urls = sorted(url.rstrip("/").casefold() for url in self.base_urls)
        return ", ".join(urls) or self.name.partition(":")[0].casefold()

    @property
    def secrets(self) -> tuple[str, ...]:
        """The keys in the environment, to be kept out of errors and logs."""
        return secrets(os.environ, self.api_key_env)


def build_chat(settings: Mapping[str, Any]) -> BaseChatModel:
    """Return the chat model that `settings` describe (see `Model`).

    Raises InputError for bad settings, a missing key variable, a provider that LangChain does not
    know or whose package is missing. The model itself never retries: `Endpoint` does.
    """
    model = Model.of(settings)
    if model.provider == "mock":
        return _mock()
    if model.provider == "vllm_offline":
        return _offline(model)
    return _vllm(model) if model.provider == "vllm" else _any(model)


def _vllm(model: Model) -> BaseChatModel:
    try:
        from pydantic import SecretStr

        from valuesim.agents.llm.server_chat import ServerChat
    except ImportError as error:
        raise InputError(_EXTRA) from error
    key = _key(model) or os.environ.get("VALUESIM_API_KEY") or os.environ.get("OPENAI_API_KEY")
    return ServerChat(
        model=model.name,
        base_urls=model.base_urls,
        api_key=SecretStr(key or "EMPTY"),
        temperature=model.temperature,
        top_p=model.top_p,
        max_tokens=model.max_tokens,
        extra_body=dict(model.extra_body),
        timeout_s=model.timeout_s,
    )


def _offline(model: Model) -> BaseChatModel:
    try:
        from valuesim.agents.llm.offline_chat import OfflineChat
        from valuesim.agents.llm.offline_engine import MISSING, is_installed
    except ImportError as error:
        raise InputError(_EXTRA) from error
    if not is_installed():
        raise InputError(MISSING)
    return OfflineChat(
        model=model.name,
        engine_args=dict(model.engine_args),
        temperature=model.temperature,
        top_p=model.top_p,
        max_tokens=model.max_tokens,
        extra_body=dict(model.extra_body),
    )


def _mock() -> BaseChatModel:
    try:
        from valuesim.agents.llm.mock_chat import MockChat
    except ImportError as error:
        raise InputError(_EXTRA) from error
    return MockChat()


def _any(model: Model) -> BaseChatModel:
    try:
        from langchain.chat_models import init_chat_model
    except ImportError as error:
        raise InputError(_EXTRA) from error
    settings = _sampling(model)
    if key := _key(model) or os.environ.get("VALUESIM_API_KEY"):
        settings["api_key"] = key
    if model.extra_body:
        settings["extra_body"] = dict(model.extra_body)
    if model.name.startswith("openai:"):
        settings["http_async_client"] = _http_client()
    try:
        chat: BaseChatModel = init_chat_model(model.name, **settings)
    except Exception as error:  # noqa: BLE001 (each client has its own classes)
        # what the library adds (a list of providers, addresses) is longer than what is wrong
        wrong = redact_strictly(str(error), model.secrets).partition(". ")[0]
        raise InputError(
            f"model {model.name!r} cannot be built: {wrong} (model.name is PROVIDER:NAME, and the "
            "package langchain-PROVIDER must be installed)"
        ) from None
    return chat


def _sampling(model: Model) -> dict[str, Any]:
    given = {
        "base_url": next(iter(model.base_urls), None),
        "temperature": model.temperature,
        "top_p": model.top_p,
        "max_tokens": model.max_tokens,
        "timeout": model.timeout_s,
    }
    return {"max_retries": 0} | {name: value for name, value in given.items() if value is not None}


def _key(model: Model) -> str | None:
    if model.api_key_env is None:
        return None
    key = os.environ.get(model.api_key_env)
    if not key:
        raise InputError(f"model.api_key_env names {model.api_key_env}, which is not set")
    return key


def _http_client() -> Any:
    """Return a client of our own: LangChain's is shared between event loops, and breaks there."""
    from openai import DefaultAsyncHttpxClient

    return DefaultAsyncHttpxClient()

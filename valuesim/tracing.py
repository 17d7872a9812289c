"""Spans of a run for OpenTelemetry: run > episode > turn > decision > model call.

Nothing is traced unless a `Trace` is in use (`tracing`); a span then costs next to nothing. Names
are those of OpenTelemetry's semantic conventions for generative AI where there are such, else they
begin with "valuesim.". A fault is told as an attribute and is no error; an Interruption is an error
of that type; a stop is neither.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any

import orjson

from valuesim.errors import InputError
from valuesim.secrets import redact_strictly, redacted

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

EPISODE = "valuesim.episode"
STEP = "valuesim.step"
STOPPED = "valuesim.stopped"
ERROR_TYPE = "error.type"
_SERVICE = "service.name"
_EXTRA = 'tracing needs OpenTelemetry: pip install "valuesim[otel]", or leave engine.trace=false'


class Span(AbstractContextManager["Span"]):
    """A span of a run that nobody traces: keeps nothing of what it is told."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the span."""

    def tell(self, attributes: Mapping[str, Any]) -> None:
        """Add attributes; those that are None are left out."""

    def quote(self, attributes: Callable[[], Mapping[str, Any]]) -> None:
        """Add attributes that hold what was sent or replied, as JSON, where such are wanted."""

    def fail(self, kind: str, reason: str) -> None:
        """Mark the span as failed, with an error of the type `kind`, unless it is marked already.

        The `reason` is told where texts are wanted.
        """


class Trace:
    """Where spans go: to `provider`, without `secrets`, and with quoted texts only if `content`."""

    def __init__(
        self, provider: TracerProvider, *, content: bool = False, secrets: Sequence[str] = ()
    ) -> None:
        from valuesim import __version__

        self.close: Callable[[], object] = provider.force_flush
        """Sends what has not been sent yet."""
        self.tracer = provider.get_tracer("valuesim", __version__)
        self.content = content
        self.secrets = secrets

    @classmethod
    def exported(cls, *, content: bool = False, secrets: Sequence[str] = ()) -> Trace:
        """Return a trace that goes where the environment's OTEL_ variables say.

        A provider of spans that this process has set up already is used as it is; otherwise spans
        are sent by OTLP over HTTP. Raises InputError without the extra.
        """
        try:
            from opentelemetry import trace
            from opentelemetry.sdk.trace import TracerProvider
        except ImportError as error:
            raise InputError(_EXTRA) from error
        provider = trace.get_tracer_provider()
        if isinstance(provider, TracerProvider):
            return cls(provider, content=content, secrets=secrets)
        own = _provider()
        made = cls(own, content=content, secrets=secrets)
        made.close = own.shutdown
        return made


@contextmanager
def tracing(trace: Trace | None) -> Iterator[None]:
    """Let spans go to `trace` in the block and in the tasks it starts; None leaves things alone."""
    if trace is None:
        yield
        return
    token = _TRACE.set(trace)
    try:
        yield
    finally:
        _TRACE.reset(token)
        trace.close()


def is_on() -> bool:
    """Return whether spans go anywhere."""
    return _TRACE.get() is not None


def span(name: str, attributes: Mapping[str, Any], *, is_call: bool = False) -> Span:
    """Return a span, to be entered, below the one that is open; `is_call` for one of a server."""
    trace = _TRACE.get()
    return NOBODYS if trace is None else _Traced(trace, name, attributes, is_call=is_call)


class _Traced(Span):
    def __init__(
        self, trace: Trace, name: str, attributes: Mapping[str, Any], *, is_call: bool
    ) -> None:
        from opentelemetry.trace import SpanKind

        self._trace = trace
        self._open = trace.tracer.start_as_current_span(
            name,
            kind=SpanKind.CLIENT if is_call else SpanKind.INTERNAL,
            attributes=self._told(attributes),
            record_exception=False,
            set_status_on_exception=False,
        )
        self._has_failed = False

    def __enter__(self) -> _Traced:
        self._span = self._open.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, asyncio.CancelledError | KeyboardInterrupt):
            # what was not waited for has failed, and is stopped for that reason alone
            if not self._has_failed:
                self.tell({STOPPED: True})
        elif error is not None:
            self.fail(type(error).__name__, str(error))
        self._open.__exit__(kind, error, traceback)

    def tell(self, attributes: Mapping[str, Any]) -> None:
        self._span.set_attributes(self._told(attributes))

    def quote(self, attributes: Callable[[], Mapping[str, Any]]) -> None:
        if self._trace.content:
            quoted = self._told(attributes())
            self.tell({name: orjson.dumps(given).decode() for name, given in quoted.items()})

    def fail(self, kind: str, reason: str) -> None:
        from opentelemetry.trace import Status, StatusCode

        if not self._has_failed:
            self._has_failed = True
            # what a server or a bug says may quote what was sent
            told = redact_strictly(reason, self._trace.secrets) if self._trace.content else None
            self._span.set_status(Status(StatusCode.ERROR, told))
            self.tell({ERROR_TYPE: kind})

    def _told(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: redacted(given, self._trace.secrets)
            for name, given in attributes.items()
            if given is not None
        }


def _provider() -> TracerProvider:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise InputError(_EXTRA) from error
    resource = Resource.create()
    if str(resource.attributes.get(_SERVICE, "")).startswith("unknown_service"):
        # the environment names none
        resource = resource.merge(Resource({_SERVICE: "valuesim"}))
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


_TRACE: ContextVar[Trace | None] = ContextVar("trace", default=None)
NOBODYS = Span()
"""The span that is no span."""

"""An OpenAI-compatible chat server on loopback that chooses by hash and fails on request.

    python tests/serving/fault_server.py --port 8000 --faults 0.3 --slots 64 --latency 0.05

What it answers depends on its seed and the request only; how it fails, also on how often that very
request has come: the same run meets the same faults, whatever the order of its calls.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import socket
import struct
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from valuesim.agents.llm.mock import uniform
from valuesim.agents.llm.mock_labels import completion_of

MIXED = (
    "429",
    "500",
    "503",
    "timeout",
    "truncated_body",
    "truncated_json",
    "refusal_field",
    "refusal_text",
    "garbage",
    "empty_choices",
    "reset",
    "slow_first_byte",
)
FATAL = ("400", "401", "403", "404")
REFUSAL = "I'm sorry, but I can't help with that."
GARBAGE = "\ufffd\x00 lorem {{{ ]] 0x1F ipsum \ud83e 42"


@dataclass(frozen=True, kw_only=True, slots=True)
class Behaviour:
    """How the server answers.

    `faults` maps a name of MIXED or FATAL to its rate per request; `script` holds replies given in
    turn (the last one again and again) instead of hashed choices; `retry_after` is the 429's header
    and `slow_s` the wait of "slow_first_byte". `ignores_schema` answers as if none were sent.
    Where options have letters, `planted` maps options to what their probabilities are proportional
    to, `bias` letters to what is added to their log-odds; a request for more log-probabilities than
    `most_logprobs` is refused with 400, and any is ignored where that is 0.
    """

    seed: int = 0
    slots: int = 64
    latency_s: float = 0.0
    slow_s: float = 0.2
    retry_after: str = "0.01"
    faults: Mapping[str, float] = field(default_factory=dict)
    script: Sequence[str | Mapping[str, Any]] = ()
    ignores_schema: bool = False
    planted: Mapping[str, float] | None = None
    bias: Mapping[str, float] = field(default_factory=dict)
    most_logprobs: int = 20

    def __post_init__(self) -> None:
        """Raise ValueError for an unknown fault or for rates that sum to more than 1."""
        unknown = sorted(set(self.faults) - set(MIXED + FATAL))
        if unknown or sum(self.faults.values()) > 1 + 1e-9:
            allowed = ", ".join(MIXED + FATAL)
            raise ValueError(f"faults {dict(self.faults)}: of {allowed}, with rates up to 1 in all")


class FaultServer:
    """The server's state; `requests` keeps the bodies of the latest requests, for tests."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.counts: Counter[str] = Counter()
        self.authorizations: Counter[str] = Counter()
        self.requests: deque[dict[str, Any]] = deque(maxlen=1000)
        self.url = ""
        self._seen: Counter[str] = Counter()
        self._slots = asyncio.Semaphore(behaviour.slots)
        self._in_flight = 0

    def app(self) -> web.Application:
        """Return the application with its routes."""
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_get("/health", _health)
        app.router.add_get("/v1/models", _models)
        app.router.add_get("/stats", self.show_stats)
        app.router.add_post("/v1/chat/completions", self.complete)
        return app

    async def show_stats(self, _: web.Request) -> web.Response:
        """Answer with `stats`, and the CPU seconds that this process has used."""
        return web.json_response(self.stats() | {"cpu_s": time.process_time()})

    def stats(self) -> dict[str, Any]:
        """Return what has been asked and answered; keys are shown as hashes only."""
        return dict(self.counts) | {"authorizations": dict(self.authorizations)}

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """Answer one chat completion, or fail as the behaviour says."""
        body = await request.json()
        self.requests.append(body)
        self.counts["requests"] += 1
        self.authorizations[key_hash(request.headers.get("Authorization", ""))] += 1
        self._in_flight += 1
        self.counts["most_in_flight"] = max(self.counts["most_in_flight"], self._in_flight)
        try:
            async with self._slots:
                await asyncio.sleep(self.behaviour.latency_s)
                return await self._fail_or_reply(request, body)
        finally:
            self._in_flight -= 1

    async def _fail_or_reply(
        self, request: web.Request, body: Mapping[str, Any]
    ) -> web.StreamResponse:
        if body.get("top_logprobs", 0) > (most := self.behaviour.most_logprobs) > 0:
            told = {"message": f"Invalid value: top_logprobs must be at most {most}"}
            return web.json_response({"error": told}, status=400)
        fault = self._fault(body)
        self.counts[fault or "answered"] += 1
        if fault is None:
            return web.json_response(self._completion(body))
        if fault.isdigit():
            return self._status(int(fault), request)
        if fault in ("timeout", "slow_first_byte"):
            await asyncio.sleep(3600 if fault == "timeout" else self.behaviour.slow_s)
            return web.json_response(self._completion(body))
        if fault in ("reset", "truncated_body"):
            return await _break_off(request, self._completion(body), fault)
        return web.json_response(_spoilt(self._completion(body), fault))

    def _fault(self, body: Mapping[str, Any]) -> str | None:
        key = json.dumps(body, sort_keys=True)
        self._seen[key] += 1
        draw = uniform(self.behaviour.seed, "fault", key, self._seen[key])
        for name, rate in self.behaviour.faults.items():
            if draw < rate:
                return name
            draw -= rate
        return None

    def _status(self, status: int, request: web.Request) -> web.Response:
        headers = {"Retry-After": self.behaviour.retry_after} if status == 429 else {}
        # as careless as real servers are: it quotes the key
        said = f"injected {status}; you sent {request.headers.get('Authorization', 'no key')}"
        body = {"error": {"message": said, "type": "injected", "code": status}}
        return web.json_response(body, status=status, headers=headers)

    def _completion(self, body: Mapping[str, Any]) -> dict[str, Any]:
        told, own = None, self.behaviour
        if own.script:
            index = min(self.counts["scripted"], len(own.script) - 1)
            self.counts["scripted"] += 1
            scripted = own.script[index]
            message = {"content": scripted} if isinstance(scripted, str) else dict(scripted)
        else:
            shown = {**body, "response_format": None} if own.ignores_schema else body
            text, told = completion_of(shown, own.seed, planted=own.planted, bias=own.bias)
            message = {"content": text}
        completion = _as_completion(message, str(message.pop("finish_reason", "stop")), body)
        completion["choices"][0]["logprobs"] = told if own.most_logprobs else None
        return completion


def key_hash(authorization: str) -> str:
    """Return the first twelve hexadecimal digits of the header's SHA-256."""
    return hashlib.sha256(authorization.encode()).hexdigest()[:12]


async def _health(_: web.Request) -> web.Response:
    return web.json_response({})


async def _models(_: web.Request) -> web.Response:
    model = {"id": "fault-server", "object": "model", "created": 0, "owned_by": "tests"}
    return web.json_response({"object": "list", "data": [model]})


def _as_completion(
    message: Mapping[str, Any], finish: str, body: Mapping[str, Any]
) -> dict[str, Any]:
    spent = sum(len(str(m.get("content")).split()) for m in body["messages"])
    wrote = len(str(message.get("content")).split())
    return {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": 0,
        "model": body.get("model", "fault-server"),
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", **message},
            }
        ],
        "usage": {
            "prompt_tokens": spent,
            "completion_tokens": wrote,
            "total_tokens": spent + wrote,
        },
    }


def _spoilt(completion: dict[str, Any], fault: str) -> dict[str, Any]:
    choice = completion["choices"][0]
    message = choice["message"]
    if fault == "empty_choices":
        completion["choices"] = []
    elif fault == "truncated_json":
        message["content"] = str(message["content"])[: len(str(message["content"])) // 2]
        choice["finish_reason"] = "length"
    elif fault == "refusal_field":
        message.update(content=None, refusal=REFUSAL)
    else:
        message["content"] = {"refusal_text": REFUSAL, "garbage": GARBAGE}[fault]
    return completion


async def _break_off(
    request: web.Request, completion: Mapping[str, Any], fault: str
) -> web.StreamResponse:
    whole = json.dumps(completion).encode()
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = len(whole)
    transport = request.transport
    assert transport is not None, "the client is still there"
    if fault == "truncated_body":
        await response.prepare(request)
        await response.write(whole[: len(whole) // 2])
        transport.close()
    else:
        peer = transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return response


@asynccontextmanager
async def serving(behaviour: Behaviour, port: int = 0) -> AsyncIterator[FaultServer]:
    """Serve on 127.0.0.1 (port 0: a free one; see `url`) until the block is left."""
    server = FaultServer(behaviour)
    # a request whose client has gone must not hold its slot: one that times out would for an hour
    runner = web.AppRunner(
        server.app(), shutdown_timeout=0.1, access_log=None, handler_cancellation=True
    )
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--slots", type=int, default=64, help="requests worked on at once")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds per request")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--faults", type=float, default=0.0, help="share of requests that fail, all kinds alike"
    )
    parser.add_argument(
        "--only", nargs="+", choices=MIXED + FATAL, help="kinds of fault (default: all but 4xx)"
    )
    return parser.parse_args()


async def _main() -> None:
    given = _arguments()
    kinds = given.only or MIXED
    behaviour = Behaviour(
        seed=given.seed,
        slots=given.slots,
        latency_s=given.latency,
        faults={kind: given.faults / len(kinds) for kind in kinds} if given.faults else {},
    )
    async with serving(behaviour, given.port) as server:
        print(f"serving at {server.url}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_main())

"""Workers as actors of Ray, on a cluster of this machine's own or on one that is there.

Ray is known to this module alone. Settings and episodes go to workers by Ray, keys do not: a worker
reads them from its own environment, which on this machine is that of the run.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from valuesim.engine.crew import CrewFailed, Hired, WorkerLost, failure
from valuesim.engine.parcels import Failed, Parcel, Report
from valuesim.engine.worker import SIGN, Setup, Worker
from valuesim.errors import InputError
from valuesim.log.segments import SEGMENTS

T = TypeVar("T")

_EXTRA = "engine=ray needs Ray: pip install 'valuesim[ray]', or leave engine=local"
_STORE_BYTES = 80 * 2**20
"""What passes is small: the least that Ray allows, and a little more."""
_SEEN_WITHIN_S = 10.0
_PLACED_WITHIN_S = 120.0
_REACHED_WITHIN_S = 5.0
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
_LOOPBACK = "127.0.0.1"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """Where workers run: `size` of them, None for as many as there is room for.

    `address` is that of a cluster, or None to begin one on this machine that ends with the run. A
    worker takes `cpus` and `gpus` of its node. What workers print is shown where `debug` is wanted.
    """

    size: int | None
    address: str | None
    cpus: float
    gpus: float
    debug: bool = False


@contextmanager
def connected_to(cluster: Cluster) -> Iterator[int]:
    """Connect to a cluster for the block, and yield how many workers it is to have.

    Raises InputError without Ray, where the cluster cannot be reached, or where it has too little
    room.
    """
    if cluster.address is not None:
        _check_reached(cluster.address)
    with ExitStack() as stack:
        stack.enter_context(_guarded(cluster))
        ray = _ray()
        if not cluster.debug:
            stack.enter_context(_replaced("ray._private.worker", "print_to_stdstream", _hear))
        try:
            with _replaced("ray._private.services", "resolve_ip_for_localhost", _as_given):
                ray.init(**_settings(cluster))
        except (ConnectionError, RuntimeError, ValueError) as error:
            told = " ".join(str(error).split())
            raise InputError(
                f"engine.address={cluster.address}: Ray gives no cluster: {told:.200}{_token()}"
            ) from error
        stack.callback(ray.shutdown)
        yield _size(cluster, ray.cluster_resources())


class RayCrew:
    """Hires actors; `setup` says for a place and a segment what a worker is to know.

    The run folder is signed for this session: workers of an earlier one that are still alive see
    that and end.
    """

    def __init__(
        self, run: Path, size: int, cluster: Cluster, setup: Callable[[int, str, str], Setup]
    ) -> None:
        self.size = size
        self._cluster, self._setup = cluster, setup
        self._session = secrets.token_hex(8)
        (run / SEGMENTS).mkdir(exist_ok=True)
        (run / SEGMENTS / SIGN).write_text(self._session, encoding="ascii")

    async def hire(self, index: int, segment: str) -> Hired:
        """Return an actor that has begun, as `Crew.hire` says; CrewFailed where it has no place."""
        ray = _ray()
        setup = self._setup(index, segment, self._session)
        # a call that waits for news holds no other up
        options = {"num_cpus": self._cluster.cpus, "num_gpus": self._cluster.gpus}
        actor = ray.remote(Worker).options(**options, max_concurrency=64).remote(setup)
        worker = _Actor(actor)
        try:
            async with asyncio.timeout(_PLACED_WITHIN_S):
                is_seen = await worker.called(actor.begin.remote())
        except TimeoutError as error:
            worker.dismiss()
            raise CrewFailed(
                f"the cluster had no place for worker {segment} within {_PLACED_WITHIN_S:.0f} s"
            ) from error
        if not is_seen or not await _appears(setup.folder / ".lock"):
            failed = await _failed(worker) if is_seen else None
            worker.dismiss()
            if failed is not None:
                raise failure(failed)
            raise InputError(
                f"{setup.run} is not the same folder where worker {segment} runs: put the run on "
                "a file system that all nodes share, under the same path"
            )
        return worker


class _Actor:
    """One worker in a process of Ray's."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    async def give(self, parcels: Sequence[Parcel]) -> None:
        await self.called(self._actor.give.remote(parcels))

    async def report(self) -> Report:
        return await self.called(self._actor.report.remote())

    async def stop(self, *, now: bool) -> None:
        await self.called(self._actor.stop.remote(now=now))

    def dismiss(self) -> None:
        _ray().kill(self._actor, no_restart=True)

    async def called(self, reference: Awaitable[T]) -> T:
        """Return what a call gave; raise WorkerLost where the actor is no more."""
        from ray.exceptions import RayActorError, RayTaskError

        try:
            return await reference
        except RayTaskError as error:
            raise CrewFailed(f"a worker failed: {error.cause!r}") from error
        except RayActorError as error:
            raise WorkerLost(_why(str(error))) from error


def _ray() -> Any:
    # it reads them when it is imported
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise InputError(_EXTRA) from error
    return ray


@contextmanager
def _guarded(cluster: Cluster) -> Iterator[None]:
    """Let a cluster of this machine's own ask for a token of its own, which no file holds."""
    own = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    if cluster.address is not None or own.keys() & os.environ.keys():
        yield
        return
    os.environ.update(own)
    try:
        yield
    finally:
        for name in own:
            os.environ.pop(name, None)


@contextmanager
def _replaced(module: str, name: str, other: Callable[..., Any]) -> Iterator[None]:
    """Let Ray use `other` in the block, for what it has no setting; a version without it is as is.

    It takes a loopback address for one of the network, and prints on the standard output what it
    has to say of workers that are lost.
    """
    owner = importlib.import_module(module)
    kept = getattr(owner, name, None)
    if kept is None:
        yield
        return
    setattr(owner, name, other)
    try:
        yield
    finally:
        setattr(owner, name, kept)


def _token() -> str:
    """Return what may be lacking where no cluster answers and no token was sent."""
    if os.environ.get("RAY_AUTH_MODE"):
        return ""
    return (
        "; one that asks for a token (`ray start` begins such where there is one) is reached with "
        "RAY_AUTH_MODE=token in the environment"
    )


def _as_given(host: str) -> str:
    return host


def _hear(data: Mapping[str, Any], *_: Any, **__: Any) -> None:
    _log.debug("Ray: %s", data.get("lines"))


def _check_reached(address: str) -> None:
    """Raise InputError unless something listens at HOST:PORT; Ray itself would wait for minutes."""
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if "/" in address or not host or not port.isdigit():
        raise InputError(f"engine.address={address} is not allowed: auto, HOST:PORT, or null")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_REACHED_WITHIN_S).close()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"engine.address={address}: no Ray cluster listens there ({error}); `ray start --head` "
            "begins one"
        ) from error


def _settings(cluster: Cluster) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "log_to_driver": cluster.debug,
        "logging_level": logging.INFO if cluster.debug else logging.ERROR,
    }
    if cluster.address is not None:
        return shown | {"address": cluster.address}
    size = cluster.size or _own_cpus(cluster)
    return shown | {
        "address": "local",
        "num_cpus": max(-(-size * cluster.cpus // 1), 1),
        "include_dashboard": False,
        "object_store_memory": _STORE_BYTES,
        "_node_ip_address": _LOOPBACK,
    }


def _own_cpus(cluster: Cluster) -> int:
    return max(int(len(os.sched_getaffinity(0)) // cluster.cpus), 1)


def _size(cluster: Cluster, resources: Mapping[str, float]) -> int:
    """Return how many workers there are to be; raise InputError where there is no room for them."""
    room = []
    for kind, each in (("CPU", cluster.cpus), ("GPU", cluster.gpus)):
        if each:
            there = resources.get(kind, 0.0)
            room.append(int(there // each))
            if room[-1] < (cluster.size or 1):
                raise InputError(
                    f"engine.workers={cluster.size} with {each:g} {kind} each do not fit: the "
                    f"cluster has {there:g} {kind}"
                )
    return cluster.size or min(room)


async def _failed(worker: _Actor) -> Failed | None:
    """Return what a worker failed with that left no lock; None where it says nothing of it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_SEEN_WITHIN_S):
            return (await worker.report()).failed
    return None


async def _appears(path: Path) -> bool:
    """Return whether `path` is there; a shared folder may show it late."""
    until = time.monotonic() + _SEEN_WITHIN_S
    while time.monotonic() < until:
        with suppress(OSError):
            os.listdir(path.parent)
        if path.exists():
            return True
        await asyncio.sleep(0.1)
    return False


def _why(told: str) -> str:
    """Return what Ray says of the end of an actor, in a few words."""
    if "running low on memory" in told:
        return "its node ran out of memory"
    if "node was terminated" in told or "node has died" in told or "node is dead" in told:
        return "its node is gone"
    return "its process ended"

"""`valuesim replay`: run folders in a browser, served from this machine alone unless told else.

With --tui they are shown in the terminal (`replay_terminal`).
"""

from __future__ import annotations

import argparse
import errno
import os
import socket
import sys
import threading
import webbrowser
from contextlib import ExitStack, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from valuesim.cli import replay_export, replay_judgements
from valuesim.cli.leaving import leave, leave_after
from valuesim.cli.replay_models import models_of
from valuesim.cli.replay_terminal import watch
from valuesim.errors import InputError
from valuesim.graph.statement import count
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.playing.consent import Consent, consent_in
from valuesim.replay.playing.plays import Plays
from valuesim.replay.security import Access

PORT = 8765
_NEAR = 10
LONGEST_END_S = 3.0
"""So long after Ctrl-C the process is gone, whatever is being read."""


def main(arguments: argparse.Namespace) -> int:
    """Answer until stopped, which is how it ends well, or write what is asked for; return 0."""
    replay_export.check(arguments)
    path: Path = arguments.path
    if not path.is_dir():
        raise InputError(f"{path} is not a folder; give a run folder or a folder above some")
    if arguments.tui:
        return watch(arguments)
    if arguments.judgements is not None:
        return replay_judgements.write(arguments)
    if arguments.export is not None:
        return replay_export.export(arguments)
    _serve(arguments, path)
    leave()
    return 0


def _serve(arguments: argparse.Namespace, path: Path) -> None:
    """Answer until stopped; what is played then is stopped as well."""
    server = _server()
    models = models_of(arguments.overrides)
    consent = consent_in(arguments.consent) if arguments.consent else Consent()
    access = Access(host=arguments.host)
    listening = bound(access.host, arguments.port)
    # a signal may come before the server hears it
    with listening, ExitStack() as ending, suppress(KeyboardInterrupt):
        shelf = Shelf(path, waits=False)
        plays = Plays(shelf=shelf, models=models, consent=consent)
        ending.callback(plays.close)
        url = access.url(listening.getsockname()[1])
        _tell(shelf, url)
        if arguments.browser and _is_desktop():
            threading.Thread(target=webbrowser.open, args=[url], daemon=True).start()
        app = server.create_app(shelf, access, plays)
        app.state.endings.append(partial(leave_after, LONGEST_END_S))
        server.serve(app, listening)


def bound(host: str, port: int | None) -> socket.socket:
    """Return a socket that is bound to `port` of `host`; without one, to a free one near `PORT`.

    Raises InputError where the port is taken, or the host is none of this machine's.
    """
    wanted = [port] if port is not None else [*range(PORT, PORT + _NEAR), 0]
    for each in wanted:
        try:
            return _bound(host, each)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or each == wanted[-1]:
                raise _unusable(host, each, error) from None
    raise AssertionError("the last port either serves or raises")


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, place = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(place)
        # another server on the port is told here, not when the first page is asked for
        made.listen()
    except OSError:
        made.close()
        raise
    return made


def _unusable(host: str, port: int, error: OSError) -> InputError:
    if error.errno == errno.EADDRINUSE:
        return InputError(f"--port {port} is taken: give another, or leave it out for a free one")
    if error.errno == errno.EACCES:
        return InputError(f"--port {port} may not be used by you: give one from 1024")
    told = error.strerror or str(error)
    return InputError(f"--host {host!r:.60} is no address of this machine: {told}")


def _tell(shelf: Shelf, url: str) -> None:
    print(f"{count(len(shelf.runs), 'run')}; Ctrl-C ends it", file=sys.stderr)
    print(url, flush=True)


def _is_desktop() -> bool:
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _server() -> Any:
    try:
        return import_module("valuesim.replay.server")
    except ImportError as error:
        if (error.name or "").partition(".")[0] == "valuesim":
            raise
        needed = "pip install 'valuesim[replay]'"
        raise InputError(f"the viewer needs the package {error.name}: {needed}") from None

"""The command line: `valuesim COMMAND`. Each command is one module, imported when it is used."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from valuesim import __version__
from valuesim.cli.commands import COMMANDS
from valuesim.cli.stopping import stoppable
from valuesim.cli.terminal import clean
from valuesim.errors import InputError, ValueSimError, unknown
from valuesim.secrets import redact_strictly, secrets

_SELDOM = (100_000, 20, 100)
STOPPED_BY_USER = 128 + signal.SIGINT


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 the work failed, 2 bad arguments.

    130 means that it was stopped, by Ctrl-C or SIGTERM. `arguments` are those of the process if not
    given.
    """
    # fits are very many small products: the threads of a BLAS would only wait for each other
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    if sys.stdout is None or sys.stderr is None:
        # a process started with a closed stream; what is told there is meant for nobody
        nowhere = open(os.devnull, "w")  # noqa: SIM115 (it serves as long as the process lives)
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
    try:
        with stoppable():
            code = _dispatch([each for each in given if each != "--debug"], debug=debug)
            sys.stdout.flush()
    except BrokenPipeError:
        # whoever read our output has gone; flushing again at exit would print a traceback
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _failed("stopped", STOPPED_BY_USER)
    except Exception as error:
        if debug:
            raise
        return _failed(_sentence(error), 2 if isinstance(error, InputError) else 1)
    return code


def _dispatch(given: Sequence[str], *, debug: bool) -> int:
    if not given or given[0] in ("-h", "--help"):
        print(_help())
        return 0
    if given[0] == "--version":
        print(f"valuesim {__version__}")
        return 0
    name = given[0]
    if name not in COMMANDS:
        raise InputError(unknown("command", name, COMMANDS))
    about = COMMANDS[name]
    command = _Parser(
        prog=f"valuesim {name}",
        description=f"{about.line[0].upper()}{about.line[1:]}.",
        epilog=f"examples:\n{about.examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    about.add(command)
    command.add_argument("--debug", action="store_true", help=about.debug)
    try:
        parsed = command.parse_intermixed_args(given[1:])
    except SystemExit as done:
        return int(done.code or 0)
    parsed.debug = debug
    # records live until the command ends: looking for garbage among them takes a third of reading
    gc.set_threshold(*_SELDOM)
    code: int = import_module(about.module).main(parsed)
    return code


def _help() -> str:
    commands = "\n".join(f"  {name:<12}{about.line}" for name, about in COMMANDS.items())
    return (
        f"usage: valuesim COMMAND ...\n\n"
        f"Value dilemmas for language models: what an agent puts first.\n\n"
        f"commands:\n{commands}\n\n"
        f"options:\n  --version   print the version\n"
        f"  --debug     show the traceback of an error\n\n"
        f"`valuesim COMMAND --help` shows a command's arguments and an example."
    )


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}"
    if isinstance(error, ValueSimError):
        return str(error)
    return f"{type(error).__name__}: {error} (a bug; --debug shows where)"


def _failed(sentence: str, code: int) -> int:
    # what was typed may hold a key
    told = redact_strictly(sentence, secrets(os.environ))
    print(f"valuesim: error: {clean(told)}", file=sys.stderr)
    return code

"""Asks a person at a terminal: texts in frames, options in a table, answers one line each.

Nothing that is shown is obeyed, neither by the terminal nor as rich's markup; what models and other
agents say stands within a frame, so that it cannot pass for a question.
"""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from typing import TYPE_CHECKING, TextIO
from weakref import WeakKeyDictionary

from valuesim.agents.human.person import Scene
from valuesim.agents.human.questions import About, Question, Told, argument, is_numbered
from valuesim.option import Option
from valuesim.plain import clean, clean_lines

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

_WIDEST = 100
_BYTES = 65_536
_READ_AHEAD: WeakKeyDictionary[TextIO, bytearray] = WeakKeyDictionary()
"""What was read of a stream and not yet used: the next run in a sweep goes on with it."""


class Terminal:
    """A screen that is a terminal, or a file of answers: shows on `shown`, reads `typed`."""

    def __init__(self, typed: TextIO, shown: TextIO) -> None:
        from rich.console import Console

        self._lines = Lines(typed)
        self._echoes = not typed.isatty()
        self._console = Console(file=shown, highlight=False, markup=False, emoji=False)
        self._console.width = min(self._console.width, _WIDEST)

    @classmethod
    def standard(cls) -> Terminal:
        """Return the terminal of this process; what is shown goes to its error stream."""
        return cls(sys.stdin, sys.stderr)

    def show(self, title: str, text: str, kind: Told) -> None:
        """Show a text in a frame, whatever it is."""
        self._console.print()
        self._console.print(_framed(title, text))

    def offer(self, scene: Scene) -> None:
        """Show which episode and role it is, what moves, and the options."""
        seen = scene.observation
        of = f" of {scene.episodes}" if scene.episodes and scene.episodes > 1 else ""
        self._console.print()
        self._console.rule(
            _text(f"Episode {scene.episode}{of} · you are {clean(seen.agent)}", "bold"),
            style="dim",
            align="left",
        )
        self._console.print(_framed("", seen.text))
        self._console.print(_table(seen.options))
        self._console.print()

    def tell(self, sentence: str) -> None:
        """Show one sentence."""
        self._console.print(_text(f"  {clean(sentence)}", "yellow"))

    async def ask(self, question: Question) -> str:
        """Return the next line of the input; raise EOFError at its end."""
        style = "bold" if question.about is not About.ARGUMENT else ""
        self._console.print(_text(f"{clean(question.prompt)}: ", style), end="")
        self._console.file.flush()
        line = await self._lines.next()
        if self._echoes:
            # nobody typed it on this terminal
            self._console.print(_text(clean(line)))
        return line


class Lines:
    """The lines of a stream, waited for without stopping what else the event loop does.

    A terminal or a pipe is watched by the loop, so that whoever stops waiting leaves no thread
    behind; a file, and a stream that is no file at all, never makes anybody wait.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._rest = _READ_AHEAD.setdefault(stream, bytearray())

    async def next(self) -> str:
        """Return the next line without its end; raise EOFError when there is none."""
        try:
            file = self._stream.fileno()
        except (OSError, ValueError):
            return _one_line(self._stream.readline())
        while b"\n" not in self._rest and (read := await _read(file)):
            self._rest += read
        if not self._rest:
            raise EOFError
        line = self._rest.partition(b"\n")[0]
        del self._rest[: len(line) + 1]
        return line.decode(self._stream.encoding or "utf-8", "replace").rstrip("\r")


def _one_line(line: str) -> str:
    if not line:
        raise EOFError
    return line.rstrip("\r\n")


async def _read(file: int) -> bytes:
    """Return what there is to read from `file` once there is something; nothing at its end."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_reader(file, ready.set)
    except PermissionError:
        # the loop watches no plain files: they can be read at once
        return os.read(file, _BYTES)
    except NotImplementedError:
        # nor anything on Windows, where a stop waits for the line that is being typed
        return await asyncio.to_thread(os.read, file, _BYTES)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(file)
    try:
        return os.read(file, _BYTES)
    except OSError as error:
        if error.errno == errno.EIO:
            # the terminal is gone
            return b""
        raise


def _table(options: tuple[Option, ...]) -> RenderableType:
    from rich.table import Table

    by_number = is_numbered([option.name for option in options])
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for place, option in enumerate(options, start=1):
        told = _text(clean(option.text))
        for name, kind in option.arguments.items():
            told.append_text(_text(f"\n{clean(argument(name, kind).prompt)}", "dim"))
        number = str(place) if by_number else ""
        table.add_row(_text(f" {number}"), _text(clean(option.name), "bold"), told)
    return table


def _framed(title: str, text: str) -> RenderableType:
    from rich.panel import Panel

    named = _text(title, "bold") if title else None
    return Panel(_text(clean_lines(text.strip())), title=named, title_align="left")


def _text(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(clean_lines(text), style)

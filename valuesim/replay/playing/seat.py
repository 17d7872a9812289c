"""The screen of a person who plays in a browser: what is shown and asked, and where answers go.

Questions are put in the event loop of the play; answers come from another thread. What makes an
answer, and what follows from it, is a matter of `agents.human`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any

from valuesim.agents.human import Scene
from valuesim.agents.human.questions import Question, Told, argument, only
from valuesim.errors import InputError
from valuesim.option import Amount, Argument, Name, Option

LONGEST_ANSWER = 10_000
"""The most characters of an answer; what a question allows is less."""

OnAsking = Callable[[Mapping[str, Any] | None], None]


class AnswerError(InputError):
    """An answer to a question that does not wait."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    number: int
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[str]


class Seat:
    """A `Screen` of one person, who is asked one question at a time.

    `on_asking` is called with each question as it is put, as plain JSON (docs/replay.md), and with
    None once it is answered.
    """

    def __init__(self, on_asking: OnAsking) -> None:
        self._on_asking = on_asking
        self._lock = Lock()
        self._waiting: _Waiting | None = None
        self._number = 0
        self._shown: list[dict[str, str]] = []
        self._texts: list[dict[str, str]] = []
        self._scene: dict[str, Any] | None = None
        self._mistake: str | None = None

    def show(self, title: str, text: str, kind: Told) -> None:
        """Keep a text for the next question."""
        self._shown.append({"kind": str(kind), "title": title, "text": text})

    def offer(self, scene: Scene) -> None:
        """Keep what moves, and the options, without their stakes."""
        self._scene = _plain(scene)

    def tell(self, sentence: str) -> None:
        """Keep what was wrong with the last answer."""
        self._mistake = sentence

    async def ask(self, question: Question) -> str:
        """Return the answer to `question`, whenever it comes."""
        loop = asyncio.get_running_loop()
        if self._shown or self._mistake is None:
            # asked once more, what was read for it stays
            self._texts = self._shown
        with self._lock:
            self._number += 1
            waiting = self._waiting = _Waiting(self._number, loop, loop.create_future())
        self._on_asking(self._asking(question, waiting.number))
        self._shown, self._mistake = [], None
        try:
            return await waiting.answer
        finally:
            with self._lock:
                if self._waiting is waiting:
                    # nobody answered
                    self._waiting = None
                    self._on_asking(None)

    def answer(self, number: int, text: str) -> None:
        """Answer the question `number`, from any thread.

        Raises AnswerError where another one waits, or none, and InputError for a text that is too
        long for any.
        """
        if len(text) > LONGEST_ANSWER:
            told = f"the answer has {len(text):,} characters: at most {LONGEST_ANSWER:,}"
            raise InputError(told)
        with self._lock:
            waiting = self._waiting
            if waiting is None or waiting.number != number:
                now = "none does" if waiting is None else f"question {waiting.number} does"
                raise AnswerError(f"question {number} does not wait for an answer: {now}")
            self._waiting = None
            # told before the play goes on, which may ask the next one at once
            self._on_asking(None)
        # one that has just ended is told to nobody
        with suppress(RuntimeError):
            waiting.loop.call_soon_threadsafe(_give, waiting.answer, text)

    def _asking(self, question: Question, number: int) -> dict[str, Any]:
        return {
            "number": number,
            "about": str(question.about),
            "prompt": question.prompt,
            "choices": list(question.choices),
            "is_numbered": question.is_numbered,
            "is_text": question.is_text,
            "name": question.name,
            "argument": None if question.argument is None else _bounds(question.argument),
            "commands": sorted(str(each) for each in question.commands),
            "mistake": self._mistake,
            "texts": self._texts,
            "scene": self._scene,
        }


def _give(answer: asyncio.Future[str], text: str) -> None:
    if not answer.done():
        answer.set_result(text)


def _bounds(kind: Argument) -> dict[str, Any]:
    """Return what an answer may be, so that no page reads it from the words of a prompt."""
    told: dict[str, Any] = dict.fromkeys(("low", "high", "names", "longest"))
    if isinstance(kind, Amount):
        return {"kind": "amount", **told, "low": kind.low, "high": kind.high}
    if isinstance(kind, Name):
        return {"kind": "name", **told, "names": list(kind.names)}
    return {"kind": "text", **told, "longest": kind.longest}


def _plain(scene: Scene) -> dict[str, Any]:
    seen = scene.observation
    return {
        "episode": scene.episode,
        "episodes": scene.episodes,
        "role": seen.agent,
        "step": seen.step,
        "text": seen.text,
        "rules": seen.rules,
        "options": [_option(each) for each in seen.options],
    }


def _option(option: Option) -> dict[str, Any]:
    asked = {name: kind for name, kind in option.arguments.items() if only(kind) is None}
    prompts = [
        {"name": name, "prompt": argument(name, kind).prompt} for name, kind in asked.items()
    ]
    return {"name": option.name, "text": option.text, "arguments": prompts}

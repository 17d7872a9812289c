"""Who plays in a run: asked one question at a time, for one role after the other.

A person is asked as a model is, and what they answer is logged in the same way; a line mistyped is
asked for again and is no attempt. What the person sees is a matter of the `Screen`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from valuesim.agents.endpoint import Counters
from valuesim.agents.human import questions
from valuesim.agents.human.questions import Answer, Command, Mistake, Question, Told
from valuesim.decision import Decision, Fault
from valuesim.errors import STOPPED, Interruption
from valuesim.observation import Observation
from valuesim.option import Option
from valuesim.secrets import redact

if TYPE_CHECKING:
    from valuesim.agents.human.agent import Human

_LEFT = "the person who plays stopped the run"
_DECLINED = "the person who plays did not consent"
_ENDED = "the answers of the person who plays ended (end of file on the input)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What a person sees before a decision: in which episode, as whom, and the observation.

    `episode` counts from 1 those that the person has been asked in, of `episodes` in all; None
    where nobody knows how many there will be.
    """

    episode: int
    episodes: int | None
    observation: Observation


class Screen(Protocol):
    """How a person is shown things and asked. All text is hostile: it must obey none of it."""

    def show(self, title: str, text: str, kind: Told) -> None:
        """Show a text under its title; `kind` is what it is."""
        ...

    def offer(self, scene: Scene) -> None:
        """Show what moves, and the options."""
        ...

    def tell(self, sentence: str) -> None:
        """Show one sentence."""
        ...

    async def ask(self, question: Question) -> str:
        """Return the line that is typed; raise EOFError when no more will come."""
        ...


class _Back(Exception):
    """The person wants to choose the option anew."""


class _Refused(Exception):
    """The person declines the decision."""


class Person:
    """Makes the decisions of every role that a person plays in a run, through `screen`.

    Before the first of them the person is asked for consent, and `on_consent` is called with the
    sentence that records it; `consent` is the text that they are shown, None for the shipped one.
    `ask_reasons` adds a question for reasons to each decision. A question
    that waits when `stop` is set ends; `leave` is called when the person wants the run to end, or
    cannot go on. `secrets` are blotted out of what is typed. `clock` gives seconds. Like a
    connection to a model it makes agents and has `counters`, all zero, and stands in its place in
    the engine.
    """

    def __init__(
        self,
        screen: Screen,
        *,
        ask_reasons: bool = True,
        stop: asyncio.Event | None = None,
        leave: Callable[[], None] | None = None,
        consent: str | None = None,
        on_consent: Callable[[str], None] | None = None,
        episodes: int | None = None,
        secrets: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counters = Counters()
        self._screen = screen
        self._ask_reasons = ask_reasons
        self._stop = stop or asyncio.Event()
        self._leave = leave
        self._consent_text = questions.words("consent") if consent is None else consent
        self._on_consent = on_consent
        self._episodes = episodes
        self._secrets = secrets
        self._clock = clock
        self._free = asyncio.Lock()
        self._numbers: dict[str, int] = {}
        self._consented = False
        self._gone = ""
        self._typed: list[str] = []

    @property
    def gone(self) -> str:
        """Why the person is asked no more; empty while they are."""
        return self._gone

    def agent(
        self, role: str, seed: int, parameters: Mapping[str, Any] | None = None, episode: str = ""
    ) -> Human:
        """Return the agent that plays `role` in the episode of `seed`."""
        from valuesim.agents.human.agent import Human

        return Human(role, seed, self)

    async def close(self) -> None:
        """Do nothing: the terminal stays open."""

    async def decide(self, observation: Observation, episode: str) -> Decision:
        """Return what the person decides in `episode`, which may be named in any way.

        Waits until no other role is being asked. Raises Interruption when the person leaves or has
        left, when the run is stopped, and when no more answers come.
        """
        async with self._free:
            self._check_there()
            if not self._consented:
                await self._consent()
            started, self._typed = self._clock(), []
            if episode not in self._numbers:
                self._numbers[episode] = len(self._numbers) + 1
                self._screen.show("The rules", observation.rules, Told.RULES)
            number = self._numbers[episode]
            scene = Scene(episode=number, episodes=self._episodes, observation=observation)
            decided = await self._decided(scene)
            return Decision(
                agent=observation.agent,
                step=observation.step,
                reply="\n".join(self._typed),
                latency=self._clock() - started,
                **decided,
            )

    async def _consent(self) -> None:
        self._screen.show("Before you begin", self._consent_text, Told.CONSENT)
        if not await self._answer(questions.consent()):
            raise self._left(_DECLINED)
        self._consented = True
        if self._on_consent is not None:
            self._on_consent(
                "a person played, and had consented before the first question (consent text "
                f"{questions.consent_id(self._consent_text)})"
            )

    async def _decided(self, scene: Scene) -> dict[str, Any]:
        """Return what is decided, as fields of a `Decision`."""
        seen = scene.observation
        while True:
            self._screen.offer(scene)
            try:
                name = str(await self._answer(questions.option(seen), scene))
                option = seen.option(name)
                assert option is not None, "the question allows no other"
                arguments = await self._arguments(option, scene)
                rationale = ""
                if self._ask_reasons:
                    rationale = str(await self._answer(questions.reason(), scene))
            except _Back:
                continue
            except _Refused:
                return {"fault": Fault.REFUSED}
            message = arguments.get("message")
            return {
                "option": name,
                "arguments": arguments,
                "message": str(message) if message else None,
                "rationale": rationale or None,
            }

    async def _arguments(self, option: Option, scene: Scene) -> dict[str, Answer]:
        given: dict[str, Answer] = {}
        for name, kind in option.arguments.items():
            fixed = questions.only(kind)
            asked = questions.argument(name, kind)
            given[name] = fixed if fixed is not None else await self._answer(asked, scene)
        return given

    async def _answer(self, question: Question, scene: Scene | None = None) -> Answer:
        """Return the answer to `question`, asked until there is one."""
        while True:
            line = await self._line(question)
            self._typed.append(line)
            try:
                answer = question.read(line)
            except Mistake as mistake:
                self._screen.tell(str(mistake))
                continue
            if not isinstance(answer, Command):
                return answer
            await self._obey(answer, scene)

    async def _obey(self, command: Command, scene: Scene | None) -> None:
        if command is Command.BACK:
            raise _Back
        if command is Command.HELP and scene is not None:
            self._screen.show("The rules", scene.observation.rules, Told.RULES)
            self._screen.show("What you may type", questions.words("help"), Told.HELP)
        elif command is Command.REFUSE:
            if await self._answer(questions.sure("Decline this decision?")):
                raise _Refused
        elif command is Command.STOP:
            lost = " (this episode will not count)" if self._consented else ""
            if await self._answer(questions.sure(f"Stop the run{lost}?")):
                raise self._left(_LEFT)

    async def _line(self, question: Question) -> str:
        """Return the next line; raise Interruption if none comes."""
        self._check_there()
        asking = asyncio.ensure_future(self._screen.ask(question))
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait([asking, stopping], return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise Interruption(STOPPED)
            return redact(asking.result(), self._secrets)
        except EOFError:
            self._screen.tell(f"{_ENDED[0].upper()}{_ENDED[1:]}.")
            raise self._left(_ENDED) from None
        finally:
            asking.cancel()
            stopping.cancel()

    def _check_there(self) -> None:
        if self._gone or self._stop.is_set():
            raise Interruption(self._gone or STOPPED)

    def _left(self, reason: str) -> Interruption:
        """Ask no more, and return what ends this episode and every other one of the person."""
        self._gone = reason
        task = asyncio.current_task()
        if self._leave is not None and task is not None:
            leave = self._leave
            # once the episode is told, so that it is not taken for one that goes on to its end
            task.add_done_callback(lambda _: leave())
        return Interruption(reason)

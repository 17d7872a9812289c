"""What an agent is reminded of: its last steps, its own notes, or the harm it did."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal, get_args

from valuesim.agents.interventions.asking import say, shown, whole
from valuesim.agents.interventions.base import Ask, Intervention
from valuesim.agents.prompt import Message, Prompt
from valuesim.decision import Addition, Decision, notice
from valuesim.errors import InputError, unknown
from valuesim.observation import Observation
from valuesim.option import Option
from valuesim.values import load_taxonomy

Kind = Literal["recent", "summary", "guilt"]
_LAST, _WORDS = (1, 50), (10, 1000)
_LONGEST_WORD = 10
"""Notes may have so many characters for each word that is allowed; what is longer is cut."""


class Memory(Intervention):
    """Puts before what moves what the agent remembers, by `kind`.

    "recent": its last steps, each with what it was told and what it chose; what came of a choice
    stands in what it was told next. "summary": notes that the model itself keeps, in one question
    before each decision but the first. "guilt": the last of its own acts that harmed others (see
    `harms`). `last` bounds the steps or acts, `words` the notes.
    """

    name = "memory"

    def __init__(
        self, *, role: str, seed: int, kind: Kind = "recent", last: int = 3, words: int = 80
    ) -> None:
        """Remember nothing yet; raise InputError for a setting that is not allowed."""
        super().__init__(role=role, seed=seed)
        if kind not in get_args(Kind):
            raise InputError(unknown("kind", kind, get_args(Kind), "intervention.memory.kind"))
        last = whole("memory.last", last, _LAST)
        self._kind, self._words = kind, whole("memory.words", words, _WORDS)
        self._entries: deque[str] = deque(maxlen=1 if kind == "summary" else last)
        self._notes = ""
        self._told: dict[str, Any] = {}

    async def prepare(self, prompt: Prompt, observation: Observation, ask: Ask) -> Prompt:
        """Add what is remembered; nothing while there is nothing to remember."""
        self._told = {}
        if not self._entries:
            return prompt
        if self._kind == "summary":
            await self._summarise(prompt, observation, ask)
            return prompt.plus(self._shown_notes())
        self._told = {"remembered": len(self._entries)}
        said = say("memory", self._kind, entries=list(self._entries))
        return prompt.plus(self.addition("before", said))

    async def recall(
        self, prompt: Prompt, observation: Observation, did: Mapping[str, Any]
    ) -> Prompt:
        """Add what was remembered; notes stand in `did` as they were added."""
        if self._kind != "summary" or not self._entries:
            return await self.prepare(prompt, observation, _nobody)
        self._notes, self._told = did["notes"], dict(did)
        return prompt.plus(self._shown_notes())

    def told(self) -> Mapping[str, Any]:
        """Return how much was remembered, of a summary the notes and whether they are new."""
        return self._told

    def saw(self, observation: Observation, decision: Decision) -> None:
        """Remember the step, or the act where it harmed others."""
        if self._kind != "guilt":
            self._entries.append(_entry(observation, decision))
        elif (option := observation.option(decision.option or "")) and harms(option):
            about = option.text.rstrip(".")
            self._entries.append(
                say("memory", "harmed", step=decision.step + 1, option=option.name, about=about)
            )

    def _shown_notes(self) -> Addition:
        said = say("memory", "summary", notes=self._notes or shown(""))
        return self.addition("before", said)

    async def _summarise(self, prompt: Prompt, observation: Observation, ask: Ask) -> None:
        question = say(
            "memory", "question", notes=self._notes, entry=self._entries[-1], words=self._words
        )
        # whoever the model was told to be keeps the notes
        added = [each.text for each in prompt.added if each.place == "system"]
        rules = Message(role="system", text="\n\n".join([observation.rules, *added]))
        reply = await ask((rules, Message(role="user", text=question)), purpose="notes")
        # without a reply the old notes stay, and the log says that they are not new
        if reply.strip():
            self._notes = shown(reply, _LONGEST_WORD * self._words)
        self._told = {"notes": self._notes, "new": bool(reply.strip())}


async def _nobody(messages: Sequence[Message], *, purpose: str) -> str:  # noqa: ARG001 (as of Ask)
    raise KeyError(purpose)


def harms(option: Option) -> bool:
    """Return whether taking `option` harms others: by its tag, or by the values it violates.

    The tag is "transgression"; the values are those that moral foundations theory counts as care
    and harm. A step towards an act ("approach") harms nobody yet.
    """
    if "transgression" in option.tags:
        return True
    violated = {value for value, stake in option.stakes.items() if stake < 0}
    return "approach" not in option.tags and bool(violated & _values_of_harm())


@cache
def _values_of_harm() -> frozenset[str]:
    placed = load_taxonomy("valuesim").roll_ups["moral_foundations"]
    return frozenset(value for value, foundation in placed.items() if foundation == "Care")


def _entry(observation: Observation, decision: Decision) -> str:
    option = observation.option(decision.option or "")
    # in the option's order, whichever the reply had: the log keeps none
    order = option.arguments if option else {}
    given = {name: decision.arguments[name] for name in order if name in decision.arguments}
    given.pop("message", None)
    message = decision.message or decision.arguments.get("message")
    return say(
        "memory",
        "entry",
        step=decision.step + 1,
        text=observation.text,
        fault=None if decision.fault is None else notice(decision.fault, decision.fault_detail),
        option=decision.option,
        about=option.text.rstrip(".") if option else "",
        arguments=", ".join(f"{name} {value}" for name, value in given.items()),
        message=" ".join(message.split()) if message else "",
    )

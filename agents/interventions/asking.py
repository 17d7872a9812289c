"""What interventions ask beside a decision: the same setting, another question, all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from valuesim.agents.interventions.base import Ask, Lived
from valuesim.agents.prompt import Message, Prompt
from valuesim.decision import Decision
from valuesim.episode import at_once
from valuesim.errors import InputError
from valuesim.observation import Observation
from valuesim.shipped import shipped_yaml

LONGEST_SHOWN = 2000
"""Of an answer at most so many characters are put before a decision; the log keeps all of it."""
LONGEST_STORY = 12_000
"""Of an episode that is looked back on at most so many characters are told, the last steps."""


def wording(intervention: str) -> Mapping[str, Any]:
    """Return the texts of `intervention`, as its file in `wording` says them."""
    texts: Mapping[str, Any] = _shipped(intervention)
    return texts


def say(intervention: str, text: str, /, **of: Any) -> str:
    """Return the text named `text` of `intervention`, filled in; what is filled in is no template.

    Raises KeyError where there is no such text, and jinja2.UndefinedError where something lacks.
    """
    return _template(intervention, text).render(**of).strip()


def beside(prompt: Prompt, observation: Observation, question: str) -> tuple[Message, ...]:
    """Return what asks `question` about the decision that `prompt` asks for.

    The rules, all that earlier interventions added and the options stand as in the decision; how to
    answer does not, and the question stands last.
    """
    added = {place: _at(prompt, place) for place in ("system", "before", "after")}
    system = [observation.rules, *added["system"]]
    user = [*added["before"], prompt.user, *added["after"], question]
    return (
        Message(role="system", text="\n\n".join(system)),
        Message(role="user", text="\n\n".join(user)),
    )


def looking_back(lived: Lived, question: str, *, without: str = "") -> tuple[Message, ...]:
    """Return what tells a finished episode, of at least one decision, and asks `question`.

    The system message holds the rules and what stood there in the last decision, but for what the
    intervention `without` added.
    """
    seen, made = lived.moments[-1]
    added = [each for each in made.added if each.place == "system" and each.by != without]
    system = [seen.rules, *(each.text for each in added)]
    return (
        Message(role="system", text="\n\n".join(system)),
        Message(role="user", text=f"{_story(lived)}\n\n{question}"),
    )


async def ask_all(ask: Ask, questions: Mapping[str, Sequence[Message]]) -> dict[str, str]:
    """Return the answer to each of `questions`, by its name, all asked at once.

    Raises Interruption where one of them cannot be had; the others are then given up.
    """
    return await at_once({name: _one(ask, each, name) for name, each in questions.items()})


def shown(answer: str, longest: int = LONGEST_SHOWN) -> str:
    """Return `answer` as it is put before a decision: cut with a mark, and told where empty."""
    text = answer.strip()
    if not text:
        return "(no answer was given)"
    return text if len(text) <= longest else f"{text[:longest].rstrip()} [...]"


def whole(setting: str, given: object, ends: tuple[int, int]) -> int:
    """Return `given`, a whole number within `ends`; else raise InputError naming the `setting`."""
    least, most = ends
    if not isinstance(given, int) or isinstance(given, bool) or not least <= given <= most:
        raise InputError(
            f"intervention.{setting} is {given!r}: a whole number from {least} to {most}"
        )
    return given


async def _one(ask: Ask, messages: Sequence[Message], purpose: str) -> str:
    return await ask(messages, purpose=purpose)


def _at(prompt: Prompt, place: str) -> list[str]:
    return [addition.text for addition in prompt.added if addition.place == place]


def _story(lived: Lived) -> str:
    """Return the episode in words; of a long one its last steps, at least one."""
    total = len(lived.moments)
    steps = [_step(n, total, *moment) for n, moment in enumerate(lived.moments, start=1)]
    kept, room = 0, LONGEST_STORY
    while kept < len(steps) and (kept == 0 or len(steps[-1 - kept]) <= room):
        room -= len(steps[-1 - kept])
        kept += 1
    return say(
        "story",
        "whole",
        steps=steps[len(steps) - kept :],
        left_out=len(steps) - kept,
        payoff=lived.payoff,
    )


def _step(number: int, total: int, seen: Observation, made: Decision) -> str:
    option = seen.option(made.option) if made.option is not None else None
    return say(
        "story",
        "step",
        number=number,
        total=total,
        text=shown(seen.text, LONGEST_STORY),
        option=made.option,
        meaning=option.text if option is not None else "",
        arguments=", ".join(f"{name} {given}" for name, given in made.arguments.items()),
        message=made.message,
    )


@cache
def _shipped(intervention: str) -> Any:
    file = f"{intervention}.yaml"
    return shipped_yaml("valuesim.agents.interventions", "wording", file)


@cache
def _template(intervention: str, text: str) -> Template:
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_shipped(intervention)[text])

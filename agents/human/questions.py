"""What a person is asked, and which answers hold: nothing here knows how they are shown or typed.

Each question reads one typed line as an answer or as a `Command`, or raises `Mistake`, whose one
sentence says why the line is neither.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial

from valuesim.agents.prompt import LONGEST_RATIONALE
from valuesim.observation import Observation
from valuesim.option import Amount, Argument, Name, Text, quoted
from valuesim.plain import clean, kept
from valuesim.shipped import shipped_yaml

Answer = str | float | bool
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_SLASH = "/"


class Mistake(Exception):
    """A typed line that is no answer; its text is the sentence that says why."""


class Command(StrEnum):
    """What may be typed in place of an answer."""

    HELP = "?"
    BACK = "back"
    REFUSE = "refuse"
    STOP = "q"


class About(StrEnum):
    """What a question is about."""

    CONSENT = "consent"
    OPTION = "option"
    ARGUMENT = "argument"
    REASON = "reason"
    SURE = "sure"


class Told(StrEnum):
    """What a text is that a person is shown."""

    CONSENT = "consent"
    RULES = "rules"
    HELP = "help"


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One thing that a person is asked, on one line: `prompt`.

    `choices` are the names of which one is taken, empty where there are none; `is_numbered` says
    that the number of its place, from 1, stands for a choice too. `commands` are those that hold
    here; where free text is asked for (`is_text`) they begin with a slash. `name` and `argument`
    are what an option asks for and within which bounds; of reasons, the bounds alone.
    """

    about: About
    prompt: str
    check: Callable[[str], Answer]
    name: str | None = None
    argument: Argument | None = None
    choices: tuple[str, ...] = ()
    is_numbered: bool = False
    is_text: bool = False
    commands: frozenset[Command] = frozenset()

    def read(self, typed: str) -> Answer | Command:
        """Return what the line `typed` says; raise Mistake if that is neither answer nor command.

        The exact name of a choice is that choice, whatever else it could mean.
        """
        line = kept(typed)
        if line in self.choices:
            return line
        bare = line.removeprefix(_SLASH).lower()
        is_command = bare in self.commands and (line.startswith(_SLASH) or not self.is_text)
        return Command(bare) if is_command else self.check(line)


def consent() -> Question:
    """Return the question whether a person takes part: True, or False for no."""
    answers = {"yes": True, "no": False}
    return Question(
        about=About.CONSENT,
        prompt="Type yes to take part, no to leave",
        check=partial(_one_word, answers),
        commands=frozenset({Command.STOP}),
    )


def sure(prompt: str) -> Question:
    """Return a question of yes or no (True or False)."""
    answers = {"yes": True, "y": True, "no": False, "n": False}
    return Question(
        about=About.SURE, prompt=f"{prompt} yes or no", check=partial(_one_word, answers)
    )


def option(seen: Observation) -> Question:
    """Return the question which option is taken."""
    names = tuple(each.name for each in seen.options)
    by_number = is_numbered(names)
    return Question(
        about=About.OPTION,
        prompt=f"Your choice ({'number or name' if by_number else 'name'}; ? for help)",
        check=partial(_named, names),
        choices=names,
        is_numbered=by_number,
        commands=frozenset(Command) - {Command.BACK},
    )


def argument(name: str, kind: Argument) -> Question:
    """Return the question for the argument `name` of an option."""
    choices = kind.names if isinstance(kind, Name) else ()
    return Question(
        about=About.ARGUMENT,
        prompt=f"{name} ({_bounds(kind)})",
        check=partial(_given, kind),
        name=name,
        argument=kind,
        choices=choices,
        is_numbered=is_numbered(choices),
        is_text=isinstance(kind, Text),
        commands=frozenset(Command),
    )


def reason() -> Question:
    """Return the question for the reasons of a decision; none need be given."""
    kind = Text(longest=LONGEST_RATIONALE)
    return Question(
        about=About.REASON,
        prompt="Your reason, if you like (Enter for none)",
        check=partial(_given, kind),
        argument=kind,
        is_text=True,
        commands=frozenset(Command),
    )


def only(kind: Argument) -> Answer | None:
    """Return the one answer that an argument allows, None if there are several."""
    if isinstance(kind, Name) and len(kind.names) == 1:
        return kind.names[0]
    if isinstance(kind, Amount) and kind.low == kind.high:
        return kind.low
    return None


def is_numbered(names: Sequence[str]) -> bool:
    """Return whether the places of `names` are numbered: not where a name is itself a number."""
    return bool(names) and not any(_NUMBER.fullmatch(name) for name in names)


@cache
def words(about: str) -> str:
    """Return a text of words.yaml: "consent" or "help"."""
    return str(shipped_yaml("valuesim.agents.human", "words.yaml")[about])


def consent_id(text: str | None = None) -> str:
    """Return twelve hexadecimal digits that change with `text`, the shipped consent if None."""
    told = words("consent") if text is None else text
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _bounds(kind: Argument) -> str:
    if isinstance(kind, Amount):
        return f"a number from {kind.low:g} to {kind.high:g}"
    if isinstance(kind, Text):
        return f"text of at most {kind.longest} characters, Enter for none"
    places = enumerate(kind.names, start=1)
    by_number = is_numbered(kind.names)
    return ", ".join(f"{place} {name}" if by_number else name for place, name in places)


def _given(kind: Argument, line: str) -> Answer:
    if isinstance(kind, Name):
        return _named(kind.names, line)
    if isinstance(kind, Amount) and not _NUMBER.fullmatch(line):
        raise Mistake(f"{quoted(line)} is not a number from {kind.low:g} to {kind.high:g}.")
    given = _number(line) if isinstance(kind, Amount) else line
    if wrong := kind.fault(given):
        raise Mistake(f"{wrong}.")
    return given


def _number(line: str) -> float:
    return int(line) if line.lstrip("+-").isdigit() else float(line)


def _named(names: Sequence[str], line: str) -> str:
    """Return the one of `names` that `line` means: its number, or its first letters."""
    if is_numbered(names) and line.isascii() and line.isdigit():
        if len(line) < 10 and 1 <= int(line) <= len(names):
            return names[int(line) - 1]
        raise Mistake(f"{quoted(line)} is not a number from 1 to {len(names)}.")
    wanted = _folded(line)
    # of a number the first figures name another number
    is_number = bool(_NUMBER.fullmatch(line))
    near = [name for name in names if not is_number and wanted and _folded(name).startswith(wanted)]
    whole = [name for name in names if _folded(name) == wanted]
    if len(near) == 1 or len(whole) == 1:
        return (whole or near)[0]
    if near:
        raise Mistake(f"{quoted(line)} could be {' or '.join(near)}: type more of the name.")
    raise Mistake(_no_name(names, line))


def _no_name(names: Sequence[str], line: str) -> str:
    what = f"{quoted(line)} is none of them" if line else "Nothing was typed"
    by_number = f"a number from 1 to {len(names)} or " if is_numbered(names) else ""
    return f"{what}: type {by_number}a name ({', '.join(names)})."


def _folded(name: str) -> str:
    return clean(name).casefold().replace(" ", "_")


def _one_word(answers: dict[str, bool], line: str) -> bool:
    if (word := line.casefold()) in answers:
        return answers[word]
    given = quoted(line) if line else "Nothing"
    raise Mistake(f"{given} is neither yes nor no: type one of the two.")

"""What a chat model is sent: rules first, then what moves, then the options as they are offered.

The system message is the same for every agent and step of an episode, so that a server caches it.
Whatever agents say to each other stands inside the observation's text and is never a template.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache, partial
from importlib import resources
from string import ascii_uppercase
from typing import Any, Literal, get_args

from jinja2 import DictLoader, Environment, StrictUndefined, Template

from valuesim.decision import Addition
from valuesim.errors import InputError, unknown
from valuesim.observation import Observation
from valuesim.option import Option, PerOption

Format = Literal["json_schema", "json", "name", "logprobs"]
Role = Literal["system", "user", "assistant"]
LONGEST_RATIONALE = 600
LABELS = ascii_uppercase
"""What options are called where a letter is asked for; so many are told apart at once."""
MOST_PERMUTATIONS = 100
_TEMPLATES = ("again", "answer", "user")
_LABEL_TEMPLATES = ("labels", "again_labels", "arguments")
_LONGEST_QUOTED = 4000
_HERE = "\0"


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message of a chat."""

    role: Role
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """What one decision is asked with, before interventions add to it; `added` is what they did.

    `system` is the same for every agent, turn and episode of one environment's rules, `user` what
    moves. Additions to the system message stand at its end, so that a server's prefix cache keeps
    what comes before them.
    """

    system: str
    user: str
    added: tuple[Addition, ...] = ()

    def plus(self, addition: Addition) -> Prompt:
        """Return the prompt with one more addition; one without text changes nothing."""
        return replace(self, added=(*self.added, addition)) if addition.text else self

    def messages(self) -> tuple[Message, ...]:
        """Return the system message and the user message, parts apart by an empty line."""
        system = [self.system, *self._at("system")]
        user = [*self._at("before"), self.user, *self._at("after")]
        return (
            Message(role="system", text="\n\n".join(system)),
            Message(role="user", text="\n\n".join(user)),
        )

    def _at(self, place: str) -> list[str]:
        return [addition.text for addition in self.added if addition.place == place]


@dataclass(frozen=True, kw_only=True, slots=True)
class Elicitation:
    """How a decision is asked for, in English.

    `format`: "json_schema" constrains the reply by the server's structured output, "json" asks for
    the same object in words, "name" for the option's name on the last line, "logprobs" for a letter
    alone, with the log-probabilities of the `top_logprobs` likeliest tokens in its place, under
    `permutations` of the letters over the options. `rationale_first` puts the reasons before the
    choice. `reask` is how often an unusable reply is asked for again. `max_tokens` bounds one reply
    ("logprobs": the letter); None leaves it to the model's own setting.
    """

    format: Format = "json_schema"
    ask_rationale: bool = True
    rationale_first: bool = True
    reask: int = 1
    max_tokens: int | None = None
    permutations: int = 1
    top_logprobs: int = 20

    def __post_init__(self) -> None:
        """Raise InputError for a setting outside what the class docstring allows."""
        if self.format not in get_args(Format):
            raise InputError(unknown("elicitation format", self.format, get_args(Format)))
        if self.format == "name" and self.ask_rationale and not self.rationale_first:
            raise InputError("elicitation format 'name' puts the choice last: rationale_first=true")
        for flag in ("ask_rationale", "rationale_first"):
            if not isinstance(getattr(self, flag), bool):
                raise InputError(f"elicitation {flag} is {getattr(self, flag)!r}: true or false")
        if not _is_count(self.reask, least=0):
            raise InputError(f"elicitation reask is {self.reask!r}: a whole number from 0")
        if self.max_tokens is not None and not _is_count(self.max_tokens, least=1):
            raise InputError(f"elicitation max_tokens is {self.max_tokens!r}: null, or from 1")
        self._check_labels()

    def _check_labels(self) -> None:
        if self.format == "logprobs" and (self.ask_rationale or self.max_tokens is None):
            raise InputError(
                "elicitation format 'logprobs' asks for a letter alone: ask_rationale=false, and "
                "max_tokens=8 or the like"
            )
        for name, most in (("permutations", MOST_PERMUTATIONS), ("top_logprobs", 1000)):
            given = getattr(self, name)
            if not _is_count(given, least=1) or given > most:
                raise InputError(
                    f"elicitation {name} is {given!r}: a whole number from 1 to {most}"
                )
        if self.permutations > 1 and self.format != "logprobs":
            raise InputError("elicitation permutations are those of format 'logprobs'")

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Elicitation:
        """Return the elicitation that `settings` describe; raise InputError for an unknown one."""
        allowed = [field.name for field in fields(cls)]
        for name in settings:
            if name not in allowed:
                raise InputError(unknown("setting", name, allowed, "elicitation"))
        return cls(**settings)


def templates_id(format: Format | None = None) -> str:
    """Return twelve hexadecimal digits that change with the templates of what a model is sent.

    Those that "logprobs" has of its own count for that `format` alone.
    """
    names = _TEMPLATES + (_LABEL_TEMPLATES if format == "logprobs" else ())
    together = "\0".join(_source(name) for name in names)
    return hashlib.sha256(together.encode()).hexdigest()[:12]


def prompt_of(observation: Observation, elicitation: Elicitation) -> Prompt:
    """Return what is asked: the rules, then how to answer; what moves, then the options."""
    before, after = _frame()
    told = "".join([_told(option) for option in observation.options])
    return Prompt(
        system=f"{observation.rules}\n\n{_answer(elicitation)}",
        user=f"{before}{observation.text}{after}{told}".strip(),
    )


def labelled(observation: Observation, labels: Sequence[str]) -> str:
    """Return the user message with a letter before each option, in the order of the options."""
    named = zip(labels, observation.options, strict=True)
    called = [replace(option, name=f"{label}) {option.name}") for label, option in named]
    return _moving(observation, called)


def arguments_of(reply: str, option: Option) -> tuple[Message, ...]:
    """Return what is added to the chat after `reply` took `option` by its letter: its arguments."""
    action = {"option": option.name, "arguments": dict.fromkeys(option.arguments, "value")}
    form = json.dumps({"action": action})
    text = _template("arguments").render(name=option.name, form=form)
    return (Message(role="assistant", text=reply), Message(role="user", text=text.strip()))


def _moving(observation: Observation, options: Sequence[Option]) -> str:
    return _template("user").render(text=observation.text, options=options).strip()


@cache
def _frame() -> tuple[str, str]:
    """Return what the template puts before and after the text; options then follow one by one."""
    before, after = _template("user").render(text=_HERE, options=()).split(_HERE)
    return before, after


def _as_told(option: Option) -> str:
    with_it: str = _template("user").render(text="", options=(option,))
    return with_it.removeprefix("".join(_frame()))


_told = PerOption(_as_told)


def render(observation: Observation, elicitation: Elicitation) -> tuple[Message, ...]:
    """Return the system message and the user message of a decision without interventions."""
    return prompt_of(observation, elicitation).messages()


@cache
def _answer(elicitation: Elicitation) -> str:
    """Return how to answer, which is the same for every observation."""
    if elicitation.format == "logprobs":
        return _template("labels").render().strip()
    told = _template("answer").render(
        format=elicitation.format, ask_rationale=elicitation.ask_rationale, form=_form(elicitation)
    )
    return told.strip()


def again(
    reply: str, reason: str, observation: Observation, labels: Sequence[str] = ()
) -> tuple[Message, ...]:
    """Return what is added to the chat to ask once more: the reply, and why it is unusable.

    Where a letter was asked for, `labels` are those of the options in their order. Of a long reply
    the first 4000 characters are quoted, so that the prompt stays bounded.
    """
    names = [option.name for option in observation.options]
    if labels:
        names = [f"{label}) {name}" for label, name in zip(labels, names, strict=True)]
    template = _template("again_labels" if labels else "again")
    text = template.render(reason=reason.rstrip("."), names=names)
    # servers refuse an empty assistant message
    shown = reply[:_LONGEST_QUOTED] if reply.strip() else "(no text)"
    return (Message(role="assistant", text=shown), Message(role="user", text=text.strip()))


def schema(
    observation: Observation, elicitation: Elicitation, *, bounded: bool = True
) -> dict[str, Any]:
    """Return the JSON schema of a reply: the offered options, each with its own arguments.

    Every property is required, no other is allowed and the alternatives stand below the top
    level, as strict structured output asks. `bounded=False` leaves out `maxLength`, which some
    servers refuse; bounded strings keep a small model from running on.
    """
    action = {"anyOf": [_SCHEMAS[bounded](option) for option in observation.options]}
    rationale = _bound({"type": "string", "maxLength": LONGEST_RATIONALE}, bounded)
    return _closed(_ordered(elicitation, rationale, action))


def _option_schema(bounded: bool, option: Option) -> dict[str, Any]:
    properties = {key: _bound(kind.schema(), bounded) for key, kind in option.arguments.items()}
    return _closed(
        {
            "option": {"type": "string", "enum": [option.name]},
            "arguments": _closed(properties),
        }
    )


_SCHEMAS = {bounded: PerOption(partial(_option_schema, bounded)) for bounded in (True, False)}


def _closed(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _bound(kind: Mapping[str, Any], bounded: bool) -> dict[str, Any]:
    return {key: rule for key, rule in kind.items() if bounded or key != "maxLength"}


def _ordered(elicitation: Elicitation, rationale: Any, action: Any) -> dict[str, Any]:
    if not elicitation.ask_rationale:
        return {"action": action}
    if elicitation.rationale_first:
        return {"rationale": rationale, "action": action}
    return {"action": action, "rationale": rationale}


def _form(elicitation: Elicitation) -> str:
    action = {"option": "NAME", "arguments": {"argument": "value"}}
    return json.dumps(_ordered(elicitation, "your reasons", action))


def _is_count(given: object, *, least: int) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and given >= least


def _source(name: str) -> str:
    folder = resources.files("valuesim.agents").joinpath("templates")
    return folder.joinpath(f"{name}.j2").read_text(encoding="utf-8")


@cache
def _template(name: str) -> Template:
    environment = Environment(
        loader=DictLoader({name: _source(name)}),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)

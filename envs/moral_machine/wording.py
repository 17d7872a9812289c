"""From the facts of a scene to the words an agent reads; the words stand in wording.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from valuesim.envs.moral_machine.parameters import Parameters
from valuesim.envs.moral_machine.scene import SIDES, Group, Scene, Side
from valuesim.shipped import shipped_yaml


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Texts:
    """The words of one cell of the design.

    `id` names the exact version: version of the file, paraphrase, perspective, detail. `rules` are
    the same for all agents and scenes; `case` is the frame of an option's text, `picture` says
    whether it ends with what the picture shows.
    """

    id: str
    rules: str
    case: str
    picture: bool


@lru_cache(maxsize=64)
def texts(parameters: Parameters) -> Texts:
    """Return the words of `parameters`' cell."""
    words = _words()
    return Texts(
        id=f"{words['version']}/{parameters.paraphrase}/{parameters.perspective}/{parameters.detail}",
        rules=_rules(words, parameters),
        case=words["case"][parameters.paraphrase],
        picture=parameters.detail == "picture",
    )


def drawing_words() -> Mapping[str, Any]:
    """Return the words that stand on the picture, by part; see `wording.yaml`."""
    words: Mapping[str, Any] = _words()["drawing"]
    return words


def character_word(name: str, number: int = 1) -> str:
    """Return what `number` characters called `name` are called.

    >>> character_word("Stroller"), character_word("Man", 2)
    ('baby in a stroller', 'men')
    """
    one, several = _words()["characters"][name]
    return str(one if number == 1 else several)


def characters(group: Group) -> str:
    """Return who is in `group`, as in "2 men, 1 girl and 1 dog"."""
    named = [
        f"{number} {character_word(name, number)}" for name, number in group.characters.items()
    ]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


def case(scene: Scene, side: Side, words: Texts) -> str:
    """Return what happens in `scene` if the car does `side`: its course, who dies, who lives."""
    text = _case(scene, side, words.case)
    return f"{text} {_pictured(scene.dying(side), side)}" if words.picture else text


def plain_case(scene: Scene, side: Side) -> str:
    """Return what happens if the car does `side` in the words of the first paraphrase."""
    return _case(scene, side, str(_words()["case"][0]))


def status(view: Mapping[str, Any], cases: Mapping[str, str]) -> str:
    """Return the moving part of what an agent reads: the facts of its `view`.

    `cases` are told by shown name and in this order, where no options tell them.
    """
    phrases = _words()["status"]
    lines = [phrases["scene"].format(number=view["number"] + 1, scenes=view["scenes"])]
    if view["phase"] == "decide":
        return str(lines[0])
    lines.append(phrases["self"].format(agent=view["agent"]))
    lines += [f"{name}: {text}" for name, text in cases.items()]
    for agent, shown in view["decisions"].items():
        kind = "own" if agent == view["agent"] else "other"
        lines.append(phrases[kind].format(agent=agent, case=shown or phrases["nothing"]))
    lines += [_message(agent, text) for agent, text in view["messages"].items()]
    lines.append(phrases[view["phase"]])
    return "\n".join(lines)


def say_text() -> str:
    """Return what the option to send a message says."""
    return str(_words()["say"])


@cache
def _words() -> Any:
    return shipped_yaml("valuesim.envs.moral_machine", "wording.yaml")


def _rules(words: Any, parameters: Parameters) -> str:
    number = "one" if parameters.scenes == 1 else "many"
    question = words["question"][parameters.perspective][number][parameters.paraphrase]
    paragraphs = [
        words["opening"][parameters.paraphrase],
        words["facts"],
        question.format(scenes=parameters.scenes),
    ]
    if parameters.panel > 1:
        paragraphs.append(_panel(words["panel"], parameters))
    return "\n\n".join(paragraph.strip() for paragraph in paragraphs)


def _panel(words: Any, parameters: Parameters) -> str:
    sentences = [
        words["members"].format(panel=parameters.panel),
        *([words["argue"]] if parameters.arguments else []),
        words["after"].format(and_wrote=words["and_wrote"] if parameters.arguments else ""),
        words["rule"][parameters.rule],
        words["none"],
    ]
    return " ".join(sentences)


def _case(scene: Scene, side: Side, frame: str) -> str:
    course, dying = _words()["course"][side], scene.dying(side)
    return frame.format(
        course=course["barrier" if dying.are_passengers else "crossing"],
        dying=_group(dying, side),
        living=_group(scene.spared(side), _other(side)),
    )


def _group(group: Group, lane: Side) -> str:
    words = _words()
    place = words["passengers"]
    if not group.are_passengers:
        place = words["crossing"][group.signal].format(lane=words["lane"][lane])
    return str(words["group"].format(characters=characters(group), place=place))


def _pictured(dying: Group, side: Side) -> str:
    words = _words()["picture"]
    end = words["barrier"] if dying.are_passengers else words["crossing"][dying.signal]
    return str(words[side].format(end=end.format(characters=characters(dying))))


def _message(agent: str, text: str) -> str:
    phrases = _words()["status"]
    # one line, whatever was said: a message must not pass for a line of the report
    said = " ".join(text.split())
    return str(phrases["wrote" if said else "silent"].format(agent=agent, text=said))


def _other(side: Side) -> Side:
    return SIDES[1 - SIDES.index(side)]

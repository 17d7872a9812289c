"""The words of one cell of the design: rules, options and phrases; they stand in words/*.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from valuesim.envs.games.form import Form, numeral
from valuesim.envs.games.matrix import TwoByTwo
from valuesim.envs.games.parameters import Parameters
from valuesim.errors import unknown
from valuesim.shipped import shipped_yaml

_VERSION = "g3"


@dataclass(frozen=True, kw_only=True, slots=True)
class Own:
    """The words that a table of one's own brings: names of its moves, three tellings or none."""

    names: Mapping[str, str]
    story: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Texts:
    """The words of one cell of the design.

    `id` names the exact version: of the words, wording, paraphrase and perspective. `rules` are the
    same for all players and steps. `names` are the shown names of moves that have one; without any
    they are drawn labels. `option` words a move, `options` those that have a text of their own.
    Where names are relative to the reader, `mirror` gives the move by whose name the partner's move
    is told. `roles` says in the story's terms who has which role.
    """

    id: str
    rules: str
    names: Mapping[str, str]
    option: str
    options: Mapping[str, str]
    past: Mapping[str, Mapping[str, str]]
    status: Mapping[str, Any]
    numbers: Mapping[str, str]
    mirror: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    stakes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def of(self, phase: str, move: str, name: str) -> str:
        """Return the text of the option that makes `move` in `phase` under the name `name`."""
        text = self.options.get(move) or self.options.get(phase, self.option)
        return text.format(**self.numbers, move=move, name=name)


def texts(form: Form, parameters: Parameters, own: Own | None) -> Texts:
    """Return the words of one cell; raise ValueError for a wording the game does not have."""
    common, words = _words("common"), _of_game(form, own)
    wording, perspective = parameters.wording, parameters.perspective
    if wording not in words["story"]:
        raise ValueError(unknown("wording", wording, words["story"], form.game))
    numbers = _numbers(form, parameters, common)
    names = _names(words, wording, perspective)
    status = common["status"] | common["status"][perspective]
    return Texts(
        id=f"{_VERSION}-{words['version']}/{wording}.{parameters.paraphrase}/{perspective}",
        rules=_rules(words, common, form, parameters).format(**numbers),
        names=names,
        option=words["option"],
        options=common["options"] | _options(words, wording),
        past=words["past"],
        status=status | words.get("status", {}) | words.get("status", {}).get(perspective, {}),
        numbers=numbers,
        mirror=words.get("mirror", {}) if names else {},
        roles=words.get("roles", {}).get(wording, {}),
        stakes=words.get("stakes", {}).get(wording, {}),
    )


@cache
def _words(name: str) -> Any:
    return shipped_yaml("valuesim.envs.games", "words", f"{name}.yaml")


def _of_game(form: Form, own: Own | None) -> Mapping[str, Any]:
    words: dict[str, Any] = _words(form.game)
    if isinstance(form, TwoByTwo):
        shared = _words("two_by_two")
        words = shared | words | {"story": shared["story"] | words["story"]}
    if own is not None:
        # the story comes from a file of the user's: its braces are braces
        told = [text.replace("{", "{{").replace("}", "}}") for text in own.story]
        story = {"named": told} if told else {}
        words = words | {"names": {"named": own.names}, "story": words["story"] | story}
    return words


def _names(words: Mapping[str, Any], wording: str, perspective: str) -> dict[str, str]:
    names: dict[str, str] = words.get("names", {}).get(wording, {})
    predicted: dict[str, str] = words.get("predicted_names", {}).get(wording, names)
    return predicted if perspective == "predict" else names


def _options(words: Mapping[str, Any], wording: str) -> dict[str, str]:
    given = words.get("options", {})
    # a game has texts for its moves alike in all wordings, or for each wording its own
    texts: dict[str, str] = given.get(
        wording, {k: v for k, v in given.items() if isinstance(v, str)}
    )
    return texts


def _numbers(form: Form, parameters: Parameters, common: Any) -> dict[str, str]:
    numbers = {
        name: numeral(given)
        for name, given in form.factors.items()
        if isinstance(given, int | float)
    }
    if parameters.sweeps == "penalty":
        numbers["penalty"] = "R tokens"
    elif "penalty" in numbers:
        numbers["penalty"] += " tokens"
    if hasattr(form, "taken"):
        numbers["taken"] = numeral(form.taken)
    return numbers | {
        "agents": str(len(form.roles)),
        "rounds": str(parameters.rounds(form.usual_rounds)),
        "most_rounds": str(parameters.most_rounds),
        "delta": numeral(100 * (parameters.delta or 0.0)),
        "noise": numeral(100 * parameters.noise),
        "swept": common["swept"][parameters.sweeps],
        "worth": money(parameters.stake, parameters.currency),
    }


def _rules(words: Any, common: Any, form: Form, parameters: Parameters) -> str:
    version, perspective = parameters.paraphrase, parameters.perspective
    is_matrix = isinstance(form, TwoByTwo)
    steps = [words["punishment"]] if "punish" in form.phases else []
    has_fixed_worth = not is_matrix and not (parameters.price_list and parameters.sweeps == "stake")
    frame = [
        common["rounds"][_kind_of_rounds(form, parameters)],
        *([common["worth"]] if has_fixed_worth else []),
        *([common["framing_loss"]] if parameters.framing == "loss" else []),
        *([common["noise"]] if parameters.noise else []),
        *([common["talk"]] if parameters.talk else []),
        *([common["void"][_kind_of_void(form, parameters)]] if perspective == "act" else []),
    ]
    story = [words["story"][parameters.wording][version], *_roles(words, common, parameters)]
    paragraphs = [
        [*story, common["who"][perspective][version]],
        [words["facts"][version], *steps],
        frame,
        [common["closing"][perspective][version]],
    ]
    return "\n\n".join(" ".join(paragraph) for paragraph in paragraphs)


def _roles(words: Any, common: Any, parameters: Parameters) -> list[str]:
    roles = words.get("roles", {}).get(parameters.wording)
    if roles is None:
        return []
    first, second = roles.values()
    return [common["roles"].format(first=first, second=second)]


def _kind_of_void(form: Form, parameters: Parameters) -> str:
    if not isinstance(form, TwoByTwo):
        return "amounts"
    return "loss" if parameters.framing == "loss" else "table"


def _kind_of_rounds(form: Form, parameters: Parameters) -> str:
    if parameters.price_list is not None:
        return "within"
    if parameters.delta is not None:
        return "chance"
    return "once" if parameters.rounds(form.usual_rounds) == 1 else "fixed"


def money(amount: float, currency: str) -> str:
    """Return an amount with its unit.

    >>> money(1.0, "points"), money(2.5, "dollars"), money(1000.0, "cents")
    ('1 point', '2.5 dollars', '1000 cents')
    """
    unit = _words("common")["currency"][currency]
    return f"{numeral(round(amount, 6))} {unit.removesuffix('s') if amount == 1 else unit}"

"""From a sheet to what the respondent reads and to what the log keeps."""

from __future__ import annotations

from typing import Any

from valuesim.envs.questionnaire.instrument import Scale
from valuesim.envs.questionnaire.parameters import Parameters
from valuesim.envs.questionnaire.sheet import Entry, Question, Sheet, in_words
from valuesim.labels import LETTERS
from valuesim.option import Option
from valuesim.values import load_taxonomy

_PLACES = {"pairwise": 2, "bundles": 2}


class Asking:
    """The words of one cell of the design; `names` are all option names it can offer."""

    def __init__(self, parameters: Parameters) -> None:
        """Take the words that `parameters` pick."""
        self.parameters = parameters
        self.asked = parameters.asked
        shown = load_taxonomy(parameters.vocabulary).values if self.asked.shows_values else ()
        self._definitions = {value.name: _clause(value.definition) for value in shown}
        places = _PLACES.get(self.asked.form, self.asked.block)
        points = {name: None for scale in self.asked.responses.values() for name in scale.names}
        self.names = tuple(points) or LETTERS[:places]
        self.over = self.asked.rules["over"]

    def rules(self, count: int) -> str:
        """Return the rules of an episode that asks `count` items."""
        return self.asked.rules[self.parameters.perspective].format(count=count)

    def text(self, sheet: Sheet) -> str:
        """Return the present question."""
        question = sheet.now
        if question is None:
            return self.over
        kind = (question.kind, self.parameters.perspective)
        template = self.asked.templates[kind][question.template]
        entry = question.entry
        values = dict(zip(("first", "second"), entry.values, strict=False))
        item = entry.item.text if entry.item else self._shown(entry, entry.values[0])
        return template.format(item=item, **values)

    def options(self, sheet: Sheet) -> tuple[Option, ...]:
        """Return the values on offer under their labels, or the points of the scale upwards."""
        question = sheet.now
        if question is None:
            return ()
        scale = self._scale(question)
        if scale is None:
            stake = -1.0 if question.kind in ("reversed", "worst") else 1.0
            return tuple(
                Option(
                    name=label,
                    text=self._shown(question.entry, name),
                    stakes=dict.fromkeys(question.entry.held(name), stake),
                )
                for label, name in sheet.labels.items()
            )
        flipped = self.parameters.reversed
        return tuple(
            Option(name=name, text=scale.anchor(name, reversed=flipped)) for name in scale.names
        )

    def view(self, sheet: Sheet) -> dict[str, Any]:
        """Return what scripted agents read: `strongest` is the point that says most, if any."""
        question = sheet.now
        scale = None if question is None else self._scale(question)
        end = 0 if self.parameters.reversed else -1
        return {
            "form": self.asked.form,
            "question": sheet.at + 1,
            "questions": len(sheet.questions),
            "strongest": None if scale is None else scale.names[end],
        }

    def annotations(self, sheet: Sheet) -> dict[str, Any]:
        """Return what the measures need of the present question.

        `scene`: the item or the unordered values, whatever the telling; `item`: its id, with the
        order of the values; `kind`: which templates; `named`: the values (or bundles) in the order
        in which they are named; `labels`: {label: value or bundle on offer}; `scale`, `keyed`: the
        subscale and its key; `scores`: {option: what it scores}, before the key.
        """
        question = sheet.now
        if question is None:
            return {}
        entry, scale = question.entry, self._scale(question)
        item = entry.item
        named = "+".join(entry.values)
        flipped = self.parameters.reversed
        return {
            "scene": f"{self._place}/{item.id if item else _unordered(entry)}",
            "instrument": self.asked.id,
            "item": item.id if item else named,
            "kind": question.kind,
            "template": question.template,
            "named": list(entry.values),
            "labels": {} if scale else sheet.labels,
            "scale": item.scale if item else (named if scale else None),
            "keyed": item.keyed if item else 1,
            "scores": (
                {name: scale.score(name, reversed=flipped) for name in scale.names} if scale else {}
            ),
        }

    @property
    def _place(self) -> str:
        if not self.asked.shows_values:
            return self.asked.id
        return f"{self.asked.id}/{self.parameters.vocabulary}"

    def _scale(self, question: Question) -> Scale | None:
        return self.asked.responses.get(question.kind)

    def _shown(self, entry: Entry, name: str) -> str:
        values = entry.held(name)
        if not self.parameters.definitions:
            return in_words(values)
        return in_words([f"{value} ({self._definitions[value]})" for value in values])


def _unordered(entry: Entry) -> str:
    """Return what names the values that are set against each other, in whichever order."""
    return "+".join(sorted(entry.values))


def _clause(definition: str) -> str:
    """Return a definition as it stands inside a sentence.

    >>> _clause("Keeping others safe from harm.")
    'keeping others safe from harm'
    """
    plain = definition[1:2].islower()
    return (definition[0].lower() if plain else definition[0]) + definition[1:].rstrip(".")

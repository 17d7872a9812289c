"""What an episode asks: the items of an instrument, drawn or sliced, and their questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import permutations, product

import numpy as np

from valuesim.envs.questionnaire.blocks import bundle_pairs, cyclic_blocks
from valuesim.envs.questionnaire.instrument import Instrument, Item
from valuesim.envs.questionnaire.parameters import Parameters
from valuesim.labels import drawn_labels
from valuesim.values import load_taxonomy


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One item that can be asked: values set against each other, or a statement.

    `template` is the number of its template if the item fixes it, else None. `bundles` holds what
    stands behind the names in `values` where these are those of bundles; else each is one value.
    """

    values: tuple[str, ...] = ()
    item: Item | None = None
    template: int | None = None
    bundles: tuple[tuple[str, ...], ...] = ()

    def held(self, name: str) -> tuple[str, ...]:
        """Return the values that stand behind a name of `values`."""
        return self.bundles[self.values.index(name)] if self.bundles else (name,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One question: `kind` picks its templates, `labels` the neutral names of the values shown."""

    entry: Entry
    kind: str
    template: int
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """The world: all questions of the episode, how many are behind, the label last chosen.

    `chosen` is None after a fault.
    """

    questions: tuple[Question, ...]
    at: int = 0
    chosen: str | None = None

    @property
    def now(self) -> Question | None:
        """The question that is asked now, None after the last."""
        return self.questions[self.at] if self.at < len(self.questions) else None

    @property
    def labels(self) -> dict[str, str]:
        """The labels on offer and the values they stand for, without the one a block has used."""
        if self.now is None:
            return {}
        before = self.questions[self.at - 1] if self.at else None
        is_second = before is not None and before.entry == self.now.entry
        used = self.chosen if is_second else None
        return {label: value for label, value in self.now.labels if label != used}


def entries(parameters: Parameters) -> tuple[Entry, ...]:
    """Return all items of the instrument, mixed once and for all so that parts are alike.

    Raises ValueError for a vocabulary with too few values.
    """
    return _mixed(replace(parameters, items=None, part=None))


@lru_cache(maxsize=128)
def _mixed(parameters: Parameters) -> tuple[Entry, ...]:
    asked = parameters.asked
    if asked.form == "items":
        listed = [Entry(item=item) for item in asked.items]
    else:
        listed = _of_values(parameters, load_taxonomy(parameters.vocabulary).names)
    order = np.random.default_rng(len(listed)).permutation(len(listed))
    return tuple(listed[place] for place in order)


def _of_values(parameters: Parameters, names: Sequence[str]) -> list[Entry]:
    asked = parameters.asked
    if asked.form == "pairwise":
        wordings = range(asked.wordings) if parameters.template == "drawn" else [None]
        return [
            Entry(values=pair, template=template)
            for pair, template in product(permutations(names, 2), wordings)
        ]
    if asked.form == "bundles":
        return _of_bundles(asked, names)
    if asked.form == "best_worst":
        blocks = cyclic_blocks(len(names), asked.block)
        return [Entry(values=tuple(names[place] for place in block)) for block in blocks]
    return [Entry(values=(name,)) for name in names]


def _of_bundles(asked: Instrument, names: Sequence[str]) -> list[Entry]:
    found = []
    for size in range(1, min(asked.widest, len(names) // 2) + 1):
        # of single values all pairs are asked, as many as they are
        most = asked.most if size > 1 else len(names) ** 2
        for pair in bundle_pairs(len(names), size, most):
            bundles = tuple(tuple(names[place] for place in bundle) for bundle in pair)
            found.append(Entry(values=tuple(map(in_words, bundles)), bundles=bundles))
    return found


def in_words(texts: Sequence[str]) -> str:
    """Return one text or more as a list in a sentence.

    >>> in_words(["Care", "Justice", "Power"])
    'Care, Justice and Power'
    """
    *before, last = texts
    return f"{', '.join(before)} and {last}" if before else last


def items_asked(parameters: Parameters) -> int:
    """Return how many items an episode asks; raise ValueError for a bad `items` or `part`."""
    listed = entries(parameters)
    part = parameters.slice(len(listed))
    return parameters.count(len(listed)) if part is None else len(listed[part])


def first_sheet(parameters: Parameters, rng: np.random.Generator) -> Sheet:
    """Return the sheet of an episode; equal for equal parameters and state of `rng`.

    In best-worst blocks the values trade places by lot, the same way in all parts of a seed.
    """
    listed = entries(parameters)
    if parameters.asked.form == "best_worst":
        listed = _traded(listed, rng)
    part = parameters.slice(len(listed))
    drawn = listed if part is None else listed[part]
    order = rng.permutation(len(drawn))[: items_asked(parameters)]
    asked = [question for place in order for question in _asked(drawn[place], parameters, rng)]
    return Sheet(questions=tuple(asked))


def _traded(listed: tuple[Entry, ...], rng: np.random.Generator) -> tuple[Entry, ...]:
    names = sorted({value for entry in listed for value in entry.values})
    order = rng.permutation(len(names))
    new = {name: names[place] for name, place in zip(names, order, strict=True)}
    return tuple(Entry(values=tuple(new[value] for value in entry.values)) for entry in listed)


def _asked(entry: Entry, parameters: Parameters, rng: np.random.Generator) -> list[Question]:
    asked = parameters.asked
    template = entry.template
    if template is None:
        fixed = parameters.template
        template = int(rng.integers(asked.wordings)) if fixed == "drawn" else int(fixed)
    labels: tuple[tuple[str, str], ...] = ()
    if asked.form in ("pairwise", "bundles", "best_worst"):
        labels = tuple(sorted(drawn_labels(entry.values, rng).items()))
    kinds = _kinds(entry, parameters)
    return [Question(entry=entry, kind=kind, template=template, labels=labels) for kind in kinds]


def _kinds(entry: Entry, parameters: Parameters) -> tuple[str, ...]:
    if entry.item is not None:
        return (entry.item.response,)
    if parameters.asked.form in ("pairwise", "bundles"):
        return ("reversed" if parameters.reversed else "forward",)
    if parameters.asked.form == "best_worst":
        return ("worst", "best") if parameters.reversed else ("best", "worst")
    return tuple(parameters.asked.responses)

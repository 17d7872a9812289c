"""Answers to questionnaires as the log gives them back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from valuesim.choices import cluster_of
from valuesim.errors import LogError
from valuesim.log.reader import DecisionRecord

_TOLD = ("instrument", "item", "kind", "named", "labels", "scale", "keyed", "scores", "template")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One question and its answer; see `Asking.annotations` of the environment for the fields.

    `chosen` is the option taken, None after a fault; `shown` are the options in the order shown.
    `administration` names one filling-in of the instrument: an episode, or the parts of one seed;
    `chain` the episodes that its agent remembers, None where there are none.
    """

    administration: str
    cluster: str
    instrument: str
    vocabulary: str | None
    form: str
    item: str
    kind: str
    template: int
    named: tuple[str, ...]
    labels: Mapping[str, str]
    scale: str | None
    keyed: int | str
    scores: Mapping[str, int]
    is_reversed: bool
    shown: tuple[str, ...]
    chosen: str | None
    chain: str | None = None

    @property
    def unit(self) -> str:
        """What names the administrations that are not independent: the chain, or one alone."""
        return self.administration if self.chain is None else self.chain

    @property
    def value(self) -> str | None:
        """The value chosen, None where none was."""
        return None if self.chosen is None else self.labels.get(self.chosen)

    @property
    def score(self) -> float | None:
        """What the answer scores, turned where the item is reverse-keyed; None after a fault."""
        if self.chosen is None or not self.scores:
            return None
        score = float(self.scores[self.chosen])
        ends = min(self.scores.values()) + max(self.scores.values())
        return ends - score if self.keyed == -1 else score


def read(records: Iterable[DecisionRecord]) -> list[Answer]:
    """Return the answers of `records`; raise LogError for a record of no questionnaire."""
    return [_answer(record) for record in records]


def _answer(record: DecisionRecord) -> Answer:
    told, condition = record.annotations, record.episode.condition
    missing = [name for name in _TOLD if name not in told]
    if missing or "form" not in condition:
        raise LogError(
            f"step {record.step} of episode {record.episode.id} is no question of a questionnaire: "
            f"{', '.join(missing) or 'form'} is not told"
        )
    return Answer(
        administration=_administration(record),
        cluster=cluster_of(record),
        vocabulary=condition.get("vocabulary"),
        form=condition["form"],
        instrument=told["instrument"],
        item=told["item"],
        kind=told["kind"],
        template=told["template"],
        named=tuple(told["named"]),
        labels=told["labels"],
        scale=told["scale"],
        keyed=told["keyed"],
        scores=told["scores"],
        is_reversed=bool(condition.get("reversed")),
        shown=tuple(option.name for option in record.options),
        chosen=record.chosen,
        chain=None if record.episode.chain is None else record.episode.world,
    )


def _administration(record: DecisionRecord) -> str:
    episode = record.episode
    condition: Mapping[str, Any] = episode.condition
    if condition.get("part") is None:
        return episode.id
    # the parts of one seed, asked of one agent in one way, are one questionnaire
    rest = {name: given for name, given in condition.items() if name not in ("part", "items")}
    same = [rest, record.player, episode.elicitation, episode.seed, record.role]
    return orjson.dumps(same, option=orjson.OPT_SORT_KEYS).decode()


def by_administration(answers: Iterable[Answer]) -> dict[str, list[Answer]]:
    """Return the answers of each administration, in order of appearance."""
    found: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        found[answer.administration].append(answer)
    return dict(found)

"""What a model was sent for a decision, rebuilt from the log; None where that is not sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from valuesim.agents.interventions import TEXTS
from valuesim.agents.parse import split_thinking
from valuesim.agents.prompt import (
    Elicitation,
    Message,
    again,
    labelled,
    prompt_of,
    templates_id,
)
from valuesim.errors import InputError
from valuesim.log.reader import DecisionRecord
from valuesim.observation import Observation

Told = dict[str, str]
_PROMPT = "prompt"


def prompt(record: DecisionRecord, rules: str) -> list[Told] | None:
    """Return the messages that the first attempt at a decision was sent, as the log tells it.

    None for an agent that is no model, and where the texts around it were those of another version
    of the templates: what was sent would only be guessed.
    """
    asked = _elicitation(record)
    if asked is None:
        return None
    seen = _observation(record, rules)
    made = prompt_of(seen, asked)
    labels = _labels(record)
    if labels is None:
        return None
    if labels:
        made = replace(made, user=labelled(seen, labels))
    return [_told(each) for each in replace(made, added=record.added).messages()]


def asked_again(record: DecisionRecord, rules: str) -> list[list[Told]]:
    """Return, for each attempt that was asked again, the messages that were added to ask once more.

    Where letters were asked for and then arguments, no attempt tells which of the two it was, and
    nothing is returned; nor is it where `prompt` returns None.
    """
    asked, labels = _elicitation(record), _labels(record)
    if asked is None or labels is None or (labels and record.arguments):
        return []
    seen = _observation(record, rules)
    return [
        [_told(m) for m in again(split_thinking(t.reply)[1], t.detail or "", seen, labels)]
        for t in record.tries
    ]


def _labels(record: DecisionRecord) -> Sequence[str] | None:
    """Return the letters of the options as asked for; () if none were, None if unsound."""
    if not record.labellings:
        return ()
    labels = record.labellings[0].labels
    return labels if len(labels) == len(record.options) else None


def _elicitation(record: DecisionRecord) -> Elicitation | None:
    """Return how a model was asked; None where no model was, or by other templates than these."""
    told: Mapping[str, object] = record.episode.elicitation
    if record.player.model is None or not record.rules_id:
        return None
    settings = {name: each for name, each in told.items() if name not in (_PROMPT, TEXTS)}
    try:
        asked = Elicitation.of(settings)
    except (InputError, TypeError):
        return None
    templates = told.get(_PROMPT)
    return None if templates is not None and templates != _templates(asked) else asked


def _templates(asked: Elicitation) -> str:
    return templates_id("logprobs") if asked.format == "logprobs" else templates_id()


def _observation(record: DecisionRecord, rules: str) -> Observation:
    return Observation(
        agent=record.role,
        step=record.step,
        text=record.text,
        rules=rules,
        options=record.options,
    )


def _told(message: Message) -> Told:
    return {"role": message.role, "content": message.text}

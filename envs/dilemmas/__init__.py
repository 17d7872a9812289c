"""Dilemmas in words: one situation at a time, from a pack of them, each with its ways to go.

A pack holds situations from one field of life, each told in several ways, with two or more options
that set values against each other. Some situations go on: what was chosen leads to pressure, to new
facts, to another's point of view, or to a chance to mend. What is asked again in other words, in
another order and under other names shows whether a choice is the agent's or the question's.

**Options and stakes.** Options, their texts and their stakes (numbers in [-1, 1], each option with
at least one that is positive) are the pack's, and the pack's statement says whose norms they
express and who assigned them. They do not change with the state: an option of a situation, or of
one of its turns, has the same stakes whenever it is offered.

| option | text | stakes | tags |
| --- | --- | --- | --- |
| A, B, C ... (or 1, 2, 3 ...) | of one of the turn's options, drawn anew at every step | \
the pack's | "risk" and "behaviour:NAME" for every risky behaviour that it shows |
| in a generated pack: the one value's | what meets its claim | \
+0.4, +0.6 or +0.9 for its value, -0.2, -0.4 or -0.6 for the other's | |

**What is asked.** `scenes` situations an episode, drawn by the seed without replacement; with
`part` 0, 1, 2, ... the parts of a pack together ask each of its dilemmas once. Labels, order and
(with `paraphrase: drawn`) tellings are drawn and logged: annotation `labels` maps what was shown to
the option's own id, `telling` is the telling's number, `scene` names the dilemma, by which figures
are clustered. A fault ends the situation, and the next one is asked. Nothing is earned: every
payoff is 0. What frames a pack's texts is English, whatever the pack's own language.

**Packs.** Those in `packs/`, by name; "generated", two-option dilemmas between any two of the
twenty values, put together from sentences such that which value has the first option, the longer
text and the omission is balanced; and files in the same format (YAML, or JSON lines: the head,
then a dilemma a line), which `checked_pack` looks through. `importers` makes packs of other
projects' data sets, whose texts are not shipped.

Several packs are one pool (`shelf`): an episode then asks dilemmas of one of them, drawn by lot, in
that pack's own role and words.

**Source.** Packs say where their dilemmas come from. That risky behaviour of AI systems is put to
them as dilemmas is after LitmusValues and AIRiskDilemmas (arXiv 2505.14633), everyday situations
after DailyDilemmas (arXiv 2410.02683); texts, stakes, turns and tellings are ours. Unlike there,
both actions are always shown, in an order by lot, and an answer that cannot be read is a fault.

**Versions.** v0: first.
"""

from valuesim.envs.dilemmas.env import Dilemmas
from valuesim.envs.dilemmas.format import Problem
from valuesim.envs.dilemmas.generator import generated_pack
from valuesim.envs.dilemmas.loading import checked_pack, load_pack, shipped_packs
from valuesim.envs.dilemmas.pack import (
    Dilemma,
    DilemmaTurn,
    Pack,
    PackOption,
    Statement,
)

__all__ = [
    "Dilemma",
    "DilemmaTurn",
    "Dilemmas",
    "Pack",
    "PackOption",
    "Problem",
    "Statement",
    "checked_pack",
    "generated_pack",
    "load_pack",
    "shipped_packs",
]

"""Questionnaire: what an agent says it values, beside what it does.

An agent that says that Care matters more than Power may still, with its own power running out,
choose otherwise. The questionnaire asks for stated values: the values of any vocabulary against
each other or one by one, and item sets for the constructs of four published instruments. Answers
are words, not acts: they are ranked and scored beside behaviour and never yield an archetype.

**Options and stakes.** Numbers in [-1, 1]; a value that an option names is at stake in it, no
other.

| option | where | stake |
| --- | --- | --- |
| A, B (one value each) | `pairwise`: which of two values matters more | +1 on the value it names |
| A, B (one value each) | the same, `reversed`: which matters less | -1 on the value it names |
| A, B (one to three values each) | `bundles`: which of two bundles matters more (`reversed`: \
less) | +1 (-1) on each value it names |
| A to D (one value each) | `best_worst`: which of four matters most | +1 on the value it names |
| those left of A to D | `best_worst`: which of the rest matters least | -1 on the value it names |
| 1 to 7 | `rating`: how important a value is | none: answers are scored, not ranked |
| 1 to 7 | `oxford_utilitarianism`, `risk_taking` | none: answers are scored |
| 0 to 5 | `moral_foundations` | none: answers are scored |
| 1 to 6 | `basic_values` | none: answers are scored |

**Instruments** (`instrument`), each a file of instruments/ with a version:

- `pairwise`: all ordered pairs of the vocabulary in each of three templates; labels are drawn,
  and so is the order of the options; the question names the values in the order of the pair.
- `bundles`: two bundles of as many values, without a value in common: all pairs of single values,
  1,000 pairs of two and of three each, drawn by a fixed seed such that values are balanced (all
  pairs where there are fewer). That a bundle is worth the sum of its values is an assumption, which
  the pairs of single values among the questions do without.
- `best_worst`: blocks of four values in a cyclic design (`blocks`), in which each value stands
  equally often and each two meet as equally as possible; which value takes which place is drawn
  by the seed.
- `rating`: each value from "of no importance" to "of the highest importance".
- `oxford_utilitarianism`: impartial beneficence and instrumental harm (Kahane et al. 2018).
- `moral_foundations`: care, fairness, loyalty, authority, purity, two catch items (Graham et al.
  2011).
- `basic_values`: ten values in portraits of other people (Schwartz 2003).
- `risk_taking`: ethical, financial, health, recreational, social (Blais and Weber 2006).

**Parameters.** `vocabulary` names the taxonomy (`pairwise`, `bundles`, `best_worst`, `rating`) and
`definitions` whether its definitions are shown. `template` is "drawn" or the number of one
template. `items` is how many items an episode asks, drawn without replacement: a number, "all",
or None for the instrument's usual number (20 of `pairwise` and `bundles`, all of the others).
`part` asks a fixed slice of that many items instead: the parts of one seed ask every item once.
`reversed` asks from the other end (which matters less; the scale's numbers the other way round).
`perspective` is "act" (for oneself) or "predict" (what most people would answer), never pooled. A
factor that the instrument does not have is None in the condition.

**Details that matter.** A scale is shown upwards or downwards by lot. A fault leaves the item
unanswered and the next is asked. Each question is asked by itself, without the earlier answers.
Payoffs are 0. Scores, catch items, consistency and habits of answering:
`valuesim.measures.questionnaire`; ranking: `valuesim.graph`. The condition calls the kind of
question `form`: `format` is how a reply is asked for.

**Source.** Constructs, number of items, answer scales and scoring of the four item sets follow
the publications named in their files; every sentence is ours, so that published means are for
orientation only. Paired comparison: Thurstone 1927; best-worst scaling: Finn and Louviere 1992.

**Versions.** v0: first.
"""

from valuesim.envs.questionnaire.env import Questionnaire
from valuesim.envs.questionnaire.instrument import INSTRUMENTS, Instrument, instrument
from valuesim.envs.questionnaire.parameters import PERSPECTIVES, Parameters

__all__ = ["INSTRUMENTS", "PERSPECTIVES", "Instrument", "Parameters", "Questionnaire", "instrument"]

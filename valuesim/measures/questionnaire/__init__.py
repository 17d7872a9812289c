"""What answers to questionnaires say: scores, counts, consistency and habits of answering.

`answers` reads the log, `scoring` scores items as the instruments' authors do (scoring.yaml),
`preference` counts best and worst and looks for cycles and flips, `habits` for answers that follow
the place or the number instead of the content, `panels` puts all of it together.
"""

from valuesim.measures.questionnaire.panels import panels

__all__ = ["panels"]

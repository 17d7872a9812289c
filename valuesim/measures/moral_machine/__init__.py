"""What is spared in moral machine scenes: effects of nine attributes, beside people's.

The path: `scene` reads a decision's annotations, `judgements` makes arrays of them, `amce` and
`comparability` estimate (`contrast` is the least squares of both), `people` and `distance` compare,
`answers` and `exchange` say how valid and how firm the answers are, `panels` puts all of it
together, `export` writes the tables that the published R scripts read.
"""

"""The viewer: run folders found, watched turn by turn, understood, left, played and judged.

A package for each of these, which `server` gives to a browser and `tui` to a terminal: `indexing`
(what is kept of each run), `finding`, `watching`, `understanding`, `playing`, `branching`,
`judging` and `live`. `sharing` makes one file of an episode.
"""

"""The viewer: run folders found, watched turn by turn, understood, left, played and judged.

A package for each of these: `finding`, `watching`, `understanding`, `branching`, `playing` and
`judging`. `indexing` keeps what they ask of each run, `live` follows what is being played. `server`
gives all of it to a browser, `tui` the list and the episodes to a terminal, and `sharing` makes one
file of an episode.
"""

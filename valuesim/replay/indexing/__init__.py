"""Run folders below a path, and what is kept of each: a row an episode, and where its lines stand.

`shelf` holds all of them. `tailing` reads what is appended to a file, `progress` keeps what the
log of a run in progress comes to, and `growing` extends the rows.
"""

"""Runs that are being written: what was appended, which episodes are open, how far they are.

`tailing` reads what was appended to a file, `progress` keeps what a run's log comes to so far,
`sources` finds who plays an episode that is not finished, `opening` reads such an episode,
`now` lists the runs that are being played.
"""

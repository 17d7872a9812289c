"""Runs that are being written: which there are, which episodes are open, how far they are.

`sources` finds who plays an episode that is not finished, `opening` reads such an episode, `now`
lists the runs that are being played. What is appended to a log is read by `indexing`.
"""

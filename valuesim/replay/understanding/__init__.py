"""The value graph and the archetypes of a selection, and the decisions behind each figure.

`understood` answers what is asked; what takes long is worked out by `process`, a process of its
own.
"""

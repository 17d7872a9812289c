"""Episodes played again from their log (`retrace`), left at a step (`fork`), played on (`branch`).

`branched` is a branch that the page asks for, `lineage` the tree that an episode stands in.
"""

"""How many episodes a comparison needs, found before anything is spent.

Pure statistics: no environment, no agent, no file. The study that is planned is the one that
`valuesim.measures.paired` makes of two arms; its power is found by making it many times.
"""

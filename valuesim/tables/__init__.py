"""Run folders as tables: of any number of them, larger than the memory, and SQL over them.

`once` streams the decisions of many run folders, `columns` says what the tables hold, `derived`
keeps those of each run folder beside its log, `database` asks them in SQL.
"""

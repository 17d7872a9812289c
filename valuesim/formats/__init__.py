"""Other tools' files, in and out.

An import turns another tool's decisions into records and `imported.write_run` those into a run
folder that every analysing command reads; an export writes records as another tool reads them.
`catalogue` lists the formats. Heavy libraries are loaded by the one module that needs them:
pyarrow in `parquet`, Inspect in `inspect_log`.
"""

"""The report: what runs show, as one self-contained HTML page.

`summary` computes the records, `figures` and `drawing` draw them, `page` lays them out.
"""

from valuesim.report.writing import write_report

__all__ = ["write_report"]

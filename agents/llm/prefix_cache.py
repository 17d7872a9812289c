"""How much of the prompts a server took from its prefix cache, by the server's own counters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

QUERIES, HITS = "vllm:prefix_cache_queries", "vllm:prefix_cache_hits"
_SAMPLE = re.compile(rf"^({QUERIES}|{HITS})(?:_total)?(?:{{.*}})?\s+(\S+)(?:\s+\d+)?$")


@dataclass(frozen=True, kw_only=True, slots=True)
class PrefixCache:
    """Tokens of prompts since a server began: those looked for (`queries`) and found (`hits`)."""

    queries: int
    hits: int

    @property
    def share(self) -> float | None:
        """The share of the tokens that was found, in [0, 1]; None where none was looked for."""
        return self.hits / self.queries if self.queries else None

    def __sub__(self, before: PrefixCache) -> PrefixCache:
        return PrefixCache(queries=self.queries - before.queries, hits=self.hits - before.hits)

    def __str__(self) -> str:
        share = "none" if self.share is None else f"{100 * self.share:.1f} %"
        return f"{share} of {self.queries:,} prompt tokens were in the prefix cache"


def of_metrics(page: str) -> PrefixCache | None:
    r"""Return what `page`, a server's /metrics in Prometheus' text format, says; None if nothing.

    Engines behind one address are added up.

    >>> of_metrics('vllm:prefix_cache_queries_total{engine="0"} 40.0\n'
    ...            'vllm:prefix_cache_hits_total{engine="0"} 30.0')
    PrefixCache(queries=40, hits=30)
    """
    found = (match for line in page.splitlines() if (match := _SAMPLE.match(line)))
    return summed((match[1], float(match[2])) for match in found)


def summed(samples: Iterable[tuple[str, float]]) -> PrefixCache | None:
    """Return the sums of `samples`, pairs of a counter's name and its value; None without queries.

    Counters of other names count for nothing.
    """
    totals: dict[str, float] = {}
    for name, value in samples:
        totals[name] = totals.get(name, 0.0) + value
    if QUERIES not in totals:
        return None
    return PrefixCache(queries=int(totals[QUERIES]), hits=int(totals.get(HITS, 0.0)))

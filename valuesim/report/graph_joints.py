"""Arrows that are drawn through one point, where every one of some values is above each of others.

Such a joint (a biclique of the arrows between two rows) takes the lines of S x T pairs down to
S + T without saying anything else: whatever comes in is above whatever goes out.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations

Pair = tuple[str, str]
Joined = tuple[tuple[str, ...], tuple[str, ...]]
"""The values above, and those below; each of the first is above each of the second."""

_LEAST_SAVED = 2
_MOST_SETS = 500


def joints(pairs: Collection[Pair]) -> list[Joined]:
    """Return joints of `pairs`, none of which shares a pair with another, the most saving first.

    Each saves at least two lines; greedy, so that fewer lines may be possible.

    >>> joints([(u, v) for u in "AB" for v in "WXYZ"] + [("C", "W")])
    [(('A', 'B'), ('W', 'X', 'Y', 'Z'))]
    """
    left = set(pairs)
    found: list[Joined] = []
    while joined := _best(left):
        found.append(joined)
        left -= {(over, under) for over in joined[0] for under in joined[1]}
    return found


def _best(pairs: Collection[Pair]) -> Joined | None:
    below: dict[str, frozenset[str]] = {}
    for over, under in sorted(pairs):
        below[over] = below.get(over, frozenset()) | {under}
    sets = dict.fromkeys(below.values())
    while len(sets) < _MOST_SETS:
        shared = dict.fromkeys(a & b for a, b in combinations(sets, 2))
        if not (new := {each: None for each in shared if len(each) > 1 and each not in sets}):
            break
        sets |= new
    candidates = [
        (tuple(o for o in below if below[o] >= each), tuple(sorted(each))) for each in sets
    ]
    best = max(candidates, key=_saved, default=None)
    return best if best and _saved(best) >= _LEAST_SAVED else None


def _saved(joined: Joined) -> int:
    overs, unders = map(len, joined)
    return overs * unders - overs - unders

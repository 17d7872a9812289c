"""Which values are shown together: in best-worst questions, and in bundles against each other."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import combinations
from math import comb

import numpy as np

_SEED = 20261130
"""Fixed, so that a vocabulary has the same bundles in every episode."""
Bundle = tuple[int, ...]


@cache
def cyclic_blocks(count: int, size: int) -> tuple[tuple[int, ...], ...]:
    """Return `count` blocks of `size` of the numbers 0 to count - 1, developed from one of them.

    The first block is shifted round the circle of `count` numbers, so that each number stands in
    `size` blocks. How often two numbers meet depends only on their distance; the first block is the
    one (the first of the equally good) whose distances are spread most evenly. Where a perfect
    difference set exists (13 numbers in blocks of 4) each two numbers meet exactly once. Raises
    ValueError unless 2 <= size < count.

    >>> cyclic_blocks(7, 3)[:2]
    ((0, 1, 3), (1, 2, 4))
    """
    if not 2 <= size < count:
        raise ValueError(f"{count} values cannot be shown in blocks of {size}: more are needed")
    candidates = ((0, *rest) for rest in combinations(range(1, count), size - 1))
    first = min(candidates, key=lambda block: _unevenness(block, count))
    return tuple(
        tuple(sorted((number + shift) % count for number in first)) for shift in range(count)
    )


def _unevenness(block: tuple[int, ...], count: int) -> int:
    # the sum of squares is least where the meetings, whose number is fixed, are most alike
    met = Counter((a - b) % count for a in block for b in block if a != b)
    return sum(times**2 for times in met.values())


@cache
def bundle_pairs(count: int, size: int, most: int) -> tuple[tuple[Bundle, Bundle], ...]:
    """Return pairs of bundles of `size` of the numbers 0 to count - 1, without a number in common.

    All there are, or where these are more than `most`, so many of them: orders of all numbers are
    drawn by a fixed seed and cut into bundles, so that each number stands in about as many pairs.
    Which of a pair comes first is drawn too. Raises ValueError unless 2 <= 2 * size <= count.

    >>> bundle_pairs(3, 1, 10)
    (((0,), (1,)), ((0,), (2,)), ((1,), (2,)))
    """
    if not 2 <= 2 * size <= count:
        raise ValueError(f"{count} values make no two bundles of {size}: more are needed")
    if comb(count, size) * comb(count - size, size) // 2 <= most:
        return tuple(
            (one, other)
            for one, other in combinations(combinations(range(count), size), 2)
            if not set(one) & set(other)
        )
    rng = np.random.default_rng([_SEED, count, size])
    found: dict[frozenset[Bundle], tuple[Bundle, Bundle]] = {}
    while len(found) < most:
        order = rng.permutation(count).tolist()
        bundles = [tuple(sorted(order[k : k + size])) for k in range(0, count - size + 1, size)]
        for one, other in zip(bundles[::2], bundles[1::2], strict=False):
            found.setdefault(frozenset((one, other)), (one, other))
    return tuple(found.values())[:most]

"""Balanced incomplete blocks: which values are shown together in best-worst questions."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import combinations


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

"""What is drawn by lot, and from which key: nothing is, but from a seed."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from valuesim.option import Option

_WORLD = 2**32 - 1
"""Marks the world's own draws; no turn has this number."""


def keyed(key: Sequence[int]) -> np.random.Generator:
    """Return the generator of `key`; an array of words is the same key, read much faster."""
    is_short = max(key) < 2**32
    return np.random.default_rng(np.array(key, dtype=np.uint32) if is_short else key)


def condition_key(condition: Mapping[str, Any]) -> int:
    """Return a number from 0 to 2**32 - 1 for the experimental factors, by their content."""
    return zlib.crc32(orjson.dumps(condition, option=orjson.OPT_SORT_KEYS))


def world_rng(seed: int, condition: int, *, is_paired: bool) -> np.random.Generator:
    """Return what a world draws from: of a paired design the same under every `condition`."""
    # numpy pads short keys with zeros: without a mark this would be the key of an order
    return np.random.default_rng([seed] if is_paired else [seed, condition, _WORLD])


def shown_order(
    offered: tuple[Option, ...], rng: np.random.Generator, *, is_scale: bool
) -> tuple[Option, ...]:
    """Return `offered` in an order by lot; a scale stands upwards or downwards."""
    if is_scale:
        return offered[::-1] if rng.integers(2) else offered
    return tuple(offered[i] for i in rng.permutation(len(offered)))

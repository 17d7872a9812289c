"""Neutral names of agents, and of options: drawn, so that no label or place keeps a content."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

AGENT_NAMES = ("Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta", "Eta", "Theta", "Iota")
"""Roles in order, in every environment."""

LETTERS = ("A", "B", "C", "D", "E", "F", "G", "H")


def drawn_labels(
    contents: Sequence[str], rng: np.random.Generator, labels: Sequence[str] = LETTERS
) -> dict[str, str]:
    """Return {label: content} for `contents`, each of the first labels with one of them, by lot.

    The order in which options are shown is drawn apart, so that label, place and content are
    independent. Raises ValueError if there are fewer labels than contents.

    >>> sorted(drawn_labels(["tell", "wait"], np.random.default_rng(0)).items())
    [('A', 'tell'), ('B', 'wait')]
    """
    if len(contents) > len(labels):
        raise ValueError(f"{len(contents)} options are more than the labels {', '.join(labels)}")
    order = rng.permutation(len(contents))
    return {labels[place]: contents[index] for place, index in enumerate(order)}

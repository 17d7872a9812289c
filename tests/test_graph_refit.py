"""Fitting many samples of one design at once, sharing what was fitted, and orders that stay."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from valuesim.choices import Choices, Evidence
from valuesim.graph import rank_values
from valuesim.graph.bootstrap import refits, sharing
from valuesim.graph.design import Design, compact
from valuesim.graph.logit import PRIOR_SD, fit, mode
from valuesim.graph.refit import Samples, modes
from valuesim.option import Option

VALUES = ("Care", "Justice", "Power", "Privacy")


def chosen(number: int, width: int, seed: int = 0, decided: float = 1.0) -> Choices:
    """Choices in 12 clusters of an agent whose strengths are `decided` times 1.5 to -1.5."""
    rng = np.random.default_rng([seed, width])
    theta = decided * np.linspace(1.5, -1.5, len(VALUES))
    items = []
    for place in range(number):
        stakes = rng.choice([-1.0, 0.0, 1.0], (width, len(VALUES)))
        options = tuple(
            Option(name=str(k), text="", stakes=dict(zip(VALUES, row, strict=True)))
            for k, row in enumerate(stakes.tolist())
        )
        taken = int(np.argmax(stakes @ theta + rng.gumbel(size=width)))
        items.append(Evidence(cluster=str(place % 12), options=options, position=taken))
    return Choices(decisions=number, evidence=tuple(items))


@pytest.mark.parametrize("decided", [1.0, 50.0], ids=["noisy", "separated"])
@pytest.mark.parametrize("width", [2, 4])
def test_many_samples_are_fitted_at_once_as_one_by_one(width: int, decided: float) -> None:
    design = compact(chosen(120, width, decided=decided))
    rng = np.random.default_rng(1)
    kept = (rng.random((7, len(design.clusters))) < 0.6).astype(float)
    kept[0] = 0.0
    samples = Samples(asked=(design.asked.T @ kept.T).T, total=kept @ design.totals)
    precision = np.full(design.features.shape[2], PRIOR_SD**-2)
    found = modes(design, samples, precision, fit(design).theta)
    one_by_one = [
        mode(design, asked, total, precision)
        for asked, total in zip(samples.asked, samples.total, strict=True)
    ]
    assert found == pytest.approx(np.array(one_by_one), abs=1e-4)
    # where nothing was asked only the prior speaks
    assert found[0] == pytest.approx(0.0, abs=1e-4)


def test_shared_refits_are_made_once_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Design] = []

    def counted(design: Design, *given: Any, **named: Any) -> Any:
        made.append(design)
        return refits(design, *given, **named)

    monkeypatch.setattr("valuesim.graph.bootstrap.refits", counted)
    choices, other = chosen(120, 2), chosen(120, 2, seed=1)
    alone = rank_values(choices, seed=1)
    for_one = len(made)
    with sharing():
        assert [rank_values(choices, seed=1) for _ in range(2)] == [alone, alone]
        assert len(made) == 2 * for_one
        assert rank_values(choices, seed=2) != alone
        assert rank_values(other, seed=1) != alone
    assert len(made) == 4 * for_one
    assert rank_values(choices, seed=1) == alone
    assert len(made) == 5 * for_one


def test_the_order_of_sure_pairs_is_the_same_in_every_process() -> None:
    script = (
        "from tests.test_graph_refit import chosen\n"
        "from valuesim.graph import rank_values\n"
        "from valuesim.graph.layers import layers\n"
        "print(layers(rank_values(chosen(600, 2))).pairs)"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    ]
    assert told[0].count("Care") >= 1
    assert told[1:] == told[:1] * 2

"""A table of another project's generations, imported and ranked through the command line."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np

from valuesim.values import load_taxonomy

DILEMMAS = 3000
_A_SIDE = 4
_WORDS = 60


def write_generations(path: Path, dilemmas: int = DILEMMAS) -> None:
    """Write a table of `dilemmas` between two actions of four values, answered by a planted agent.

    Texts are as long as those of real tables, and mean nothing.
    """
    rng = np.random.default_rng(0)
    known = load_taxonomy().names
    strengths = rng.normal(0.0, 0.5, len(known))
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        columns = ("idx", "dilemma", "action", "values", "targets")
        table.writerow([*columns, "model_resp_planted", "model_resp_clean"])
        for number in range(dilemmas):
            sides = [rng.choice(len(known), _A_SIDE, replace=False) for _ in range(2)]
            gap = strengths[sides[0]].sum() - strengths[sides[1]].sum()
            answer = "Action 1" if rng.random() < 1 / (1 + np.exp(-gap)) else "Action 2"
            dilemma = f"Dilemma {number}: {_text(rng)}"
            for place, side in enumerate(sides):
                action = f"Action {place + 1}: {_text(rng)}"
                labels = str([known[v] for v in side])
                table.writerow([number, dilemma, action, labels, "[]", answer, answer])


def import_and_rank(table: Path, run: Path) -> None:
    """Run `valuesim import litmus` and `valuesim graph --json -`, each its own interpreter."""
    cli = [sys.executable, "-m", "valuesim.cli"]
    for arguments in (
        ["import", "litmus", str(table), "--out", str(run)],
        ["graph", str(run), "--json", "-"],
    ):
        subprocess.run([*cli, *arguments], check=True, capture_output=True)


def _text(rng: np.random.Generator) -> str:
    letters = rng.integers(97, 123, size=(_WORDS, 5), dtype=np.uint8)
    return " ".join(bytes(word).decode() for word in letters)

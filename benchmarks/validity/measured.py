"""What the repeats of an experiment measured, and tables of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Repeat = Mapping[str, float | FloatArray]
Once = Callable[[str, np.random.Generator], Repeat]

BAND = 0.93, 0.97


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Measured:
    """The measurements of one cell: name -> one row a repeat."""

    of: Mapping[str, FloatArray]

    def mean(self, name: str) -> FloatArray:
        """Return the mean over repeats; nan where no repeat measured it."""
        return np.asarray(self.of[name].mean(axis=0))

    def error(self, name: str) -> FloatArray:
        """Return the Monte Carlo standard error of the mean."""
        rows = self.of[name]
        return np.asarray(rows.std(axis=0, ddof=1) / np.sqrt(len(rows)))

    def share(self, part: str, whole: str) -> tuple[FloatArray, FloatArray]:
        """Return sum(part) / sum(whole) over repeats and its standard error, by the delta method.

        A share of nothing is nan.
        """
        parts, wholes = self.of[part], self.of[whole]
        total = wholes.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = parts.sum(axis=0) / total
            off = parts - ratio * wholes
            error = np.sqrt(len(parts) / (len(parts) - 1) * (off**2).sum(axis=0)) / total
        return np.asarray(ratio), np.asarray(error)


@dataclass(frozen=True, kw_only=True, slots=True)
class Experiment:
    """Cells by name, what one repeat of a cell measures, and how many repeats there are."""

    name: str
    cells: tuple[str, ...]
    once: Once
    repeats: int
    quick: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table of texts; the first column is set to the left."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """Return the table in Markdown."""
        rule = ("---", *("---:" for _ in self.columns[1:]))
        return "\n".join(f"| {' | '.join(row)} |" for row in (self.columns, rule, *self.rows))


def gathered(repeats: Sequence[Repeat]) -> Measured:
    """Return the measurements of `repeats`, which all have the same names."""
    return Measured(
        of={name: np.array([repeat[name] for repeat in repeats], float) for name in repeats[0]}
    )


def percent(share: float, error: float | None = None) -> str:
    """Return a share in percent with its Monte Carlo error.

    >>> percent(0.951, 0.004), percent(float("nan"), 0.0)
    ('95.1 ± 0.4', 'none made')
    """
    if np.isnan(share):
        return "none made"
    return f"{100 * share:.1f}" + ("" if error is None else f" ± {100 * error:.1f}")


def coverage(share: float, error: float) -> str:
    """Return a coverage in percent, in bold where it is outside 93 to 97 %.

    >>> coverage(0.951, 0.004), coverage(0.92, 0.004)
    ('95.1 ± 0.4', '**92.0 ± 0.4**')
    """
    text = percent(share, error)
    return text if np.isnan(share) or BAND[0] <= round(share, 3) <= BAND[1] else f"**{text}**"

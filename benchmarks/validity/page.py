"""The page of the suite: a template filled with what was measured, and nothing else."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import jinja2

from benchmarks.validity import (
    agreement,
    blind,
    coverage,
    degenerate,
    error,
    faults,
    permutation,
    position,
    power,
)
from benchmarks.validity.figures import figures
from benchmarks.validity.measured import Measured
from benchmarks.validity.running import EXPERIMENTS

TEMPLATE = Path(__file__).parent / "page.md.j2"
FOLDER = "validity"
VERSIONED = ("valuesim", "numpy", "scipy", "choix")


def page(measured: Mapping[str, Mapping[str, Measured]], *, seed: int, quick: bool) -> str:
    """Return the page in Markdown; its figures stand in the folder `FOLDER` beside it."""
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        seed=seed,
        repeats={n: e.quick if quick else e.repeats for n, e in EXPERIMENTS.items()},
        versions=", ".join(
            (f"Python {platform.python_version()}", *(f"{n} {version(n)}" for n in VERSIONED))
        ),
        folder=FOLDER,
        coverage=coverage.table(measured["coverage"]).markdown(),
        outside=coverage.outside(measured["coverage"]),
        calibration=coverage.calibration(measured["coverage"]).markdown(),
        error={
            design: error.table(measured["error"], design).markdown() for design in error.DESIGNS
        },
        faults=faults.table(measured["faults"]).markdown(),
        position=position.table(measured["position"]).markdown(),
        degenerate=degenerate.table().markdown(),
        agreement=agreement.table(measured["agreement"]).markdown(),
        permutation=permutation.table(measured["permutation"]).markdown(),
        blind=blind.table(measured["blind"]).markdown(),
        power=power.table(measured["power"]).markdown(),
        draws=coverage.DRAWS,
        scale=coverage.SCALE,
        values=permutation.VALUES,
    )


def write(
    folder: Path, measured: Mapping[str, Mapping[str, Measured]], *, seed: int, quick: bool
) -> None:
    """Write validity.md and the figures into `folder`."""
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    for name, drawing in figures(measured).items():
        (folder / FOLDER / f"{name}.svg").write_text(drawing, encoding="utf-8")
    text = page(measured, seed=seed, quick=quick)
    (folder / "validity.md").write_text(text, encoding="utf-8")

"""Panels: what an environment's measures say, printed and drawn the same way for every family."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from valuesim import registry
from valuesim.cli.measures import main, print_panels
from valuesim.log import DecisionRecord
from valuesim.measures import panel as panel_module
from valuesim.measures.panel import Estimate, Panel, Reference, measure_of
from valuesim.report.panel_figure import panel_figure

HOSTILE = "<script>alert(1)</script> $x$ \u202e"


def listed(**changed: object) -> Panel:
    given = {
        "id": "effects",
        "title": "Effects",
        "unit": "share of valid decisions",
        "estimates": (
            Estimate(label="Age", value=0.4, low=0.3, high=0.5, n=40),
            Estimate(label="Gender", value=0.1, low=0.0, high=0.2, n=40),
            Estimate(label="Law", value=None),
        ),
        "references": (
            Reference(
                label="people",
                points=(Estimate(label="Age", value=0.497), Estimate(label="Law", value=0.353)),
                source="Awad et al. 2018",
                population="visitors of a website, 2016-2018",
            ),
        ),
        "bounds": (0.0, 1.0),
        "decisions": 50,
        "faults": {"refused": 5},
        "note": "Law was never asked.",
    }
    return Panel(**(given | changed))  # type: ignore[arg-type]


def curve() -> Panel:
    return listed(
        axis="stake",
        estimates=(
            Estimate(label="within", at=1.0, value=0.9, low=0.8, high=0.95, n=10),
            Estimate(label="within", at=100.0, value=0.4, low=0.2, high=0.6, n=10),
            Estimate(label="between", at=1.0, value=0.7, n=3),
        ),
        references=(
            Reference(
                label="equilibrium",
                points=(
                    Estimate(label="", at=1.0, value=0.0),
                    Estimate(label="", at=100.0, value=0.0),
                ),
                source="Nash",
                population="computed",
            ),
        ),
    )


def test_a_panel_counts_its_faults() -> None:
    assert listed().fault_rate == 0.1
    assert listed(decisions=0, faults={}).fault_rate is None


@pytest.mark.parametrize("drawn", [listed(), curve()], ids=["list", "curve"])
def test_a_panel_is_drawn_as_well_formed_svg_that_reads_its_figures_out(drawn: Panel) -> None:
    figure = panel_figure(drawn, "p", "model")
    assert figure is not None
    told = ElementTree.fromstring(figure).get("aria-label") or ""
    assert "Effects, share of valid decisions" in told
    assert all(estimate.label in told for estimate in drawn.estimates)
    assert drawn.references[0].label in figure


def test_the_same_panel_gives_the_same_bytes() -> None:
    assert panel_figure(curve(), "p", "model") == panel_figure(curve(), "p", "model")


def test_what_nothing_is_known_of_and_what_is_short_is_not_drawn() -> None:
    empty = listed(estimates=tuple(Estimate(label=name, value=None) for name in "abc"))
    assert panel_figure(empty, "p", "model") is None
    assert panel_figure(listed(estimates=listed().estimates[:2]), "p", "model") is None


def test_hostile_labels_are_only_text() -> None:
    hostile = listed(estimates=tuple(Estimate(label=HOSTILE, value=0.5, n=1) for _ in range(3)))
    figure = panel_figure(hostile, "p", HOSTILE) or ""
    assert "<script" not in figure
    ElementTree.fromstring(figure)


def test_tables_show_n_intervals_and_whose_the_references_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_panels("model", [listed(), curve()])
    told = capsys.readouterr().out
    assert "10.0 % faults" in told
    assert "0.30 to 0.50" in told
    assert "reference: people: Awad et al. 2018 (visitors of a website, 2016-2018)" in told
    assert "note: Law was never asked." in told
    row = next(line for line in told.splitlines() if line.strip().startswith("Law"))
    assert row.split() == ["Law", "-", "-", "0", "0.35"], "no figure is not the figure 0"


def test_an_environment_without_measures_has_no_panels() -> None:
    assert measure_of("survival-v0") is None
    assert measure_of("not_installed_here-v0") is None


def test_the_command_measures_each_environment_of_a_run(
    toy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from valuesim.cli import main as command

    def measured(records: list[DecisionRecord], *, seed: int) -> tuple[Panel, ...]:
        assert {record.episode.env for record in records} == {"toy-v0"}
        return (listed(decisions=len(records), faults={}),)

    monkeypatch.setattr(panel_module, "measure_of", lambda _: measured)
    assert command(["run", "env=toy-v0", "agents=kind", "episodes=3", "run.name=a"]) == 0
    capsys.readouterr()
    given = argparse.Namespace(paths=[Path("runs/a")], by="agent", json="-")
    assert main(given) == 0
    (group,) = json.loads(capsys.readouterr().out)["groups"]
    assert group["group"] == {"env": "toy-v0", "agent": "kind"}
    assert group["panels"][0]["decisions"] == 18


@pytest.mark.parametrize("id", registry.environments())
def test_what_an_environment_names_as_its_measure_is_there(id: str) -> None:
    named = registry.environments()[id].load().panels
    assert (measure_of(id) is None) == (not named)

"""What is printed: tables at any width, p-values, what predict says of few agents."""

from __future__ import annotations

import re

import pytest

from valuesim.archetypes.between import Concordance, ValueRisk
from valuesim.cli.predict import _concordance, _is_told_twice
from valuesim.cli.terminal import interval, print_table

COLUMNS = ("agent", "rank", "strength", "95 % interval", "n of each", "why")
ROWS = [
    ("valued:truth_teller", 1, -0.5, interval(-10.25, 2.5), "12, 1,234", "too few choices"),
    ("all, each by itself", None, 12.25, interval(-1.0, 392.42), "7, 9", "0.1 to 0.2 of them"),
]


def table(capsys: pytest.CaptureFixture[str]) -> list[str]:
    print_table("a table", COLUMNS, ROWS)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("width", [10, 60, 80, 100, 140])
def test_no_name_number_or_interval_is_broken_or_lost_at_any_width(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    printed = "\n".join(table(capsys))
    whole = ["valued:truth_teller", "-0.50", "-10.25 to 2.50", "12, 1,234", "-1.00 to 392.42"]
    whole += ["0.1 to 0.2", "95 %", *(word for row in ROWS for word in row[-1].split()[2:])]
    assert [text for text in whole if text not in printed] == []


def test_a_table_is_no_wider_than_it_must_be(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    widths = []
    for width in (10, 60, 80, 100, 140):
        monkeypatch.setenv("COLUMNS", str(width))
        widths.append(max(map(len, table(capsys))))
    assert widths[0] == widths[1] > 60
    assert widths[2] <= 80
    assert widths[3] <= 100
    assert widths[4] < 110


def test_wide_characters_keep_their_columns(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.cells import cell_len

    print_table("names", ("name", "n"), [("\u4ef7\u503c", 1), ("abcd", 22)])
    lines = [line for line in capsys.readouterr().out.splitlines() if re.search("[12]$", line)]
    assert len({cell_len(line) for line in lines}) == 1


def test_a_table_without_a_row_is_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("empty", ("a", "b"), [])
    assert "  a  b" in capsys.readouterr().out


def test_an_interval_of_no_width_and_a_p_of_none_are_not_told_as_known() -> None:
    told = _concordance(Concordance(value=1.0, low=1.0, high=1.0, p=0.0002), 9)
    assert "so few agents, 9, give no interval" in told
    assert "p < 0.001" in told
    assert "100.0 % to" not in told


@pytest.mark.parametrize(("low", "p", "differs"), [(1.2, 0.1, True), (1.2, 0.01, False)])
def test_where_interval_and_corrected_p_differ_it_is_said(
    low: float, p: float, differs: bool
) -> None:
    risk = ValueRisk(value="A", ratio=2.0, low=low, high=9.0, sd=1.0, p=p / 3, p_corrected=p)
    assert _is_told_twice(risk) is differs

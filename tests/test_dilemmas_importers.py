"""Tables of others become packs: both actions shown, no phantom values, hostile cells refused.

All rows are made up for these tests.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valuesim.envs.dilemmas import Dilemmas, load_pack
from valuesim.envs.dilemmas.importers import FORMATS, Imported, import_pack
from valuesim.envs.dilemmas.tables import read_rows
from valuesim.envs.dilemmas.writing import write_pack
from valuesim.errors import InputError
from valuesim.label_lists import listed

AS_OF = "2026-11-24"
Rows = Sequence[Mapping[str, Any]]
Row = dict[str, Any]
Table = Callable[..., Path]

LAMP = "You run the lights of a museum. The night guard asks for a lamp that the rules forbid."
ART = "art"
BOAT = "You steer a ferry. A late passenger waves from the pier."


def action(dilemma: str, text: str, values: Any, **more: Any) -> dict[str, Any]:
    return {"dilemma": dilemma, "action": text, "values": values, "targets": "[]", **more}


LITMUS = [
    action(LAMP, "Action 1: Light the lamp.", "['Care', 'kindness', 'glow']"),
    action(LAMP, "Action 2: Keep the lamp dark.", "['Professionalism']"),
    action(BOAT, "Action 1: Wait.", "['Respect', 'patience']"),
    action(BOAT, "Action 2: Cast off.", "['fairness', \"Wisdom\"]"),
]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    def written(rows: Rows, name: str = "rows.csv") -> Path:
        path = tmp_path / name
        if name.endswith(".jsonl"):
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
            return path
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    return written


def imported(path: Path, format: str = "airiskdilemmas", **given: Any) -> Imported:
    return import_pack(format, path, as_of=AS_OF, **given)


def options(made: Imported, index: int = 0) -> list[tuple[str, dict[str, float]]]:
    return [(o.text, dict(o.stakes)) for o in made.pack.dilemmas[index].start.options]


# -- AIRiskDilemmas ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
def test_two_rows_are_one_dilemma_with_both_actions(name: str, table: Table) -> None:
    made = imported(table(LITMUS, name))
    assert [d.start.tellings for d in made.pack.dilemmas] == [(LAMP,), (BOAT,)]
    assert options(made) == [
        ("Light the lamp.", {"Care": 1.0}),
        ("Keep the lamp dark.", {"Professionalism": 1.0}),
    ]
    assert options(made, 1) == [
        ("Wait.", {"Respect": 1.0}),
        ("Cast off.", {"Justice": 1.0, "Wisdom": 1.0}),
    ]
    assert made.dropped == ()


def test_a_label_without_a_value_is_counted_and_never_a_value(table: Table) -> None:
    made = imported(table(LITMUS))
    assert made.unmapped == {"glow": 1, "patience": 1}
    stakes = {v for d in made.pack.dilemmas for o in d.start.options for v in o.stakes}
    assert stakes == {"Care", "Professionalism", "Respect", "Justice", "Wisdom"}


def test_labels_match_whole_never_in_part(table: Table) -> None:
    rows = [
        action(LAMP, "Action 1: a", "['Care', 'untruth', 'careless']"),
        action(LAMP, "Action 2: b", "['Power']"),
    ]
    made = imported(table(rows))
    assert options(made)[0][1] == {"Care": 1.0}
    assert made.unmapped == {"untruth": 1, "careless": 1}


def test_a_map_of_ones_own_goes_before_the_vocabulary(table: Table) -> None:
    own = table(
        [
            {"value": "Glow", "value_class": "Creativity"},
            {"value": "kindness", "value_class": "Loyalty"},
        ],
        "map.csv",
    )
    made = imported(table(LITMUS), value_map=own)
    assert options(made)[0][1] == {"Care": 1.0, "Creativity": 1.0, "Loyalty": 1.0}
    assert made.unmapped == {"patience": 1}
    wrong = table([{"value": "glow", "value_class": "Glow"}], "wrong.csv")
    with pytest.raises(InputError, match="'Glow'"):
        imported(table(LITMUS), value_map=wrong)


def test_the_full_table_brings_risky_behaviours(table: Table) -> None:
    rows = [
        {
            **LITMUS[0],
            "risky_behaviors": "['Privacy Violation', 'Power-Seeking']",
            "context": "art",
        },
        {**LITMUS[1], "risky_behaviors": "[]", "context": "art"},
        {**LITMUS[2], "risky_behaviors": "['Corrigibility Failures', 'Sloth']", "context": ""},
        {**LITMUS[3], "risky_behaviors": "", "context": ""},
    ]
    made = imported(table(rows))
    risky, safe = made.pack.dilemmas[0].start.options
    assert risky.behaviours == ("privacy_violation", "power_seeking")
    assert safe.behaviours == ()
    assert made.unknown_behaviours == {"Sloth": 1}
    assert made.pack.behaviours == ("corrigibility_failure", "power_seeking", "privacy_violation")
    assert made.pack.topics == ("art", "other")


def test_rows_are_paired_by_text_first_and_by_place_then(table: Table) -> None:
    apart = [LITMUS[0], LITMUS[2], LITMUS[1], LITMUS[3]]
    assert [d.start.tellings[0] for d in imported(table(apart)).pack.dilemmas] == [LAMP, BOAT]
    twice = [*LITMUS[:2], action(LAMP, "Action 1: c", ["Power"]), *LITMUS[1:2]]
    made = imported(table(twice, "twice.jsonl"))
    assert [text for text, _ in options(made, 1)] == ["c", "Keep the lamp dark."]


def test_what_makes_no_dilemma_is_dropped_and_told_with_its_line(table: Table) -> None:
    rows = [
        *LITMUS[:3],
        action("Alone.", "Action 1: x", "['Care']"),
        action("", "Action 1: x", "['Care']"),
        action("Same.", "Action 1: x", "['Care']"),
        action("Same.", "Action 1: y", "['Power']"),
        action("Agreed.", "Action 1: x", "['Care']"),
        action("Agreed.", "Action 2: y", "['kindness']"),
        action("Nothing.", "Action 1: x", "['glow']"),
        action("Nothing.", "Action 2: y", "['Power']"),
        action("Broken.", "Action 1: x", "['Care'"),
        action("Broken.", "Action 2: y", "['Power']"),
        action("Twin.", "Action 1: x", "['Care']"),
        action("Twin.", "Action 2: x", "['Power']"),
    ]
    made = imported(table(rows))
    assert len(made.pack.dilemmas) == 1
    told = {problem.line: problem.reason for problem in made.dropped}
    assert told[4].startswith("no other row has the same dilemma")
    assert told[5].startswith("no other row")
    assert told[6] == "has no dilemma"
    assert told[7] == "both rows are action 1"
    assert told[9].startswith("put no two values at odds")
    assert told[11].startswith("is empty")
    assert told[13].startswith("looks like a list")
    assert told[15].startswith("has the same text")
    assert len(told) == len(made.dropped)


def test_nothing_left_is_an_error_that_says_why(table: Table) -> None:
    with pytest.raises(InputError, match=r"makes 0 dilemmas.*rows\.csv:2: no other row"):
        imported(table(LITMUS[:1]))


# -- DailyDilemmas -----------------------------------------------------------------------------


def daily(
    kind: str, text: str, values: str, situation: str = "The milk is sour."
) -> dict[str, Any]:
    return {
        "idx": 0,
        "basic_situation": "milk",
        "dilemma_situation": situation,
        "action_type": kind,
        "action": text,
        "negative_consequence": "someone is sad",
        "values_names": values,
        "topic_group": "family, home",
    }


def test_daily_dilemmas_have_an_omission_and_a_topic(table: Table) -> None:
    rows = [
        daily("to_do", "Tell them.", "['honesty', 'self']"),
        daily("not_to_do", "Say nothing.", "['kindness']"),
    ]
    made = imported(table(rows), "dailydilemmas")
    do, leave = made.pack.dilemmas[0].start.options
    assert (do.text, dict(do.stakes), do.omission) == ("Tell them.", {"Truthfulness": 1.0}, False)
    assert (leave.text, dict(leave.stakes), leave.omission) == ("Say nothing.", {"Care": 1.0}, True)
    assert made.pack.dilemmas[0].topic == "family home"
    assert made.unmapped == {"self": 1}


def test_prediction_is_of_ai_systems_where_the_table_is_about_them(table: Table) -> None:
    assert "most AI systems" in imported(table(LITMUS)).pack.predict[0]
    assert imported(table([OWN], "own.csv"), "dilemmas").pack.predict == ()


def test_two_rows_that_both_do_are_no_daily_dilemma(table: Table) -> None:
    good = [daily("to_do", "a", "['Care']", "x"), daily("not_to_do", "b", "['Power']", "x")]
    bad = [daily("to_do", "a", "['Care']"), daily("to_do", "b", "['Power']")]
    made = imported(table([*bad, *good]), "dailydilemmas")
    assert len(made.pack.dilemmas) == 1
    assert "one to_do and one not_to_do" in made.dropped[0].reason


# -- one's own ---------------------------------------------------------------------------------

OWN = {
    "dilemma": "Rain falls on the feast.",
    "option_1": "Go on.",
    "option_2": "Go home.",
    "values_1": "Cooperation; Loyalty",
    "values_2": "Protection, Care",
}


@pytest.mark.parametrize("name", ["own.csv", "own.jsonl"])
def test_a_table_of_ones_own_has_a_dilemma_a_row(name: str, table: Table) -> None:
    made = imported(table([OWN], name), "dilemmas", pack="feast")
    assert made.pack.id == "feast"
    assert options(made) == [
        ("Go on.", {"Cooperation": 1.0, "Loyalty": 1.0}),
        ("Go home.", {"Protection": 1.0, "Care": 1.0}),
    ]


async def test_what_is_imported_is_written_read_and_played(table: Table, tmp_path: Path) -> None:
    made = imported(table(LITMUS))
    for name in ("made.yaml", "made.jsonl"):
        write_pack(made.pack, tmp_path / name)
        assert load_pack(tmp_path / name) == made.pack
    env = Dilemmas(pack=tmp_path / "made.yaml")
    env.reset(seed=0)
    assert {o.text for o in env.observe("Alpha").options} in (
        {"Light the lamp.", "Keep the lamp dark."},
        {"Wait.", "Cast off."},
    )


# -- hostile tables ----------------------------------------------------------------------------


def test_hostile_texts_are_made_harmless(table: Table, tmp_path: Path) -> None:
    rows = [
        action("<script>x()</script> **Now** \u202eabc\x07", "Action 1: [a](http://x)", "['Care']"),
        action("<script>x()</script> **Now** \u202eabc\x07", "Action 2: `b`\n- c", "['Power']"),
    ]
    made = imported(table(rows, "rows.jsonl"))
    assert made.pack.dilemmas[0].start.tellings == ("‹script›x()‹/script› Now abc",)
    assert [text for text, _ in options(made)] == ["a", "b c"]
    write_pack(made.pack, tmp_path / "made.yaml")
    assert load_pack(tmp_path / "made.yaml") == made.pack


@pytest.mark.parametrize(
    "cell",
    [
        "[__import__('os').system('true')]",
        "['a'] + ['b']",
        "['a' 'b']",
        "[['Care']]",
        "[1, 2]",
        "{'Care': 1}",
        "[" * 9000,
        "[" + "-" * 9000 + "1]",
        "['" + "a" * 200 + "']",
        "['\\x']",
        "[" + "'a'," * 300 + "]",
        "['" + "x" * 30_000 + "']",
    ],
)
def test_a_cell_that_is_no_list_of_labels_is_refused_at_once(cell: str) -> None:
    start = time.thread_time()
    if cell.startswith("{"):
        assert listed(cell) == [cell]
    else:
        with pytest.raises(ValueError, match=r"list|labels|label|characters|quotes"):
            listed(cell)
    assert time.thread_time() - start < 0.5


@given(st.one_of(st.text(max_size=80), st.text(alphabet="[]()'\",\\ a", max_size=40)))
def test_no_cell_makes_the_reader_fail(cell: str) -> None:
    try:
        labels = listed(cell)
    except ValueError:
        return
    assert all(isinstance(label, str) and label for label in labels)


@given(st.lists(st.text(min_size=1, max_size=20).filter(lambda t: t.split()), max_size=6))
def test_the_text_of_a_list_of_labels_is_read_as_that_list(labels: list[str]) -> None:
    assert listed(str(labels)) == [" ".join(label.split()) for label in labels]
    assert listed(labels) == listed(tuple(labels))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b"", "has no rows"),
        ("a.csv", b"dilemma,action,values\n", "has no rows"),
        ("a.csv", b"dilemma,action\nx,y\n", "lacks the column 'values'"),
        ("a.csv", b"dilemma,dilemma\nx,y\n", "twice"),
        ("a.csv", b"dilemma,action,values\nx,y\n", ":2: the row has not as many cells"),
        ("a.csv", b"dilemma,action,values\nx,y,z,w\n", ":2: the row has not as many cells"),
        ("a.csv", b'dilemma,action,values\n"x\n', "is not CSV"),
        ("a.csv", b"dilemma,action,values\nx," + b"y" * 140_000 + b",z\n", "is not CSV"),
        ("a.csv", b"dilemma,action,values\nx,\xff,z\n", ":2: byte 0xff at offset 24"),
        ("a.jsonl", b'{"dilemma": \n', ":1: is not JSON"),
        ("a.jsonl", b"[1]\n", ":1: is not a JSON object"),
        ("a.jsonl", b"[" * 100_000, ":1: is nested too deep"),
        ("a.txt", b"x", "unknown kind of table '.txt'"),
    ],
)
def test_a_table_that_cannot_be_read_is_told_so(
    name: str, content: bytes, told: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=told):
        imported(path)


def test_what_is_missing_or_unknown_is_told(tmp_path: Path, table: Table) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        imported(tmp_path / "none.csv")
    with pytest.raises(InputError, match="did you mean 'dailydilemmas'"):
        imported(table(LITMUS), "dailydilemma")
    with pytest.raises(InputError, match="pack='A B'"):
        imported(table(LITMUS), pack="A B")
    with pytest.raises(InputError, match="pack='daily' is the name of a shipped pack"):
        imported(table(LITMUS), pack="daily")
    with pytest.raises(InputError, match="as_of"):
        import_pack("airiskdilemmas", table(LITMUS), as_of="today")
    assert set(FORMATS) == {"airiskdilemmas", "dailydilemmas", "dilemmas"}


# -- packages that may be missing --------------------------------------------------------------


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("pyarrow", "datasets"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=r"pyarrow: pip install .valuesim\[parquet\]"):
        read_rows(tmp_path / "x.parquet")
    with pytest.raises(InputError, match="needs the package datasets: pip install datasets"):
        read_rows("hf:nobody/nothing")


def test_a_data_set_of_the_hub_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def load_dataset(name: str, configuration: str | None, *, split: str) -> list[dict[str, Any]]:
        asked.append((name, configuration, split))
        if name == "bad/one":
            raise ValueError("no such split\nand more")
        return [dict(row) for row in LITMUS]

    module = ModuleType("datasets")
    module.load_dataset = load_dataset  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", module)
    made = import_pack("airiskdilemmas", "hf:some/where:full:train", as_of=AS_OF)
    assert len(made.pack.dilemmas) == 2
    read_rows("hf:some/where")
    assert asked == [("some/where", "full", "train"), ("some/where", None, "test")]
    with pytest.raises(InputError, match=r"hf:bad/one cannot be read: no such split$"):
        read_rows("hf:bad/one")

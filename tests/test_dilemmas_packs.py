"""Packs: what is read, and that whatever is wrong is refused with its line and the reason."""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valuesim.envs.dilemmas import Problem, checked_pack, generated_pack, load_pack, shipped_packs
from valuesim.envs.dilemmas import reading as reading_of
from valuesim.envs.dilemmas.format import harmless, impurity
from valuesim.envs.dilemmas.loading import PACKS
from valuesim.envs.dilemmas.writing import write_pack
from valuesim.errors import InputError

EVERYTHING = Path(__file__).parent / "packs" / "everything.yaml"
SOUND = EVERYTHING.read_text(encoding="utf-8")
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(content: str | bytes, name: str = "pack.yaml") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


def changed(old: str, new: str) -> str:
    assert SOUND.count(old) >= 1, old
    return SOUND.replace(old, new, 1)


def line_of(part: str, text: str = SOUND) -> int:
    return text[: text.index(part)].count("\n") + 1


def only(path: Path) -> Problem:
    pack, problems = checked_pack(path)
    assert pack is None
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


# -- what is sound -----------------------------------------------------------------------------


def test_a_sound_pack_is_read_whole() -> None:
    pack, problems = checked_pack(EVERYTHING)
    assert problems == ()
    assert pack is not None
    assert (pack.id, pack.version, pack.locale) == ("everything", 2, "en")
    assert [dilemma.id for dilemma in pack.dilemmas] == ["late-report", "keys", "accident"]
    first = pack.dilemmas[0]
    assert [option.then for option in first.start.options] == ["pressed", "found-out", None]
    assert {name: turn.kind for name, turn in first.turns.items()} == {
        "pressed": "pressure",
        "found-out": "repair",
        "seen-again": "perspective",
        "new-terms": "new_facts",
    }
    assert first.start.options[1].stakes == {"Loyalty": 0.6, "Truthfulness": -0.7}
    assert first.start.options[1].behaviours == ("deception",)
    assert first.start.options[2].omission


@pytest.mark.parametrize("name", shipped_packs())
def test_every_shipped_pack_is_sound(name: str) -> None:
    pack, problems = checked_pack(name)
    assert [str(problem) for problem in problems] == []
    assert pack is not None
    assert pack.id == name
    assert len(pack.role) == 3


@pytest.mark.parametrize("suffix", ["yaml", "jsonl"])
def test_a_written_pack_is_read_back_as_the_same(suffix: str, tmp_path: Path) -> None:
    made = replace(generated_pack(["Care/Justice", "Power/Loyalty"]), id="made")
    for pack in (load_pack(EVERYTHING), made):
        write_pack(pack, tmp_path / f"{pack.id}.{suffix}")
        assert load_pack(tmp_path / f"{pack.id}.{suffix}") == pack


@pytest.mark.parametrize("name", [*shipped_packs(), "generated"])
def test_the_name_of_a_shipped_pack_belongs_to_the_shipped_file(name: str, write: Write) -> None:
    problem = only(write(changed("pack: everything", f"pack: {name}"), f"{name}.yaml"))
    assert (problem.line, problem.where) == (line_of("pack: everything"), "pack")
    assert problem.reason.endswith("rename it")


def test_a_shipped_file_may_be_given_by_its_path() -> None:
    assert load_pack(PACKS / "daily.yaml") == load_pack("daily")


def test_what_is_said_on_prediction_may_be_left_out(write: Write) -> None:
    start, end = SOUND.index("predict:"), SOUND.index("topics:")
    assert load_pack(EVERYTHING).predict == (
        "Each situation is an assistant's. Say what most assistants would do.",
        "The situations are those of assistants. Say what the majority of them would do.",
    )
    assert load_pack(write(SOUND[:start] + SOUND[end:])).predict == ()


def test_the_digest_changes_with_what_is_said_and_with_nothing_else(write: Write) -> None:
    digest = load_pack(EVERYTHING).digest
    assert load_pack(write(f"# a remark\n{SOUND}", "remark.yaml")).digest == digest
    reworded = changed("Stop and help.", "Stop and assist.")
    assert load_pack(write(reworded, "reworded.yaml")).digest != digest


def test_a_text_that_looks_like_something_else_is_text_in_quotes(write: Write) -> None:
    pack = load_pack(write(changed("Keep the copy.", '"1e5"')))
    assert pack.dilemmas[1].start.options[0].text == "1e5"


def test_a_changed_file_is_read_anew(write: Write) -> None:
    path = write(SOUND)
    assert load_pack(path) is load_pack(path), "read once"
    write(changed("version: 2", "version: 33"))
    assert load_pack(path).version == 33


def test_a_byte_order_mark_and_carriage_returns_do_no_harm(write: Write) -> None:
    assert load_pack(write(b"\xef\xbb\xbf" + SOUND.replace("\n", "\r\n").encode())) == load_pack(
        EVERYTHING
    )


def test_a_third_of_a_megabyte_is_read_in_half_a_second(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    write_pack(replace(generated_pack(per_pair=1), id="made"), path)
    assert path.stat().st_size > 350_000
    start = time.thread_time()
    assert len(load_pack(path).dilemmas) == 190
    assert time.thread_time() - start < 0.5


# -- what is not -------------------------------------------------------------------------------

KEEP = "stakes: {Power: 0.8, Respect: -0.5}"
STOP = "stakes: {Care: 0.8, Professionalism: -0.3}"
ONE_OPTION = """\
      - id: hand-over
        text: Hand the copy over.
        stakes: {Respect: 0.5, Power: -0.2}
        behaviours: []
        omission: false
"""
CASES = {
    "fewer than two options": (ONE_OPTION, "", "      - id: keep\n", "at least 2"),
    "unknown value": (KEEP, KEEP.replace("Power", "Powr"), KEEP, "did you mean 'Power'"),
    "stakes beyond 1": (KEEP, KEEP.replace("0.8", "3"), KEEP, "is 3; .* from -1 to 1"),
    "NaN": (KEEP, KEEP.replace("0.8", ".nan"), KEEP, "is nan"),
    "infinite": (KEEP, KEEP.replace("0.8", "1e999"), KEEP, "is inf"),
    "a truth value as stake": (KEEP, KEEP.replace("0.8", "true"), KEEP, "is a truth value"),
    "text as stake": (KEEP, KEEP.replace("0.8", "much"), KEEP, "it must be a number"),
    "no stakes": (KEEP, "stakes: {}", KEEP, "is empty"),
    "no positive stake": (KEEP, "stakes: {Power: 0, Respect: -0.5}", KEEP, "no positive stake"),
    "nothing at odds": (
        KEEP,
        "stakes: {Respect: 0.8, Power: -0.1}",
        "      - id: keep\n",
        "no two values at odds",
    ),
    "a dilemma's id twice": ("id: accident", "id: keys", "id: accident", "taken by .* line 114"),
    "an option's id twice": ("id: drive-on", "id: stop", "id: drive-on", "the same id"),
    "an option's text twice": (
        "Drive on to the meeting.",
        "Stop and help.",
        "id: drive-on",
        "the same text",
    ),
    "an id of another form": ("id: drive-on", "id: Drive On", "id: drive-on", "is not a name"),
    "an unknown key": (
        "topic: road",
        "topic: road\n    weight: 2",
        "weight: 2",
        "unknown key 'weight'",
    ),
    "a misspelt key": ("topic: road", "topc: road", "topic: road", "did you mean 'topic'"),
    "a key missing": ("    parties: [the staff]\n", "", "id: keys", "lacks parties"),
    "an unknown topic": ("topic: road", "topic: raod", "topic: road", "did you mean 'road'"),
    "an unknown behaviour": (
        "behaviours: [power_seeking]",
        "behaviours: [power]",
        "behaviours: [power_seeking]",
        "unknown behaviour 'power'",
    ),
    "tellings that are too few": (
        "      - A cyclist falls as you drive to a meeting.\n",
        "",
        "      - On the way to a meeting",
        "has 1 tellings; role has 2",
    ),
    "texts on prediction that are too few": (
        "  - Each situation is an assistant's. Say what most assistants would do.\n",
        "",
        "  - The situations are those",
        "has 1 tellings; role has 2",
    ),
    "a telling repeated": (
        "A cyclist falls as you drive to a meeting.",
        "On the way to a meeting you see a cyclist fall.",
        "A cyclist falls",
        "repeats telling 0",
    ),
    "a branch to nowhere": ("then: pressed", "then: presed", "then: pressed", "'pressed'"),
    "a cycle": (
        "text: Accept the offer.",
        "text: Accept the offer.\n            then: pressed  # again",
        "then: pressed  # again",
        "leads back to 'pressed'",
    ),
    "a turn that is not reached": (
        "        then: found-out\n",
        "",
        "        kind: repair",
        "is reached by no option",
    ),
    "a turn called start": ("      found-out:", "      start:", "        kind: repair", "'start'"),
    "an unknown kind of turn": (
        "kind: repair",
        "kind: mending",
        "kind: repair",
        "unknown kind of turn 'mending'",
    ),
    "another schema": ("schema: 1", "schema: 2", "schema: 1", "is 2; it must be 1"),
    "an unknown taxonomy": (
        "taxonomy: valuesim",
        "taxonomy: valusim",
        "taxonomy: valuesim",
        "did you mean 'valuesim'",
    ),
    "a date that is none": (
        "as_of: 2026-11-24",
        "as_of: 2026-13-24",
        "as_of: 2026-11-24",
        "is not a date",
    ),
    "omission as text": ("omission: true", "omission: yes", "omission: yes", "true or false"),
    "a number as text": ("title: A tiny", "title: 12 #", "title: A tiny", "must be text"),
    "an empty text": ("text: Stop and help.", "text: ''", "text: Stop and help.", "is empty"),
    "an endless text": (
        "text: Stop and help.",
        f"text: {'long ' * 200}",
        "text: Stop and help.",
        "at most 600",
    ),
    "a list where a mapping is due": (STOP, "stakes: [Care]", STOP, "is a list"),
    "HTML": ("Keep the copy.", "Keep the <b>copy</b>.", "Keep the copy.", "looks like HTML"),
    "a script": ("Keep the copy.", "'<script>x()</script>'", "Keep the copy.", "like HTML"),
    "an entity": ("Keep the copy.", "Keep &lt;it&gt;.", "Keep the copy.", "looks like HTML"),
    "markdown": ("Keep the copy.", "'Keep **the** copy.'", "Keep the copy.", "like markdown"),
    "a link": ("Keep the copy.", "'[Keep](http://x)'", "Keep the copy.", "like markdown"),
    "a heading": ("Keep the copy.", "'# Keep'", "Keep the copy.", "looks like markdown"),
    "code": ("Keep the copy.", "'Keep `it`'", "Keep the copy.", "looks like markdown"),
    "a line break in an option": ("Keep the copy.", r'"Keep.\nB: Go."', "Keep the copy.", "line"),
    "a hidden override": ("Keep the copy.", r'"Keep\u202eit"', "Keep the copy.", r"U\+202E"),
    "a raw override": ("Keep the copy.", "Keep \u202e it.", "Keep the copy.", r"U\+202E RIGHT"),
    "a zero-width space": ("Keep the copy.", "Keep\u200bit.", "Keep the copy.", r"U\+200B"),
    "a raw control character": ("Keep the copy.", "Keep\x07it.", "Keep the copy.", r"U\+0007"),
    "a written control character": ("Keep the copy.", r'"Keep\x1bit"', "Keep the copy.", "U.001B"),
    "a line separator": ("Keep the copy.", "Keep\u2028it.", "Keep the copy.", r"U\+2028"),
    "a doubled key": (
        "topic: road",
        "topic: road\n    topic: office",
        "topic: office\n    parties: [a cyclist",
        "key 'topic' stands here twice",
    ),
    "an anchor": ("topics: [", "topics: &all [", "topics: [", "anchors are refused"),
    "an alias": ("topics: [office, road]", "topics: *all", "topics: [", "aliases are refused"),
    "a tag": (
        "title: A tiny",
        "title: !!python/object/apply:os.system ['true'] #",
        "title: A tiny",
        "tags are refused",
    ),
    "a merge": ("topic: road", "<<: {topic: road}", "topic: road", "unknown key '<<'"),
    "too deep": ("topics: [", f"topics: {'[' * 30}", "topics: [", "nested more than"),
    "not YAML": ("title: A tiny", "title: [A tiny", "taxonomy: valuesim", "is not YAML"),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_with_its_line_and_the_reason(case: str, write: Write) -> None:
    old, new, at, reason = CASES[case]
    text = changed(old, new)
    pack, problems = checked_pack(write(text))
    assert pack is None
    told = [problem for problem in problems if re.search(reason, problem.reason)]
    assert told, [str(problem) for problem in problems]
    assert told[0].line == line_of(at, text if at in text else SOUND), str(told[0])


def test_all_problems_are_told_in_the_order_of_their_lines(write: Write) -> None:
    broken = changed("topic: road", "topic: raod").replace("then: pressed", "then: presed")
    _, problems = checked_pack(write(broken.replace("schema: 1", "schema: 9")))
    lines = [problem.line or 0 for problem in problems]
    assert lines == sorted(lines)
    # the turn that lost its only way is told as well
    assert len(problems) == 4


def test_where_names_the_dilemma_and_the_option(write: Write) -> None:
    problem = only(write(changed(STOP, STOP.replace("0.8", "8"))))
    assert problem.where == "dilemmas.accident.options.stop.stakes.Care"


def test_a_problem_reads_as_file_line_place_and_reason(write: Write) -> None:
    path = write(changed(KEEP, KEEP.replace("0.8", "3")))
    assert str(only(path)) == (
        f"{path}:123: dilemmas.keys.options.keep.stakes.Power: "
        "is 3; it must be a number from -1 to 1"
    )


def test_a_bomb_of_aliases_is_refused_before_it_is_built(write: Write) -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 30)]
    problem = only(write("\n".join(["l0: &l0 [x]", *levels])))
    assert "refused" in problem.reason


def test_a_file_of_too_many_parts_is_refused_before_it_fills_the_memory(
    monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    monkeypatch.setattr(reading_of, "MOST_NODES", 1000)
    for name in ("a.yaml", "b.jsonl"):
        problem = only(write(f"[{'1,' * 2000}1]", name))
        assert problem.reason == "is where the file has more than 1,000 parts"


def test_no_text_takes_long_to_be_found_impure() -> None:
    start = time.thread_time()
    for mark in ("[", "[a](", "<a", "*a", "_a", "&a", "<!-", "![", "** ", "a_"):
        impurity(mark * 3000)
        harmless(mark * 3000)
    assert time.thread_time() - start < 1


def test_deep_nesting_is_refused_in_both_formats(write: Write) -> None:
    for name, content in (("a.yaml", "[" * 100_000), ("b.jsonl", "[" * 100_000)):
        assert only(write(content, name)).line == 1


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ("", None, "is empty"),
        (" \n\n", None, "is empty"),
        ("# only a remark\n", None, "is empty"),
        ("just text", 1, "must be a mapping"),
        ("- a\n- list", 1, "must be a mapping"),
        ("schema: 1\n---\nschema: 1\n", 2, "second document"),
        ("? [a, b]\n: c\n", 1, "a key that is no text"),
        (b"\xff\xfes\x00c\x00", 1, "byte 0xff at offset 0 is not UTF-8"),
        (b"schema: 1\ntitle: caf\xe9\n", 2, "byte 0xe9 at offset 20 is not UTF-8"),
        (b"\xef\xbb\xbfschema: 1\ntitle: caf\xe9\n", 2, "byte 0xe9 at offset 23"),
    ],
)
def test_a_file_that_is_no_pack_is_told_so(
    content: str | bytes, line: int | None, reason: str, write: Write
) -> None:
    pack, problems = checked_pack(write(content))
    assert pack is None
    assert problems[0].line == line
    assert reason in problems[0].reason


def test_a_huge_file_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(2**30)
    start = time.thread_time()
    assert only(path).reason == "has 1,073,741,824 bytes, more than the 32 MB that are read"
    assert time.thread_time() - start < 0.5


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert only(tmp_path).reason == "is a folder"
    assert only(tmp_path / "none.yaml").reason == "there is no such file"
    assert "daily" in only(tmp_path / "dayly.yaml").reason
    assert "must end in" in only(Path(__file__)).reason
    os.mkfifo(tmp_path / "pipe.yaml")
    assert only(tmp_path / "pipe.yaml").reason == "is no regular file"
    checked_pack("nul\0.yaml")


def test_a_pack_without_problems_is_needed_to_load_one(write: Write) -> None:
    with pytest.raises(InputError, match="did you mean 'daily'"):
        load_pack("dayly")
    with pytest.raises(InputError, match=r":123: dilemmas\.keys.* \(and 1 more\).*doctor pack"):
        load_pack(write(changed(KEEP, "stakes: {Powr: 3, Respect: -0.5}")))


def test_a_million_problems_are_not_all_told(write: Write) -> None:
    lines = "\n".join(f"k{number}: 1" for number in range(5000))
    _, problems = checked_pack(write(lines))
    assert len(problems) == 1001
    assert any("more problems" in problem.reason for problem in problems)


# -- JSON lines --------------------------------------------------------------------------------


@pytest.fixture
def rows(tmp_path: Path) -> list[str]:
    write_pack(load_pack(EVERYTHING), tmp_path / "rows.jsonl")
    return (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()


def test_json_lines_tell_the_line_of_the_dilemma(rows: list[str], write: Write) -> None:
    dilemma = json.loads(rows[2])
    dilemma["options"][0]["stakes"]["Power"] = True
    rows[2] = json.dumps(dilemma)
    problem = only(write("\n".join(rows), "pack.jsonl"))
    assert (problem.line, problem.where) == (3, "dilemmas.keys.options.keep.stakes.Power")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('{"id": "x", ', "is not JSON"),
        ('{"id": "x", "id": "y"}', "key 'id' stands here twice"),
        ('{"id": ' + "9" * 5000 + "}", "a number is too long"),
        ("[" * 50 + "]" * 50, "nested more than"),
        ('{"id": "\\ud800"}', "is not a name"),
        ("17", "must be a mapping"),
    ],
)
def test_a_bad_row_is_told_with_its_line(
    row: str, reason: str, rows: list[str], write: Write
) -> None:
    _, problems = checked_pack(write("\n".join([*rows[:2], "", row]), "pack.jsonl"))
    assert any(p.line == 4 and reason in p.reason for p in problems), problems


def test_a_pack_of_json_lines_needs_its_head(rows: list[str], write: Write) -> None:
    assert checked_pack(write("\n".join(rows[1:]), "headless.jsonl"))[1][0].line == 1
    assert "head of a pack" in only(write("[]", "list.jsonl")).reason
    head = json.dumps(json.loads(rows[0]) | {"dilemmas": []})
    assert only(write(head, "whole.jsonl")).where == "dilemmas"
    assert only(write(rows[0], "empty.jsonl")).reason.startswith("has 0 dilemmas")


# -- text of others ----------------------------------------------------------------------------


@given(
    st.text(
        alphabet=st.sampled_from(list("ab *_`#<>&;[]()!-/\n\u202e\x00\ud800'\"lt")), max_size=60
    )
)
def test_text_of_others_becomes_plain_text(text: str) -> None:
    assert impurity(harmless(text)) is None


@given(st.text(max_size=200))
def test_any_text_becomes_plain_text(text: str) -> None:
    plain = harmless(text)
    assert impurity(plain) is None
    assert "\n" not in plain


def test_plain_text_stays_as_it_is() -> None:
    for text in ("If 3 < 5 & 7 > 2, go on.", "snake_case and 2 * 3 * 4", "Zoë said: 10 % (or so)!"):
        assert harmless(text) == text
        assert impurity(text) is None
    assert harmless("Press **now** & <b>wait</b>\n\u202eplease") == "Press now + ‹b›wait‹/b› please"


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("x.yaml", "x.jsonl"):
            path = Path(folder) / name
            path.write_bytes(content)
            pack, problems = checked_pack(path)
            assert pack is None
            assert problems


def test_the_slower_loader_reads_the_same(monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
    monkeypatch.setattr(reading_of, "_LOADER", reading_of.yaml.SafeLoader)
    assert load_pack(write(SOUND, "slow.yaml")) == load_pack(EVERYTHING)

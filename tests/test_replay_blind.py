"""Blind judging: what is told before a judgement, what is kept, and what it comes to."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("duckdb")


from tests.blind_judge import POSTED, Judge, judged_through, move
from valuesim.cli import main
from valuesim.errors import InputError
from valuesim.log import find_runs, read_run
from valuesim.log.appending import utc_now
from valuesim.log.lock import locked
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.judging.judged import AGENT, JUDGEMENTS, mend_sessions
from valuesim.replay.judging.judges import Judges
from valuesim.replay.judging.tallying import tallied
from valuesim.replay.playing.consent import Consent
from valuesim.replay.playing.models import Models
from valuesim.replay.playing.plays import Plays

TELLING = {
    *("chosen", "reply", "rationale", "effect", "payoff", "stakes", "tags", "puts"),
    *("fault", "fault_detail", "annotations", "view", "probabilities", "attempts", "omission"),
}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    given = ["env=survival", "agents=[exploitative,mute]", "env.horizon=2", "episodes=2"]
    assert main(["run", *given, f"run.name={folder / 'mixed'}"]) == 0
    return folder


@pytest.fixture
def root(played: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(played, tmp_path / "runs"))


@pytest.fixture
def judge(root: Path) -> Judge:
    return Judge(root)


def keys_in(content: Any) -> set[str]:
    if isinstance(content, dict):
        return set(content).union(*map(keys_in, content.values()))
    return set().union(*map(keys_in, content)) if isinstance(content, list) else set()


def test_a_moment_is_told_as_it_was_seen_and_nothing_tells_what_was_chosen(judge: Judge) -> None:
    judge.begin()
    for (step, role), record in sorted(judge.parent().items()):
        seen = judge.show(step, role).json()
        assert seen["text"] == record.text
        assert [each["name"] for each in seen["options"]] == [o.name for o in record.options]
        assert [each["text"] for each in seen["options"]] == [o.text for o in record.options]
        assert not keys_in(seen) & TELLING
        assert seen["judged"] is None
        assert "revealed" not in seen


def test_how_far_an_episode_goes_is_not_told(judge: Judge) -> None:
    told = judge.client.get(f"/api/blind/{judge.run}/{judge.episode}").json()
    assert told["next"] == {"step": 0, "role": told["roles"][0]}
    assert set(told) == {"schema", "run", "episode", "roles", "next", "judged"}


def test_what_was_chosen_is_told_once_a_judgement_is_on_disk(judge: Judge) -> None:
    judge.begin()
    place = judge.next()["next"]
    seen = judge.show(**place).json()
    told = judge.say(**place, answer=move(seen["options"][0])).json()
    record = judge.parent()[place["step"], place["role"]]
    assert told["revealed"]["chosen"] == record.chosen
    assert told["revealed"]["reply"] == record.reply
    before = judge.lines()[-1]
    assert (before["phase"], before["answer"]["option"]) == ("before", seen["options"][0]["name"])
    assert "chose" not in before
    judge.say(**place, phase="after", answer=move(seen["options"][-1]))
    after = judge.lines()[-1]
    fault = None if record.fault is None else str(record.fault)
    assert after["chose"] == {"option": record.chosen, "arguments": {}, "fault": fault}
    assert after["time"]["latency"] >= 0
    assert before["time"]["latency"] >= 0


def test_the_choices_of_a_person_are_an_ordinary_log(judge: Judge) -> None:
    judge.begin(participant="p-01")
    count = judged_through(judge)
    judge.end()
    run = read_run(judge.folder)
    assert run.config["person"]["participant"] == "p-01"
    assert "take part in a study" in run.config["person"]["consent"]["text"]
    parent = judge.parent()
    (original,) = {record.episode.id: record.episode for record in parent.values()}.values()
    seen = {episode.condition["seen"]: episode for episode in run.episodes.values()}
    assert set(seen) == {"before", "after"}
    for phase, place in (("before", 0), ("after", -1)):
        episode = seen[phase]
        assert episode.condition == {**original.condition, "seen": phase}
        assert {player.agent for player in episode.population.values()} == {AGENT}
        assert (episode.decisions, episode.seed) == (count, original.seed)
        assert episode.world == original.world, "the worlds are not two independent ones"
        for record in (each for each in run.decisions() if each.episode.id == episode.id):
            other = parent[record.step, record.role]
            assert record.options == other.options
            assert (record.text, record.view) == (other.text, other.view)
            assert record.annotations == other.annotations
            assert record.chosen == record.options[place].name


def test_values_are_ranked_before_and_after_apart_and_beside_the_agents(
    judge: Judge, capsys: pytest.CaptureFixture[str]
) -> None:
    judge.begin()
    count = judged_through(judge)
    judge.end()
    capsys.readouterr()
    assert main(["graph", str(judge.folder), "--by", "seen", "--json", "-"]) == 0
    groups = json.loads(capsys.readouterr().out)["groups"]
    assert {each["group"]["seen"]: each["decisions"] for each in groups} == {
        "before": count,
        "after": count,
    }
    everything = [str(judge.root), str(judge.root / "people")]
    assert main(["graph", *everything, "--by", "agent", "--json", "-"]) == 0
    groups = json.loads(capsys.readouterr().out)["groups"]
    told = {(each["group"]["agent"], each["group"]["seen"]) for each in groups}
    assert told == {
        *((AGENT, "before"), (AGENT, "after")),
        *(("exploitative", None), ("mute", None)),
    }
    assert main(["graph", str(judge.root), "--by", "agent", "--json", "-"]) == 0
    assert {e["group"]["agent"] for e in json.loads(capsys.readouterr().out)["groups"]} == {
        "exploitative",
        "mute",
    }


@pytest.mark.parametrize("command", ["report", "archetypes"])
def test_other_commands_read_it(judge: Judge, command: str, tmp_path: Path) -> None:
    judge.begin()
    judged_through(judge)
    judge.end()
    out = ["--out", str(tmp_path / "page.html")] if command == "report" else []
    everything = [str(judge.root), str(judge.root / "people")]
    assert main([command, *everything, *out]) == 0


def test_what_lies_below_a_run_that_is_named_does_not_count_into_it(judge: Judge) -> None:
    within = judge.root / "mixed"
    inner = Judge(within)
    inner.begin()
    assert find_runs([within]) == [within]
    assert find_runs([inner.folder]) == [inner.folder]
    assert find_runs([within / "people"]) == [inner.folder]
    assert inner.folder not in find_runs([judge.root])


def test_it_is_never_played_again(judge: Judge) -> None:
    judge.begin()
    judged_through(judge)
    judge.end()
    for episode in read_run(judge.folder).episodes.values():
        with pytest.raises(InputError, match="a person judged of another one: nothing was played"):
            _ = episode.spec


def test_guesses_and_ratings_are_no_choices(judge: Judge) -> None:
    judge.begin()
    place = judge.next()["next"]
    options = judge.show(**place).json()["options"]
    judge.say(**place, task="guess", answer={"option": options[0]["name"]}, confidence=4)
    judge.say(**place, task="guess", phase="after", answer={"surprise": 7})
    place = judge.next()["next"]
    options = judge.show(**place).json()["options"]
    rated = {each["name"]: 1 + number for number, each in enumerate(options)}
    judge.say(**place, task="rate", answer={"ratings": rated})
    judge.say(**place, task="rate", phase="after", answer={"ratings": rated})
    told = judge.end()["tasks"]
    assert (told["guess"]["n"], told["rate"]["n"]) == (1, 1)
    run = read_run(judge.folder)
    assert not run.episodes
    assert not list(run.decisions())
    assert [line["task"] for line in judge.lines()] == ["guess"] * 2 + ["rate"] * 2
    assert judge.lines()[0]["confidence"] == 4


def test_a_declined_moment_is_a_refusal_and_no_choice(judge: Judge) -> None:
    judge.begin()
    place = judge.next()["next"]
    judge.show(**place)
    judge.say(**place, answer=None)
    judge.say(**place, phase="after", answer=None)
    assert (
        judge.end()["tasks"]["decide"]["declined"] + judge.end()["tasks"]["decide"]["faulty"] == 1
    )
    for record in read_run(judge.folder).decisions():
        assert (record.chosen, record.fault) == (None, "refused")


def test_what_was_finished_survives_a_kill(root: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from tests.blind_judge import Judge, move\n"
        f"judge = Judge(Path({str(root)!r})); judge.begin(); place = judge.next()['next']\n"
        "option = judge.show(**place).json()['options'][0]\n"
        "assert judge.say(**place, answer=move(option)).status_code == 200\n"
        "assert judge.say(**place, phase='after', answer=move(option)).status_code == 200\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], check=False, timeout=300)
    assert killed.returncode == -signal.SIGKILL
    (folder,) = (root / "people").glob("judged-*")
    lines = map(orjson.loads, (folder / JUDGEMENTS).read_bytes().splitlines())
    assert [line["phase"] for line in lines if "phase" in line] == ["before", "after"]
    assert not read_run(folder).episodes
    with (folder / "decisions.jsonl").open("ab") as file:
        file.write(b'{"torn":')
    mend_sessions(root, utc_now)
    assert {e.condition["seen"]: e.decisions for e in read_run(folder).episodes.values()} == {
        "before": 1,
        "after": 1,
    }
    before = (folder / "episodes.jsonl").read_bytes()
    mend_sessions(root, utc_now)
    assert (folder / "episodes.jsonl").read_bytes() == before


def test_a_session_that_is_open_is_not_ended_by_another_viewer(judge: Judge) -> None:
    judge.begin()
    place = judge.next()["next"]
    option = judge.show(**place).json()["options"][0]
    judge.say(**place, answer=move(option))
    mend_sessions(judge.root, utc_now)
    assert not read_run(judge.folder).episodes


SPOILT = ("no judgement\n", '{"schema": 1, "begun": []}\n')


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_session_that_was_spoilt_keeps_no_other_from_its_end(root: Path, spoilt: str) -> None:
    judges = Judges(root, utc_now, time.monotonic)
    one, other = (judges.begin(Consent(), code) for code in ("P1", "P2"))
    for each in (one, other):
        each.run.keep({"schema": 1, "begun": "x"})
    (other.run.folder / JUDGEMENTS).write_text(spoilt)
    judges.close()
    for each in (one, other):
        assert locked(each.run.folder), "another may write it"


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_session_that_was_spoilt_keeps_nobody_from_beginning(
    root: Path, spoilt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("valuesim.replay.judging.judges.MOST_OPEN", 1)
    judges = Judges(root, utc_now, time.monotonic)
    first = judges.begin(Consent(), "P1")
    (first.run.folder / JUDGEMENTS).write_text(spoilt)
    assert judges.begin(Consent(), "P2").token != first.token
    judges.close()


def test_consent_comes_first(judge: Judge) -> None:
    for given in ({"agreed": False}, {"agreed": "yes"}, {"consent": "0" * 12}, {"agreed": 1}):
        assert judge.begin(**given).status_code == 400
    for code in ("../x", "Ann Smith", "a" * 41, 7, ["a"], "a\n"):
        assert judge.begin(participant=code).status_code == 400
    assert not (judge.root / "people").exists()
    assert judge.say(0, "Alpha").status_code == 404
    assert judge.begin(participant="P_1-b").status_code == 201
    assert judge.session not in (judge.folder / "run.yaml").read_text()


def test_what_is_no_judgement_is_refused_in_a_sentence(judge: Judge) -> None:
    judge.begin()
    place = judge.next()["next"]
    assert judge.say(**place, answer={"option": "x"}).status_code == 409, "it was not shown"
    options = judge.show(**place).json()["options"]
    own = options[0]["name"]
    wrong: list[dict[str, Any]] = [
        {"answer": {"option": "not there"}},
        {"answer": {"option": ["a"]}},
        {"answer": {"option": own, "arguments": {"none": 1}}},
        {"answer": {"option": own, "arguments": [1]}},
        {"answer": {"option": own, "stakes": 1}},
        {"answer": "x" * 900_000},
        {"answer": {"option": "x" * 900_000}},
        {"answer": {"option": own}, "confidence": 8},
        {"answer": {"option": own}, "confidence": True},
        {"task": "guess", "answer": {"surprise": 3}},
        {"task": "rate", "answer": {"ratings": {own: 3}}},
        {"task": "rate", "answer": {"ratings": {o["name"]: 2.5 for o in options}}},
        {"task": "other", "answer": {"option": own}},
        {"phase": "later", "answer": {"option": own}},
        {"answer": {"option": own}, "chosen": own},
        {"answer": {"option": own}, "step": -1},
        {"answer": {"option": own}, "step": 2**70},
        {"answer": {"option": own}, "role": None},
    ]
    for given in wrong:
        answer = judge.say(**{**place, **given})
        assert answer.status_code == 400, given
        assert len(answer.json()["error"]) < 600
    assert judge.lines() == []
    late = judge.say(**place, phase="after", answer={"option": own})
    assert late.status_code == 409


def test_a_moment_is_judged_once(judge: Judge) -> None:
    judge.begin()
    place = judge.next()["next"]
    answer = move(judge.show(**place).json()["options"][0])
    assert judge.say(**place, answer=answer).status_code == 200
    assert judge.say(**place, answer=answer).status_code == 409
    assert judge.say(**place, task="guess", answer=None).status_code == 409
    assert judge.say(**place, task="guess", phase="after", answer=None).status_code == 409
    again = judge.show(**place).json()
    assert again["judged"]["answer"] == answer, "a page may be read anew"
    assert "revealed" in again
    assert judge.say(**place, phase="after", answer=answer).status_code == 200
    assert judge.say(**place, phase="after", answer=answer).status_code == 409
    assert len(judge.lines()) == 2


def test_what_lies_before_a_moment_that_was_shown_is_not_judged(judge: Judge) -> None:
    judge.begin()
    last = max(judge.parent())
    judge.show(*last)
    assert judge.show(0, last[1]).status_code == 409
    assert judge.next()["next"] == {"step": last[0], "role": judge.next()["next"]["role"]}


def test_sessions_of_others_are_not_told_and_names_are_no_paths(judge: Judge) -> None:
    judge.begin()
    client = judge.client
    for token in (judge.folder.name, "consent/..", "../x", "%2e%2e", "x" * 9000, "\u202e", "a\nb"):
        answer = client.get(f"/api/judgements/{quote(token, safe='')}")
        assert answer.status_code == 404, token
    assert judge.show(0, "Alpha", session="other").status_code == 404
    for path in ("nothing/nothing/0/Alpha", f"{judge.run}/none/0/A", f"{judge.run}/..%2F../0/A"):
        assert client.get(f"/api/blind/{path}").status_code == 404
    for step in ("-1", "x", "9" * 30, "1.0"):
        place = f"/api/blind/{judge.run}/{judge.episode}/{step}/Alpha"
        assert client.get(place).status_code == 404
    assert judge.show(0, "Nobody").status_code == 404
    bare = client.post("/api/judgements/sessions", json={"agreed": True})
    assert bare.status_code == 401
    for content in (b"[1]", b"{", b"\xff"):
        headers = POSTED | {"content-type": "application/json"}
        answer = client.post("/api/judgements", content=content, headers=headers)
        assert answer.status_code == 400


def test_links_that_lead_out_are_not_written_through(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "people").symlink_to(outside)
    judge = Judge(root)
    answer = judge.begin()
    assert answer.status_code == 400
    assert "leads out" in answer.json()["error"]
    assert not list(outside.iterdir())
    (root / "people").unlink()
    judge.begin()
    judge.shelf.refresh()
    assert judge.end()["schema"] == 1
    folder = judge.folder
    (folder / "episodes.jsonl").unlink()
    target = outside / "theirs.jsonl"
    target.write_bytes(b"")
    (folder / "episodes.jsonl").symlink_to(target)
    mend_sessions(root, utc_now)
    assert target.read_bytes() == b""


def test_keys_that_somebody_types_are_blotted(root: Path) -> None:
    shelf = Shelf(root)
    plays = Plays(shelf=shelf, models=Models(secrets=("a-secret-key",)))
    judge = Judge(root, plays)
    judge.begin()
    place = judge.next()["next"]
    options = judge.show(**place).json()["options"]
    talk = next(each for each in options if "message" in each["arguments"])
    answer = move(talk)
    answer["arguments"]["message"] = "mine is a-secret-key"
    assert judge.say(**place, answer=answer).status_code == 200
    assert judge.lines()[0]["answer"]["arguments"]["message"] == "mine is REDACTED"
    for file in judge.folder.iterdir():
        assert b"a-secret-key" not in file.read_bytes(), file.name


def test_a_guess_counts_however_surprised_somebody_says_to_be() -> None:
    own = {"run": "r", "step": 0, "role": "A", "task": "guess", "time": {"latency": 2.0}}

    def pair(cluster: str, guess: Any, surprise: Any) -> Any:
        place = own | {"episode": cluster, "cluster": cluster}
        chose = {"option": "share", "fault": None}
        return [
            place | {"phase": "before", "answer": guess and {"option": guess}},
            place
            | {"phase": "after", "answer": surprise and {"surprise": surprise}}
            | {"chose": chose},
        ]

    told = tallied([*pair("1", "share", None), *pair("2", "steal", 7), *pair("3", None, 3)])[
        "guess"
    ]
    assert (told["n"], told["declined"], told["right"]["n"]) == (3, 1, 2)
    assert told["right"]["value"] == 0.5
    assert told["surprise"] == 7, "of guesses that were made"


def test_the_summary_keeps_faults_and_declines_apart() -> None:
    def pair(cluster: str, before: Any, after: Any, chose: Any, fault: str | None = None) -> Any:
        own = {"run": "r", "episode": cluster, "step": 0, "role": "A", "cluster": cluster}
        own |= {"task": "decide", "time": {"latency": 2.0}}
        chosen = {"option": chose, "fault": fault}
        return [
            own | {"phase": "before", "answer": before and {"option": before}},
            own | {"phase": "after", "answer": after and {"option": after}, "chose": chosen},
        ]

    lines = [
        *pair("1", "steal", "share", "share"),
        *pair("2", "share", "share", "share"),
        *pair("3", "share", "share", None, "refused"),
        *pair("4", None, "share", "share"),
    ]
    told = tallied(lines)["decide"]
    assert (told["n"], told["faulty"], told["declined"]) == (4, 1, 1)
    assert told["agreed_before"]["value"] == 0.5
    assert told["agreed_after"]["value"] == 1.0
    assert told["changed"]["n"] == 2
    low, high = told["agreed_before"]["low"], told["agreed_before"]["high"]
    assert 0 <= low < 0.5 < high <= 1
    one = tallied(pair("1", "share", "share", "share"))["decide"]["agreed_before"]
    assert (one["value"], one["low"]) == (1.0, None), "one episode tells no interval"

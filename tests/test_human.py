"""A person as an agent: what they are asked, what counts as an answer, what they see."""

from __future__ import annotations

import asyncio
import io
import os
import pty
import re
import select
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from valuesim import registry
from valuesim.agents.human import Person, Scene, questions
from valuesim.agents.human.questions import Command, Mistake, Question, Told
from valuesim.agents.human.terminal import Lines, Terminal
from valuesim.cli import main
from valuesim.decision import Decision, Fault
from valuesim.errors import Interruption
from valuesim.observation import Observation
from valuesim.option import Amount, Name, Option, Text

OPTIONS = (
    Option(name="WAIT", text="Do nothing."),
    Option(
        name="GIVE",
        text="Give some.",
        arguments={
            "to": Name(names=("Beta", "Gamma")),
            "amount": Amount(low=0, high=2.5),
            "message": Text(longest=10),
        },
    ),
    Option(name="GIVE_ALL", text="Give all."),
)
SEEN = Observation(agent="Alpha", step=2, text="It is cold.", rules="Be kind.", options=OPTIONS)
GAME = ["env=toy-v0", "env.steps=2", "agents=kind", "agents.Alpha=human"]


class Scripted:
    """A screen on which the lines of `typed` are typed; keeps what it showed."""

    def __init__(self, *typed: str) -> None:
        self.typed = list(typed)
        self.shown: list[str] = []
        self.is_asking = False

    def show(self, title: str, text: str, kind: Told) -> None:
        self.shown.append(title)

    def offer(self, scene: Scene) -> None:
        self.shown.append(f"{scene.episode}/{scene.observation.agent}")

    def tell(self, sentence: str) -> None:
        self.shown.append(sentence)

    async def ask(self, question: Question) -> str:
        assert not self.is_asking, "one question at a time"
        self.is_asking = True
        await asyncio.sleep(0)
        self.is_asking = False
        if not self.typed:
            raise EOFError
        return self.typed.pop(0)


async def decided(*typed: str, **settings: Any) -> Decision:
    person = Person(Scripted("yes", *typed), clock=iter(range(99)).__next__, **settings)
    return await person.agent("Alpha", 1).decide(SEEN)


# -- what counts as an answer ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("1", "WAIT"),
        (" 3 ", "GIVE_ALL"),
        ("w", "WAIT"),
        ("give", "GIVE"),
        ("give a", "GIVE_ALL"),
        ("GIVE_ALL", "GIVE_ALL"),
        ("?", Command.HELP),
        ("Q", Command.STOP),
        ("/refuse", Command.REFUSE),
    ],
)
def test_an_option_is_named_by_number_by_name_or_by_its_first_letters(
    typed: str, meant: str
) -> None:
    assert questions.option(SEEN).read(typed) == meant


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("0", "'0' is not a number from 1 to 3."),
        ("4", "'4' is not a number from 1 to 3."),
        ("-1", "'-1' is none of them: type a number from 1 to 3 or a name (WAIT, GIVE, GIVE_ALL)."),
        ("99999999999999999999", "is not a number from 1 to 3."),
        ("gi", "'gi' could be GIVE or GIVE_ALL: type more of the name."),
        ("", "Nothing was typed: type a number from 1 to 3 or a name (WAIT, GIVE, GIVE_ALL)."),
        ("²", "'²' is none of them"),
        ("back", "'back' is none of them"),
        ("\x1b[A", "'?[A' is none of them"),
    ],
)
def test_a_line_that_is_no_option_is_told_in_one_sentence(typed: str, told: str) -> None:
    with pytest.raises(Mistake, match=re.escape(told)):
        questions.option(SEEN).read(typed)


def test_options_that_are_numbers_have_no_other_numbers() -> None:
    options = tuple(Option(name=name, text="") for name in ("20", "1", "0"))
    seen = Observation(agent="a", step=0, text="", rules="", options=options)
    assert questions.option(seen).read("1") == "1"
    assert not questions.option(seen).is_numbered
    with pytest.raises(Mistake, match="type a name"):
        questions.option(seen).read("2000")
    with pytest.raises(Mistake, match="type a name"):
        questions.option(seen).read("2")


def test_the_name_of_an_option_is_that_option_and_no_command() -> None:
    options = tuple(Option(name=name, text="") for name in ("q", "refuse"))
    seen = Observation(agent="a", step=0, text="", rules="", options=options)
    assert questions.option(seen).read("q") == "q"
    assert questions.option(seen).read("/q") is Command.STOP


@pytest.mark.parametrize(
    ("kind", "typed", "given"),
    [
        (Amount(low=0, high=5), "2", 2),
        (Amount(low=0, high=5), "2.5", 2.5),
        (Amount(low=-5, high=5), "-.5", -0.5),
        (Name(names=("Beta", "Gamma")), "2", "Gamma"),
        (Name(names=("Beta", "Gamma")), "be", "Beta"),
        (Text(longest=5), "", ""),
        (Text(longest=5), "q", "q"),
        (Text(longest=5), "/q", Command.STOP),
        (Text(longest=50), " a\tb\x1b[2J\ud800 ", "a b?[2J?"),
    ],
)
def test_an_argument_is_read_as_its_kind(kind: Any, typed: str, given: object) -> None:
    assert questions.argument("x", kind).read(typed) == given


@pytest.mark.parametrize(
    ("kind", "typed", "told"),
    [
        (Amount(low=0, high=5), "6", "6 is outside 0 to 5."),
        (Amount(low=0, high=5), "nan", "'nan' is not a number from 0 to 5."),
        (Amount(low=0, high=5), "1e999", "'1e999' is not a number from 0 to 5."),
        (Amount(low=0, high=5), "", "'' is not a number from 0 to 5."),
        (Name(names=("Beta", "Gamma")), "Delta", "'Delta' is none of them"),
        (Text(longest=5), "longer", "text of 6 characters is longer than 5."),
    ],
)
def test_an_argument_out_of_bounds_is_told_in_one_sentence(
    kind: Any, typed: str, told: str
) -> None:
    with pytest.raises(Mistake, match=re.escape(told)):
        questions.argument("x", kind).read(typed)


# -- one decision ------------------------------------------------------------------------------


async def test_a_person_decides_as_a_model_does() -> None:
    made = await decided("g", "give", "9", "b", "0,5", "1", "hi", "it is fair")
    assert (made.option, made.arguments) == ("GIVE", {"to": "Beta", "amount": 1, "message": "hi"})
    assert (made.message, made.rationale, made.fault) == ("hi", "it is fair", None)
    assert (made.agent, made.step, made.attempts, made.tries) == ("Alpha", 2, 1, ())
    assert made.reply.splitlines() == ["g", "give", "9", "b", "0,5", "1", "hi", "it is fair"]
    assert made.latency == 1


async def test_a_key_that_is_typed_is_not_kept() -> None:
    made = await decided("give", "beta", "1", "SECRETKEY", "by SECRETKEY", secrets=("SECRETKEY",))
    assert (made.message, made.rationale) == ("REDACTED", "by REDACTED")
    assert "SECRETKEY" not in made.reply


@pytest.mark.parametrize("typed", ["می\u200cروم", "क्\u200dष", "👩\u200d🚀", "a\u200fb"])
async def test_what_is_typed_is_kept_with_what_joins_its_letters(typed: str) -> None:
    made = await decided("give", "beta", "1", typed, typed)
    assert (made.message, made.rationale) == (typed, typed)


async def test_reasons_are_asked_for_where_the_elicitation_asks_for_them() -> None:
    assert (await decided("wait", "")).rationale is None
    assert (await decided("wait", ask_reasons=False)).option == "WAIT"


async def test_a_person_may_choose_anew() -> None:
    made = await decided("give", "beta", "back", "wait", "/back", "give_all", "")
    assert (made.option, made.arguments) == ("GIVE_ALL", {})


async def test_a_refusal_is_a_fault_and_no_choice() -> None:
    assert (await decided("refuse", "no", "wait", "")).option == "WAIT"
    made = await decided("give", "refuse", "yes")
    assert (made.option, made.fault) == (None, Fault.REFUSED)


async def test_the_rules_are_shown_once_an_episode_and_when_asked_for() -> None:
    screen = Scripted("yes", *["wait", ""] * 3, "?", "wait", "")
    person = Person(screen)
    for seed in (1, 1, 2, 2):
        await person.agent("Alpha", seed).decide(SEEN)
    shown = [title for title in screen.shown if title[0] not in "12"]
    rules = "The rules"
    assert shown == ["Before you begin", rules, rules, rules, "What you may type"]
    assert screen.shown[-3] == "2/Alpha"


async def test_nobody_plays_without_consent() -> None:
    told: list[str] = []
    person = Person(Scripted("", "y", "no"), on_consent=told.append)
    with pytest.raises(Interruption, match="did not consent"):
        await person.agent("Alpha", 1).decide(SEEN)
    assert not told
    with pytest.raises(Interruption, match="did not consent"):
        await person.agent("Beta", 2).decide(SEEN)


async def test_consent_is_asked_for_once_and_kept() -> None:
    told: list[str] = []
    person = Person(Scripted("yes", "wait", "", "wait", ""), on_consent=told.append)
    for seed in (1, 2):
        await person.agent("Alpha", seed).decide(SEEN)
    assert told == [
        f"a person played, and had consented before the first question (consent text "
        f"{questions.consent_id()})"
    ]


async def test_a_person_who_stops_ends_the_run_and_is_asked_no_more() -> None:
    screen, left = Scripted("yes", "q", "n", "q", "y", "wait"), asyncio.Event()
    person = Person(screen, leave=left.set)
    with pytest.raises(Interruption, match="the person who plays stopped the run"):
        await asyncio.create_task(person.agent("Alpha", 1).decide(SEEN))
    await asyncio.wait_for(left.wait(), 5)
    before = list(screen.shown)
    with pytest.raises(Interruption, match="the person who plays stopped the run"):
        await person.agent("Alpha", 2).decide(SEEN)
    assert (screen.shown, screen.typed) == (before, ["wait"])


async def test_the_end_of_the_answers_is_told() -> None:
    screen = Scripted("yes", "give")
    with pytest.raises(Interruption, match="end of file"):
        await Person(screen).agent("Alpha", 1).decide(SEEN)
    assert screen.shown[-1].startswith("The answers of the person who plays ended")


async def test_a_stop_ends_a_question_that_waits() -> None:
    class Absent(Scripted):
        async def ask(self, question: Question) -> str:
            await asyncio.Event().wait()
            raise AssertionError

    stop = asyncio.Event()
    asked = asyncio.create_task(Person(Absent(), stop=stop).agent("Alpha", 1).decide(SEEN))
    await asyncio.sleep(0.01)
    stop.set()
    with pytest.raises(Interruption, match="the run was stopped"):
        await asyncio.wait_for(asked, 5)


async def test_several_roles_are_asked_by_turns() -> None:
    screen = Scripted("yes", *["wait", ""] * 4)
    person = Person(screen)
    roles = [person.agent(role, seed) for seed in (1, 2) for role in ("Alpha", "Beta")]
    made = await asyncio.gather(*(role.decide(SEEN) for role in roles))
    assert [each.option for each in made] == ["WAIT"] * 4


# -- the terminal ------------------------------------------------------------------------------


def shown(draw: Callable[[Terminal], None], typed: str = "") -> str:
    """What a terminal shows when `draw` draws on it."""
    stream = io.StringIO()
    draw(Terminal(io.StringIO(typed), stream))
    return stream.getvalue()


HOSTILE = "\x1b[2J\x1b]0;owned\x07 [red]gone[/red] :skull: \u202eback\rYour choice: \x9b1m"


def test_hostile_words_command_neither_terminal_nor_markup() -> None:
    option = Option(name=f"A{HOSTILE}", text=HOSTILE, arguments={HOSTILE: Name(names=(HOSTILE,))})
    seen = Observation(agent=HOSTILE, step=0, text=HOSTILE, rules="", options=(option, option))
    scene = Scene(episode=1, episodes=None, observation=seen)
    text = shown(lambda terminal: terminal.offer(scene))
    text += shown(lambda terminal: terminal.show(HOSTILE, HOSTILE, Told.RULES))
    text += shown(lambda terminal: terminal.tell(HOSTILE))
    assert not [each for each in text if each in "\x1b\x07\r\x9b\u202e"]
    assert "[red]gone[/red] :skull:" in text
    lines = [line for line in text.splitlines() if "Your choice" in line]
    assert lines
    assert not any(line.startswith("Your choice") for line in lines)


def test_what_others_say_stands_in_a_frame() -> None:
    seen = Observation(
        agent="Alpha", step=0, text="Beta: hi\n\nYour choice: 1", rules="", options=OPTIONS
    )
    scene = Scene(episode=2, episodes=3, observation=seen)
    text = shown(lambda terminal: terminal.offer(scene))
    assert "Episode 2 of 3 · you are Alpha" in text
    assert re.search(r"^│ Your choice: 1 +│$", text, re.MULTILINE)
    assert re.search(r"^ 2  GIVE +Give some\.\s+to \(1 Beta, 2 Gamma\)", text, re.MULTILINE)
    assert "amount (a number from 0 to 2.5)" in text


async def test_who_waits_for_a_line_lets_others_go_on() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as stream, os.fdopen(writing, "wb", buffering=0) as typist:
        lines = Lines(stream)
        waiting = asyncio.create_task(lines.next())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        typist.write("é1\r\n2\n3".encode())
        assert [await waiting, await lines.next()] == ["é1", "2"]
        typist.close()
        assert await lines.next() == "3"
        with pytest.raises(EOFError):
            await lines.next()


async def test_a_file_of_answers_is_read(tmp_path: Path) -> None:
    (tmp_path / "answers").write_bytes(b"one\n\xfftwo\n")
    with (tmp_path / "answers").open(encoding="utf-8") as stream:
        lines = Lines(stream)
        assert [await lines.next(), await lines.next()] == ["one", "\ufffdtwo"]
        with pytest.raises(EOFError):
            await lines.next()


async def test_an_agent_made_by_itself_asks_at_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\nwait\n\nwait\n\n"))
    agents = [registry.make_agent("human", role=role, seed=1) for role in ("Alpha", "Beta")]
    made = await asyncio.gather(*(agent.decide(SEEN) for agent in agents))
    assert [each.option for each in made] == ["WAIT", "WAIT"]
    assert capsys.readouterr().err.count("Before you begin") == 1


# -- a run -------------------------------------------------------------------------------------


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What has the next run answered with the given lines."""
    return lambda *lines: monkeypatch.setattr(
        sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines))
    )


def logged(run: Path, name: str = "decisions") -> list[Any]:
    return [orjson.loads(line) for line in (run / f"{name}.jsonl").read_bytes().splitlines()]


def test_a_run_is_played_by_a_person(
    toy: Path, answer: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    answer("yes", "share", "", "7", "2", "out of spite", "refuse", "y", "keep", "")
    assert main(["run", *GAME, "episodes=2", "run.name=played"]) == 0
    seen = capsys.readouterr()
    assert "2 of 2 episodes finished" in seen.out
    assert "refused 1" in seen.out
    assert "Episode 2 of 2 · you are Alpha" in seen.err
    assert "'7' is not a number from 1 to 2." in seen.err
    assert "decisions/s" not in seen.err
    own = [line["decision"] for line in logged(toy / "runs/played") if line["agent"] == "Alpha"]
    assert [each["fault"] for each in own] == [None, None, "refused", None]
    assert own[1]["rationale"] == "out of spite"
    episode = logged(toy / "runs/played", "episodes")[0]
    assert episode["population"]["Alpha"]["agent"] == "human"
    described = yaml.safe_load((toy / "runs/played/run.yaml").read_text())
    assert "had consented" in described["sessions"][0]["notes"][0]


def test_what_a_person_left_is_played_again(
    toy: Path, answer: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["run", *GAME, "episodes=2", "run.name=left"]
    answer("yes", "share", "", "share", "", "keep", "", "q", "yes")
    assert main(command) == 130
    assert "1 of 2 episodes finished" in capsys.readouterr().out
    answer("yes", "share", "", "share", "")
    assert main(command) == 0
    assert "2 of 2 episodes finished" in capsys.readouterr().out
    run = toy / "runs/left"
    assert len(logged(run, "interrupted")) == 1
    counted = [line for line in logged(run) if line["agent"] == "Alpha" and line["play"] == 0]
    assert len(counted) == 3
    assert len(yaml.safe_load((run / "run.yaml").read_text())["sessions"]) == 2


def test_two_roles_of_a_person_are_named_one_by_one(
    toy: Path, answer: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    answer("yes", *["share", ""] * 2, *["keep", ""] * 2)
    game = ["env=toy-v0", "env.steps=2", "agents=human", "episodes=1", "run.name=both"]
    assert main(["run", *game]) == 0
    asked = re.findall(r"Episode 1 · you are (\w+)", capsys.readouterr().err)
    assert asked == ["Alpha", "Beta", "Alpha", "Beta"]
    options = [line["decision"]["option"] for line in logged(toy / "runs/both")]
    assert options == ["SHARE", "SHARE", "KEEP", "KEEP"]


def test_a_sweep_is_answered_by_one_stream(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"yes\nshare\n\n" * 2)
    os.close(writing)
    with os.fdopen(reading) as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        game = [*GAME[:1], "env.steps=1", *GAME[2:], "episodes=1"]
        assert main(["run", "-m", *game, "env.level=low,high", "run.name=swept"]) == 0


def test_a_run_without_answers_ends_with_one_sentence(
    toy: Path, answer: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    answer("yes", "share")
    assert main(["run", *GAME, "episodes=3", "run.name=short"]) == 130
    told = capsys.readouterr().err
    assert told.count("The answers of the person who plays ended (end of file on the input).") == 1
    assert "is played to the end" not in told
    assert len(logged(toy / "runs/short", "interrupted")) == 1
    assert "Traceback" not in told


# -- what a person sees ------------------------------------------------------------------------


class Session:
    """A command on a pseudo-terminal, 80 columns wide."""

    def __init__(self, arguments: list[str]) -> None:
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.environ["COLUMNS"] = "80"
            os.execv(sys.executable, [sys.executable, "-m", "valuesim.cli", *arguments])
        self.bytes, self.read = b"", 0

    @property
    def seen(self) -> str:
        return self.bytes.decode(errors="replace")

    def expect(self, text: str) -> None:
        """Wait until `text` is seen after what was expected before."""
        end = time.monotonic() + 20
        while (found := self.seen.find(text, self.read)) < 0:
            assert time.monotonic() < end, self.seen
            if select.select([self.file], [], [], 0.1)[0]:
                self.bytes += os.read(self.file, 65_536)
        self.read = found + len(text)

    def type(self, text: str) -> None:
        os.write(self.file, text.encode())

    def close(self) -> int:
        """Return the exit code; read what is left."""
        try:
            while read := os.read(self.file, 65_536):
                self.bytes += read
        except OSError:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture
def session(toy: Path) -> Iterator[Session]:
    begun = Session(["run", *GAME, "episodes=2", "run.name=seen"])
    yield begun
    os.close(begun.file)


def test_a_person_at_a_terminal_is_asked_and_stops_with_ctrl_c(session: Session) -> None:
    session.expect("Type yes to take part, no to leave: ")
    session.type("yes\n")
    session.expect("Your choice (number or name; ? for help): ")
    assert re.search(r"Episode 1 of 2 · you are Alpha.*\n╭─+╮\r?\n│ Luck 0", plain(session.seen))
    session.type("kx\x7feep\n")
    session.expect("Your reason, if you like (Enter for none): ")
    session.type("\n")
    session.expect("step 1.")
    session.expect("for help): ")
    # longer than a bar would wait before it draws itself
    time.sleep(0.4)
    assert plain(session.seen).endswith("for help): ")
    session.type("\x03")
    session.expect("1 episode under way is played to the end; press Ctrl-C again to stop now")
    session.type("\x03")
    assert session.close() == 130
    told = plain(session.seen)
    assert "0 of 2 episodes finished" in told
    assert "not finished; to go on: valuesim run" in told
    assert "decisions/s" not in told


def plain(text: str) -> str:
    """`text` without its styles."""
    return re.sub(r"\x1b\[[\d;]*m", "", text)

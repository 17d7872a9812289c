"""The reply cache: a whole run again without its server, and nothing that only looks like it."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel

from valuesim.agents.endpoint import Endpoint, Limits
from valuesim.agents.interventions import Ask, Intervention
from valuesim.agents.llm import LLMAgent
from valuesim.agents.llm.ask import LabelForm, Question, Reply, Token
from valuesim.agents.llm.cache import ReplyCache
from valuesim.agents.llm.channel import Call, Channel
from valuesim.agents.llm.models import Model
from valuesim.agents.prompt import Elicitation, Message, Prompt
from valuesim.cli import main
from valuesim.config import compose
from valuesim.decision import Usage
from valuesim.errors import InputError, Interruption, LogError
from valuesim.observation import Observation
from valuesim.option import Option

Serve = Callable[..., Any]
MODEL = Model(provider="vllm", name="m", base_url="http://a/v1")
QUESTION = Question(messages=[Message(role="user", text="Well?")], seed=1)
REPLY = Reply(
    text="half a pair \ud83e, whole 🙂",
    structured='{"a": "\\ud83e"}',
    refusal="no",
    finish_reason="stop",
    usage=Usage(prompt_tokens=1, completion_tokens=2, reasoning_tokens=3),
    tokens=(Token(text="A", logprob=-0.1, top=(("A", -0.1), (" A", -2.5))),),
)
CALL = Call(episode="e", role="Alpha", step=3)
FAULTS = {"garbage": 0.2, "refusal_text": 0.1, "truncated_json": 0.1}


def played(url: str, *more: str) -> list[str]:
    server = [f"model.base_url={url}", "model.retries=9"]
    return ["run", "agents=llm", "model=vllm", "model.name=tiny", *server, "env.horizon=2", *more]


def lines(folder: Path, name: str) -> list[str]:
    """The lines of a log, times aside, sorted: what two equal runs have in common."""
    read = [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]
    return sorted(
        json.dumps({key: value for key, value in line.items() if key != "time"}, sort_keys=True)
        for line in read
    )


def assert_same(one: Path, other: Path) -> None:
    for name in ("decisions", "episodes", "texts"):
        assert lines(one, name) == lines(other, name)


async def run(*command: str) -> int:
    return await asyncio.to_thread(main, list(command))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


@pytest.mark.parametrize("form", ["json_schema", "name", "logprobs"])
async def test_a_run_is_had_again_without_its_server(
    place: Path,
    serve: Serve,
    form: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = await serve(faults=FAULTS)
    monkeypatch.setenv("OTHER_KEY", "sk-0123456789")
    settings = [f"elicitation={form}", "model.api_key_env=OTHER_KEY", "episodes=2"]
    command = played(server.url, *settings)
    assert await run(*command, "engine.cache=write", "run.name=a") == 0
    asked = server.counts["requests"]
    monkeypatch.delenv("OTHER_KEY")
    capsys.readouterr()
    dead = [*played("http://127.0.0.1:9/v1", *settings), "engine.max_tokens=10"]
    replay = ["engine.cache=replay", "engine.cache_path=runs/a/replies.sqlite"]
    assert await run(*dead, *replay, "run.name=b") == 0
    assert_same(place / "a", place / "b")
    told = capsys.readouterr().out
    stored = len(replies(place / "a/replies.sqlite"))
    probe = form == "json_schema"
    assert f"; {stored - probe} replies from the cache" in told
    assert "tokens" not in told, "nothing was spent"
    assert server.counts["requests"] == asked
    assert '"attempts": 2' in "".join(lines(place / "b", "decisions")), "re-asks are replayed too"


def replies(file: Path) -> list[Any]:
    with closing(sqlite3.connect(file)) as found:
        return found.execute("SELECT draw FROM replies").fetchall()


async def test_use_asks_for_what_is_not_there_and_write_for_all(place: Path, serve: Serve) -> None:
    server = await serve()
    shared = "engine.cache_path=replies.sqlite"
    command = [*played(server.url), shared]
    assert await run(*command, "episodes=2", "engine.cache=write", "run.name=a") == 0
    asked = server.counts["requests"]
    assert await run(*command, "episodes=2", "engine.cache=use", "run.name=b") == 0
    assert server.counts["requests"] == asked
    assert_same(place / "a", place / "b")
    assert await run(*command, "episodes=3", "engine.cache=use", "run.name=c") == 0
    more = server.counts["requests"] - asked
    assert 0 < more < asked
    assert await run(*command, "episodes=3", "engine.cache=write", "run.name=d") == 0
    assert server.counts["requests"] == 2 * (asked + more), (
        "the probe is asked once a run, and kept"
    )
    assert_same(place / "c", place / "d")


async def test_a_miss_ends_the_episode_and_names_the_call(
    place: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = await serve()
    command = played(server.url, "engine.cache_path=replies.sqlite")
    assert await run(*command, "episodes=2", "engine.cache=write", "run.name=a") == 0
    with closing(sqlite3.connect("replies.sqlite")) as file, file:
        (draw,) = file.execute("SELECT draw FROM replies WHERE draw LIKE '%/1/0/%'").fetchone()
        file.execute("DELETE FROM replies WHERE draw = ?", (draw,))
    asked = server.counts["requests"]
    assert await run(*command, "episodes=2", "engine.cache=replay", "run.name=b") == 1
    assert server.counts["requests"] == asked
    (listed,) = lines(place / "b", "interrupted")
    assert f"replies.sqlite holds no reply to {draw} as it is asked now" in listed
    assert len(lines(place / "b", "episodes")) == 1
    assert "1 of 2 episodes finished" in capsys.readouterr().out


def test_nothing_is_kept_unless_it_is_asked_for(place: Path) -> None:
    command = ["run", "agents=llm", "model=mock", "env.horizon=2", "episodes=1"]
    assert main([*command, "run.name=a"]) == 0
    assert not list(place.rglob("*.sqlite"))
    scripted = ["run", "agents=random", "env.horizon=2", "episodes=1", "engine.cache=replay"]
    assert main([*scripted, "run.name=b"]) == 0, "nobody asks a model"


async def test_after_a_kill_every_finished_episode_can_be_replayed(
    place: Path, serve: Serve
) -> None:
    server = await serve(latency_s=0.02)
    command = played(server.url, "episodes=12", "engine.concurrency=2", "run.name=a")
    episodes = place / "a/episodes.jsonl"
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "valuesim.cli", *command, "engine.cache=write"),
        env={"PYTHONPATH": str(Path(__file__).parent.parent)},
        stderr=asyncio.subprocess.DEVNULL,
    )
    while not episodes.exists() or episodes.read_bytes().count(b"\n") < 3:
        await asyncio.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    await running.wait()
    finished = lines(place / "a", "episodes")
    assert 3 <= len(finished) < 12
    kept = Path("killed.sqlite")
    for end in ("", "-wal"):
        Path(f"{kept}{end}").write_bytes((place / f"a/replies.sqlite{end}").read_bytes())
    # what a write that the kill cut short leaves at the end
    with Path(f"{kept}-wal").open("ab") as log:
        log.write(b"\x37\x7f\x06\x82torn")
    again = [*command[:-1], "run.name=b", f"engine.cache_path={kept}", "engine.cache=replay"]
    assert await run(*again) == 1
    assert set(finished) <= set(lines(place / "b", "episodes"))
    assert await run(*command, "engine.cache=write") == 0, "it goes on"
    whole = [*command[:-1], "run.name=c", "engine.cache_path=runs/a/replies.sqlite"]
    assert await run(*whole, "engine.cache=replay") == 0
    assert lines(place / "a", "episodes") == lines(place / "c", "episodes")


async def test_no_key_is_kept(place: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk-a-key-that-nobody-may-read"
    monkeypatch.setenv("VALUESIM_API_KEY", key)
    said = {"content": f"WAIT {key}", "refusal": key, "reasoning": f"my key is {key}"}
    said["finish_reason"] = f"stop {key}"
    server = await serve(script=[said])
    command = played(server.url, "episodes=1", "engine.cache=write", "run.name=a")
    assert await run(*command) == 0
    assert server.authorizations
    stored = (place / "a/replies.sqlite").read_bytes()
    assert b"my key is REDACTED" in stored
    for file in (place / "a").iterdir():
        assert key.encode() not in file.read_bytes()


def test_no_key_is_kept_in_tokens_or_in_how_a_reply_ended() -> None:
    top = (("my key is sk-a-key-of-mine", -0.1), ("A", -2.0))
    tokens = (
        Token(text="A sk-a-key-of-mine", logprob=-0.1, top=top),
        *(Token(text=part, logprob=-0.1, top=((part, -0.1),)) for part in (" sk-a", "-key-", "of")),
        Token(text="-mine.", logprob=-0.1, top=(("-mine.", -0.1),)),
        Token(text=" B", logprob=-0.2, top=top),
    )
    reply = Reply(text="", finish_reason="stop: sk-a-key-of-mine", tokens=tokens)
    clean = reply.without(("sk-a-key-of-mine",))
    assert clean.finish_reason == "stop: REDACTED"
    hidden = Token(text="REDACTED", logprob=-0.1)
    shown = Token(text=" B", logprob=-0.2, top=(("my key is REDACTED", -0.1), ("A", -2.0)))
    assert clean.tokens == (hidden, hidden, hidden, hidden, hidden, shown)
    assert replace(reply, finish_reason=None).without(("unused-key",)).tokens == tokens


def kept(path: Path, mode: str = "use") -> ReplyCache:
    return ReplyCache(path, mode)


@pytest.mark.parametrize(
    "reply", [REPLY, replace(REPLY, structured=REPLY.text), Reply(text="", structured="")]
)
def test_a_reply_comes_back_whole(tmp_path: Path, reply: Reply) -> None:
    with kept(tmp_path / "deep/replies.sqlite") as cache:
        cache.place(MODEL, QUESTION, CALL).keep(reply, 1.5)
    with kept(tmp_path / "deep/replies.sqlite", "replay") as cache:
        assert cache.place(MODEL, QUESTION, CALL).found() == reply
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["replies.sqlite"]


OTHER_QUESTIONS = [
    replace(QUESTION, seed=2),
    replace(QUESTION, schema={"type": "object"}),
    replace(QUESTION, messages=[Message(role="system", text="Well?")]),
    replace(QUESTION, messages=[*QUESTION.messages, Message(role="user", text="")]),
    replace(QUESTION, label=LabelForm(top=20, max_tokens=8)),
]
OTHER_MODELS = [
    replace(MODEL, provider="chat"),
    replace(MODEL, name="n"),
    replace(MODEL, temperature=0.5),
    replace(MODEL, top_p=0.5),
    replace(MODEL, max_tokens=5),
    replace(MODEL, extra_body={"top_k": 3}),
    replace(MODEL, engine_args={"dtype": "float32"}),
]
OTHER_CALLS = [
    replace(CALL, episode="f"),
    replace(CALL, role="Beta"),
    replace(CALL, step=4),
    replace(CALL, attempt=1),
    replace(CALL, purpose="council: first"),
    replace(CALL, sample=1),
]


def test_whatever_determines_a_reply_tells_replies_apart(tmp_path: Path) -> None:
    with kept(tmp_path / "a") as cache:
        asked = [
            (MODEL, QUESTION, CALL),
            *((MODEL, question, CALL) for question in OTHER_QUESTIONS),
            *((model, QUESTION, CALL) for model in OTHER_MODELS),
            *((MODEL, QUESTION, call) for call in OTHER_CALLS),
        ]
        for number, each in enumerate(asked):
            assert cache.place(*each).found() is None
            cache.place(*each).keep(Reply(text=str(number)), 0.0)
        found = [cache.place(*each).found() for each in asked]
        assert [reply.text for reply in found if reply] == [str(k) for k in range(len(asked))]
        elsewhere = replace(MODEL, base_url="http://b/v1", api_key_env="KEY", concurrency=3)
        assert cache.place(elsewhere, QUESTION, CALL).found() == Reply(text="0")


def test_the_order_of_a_schema_is_part_of_it(tmp_path: Path) -> None:
    forms = [{"rationale": 1, "action": 2}, {"action": 2, "rationale": 1}]
    with kept(tmp_path / "a") as cache:
        first, second = (cache.place(MODEL, replace(QUESTION, schema=f), CALL) for f in forms)
    assert first.request != second.request


class Twice(Intervention):
    """Asks the same thing twice."""

    name = "twice"

    async def prepare(self, prompt: Prompt, observation: Observation, ask: Ask) -> Prompt:
        said = [await ask([Message(role="user", text="?")], purpose="same") for _ in range(2)]
        return prompt.plus(self.addition("after", " and ".join(said)))


async def test_equal_requests_have_each_their_own_reply_in_order(tmp_path: Path) -> None:
    seen = Observation(
        agent="Alpha", step=0, text="", rules="", options=(Option(name="WAIT", text=""),)
    )
    said = []
    for mode in ("write", "replay"):
        chat = FakeListChatModel(responses=["one", "two", "WAIT"]) if mode == "write" else None
        endpoint = Endpoint(where="here", limits=Limits(), rng=np.random.default_rng(0))
        with kept(tmp_path / "a", mode) as cache:
            channel = Channel(chat=chat, endpoint=endpoint, model=MODEL, cache=cache)
            twice = Twice(role="Alpha", seed=0)
            agent = LLMAgent("Alpha", 1, channel, Elicitation(format="name"), [twice], "e")
            said.append(replace(await agent.decide(seen), latency=0.0))
    assert said[0].added[0].text == "one and two"
    assert said[0] == said[1]
    assert endpoint.counters.replayed == 3
    assert endpoint.counters.usage == Usage()


def test_what_is_asked_again_replaces_what_was_kept(tmp_path: Path) -> None:
    with kept(tmp_path / "a", "write") as cache:
        for text in ("of a play that was interrupted", "of the play that counts"):
            place = cache.place(MODEL, QUESTION, CALL)
            assert place.found() is None, "write looks nothing up"
            place.keep(Reply(text=text), 0.0)
    with kept(tmp_path / "a", "replay") as cache:
        assert cache.place(MODEL, QUESTION, CALL).found() == Reply(text="of the play that counts")


def test_two_runs_write_one_file(tmp_path: Path) -> None:
    with kept(tmp_path / "a") as one, kept(tmp_path / "a") as other:
        one.place(MODEL, QUESTION, CALL).keep(Reply(text="1"), 0.0)
        other.place(MODEL, QUESTION, replace(CALL, step=9)).keep(Reply(text="2"), 0.0)
        with kept(tmp_path / "a", "replay") as reader:
            assert reader.place(MODEL, QUESTION, CALL).found() == Reply(text="1")
            one.place(MODEL, QUESTION, CALL).keep(Reply(text="3"), 0.0)
            assert reader.place(MODEL, QUESTION, CALL).found() == Reply(text="3")
    assert len(replies(tmp_path / "a")) == 2


def _text(path: Path) -> None:
    path.write_text("these are my notes, and long enough to be no header of SQLite\n" * 9)


def _other(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE mine (x)")


def _newer(path: Path) -> None:
    with kept(path), closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 2")


def _keep_many(cache: ReplyCache) -> None:
    for step in range(200):
        cache.place(MODEL, QUESTION, replace(CALL, step=100 + step)).keep(REPLY, 0.0)


FOREIGN: Mapping[str, tuple[Callable[[Path], None], str]] = {
    "text": (_text, "is damaged or no file of replies"),
    "another database": (_other, "is not a file of replies"),
    "a folder": (Path.mkdir, "cannot be opened for replies"),
    "a newer form": (_newer, "holds replies in form 2; this version reads 1"),
}


@pytest.mark.parametrize(("make", "said"), FOREIGN.values(), ids=list(FOREIGN))
@pytest.mark.parametrize("mode", ["write", "use", "replay"])
def test_any_other_file_is_refused_and_left_alone(
    tmp_path: Path, make: Callable[[Path], None], said: str, mode: str
) -> None:
    path = tmp_path / "mine"
    make(path)
    was = path.read_bytes() if path.is_file() else b""
    with pytest.raises(InputError, match=said):
        kept(path, mode)
    assert (path.read_bytes() if path.is_file() else b"") == was


def test_a_refused_file_leaves_no_run_folder(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _text(Path("mine"))
    command = ["run", "agents=llm", "model=mock", "engine.cache=use", "run.name=a"]
    assert main([*command, "engine.cache_path=mine"]) == 2
    assert "mine is damaged or no file of replies" in capsys.readouterr().err
    assert not place.exists()


def test_a_damaged_file_ends_the_run_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with kept(path) as cache:
        _keep_many(cache)
    whole = bytearray(path.read_bytes())
    whole[4096:] = b"\x55" * (len(whole) - 4096)
    path.write_bytes(whole)
    with kept(path) as cache, pytest.raises(LogError, match="the file of replies, failed"):
        cache.place(MODEL, QUESTION, CALL).found()


def test_a_full_disk_ends_the_run_and_loses_nothing(tmp_path: Path) -> None:
    with kept(tmp_path / "a") as cache:
        cache.place(MODEL, QUESTION, CALL).keep(REPLY, 0.0)
        assert cache._open is not None
        cache._open.execute("PRAGMA max_page_count = 4")
        with pytest.raises(LogError, match=r"failed: .* full \(give it room"):
            _keep_many(cache)
        assert cache.place(MODEL, QUESTION, CALL).found() == REPLY


def test_what_interventions_ask_is_replayed(place: Path) -> None:
    command = ["run", "agents=llm", "model=mock", "env.horizon=2", "episodes=1"]
    command += ["intervention=council", "engine.cache_path=replies.sqlite"]
    assert main([*command, "engine.cache=write", "run.name=a"]) == 0
    assert main([*command, "engine.cache=replay", "run.name=b"]) == 0
    assert_same(place / "a", place / "b")
    assert any("council" in draw for (draw,) in replies(Path("replies.sqlite")))


def test_a_replay_wants_a_file(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["run", "agents=llm", "model=mock", "engine.cache=replay", "run.name=a"]
    assert main(command) == 2
    assert "there is no runs/a/replies.sqlite: give engine.cache_path" in capsys.readouterr().err
    assert not place.exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["engine.cache=replays"], "did you mean 'replay'"),
        (["engine.cache_path=x"], "engine.cache is off"),
    ],
)
def test_bad_settings_are_named(settings: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        compose(settings).design()


def test_a_stored_reply_of_another_shape_is_told(tmp_path: Path) -> None:
    with kept(tmp_path / "a") as cache:
        place = cache.place(MODEL, QUESTION, CALL)
        cache.store(place.request, place.draw, '{"text": "x"}', 0.0)
        with pytest.raises(LogError, match="holds a reply that is none"):
            place.found()


async def test_a_replay_that_misses_raises_what_ends_an_episode(tmp_path: Path) -> None:
    with kept(tmp_path / "a"):
        pass
    with (
        kept(tmp_path / "a", "replay") as cache,
        pytest.raises(Interruption, match="no reply to e/Alpha/3/0/decision/0 "),
    ):
        cache.place(MODEL, QUESTION, CALL).found()

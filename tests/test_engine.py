"""The engine: which episodes are planned, and that each is finished or interrupted, once."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from valuesim.decision import Agent, Decision, Usage
from valuesim.engine import Connection, Design, EpisodeFailed, Summary, plan, run
from valuesim.engine.manifest import departures, manifest, redacted, resumed
from valuesim.engine.plan import episode_seeds, regimes
from valuesim.engine.progress import Progress
from valuesim.engine.shutdown import Shutdown
from valuesim.env import Observation
from valuesim.episode import EpisodeSpec
from valuesim.errors import InputError, Interruption, LogError
from valuesim.log import RunWriter, read_run

ROLES = ("Alpha", "Beta")
DESIGN = Design(
    env="toy-v0",
    parameters={},
    crossed={},
    groups=[{"all": "kind"}],
    model=None,
    elicitation={},
    episodes=3,
    seed=0,
)


def quiet() -> Progress:
    return Progress(io.StringIO(), "none")


async def played(
    design: Design,
    folder: Path,
    *,
    concurrency: int = 8,
    connections: Mapping[str, Connection] | None = None,
    stop: Shutdown | None = None,
) -> Summary:
    with RunWriter(folder) as writer:
        writer.describe({})
        return await run(
            plan(design),
            writer,
            connections or {},
            concurrency=concurrency,
            progress=quiet(),
            stop=stop,
        )


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def timeless(path: Path) -> list[str]:
    return [json.dumps(line | {"time": None}, sort_keys=True) for line in lines(path)]


# -- plan --------------------------------------------------------------------------------------


def test_an_episode_has_the_same_seed_in_every_cell(toy: Path) -> None:
    crossed = replace(
        DESIGN, crossed={"level": ["low", "high"]}, groups=[{"all": "kind"}, {"all": "slow"}]
    )
    specs = plan(crossed)
    assert [spec.seed for spec in specs] == [s for s in episode_seeds(0, 3) for _ in range(4)]
    assert len({spec.id for spec in specs}) == 12


def test_more_episodes_extend_a_plan(toy: Path) -> None:
    crossed = replace(DESIGN, crossed={"level": ["low", "high"]})
    assert plan(replace(crossed, episodes=5))[:6] == plan(crossed)


def test_another_seed_plans_other_episodes(toy: Path) -> None:
    ours, theirs = plan(DESIGN), plan(replace(DESIGN, seed=1))
    assert not {spec.seed for spec in ours} & {spec.seed for spec in theirs}


def test_seeds_do_not_collide_and_survive_json_readers() -> None:
    seeds = episode_seeds(0, 20_000)
    assert len(set(seeds)) == 20_000
    assert max(seeds) < 2**53


def test_a_role_without_an_agent_is_refused(toy: Path) -> None:
    with pytest.raises(InputError, match="no agent plays Beta of toy-v0"):
        plan(replace(DESIGN, groups=[{"Alpha": "kind"}]))


def test_the_regime_of_each_level_is_told_where_there_are_regimes(toy: Path) -> None:
    levels = ["low", "tight", "medium", "high"]
    design = replace(
        DESIGN,
        env="survival-v0",
        groups=[{"all": "mute"}],
        crossed={"scarcity": levels, "wording": ["neutral", "normative"]},
    )
    told = "survival-v0: low infeasible, tight tight, medium slack, high slack"
    assert regimes(plan(design)) == [told]
    assert regimes(plan(DESIGN)) == []


def test_a_level_with_two_regimes_names_both(toy: Path) -> None:
    crossed: dict[str, list[Any]] = {"scarcity": ["low"], "horizon": [1, 13]}
    design = replace(DESIGN, env="survival-v0", groups=[{"all": "mute"}], crossed=crossed)
    assert regimes(plan(design)) == ["survival-v0: low slack or infeasible"]


# -- run ---------------------------------------------------------------------------------------


async def test_every_episode_is_finished_and_counted(toy: Path) -> None:
    summary = await played(DESIGN, toy / "run")
    assert summary == Summary(planned=3, finished=3, played=3, decisions=3 * 3 * 2)
    assert len(lines(toy / "run/decisions.jsonl")) == 18
    assert [line["decisions"] for line in lines(toy / "run/episodes.jsonl")] == [6, 6, 6]


async def test_equal_runs_have_equal_bytes_but_for_times(toy: Path) -> None:
    for name in ("one", "two"):
        await played(replace(DESIGN, episodes=10), toy / name)
    assert (toy / "one/episodes.jsonl").read_bytes() == (toy / "two/episodes.jsonl").read_bytes()
    assert timeless(toy / "one/decisions.jsonl") == timeless(toy / "two/decisions.jsonl")


async def test_concurrency_changes_the_order_of_lines_only(toy: Path) -> None:
    await played(replace(DESIGN, episodes=10), toy / "serial", concurrency=1)
    await played(replace(DESIGN, episodes=10), toy / "at_once", concurrency=7)
    serial, at_once = (timeless(toy / name / "decisions.jsonl") for name in ("serial", "at_once"))
    assert serial != at_once
    assert sorted(serial) == sorted(at_once)


async def test_a_run_that_is_finished_plays_nothing(toy: Path) -> None:
    await played(DESIGN, toy / "run")
    before = (toy / "run/decisions.jsonl").read_bytes()
    assert (await played(DESIGN, toy / "run")).played == 0
    assert (toy / "run/decisions.jsonl").read_bytes() == before


async def test_an_interruption_ends_its_episode_and_a_resume_replays_it(toy: Path) -> None:
    many = replace(DESIGN, episodes=40, groups=[{"all": "cut"}])
    whole = await played(many, toy / "whole")
    (toy / "down").touch()
    hurt = await played(many, toy / "run")
    assert hurt.interrupted == {"server 127.0.0.1 is down": 40 - hurt.finished}
    assert 0 < hurt.finished < 40
    (toy / "down").unlink()
    mended = await played(many, toy / "run")
    assert (mended.finished, mended.played) == (40, 40 - hurt.finished)
    assert len(list(read_run(toy / "run").decisions())) == whole.decisions
    assert sorted(lines(toy / "run/episodes.jsonl"), key=str) == sorted(
        lines(toy / "whole/episodes.jsonl"), key=str
    )


async def test_a_bug_ends_the_run_after_what_is_finished_is_written(toy: Path) -> None:
    mixed = replace(DESIGN, groups=[{"all": "kind"}, {"all": "buggy"}])
    with pytest.raises(EpisodeFailed, match="KeyError: 'mood'") as failed:
        await played(mixed, toy / "run", concurrency=1)
    assert isinstance(failed.value.__cause__, KeyError)
    run_folder = read_run(toy / "run")
    assert len(run_folder.episodes) == 1
    assert "KeyError" in run_folder.interrupted[0].reason


async def test_other_episodes_under_way_are_listed_when_a_bug_ends_the_run(toy: Path) -> None:
    mixed = replace(DESIGN, groups=[{"all": "slow"}, {"all": "buggy"}], episodes=1)
    with pytest.raises(EpisodeFailed):
        await played(mixed, toy / "run")
    reasons = sorted(record.reason for record in read_run(toy / "run").interrupted)
    assert len(reasons) == 2
    assert reasons[1] == "the run was stopped"


async def when_under_way(folder: Path, then: Callable[[], None]) -> None:
    """Do `then` once every one of five episodes of two agents has taken its first step."""
    while not (log := folder / "decisions.jsonl").exists() or log.read_bytes().count(b"\n") < 10:
        await asyncio.sleep(0.001)
    then()


async def test_a_stop_plays_what_is_under_way_to_its_end_and_begins_nothing(toy: Path) -> None:
    stop = Shutdown()
    under_way = asyncio.create_task(when_under_way(toy / "run", stop.ask))
    slow = replace(DESIGN, groups=[{"all": "slow"}], episodes=50)
    summary = await played(slow, toy / "run", concurrency=5, stop=stop)
    await under_way
    assert summary.stopped
    assert not summary.interrupted
    assert summary.finished == 5


async def test_what_fails_while_a_run_ends_ends_it(toy: Path) -> None:
    class Broken(Progress):
        def ending(self, under_way: int, spent: str) -> None:
            raise OSError("the terminal is gone")

    stop = Shutdown()
    under_way = asyncio.create_task(when_under_way(toy / "run", stop.ask))
    slow = plan(replace(DESIGN, groups=[{"all": "slow"}], episodes=50))
    with RunWriter(toy / "run") as writer:
        writer.describe({})
        broken = Broken(io.StringIO(), "none")
        with pytest.raises(OSError, match="the terminal is gone"):
            await run(slow, writer, {}, concurrency=5, progress=broken, stop=stop)
    await under_way


async def test_an_episode_whose_reply_cannot_be_kept_is_listed(toy: Path) -> None:
    class Full(_Hall):
        def agent(self, role: str, seed: int, *_: object) -> Agent:
            class Agent:
                async def decide(self, observation: Observation) -> Decision:
                    raise LogError("cache.jsonl cannot be written: No space left on device")

            return Agent()

    asked = replace(DESIGN, groups=[{"all": "llm"}], model={"name": "fake"}, episodes=1)
    with pytest.raises(LogError, match="No space left"):
        await played(asked, toy / "run", connections=dict.fromkeys(ROLES, Full()))
    (listed,) = read_run(toy / "run").interrupted
    assert listed.reason == "cache.jsonl cannot be written: No space left on device"
    assert listed.env == "toy-v0"


async def test_a_second_stop_lists_what_is_under_way(toy: Path) -> None:
    stop = Shutdown()

    def ask_twice() -> None:
        stop.ask()
        stop.ask()

    under_way = asyncio.create_task(when_under_way(toy / "run", ask_twice))
    slow = replace(DESIGN, groups=[{"all": "slow"}], episodes=50)
    summary = await played(slow, toy / "run", concurrency=5, stop=stop)
    await under_way
    assert summary.stopped
    assert summary.interrupted == {"the run was stopped": 5}
    assert len(lines(toy / "run/interrupted.jsonl")) == 5


@dataclass
class _Counters:
    calls: int = 0
    retries: int = 0
    replayed: int = 0
    paused: str = ""
    usage: Usage = field(default_factory=lambda: Usage(prompt_tokens=10, completion_tokens=2))


class _Hall:
    """A connection whose agents count how many of them wait at once, and how many episodes."""

    def __init__(self) -> None:
        self.counters = _Counters()
        self.waiting: dict[int, int] = {}
        self.most_episodes = self.most_roles = 0

    def agent(self, role: str, seed: int, *_: object) -> Agent:
        hall = self

        class Waiting:
            async def decide(self, observation: Observation) -> Decision:
                hall.waiting[seed] = hall.waiting.get(seed, 0) + 1
                hall.most_roles = max(hall.most_roles, hall.waiting[seed])
                hall.most_episodes = max(hall.most_episodes, len(hall.waiting))
                hall.counters.calls += 1
                await asyncio.sleep(0.001)
                hall.waiting[seed] -= 1
                if not hall.waiting[seed]:
                    del hall.waiting[seed]
                return Decision(agent=role, step=observation.step, option="KEEP")

        return Waiting()

    async def close(self) -> None: ...


async def test_episodes_are_played_at_once_up_to_the_limit_and_agents_of_a_step_together(
    toy: Path,
) -> None:
    hall = _Hall()
    asked = replace(DESIGN, groups=[{"all": "llm"}], model={"name": "m"}, episodes=20)
    summary = await played(
        asked, toy / "run", concurrency=4, connections=dict.fromkeys(ROLES, hall)
    )
    assert summary.finished == 20
    assert hall.most_episodes == 4
    assert hall.most_roles == 2


class _Refusing(_Hall):
    """A connection whose model turns out, at the second step, not to take a setting."""

    def agent(self, role: str, seed: int, *_: object) -> Agent:
        class Refusing:
            async def decide(self, observation: Observation) -> Decision:
                await asyncio.sleep(0)
                if observation.step:
                    raise InputError("no structured output")
                return Decision(agent=role, step=observation.step, option="KEEP")

        return Refusing()


async def test_bad_input_found_in_an_episode_stays_bad_input_and_lists_nothing(toy: Path) -> None:
    groups = [{"all": "llm"}, {"all": "slow"}]
    asked = replace(DESIGN, groups=groups, model={"name": "m"}, episodes=20)
    with pytest.raises(InputError, match=r"^no structured output$"):
        await played(asked, toy / "run", connections=dict.fromkeys(ROLES, _Refusing()))
    assert lines(toy / "run/interrupted.jsonl") == []
    assert lines(toy / "run/episodes.jsonl") == []


class _Down(_Hall):
    def agent(self, role: str, seed: int, *_: object) -> Agent:
        class Failing:
            async def decide(self, observation: Observation) -> Decision:
                raise Interruption("nobody there")

        return Failing()


async def test_a_server_that_is_down_leaves_every_episode_interrupted(toy: Path) -> None:
    asked = replace(DESIGN, groups=[{"all": "llm"}], model={"name": "m"}, episodes=20)
    summary = await played(asked, toy / "run", connections=dict.fromkeys(ROLES, _Down()))
    assert (summary.finished, summary.interrupted) == (0, {"nobody there": 20})
    assert not list(read_run(toy / "run").decisions())
    conditions = [record.condition for record in read_run(toy / "run").interrupted]
    assert conditions == [{"level": "low", "steps": 3}] * 20


# -- progress ----------------------------------------------------------------------------------


def test_progress_says_how_far_and_how_fast() -> None:
    now = [100.0]
    hall = _Hall()
    progress = Progress(io.StringIO(), "none", clock=lambda: now[0])
    progress.start(planned=12, done=2, connections=[hall])
    hall.counters.calls, hall.counters.retries = 50, 3
    progress.decisions = 80
    for _ in range(4):
        progress.episode()
    progress.episode(interrupted=True)
    now[0] += 10
    assert str(progress.standing()) == (
        "6/12 episodes, 5.0 calls/s, 8 decisions/s, 0 faults, 12 tokens, 3 retries, "
        "1 interrupted, 0:00:10 left"
    )
    hall.counters.paused = "http://a/v1 is away, tried again every 4 s"
    assert str(progress.standing()).endswith("paused: http://a/v1 is away, tried again every 4 s")


async def test_progress_writes_plain_lines_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("valuesim.engine.progress.LINE_EVERY_S", 0.01)
    stream = io.StringIO()
    progress = Progress(stream)
    progress.start(planned=5, done=0, connections=[])
    await asyncio.sleep(0.05)
    progress.finish()
    assert stream.getvalue().startswith("0/5 episodes, 0 decisions/s, 0 faults\n")
    assert "\x1b" not in stream.getvalue()


# -- manifest ----------------------------------------------------------------------------------

CONFIG: dict[str, Any] = {
    "env": {"id": "toy-v0", "level": "low"},
    "model": {"name": "m", "base_url": "http://user:word@host/v1", "temperature": 1.0},
    "engine": {"concurrency": 4},
    "run": {"name": "a"},
    "episodes": 3,
    "seed": 0,
}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def described(**changes: Any) -> dict[str, Any]:
    return manifest(CONFIG | changes, [], secrets=[], now=NOW)


def test_a_manifest_names_what_was_used() -> None:
    told = described()
    assert {"valuesim", "python", "numpy", "gymnasium", "pettingzoo"} <= set(told["versions"])
    assert told["time"]["started"] == "2026-01-01T00:00:00+00:00"
    assert told["config"]["env"] == {"id": "toy-v0", "level": "low"}


def test_a_manifest_lists_no_more_seeds_than_one_can_read() -> None:
    few, many = (
        [
            EpisodeSpec(env="toy-v0", parameters={}, population={}, elicitation={}, seed=seed)
            for seed in range(count)
        ]
        for count in (1000, 1001)
    )
    now = datetime(2026, 1, 1)
    assert manifest(CONFIG, few, secrets=(), now=now)["seeds"] == list(range(1000))
    summed = {"first": 0, "last": 1000, "count": 1001}
    assert manifest(CONFIG, many, secrets=(), now=now)["seeds"] == summed


def test_no_secret_is_written() -> None:
    config = {
        "model": {"api_key": "abc", "X-Auth-Token": "def", "max_tokens": 5},
        "extra": ["Bearer s3cret-value"],
        "api_key_env": "MY_KEY",
    }
    assert redacted(config, ["s3cret-value"]) == {
        "model": {"api_key": "REDACTED", "X-Auth-Token": "REDACTED", "max_tokens": 5},
        "extra": ["Bearer REDACTED"],
        "api_key_env": "MY_KEY",
    }


@pytest.mark.parametrize("name", ["stop_token", "eos_token", "token_type", "keyboard", "secretary"])
def test_a_setting_that_shapes_replies_is_no_secret(name: str) -> None:
    body = {"extra_body": {name: "hf-internal-testing/tiny"}}
    assert redacted(body, []) == body


@pytest.mark.parametrize(
    "changes",
    [
        {"engine": {"concurrency": 99}},
        {"run": {"name": "b"}},
        {"episodes": 30},
        {"model": CONFIG["model"] | {"base_url": "http://elsewhere/v1"}},
    ],
)
def test_a_resume_may_change_what_does_not_change_the_episodes(changes: dict[str, Any]) -> None:
    continued = resumed(described(), described(**changes))
    assert continued["config"] == described(**changes)["config"]


def later(**changes: Any) -> dict[str, Any]:
    """The same run, begun on the next day in a set-up with `changes`."""
    again = manifest(CONFIG, [], secrets=[], now=NOW.replace(day=2))
    again["sessions"][0] |= changes
    return again


def test_each_session_is_kept_with_its_time_versions_and_commit() -> None:
    twice = resumed(described(), later(commit="b" * 40))
    assert [s["started"][:10] for s in twice["sessions"]] == ["2026-01-01", "2026-01-02"]
    assert [s["commit"] for s in twice["sessions"]] == [described()["commit"], "b" * 40]
    assert twice["time"]["started"].startswith("2026-01-01")
    assert twice["commit"] == described()["commit"]
    assert len(resumed(twice, later())["sessions"]) == 3


def test_a_resume_says_which_version_or_commit_is_another() -> None:
    versions = described()["versions"] | {"valuesim": "99.0"}
    was, new = described(), "b" * 40
    told = departures(resumed(was, later(versions=versions, commit=new)))
    assert told == (
        f"valuesim 99.0 (was {was['versions']['valuesim']}), commit {new} (was {was['commit']})"
    )
    assert departures(resumed(described(), later())) is None
    assert departures(described()) is None


def test_a_run_of_a_version_that_kept_no_sessions_is_resumed() -> None:
    old = {name: kept for name, kept in described().items() if name != "sessions"}
    assert len(resumed(old, later())["sessions"]) == 2


def test_a_resume_with_other_prompts_is_refused() -> None:
    with pytest.raises(InputError, match="other prompts"):
        resumed(described() | {"prompt": "0" * 12}, described() | {"prompt": "1" * 12})


def test_any_episode_with_a_model_has_its_libraries_recorded(toy: Path) -> None:
    mixed = replace(DESIGN, groups=[{"all": "kind"}, {"all": "llm"}], model={"name": "m"})
    told = manifest(CONFIG, plan(mixed), secrets=[], now=NOW)
    assert "langchain-core" in told["versions"]
    assert "langchain-core" not in manifest(CONFIG, plan(DESIGN), secrets=[], now=NOW)["versions"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"seed": 1}, "seed=0, not 1"),
        ({"episodes": 2}, "episodes=3, not 2"),
        ({"env": {"id": "toy-v0", "level": "high"}}, "env.level='low', not 'high'"),
        ({"env": {"id": "toy-v0"}}, "env.level='low', not None"),
        ({"model": CONFIG["model"] | {"temperature": 0.5}}, "model.temperature=1.0, not 0.5"),
    ],
)
def test_a_resume_of_another_run_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        resumed(described(), described(**changes))

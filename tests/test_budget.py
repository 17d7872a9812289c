"""What a run may spend: prices, room for one more episode, and how a spent budget ends a run."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from valuesim.agents.endpoint import Counters
from valuesim.cli import main
from valuesim.cli.ending import sentence
from valuesim.config import compose
from valuesim.decision import Decision, Usage
from valuesim.engine import Summary, plan, run
from valuesim.engine.budget import Budget, Ledger
from valuesim.engine.experience import Experience, Spent, read_experience
from valuesim.engine.manifest import resumed
from valuesim.engine.prices import Price, money, price_of
from valuesim.engine.progress import Progress
from valuesim.episode import EpisodeSpec, Player, Turn, play
from valuesim.errors import InputError, Interruption, LogError
from valuesim.log import RunWriter, read_run
from valuesim.observation import Observation

MOCK = ["agents=llm", "model=mock", "env.horizon=3", "episodes=12", "engine.concurrency=4"]
PRICE = ["model.price.prompt=1", "model.price.completion=2"]


POPULATION = {"A": Player(agent="llm", model={"name": "fake"})}
SCRIPTED = {"A": Player(agent="random")}
CELLS: Mapping[str, dict[str, Any]] = {"one": {}, "other": {}}


def spec(
    seed: int, cell: str = "one", population: Mapping[str, Player] = POPULATION
) -> EpisodeSpec:
    return EpisodeSpec(
        env="toy-v0", parameters=CELLS[cell], population=population, elicitation={}, seed=seed
    )


class Books:
    """A ledger with a model whose spending is written by hand, and a clock that is set by hand."""

    def __init__(self, budget: Budget, before: Experience | None = None) -> None:
        self.now = 0.0
        self.counters = SimpleNamespace(usage=Usage(), calls=1)
        model = {"A": SimpleNamespace(counters=self.counters)}
        self.ledger = Ledger(budget, model, before or Experience(), clock=lambda: self.now)

    def play(self, seed: int, tokens: int, *, to_its_end: bool = True) -> None:
        """Begin an episode that spends `tokens`, and end it unless told otherwise."""
        self.play_one(spec(seed), tokens, to_its_end=to_its_end)

    def play_one(self, each: EpisodeSpec, tokens: int, *, to_its_end: bool = True) -> None:
        usage = Usage(prompt_tokens=tokens)
        made = Decision(agent="A", step=0, option="X", usage=usage)
        self.ledger.begin(each)
        turn = Turn(observations={}, decisions={"A": made}, effects={}, payoffs={})
        self.ledger.turn(each.id, turn)
        self.counters.usage += usage
        if to_its_end:
            self.ledger.end(each, steps=1)


# -- prices ------------------------------------------------------------------------------------


def test_a_price_tells_prompts_completions_and_cached_prompts_apart() -> None:
    used = Usage(prompt_tokens=3_000_000, completion_tokens=500_000, cached_tokens=1_000_000)
    assert Price(prompt=2, completion=8, cached=0.5).of(used) == 2 * 2 + 0.5 + 4
    assert Price(prompt=2, completion=8).of(used) == 3 * 2 + 4


@pytest.mark.parametrize(
    ("settings", "prompt"),
    [
        ({"provider": "mock", "name": "mock"}, 0),
        ({"provider": "chat", "name": "openai:gpt-5-mini"}, 0.25),
        ({"provider": "chat", "name": "openai:gpt-5-mini-2025-08-07"}, 0.25),
        ({"provider": "chat", "name": "openai:gpt-4o-2024-08-06"}, 2.5),
        ({"provider": "chat", "name": "anthropic:claude-opus-4-5-20251101"}, 5),
        ({"provider": "chat", "name": "openai:gpt-5-mini", "price": {}}, 0.25),
        ({"provider": "vllm", "name": "x", "price": {"prompt": 3, "completion": 1}}, 3),
    ],
)
def test_a_price_is_the_settings_own_or_the_tables(
    settings: Mapping[str, Any], prompt: float
) -> None:
    price = price_of(settings)
    assert price is not None
    assert price.prompt == prompt


@pytest.mark.parametrize("name", ["openai:gpt-5-mini-turbo", "openai:gpt-5-minimal", "gpt-5-mini"])
def test_a_model_that_only_sounds_like_another_has_no_price(name: str) -> None:
    assert price_of({"provider": "chat", "name": name}) is None


@pytest.mark.parametrize(
    ("price", "told"),
    [
        ({"prompt": 1}, "model.price.completion is missing"),
        ({"prompt": -1, "completion": 1}, "model.price.prompt is -1"),
        ({"prompt": 1, "completion": float("inf")}, "model.price.completion is inf"),
        ({"prompt": 1, "completion": 1, "total": 2}, "'total'"),
        (3, "model.price is 3"),
    ],
)
def test_a_price_that_is_none_is_refused(price: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        price_of({"provider": "vllm", "name": "x", "price": price})


def test_a_price_names_no_episode_and_may_differ_on_resume() -> None:
    plain, priced = (compose([*MOCK, *more]) for more in ([], PRICE))
    assert plain.design() == priced.design()
    stored = {"config": plain.resolved(), "prompt": None}
    del stored["config"]["model"]["price"]
    assert resumed(stored, {"config": priced.resolved(), "prompt": None, "sessions": []})


class Teller:
    """A model whose every reply used the same tokens; the first `cut` of them get lost."""

    def __init__(self, usage: Usage, cut: int = 0) -> None:
        self.usage = usage
        self.cut = cut
        self.counters = Counters()

    def agent(self, role: str, seed: int, *_: object) -> Teller:
        return self

    async def decide(self, observation: Observation) -> Decision:
        self.counters.calls += 1
        await asyncio.sleep(0)
        self.counters.usage += self.usage
        if self.cut:
            self.cut -= 1
            raise Interruption("the server is down")
        step, option = observation.step, observation.options[0].name
        return Decision(agent=observation.agent, step=step, option=option, usage=self.usage)

    async def close(self) -> None: ...


async def test_cached_tokens_stand_in_the_log_where_there_are_some(tmp_path: Path) -> None:
    design = replace(compose([*MOCK, "episodes=1"]).design(), elicitation={})
    plain = {"prompt_tokens": 10, "completion_tokens": 2, "reasoning_tokens": 0}
    for cached in (0, 4):
        specs, folder = plan(design), tmp_path / str(cached)
        teller = Teller(Usage(prompt_tokens=10, completion_tokens=2, cached_tokens=cached))
        with RunWriter(folder) as writer:
            writer.describe({})
            roles = dict.fromkeys(specs[0].population, teller)
            progress = Progress(io.StringIO(), "none")
            summary = await run(specs, writer, roles, concurrency=1, progress=progress)
        first = json.loads((folder / "decisions.jsonl").read_text().splitlines()[0])
        assert first["decision"]["usage"] == plain | ({"cached_tokens": 4} if cached else {})
        assert read_experience(folder, specs, {}).total.tokens == 12 * summary.decisions
        assert summary.usage.cached_tokens == cached * summary.decisions


# -- room --------------------------------------------------------------------------------------


def test_the_first_episode_is_played_alone_to_learn_what_one_takes() -> None:
    books = Books(Budget(tokens=1000))
    assert books.ledger.has_room(spec(99))
    books.play(0, tokens=50, to_its_end=False)
    assert not books.ledger.has_room(spec(99))
    books.ledger.end(spec(0), steps=1)
    assert books.ledger.has_room(spec(99))


def test_without_a_budget_there_is_always_room() -> None:
    books = Books(Budget())
    books.play(0, tokens=10**9, to_its_end=False)
    assert books.ledger.has_room(spec(99))
    assert not books.ledger.refusal(spec(99))


def test_each_episode_under_way_is_reserved_what_finished_ones_took() -> None:
    books = Books(Budget(tokens=500))
    books.play(0, tokens=100)
    for seed in range(1, 4):
        assert books.ledger.has_room(spec(99))
        books.play(seed, tokens=10, to_its_end=False)
    # 100 and 3 x 10 are spent, 3 x 90 are still to come, one more takes 100: that is all there is
    assert books.ledger.has_room(spec(99))
    books.play(4, tokens=10, to_its_end=False)
    assert not books.ledger.has_room(spec(99))
    assert not books.ledger.refusal(spec(99))
    # those under way took less than they were reserved
    for seed in range(1, 5):
        books.ledger.end(spec(seed), steps=1)
    assert books.ledger.has_room(spec(99))


def test_a_budget_without_room_for_another_episode_says_so() -> None:
    books = Books(Budget(tokens=250))
    books.play(0, tokens=100)
    books.play(1, tokens=100)
    assert books.ledger.refusal(spec(99)) == (
        "engine.max_tokens=250 has no room for another episode: 200 tokens spent in all, an "
        "episode takes 100 tokens (a larger budget goes on)"
    )


def test_what_earlier_sessions_spent_counts() -> None:
    before = Experience()
    before.add(None, 1, Spent(tokens=900))
    assert Books(Budget(tokens=1000), before).ledger.refusal(spec(99))
    assert not Books(Budget(tokens=1800), before).ledger.refusal(spec(99))


def test_an_interrupted_episode_spends_and_is_no_measure_of_others() -> None:
    books = Books(Budget(tokens=1000))
    books.play(0, tokens=10, to_its_end=False)
    books.ledger.end(spec(0), steps=None)
    books.play(1, tokens=500)
    assert "510 tokens spent in all, an episode takes 500" in books.ledger.refusal(spec(99))


def test_after_an_interrupted_first_episode_the_next_is_played_alone_too() -> None:
    books = Books(Budget(tokens=4000))
    books.play(0, tokens=1200, to_its_end=False)
    books.ledger.end(spec(0), steps=None)
    assert books.ledger.has_room(spec(1))
    books.play(1, tokens=100, to_its_end=False)
    assert not books.ledger.has_room(spec(2))
    books.ledger.end(spec(1), steps=1)
    assert books.ledger.has_room(spec(2))


@pytest.mark.parametrize("is_in_a_step", [False, True])
def test_what_an_interrupted_episode_spent_another_takes_at_least(*, is_in_a_step: bool) -> None:
    books = Books(Budget(tokens=2000))
    if is_in_a_step:
        books.ledger.begin(spec(0))
        books.counters.usage += Usage(prompt_tokens=1200)
    else:
        books.play(0, tokens=1200, to_its_end=False)
    books.ledger.end(spec(0), steps=None)
    assert "1,200 tokens spent in all, an episode takes 1,200" in books.ledger.refusal(spec(1))


def test_each_cell_has_a_mean_of_its_own_and_a_new_one_the_largest() -> None:
    books = Books(Budget(tokens=1000))
    long = spec(0, "other")
    books.play(1, tokens=10)
    assert books.ledger.has_room(long)
    books.play_one(long, tokens=600)
    assert not books.ledger.has_room(spec(2, "other"))
    assert books.ledger.refusal(spec(2, "other"))
    assert books.ledger.has_room(spec(3))
    new = {"A": Player(agent="llm", model={"name": "another"})}
    assert "an episode takes 600" in books.ledger.refusal(spec(4, population=new))


def test_the_first_episode_of_a_cell_is_the_only_one_of_it_under_way() -> None:
    books = Books(Budget(tokens=1000))
    books.play(0, tokens=10)
    books.play_one(spec(1, "other"), tokens=10, to_its_end=False)
    assert not books.ledger.has_room(spec(2, "other"))
    assert books.ledger.has_room(spec(3))


def test_episodes_without_a_model_are_reserved_nothing_and_wait_for_none() -> None:
    books = Books(Budget(tokens=1000))
    scripted = [spec(seed, population=SCRIPTED) for seed in range(3)]
    books.ledger.begin(scripted[0])
    assert books.ledger.has_room(spec(0))
    books.play(0, tokens=900, to_its_end=False)
    assert books.ledger.has_room(scripted[1])
    books.ledger.end(scripted[0], steps=1)
    assert not books.ledger.has_room(spec(1))
    books.ledger.end(spec(0), steps=1)
    assert books.ledger.has_room(scripted[1])


def test_looking_back_on_an_episode_is_part_of_what_it_takes() -> None:
    books = Books(Budget(tokens=1000, prices={"A": Price(prompt=4, completion=4)}))
    books.play(0, tokens=100, to_its_end=False)
    books.ledger.left(spec(0), Usage(prompt_tokens=300))
    books.counters.usage += Usage(prompt_tokens=300)
    books.ledger.end(spec(0), steps=1)
    mean = books.ledger.experience.expected(spec(1))
    assert (mean.tokens, mean.dollars) == (400, pytest.approx(0.0016))


def test_dollars_are_counted_by_the_prices_of_each_model() -> None:
    books = Books(Budget(dollars=0.001, prices={"A": Price(prompt=4, completion=4)}))
    books.play(0, tokens=200)
    assert "$0.0008 spent in all, an episode takes $0.0008" in books.ledger.refusal(spec(99))


def test_a_server_that_tells_no_tokens_cannot_be_kept_to_a_budget() -> None:
    books = Books(Budget(tokens=1000))
    books.play(0, tokens=0)
    assert "does not say how many tokens it used" in books.ledger.refusal(spec(99))


def test_a_server_is_not_silent_whose_first_reply_is_still_to_come() -> None:
    books = Books(Budget(tokens=1000))
    books.ledger.begin(spec(0))
    books.play_one(spec(0, population=SCRIPTED), tokens=0)
    assert not books.ledger.refusal(spec(1))


def test_a_server_is_not_silent_whose_replies_come_from_a_cache() -> None:
    books = Books(Budget(tokens=1000))
    books.play(0, tokens=50)
    # what is replayed has the tokens that it once took, and spends none
    books.counters.usage = Usage()
    assert not books.ledger.refusal(spec(1))


def test_hours_leave_time_for_the_last_episode_to_end() -> None:
    books = Books(Budget(hours=1.0))
    books.ledger.begin(spec(0))
    books.now = 600.0
    books.ledger.end(spec(0), steps=1)
    books.now = 2900.0
    assert not books.ledger.refusal(spec(99))
    books.now = 3000.0
    assert books.ledger.refusal(spec(99)).startswith("engine.max_hours=1 is over but for 600 s")
    assert books.ledger.seconds_left == 600.0


# -- runs --------------------------------------------------------------------------------------


def tokens(folder: Path) -> int:
    """Return what the finished episodes of a run used."""
    each = (episode.usage for episode in read_run(folder).episodes.values())
    return sum(usage["prompt_tokens"] + usage["completion_tokens"] for usage in each)


def lines(folder: Path) -> list[str]:
    return sorted((folder / "episodes.jsonl").read_text().splitlines())


async def spent_by(folder: Path, teller: Teller, budget: Budget, *overrides: str) -> int:
    """Return the tokens of a run on 32 seats whose models are all `teller`."""
    few = compose(["model=mock", "env.horizon=3", *overrides]).design()
    specs = plan(replace(few, elicitation={}))
    progress = Progress(io.StringIO(), "none")
    roles = dict.fromkeys(specs[0].population, teller)
    with RunWriter(folder) as writer:
        writer.describe({})
        summary = await run(specs, writer, roles, concurrency=32, progress=progress, budget=budget)
    assert "has no room for another episode" in summary.spent
    return summary.usage.prompt_tokens


async def test_an_interrupted_first_episode_lets_no_others_begin_unlearnt(tmp_path: Path) -> None:
    teller = Teller(Usage(prompt_tokens=100), cut=4)
    budget = Budget(tokens=2000)
    assert 400 < await spent_by(tmp_path, teller, budget, "agents=llm", "episodes=32") <= 2000


async def test_scripted_cells_do_not_lower_what_episodes_of_a_model_take(tmp_path: Path) -> None:
    teller = Teller(Usage(prompt_tokens=100))
    mixed = ["agents.all=[random,llm]", "episodes=32"]
    spent = await spent_by(tmp_path, teller, Budget(tokens=10_000), *mixed)
    assert 8000 < spent <= 10_000


def test_a_spent_budget_ends_a_run_below_it_and_a_larger_one_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    cut = tmp_path / "runs/cut"
    assert main(["run", *MOCK, "run.name=whole"]) == 0
    assert main(["run", *MOCK, "run.name=cut", "engine.max_tokens=40000"]) == 1
    told = capsys.readouterr()
    assert "stopped: engine.max_tokens=40000 has no room for another episode: " in told.out
    assert "not finished; to go on: valuesim run agents=llm" in told.err
    finished = len(read_run(cut).episodes)
    assert 30_000 < tokens(cut) <= 40_000
    assert not read_run(cut).interrupted
    assert main(["run", *MOCK, "run.name=cut", "engine.max_tokens=40000"]) == 1
    assert len(read_run(cut).episodes) == finished
    assert main(["run", *MOCK, "run.name=cut", "engine.max_tokens=10000000"]) == 0
    assert lines(cut) == lines(tmp_path / "runs/whole")


def test_a_run_tells_what_it_spent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    few = [*MOCK[:3], "episodes=2", *PRICE, "run.name=a"]
    assert main(["run", *few, "--json", "end.json"]) == 0
    ended = json.loads(Path("end.json").read_text())
    used = ended["usage"]
    cost = (used["prompt_tokens"] + 2 * used["completion_tokens"]) / 1e6
    assert ended["cost"] == pytest.approx(cost)
    # the probe before the first episode is no part of any
    assert used["prompt_tokens"] + used["completion_tokens"] > tokens(Path("runs/a"))
    assert f" tokens, {money(cost)}" in capsys.readouterr().out
    (session,) = read_run(Path("runs/a")).config["sessions"]
    assert session["spent"]["prompt_tokens"] == used["prompt_tokens"]
    assert session["spent"]["dollars"] == ended["cost"]


def test_a_cost_budget_without_a_price_is_refused_before_anything_is_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    unknown = ["agents=llm", "model=vllm", "model.name=mine", "engine.max_cost=1"]
    for command in (["run", *unknown], ["run", "-m", *unknown, "env.scarcity=low,high"]):
        assert main(command) == 2
        assert "engine.max_cost needs a price" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("key", "given", "told"),
    [
        ("usage", {"prompt_tokens": None}, "prompt_tokens=None is not a count"),
        ("usage", None, "a field of it is of another type"),
        ("steps", "three", "steps='three' is not a count"),
    ],
)
def test_an_episode_whose_usage_is_none_names_its_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    key: str,
    given: Any,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    few = [*MOCK[:3], "episodes=2", "run.name=a"]
    assert main(["run", *few]) == 0
    log = Path("runs/a/episodes.jsonl")
    first, *others = log.read_text().splitlines()
    log.write_text("\n".join([json.dumps(json.loads(first) | {key: given}), *others, ""]))
    with pytest.raises(LogError, match=f"episodes.jsonl, line 1 is not an episode: {told}"):
        read_experience(Path("runs/a"), [], {})
    capsys.readouterr()
    assert main(["run", *few, "episodes=3"]) == 1
    assert "a bug" not in capsys.readouterr().err


def test_a_run_that_a_bug_ends_keeps_what_it_spent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def broken(*arguments: Any) -> Any:
        await play(*arguments)
        raise KeyError("mood")

    monkeypatch.setattr("valuesim.engine.schedule.play", broken)
    assert main(["run", *MOCK[:3], *PRICE, "episodes=1", "run.name=a"]) == 1
    (session,) = read_run(Path("runs/a")).config["sessions"]
    assert session["spent"]["prompt_tokens"] > 1000
    assert session["spent"]["dollars"] > 0


def test_money_is_told_as_money() -> None:
    told = sentence(
        Summary(planned=1, finished=1, played=1, usage=Usage(prompt_tokens=5), cost=12340.0),
        Path("runs/a"),
    )
    assert told.endswith("; 5 tokens, $12,340.00")


@pytest.mark.parametrize("setting", ["max_tokens=0", "max_cost=-1", "max_hours=0"])
def test_a_budget_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "agents=random", f"engine.{setting}"]) == 2


def test_hours_that_are_over_begin_no_episode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", *MOCK, "run.name=a", "engine.max_hours=1e-9"]) == 1
    assert "stopped: engine.max_hours=1e-09 is over" in capsys.readouterr().out
    assert not read_run(Path("runs/a")).episodes


def test_adaptive_asking_with_a_spent_budget_goes_on_as_if_it_never_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["env=daily", "agents=llm", "model=mock", "asking=adaptive", "asking.pool=131"]
    few = [*asked, "asking.budget=24", "asking.batch=8"]
    assert main(["run", *few, "run.name=whole"]) == 0
    assert main(["run", *few, "run.name=cut", "engine.max_tokens=3000"]) == 1
    told = capsys.readouterr().out
    assert "stopped: engine.max_tokens=3000 has no room" in told
    assert "cut off after" in told
    assert 0 < tokens(Path("runs/cut")) <= 3000
    assert main(["run", *few, "run.name=cut"]) == 0
    assert lines(Path("runs/cut")) == lines(Path("runs/whole"))


def test_where_prices_differ_a_folders_cost_is_that_of_each_role(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", *MOCK[:3], "episodes=2", "run.name=a"]) == 0
    run = read_run(Path("runs/a"))
    roles = ("Alpha", "Beta", "Gamma", "Delta")
    free = Price(prompt=0, completion=0)
    dear = dict.fromkeys(roles, free) | {"Beta": Price(prompt=10, completion=10)}
    read = read_experience(Path("runs/a"), [], dear)
    beta = [decision.usage for decision in run.decisions() if decision.role == "Beta"]
    spent = sum(usage["prompt_tokens"] + usage["completion_tokens"] for usage in beta)
    assert read.finished == 2
    assert read.total.tokens == tokens(Path("runs/a"))
    assert read.total.dollars == pytest.approx(10 * spent / 1e6)

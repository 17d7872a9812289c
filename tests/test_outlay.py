"""What all sessions of a run have spent, also where one was killed before it told."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from valuesim.cli import main
from valuesim.cli.bench import _spent
from valuesim.cli.job import FINISHED, JobRecord
from valuesim.cli.job_row import row_of
from valuesim.config import compose
from valuesim.engine.outlay import outlay
from valuesim.engine.prices import Price
from valuesim.errors import LogError
from valuesim.log import read_run
from valuesim.suites.definition import words
from valuesim.suites.making import _spending

PRICE = ["model.price.prompt=1", "model.price.completion=2"]
MOCK = ["agents=llm", "model=mock", "env.horizon=3", "episodes=2", *PRICE]


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of two episodes in which a model played."""
    monkeypatch.chdir(tmp_path)
    assert main(["run", *MOCK, "run.name=a"]) == 0
    return Path("runs/a")


def cut_off(run: Path) -> None:
    """Leave `run` as a session that is killed does: without what the session spent."""
    described = yaml.safe_load((run / "run.yaml").read_text())
    assert described["sessions"][-1].pop("spent")
    (run / "run.yaml").write_text(yaml.safe_dump(described))


def logged(run: Path) -> int:
    each = [episode.usage for episode in read_run(run).episodes.values()]
    return sum(usage["prompt_tokens"] + usage["completion_tokens"] for usage in each)


def test_a_killed_session_is_no_session_that_spent_nothing(played: Path) -> None:
    whole = outlay(read_run(played))
    assert whole is not None
    assert (whole.untold, whole.dollars) == (0, pytest.approx(whole.told))
    cut_off(played)
    cut = outlay(read_run(played))
    assert cut is not None
    assert (cut.untold, cut.dollars, cut.tokens) == (1, None, logged(played))
    least = cut.least(Price(prompt=1.0, completion=2.0))
    assert 0 < least.dollars < whole.told
    assert main(["run", *MOCK, "episodes=3", "run.name=a"]) == 0
    more = outlay(read_run(played))
    assert more is not None
    assert (more.untold, more.dollars, more.tokens) == (1, None, logged(played))
    assert 0 < more.told < more.least(Price(prompt=1.0, completion=2.0)).dollars


def test_a_killed_session_is_told_in_the_row_the_card_and_the_budget(played: Path) -> None:
    cut_off(played)
    row = row_of(played, JobRecord(name="a", status=FINISHED))
    assert (row.tokens, row.dollars, row.untold) == (logged(played), None, 1)
    run = read_run(played)
    card = _spending([run], list(run.decisions()))
    assert (card.dollars, card.why) == (None, words()["cut_off"])
    assert card.prompt_tokens + card.completion_tokens == logged(played)
    tokens, dollars = _spent(Path("runs"), {"a": compose(MOCK), "never": compose(MOCK)})
    assert tokens == logged(played)
    assert dollars > 0


def test_a_session_with_nothing_left_to_play_spent_nothing(played: Path) -> None:
    before = outlay(read_run(played))
    assert main(["run", *MOCK, "run.name=a"]) == 0
    assert len(read_run(played).config["sessions"]) == 2
    assert outlay(read_run(played)) == before


def test_where_no_model_plays_nothing_was_spent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "agents=random", "episodes=1", "run.name=a"]) == 0
    assert outlay(read_run(Path("runs/a"))) is None


def test_what_is_no_count_names_the_run(played: Path) -> None:
    described = yaml.safe_load((played / "run.yaml").read_text())
    described["sessions"][-1]["spent"]["prompt_tokens"] = "x"
    (played / "run.yaml").write_text(yaml.safe_dump(described))
    with pytest.raises(LogError, match=r"runs/a tells prompt_tokens='x' of what was spent"):
        outlay(read_run(played))

"""Many episodes against a server with every fault there is: none is lost, none counted twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from valuesim.cli import main
from valuesim.log import read_run

KEY = "key-never-to-be-written"
RATE = 0.3
MOST_RESUMES = 30


def assert_whole(folder: Path, planned: int) -> None:
    """Every episode is finished or listed as interrupted, and each decision stands there once."""
    run = read_run(folder)
    open_ones = {record.episode for record in run.interrupted if record.is_open}
    assert len(run.episodes) + len(open_ones) == planned
    assert not run.episodes.keys() & open_ones
    counted = Counter((d.episode.id, d.step, d.role) for d in run.decisions())
    assert set(counted.values()) <= {1}
    told = {episode.id: episode.decisions for episode in run.episodes.values()}
    assert Counter(id for id, _, _ in counted) == told


def assert_no_key(folder: Path) -> None:
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert len(written) >= 5
    assert [path for path in written if KEY.encode() in path.read_bytes()] == []


@pytest.mark.parametrize(
    "episodes", [24, pytest.param(500, marks=pytest.mark.faults)], ids=["few", "many"]
)
async def test_a_faulty_server_interrupts_and_resumes_complete_every_episode_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    serve: Callable[..., Any],
    fault_server: Any,
    episodes: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VALUESIM_API_KEY", KEY)
    rate = RATE / len(fault_server.MIXED)
    server = await serve(faults=dict.fromkeys(fault_server.MIXED, rate), seed=3, slow_s=0.05)
    served = ["agents=llm", "model=vllm", "model.name=tiny", f"model.base_url={server.url}"]
    limits = ["model.retries=1", "model.timeout_s=0.5", "model.down_after=100000"]
    design = ["env.horizon=2", f"episodes={episodes}", "run.name=faulty"]
    folder = tmp_path / "runs/faulty"
    codes: list[int] = []
    while 0 not in codes:
        assert len(codes) < MOST_RESUMES
        codes.append(await asyncio.to_thread(main, ["run", *served, *limits, *design]))
        assert_whole(folder, episodes)
    assert codes[0] == 1
    assert len(read_run(folder).episodes) == episodes
    kinds = set(server.counts) & set(fault_server.MIXED)
    assert kinds == set(fault_server.MIXED) or episodes < 500
    assert_no_key(tmp_path)
    told = capsys.readouterr()
    assert KEY not in told.out + told.err

"""A question is worked out in a process of its own, which may end without an answer."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("fastapi")

from valuesim.errors import LogError
from valuesim.replay.understanding import working


@pytest.mark.parametrize(
    ("ends", "told"),
    [("raise AssertionError('planted')", "a bug"), ("os.kill(os.getpid(), 9)", "memory")],
)
def test_a_process_that_ends_without_an_answer_says_whether_it_failed_or_was_killed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], ends: str, told: str
) -> None:
    def started() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", f"import os; {ends}"]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    monkeypatch.setattr(working, "_started", started)
    with pytest.raises(LogError, match=told):
        working.worked_out({"kind": "graph"}, lambda *_: None, lambda: True)
    assert ("planted" in capfd.readouterr().err) == (told == "a bug")

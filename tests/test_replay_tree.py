"""The tree of an episode: what it comes from and what leaves it, whatever its run.yaml may say."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("duckdb")

import orjson
import yaml
from fastapi.testclient import TestClient

from valuesim.cli import main
from valuesim.errors import Interruption
from valuesim.log import read_run
from valuesim.replay.branching.branch import Told, branch, parent_of
from valuesim.replay.branching.fork import changes_of
from valuesim.replay.branching.lineage import DEEPEST, MOST, brief, family
from valuesim.replay.indexing.naming import id_of
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.security import Access
from valuesim.replay.server import create_app

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HERE = "http://127.0.0.1:8765"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of two episodes of survival."""
    folder = tmp_path_factory.mktemp("played")
    given = ["env=survival", "env.horizon=5", "agents=[random]", "episodes=2"]
    assert main(["run", *given, f"run.name={folder / 'daily'}"]) == 0
    return folder


@pytest.fixture
def root(played: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(played, tmp_path / "shown"))


@pytest.fixture
def first(root: Path) -> str:
    return next(iter(read_run(root / "daily").episodes))


def leave(root: Path, run: Path, step: int, told: Told | None = None, **changes: Any) -> Path:
    """Leave the first episode of `run` at `step`; return the branch's folder."""
    episode = next(iter(read_run(run).episodes))
    parent = parent_of(run, episode)
    return asyncio.run(branch(root, parent, step, changes_of(changes), now=NOW, on_turn=told))


def fake(root: Path, name: str, parent: Mapping[str, Any]) -> str:
    """Make a branch of nothing but a run.yaml that says what it leaves; return its run's id."""
    folder = root / "branches" / name
    folder.mkdir(parents=True)
    (folder / "run.yaml").write_text(yaml.safe_dump({"config": {}, "parent": parent}))
    return id_of(f"branches/{name}")


def told(root: Path, run: str, episode: str) -> dict[str, Any]:
    answer = TestClient(create_app(Shelf(root), Access()), base_url=HERE).get(
        f"/api/branches/{id_of(run)}/{episode}"
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_an_episode_that_nothing_leaves_stands_alone(root: Path, first: str) -> None:
    node = told(root, "daily", first)["root"]
    assert (node["episode"], node["is_here"], node["step"]) == (first, True, None)
    assert (node["branches"], node["state"], node["changes"]) == ([], "finished", {})


def test_branches_of_branches_stand_below_what_they_leave(root: Path, first: str) -> None:
    near = leave(root, root / "daily", 1, world={"shared": 3})
    far = leave(root, near, 3, seed=7)
    late = leave(root, root / "daily", 2, seed=9)
    found = told(root, f"branches/{far.name}", far.name)["root"]
    assert (found["run"], found["episode"], found["is_here"]) == (id_of("daily"), first, False)
    assert [(each["step"], each["episode"]) for each in found["branches"]] == [
        (1, near.name),
        (2, late.name),
    ]
    (below,) = found["branches"][0]["branches"]
    assert (below["episode"], below["step"], below["is_here"]) == (far.name, 3, True)
    assert (below["changes"], below["state"]) == ({"seed": 7}, "finished")
    assert below["steps"] >= 3


def test_the_tree_of_one_episode_holds_no_other(root: Path, first: str) -> None:
    leave(root, root / "daily", 1, seed=3)
    other = list(read_run(root / "daily").episodes)[1]
    assert told(root, "daily", other)["root"]["branches"] == []
    assert len(told(root, "daily", first)["root"]["branches"]) == 1


def test_branches_are_found_from_a_folder_above_the_one_they_were_made_in(
    root: Path, first: str
) -> None:
    made = leave(root, root / "daily", 1, seed=3)
    shelf = Shelf(root.parent)
    (node,) = family(shelf, id_of("shown/daily"), first)["root"]["branches"]
    assert node["run"] == id_of(f"shown/branches/{made.name}")
    answer = TestClient(create_app(shelf, Access()), base_url=HERE).get(
        f"/api/episodes/{node['run']}/{node['episode']}"
    )
    assert answer.json()["parent"]["run"] == id_of("shown/daily")


def test_one_that_was_cut_off_says_why(root: Path, first: str) -> None:
    def gone(_: object) -> None:
        raise Interruption("the server of b is gone")

    with pytest.raises(Interruption):
        leave(root, root / "daily", 1, told=gone, seed=3)
    (node,) = told(root, "daily", first)["root"]["branches"]
    assert (node["state"], node["reason"]) == ("interrupted", "the server of b is gone")
    assert node["steps"] is None


def test_a_branch_that_is_being_played_is_told_as_unfinished(root: Path, first: str) -> None:
    run = fake(root, "ab", {"run": "daily", "episode": first, "step": 1, "changes": {"seed": 1}})
    (node,) = told(root, "daily", first)["root"]["branches"]
    assert (node["run"], node["state"], node["steps"]) == (run, "unfinished", None)


def test_what_is_not_there_is_not_found(root: Path) -> None:
    client = TestClient(create_app(Shelf(root), Access()), base_url=HERE)
    for place in ("0/0", f"{id_of('daily')}/nothing", f"{id_of('daily')}", "a/b/c"):
        assert client.get(f"/api/branches/{place}").status_code == 404


def test_a_branch_whose_parent_is_gone_is_the_root_and_keeps_its_step(root: Path) -> None:
    fake(root, "ab", {"run": "gone", "episode": "e", "step": 4, "changes": {}})
    node = told(root, "branches/ab", "ab")["root"]
    assert (node["episode"], node["step"], node["is_here"]) == ("ab", 4, True)


def test_branches_that_leave_each_other_end(root: Path) -> None:
    said = {"step": 1, "changes": {}}
    fake(root, "ab", {"run": "branches/cd", "episode": "cd", **said})
    fake(root, "cd", {"run": "branches/ab", "episode": "ab", **said})
    fake(root, "own", {"run": "branches/own", "episode": "own", **said})
    node = told(root, "branches/ab", "ab")["root"]
    assert [node["episode"], node["branches"][0]["episode"]] == ["cd", "ab"]
    assert node["branches"][0]["branches"] == []
    assert told(root, "branches/own", "own")["root"]["branches"] == []


def test_a_row_of_branches_without_end_is_told_to_some_depth(root: Path) -> None:
    for place in range(DEEPEST + 40):
        above = {"run": f"branches/b{place - 1}", "episode": f"b{place - 1}"}
        fake(root, f"b{place}", {**above, "step": 1, "changes": {"world": {"shared": 1}}})
    last = f"b{DEEPEST + 39}"
    node, deep = told(root, f"branches/{last}", last)["root"], 0
    while node["branches"]:
        node, deep = node["branches"][0], deep + 1
    assert (node["episode"], node["is_here"], deep) == (last, True, DEEPEST)


def test_of_too_many_branches_the_rest_is_counted(
    root: Path, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("valuesim.replay.branching.lineage.MOST", 4)
    assert MOST > 4
    for place in range(6):
        fake(root, f"b{place}", {"run": "daily", "episode": first, "step": place, "changes": {}})
    found = told(root, "branches/b5", "b5")
    assert (len(found["root"]["branches"]), found["left_out"]) == (3, 3)
    # the one that is asked for is never among those left out
    assert any(each["is_here"] for each in found["root"]["branches"])


@pytest.mark.parametrize(
    "parent",
    [
        {"run": "daily"},
        {"run": "daily", "episode": ["x"], "step": 1},
        {"run": "daily", "episode": "x", "step": -1},
        {"run": "daily", "episode": "x", "step": "1"},
        {"run": "daily", "episode": "x", "step": True},
        {"run": {"a": 1}, "episode": "x", "step": 1, "changes": "none"},
        {"run": "../../etc", "episode": "x", "step": 1, "changes": [1]},
        {"run": "/etc", "episode": "x\x00", "step": 1, "changes": {}},
    ],
)
def test_a_parent_of_another_shape_breaks_no_tree(
    root: Path, first: str, parent: dict[str, Any]
) -> None:
    fake(root, "odd", parent)
    assert told(root, "daily", first)["root"]["branches"] == []


def test_huge_and_deep_changes_are_cut(root: Path, first: str) -> None:
    deep: Any = "x" * 100_000
    for _ in range(60):
        deep = {"<script>": [deep]}
    wide = {f"power {n}": n for n in range(5000)}
    changes = {"messages": {"Alpha": "y" * 1_000_000}, "players": deep, "world": wide}
    fake(root, "huge", {"run": "daily", "episode": first, "step": 1, "changes": changes})
    (node,) = told(root, "daily", first)["root"]["branches"]
    assert len(orjson.dumps(node)) < 100_000
    assert node["changes"]["messages"]["Alpha"] == "y" * 300


def test_short_changes_are_told_as_they_are() -> None:
    changes = {"moves": {"Alpha": {"option": "tap", "arguments": {"amount": 2.5}}}, "seed": 4}
    assert brief(changes) == changes
    assert brief({"at": NOW, 3: None, "list": [True]}) == {"at": "...", "3": None, "list": [True]}

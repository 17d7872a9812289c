"""The branches below a path: which episode each leaves, what was changed, how far it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from valuesim.errors import LogError
from valuesim.log import read_run
from valuesim.log.pool import BRANCHES, PARENT, is_branch

State = Literal["finished", "interrupted", "unfinished"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Branch:
    """One branch: its id, which is its episode's, and what it leaves.

    `run` and `parent_run` are paths below what is shown. `reason` says why it was interrupted; an
    unfinished one is being played, or was cut off by a kill. `branches` are those that leave it.
    """

    id: str
    run: str
    parent_run: str
    parent_episode: str
    step: int
    changes: Mapping[str, Any]
    state: State
    reason: str | None = None
    branches: Sequence[Branch] = ()


def branch_folders(root: Path) -> list[Path]:
    """Return the folders of the branches below `root`, sorted; links that lead out are left out."""
    below = root / BRANCHES
    if not below.is_dir():
        return []
    inside = root.resolve()
    return [
        each
        for each in sorted(below.iterdir())
        if each.resolve().is_relative_to(inside)
        and (each / "run.yaml").is_file()
        and is_branch(each)
    ]


def branches_of(root: Path) -> list[Branch]:
    """Return the branches below `root` that leave runs, each with those that leave it.

    Raises LogError for a branch that cannot be read.
    """
    found = [_branch(root, folder) for folder in branch_folders(root)]
    runs = {each.run for each in found}
    return [_grown(each, found) for each in found if each.parent_run not in runs]


def _grown(branch: Branch, found: Iterable[Branch]) -> Branch:
    # an id is made of its parent's, so that none can stand below itself but by a stranger's hand
    others = [each for each in found if each is not branch]
    own = [_grown(each, others) for each in others if each.parent_run == branch.run]
    return Branch(
        **{name: getattr(branch, name) for name in Branch.__dataclass_fields__} | {"branches": own}
    )


def _branch(root: Path, folder: Path) -> Branch:
    run = read_run(folder)
    said = run.config[PARENT]
    try:
        told: dict[str, Any] = {
            "parent_run": str(said["run"]),
            "parent_episode": str(said["episode"]),
            "step": int(said["step"]),
            "changes": dict(said["changes"]),
        }
    except (KeyError, TypeError, ValueError) as error:
        raise LogError(f"{folder / 'run.yaml'} does not say which episode it leaves") from error
    last = run.interrupted[-1] if run.interrupted else None
    state: State = "finished" if run.episodes else "interrupted" if last else "unfinished"
    return Branch(
        id=folder.name,
        run=folder.relative_to(root).as_posix(),
        state=state,
        reason=last.reason if last is not None and state == "interrupted" else None,
        **told,
    )

"""Where packs come from: those shipped beside this module, and files."""

from __future__ import annotations

import os
from dataclasses import replace
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from valuesim.envs.dilemmas.checking import pack_of
from valuesim.envs.dilemmas.format import Problem
from valuesim.envs.dilemmas.generator import GENERATED, generated_pack
from valuesim.envs.dilemmas.pack import Pack
from valuesim.envs.dilemmas.reading import SUFFIXES, Node, Unreadable, read_tree
from valuesim.errors import InputError, unknown

PACKS = Path(__file__).parent / "packs"


def shipped_packs() -> tuple[str, ...]:
    """Return the names of the packs that are shipped, sorted."""
    return tuple(sorted(path.stem for path in PACKS.glob("*.yaml")))


def is_shipped(name: str) -> bool:
    """Return whether `name` is that of a shipped pack or of the generated one."""
    return name in (*shipped_packs(), GENERATED)


def load_pack(pack: str | os.PathLike[str]) -> Pack:
    """Return the shipped pack of that name, the generated one, or the one in the file at that path.

    What contains a slash or ends in .yaml, .yml or .jsonl is a path. Raises InputError for a name
    that is not shipped, for a file that is missing, and for one with any problem, telling the first
    (see `checked_pack`).
    """
    if str(pack) == GENERATED:
        return generated_pack()
    if _is_name(pack) and str(pack) not in shipped_packs():
        told = unknown("pack", str(pack), (*shipped_packs(), GENERATED))
        raise InputError(f"{told}, or the path of a file that ends in {', '.join(SUFFIXES)}")
    loaded, problems = checked_pack(pack)
    if loaded is None and not os.path.exists(pack) and not _is_name(pack):
        names = ", ".join((*shipped_packs(), GENERATED))
        raise InputError(f"{problems[0]} (shipped packs, named without an ending: {names})")
    if loaded is None:
        more = f" (and {len(problems) - 1:,} more)" if len(problems) > 1 else ""
        told = f"{problems[0]}{more}; valuesim doctor pack {pack} tells all"
        raise InputError(f"the pack cannot be used: {told}")
    return loaded


def checked_pack(pack: str | os.PathLike[str]) -> tuple[Pack | None, tuple[Problem, ...]]:
    """Return the pack (see `load_pack`), None if anything is wrong, and all that is wrong.

    A file with the name of a shipped pack is refused, unless it is that pack's own. Problems stand
    in the order of their lines. At most `format.MOST_PROBLEMS` are told. A file is
    read once as long as it does not change.
    """
    file = PACKS / f"{pack}.yaml" if _is_name(pack) and str(pack) in shipped_packs() else Path(pack)
    try:
        status = os.stat(file)
    except (OSError, ValueError):
        return _read(file)
    return _kept(file, (status.st_mtime_ns, status.st_size))


def file_of(pack: str | os.PathLike[str]) -> Path | None:
    """Return the file that `pack` means, None where it is the name of a shipped one."""
    return None if str(pack) == GENERATED or _is_name(pack) else Path(pack)


def _is_name(pack: str | os.PathLike[str]) -> bool:
    path = Path(pack)
    return path.suffix.lower() not in SUFFIXES and len(path.parts) <= 1


@lru_cache(maxsize=64)
def _kept(file: Path, state: tuple[int, int]) -> tuple[Pack | None, tuple[Problem, ...]]:  # noqa: ARG001 (a key)
    return _read(file)


def _read(file: Path) -> tuple[Pack | None, tuple[Problem, ...]]:
    try:
        tree, problems = read_tree(file)
    except Unreadable as error:
        return None, (_with_hint(error.problem),)
    pack = pack_of(file, tree, problems)
    if is_shipped(pack.id) and file.resolve() != (PACKS / f"{pack.id}.yaml").resolve():
        problems.append(_taken(file, tree, pack.id))
    if problems:
        return None, tuple(sorted(problems, key=lambda problem: problem.line or 0))
    return pack, ()


def _taken(file: Path, tree: Node, name: str) -> Problem:
    line = tree.keys.get("pack", tree.line)
    reason = f"{name!r} is the name of a shipped pack, which no other file may have: rename it"
    return Problem(file=file, line=line, where="pack", reason=reason)


def _with_hint(problem: Problem) -> Problem:
    """Return `problem` with the shipped pack that a missing file may have meant."""
    near = get_close_matches(problem.file.stem, (*shipped_packs(), GENERATED), n=1)
    if os.path.exists(problem.file) or not near:
        return problem
    return replace(problem, reason=f"{problem.reason}; did you mean the shipped pack {near[0]!r}?")

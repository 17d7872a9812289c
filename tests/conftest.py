"""Fixtures: a model server on loopback, with faults, and a toy family installed as a plug-in."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

# as the command line has it; set before anything imports numpy
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# processes that share the tests are told of a terminal of 80 columns; there is none
os.environ.pop("COLUMNS", None)
os.environ.pop("LINES", None)

import pytest
import pytest_asyncio

from valuesim import registry

TESTS = Path(__file__).parent
SERVING = Path(__file__).parent / "serving"


def _load(name: str) -> ModuleType:
    """Import a script of tests/serving, which is no package, under its own name."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, SERVING / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def fault_server() -> ModuleType:
    """The module tests/serving/fault_server.py."""
    return _load("fault_server")


@pytest_asyncio.fixture
async def serve(fault_server: ModuleType) -> AsyncIterator[Callable[..., Any]]:
    """What starts fault servers, such as `server = await start(faults={"429": 0.5})`."""
    async with AsyncExitStack() as stack:

        async def start(**behaviour: Any) -> Any:
            settings = fault_server.Behaviour(**behaviour)
            return await stack.enter_async_context(fault_server.serving(settings))

        yield start


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder in which the family of tests/toy is installed as a plug-in.

    It is seen in this process and in those it starts. Returns the folder that is now the working
    folder; a file `down` in it takes the server of the agent `cut` down.
    """
    installed = tmp_path / "installed"
    about = installed / "valuesim_toy-0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: valuesim-toy\nVersion: 0\n")
    names = ("kind", "slow", "patient", "cut", "buggy", "deadly", "hostile", "elsewhere")
    agents = "\n".join(f"{name} = toy:{name.capitalize()}" for name in names)
    points = f"[valuesim.envs]\ntoy-v0 = toy:Toy\n\n[valuesim.agents]\n{agents}\n"
    (about / "entry_points.txt").write_text(points)
    (installed / "toy.py").write_bytes((TESTS / "toy" / "toy.py").read_bytes())
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("TOY_MARKS", str(place))
    monkeypatch.setenv("PYTHONPATH", f"{installed}:{TESTS.parent}")
    monkeypatch.syspath_prepend(installed)
    registry._plugins.cache_clear()
    yield place
    registry._plugins.cache_clear()
    sys.modules.pop("toy", None)

"""Names are found lazily, and an unknown one is answered with its neighbour."""

import subprocess
import sys

import pytest

from valuesim import registry
from valuesim.errors import InputError


def test_an_unversioned_name_means_the_newest_version(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = registry.Entry("nowhere:Nothing", "a test")
    monkeypatch.setattr(registry, "_ENVS", {"toy-v2": entry, "toy-v10": entry})
    assert registry.environment_id("toy") == "toy-v10"


@pytest.mark.parametrize("name", ["survivl-v0", "survival-v99", ""])
def test_an_unknown_environment_is_refused_by_name(name: str) -> None:
    with pytest.raises(InputError, match=f"unknown environment '{name}'.*survival-v0"):
        registry.make(name)


def test_an_unknown_parameter_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="scarcty"):
        registry.make("survival", scarcty="low")


def test_every_registered_class_can_be_loaded() -> None:
    for name, entry in (registry.environments() | registry.agents()).items():
        assert entry.load() is not None, name


def test_an_entry_point_of_another_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = {"mine-v0": registry.Entry("builtins:dict", "from elsewhere")}
    monkeypatch.setattr(registry, "_plugins", {"valuesim.envs": plugin, "valuesim.agents": {}}.get)
    assert registry.environments()["mine-v0"].load() is dict


def test_importing_the_package_imports_no_heavy_library() -> None:
    code = "import valuesim, sys; print([m for m in ('numpy', 'gymnasium') if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert loaded.stdout.strip() == "[]"

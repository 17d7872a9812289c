"""The house stands as docs/architecture.md draws it: folders, links, packages, wheel and sdist."""

import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAPPED = ("agents", "conf", "envs")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def packages_on_disk() -> set[str]:
    """Every folder with an `__init__.py`, by the name under which it is imported."""
    found = {
        ".".join(init.parent.relative_to(ROOT).parts)
        for init in (ROOT / "valuesim").rglob("__init__.py")
        if not {*init.relative_to(ROOT / "valuesim").parts} & {*MAPPED}
    }
    for top in MAPPED:
        inits = (ROOT / top).rglob("__init__.py")
        found |= {"valuesim." + ".".join(i.parent.relative_to(ROOT).parts) for i in inits}
    return found


def test_the_package_list_names_every_package_and_no_other() -> None:
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == packages_on_disk()


@pytest.mark.parametrize("name", MAPPED)
def test_each_link_leads_to_its_folder(name: str) -> None:
    link = ROOT / "valuesim" / name
    assert link.is_symlink()
    assert os.readlink(link) == f"../{name}"
    assert PYPROJECT["tool"]["setuptools"]["package-dir"][f"valuesim.{name}"] == name


def test_importing_a_top_level_folder_by_its_own_name_is_banned_by_lint(tmp_path: Path) -> None:
    offender = tmp_path / "offender.py"
    offender.write_text('"""Import the wrong name."""\n\nimport envs\n\nprint(envs)\n')
    ruff = [sys.executable, "-m", "ruff", "check", "--config", str(ROOT / "pyproject.toml")]
    checked = subprocess.run([*ruff, str(offender)], capture_output=True, text=True)
    assert "TID251" in checked.stdout


def test_the_pins_name_no_host() -> None:
    for pins in (ROOT / "requirements.lock", ROOT / "tests/serving/requirements-vllm.txt"):
        assert "://" not in pins.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build an sdist, and a wheel from that sdist, out of a copy of the tracked files."""
    out = tmp_path_factory.mktemp("dist")
    source = tmp_path_factory.mktemp("with a space") / "valuesim"
    _copy_sources(source)
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)],
        check=True,
        capture_output=True,
    )
    return out


def _copy_sources(target: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if not (ROOT / name).exists() and not (ROOT / name).is_symlink():
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_symlink():
            (target / name).symlink_to(os.readlink(ROOT / name))
        else:
            (target / name).write_bytes((ROOT / name).read_bytes())


def test_the_wheel_holds_every_package_and_runs_away_from_the_sources(
    builds: Path, tmp_path: Path
) -> None:
    (wheel,) = builds.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    folders = [str((tmp_path / name.replace(".", "/")).resolve()) for name in packages_on_disk()]
    assert all(Path(folder, "__init__.py").is_file() for folder in folders)
    code = (
        "import valuesim, valuesim.registry as r, valuesim.values as v;"
        "print(valuesim.__file__); r.make('survival'); r.make_agent('random', role='A', seed=0);"
        "print(len(v.load_taxonomy().names))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ran.stdout.split() == [str(tmp_path / "valuesim" / "__init__.py"), "20"], ran.stderr


def test_the_wheel_carries_every_file_that_is_no_code(builds: Path) -> None:
    (wheel,) = builds.glob("*.whl")
    carried = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        f"valuesim/{file.relative_to(ROOT / 'valuesim' if top == 'valuesim' else ROOT)}"
        for top in ("valuesim", *MAPPED)
        for kind in ("*.yaml", "*.j2", "*.css", "*.js", "py.typed")
        for file in (ROOT / top).rglob(kind)
        # what the viewer's page is built from, and with; the built page is carried
        if not file.is_relative_to(ROOT / "valuesim/replay/web")
    }
    page = {f"valuesim/replay/static/{name}" for name in ("index.html", "app.js", "app.css")}
    assert page <= carried
    assert [name for name in carried if name.startswith("valuesim/replay/web")] == []
    assert {"valuesim/conf/config.yaml", "valuesim/agents/templates/user.j2"} <= expected
    assert expected - carried == set()


def test_the_sdist_holds_the_mapped_folders(builds: Path) -> None:
    (sdist,) = builds.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        tops = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    assert {"valuesim", *MAPPED} <= tops

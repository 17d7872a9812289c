"""What the documents say runs: every Python block of every page is executed."""

import re
from pathlib import Path

import pytest

from valuesim.envs.dilemmas import checked_pack

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINKS = re.compile(r"\]\((?!https?:)([^)#]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_python_of_a_page_runs_from_top_to_bottom(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = "\n".join(BLOCKS.findall(page.read_text(encoding="utf-8")))
    exec(compile(code, str(page), "exec"), {"__name__": "__page__"})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_file_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = [page.parent / link for link in LINKS.findall(text)]
    named += [ROOT / name for name in re.findall(r"\bdocs/[a-z_]+\.md", text)]
    assert [str(path) for path in named if not path.exists()] == []


def test_the_example_of_the_readme_is_ten_lines_at_most() -> None:
    (example,) = BLOCKS.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(example.splitlines()) <= 10


def test_the_pack_that_the_page_shows_is_one(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "packs.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    file = tmp_path / "mine.yaml"
    file.write_text(shown, encoding="utf-8")
    pack, problems = checked_pack(file)
    assert (pack is not None, problems) == (True, ())

"""The built page that is committed: made from these sources, and fit for a strict policy."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
WEB = ROOT / "valuesim/replay/web"
STATIC = ROOT / "valuesim/replay/static"


def test_the_committed_page_is_that_of_the_sources(tmp_path: Path) -> None:
    build = ["npx", "--no-install", "vite", "build", "--outDir", str(tmp_path), "--emptyOutDir"]
    subprocess.run(build, cwd=WEB, check=True, capture_output=True, timeout=120)
    assert _files(tmp_path) == _files(STATIC), "`make web` builds the page anew"


def test_the_sources_have_no_type_faults() -> None:
    check = ["npx", "--no-install", "tsc", "--noEmit"]
    told = subprocess.run(check, cwd=WEB, capture_output=True, text=True, timeout=120)
    assert told.stdout == ""


def test_nothing_stands_in_line_and_nothing_comes_from_elsewhere() -> None:
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=", page) == []
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert [each for each in sources if not each.startswith(("./", "data:,"))] == []
    for path in STATIC.glob("app.*"):
        text = path.read_text(encoding="utf-8")
        named = re.findall(r"(?:https?:)?//[a-z0-9-]+\.[a-z]+[^\s\"'`)]*", text)
        # the names of SVG, MathML and XHTML are no addresses
        assert [each for each in named if "www.w3.org" not in each] == []
        assert "sourceMappingURL" not in text


def test_no_text_is_ever_made_markup() -> None:
    words = (
        "innerHTML",
        "InnerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "srcdoc",
    )
    found = [
        f"{path.name}: {word}"
        for path in (WEB / "src").rglob("*.ts*")
        for word in (*words, "eval(", "new Function", "javascript:")
        if word in path.read_text(encoding="utf-8")
    ]
    assert found == []


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}

"""`valuesim doctor`: what is wrong with this set-up, one line each, and what to do about it."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from importlib import metadata, resources
from pathlib import Path

from valuesim import __version__, registry
from valuesim.cli.probe import Finding, probe
from valuesim.cli.terminal import clean, write_json
from valuesim.secrets import redact_strictly, secrets

_REQUIRED = (
    *("gymnasium", "hydra-core", "jinja2", "matplotlib", "networkx", "numpy", "orjson"),
    *("pettingzoo", "pillow", "pyyaml", "rich", "scipy"),
)
_EXTRAS = {
    "llm": ("langchain", "langchain-openai"),
    "vllm": ("vllm",),
    "parquet": ("pyarrow",),
    "discovery": ("scikit-learn",),
    "inspect": ("inspect-ai",),
    "axelrod": ("axelrod",),
}
_OLDEST = (3, 11)


def main(arguments: argparse.Namespace) -> int:
    """Look, print what was found, and return 1 if anything failed."""
    if arguments.subject == "pack":
        from valuesim.cli.packs import check

        return check([Path(given) for given in arguments.given], arguments.json)
    if arguments.subject == "prompts":
        from valuesim.cli.prompts import check as check_prompts

        return check_prompts(arguments.given, arguments.json)
    findings = [*_machine(), *_packages(), *_house(), *_results(Path("runs")), *_extras()]
    if arguments.base_url:
        # a server may say back what it was sent
        hidden = secrets(os.environ)
        findings += (_without(each, hidden) for each in probe(arguments.base_url, arguments.model))
    if arguments.json:
        write_json([asdict(finding) for finding in findings], arguments.json)
    if arguments.json != "-":
        for finding in findings:
            advice = f" -> {finding.advice}" if finding.advice else ""
            told = clean(f"{finding.id}: {finding.description}{advice}")
            print(f"{finding.status:<8}{told}")
    return int(any(finding.status == "fail" for finding in findings))


def _without(finding: Finding, hidden: Sequence[str]) -> Finding:
    return replace(finding, description=redact_strictly(finding.description, hidden))


def _machine() -> Iterator[Finding]:
    version = platform.python_version()
    if sys.version_info < _OLDEST:
        yield Finding(
            id="python", status="fail", description=version, advice="use Python 3.11 or later"
        )
    else:
        yield Finding(id="python", status="ok", description=f"{version} on {platform.platform()}")


def _packages() -> Iterator[Finding]:
    yield Finding(id="valuesim", status="ok", description=__version__)
    found, missing = _versions(_REQUIRED)
    if missing:
        advice = f"pip install {' '.join(missing)}"
        told = f"{', '.join(missing)} not installed"
        yield Finding(id="packages", status="fail", description=told, advice=advice)
    else:
        yield Finding(id="packages", status="ok", description=", ".join(found))


def _house() -> Iterator[Finding]:
    """Look whether the linked folders are there and everything registered can be imported."""
    for name, file in (("conf", "config.yaml"), ("envs", "__init__.py"), ("agents", "__init__.py")):
        if not resources.files("valuesim").joinpath(name, file).is_file():
            yield Finding(
                id=f"valuesim/{name}",
                status="fail",
                description="the folder is missing, or its link is broken",
                advice=f"in a checkout: git checkout -- valuesim/{name}",
            )
            return
    yield Finding(id="folders", status="ok", description="conf, envs and agents are in place")
    for kind, entries in (("env", registry.environments()), ("agent", registry.agents())):
        for id, entry in entries.items():
            try:
                entry.load()
            except Exception as error:  # noqa: BLE001 (a plug-in may raise anything: it is told)
                yield Finding(
                    id=f"{kind} {id}",
                    status="fail",
                    description=f"{entry.target} cannot be imported: {error}",
                    advice="mend or uninstall the package that registers it",
                )


def _results(folder: Path) -> Iterator[Finding]:
    """Look whether runs can be written in `folder`, or where it would be made."""
    place = folder if folder.is_dir() else Path()
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        advice = "change the folder's permissions, or give run.name=PATH"
        told = f"{place.resolve()} cannot be written: {error.strerror}"
        yield Finding(id="results", status="fail", description=told, advice=advice)
    else:
        told = f"runs go to {folder.resolve()}"
        yield Finding(id="results", status="ok", description=told)


def _extras() -> Iterator[Finding]:
    for extra, packages in _EXTRAS.items():
        found, missing = _versions(packages)
        if missing:
            told = f"{', '.join(missing)} not installed (optional)"
            advice = f'pip install "valuesim[{extra}]"'
            yield Finding(id=f"extra {extra}", status="missing", description=told, advice=advice)
        else:
            yield Finding(id=f"extra {extra}", status="ok", description=", ".join(found))


def _versions(packages: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the packages that are installed, with their versions, and those that are not."""
    found, missing = [], []
    for package in packages:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            missing.append(package)
    return found, missing

"""The YAML files that stand beside the code: wording, instruments, tables of reference."""

from __future__ import annotations

from importlib import resources
from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def shipped_yaml(package: str, *path: str) -> Any:
    """Return what the YAML file at `path` in `package` ("valuesim.envs.games") holds."""
    file = resources.files(package).joinpath(*path)
    return yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)

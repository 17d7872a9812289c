"""The models that `valuesim replay` may ask, as they are given at the command line."""

from __future__ import annotations

import os
from collections.abc import Sequence

from valuesim.cli.connecting import connected, secrets_of
from valuesim.config import compose
from valuesim.errors import InputError, unknown
from valuesim.overrides import parse
from valuesim.replay.playing.models import Models
from valuesim.secrets import secrets

_ROOTS = ("model", "models", "elicitation")


def models_of(overrides: Sequence[str]) -> Models:
    """Return the models that `overrides` name, composed as `valuesim run` does it.

    Raises InputError for any other setting, and for a model that cannot be reached so.
    """
    for text in overrides:
        root = parse(text).key_or_group.partition(".")[0]
        if root not in _ROOTS:
            raise InputError(unknown("setting", root, _ROOTS, "valuesim replay"))
    if not overrides:
        return Models(secrets=secrets(os.environ))
    config = compose(overrides)
    return Models(
        config=config,
        connected=connected,
        overrides=tuple(overrides),
        secrets=secrets_of(config),
    )

"""What a person who judges consents to, and what the run folder says of it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

import yaml

from valuesim import __version__
from valuesim.agents.human.questions import words
from valuesim.errors import InputError
from valuesim.log.lines import SCHEMA
from valuesim.option import quoted

_PARTICIPANT = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Consent:
    """The text that is read before anything is judged."""

    text: str

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that change with the text, as `questions.consent_id` does."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]


@dataclass(frozen=True, kw_only=True, slots=True)
class Participant:
    """A code by which a study knows who judges; None where none is given."""

    code: str | None = None

    def __post_init__(self) -> None:
        """Raise InputError for a code that might be a name, or a path."""
        if self.code is not None and not (
            isinstance(self.code, str) and _PARTICIPANT.fullmatch(self.code)
        ):
            raise InputError(
                f"participant is {quoted(self.code)}: a code of at most 40 letters, digits, - and _"
            )


def consent_to_judge() -> Consent:
    """Return the text that comes with the package."""
    return Consent(text=words("judging"))


def described(consent: Consent, who: Participant, now: datetime) -> str:
    """Return the run.yaml of a session of judging that begins now."""
    started = now.isoformat(timespec="seconds")
    note = (
        "a person judged moments of other runs, and had consented before the first of them "
        f"(consent text {consent.id})"
    )
    said = {
        "schema": SCHEMA,
        "judged": {
            "participant": who.code,
            "consent": {"id": consent.id, "text": consent.text, "at": started},
        },
        "versions": {"valuesim": __version__},
        "sessions": [{"started": started, "notes": [note]}],
        "time": {"started": started},
    }
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True)

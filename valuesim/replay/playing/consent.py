"""What a person agrees to before the first question, and how a run folder keeps it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from valuesim.agents.human import questions
from valuesim.errors import InputError
from valuesim.log import RunWriter
from valuesim.log.notes import note
from valuesim.log.pool import PERSON
from valuesim.log.reader import read_config

LONGEST_CONSENT = 20_000
_CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Consent:
    """The text that a person reads before they agree: the shipped one unless another is given."""

    text: str = field(default_factory=lambda: questions.words("consent"))

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that change with the text."""
        return questions.consent_id(self.text)

    def plain(self) -> dict[str, str]:
        """Return id and text."""
        return {"id": self.id, "text": self.text}


def consent_in(path: Path) -> Consent:
    """Return the text of a file; raise InputError where it is none, or too long."""
    try:
        with path.open("rb") as file:
            held = file.read(4 * LONGEST_CONSENT + 1)
        text = held.decode("utf-8").strip()
    except OSError as error:
        raise InputError(f"--consent {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"--consent {path} is no text in UTF-8") from None
    if not text or len(text) > LONGEST_CONSENT:
        given = f"more than {LONGEST_CONSENT:,} characters" if text else "nothing"
        raise InputError(f"--consent {path} holds {given}: a text of 1 to {LONGEST_CONSENT:,}")
    return Consent(text=text)


def participant_of(given: object) -> str | None:
    """Return the code of who takes part, None for none; raise InputError for what is no code."""
    if given is None or given == "":
        return None
    if not isinstance(given, str) or not _CODE.fullmatch(given):
        raise InputError(
            f"participant is {given!r:.60}: a code of at most 40 letters, digits, - and _"
        )
    return given


def described(consent: Consent, participant: str | None) -> dict[str, Any]:
    """Return what run.yaml says before a person is asked for their consent."""
    return {"participant": participant, "consent": {**consent.plain(), "given": False}}


def keep_consent(writer: RunWriter, sentence: str) -> None:
    """Keep in run.yaml that consent was given, and the sentence that says so with the session."""
    held = dict(read_config(writer.folder))
    held[PERSON] = {**held[PERSON], "consent": {**held[PERSON]["consent"], "given": True}}
    writer.describe(held)
    note(writer, sentence)

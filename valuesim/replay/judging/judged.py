"""The run folder of one session of judging: raw judgements, and the choices as an ordinary log.

`judgements.jsonl` is the raw record. What the person would do themselves (the task `decide`) also
stands in `decisions.jsonl`, an episode for each judged one and phase, played by `human` under the
condition of the judged episode and `seen`. Nothing is played: no effect, no payoff, no measure.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from valuesim import __version__
from valuesim.agents.human import questions
from valuesim.decision import Decision
from valuesim.episode import Player, Turn
from valuesim.errors import InputError, ValueSimError
from valuesim.log.appending import Clock
from valuesim.log.files import DECISION_KEYS, MISSHAPEN, AppendFile, read_lines
from valuesim.log.lines import SCHEMA, Line, decision_lines, text_line, texts_of
from valuesim.log.lock import locked
from valuesim.log.pool import PEOPLE, PERSON
from valuesim.log.records import SEEN, EpisodeRecord
from valuesim.observation import Observation
from valuesim.replay.indexing.naming import Place, found_below
from valuesim.replay.judging.judgement import Phase
from valuesim.replay.playing.consent import Consent

JUDGEMENTS = "judgements.jsonl"
AGENT = "human"
_PREFIX = "judged-"
_ID_DIGITS = 16


def consent_to_judge(given: Consent) -> Consent:
    """Return what is agreed to before anything is judged: a text of one's own, where there is one.

    The text that comes with the package for playing is not the one for judging.
    """
    is_shipped = given.id == questions.consent_id()
    return Consent(text=questions.words("judging")) if is_shipped else given


def described(consent: Consent, participant: str | None, now: datetime) -> dict[str, Any]:
    """Return the content of run.yaml of a session of judging that begins now."""
    started = now.isoformat(timespec="seconds")
    note = (
        "a person judged moments of other runs, and had consented before the first of them "
        f"(consent text {consent.id})"
    )
    held = {**consent.plain(), "given": True}
    return {
        "schema": SCHEMA,
        PERSON: {"participant": participant, "consent": held},
        "versions": {"valuesim": __version__},
        "sessions": [{"started": started, "notes": [note]}],
        "time": {"started": started},
    }


def new_folder(root: Path, now: datetime, four_hex: str) -> Path:
    """Return the folder of a session that begins now, which is made.

    Raises InputError where it is there already, or would lie elsewhere by a link.
    """
    folder = root / PEOPLE / f"{_PREFIX}{now:%Y%m%d-%H%M%S}-{four_hex}"
    if not folder.resolve().is_relative_to(root.resolve()):
        raise InputError(f"{PEOPLE} leads out of {root.name}: what people judge is kept below it")
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise InputError(f"{PEOPLE}/{folder.name} is there already: begin again") from None
    except OSError as error:
        raise InputError(f"{PEOPLE}/{folder.name} cannot be made: {error.strerror}") from error
    return folder


class JudgedRun:
    """The one writer of the folder of a session; each line is kept before its write returns."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Open the files of `folder`, cutting last lines that a kill left without their end.

        Raises InputError where another process writes it, and LogError for files that are none.
        """
        self.folder = folder
        self._clock = clock
        self._lock = locked(folder)
        try:
            self._files = {name: AppendFile(folder / name) for name in _FILES}
        except BaseException:
            self._lock.close()
            raise
        self._texts: set[str] = set()
        self._open: dict[tuple[str, str, Phase], str] = {}
        self._begun = 0

    def keep(self, line: Line) -> Line:
        """Append one line to the raw record and return it as it is kept."""
        self._files[JUDGEMENTS].write([line])
        return line

    def now(self) -> str:
        """Return the present time, as lines have it."""
        return self._clock().isoformat(timespec="milliseconds")

    def decide(
        self, place: Place, parent: EpisodeRecord, phase: Phase, seen: Observation, made: Decision
    ) -> None:
        """Append a decision of the person to the log of their choices."""
        key = (place.id, parent.id, phase)
        if key not in self._open:
            self._open[key] = self._begin(place, parent, phase)
        role = seen.agent
        turn = Turn(observations={role: seen}, decisions={role: made}, effects={}, payoffs={})
        self._keep_texts(turn)
        lines = decision_lines(self._open[key], 0, turn, self.now())
        self._files["decisions.jsonl"].write(lines)

    def end(self) -> None:
        """Finish the episodes that were begun: from now on they count. What follows begins anew."""
        self._files["episodes.jsonl"].write(_unfinished(self.folder))
        self._open.clear()

    def close(self) -> None:
        """Finish what was begun, close the files and let the next writer in."""
        try:
            self.end()
        finally:
            for file in self._files.values():
                file.close()
            self._lock.close()

    def _begin(self, place: Place, parent: EpisodeRecord, phase: Phase) -> str:
        self._begun += 1
        named = f"{self.folder.name}/{place.id}/{parent.id}/{phase}/{self._begun}"
        id = hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()[:_ID_DIGITS]
        line: Line = {
            "schema": SCHEMA,
            "begun": id,
            "judged": {"run": place.name, "episode": parent.id},
            "env": parent.env,
            "condition": {**parent.condition, SEEN: phase},
            "seed": parent.seed,
            "time": {"at": self.now()},
        }
        if parent.chain is not None:
            line["chain"] = asdict(parent.chain)
        self.keep(line)
        return id

    def _keep_texts(self, turn: Turn) -> None:
        texts = texts_of(turn)
        new = {id: text for id, text in texts.items() if id not in self._texts}
        self._files["texts.jsonl"].write([text_line(text) for text in new.values()])
        self._texts |= set(new)


_FILES = (JUDGEMENTS, "texts.jsonl", "decisions.jsonl", "episodes.jsonl", "interrupted.jsonl")


def mend_sessions(root: Path, clock: Clock) -> None:
    """Finish the episodes of sessions below `root` that a kill left open.

    Sessions that another viewer keeps open, and folders that cannot be read or written, stay.
    """
    for place in found_below(root):
        if not place.path.name.startswith(_PREFIX) or not (place.path / JUDGEMENTS).is_file():
            continue
        files = [place.path / name for name in (*_FILES, ".lock")]
        if any(file.is_symlink() for file in files):
            continue
        with suppress(ValueSimError, OSError, *MISSHAPEN):
            if _unfinished(place.path):
                JudgedRun(place.path, clock).close()


def _unfinished(folder: Path) -> list[Line]:
    """Return the lines of the episodes of `folder` that were begun and not finished."""
    finished = {line["episode"] for _, line in read_lines(folder / "episodes.jsonl", {})}
    begun = {
        line["begun"]: line
        for _, line in read_lines(folder / JUDGEMENTS, {})
        if "begun" in line and line["begun"] not in finished
    }
    made: dict[str, list[Any]] = {id: [] for id in begun}
    for _, line in read_lines(folder / "decisions.jsonl", DECISION_KEYS):
        if line["episode"] in made:
            made[line["episode"]].append(line)
    return [_episode_line(begun[id], own) for id, own in made.items() if own]


def _episode_line(begun: Mapping[str, Any], own: list[Any]) -> Line:
    faults = Counter(line["decision"]["fault"] for line in own if line["decision"]["fault"])
    line: Line = {
        "schema": SCHEMA,
        "episode": begun["begun"],
        "judged": begun["judged"],
        "env": begun["env"],
        "condition": begun["condition"],
        "population": {line["agent"]: Player(agent=AGENT) for line in own},
        "elicitation": {},
        "seed": begun["seed"],
        "steps": 1 + max(line["step"] for line in own),
        "outcome": {},
        "measures": {},
        "decisions": len(own),
        "faults": dict(faults),
        "usage": {},
    }
    return line | ({"chain": begun["chain"]} if "chain" in begun else {})

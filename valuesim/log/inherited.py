"""What an episode has of the one that it leaves: decisions that are shown and count nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from valuesim.log.entries import decision_of
from valuesim.log.files import DECISION_KEYS, INHERITED, read_lines
from valuesim.log.options import OptionReader
from valuesim.log.reader import RunFolder
from valuesim.log.records import DecisionRecord


def inherited(run: RunFolder) -> Iterator[DecisionRecord]:
    """Yield the decisions that the finished episodes of `run` have of others, as their own.

    Raises LogError for a corrupt line.
    """
    path, texts = run.path / INHERITED, run.texts()
    read_option = OptionReader(texts)
    for number, line in read_lines(path, DECISION_KEYS):
        if line["episode"] in run.episodes:
            episode = run.episodes[line["episode"]]
            yield decision_of(line, episode, read_option, texts, path, number)


def whole_episode(run: RunFolder, episode: str) -> list[DecisionRecord]:
    """Return all decisions of a finished episode of `run`, by step: what it inherited and its own.

    Raises LogError as `RunFolder.decisions` does.
    """
    before = [each for each in inherited(run) if each.episode.id == episode]
    own = [each for each in run.decisions() if each.episode.id == episode]
    return sorted([*before, *own], key=lambda record: record.step)

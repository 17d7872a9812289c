"""The few figures that stand for a whole run in one row: of a sweep, of a list of runs.

They are shares of counts that `measures` of finished episodes hold (`headline.yaml`), and of games
the share of moves that cooperate (`strategic.cooperation`), which is read from the decisions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from valuesim import registry
from valuesim.log.reader import DecisionRecord, EpisodeRecord, RunFolder
from valuesim.measures.interval import Rate, clustered_rate
from valuesim.shipped import shipped_yaml

GAMES = "valuesim.measures.strategic"
"""The package of the measures of games."""
_OF_GAMES, _TOLD_OF_GAMES = "cooperation", "moves that cooperate"
NOTHING = "nothing that it is a share of happened"
_NO_CHOICE = "nobody chose anything"


@dataclass(frozen=True, kw_only=True, slots=True)
class Headline:
    """One figure: its `name`, what it is in words (`told`), and the rate with its interval.

    A rate without a value is undetermined, and `why` says of what there was nothing.
    """

    name: str
    told: str
    rate: Rate
    why: str = NOTHING


def names() -> list[str]:
    """Return the names that headlines may have, in the order of a row."""
    return [*_counted(), _OF_GAMES]


def headlines(run: RunFolder) -> tuple[Headline, ...]:
    """Return the figures that the finished episodes of `run` have; none where they have none.

    Raises LogError as `RunFolder.decisions` does, where games were played.
    """
    episodes = list(run.episodes.values())
    found = list(of_episodes(episodes))
    if any(_is_game(env) for env in {episode.env for episode in episodes}):
        found += of_games(run.decisions())
    return tuple(found)


def of_episodes(episodes: Sequence[EpisodeRecord]) -> tuple[Headline, ...]:
    """Return the figures that are shares of counts in the measures of `episodes`.

    Episodes of one chain count as one for the interval. Episodes without the counts are left out,
    and, for a figure that needs choices, those of players that chose nothing in any of theirs: who
    only fails does not survive by what it does.
    """
    found = []
    for name, about in _counted().items():
        if own := [each for each in episodes if _holds(each, about)]:
            active = _active(own, about)
            why = NOTHING if active else _NO_CHOICE
            rate = _share(active, about)
            found.append(Headline(name=name, told=about["told"], rate=rate, why=why))
    return tuple(found)


def of_games(decisions: Iterable[DecisionRecord]) -> tuple[Headline, ...]:
    """Return the share of moves of games that cooperate; nothing where no move could."""
    from valuesim.measures.strategic.cooperation import overall
    from valuesim.measures.strategic.history import histories

    played = histories(each for each in decisions if _is_game(each.episode.env))
    if not played:
        return ()
    return (Headline(name=_OF_GAMES, told=_TOLD_OF_GAMES, rate=overall(played)),)


def _share(episodes: Collection[EpisodeRecord], about: Mapping[str, Any]) -> Rate:
    done: defaultdict[str, float] = defaultdict(float)
    possible: defaultdict[str, float] = defaultdict(float)
    for episode in episodes:
        done[episode.unit] += sum(episode.measures[key] for key in about["done"])
        possible[episode.unit] += sum(episode.measures[key] for key in about["possible"])
    return clustered_rate(list(done.values()), [possible[unit] for unit in done])


def _active(episodes: Sequence[EpisodeRecord], about: Mapping[str, Any]) -> Sequence[EpisodeRecord]:
    """Return the episodes of those groups of players that chose anything, if `about` needs that."""
    if "needs" not in about:
        return episodes
    chose = {
        _players(each) for each in episodes if any(each.measures[key] for key in about["needs"])
    }
    return [each for each in episodes if _players(each) in chose]


def _players(episode: EpisodeRecord) -> str:
    return repr(sorted(episode.population.items()))


def _holds(episode: EpisodeRecord, about: Mapping[str, Any]) -> bool:
    needed = (*about["done"], *about["possible"], *about.get("needs", ()))
    return all(isinstance(episode.measures.get(key), int | float) for key in needed)


def _is_game(env: str) -> bool:
    known = registry.environments()
    return env in known and known[env].load().panels.startswith(GAMES)


@cache
def _counted() -> Mapping[str, Mapping[str, Any]]:
    content: Mapping[str, Mapping[str, Any]] = shipped_yaml("valuesim.measures", "headline.yaml")
    return content

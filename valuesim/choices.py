"""From decisions to evidence: what a choice put first, and over what.

One decision is one vote, however many values its options carry and however many options there
were. A fault is no choice: it gives no evidence and is counted beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from valuesim.errors import LogError
from valuesim.log.reader import DecisionRecord
from valuesim.option import Option

Unit = Literal["episode", "seed", "scene", "chain"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """One choice: the chosen option's stakes against each other offered option's.

    `cluster` names the unit within which choices are not independent: the chain of episodes that an
    agent remembers; else the scene, where the same one is asked in many episodes (a model answers
    it alike each time); else the world, which is one episode, or all those of a seed that several
    populations played. `unit` says which. `position`
    is the chosen option's place in `options`, from 0, which is the order shown if `is_ordered`;
    otherwise that order is not known, and no habit of place can be told.
    """

    cluster: str
    options: tuple[Option, ...]
    position: int
    unit: Unit = "episode"
    is_ordered: bool = True

    @property
    def chosen(self) -> Option:
        """The option taken."""
        return self.options[self.position]

    def votes(self) -> dict[tuple[str, str], float]:
        """Return {(put first, put behind): share}; the shares of one decision sum to 1, or none.

        For the chosen option c and another option a, the values *for c against a* are those with a
        larger stake in c than in a. The vote is spread evenly over the alternatives that set
        values against each other, then over all pairs (u for c against a, w for a against c). A
        choice in which no alternative speaks for any value against c gives no vote.
        """
        contests = [
            pairs
            for option in self.options
            if option is not self.chosen and (pairs := _pairs(self.chosen, option))
        ]
        votes: dict[tuple[str, str], float] = {}
        for pairs in contests:
            for pair in pairs:
                votes[pair] = votes.get(pair, 0.0) + 1.0 / (len(contests) * len(pairs))
        return votes


def _pairs(chosen: Option, other: Option) -> list[tuple[str, str]]:
    at_stake = set(chosen.stakes) | set(other.stakes)
    gain = {v: chosen.stakes.get(v, 0.0) - other.stakes.get(v, 0.0) for v in at_stake}
    gained = sorted(v for v, difference in gain.items() if difference > 0)
    given_up = sorted(v for v, difference in gain.items() if difference < 0)
    return [(u, w) for u in gained for w in given_up]


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices:
    """The evidence of some decisions, and what was no evidence.

    `decisions` counts all of them, `faults` those that were no choice, by kind.
    """

    decisions: int = 0
    evidence: tuple[Evidence, ...] = ()
    faults: Mapping[str, int] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        """What the clusters are: "episode", "seed", "scene", "chain"; "cluster" if they differ."""
        units = {evidence.unit for evidence in self.evidence} or {"episode"}
        return units.pop() if len(units) == 1 else "cluster"

    @property
    def fault_rate(self) -> float | None:
        """Faults per decision, in [0, 1]; None without decisions."""
        return sum(self.faults.values()) / self.decisions if self.decisions else None


def choices(decisions: Iterable[DecisionRecord]) -> Choices:
    """Return the evidence of `decisions` and the count of their faults.

    Raises LogError for a decision that chose an option which was not offered.
    """
    count = 0
    evidence: list[Evidence] = []
    faults: dict[str, int] = {}
    played: dict[str, set[str]] = {}
    for decision in decisions:
        count += 1
        if decision.fault is not None:
            faults[decision.fault] = faults.get(decision.fault, 0) + 1
        else:
            evidence.append(_evidence(decision))
            played.setdefault(evidence[-1].cluster, set()).add(decision.episode.id)
    told = (_counted(each, len(played[each.cluster])) for each in evidence)
    return Choices(decisions=count, evidence=tuple(told), faults=faults)


def _counted(evidence: Evidence, episodes: int) -> Evidence:
    """Return `evidence` with the unit "seed" where its world was played in several episodes."""
    if evidence.unit != "episode" or episodes == 1:
        return evidence
    return replace(evidence, unit="seed")


def cluster_of(decision: DecisionRecord) -> str:
    """Return the unit within which `decision` is not independent of others.

    That is its scene (see `scene_of`); else the world of its episode, which others may have played
    as well (see `EpisodeRecord.world`). In a chain it is the chain, whose episodes are told of each
    other, be it of scenes or not.
    """
    if decision.episode.chain is not None:
        return decision.episode.world
    return scene_of(decision) or decision.episode.world


def chosen_tags(decision: DecisionRecord) -> frozenset[str]:
    """Return the tags of the option that `decision` took; none for a fault."""
    taken = next((o for o in decision.options if o.name == decision.chosen), None)
    return taken.tags if taken else frozenset()


def scene_of(decision: DecisionRecord) -> str | None:
    """Return the scene that `decision` is about, by a name of its own; None where it has none.

    It is told by the annotation "scene", an environment's name for a scene that it asks in many
    episodes, whatever the telling.
    """
    scene = decision.annotations.get("scene")
    return None if scene is None else f"{decision.episode.env}/{scene}"


def unit_of(decision: DecisionRecord) -> Unit:
    """Return what `cluster_of` names, one episode of a world being an episode."""
    if decision.episode.chain is not None:
        return "chain"
    return "episode" if scene_of(decision) is None else "scene"


def _evidence(decision: DecisionRecord) -> Evidence:
    names = [option.name for option in decision.options]
    if decision.chosen not in names:
        raise LogError(
            f"{decision.chosen!r}, chosen by {decision.role} at step {decision.step} of episode "
            f"{decision.episode.id}, was not offered; offered: {', '.join(names) or 'nothing'}"
        )
    return Evidence(
        cluster=cluster_of(decision),
        unit=unit_of(decision),
        options=decision.options,
        position=names.index(decision.chosen),
        is_ordered=decision.annotations.get("order") != "unknown",
    )

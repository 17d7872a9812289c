"""Whether interventions reached the model (the manipulation check), and what they moved.

An intervention whose prompt is the same as that of the arm without it has no effect to speak of,
whatever the figures say; so each arm is shown with what it added, from the log alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from valuesim.choices import chosen_tags, cluster_of
from valuesim.graph.arms import NONE, arms_apart, place
from valuesim.graph.grouping import Group, group_of, named
from valuesim.log.reader import DecisionRecord
from valuesim.measures.interval import mean_interval
from valuesim.measures.panel import Estimate, Panel, fault_counts

Records = Sequence[DecisionRecord]
Source = tuple[str, str]
"""The environment and the model whose arms are told apart."""
_EFFECTS = {"transgression": "transgressions", "cooperation": "acts of cooperation"}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Control:
    """The arm that others are compared with, and all that was decided in its episodes."""

    arm: str
    records: Records
    episodes: Collection[int]

    def compared(self, arms: Mapping[str, Records]) -> tuple[str, ...]:
        """Return the names of those of `arms` that were played in other episodes."""
        return tuple(arm for arm, own in arms.items() if id(own[0].episode) not in self.episodes)


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmCheck:
    """What one intervention did in one arm, to one model in one environment.

    `by` is the intervention, None in the arm without any. Of `decisions`, of which `faults` were
    faults, it added something to what was sent in `changed`; there it added `characters`, the mean,
    and in all `texts` different texts. `told` holds the mean of each number that it logged (a level
    of guilt). `warning` says in a sentence what makes the arm doubtful, None where nothing does.
    """

    env: str
    model: str
    arm: str
    by: str | None
    decisions: int
    faults: int = 0
    changed: int = 0
    characters: float | None = None
    texts: int = 0
    told: Mapping[str, float] = field(default_factory=dict)
    warning: str | None = None

    @property
    def share(self) -> float:
        """The share of decisions whose prompt was changed, in [0, 1]."""
        return self.changed / self.decisions

    @property
    def fault_rate(self) -> float:
        """The share of decisions that were faults, in [0, 1]."""
        return self.faults / self.decisions


def checks(records: Records) -> tuple[ArmCheck, ...]:
    """Return a check for each intervention of each arm of `records`; () where none was made.

    Scripted agents, who are sent nothing, are left out.
    """
    return tuple(
        check for source, arms in by_arm(records).items() for check in _checked(source, arms)
    )


def effects(records: Records) -> tuple[Panel, ...]:
    """Return what arms moved: differences to the control, in the same worlds; () without a control.

    The control are the episodes without an intervention on anybody, else those of an arm in which
    nothing was added to anybody. A figure is the mean, over the worlds or scenes (see
    `choices.cluster_of`) that both arms played, of the difference in the share of valid decisions,
    in which more could be done than talk, that took an option with the tag. In a world each role is
    compared with the same role, and they weigh alike. The interval is Student's t over worlds. If
    all differ by the same there is none.
    """
    return tuple(
        _effect(source, arms, control, tag, acts)
        for source, arms, control in _controlled(records)
        for tag, acts in _EFFECTS.items()
        if control is not None and control.compared(arms) and _is_offered(arms, tag)
    )


def uncontrolled(records: Records) -> tuple[str, ...]:
    """Return a sentence for each model and environment whose effects are not known for want of one.

    None where no act that `effects` counts was offered.
    """
    return tuple(
        f"no effect of interventions on {model} in {env}: no control was played, "
        "an arm in which nobody was sent anything"
        for (env, model), arms, control in _controlled(records)
        if control is None and any(_is_offered(arms, tag) for tag in _EFFECTS)
    )


def by_arm(records: Records) -> dict[Source, dict[str, list[DecisionRecord]]]:
    """Return the decisions of models by environment and model, then arm, the arm without first.

    An arm is named by its interventions and by those of their settings that differ in `records`.
    Those on whom nothing was made while others had an intervention are an arm of their own, beside
    it (see `arms.arm_in`). Empty where no intervention was made.
    """
    keys = arms_apart((), list({id(r.episode): r.episode for r in records}.values()))
    if not keys:
        return {}
    groups: dict[tuple[int, str], Group] = {}
    found: dict[Source, dict[Group, list[DecisionRecord]]] = {}
    for record in records:
        model = record.player.model_name
        if model is None:
            continue
        seat = (id(record.episode), record.role)
        if seat not in groups:
            groups[seat] = group_of(record.episode, record.role, keys)
        arms = found.setdefault((record.episode.env, model), {})
        arms.setdefault(groups[seat], []).append(record)
    names = named(groups.values())
    return {
        source: {names[g]: arms[g] for g in sorted(arms, key=lambda g: place(names[g]))}
        for source, arms in found.items()
    }


def _checked(source: Source, arms: Mapping[str, Records]) -> Iterator[ArmCheck]:
    sent = {arm: _sent(own) for arm, own in arms.items()}
    for arm, own in arms.items():
        made = tuple(own[0].player.interventions)
        alike = [other for other in arms if other != arm and sent[arm] and sent[other] == sent[arm]]
        for by in made or (None,):
            check = _check(source, arm, by, own)
            yield replace(check, warning=_warning(check, alike))


def _check(source: Source, arm: str, by: str | None, records: Records) -> ArmCheck:
    added = [[each.text for each in r.added if each.by == by] for r in records]
    lengths = [sum(map(len, texts)) for texts in added if texts]
    return ArmCheck(
        env=source[0],
        model=source[1],
        arm=arm,
        by=by,
        decisions=len(records),
        faults=sum(record.fault is not None for record in records),
        changed=len(lengths),
        characters=float(np.mean(lengths)) if lengths else None,
        texts=len({text for texts in added for text in texts}),
        told=_told(by, records),
    )


def _told(by: str | None, records: Records) -> dict[str, float]:
    numbers: defaultdict[str, list[float]] = defaultdict(list)
    for record in records:
        told = record.interventions.get(by or "", {})
        for name, given in told.items() if isinstance(told, Mapping) else ():
            if isinstance(given, int | float) and not isinstance(given, bool):
                numbers[name].append(given)
    return {name: float(np.mean(each)) for name, each in numbers.items()}


def _warning(check: ArmCheck, alike: Sequence[str]) -> str | None:
    if check.by is None:
        return None
    if not check.changed:
        return (
            f"{check.by} added nothing to any decision of arm {check.arm}: the arm is a control, "
            "or the intervention never took place"
        )
    if alike:
        return f"arm {check.arm} was sent the same additions as {', '.join(alike)}"
    return None


def _sent(records: Records) -> set[tuple[tuple[str, str], ...]]:
    """Return all that was added to single decisions, in its order."""
    added = (tuple((each.place, each.text) for each in record.added) for record in records)
    return {each for each in added if each}


def _controlled(
    records: Records,
) -> Iterator[tuple[Source, Mapping[str, Records], _Control | None]]:
    """Yield the arms of each model and environment with their control, None where there is none."""
    touched = {id(record.episode) for record in records if record.added}
    for source, arms in by_arm(records).items():
        yield source, arms, _control(arms, touched)


def _control(arms: Mapping[str, Records], touched: Collection[int]) -> _Control | None:
    for arm, own in arms.items():
        episodes = {id(record.episode) for record in own}
        is_made = bool(own[0].player.interventions)
        if arm == NONE or (is_made and episodes.isdisjoint(touched)):
            beside = [r for each in arms.values() for r in each if id(r.episode) in episodes]
            return _Control(arm=arm, records=beside, episodes=episodes)
    return None


def _is_offered(arms: Mapping[str, Records], tag: str) -> bool:
    return any(tag in o.tags for own in arms.values() for r in own for o in r.options)


def _effect(
    source: Source, arms: Mapping[str, Records], control: _Control, tag: str, acts: str
) -> Panel:
    everything = [record for own in arms.values() for record in own]
    against = _shares(control.records, tag)
    return Panel(
        id=f"effect_{tag}",
        title=f"effect of interventions on {acts}, {', '.join(source)}",
        unit=f"difference to arm {control.arm} in the share of decisions beyond talk, "
        "mean over the same worlds and roles; n counts worlds",
        bounds=(-1.0, 1.0),
        estimates=tuple(
            _difference(arm, _shares(arms[arm], tag), against) for arm in control.compared(arms)
        ),
        decisions=len(everything),
        faults=fault_counts(everything),
    )


def _shares(records: Records, tag: str) -> dict[tuple[str, str], float]:
    """Return the share of valid decisions beyond talk that took `tag`, by world (scene) and role.

    Of a role, as others in the same world may have been sent something else.
    """
    taken: defaultdict[tuple[str, str], list[bool]] = defaultdict(list)
    for record in records:
        if record.chosen is not None and _is_more_than_talk(record):
            taken[cluster_of(record), record.role].append(tag in chosen_tags(record))
    return {seat: float(np.mean(each)) for seat, each in taken.items()}


def _is_more_than_talk(record: DecisionRecord) -> bool:
    return any("talk" not in o.tags and not o.is_omission for o in record.options)


def _difference(
    arm: str, own: Mapping[tuple[str, str], float], control: Mapping[tuple[str, str], float]
) -> Estimate:
    worlds: defaultdict[str, list[float]] = defaultdict(list)
    for world, role in own:
        if (world, role) in control:
            worlds[world].append(own[world, role] - control[world, role])
    if not worlds:
        return Estimate(label=arm, value=None)
    found = [float(np.mean(each)) for each in worlds.values()]
    value, low, high = mean_interval(found, (-1.0, 1.0))
    return Estimate(label=arm, value=value, low=low, high=high, n=len(found))

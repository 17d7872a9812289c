"""Whether interventions reached the model (the manipulation check), and what they moved.

An intervention whose prompt is the same as that of the arm without it has no effect to speak of,
whatever the figures say; so each arm is shown with what it added, from the log alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import stats

from valuesim.choices import cluster_of
from valuesim.graph.arms import NONE, arms_apart
from valuesim.graph.grouping import group_of
from valuesim.log.reader import DecisionRecord
from valuesim.measures.panel import Estimate, Panel, fault_counts

Records = Sequence[DecisionRecord]
Source = tuple[str, str]
"""The environment and the model whose arms are told apart."""
_EFFECTS = {"transgression": "transgressions", "cooperation": "acts of cooperation"}
_LEAST_VARIANCE = 1e-12


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

    The control is the arm without an intervention, else the one in which nothing was added. A
    figure is the mean, over the worlds or scenes (see `choices.cluster_of`) that both arms played,
    of the difference in the share of valid decisions, in which more could be done than talk, that
    took an option with the tag; its interval is Student's t over them. If all differ by the same
    there is none.
    """
    panels = []
    for (env, model), arms in by_arm(records).items():
        control = next((arm for arm in arms if arm == NONE), None) or _untouched(arms)
        for tag, acts in _EFFECTS.items():
            if control is not None and len(arms) > 1 and _is_offered(arms, tag):
                panels.append(_effect(env, model, arms, control, tag, acts))
    return tuple(panels)


def by_arm(records: Records) -> dict[Source, dict[str, list[DecisionRecord]]]:
    """Return the decisions of models by environment and model, then arm, the arm without first.

    An arm is named by its interventions and by those of their settings that differ in `records`.
    Empty where no intervention was made.
    """
    keys = arms_apart((), list({id(r.episode): r.episode for r in records}.values()))
    if not keys:
        return {}
    names: dict[tuple[int, str], str] = {}
    found: dict[Source, dict[str, list[DecisionRecord]]] = {}
    for record in records:
        model = record.player.model_name
        if model is None:
            continue
        seat = (id(record.episode), record.role)
        if seat not in names:
            labels = group_of(record.episode, record.role, keys).values()
            names[seat] = " ".join(str(label) for label in labels if label is not None)
        arms = found.setdefault((record.episode.env, model), {})
        arms.setdefault(names[seat], []).append(record)
    return {
        source: dict(sorted(arms.items(), key=lambda arm: arm[0] != NONE))
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


def _untouched(arms: Mapping[str, Records]) -> str | None:
    return next((arm for arm, own in arms.items() if not _sent(own)), None)


def _is_offered(arms: Mapping[str, Records], tag: str) -> bool:
    return any(tag in o.tags for own in arms.values() for r in own for o in r.options)


def _effect(
    env: str, model: str, arms: Mapping[str, Records], control: str, tag: str, acts: str
) -> Panel:
    everything = [record for own in arms.values() for record in own]
    shares = {arm: _shares(own, tag) for arm, own in arms.items()}
    return Panel(
        id=f"effect_{tag}",
        title=f"effect of interventions on {acts}, {env}, {model}",
        unit=f"difference to arm {control} in the share of decisions, same worlds; n counts them",
        bounds=(-1.0, 1.0),
        estimates=tuple(
            _difference(arm, own, shares[control]) for arm, own in shares.items() if arm != control
        ),
        decisions=len(everything),
        faults=fault_counts(everything),
    )


def _shares(records: Records, tag: str) -> dict[str, float]:
    """Return the share of valid decisions beyond talk that took `tag`, by world or scene."""
    taken: defaultdict[str, list[bool]] = defaultdict(list)
    for record in records:
        if record.chosen is not None and _is_more_than_talk(record):
            chosen = next(o for o in record.options if o.name == record.chosen)
            taken[cluster_of(record)].append(tag in chosen.tags)
    return {cluster: float(np.mean(each)) for cluster, each in taken.items()}


def _is_more_than_talk(record: DecisionRecord) -> bool:
    return any("talk" not in o.tags and not o.is_omission for o in record.options)


def _difference(arm: str, own: Mapping[str, float], control: Mapping[str, float]) -> Estimate:
    found = np.array([own[each] - control[each] for each in own if each in control])
    if not found.size:
        return Estimate(label=arm, value=None)
    mean, count = float(found.mean()), len(found)
    if count < 2 or float(found.var(ddof=1)) < _LEAST_VARIANCE:
        return Estimate(label=arm, value=mean, n=count)
    reach = float(stats.t.ppf(0.975, count - 1) * found.std(ddof=1) / np.sqrt(count))
    return Estimate(
        label=arm, value=mean, low=max(-1.0, mean - reach), high=min(1.0, mean + reach), n=count
    )

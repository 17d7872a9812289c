"""What `valuesim drift` prints: what moved and when, and what did not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from valuesim.archetypes.verdict import UNDETERMINED
from valuesim.cli.paired import Arm
from valuesim.cli.ranking import print_line
from valuesim.cli.terminal import p_value, percent, print_table
from valuesim.graph.drift import Drift, ValueDrift
from valuesim.graph.statement import count
from valuesim.graph.steps import EITHER, STEP, Timing

_MOST_COLUMNS = 6
"""The checkpoints of which each has a column."""


def print_values(found: ValueDrift) -> None:
    """Print the strengths over checkpoints, what moved and when, and what is left out."""
    for level in found.counts:
        told = f"; left out: {level.why}" if level.why else ""
        print_line(
            f"{level.level}: {count(level.decisions, 'decision')}, {percent(level.fault_rate)} "
            f"faults, {count(level.contested, 'contested choice')} in "
            f"{count(level.clusters, level.unit)}{told}"
        )
    if found.why:
        print_line(f"no strength is followed: {found.why}")
    if found.drifts:
        _print_table("strengths in log-odds", found.drifts, lambda each: f"{each:.2f}")
        for line in _lines(found.drifts, "value", lambda each: f"{each:+.2f}", "log-odds"):
            print_line(line)
    for why, names in _by_reason(found.thin.items()).items():
        print_line(f"note: {', '.join(names)} {why}: it is left out")
    for why, names in _by_reason(found.left_out.items()).items():
        print_line(f"note: left out: {', '.join(names)}: {why}")


def print_acts(found: Sequence[Drift]) -> None:
    """Print the rates over checkpoints, what moved and when."""
    if not found:
        return
    _print_table("rates in per cent", found, lambda each: f"{100 * each:.1f}")
    for line in _lines(found, "rate", lambda each: f"{100 * each:+.1f}", "points"):
        print_line(line)


def print_archetypes(arms: Sequence[Arm]) -> None:
    """Print the archetype at each checkpoint, and how probably it is not the first's."""
    known = [(arm, arm.archetype) for arm in arms if arm.archetype is not None]
    if not any(found.first.posterior or found.second.posterior for _, found in known):
        return
    (arm, found), *_ = known
    rows = [(arm.against, found.first.archetype, _posterior(found.first.posterior), "-")]
    for arm, found in known:
        is_known = UNDETERMINED not in (found.first.archetype, found.second.archetype)
        share = UNDETERMINED if found.probability is None else f"{found.probability:.2f}"
        posterior = _posterior(found.second.posterior)
        told = share if is_known else UNDETERMINED
        rows.append((arm.name, found.second.archetype, posterior, told))
    columns = ("checkpoint", "archetype", "posterior", f"p not that of {known[0][0].against}")
    print_table("archetypes", columns, rows)


def _posterior(posterior: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {p:.2f}" for name, p in posterior.items()) or "-"


def _print_table(title: str, found: Sequence[Drift], told: Callable[[float], str]) -> None:
    names = [point.checkpoint for point in found[0].points]
    if len(names) > _MOST_COLUMNS:
        shown = [0, len(names) // 2, len(names) - 1]
        title += f" (of {len(names)} checkpoints, the first, the middle and the last)"
    else:
        shown = list(range(len(names)))
    rows = [
        (
            each.name,
            *(_known(each.points[place].value, told) for place in shown),
            _interval(each, told),
            "" if not each.moved else each.timing.shape if each.timing else "",
        )
        for each in found
    ]
    columns = ("", *(names[place] for place in shown), "last less first (95 %)", "moved")
    print_table(title, columns, rows)


def _known(value: float | None, told: Callable[[float], str]) -> str:
    return "-" if value is None else told(value)


def _interval(each: Drift, told: Callable[[float], str]) -> str:
    change = each.change
    if change.value is None:
        return "-"
    if change.low is None or change.high is None:
        return told(change.value)
    return f"{told(change.value)} ({told(change.low)} to {told(change.high)})"


def _lines(
    found: Sequence[Drift], noun: str, told: Callable[[float], str], unit: str
) -> Iterator[str]:
    moved = [each for each in found if each.moved]
    for each in moved:
        if each.timing is not None:
            yield f"{each.name} moved ({p_value(each.p or 0.0)}): {_when(each, each.timing, told)}"
    tested = [each for each in found if each.p is not None]
    still = [each.visible for each in tested if not each.moved and each.visible is not None]
    if still:
        ends = dict.fromkeys((told(min(still)).lstrip("+"), told(max(still)).lstrip("+")))
        seen = (
            f"a step of {' to '.join(ends)} {unit} or more would have been seen with about 80 % "
            "probability, in whichever gap it came"
        )
        if moved:
            yield f"{count(len(still), noun)} may not have moved: {seen}"
        else:
            yield f"nothing moved: of {count(len(tested), noun)} none did at 5 % (Holm); {seen}"
    reasons = _by_reason((each.name, each.why) for each in found if each.why is not None)
    for why, names in reasons.items():
        yield f"{', '.join(names)}: undetermined ({why})"


def _by_reason(told: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the names that each reason is told of."""
    found: dict[str, list[str]] = {}
    for name, why in told:
        found.setdefault(why, []).append(name)
    return found


def _when(each: Drift, when: Timing, told: Callable[[float], str]) -> str:
    names = [point.checkpoint for point in each.points]
    size = f"{told(when.size)} ({told(when.low)} to {told(when.high)})"
    if len(names) == 2:
        return f"by {size} from {names[0]} to {names[1]}"
    between = f"between {names[when.gap]} and {names[when.gap + 1]}"
    surely = f"95 %: between {names[when.first]} and {names[when.last]}"
    if when.shape == STEP:
        return f"a step of {size} {between} ({surely})"
    if when.shape == EITHER:
        return (
            f"a step or a trend (a step with probability {when.step:.2f}); as a step, of {size} "
            f"{between} ({surely})"
        )
    return f"a trend and no step (a step with probability {when.step:.2f})"

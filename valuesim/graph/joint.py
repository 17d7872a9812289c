"""Several groups of choices estimated side by side, with what they share in their uncertainty.

Each level (a group of choices) has its own logit. Where two levels share clusters (the same scenes
in two wordings, the same worlds at two agents), their estimates move together: the joint covariance
of two levels sums the products of their clusters' influences, and the bootstrap draws both levels'
clusters alike. Any figure that compares levels is a contrast, linear in the levels' coefficients.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from valuesim.choices import Choices
from valuesim.graph.bootstrap import bootstrap, cluster_weights
from valuesim.graph.contrasts import Contrasts, freedom
from valuesim.graph.design import Design, FloatArray, compact
from valuesim.graph.identification import Identification, bounded, identify
from valuesim.graph.logit import LogitFit, fit, probabilities
from valuesim.graph.sandwich import roots


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Level:
    """One group of choices and its estimate.

    `rows` (names x columns) takes coefficients to strengths, uncentred: of the values themselves,
    or of the labels that they roll up to (then a strength is the mean of its values'). `component`
    says by name which strengths can be compared with each other; `reasons` why others are not
    known, and `separated` which only the prior bounds. `draws` (draws x columns) are of the
    coefficients.
    """

    name: str
    choices: Choices
    design: Design
    fitted: LogitFit
    rows: Mapping[str, FloatArray]
    component: Mapping[str, int]
    reasons: Mapping[str, str]
    separated: tuple[str, ...]
    draws: FloatArray

    def met(self, name: str) -> int:
        """Return the number of choices in which `name`, or what rolls up to it, was at stake."""
        members = self.rows[name][: len(self.design.values)] != 0
        return int(self.design.counts.sum(axis=1) @ self.design.at_stake[:, members].any(axis=1))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Joint:
    """The levels that could be estimated, in order, and why each other one could not."""

    levels: Mapping[str, Level]
    left_out: Mapping[str, str] = field(default_factory=dict)

    def common(self, names: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
        """Return the values, sorted, that all of the levels `names` can compare, and why no others.

        Where the levels compare values only within separate sets, it is the largest set.
        """
        levels = [self.levels[name] for name in names]
        known = sorted({value for level in levels for value in level.rows})
        sets: dict[tuple[int, ...], list[str]] = {}
        left: dict[str, str] = {}
        for value in known:
            why: dict[str, list[str]] = {}
            for level in levels:
                unknown = None if value in level.rows else "never at stake"
                reason = level.reasons.get(value, unknown)
                if reason is not None:
                    why.setdefault(reason, []).append(level.name)
            if why:
                left[value] = "; ".join(f"{each} ({', '.join(at)})" for each, at in why.items())
            else:
                sets.setdefault(tuple(level.component[value] for level in levels), []).append(value)
        largest = max(sets.values(), key=len, default=[])
        for each in sets.values():
            if each is not largest:
                left |= dict.fromkeys(
                    each, "compared with none of the values that are compared here"
                )
        return tuple(largest), left

    def contrasts(self, weights: Mapping[str, FloatArray]) -> Contrasts:
        """Return the figures that `weights` (C x columns) add up to, over levels, times theta."""
        used = [(self.levels[name], each) for name, each in weights.items()]
        estimate = np.sum([each @ level.fitted.theta for level, each in used], axis=0)
        covariance = np.sum(
            [each @ level.fitted.covariance @ each.T for level, each in used], axis=0
        )
        for place, (level, each) in enumerate(used):
            for other, its in used[:place]:
                shared = each @ _shared_covariance(level, other) @ its.T
                covariance = covariance + shared + shared.T
        clusters, factors = _resting(used)
        moved = np.sum(
            [each @ (level.draws - level.fitted.theta).T for level, each in used], axis=0
        )
        return Contrasts(
            estimate=estimate,
            covariance=covariance,
            draws=estimate + moved.T * factors,
            clusters=clusters,
        )

    def side_by_side(self, first: str, second: str, values: Sequence[str]) -> Contrasts:
        """Return the strengths of `values` at two levels, the second's after the first's."""
        rows = {name: self.rows(name, values) for name in (first, second)}
        nothing = {name: np.zeros_like(each) for name, each in rows.items()}
        return self.contrasts(
            {
                first: np.vstack([rows[first], nothing[first]]),
                second: np.vstack([nothing[second], rows[second]]),
            }
        )

    def rows(
        self, name: str, values: Sequence[str], centre: Sequence[str] | None = None
    ) -> FloatArray:
        """Return the weights that give strengths of `values` at a level.

        They are centred on the mean of the values `centre`, or of `values` if none are given.
        """
        own = self.levels[name].rows
        mean = np.mean([own[value] for value in centre or values], axis=0)
        return np.asarray([own[value] - mean for value in values])

    def bounded(self, names: Iterable[str]) -> frozenset[str]:
        """Return the values whose strength only the prior bounds at one of the levels `names`."""
        return frozenset(value for name in names for value in self.levels[name].separated)


def estimate_jointly(
    groups: Mapping[str, Choices],
    *,
    seed: int = 0,
    draws: int = 1000,
    roll_ups: Mapping[str, Mapping[str, str]] | None = None,
) -> Joint:
    """Return the estimates of `groups`; row d of any level's draws is of the same clusters.

    `roll_ups` gives, for levels in a vocabulary of their own, the label that each value counts as;
    a value without one is left out. A group in which nothing can be compared is left out.
    """
    designs = {name: compact(each) for name, each in groups.items()}
    met = {cluster for design in designs.values() for cluster in design.clusters}
    weights = cluster_weights(tuple(met), draws, np.random.default_rng([seed, 0]))
    levels: dict[str, Level] = {}
    left_out: dict[str, str] = {}
    for number, (name, design) in enumerate(designs.items()):
        why = _why_nothing(groups[name], design)
        if why is not None:
            left_out[name] = why
            continue
        fitted = fit(design)
        identified = identify(design)
        rows, component, reasons = _strengths(design, identified, (roll_ups or {}).get(name))
        runs_away = np.flatnonzero(bounded(identified, fitted.drift))
        levels[name] = Level(
            name=name,
            choices=groups[name],
            design=design,
            fitted=fitted,
            rows=rows,
            component=component,
            reasons=reasons,
            separated=tuple(label for label, row in rows.items() if row[runs_away].any()),
            draws=bootstrap(design, fitted, weights, np.random.default_rng([seed, 1, number])),
        )
    return Joint(levels=levels, left_out=left_out)


def _why_nothing(choices: Choices, design: Design) -> str | None:
    if not choices.decisions:
        return "no decision"
    if sum(choices.faults.values()) == choices.decisions:
        return "all decisions were faults"
    if not design.values:
        return "no value is at stake in its choices"
    if len(design.values) == 1:
        return f"only {design.values[0]} is at stake"
    if len(design.clusters) < 2:
        return f"all contested choices come from one {design.unit}: no uncertainty is known"
    return None


def _strengths(
    design: Design, identified: Identification, roll_up: Mapping[str, str] | None
) -> tuple[dict[str, FloatArray], dict[str, int], dict[str, str]]:
    """Return the rows, components and reasons of a level's values, or of what they roll up to."""
    places = {index: n for n, group in enumerate(identified.components) for index in group}
    unit = np.eye(len(design.values), design.features.shape[2])
    members: dict[str, list[int]] = {}
    for index, value in enumerate(design.values):
        label = value if roll_up is None else roll_up.get(value)
        if label is not None:
            members.setdefault(label, []).append(index)
    reasons: dict[str, str] = {}
    for label, own in members.items():
        why = {identified.reasons[index] for index in own if index in identified.reasons}
        if why:
            reasons[label] = "; ".join(sorted(why))
        elif len({places[index] for index in own}) > 1:
            reasons[label] = "its parts are not compared with each other"
    return (
        {label: unit[own].mean(axis=0) for label, own in members.items()},
        {label: places[own[0]] for label, own in members.items()},
        reasons,
    )


def _shared_covariance(level: Level, other: Level) -> FloatArray:
    """Return the covariance of two levels' coefficients that comes from clusters of both."""
    place = {cluster: index for index, cluster in enumerate(other.design.clusters)}
    both = [(i, place[c]) for i, c in enumerate(level.design.clusters) if c in place]
    if not both:
        return np.zeros((len(level.fitted.theta), len(other.fitted.theta)))
    own, its = map(list, zip(*both, strict=True))
    return np.asarray(level.fitted.influence[own].T @ other.fitted.influence[its])


def _resting(used: Sequence[tuple[Level, FloatArray]]) -> tuple[FloatArray, FloatArray]:
    """Return the effective clusters of contrasts, and what their draws' spread is scaled by.

    As in `logit.effective_clusters`, with the shares of all levels summed by cluster. The draws of
    a level are already widened for its own number of clusters.
    """
    places: dict[str, int] = {}
    for level, _ in used:
        for cluster in level.design.clusters:
            places.setdefault(cluster, len(places))
    shares = np.zeros((len(places), len(used[0][1])))
    widened = np.zeros(shares.shape[1])
    for level, each in used:
        own = _shares(level, each)
        shares[[places[cluster] for cluster in level.design.clusters]] += own
        widened += own.sum(axis=0) * level.fitted.quantile(level.fitted.n_clusters) ** 2
    total, squares = shares.sum(axis=0), (shares**2).sum(axis=0)
    clusters = np.divide(total**2, squares, out=np.ones_like(total), where=squares > 0)
    usual = np.sqrt(np.divide(widened, total, out=np.ones_like(total), where=total > 0))
    return clusters, special.stdtrit(freedom(clusters), 0.975) / usual


def _shares(level: Level, contrasts: FloatArray) -> FloatArray:
    """Return each cluster's share in the variance of contrasts, as the model has it (G x C)."""
    design, fitted = level.design, level.fitted
    halves = roots(design, probabilities(design, fitted.theta))
    projected = halves @ np.linalg.solve(fitted.hessian, contrasts.T)
    return np.asarray(design.asked @ (projected**2).sum(axis=1))

"""Which agents are alike in what they put first: model-based clusters, with their stability.

A profile is an agent's strengths over the values that the choices of all agents identify, centred
on 0 and scaled to length 1: what is put before what, not how firmly. Profiles are clustered by
mixtures of normal distributions, diagonal or spherical, whose number BIC chooses (Fraley and
Raftery, Journal of the American Statistical Association 97, 2002). Every bootstrap draw of the
strengths is clustered anew, the number included, and compared with the clusters of the estimates
by the adjusted Rand index (Hubert and Arabie, Journal of Classification 2, 1985): clusters that the
uncertainty of the profiles dissolves are not reported. Draws are shared: row d is the same sample
of clusters for all agents (`graph.rank_together`).

Stability shows that profiles are known, not that they fall apart: a continuum along two axes takes
several such components too. So the gain in BIC must exceed those of populations drawn from one
normal with the agents' mean and covariance (McLachlan, Applied Statistics 36, 1987).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from valuesim.errors import InputError
from valuesim.graph.design import FloatArray
from valuesim.graph.grouping import Group
from valuesim.graph.ranking import ValueRanking
from valuesim.graph.statement import count

LEAST_AGENTS = 8
LEAST_MEMBERS = 3
MOST_CLUSTERS = 6
STABLE = 0.8
"""The mean adjusted Rand index over draws from which clusters are reported."""
STABLE_LOW = 0.5
"""What its 5th percentile must reach as well, where there are several clusters."""
STRONG = 6.0
"""The gain in BIC that more clusters take: strong evidence.

Kass and Raftery, Journal of the American Statistical Association 90, 1995.
"""
DRAWS = 60
NULLS = 19
"""Populations without groups whose gains clusters must all exceed: p at most 1 / 20."""
_SHOWN = 3
_FLOOR = 1e-4
_SHRUNK = 4

IntArray = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """Agents that are alike, and the values that they put highest and lowest on average.

    Each of `high` and `low` is (value, mean of the profiles), the most extreme first.
    """

    members: tuple[Group, ...]
    high: tuple[tuple[str, float], ...]
    low: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Discovery:
    """Clusters of agents, or why there are none.

    `answer` is "clusters", "one group" or "undetermined"; `why` is a sentence. `stability` is the
    mean adjusted Rand index over draws, `stability_low` its 5th percentile; None where nothing was
    clustered. `found` is the number of clusters that BIC chose, reported or not; `bic` maps each
    number to its lowest. `gain` is by how much the lowest BIC is below that of one group,
    `null_gain` the largest such gain of `NULLS` populations without groups; None where no stable
    clusters were found. `agents` counts those clustered, `left_out` says why others were not.
    """

    answer: str
    why: str
    clusters: tuple[Cluster, ...] = ()
    values: tuple[str, ...] = ()
    agents: int = 0
    left_out: Mapping[str, str] = field(default_factory=dict)
    found: int | None = None
    bic: Mapping[int, float] = field(default_factory=dict)
    stability: float | None = None
    stability_low: float | None = None
    gain: float | None = None
    null_gain: float | None = None


def discover(rankings: Mapping[Group, ValueRanking], *, seed: int = 0) -> Discovery:
    """Return the clusters of the agents whose `rankings` are coherent; equal input, equal figures.

    At least `LEAST_AGENTS` of them are needed. Rankings should be made together, for shared draws.
    Raises InputError without scikit-learn.
    """
    left_out = {str(group): why for group, ranking in rankings.items() if (why := _why(ranking))}
    kept = {group: ranking for group, ranking in rankings.items() if str(group) not in left_out}
    values = _common(list(kept.values()))
    why = _too_few(len(kept), left_out, values)
    if why:
        return Discovery(
            answer="undetermined", why=why, values=values, agents=len(kept), left_out=left_out
        )
    strengths, draws = _known(list(kept.values()), values)
    profiles = _scaled(strengths)
    # no group is tighter than the profiles are known
    noise = float(draws.var(axis=0).mean())
    with _one_thread():
        labels, bic = _clustered(profiles, noise, seed)
        found = _judged(labels, bic, _agreement(labels, draws, noise, seed))
        if found.answer == "clusters":
            found = _against_one(found, _null_gains(strengths, noise, seed))
    is_told = found.answer != "undetermined"
    return replace(
        found,
        clusters=_clusters(list(kept), labels, profiles, values) if is_told else (),
        values=values,
        agents=len(kept),
        left_out=left_out,
    )


def _why(ranking: ValueRanking) -> str:
    """Return why a ranking has no profile; empty if it has one."""
    if not ranking.values or np.isnan(ranking.strengths).any():
        return "its choices determine no value"
    if not ranking.coherence.is_coherent:
        return "no coherent ranking"
    if ranking.fault_rate is not None and ranking.fault_rate > 0.1:
        return f"{ranking.fault_rate:.0%} of its decisions were faults"
    return ""


def _common(rankings: Sequence[ValueRanking]) -> tuple[str, ...]:
    """Return the values that each of `rankings` compares with each other, in order of name."""
    if not rankings:
        return ()
    known = [{v.value for v in r.values if v.is_identified and v.component == 0} for r in rankings]
    return tuple(sorted(set.intersection(*known)))


def _too_few(agents: int, left_out: Mapping[str, str], values: Sequence[str]) -> str:
    if agents < LEAST_AGENTS:
        of = f"of {agents + len(left_out)} agents" if left_out else "agents"
        return f"only {agents} {of} with a profile; clusters take at least {LEAST_AGENTS}"
    if len(values) < 2:
        return f"{count(len(values), 'value')} can be compared in all agents' choices; it takes 2"
    return ""


def _known(
    rankings: Sequence[ValueRanking], values: Sequence[str]
) -> tuple[FloatArray, FloatArray]:
    """Return the strengths (A x V), centred, and the profiles of the draws (draws x A x V)."""
    strengths, draws = [], []
    for ranking in rankings:
        own = {v.value: v.strength for v in ranking.values}
        places = [ranking.tally.values.index(value) for value in values]
        strengths.append(np.array([own[value] for value in values], dtype=float))
        draws.append(_scaled(ranking.strengths[:DRAWS, places]))
    return np.stack([each - each.mean() for each in strengths]), np.stack(draws, axis=1)


def _scaled(strengths: FloatArray) -> FloatArray:
    centred = strengths - strengths.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(centred / np.where(length > 0, length, 1.0))


def _clustered(
    profiles: FloatArray, noise: float, seed: int, most: int = MOST_CLUSTERS
) -> tuple[IntArray, dict[int, float]]:
    """Return each agent's cluster, and the lowest BIC by number of clusters.

    The number is the smallest whose BIC is within `STRONG` of the lowest: more clusters take strong
    evidence. A mixture with a cluster of fewer than `LEAST_MEMBERS` does not count.
    """
    found: dict[int, tuple[float, IntArray]] = {}
    for number in range(1, min(most, len(profiles) // LEAST_MEMBERS) + 1):
        for kind in ("diag", "spherical"):
            mixture = _mixture()(
                n_components=number,
                covariance_type=kind,
                random_state=seed,
                reg_covar=noise + _FLOOR,
            )
            with warnings.catch_warnings():
                # one that has not converged is worse by its BIC, which is what is looked at
                warnings.simplefilter("ignore")
                made = mixture.fit(profiles)
            bic, labels = float(made.bic(profiles)), np.asarray(made.predict(profiles))
            is_told = np.bincount(labels, minlength=number).min() >= LEAST_MEMBERS
            if is_told and (number not in found or bic < found[number][0]):
                found[number] = bic, labels
    lowest = min(bic for bic, _ in found.values())
    fewest = min(number for number, (bic, _) in found.items() if bic <= lowest + STRONG)
    return found[fewest][1], {number: bic for number, (bic, _) in found.items()}


def _mixture() -> Any:
    try:
        from sklearn.mixture import GaussianMixture
    except ImportError as error:
        raise InputError(
            "clustering agents needs scikit-learn: pip install 'valuesim[discovery]'"
        ) from error
    return GaussianMixture


def _one_thread() -> Any:
    """Return a context in which a fit has one thread: a few agents are not worth several."""
    _mixture()  # brings the pools, and says what to install without them
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def _agreement(labels: IntArray, draws: FloatArray, noise: float, seed: int) -> FloatArray:
    from sklearn.metrics import adjusted_rand_score

    most = len(set(labels.tolist())) + 2
    drawn = (_clustered(each, noise, seed, most)[0] for each in draws)
    return np.array([adjusted_rand_score(labels, each) for each in drawn])


def _judged(labels: IntArray, bic: Mapping[int, float], agreement: FloatArray) -> Discovery:
    """Return what the draws leave of the clusters."""
    found, mean = len(set(labels.tolist())), float(agreement.mean())
    low = float(np.quantile(agreement, 0.05))
    said = f"adjusted Rand index over draws {mean:.2f}, 5th percentile {low:.2f}"
    # against one group the index is 1 or 0, and its mean the share of draws that find one as well
    if mean >= STABLE and (found == 1 or low >= STABLE_LOW):
        answer = "one group" if found == 1 else "clusters"
        why = f"{count(found, 'group')} of agents; {said}"
    else:
        answer = "undetermined"
        why = (
            f"not stable: BIC finds {count(found, 'group')}, but the agents' profiles are too "
            f"uncertain to tell which ({said}; it takes {STABLE:g} and {STABLE_LOW:g})"
        )
    return Discovery(
        answer=answer, why=why, found=found, bic=bic, stability=mean, stability_low=low
    )


def _against_one(found: Discovery, null: FloatArray) -> Discovery:
    """Return `found`, undetermined if a population without groups gains as much."""
    gain, most = _gain(found.bic), float(null.max())
    said = f"gain in BIC {gain:.1f}, at most {most:.1f} in {len(null)} draws of one continuum"
    tested = replace(found, gain=gain, null_gain=most)
    if gain > most:
        return replace(tested, why=f"{found.why}; {said}")
    why = f"{count(found.found or 0, 'group')} by BIC, but agents of one continuum give as much"
    return replace(tested, answer="undetermined", why=f"{why}: {said}")


def _gain(bic: Mapping[int, float]) -> float:
    return bic[1] - min(bic.values())


def _null_gains(strengths: FloatArray, noise: float, seed: int) -> FloatArray:
    """Return the gains in BIC of `NULLS` populations whose strengths come from one normal.

    It has the mean and covariance of `strengths` (A x V), the latter drawn by min(1, V / 4A) to its
    diagonal: few agents make long axes too long, and a long axis, scaled, is nearly two poles.
    """
    rng = np.random.default_rng(seed)
    agents, values = strengths.shape
    covariance = np.cov(strengths.T)
    weight = min(1.0, values / (_SHRUNK * agents))
    covariance = (1 - weight) * covariance + weight * np.diag(np.diag(covariance))
    size, axes = np.linalg.eigh(covariance)
    root = axes * np.sqrt(np.maximum(size, 0.0))
    drawn = rng.standard_normal((NULLS, agents, values)) @ root.T + strengths.mean(axis=0)
    return np.array([_gain(_clustered(_scaled(each), noise, seed)[1]) for each in drawn])


def _clusters(
    groups: Sequence[Group], labels: IntArray, profiles: FloatArray, values: Sequence[str]
) -> tuple[Cluster, ...]:
    """Return the clusters, the largest first."""
    found = []
    for label in dict.fromkeys(labels.tolist()):
        own = np.flatnonzero(labels == label)
        mean = profiles[own].mean(axis=0)
        order = np.argsort(-mean, kind="stable").tolist()
        shown = min(_SHOWN, len(values) // 2)
        found.append(
            Cluster(
                members=tuple(groups[place] for place in own.tolist()),
                high=tuple((values[place], float(mean[place])) for place in order[:shown]),
                low=tuple((values[place], float(mean[place])) for place in order[::-1][:shown]),
            )
        )
    return tuple(sorted(found, key=lambda cluster: -len(cluster.members)))

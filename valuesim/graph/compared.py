"""What a comparison of rankings says: the records that `comparison` returns, and their JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from valuesim.graph.correlation import RankCorrelation


@dataclass(frozen=True, kw_only=True, slots=True)
class LevelCount:
    """What a level's figures rest on; `fault_rate` is None without decisions.

    `why` says why nothing is compared at this level, and is None where something is. `separated`
    are the values that its choices never contradict: the prior alone bounds their strengths, whose
    order means something, and whose size does not.
    """

    level: str
    decisions: int
    contested: int
    clusters: int
    unit: str
    fault_rate: float | None
    separated: tuple[str, ...] = ()
    why: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Strength:
    """A value's strength at a level, in log-odds per unit of stake, with its 95 % interval.

    It is centred on 0 over the values compared, those whose strength the prior bounds at some level
    left out where two others are there. `n` counts the choices in which it was at stake.
    """

    strength: float
    se: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A value's strength at `level` less that at `against`, with its 95 % interval.

    `moved` tells that it differs from 0 at 5 % after Holm's correction for all differences of the
    comparison; `p` is uncorrected. `bounded` tells that the choices never contradict the value at
    one of the levels: the size is then the prior's, and nothing is said to have moved.
    """

    value: str
    level: str
    against: str
    difference: float
    se: float
    low: float
    high: float
    p: float
    moved: bool
    bounded: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Correlation:
    """The rank correlation between two levels."""

    level: str
    against: str
    found: RankCorrelation


@dataclass(frozen=True, kw_only=True, slots=True)
class PairChange:
    """What becomes of one pair of values between two levels.

    `at_against` and `at_level` are the strengths of `over` less those of `under`, `change` the
    second less the first, with its 95 % interval. `p_over_against` and `p_over_level` are the
    probabilities that `over` is the stronger, `p_differs` that the order is not the same at both.
    `bounded` is as in `Difference`: then the order is known, and the size is not.
    """

    over: str
    under: str
    level: str
    against: str
    at_against: float
    at_level: float
    change: float
    se: float
    low: float
    high: float
    p_over_against: float
    p_over_level: float
    p_differs: float
    bounded: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """A value's standardised strength as stated less as revealed, with its 95 % interval.

    Strengths are divided by the standard deviation of the true ones over the values compared.
    `is_gap` tells that it differs from 0 at 5 % after Holm's correction for all values of the same
    two levels; `bounded` is as in `Difference`. `n_stated` and `n_revealed` count choices in which
    the value was at stake.
    """

    value: str
    stated: str
    revealed: str
    at_stated: float
    at_revealed: float
    gap: float
    se: float
    low: float
    high: float
    p: float
    is_gap: bool
    bounded: bool
    n_stated: int
    n_revealed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """What several groups of choices ("levels") say of values, side by side.

    `values` are those that all levels compare, strongest first at the first of them; `left_out`
    says why others are not; `thin` are levels without strengths, as they compare far fewer values,
    and why. `differences` and `flips` are of each level against the first, `pairs`
    those that were asked about; `no_pairs` says why one cannot be told. `flips` are pairs that are
    surely (Holm) ordered one way at `against` and the other way at `level`. `gaps` and `no_gaps`
    are those of stated against revealed values. `why` says why nothing is compared.
    """

    counts: tuple[LevelCount, ...]
    values: tuple[str, ...] = ()
    strengths: Mapping[str, Mapping[str, Strength]] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    flips: tuple[PairChange, ...] = ()
    pairs: tuple[PairChange, ...] = ()
    no_pairs: Mapping[str, str] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    no_gaps: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    thin: Mapping[str, str] = field(default_factory=dict)
    why: str | None = None

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that are compared, in order."""
        return tuple(each.level for each in self.counts if each.why is None)

    @property
    def moved(self) -> tuple[str, ...]:
        """The values that moved at some level, in the order of `values`."""
        moved = {each.value for each in self.differences if each.moved}
        return tuple(value for value in self.values if value in moved)


def to_json(comparison: Comparison) -> dict[str, Any]:
    """Return `comparison` as JSON values, schema 1; what is unknown is None, never nan."""
    return {
        "levels": [asdict(each) for each in comparison.counts],
        "values": [_value(comparison, value) for value in comparison.values],
        "correlations": [
            {"level": each.level, "against": each.against, **asdict(each.found)}
            for each in comparison.correlations
        ],
        "flips": [asdict(each) for each in comparison.flips],
        "pairs": [asdict(each) for each in comparison.pairs],
        "no_pairs": dict(comparison.no_pairs),
        "gaps": [asdict(each) for each in comparison.gaps],
        "no_gaps": dict(comparison.no_gaps),
        "left_out": dict(comparison.left_out),
        "thin": dict(comparison.thin),
        "why": comparison.why,
    }


def _value(comparison: Comparison, value: str) -> dict[str, Any]:
    return {
        "value": value,
        "strengths": {
            level: asdict(own[value]) for level, own in comparison.strengths.items() if value in own
        },
        "differences": [
            {name: each for name, each in asdict(difference).items() if name != "value"}
            for difference in comparison.differences
            if difference.value == value
        ],
    }

"""What is said where there is little or nothing to say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from benchmarks.validity.measured import Table
from valuesim.choices import Choices, Evidence
from valuesim.graph import ValueRanking, rank_values
from valuesim.option import Option

Stakes = Mapping[str, float]


def _chosen(cluster: int, options: Sequence[Stakes], position: int) -> Evidence:
    shown = [Option(name=str(place), text="", stakes=each) for place, each in enumerate(options)]
    order = (0, 1) if cluster % 2 == 0 else (1, 0)
    return Evidence(
        cluster=f"{cluster:03}",
        options=tuple(shown[place] for place in order),
        position=order.index(position),
    )


def _pair(winner: str, loser: str, wins: int, losses: int, start: int = 0) -> list[Evidence]:
    """Return choices of one value against another, the order shown in balance."""
    options = ({winner: 1.0}, {loser: 1.0})
    return [_chosen(start + n, options, int(n >= wins)) for n in range(wins + losses)]


def _of(items: Sequence[Evidence]) -> Choices:
    return Choices(decisions=len(items), evidence=tuple(items))


def _in_one(items: Sequence[Evidence], clusters: int) -> Choices:
    return Choices(
        decisions=len(items),
        evidence=tuple(
            Evidence(cluster=str(n % clusters), options=each.options, position=each.position)
            for n, each in enumerate(items)
        ),
    )


def _two_episodes() -> Choices:
    return _in_one(_pair("Care", "Power", 30, 12), 2)


CASES: Mapping[str, Callable[[], Choices]] = {
    "no decisions": lambda: Choices(),
    "all are faults": lambda: Choices(decisions=40, faults={"unparsed": 31, "refused": 9}),
    "a third are faults": lambda: Choices(
        decisions=90, evidence=tuple(_pair("Care", "Power", 40, 20)), faults={"refused": 30}
    ),
    "one value only": lambda: _of([_chosen(n, ({"Care": 1.0}, {}), n % 3 // 2) for n in range(30)]),
    "all ties: equal stakes": lambda: _of(
        [_chosen(n, ({"Care": 1.0}, {"Care": 1.0}), n % 2) for n in range(30)]
    ),
    "as many for as against": lambda: _of(_pair("Care", "Power", 60, 60)),
    "one episode": lambda: _in_one(_pair("Care", "Power", 30, 12), 1),
    "two episodes": _two_episodes,
    "never contradicted": lambda: _of(_pair("Care", "Power", 60, 0)),
    "two sets that never meet": lambda: _of(
        _pair("Care", "Power", 50, 20) + _pair("Justice", "Privacy", 45, 25, start=70)
    ),
    "a value met in one episode": lambda: _of(
        [*_pair("Care", "Power", 50, 20), _chosen(0, ({"Justice": 1.0}, {"Care": 1.0}), 0)]
    ),
    "two values that always go together": lambda: _of(
        [
            _chosen(n, ({"Care": 1.0, "Justice": 1.0}, {"Power": 1.0}), int(n % 3 == 0))
            for n in range(60)
        ]
        + _pair("Power", "Privacy", 25, 15, start=60)
    ),
}


def table() -> Table:
    """Return, for each case, strengths with their intervals and the statement, word for word."""
    rankings = {case: rank_values(made()) for case, made in CASES.items()}
    return Table(
        columns=("choices", "strengths", "what is said"),
        rows=tuple(
            (case, _strengths(ranking) or "none", ranking.statement or "nothing to be warned of")
            for case, ranking in rankings.items()
        ),
    )


def _strengths(ranking: ValueRanking) -> str:
    texts = []
    for value in ranking.values:
        if value.strength is None:
            texts.append(f"{value.value}: {value.reason}")
        elif value.low is None or value.high is None:
            texts.append(f"{value.value} {value.strength:+.2f} ({value.reason})")
        else:
            limits = f"{value.low:+.2f} to {value.high:+.2f}"
            texts.append(f"{value.value} {value.strength:+.2f} ({limits})")
    return "; ".join(texts)

"""Whatever is missing or lopsided in the choices: a sentence says so, and every figure is one."""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from valuesim.choices import Choices, Evidence
from valuesim.graph import ValueRanking, rank_values, to_json
from valuesim.graph.planning import separations
from valuesim.option import Option

NAMES = tuple(f"v{number:02d}" for number in range(20))


def option(**stakes: float) -> Option:
    return Option(name="o", text="", stakes=stakes)


def made(
    shown: Sequence[tuple[tuple[Option, ...], int]], clusters: int | None = None, decisions: int = 0
) -> Choices:
    """Choices of (options, position), each its own cluster or dealt to so many `clusters`."""
    items = [
        Evidence(
            cluster=f"{number if clusters is None else number % clusters:05d}",
            options=options,
            position=position,
        )
        for number, (options, position) in enumerate(shown)
    ]
    return Choices(decisions=max(decisions, len(items)), evidence=tuple(items))


def battles(
    number: int, scale: float = 1.0, names: Sequence[str] = NAMES[:4], noise: float = 0.3
) -> list[tuple[tuple[Option, ...], int]]:
    """Choices between two values; the earlier name mostly wins."""
    rng = np.random.default_rng(len(names) + number)
    shown = []
    for _ in range(number):
        u, w = rng.permutation(len(names))[:2]
        wins = (u < w) != (rng.random() < noise)
        options = option(**{names[u]: scale}), option(**{names[w]: scale})
        shown.append((options, int(not wins)))
    return shown


def faults() -> Choices:
    return Choices(decisions=7, faults={"refused": 5, "unparsed": 2})


def ties() -> Choices:
    tie = option(v00=0.5, v01=-0.5)
    return made([((tie, tie), n % 2) for n in range(12)])


def together() -> Choices:
    pair, other = option(v00=1.0, v01=0.5), option(v02=1.0)
    third = option(v03=1.0)
    return made(
        [((pair, (other, third)[n % 2])[:: (-1) ** (n // 2)], n % 3 % 2) for n in range(60)]
    )


def apart() -> Choices:
    return made(battles(40) + battles(40, names=NAMES[4:8]))


def rounding() -> Choices:
    """Stakes that differ only by how a sum was rounded."""
    return made([((option(v00=0.1 + 0.2), option(v00=0.3)), n % 2) for n in range(20)])


def crowd() -> Choices:
    rng = np.random.default_rng(3)
    options = tuple(
        option(**{NAMES[u]: 1.0, NAMES[w]: -1.0})
        for u, w in (rng.permutation(6)[:2] for _ in range(500))
    )
    return made([(options, int(rng.integers(500))) for _ in range(12)])


def widths() -> Choices:
    rng = np.random.default_rng(4)
    shown = []
    for _ in range(60):
        width = int(rng.integers(1, 6))
        options = tuple(option(**{NAMES[k]: 1.0}) for k in rng.permutation(6)[:width])
        shown.append((options, int(rng.integers(width))))
    return made(shown)


CASES: dict[str, tuple[Choices, str]] = {
    "no decisions": (Choices(), "There are no decisions"),
    "all faults": (faults(), "All 7 decisions were faults (refused 5, unparsed 2)"),
    "all ties": (ties(), "No value is at stake in any of the 12 choices"),
    "one option only": (made([((option(v00=1.0),), 0)] * 5), "No value is at stake"),
    "no stakes": (made([((option(), option()), 0)] * 5), "No value is at stake"),
    "stakes of nearly nothing": (made(battles(30, scale=1e-12)), "No value is at stake"),
    "rounding": (rounding(), "No value is at stake"),
    "stakes of very little": (made(battles(30, scale=1e-8)), "No coherent ranking"),
    "one value": (
        made([((option(v00=1.0), option(v00=-1.0))[:: (-1) ** n], n % 2) for n in range(9)]),
        "Only v00 is at stake",
    ),
    "one decision": (made(battles(1)), "All contested choices come from one episode"),
    "one cluster": (made(battles(40), clusters=1), "All contested choices come from one episode"),
    "two clusters": (made(battles(40), clusters=2), "held-out prediction needs at least 10"),
    "two decisions": (made(battles(2, names=NAMES[:2])), "held-out prediction needs at least 10"),
    "perfectly separated": (made(battles(60, noise=0.0)), "never contradict each other"),
    "separated in one cluster": (made(battles(9, noise=0.0), clusters=1), "from one episode"),
    "separate sets": (apart(), "only within 2 separate sets"),
    "always with another": (together(), "do not determine v00, v01"),
    "twenty values in five decisions": (made(battles(5, names=NAMES)), "needs at least 10"),
    "always the first": (
        made([(options, 0) for options, _ in battles(50)]),
        "No coherent ranking: values at stake predict held-out choices no better",
    ),
    "full stakes, both ways": (
        made([((option(v00=1.0, v01=-1.0), option(v00=-1.0, v01=1.0)), n % 2) for n in range(30)]),
        "do not determine v00, v01",
    ),
    "a crowd of options": (crowd(), "No coherent ranking"),
    "sets of one to five options": (widths(), "No coherent ranking"),
    "the same decision five thousand times": (
        made([(battles(1)[0][0], 0)] * 5000, clusters=5000),
        "do not determine",
    ),
    "as often the one as the other": (
        made([((option(v00=1.0), option(v01=1.0)), n % 2) for n in range(40)]),
        "each was put before the other equally often",
    ),
    "as many faults as choices": (
        made(battles(30), decisions=60),
        "",
    ),
}


def numbers(node: Any) -> Iterator[float]:
    """Every number in a JSON value."""
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list | tuple):
        for each in node:
            yield from numbers(each)
    elif isinstance(node, int | float) and not isinstance(node, bool):
        yield node


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[ValueRanking, str]:
    choices, sentence = CASES[request.param]
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        return rank_values(choices, draws=100), sentence


def test_the_statement_says_what_is_wrong_and_no_figure_is_nan(
    case: tuple[ValueRanking, str],
) -> None:
    ranking, sentence = case
    assert sentence in (ranking.statement or "")
    assert np.isfinite(list(numbers(to_json({}, ranking)))).all()
    assert ranking.statement is None or "nan" not in ranking.statement


def test_a_figure_that_is_missing_has_a_reason(case: tuple[ValueRanking, str]) -> None:
    ranking, _ = case
    for value in ranking.values:
        figures = (value.strength, value.se, value.low, value.high, value.rank, value.rests_on)
        assert value.reason or None not in figures or ranking.clusters < 2, value
        assert value.is_identified == (value.rank is not None)
    for found in separations(ranking, [("v00", "v01")]):
        assert found.reason or None not in (found.difference, found.low, found.needed)
        figures = (found.difference, found.low, found.high, found.detectable, found.needed)
        assert np.isfinite([figure for figure in figures if figure is not None]).all()

"""Bradley-Terry with ties against choix, against the conditional logit and against planted nu."""

import choix
import numpy as np
import pytest

from valuesim.choices import Choices, Evidence
from valuesim.errors import InputError
from valuesim.graph.davidson import bradley_terry
from valuesim.graph.design import TERMS, compact
from valuesim.graph.logit import PRIOR_SD, mode
from valuesim.option import Option

V = 6
NAMES = tuple("ABCDEF")


def counted(nu: float, number: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return planted strengths, votes and ties of `number` comparisons of each pair."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=V)
    votes, ties = np.zeros((V, V)), np.zeros((V, V))
    for i in range(V):
        for j in range(i):
            odds = np.array([np.exp((theta[i] - theta[j]) / 2), 0.0, nu])
            odds[1] = 1 / odds[0]
            votes[i, j], votes[j, i], ties[i, j] = rng.multinomial(number, odds / odds.sum())
            ties[j, i] = ties[i, j]
    return theta - theta.mean(), votes, ties


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("method", ["mm_pairwise", "opt_pairwise", "ilsr_pairwise"])
def test_without_ties_strengths_are_those_of_choix(seed: int, method: str) -> None:
    _, votes, _ = counted(0.0, 20, seed)
    battles = [
        (i, j) for i in range(V) for j in range(V) for _ in range(int(votes[i, j])) if i != j
    ]
    settings = {"tol": 1e-12, "max_iter": 100_000}
    if method == "opt_pairwise":
        settings = {"tol": 1e-12}
    theirs = getattr(choix, method)(V, battles, **settings)
    ours = bradley_terry(votes)
    assert ours.nu == 0.0
    assert np.array(ours.strengths) == pytest.approx(theirs - theirs.mean(), abs=1e-6)


def as_choices(votes: np.ndarray, ties: np.ndarray) -> Choices:
    """Imported battles: two sides and a tie, at stake halfway and letting things be."""
    evidence = []
    for i in range(V):
        for j in range(i):
            first, second = NAMES[i], NAMES[j]
            options = (
                Option(name="first", text="", stakes={first: 1.0}),
                Option(name="second", text="", stakes={second: 1.0}),
                Option(name="tie", text="", stakes={first: 0.5, second: 0.5}, is_omission=True),
            )
            numbers = (votes[i, j], votes[j, i], ties[i, j])
            for position, number in enumerate(numbers):
                for _ in range(int(number)):
                    cluster = str(len(evidence))
                    evidence.append(
                        Evidence(
                            cluster=cluster, options=options, position=position, is_ordered=False
                        )
                    )
    return Choices(decisions=len(evidence), evidence=tuple(evidence))


@pytest.mark.parametrize("prior_sd", [None, PRIOR_SD], ids=["flat", "prior"])
def test_davidson_is_the_conditional_logit_with_a_tie_as_its_omission(
    prior_sd: float | None,
) -> None:
    _, votes, ties = counted(0.7, 30, 1)
    design = compact(as_choices(votes, ties))
    precision = 1e-9 if prior_sd is None else prior_sd**-2
    asked = np.asarray(design.asked.sum(axis=0), dtype=float)
    theta = mode(design, asked, design.totals.sum(axis=0), precision)
    found = bradley_terry(votes, ties, prior_sd=prior_sd)
    strengths = theta[:V] - theta[:V].mean()
    assert np.array(found.strengths) == pytest.approx(strengths, abs=1e-4)
    assert found.nu is not None
    assert np.log(found.nu) == pytest.approx(theta[V + list(TERMS).index("omission")], abs=1e-4)


def test_a_hand_worked_pair_has_its_strengths_and_nu_in_closed_form() -> None:
    # 8 : 2 : 4 is exp(d / 2) : exp(-d / 2) : nu, so that d = log 4 and nu = 4 / sqrt(8 * 2)
    found = bradley_terry(np.array([[0.0, 8], [2, 0]]), np.array([[0.0, 4], [4, 0]]))
    assert found.strengths == pytest.approx((np.log(4) / 2, -np.log(4) / 2))
    assert found.nu == pytest.approx(1.0)
    assert found.reason is None


@pytest.mark.parametrize("nu", [0.2, 1.0, 3.0])
def test_planted_strengths_and_nu_come_back(nu: float) -> None:
    theta, votes, ties = counted(nu, 20_000, 2)
    found = bradley_terry(votes, ties)
    assert found.nu == pytest.approx(nu, rel=0.03)
    assert np.array(found.strengths) == pytest.approx(theta, abs=0.03)


def test_fractional_votes_count_as_much_as_they_are() -> None:
    _, votes, ties = counted(0.5, 40, 3)
    whole, parts = bradley_terry(votes, ties), bradley_terry(votes / 7, ties / 7)
    assert parts.strengths == pytest.approx(whole.strengths, abs=1e-8)


def test_sets_without_votes_between_them_are_centred_apart() -> None:
    votes = np.zeros((5, 5))
    votes[0, 1], votes[1, 0] = 8, 2
    votes[2, 3], votes[3, 2] = 3, 1
    found = bradley_terry(votes)
    assert found.components == ((0, 1), (2, 3), (4,))
    assert found.strengths[0] == pytest.approx(np.log(4) / 2)
    assert found.strengths[2] == pytest.approx(np.log(3) / 2)
    assert found.strengths[4] is None
    assert found.reason == "strengths are comparable only within 3 separate sets of values"


def test_what_was_never_beaten_has_no_strength_without_a_prior_and_a_finite_one_with() -> None:
    votes = np.array([[0.0, 9], [0, 0]])
    free, held = bradley_terry(votes), bradley_terry(votes, prior_sd=PRIOR_SD)
    assert free.strengths == (None, None)
    assert free.reason == "no two values are comparable"
    assert held.strengths[0] is not None
    assert 0 < held.strengths[0] < 5


def test_nothing_but_ties_says_so() -> None:
    found = bradley_terry(np.zeros((2, 2)), np.array([[0.0, 4], [4, 0]]))
    assert (found.strengths, found.nu) == ((None, None), None)
    assert found.reason == "nothing but ties was counted"


@pytest.mark.parametrize("n_values", [0, 1, 3])
def test_no_votes_at_all_leave_everything_open(n_values: int) -> None:
    found = bradley_terry(np.zeros((n_values, n_values)), prior_sd=PRIOR_SD)
    assert found.strengths == (None,) * n_values
    assert found.reason is not None


@pytest.mark.parametrize(
    ("votes", "ties", "said"),
    [
        (np.zeros((2, 3)), None, "square"),
        (np.array([[0.0, -1], [0, 0]]), None, "negative"),
        (np.array([[0.0, np.inf], [0, 0]]), None, "not finite"),
        (np.eye(2), None, "against itself"),
        (np.zeros((2, 2)), np.array([[0.0, 1], [0, 0]]), "symmetric"),
    ],
)
def test_what_are_no_votes_is_refused(
    votes: np.ndarray, ties: np.ndarray | None, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        bradley_terry(votes, ties)

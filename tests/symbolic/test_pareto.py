import numpy as np
import pytest

from skdyn.symbolic._pareto import (
    complexity,
    inclusion_probabilities,
    misfit_of,
    pareto_front,
)
from skdyn.symbolic.discovery._parts import Fitted
from skdyn.symbolic.discovery._terms import Form, Term


def terms(*texts):
    return tuple(Term(Form(text, 1.0)) for text in texts)


def system(*texts, rss=1.0, score=0.0):
    return Fitted((terms(*texts),), ((1.0,) * len(texts),), np.array([rss]), score, None)


@pytest.mark.parametrize(
    ("texts", "nodes"),
    [
        ((), 1),  # 0
        (("1",), 1),  # c
        (("x0",), 3),  # c * x0
        (("x0*x1",), 5),
        (("x0**2", "1"), 7),  # c * x0 ** 2 + c
        (("sin(k0*x0)",), 6),  # c * sin(k0 * x0)
        (("x0/(k0 + x0)",), 7),
        (("exp(-x0)",), 5),
    ],
)
def test_complexity_counts_operators_functions_variables_and_constants(texts, nodes):
    assert complexity((terms(*texts),)) == nodes


def test_the_complexity_of_a_system_is_the_sum_over_its_equations():
    both = (terms("x0", "x1"), terms("x0*x1"))
    assert complexity(both) == complexity(both[:1]) + complexity(both[1:])


def many(rng):
    names = ["x0", "x1", "x0*x1", "x0**2", "sin(x0)", "1"]
    return [
        system(*rng.permutation(names)[: rng.integers(1, 5)].tolist(), rss=rng.exponential())
        for _ in range(60)
    ]


def beats(a, b):
    one = complexity(a.equations), misfit_of(a, 10)
    other = complexity(b.equations), misfit_of(b, 10)
    return one != other and one[0] <= other[0] and one[1] <= other[1]


def test_no_system_of_the_front_is_beaten_by_any_and_every_other_is():
    some = many(np.random.default_rng(0))
    front = pareto_front(some, 10)
    on_it = {id(s) for s in front}
    for b in some:
        assert (id(b) in on_it) == (not any(beats(a, b) for a in some))
    assert 1 < len(front) < len(some)
    assert np.all(np.diff([complexity(s.equations) for s in front]) > 0)


def test_the_chosen_system_is_on_the_front_and_none_there_dominates_another():
    some = many(np.random.default_rng(1))
    whole, n_left_out = pareto_front(some, 10), 0
    for chosen in some:
        others = [s for s in some if s is not chosen]
        front = pareto_front(others, 10, chosen)
        assert sum(s is chosen for s in front) == 1
        assert not any(beats(a, b) for a in front for b in front)
        assert {id(s) for s in front} <= {id(chosen), *map(id, pareto_front(others, 10))}
        n_left_out += len(front) < len(whole)
    assert n_left_out > len(some) / 2  # most are dominated, so that the law was put to the test


def test_misfit_is_the_root_mean_square_over_states_and_rows():
    residuals = np.random.default_rng(0).normal(size=(50, 3))
    found = system("x0")._replace(rss=(residuals**2).sum(axis=0))
    assert misfit_of(found, 50) == pytest.approx(np.sqrt((residuals**2).mean()))


def test_inclusion_is_the_posterior_odds_of_systems():
    some = [system("x0", "x1", score=-700.0), system("x0", score=-700.0 + np.log(3.0))]
    (chances,) = inclusion_probabilities(some)
    assert chances == pytest.approx({"x0": 1.0, "x1": 0.75})

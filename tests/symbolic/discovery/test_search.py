import numpy as np
import pytest
from scipy.integrate import solve_ivp

from skdyn.symbolic.discovery._beam import Candidate
from skdyn.symbolic.discovery._integral import IntegralForm
from skdyn.symbolic.discovery._library import library
from skdyn.symbolic.discovery._search import propose, score_each, structure_cost
from skdyn.symbolic.discovery._smoothing import smooth
from skdyn.symbolic.discovery._terms import FAMILIES, Form, Term

ONE, X0, X1 = (Term(Form(text, 0.5)) for text in ("1", "x0", "x1"))
PREY = ("x0", "x0*x1")
FEW = ("polynomial", "rational")


def measured(noise):
    """Prey and predators: x' = 1.1 x - 0.4 x y, y' = 0.1 x y - 0.4 y."""
    t = np.linspace(0, 25, 120)
    X = solve_ivp(lambda _, x: [1.1 * x[0] - 0.4 * x[0] * x[1], 0.1 * x[0] * x[1] - 0.4 * x[1]],
                  (0, 25), [10.0, 5.0], t_eval=t, rtol=1e-10, atol=1e-10).y.T  # fmt: skip
    return smooth([t], [X + noise * np.random.default_rng(0).normal(size=X.shape)])


@pytest.fixture(scope="module")
def record():
    return measured(0.05)


def problem(record, i=0):
    target, sd = ([part[:, i] for part in parts] for parts in (record.X, record.sd))
    return IntegralForm(record.t, target, sd, record.nodes())


@pytest.fixture(scope="module")
def proposals(record):
    terms = library(record.nodes(), FEW)
    return propose(problem(record), terms, FEW, max_terms=4)


def test_a_description_is_longer_with_more_terms_constants_and_data():
    saturating = Term(Form("x0/(k0 + x0)", 4.0, 1), (1.0,))
    alone, both = structure_cost([X0], 100), structure_cost([X0, saturating], 100)
    assert both == pytest.approx(alone + structure_cost([saturating], 100))
    assert structure_cost([X0, saturating], 1000) > both
    # Each constant is stated to one part in the root of the number of measurements.
    assert structure_cost([saturating], 400) - structure_cost([saturating], 100) == pytest.approx(
        2 * np.log(2)
    )
    assert structure_cost([], 100) == 0


def test_the_truth_is_proposed(proposals):
    candidates, _ = proposals
    assert PREY in {candidate.forms for candidate in candidates}


def test_proposals_differ_and_are_no_longer_than_asked(proposals):
    candidates, short = proposals
    forms = [candidate.forms for candidate in candidates + short]
    assert len(set(forms)) == len(forms)
    assert max(map(len, forms)) <= 4
    assert len(short) > 0


def test_proposals_come_with_coefficients_and_residuals_of_least_squares(record, proposals):
    form = problem(record)
    for candidate in proposals[0] + proposals[1]:
        A = np.stack([form.column(term) for term in candidate.terms], axis=1)
        r = form.y - A @ candidate.coef
        assert r @ r == pytest.approx(candidate.rss, rel=1e-6)
        assert np.abs(A.T @ r).max() < 1e-6 * np.linalg.norm(A) * np.linalg.norm(form.y)


def test_required_terms_are_in_every_proposal(record):
    terms = library(record.nodes(), FEW[:1], 2)
    found, short = propose(problem(record), terms, FEW[:1], max_terms=3, required=(ONE, X1))
    for candidate in found + short:
        assert {"1", "x1"} <= set(candidate.forms)


def test_a_required_term_without_a_value_is_refused(record):
    bad = Term(Form("log(x0 - 1e9)", 1.0))
    with pytest.raises(ValueError, match="not every required one"):
        propose(problem(record), [X0], FEW, required=(bad,))


def test_the_number_of_terms_is_bounded(record):
    terms = library(record.nodes(), FEW[:1], 2)
    found, short = propose(problem(record), terms, FEW[:1], max_terms=1)
    assert {len(candidate.terms) for candidate in found + short} == {1}


@pytest.mark.parametrize("i", [0, 1])
def test_shooting_puts_the_truth_first_and_recovers_its_coefficients(i):
    record = measured(0.0)
    terms = library(record.nodes(), FEW[:1], 2)
    found, _ = propose(problem(record, i), terms, FEW[:1], max_terms=3)
    best = score_each(record, i, found)[0].candidate
    assert best.forms == (PREY, ("x0*x1", "x1"))[i]
    coef = dict(zip([term.form.text for term in best.terms], best.coef))
    assert coef["x0*x1"] == pytest.approx((-0.4, 0.1)[i], rel=1e-3)
    assert coef[f"x{i}"] == pytest.approx((1.1, -0.4)[i], rel=1e-3)


def test_shooting_returns_each_candidate_once_with_a_lower_score_for_a_better_one(record):
    product = Term(Form("x0*x1", 1.5))
    truth = Candidate((X0, product), (1.0, -0.3), np.nan)
    others = [Candidate((ONE,), (0.0,), 1e9), Candidate((X1, product), (1.0, 0.0), 1e9)]
    scored = score_each(record, 0, [*others, truth])
    assert sorted(s.candidate.forms for s in scored) == sorted(c.forms for c in [*others, truth])
    score = {s.candidate.forms: s.score for s in scored}
    assert score[truth.forms] < min(score[other.forms] for other in others)


def test_a_candidate_that_explodes_is_passed_on_last(record):
    explosive = Candidate((Term(Form("exp(x0*x1)", 1.0)),), (1e3,), 1.0)
    product = Term(Form("x0*x1", 1.5))
    scored = score_each(record, 0, [Candidate((X0, product), (1.1, -0.4), 1e3), explosive])
    assert scored[-1].candidate.forms == explosive.forms


def test_all_families_are_searched_and_a_saturating_term_is_found():
    t = np.linspace(0, 8, 80)
    x = solve_ivp(lambda _, x: 0.6 - 1.5 * x / (0.3 + x), (0, 8), [3.0], t_eval=t, rtol=1e-10,
                  atol=1e-10).y.T  # fmt: skip
    record = smooth([t], [x])
    found, _ = propose(problem(record), library(record.nodes()), FAMILIES, max_terms=2)
    best = next(c for c in found if c.forms == ("1", "x0/(k0 + x0)"))
    (inner,) = next(term.inner for term in best.terms if term.inner)
    assert inner == pytest.approx(0.3, rel=0.01)

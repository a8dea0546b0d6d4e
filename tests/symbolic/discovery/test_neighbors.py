import numpy as np
import pytest
from scipy.integrate import solve_ivp

from skdyn.symbolic.discovery._fitted import forms_of
from skdyn.symbolic.discovery._joint import Joint
from skdyn.symbolic.discovery._neighbors import neighbors
from skdyn.symbolic.discovery._smoothing import smooth
from skdyn.symbolic.discovery._terms import Form, Term

ONE, X0, X1 = (Term(Form(text, 0.5)) for text in ("1", "x0", "x1"))
SQUARE, PRODUCT, OTHER = (Term(Form(text, 1.5)) for text in ("x0**2", "x0*x1", "x1**2"))
SATURATING = Term(Form("x0/(k0 + x0)", 3.0, 1), (50.0,))
POOL = [ONE, X0, X1, SQUARE, PRODUCT, OTHER]
TRUTH = ((X0, PRODUCT), (PRODUCT, X1))
NOISE = 0.1


def rhs(_, x):
    return [1.1 * x[0] - 0.4 * x[0] * x[1], 0.1 * x[0] * x[1] - 0.4 * x[1]]


@pytest.fixture(scope="module")
def joint():
    t = np.linspace(0, 20, 80)
    X = solve_ivp(rhs, (0, 20), [10.0, 5.0], t_eval=t, rtol=1e-10, atol=1e-10).y.T
    X = X + NOISE * np.random.default_rng(0).normal(size=X.shape)
    return Joint(smooth([t], [X])._replace(sd=[np.full(X.shape, NOISE)]), 8)


@pytest.fixture(scope="module")
def longer(joint):
    """The truth with a term too many."""
    return joint.fit(((*TRUTH[0], ONE), TRUTH[1]), ((1.1, -0.4, 0.0), (0.1, -0.4)))


def forms(proposals):
    return [forms_of(equations) for equations, _ in proposals]


def test_the_truth_is_the_first_neighbor_of_a_system_with_a_term_too_many(joint, longer):
    assert forms(neighbors(joint, longer, [POOL, POOL]))[0] == forms_of(TRUTH)


def test_constants_of_a_neighbor_are_those_that_a_fit_finds(joint, longer):
    equations, coefficients = neighbors(joint, longer, [POOL, POOL])[0]
    fitted = joint.fit(equations, coefficients)
    for guess, found in zip(coefficients, fitted.coefficients):
        assert guess == pytest.approx(found, rel=0.01)


def test_two_wrong_terms_are_exchanged_at_once(joint):
    wrong = ((X0, PRODUCT, OTHER), (X1, SQUARE)), ((1.1, -0.4, 0.0), (-0.4, 0.05))
    wrong = joint.fit(*wrong, whatever=True)
    improved = joint.improve(wrong, [POOL, POOL])
    assert forms_of(improved.equations) == forms_of(TRUTH)


def test_a_term_that_saturates_is_taken_for_its_limit_where_data_do_not_tell(joint):
    bent = joint.fit(((SATURATING, PRODUCT), TRUTH[1]), ((60.0, -0.4), (0.1, -0.4)), whatever=True)
    assert forms_of(joint.improve(bent, [POOL, POOL]).equations) == forms_of(TRUTH)


def test_what_cannot_get_better_is_left_as_it_is(joint):
    best = joint.fit(TRUTH, ((1.1, -0.4), (0.1, -0.4)))
    assert joint.improve(best, [POOL, POOL]) is best


def test_terms_without_values_along_the_solution_are_left_out(joint, longer):
    broken = Term(Form("log(-x0)", 0.5))
    proposals = neighbors(joint, longer, [[broken], [broken]])
    assert proposals
    assert all("log(-x0)" not in text for system in forms(proposals) for text in sum(system, ()))


def test_required_terms_stay(joint, longer):
    class Priors:
        def required(self, i):
            return (ONE,) if i == 0 else ()

    joint.priors = Priors()
    try:
        proposals = forms(neighbors(joint, longer, [POOL, POOL]))
    finally:
        joint.priors = None
    assert proposals
    assert all("1" in system[0] for system in proposals)


def test_no_neighbor_has_more_terms_than_allowed(joint):
    joint.max_terms = 2
    try:
        wrong = joint.fit(((X0, OTHER), TRUTH[1]), ((1.1, -0.4), (0.1, -0.4)), whatever=True)
        proposals = forms(neighbors(joint, wrong, [POOL, POOL]))
    finally:
        joint.max_terms = 6
    assert proposals
    assert all(len(texts) <= 2 for system in proposals for texts in system)

import numpy as np
import pytest

from skdyn.symbolic._measurements import Measurements
from skdyn.symbolic.discovery import regress
from skdyn.symbolic.discovery._fitted import forms_of
from skdyn.symbolic.discovery._library import candidate_terms
from skdyn.symbolic.discovery._priors import PriorKnowledge
from skdyn.symbolic.discovery._regress import search_targets
from skdyn.symbolic.discovery._terms import Form, Term, evaluate

OPTIONS = {"families": ("polynomial",), "degree": 2, "max_terms": 2}
SIMPLE = {"families": ("polynomial",), "degree": 2, "max_terms": 4}


def told(system):
    """The coefficients of a system by the text of their terms."""
    return tuple(
        {term.form.text: c for term, c in zip(terms, coef)}
        for terms, coef in zip(system.equations, system.coefficients)
    )


def assert_is(found, truth, rel):
    assert [set(row) for row in told(found.best)] == [set(row) for row in truth]
    for row, expected in zip(told(found.best), truth):
        assert row == pytest.approx(expected, rel=rel)


@pytest.fixture(scope="module")
def inputs():
    return np.random.default_rng(0).uniform(0.2, 2, size=(60, 2))


def test_a_product_with_a_sine_is_found(inputs):
    target = 1.3 * inputs[:, 0] * np.sin(inputs[:, 1])
    found = regress(inputs, target, families=("polynomial", "trigonometric"))
    assert_is(found, ({"x0*sin(x1)": 1.3},), 1e-9)


def test_a_saturating_target_is_found_with_its_inner_constant(inputs):
    x, y = inputs.T
    found = regress(inputs, 2 * x / (0.5 + x) - 0.3 * y, families=("polynomial", "rational"))
    assert_is(found, ({"x0/(k0 + x0)": 2.0, "x1": -0.3},), 1e-6)
    inner = [term.inner for term in found.best.equations[0] if term.inner]
    assert inner[0] == pytest.approx((0.5,), rel=1e-6)


def test_standard_errors_are_the_spread_over_repeated_noise(inputs):
    x, y = inputs.T
    rng = np.random.default_rng(1)
    answers, errors = [], []
    for _ in range(25):
        target = 1.5 * x - 0.7 * x * y + 0.1 * rng.normal(size=60)
        found = regress(inputs, target, **(SIMPLE | {"max_terms": 2}))
        if set(told(found.best)[0]) != {"x0", "x0*x1"}:
            continue
        answers.append([told(found.best)[0][text] for text in ("x0", "x0*x1")])
        texts = [term.form.text for term in found.best.equations[0]]
        errors.append([found.errors[0][texts.index(text)][0] for text in ("x0", "x0*x1")])
    assert len(answers) > 20
    assert np.abs(np.log(np.std(answers, axis=0) / np.mean(errors, axis=0))).max() < np.log(1.5)


def test_the_noise_of_a_target_is_measured_and_scales_with_it(inputs):
    noise = np.random.default_rng(0).normal(size=60)
    target = 1.3 * inputs[:, 0] + 0.1 * noise
    found, scaled = (regress(inputs, s * target, **SIMPLE) for s in (1.0, 1000.0))
    assert found.noise == pytest.approx(0.1, rel=0.25)
    assert scaled.noise == pytest.approx(1000 * found.noise, rel=1e-6)
    assert told(scaled.best)[0].keys() == told(found.best)[0].keys()


def test_alternatives_come_best_first_with_residuals_of_their_own_constants(inputs):
    target = 1.3 * inputs[:, 0] + 0.1 * np.random.default_rng(0).normal(size=60)
    found = regress(inputs, target, **SIMPLE)
    scores = [system.score for system in found.systems]
    assert scores == sorted(scores)
    columns = list(inputs.T)
    squares = []
    for system in found.systems[:5]:
        (terms,), (coef,) = system.equations, system.coefficients
        value = sum(c * evaluate(term, columns) for c, term in zip(coef, terms))
        squares.append(((target - value) ** 2).sum() / system.rss[0])
    assert squares == pytest.approx([squares[0]] * 5, rel=1e-6)


def test_prior_knowledge_chooses_terms_and_prices_systems(inputs):
    class Priors:
        """Only linear terms, the second variable among them."""

        def allowed(self, i, terms):
            assert i == 0
            return [term for term in terms if term.form.text in ("1", "x0", "x1")]

        def required(self, i):
            return (Term(Form("x1", 0.5)),)

        def price(self, equations, coefficients):
            return 100.0 * (len(equations[0]) > 1)

        def lawful(self, systems):
            return systems

    target = inputs[:, 0] ** 2 + 0.1 * inputs[:, 1]
    found = regress(inputs, target, priors=Priors(), families=("polynomial",))
    assert set().union(*(row for s in found.systems for row in told(s))) == {"1", "x0", "x1"}
    assert all("x1" in told(system)[0] for system in found.systems)
    dear = [system.score for system in found.systems if len(system.equations[0]) > 1]
    free = regress(inputs, target, families=("polynomial",), degree=1)
    assert min(dear) > free.systems[0].score + 99


def test_targets_are_found_side_by_side():
    X = np.random.default_rng(0).uniform(0.5, 2.0, (60, 2))
    targets = np.stack([2 * X[:, 0] * X[:, 1], X[:, 0] - 3 * X[:, 1] ** 2], axis=1)
    terms = candidate_terms(("polynomial",), 2, X)
    known = PriorKnowledge(["x", "y"], [], X, np.ones(2), terms, targets=["a", "b"])
    found = search_targets(Measurements([], X, targets), known, OPTIONS)
    assert forms_of(found.best.equations) == (("x0*x1",), ("x0", "x1**2"))
    np.testing.assert_allclose(np.concatenate(found.best.coefficients), [2.0, 1.0, -3.0])
    assert found.best.rss.shape == found.noise.shape == (2,)
    assert len(found.errors) == len(found.chances) == 2
    assert any(system is found.best for system in found.front)


def test_unexplained_variance_is_in_shares_of_the_targets():
    rng = np.random.default_rng(0)
    X = rng.uniform(0.5, 2.0, (200, 1))
    y = 1e6 * (X[:, 0] + 0.1 * rng.normal(size=200))
    terms = candidate_terms(("polynomial",), 1, X)
    known = PriorKnowledge(["x"], [], X, np.ones(1), terms, targets=["y"])
    found = search_targets(Measurements([], X, y[:, None]), known, OPTIONS | {"degree": 1})
    assert found.best.rss[0] / 200 == pytest.approx(1e10 / y.var(), rel=0.2)
    assert found.noise[0] == pytest.approx(1e5, rel=0.1)

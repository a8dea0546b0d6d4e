import numpy as np
import pytest
from scipy.integrate import solve_ivp

from skdyn._time_limit import time_limit
from skdyn.symbolic.discovery import discover, regress
from skdyn.symbolic.discovery._terms import Form, Term, evaluate

SIMPLE = {"families": ("polynomial",), "degree": 2, "max_terms": 4}
PREY = ({"x0": 1.1, "x0*x1": -0.4}, {"x1": -0.4, "x0*x1": 0.1})


def logistic(_, x):
    return 0.8 * x * (1 - x / 5)


def predation(_, x):
    return [1.1 * x[0] - 0.4 * x[0] * x[1], 0.1 * x[0] * x[1] - 0.4 * x[1]]


def solved(f, t, x0, max_step=np.inf):
    return solve_ivp(f, (t[0], t[-1]), x0, t_eval=t, rtol=1e-10, atol=1e-12, max_step=max_step).y.T


def told(found):
    """The coefficients of an answer by the text of their terms."""
    return tuple(
        {term.form.text: c for term, c in zip(terms, coef)}
        for terms, coef in zip(found.equations, found.coefficients)
    )


def assert_is(found, truth, rel):
    assert [set(row) for row in told(found)] == [set(row) for row in truth]
    for row, expected in zip(told(found), truth):
        assert row == pytest.approx(expected, rel=rel)


@pytest.fixture(scope="module")
def prey():
    t = np.linspace(0, 15, 80)
    return t, solved(predation, t, [10.0, 5.0])


@pytest.fixture(scope="module")
def noisy(prey):
    t, X = prey
    noise = 0.1 * np.random.default_rng(0).normal(size=X.shape)
    return discover([t], [X + noise], **SIMPLE)


@pytest.mark.parametrize("every", [1, 2])
def test_the_logistic_equation_is_found_exactly_from_all_or_half_the_rows(every):
    t = np.linspace(0, 12, 50)
    X = solved(logistic, t, [0.2])
    found = discover([t[::every]], [X[::every]], **SIMPLE)
    assert_is(found, ({"x0": 0.8, "x0**2": -0.16},), 1e-6)
    assert found.misfit.max() < 0.05


def test_the_logistic_equation_is_found_among_all_families():
    t = np.linspace(0, 12, 50)
    assert_is(discover([t], [solved(logistic, t, [0.2])]), ({"x0": 0.8, "x0**2": -0.16},), 1e-6)


@pytest.mark.parametrize("rows", [slice(None, None, 2), slice(40)], ids=str)
def test_prey_and_predators_are_found_from_clean_data(rows, prey):
    t, X = prey
    assert_is(discover([t[rows]], [X[rows]], **SIMPLE), PREY, 1e-4)


def test_prey_and_predators_are_found_from_two_short_trajectories():
    t = np.linspace(0, 3, 25)
    X = [solved(predation, t, x0) for x0 in ([10.0, 5.0], [2.0, 1.0])]
    assert_is(discover([t, t], X, **SIMPLE), PREY, 1e-4)


def test_the_effect_of_a_control_is_found():
    t = np.linspace(0, 15, 100)
    u = np.sin(t)[:, None]
    X = solved(lambda s, x: 2 * np.interp(s, t, u[:, 0]) - 0.5 * x, t, [1.0], max_step=0.1)
    assert_is(discover([t], [X], [u], **SIMPLE), ({"x0": -0.5, "x1": 2.0},), 1e-4)


def test_noisy_data_give_the_terms_and_constants_within_their_errors(noisy):
    assert_is(noisy, PREY, 0.03)
    for row, errors, truth in zip(told(noisy), noisy.errors, PREY):
        for (text, c), (error,) in zip(row.items(), errors):
            assert abs(c - truth[text]) < 4 * error
            assert error < 0.05 * abs(c)


def test_noise_and_misfit_are_those_of_the_measurements(noisy):
    assert noisy.noise == pytest.approx([0.1, 0.1], rel=0.25)
    assert noisy.misfit == pytest.approx([1.0, 1.0], abs=0.35)


def test_an_answer_has_an_error_for_each_constant_and_alternatives_that_are_worse(noisy):
    for terms, coef, errors in zip(noisy.equations, noisy.coefficients, noisy.errors):
        assert len(terms) == len(coef) == len(errors)
        assert [len(row) for row in errors] == [1 + len(term.inner) for term in terms]
    scores = [system.score for system in noisy.systems]
    best = noisy.systems[np.argmin(scores)]
    assert told(best)[0].keys() == told(noisy)[0].keys()
    assert len(scores) > 1


def test_the_same_data_give_the_same_answer():
    t = np.linspace(0, 12, 50)
    X = solved(logistic, t, [0.2]) + 0.3 * np.random.default_rng(1).normal(size=(50, 1))
    one, other = (discover([t], [X], **SIMPLE) for _ in range(2))
    assert one.equations == other.equations
    assert one.coefficients == other.coefficients
    assert [system.score for system in one.systems] == [system.score for system in other.systems]


def test_the_order_of_the_states_does_not_matter(prey):
    t, X = prey
    turned = told(discover([t[::2]], [X[::2, ::-1]], **SIMPLE))
    assert [set(row) for row in turned] == [{"x0", "x0*x1"}, {"x1", "x0*x1"}]
    assert turned[1]["x1"] == pytest.approx(1.1, rel=1e-4)


def test_rounding_and_the_number_of_terms_are_chosen(prey):
    t, X = (part[:40] for part in prey)
    found = discover([t], [X], **SIMPLE, round_constants=False)
    assert_is(found, PREY, 1e-3)
    assert 1.1 not in told(found)[0].values()
    short = discover([t], [X[:, :1]], families=("polynomial",), max_terms=1, max_rounds=1)
    assert [len(terms) for terms in short.equations] == [1]


def test_rounds_are_told_and_end_where_the_listener_asks(prey):
    t, X = prey
    heard = []

    def listen(number, fitted, misfit):
        heard.append((number, fitted, misfit))
        return True

    found = discover([t[:25]], [X[:25, :1]], **SIMPLE, max_rounds=3, after_round=listen)
    ((number, fitted, misfit),) = heard
    assert number == 1
    assert misfit.shape == (1,)
    assert fitted.score >= min(system.score for system in found.systems)


def test_a_search_out_of_time_gives_what_it_fitted_first(prey):
    t, X = prey
    with time_limit(-1.0):
        found = discover([t[:25]], [X[:25]], **SIMPLE)
    assert len(found.systems) == 1
    assert np.isfinite(np.concatenate(found.coefficients)).all()


# -- derivatives that were measured -----------------------------------------------------------


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
    inner = [term.inner for term in found.equations[0] if term.inner]
    assert inner[0] == pytest.approx((0.5,), rel=1e-6)


def test_standard_errors_are_the_spread_over_repeated_noise(inputs):
    x, y = inputs.T
    rng = np.random.default_rng(1)
    answers, errors = [], []
    for _ in range(25):
        target = 1.5 * x - 0.7 * x * y + 0.1 * rng.normal(size=60)
        found = regress(inputs, target, **(SIMPLE | {"max_terms": 2}))
        if set(told(found)[0]) != {"x0", "x0*x1"}:
            continue
        answers.append([told(found)[0][text] for text in ("x0", "x0*x1")])
        texts = [term.form.text for term in found.equations[0]]
        errors.append([found.errors[0][texts.index(text)][0] for text in ("x0", "x0*x1")])
    assert len(answers) > 20
    assert np.abs(np.log(np.std(answers, axis=0) / np.mean(errors, axis=0))).max() < np.log(1.5)


def test_the_noise_of_a_target_is_measured_and_scales_with_it(inputs):
    noise = np.random.default_rng(0).normal(size=60)
    target = 1.3 * inputs[:, 0] + 0.1 * noise
    found, scaled = (regress(inputs, s * target, **SIMPLE) for s in (1.0, 1000.0))
    assert found.noise == pytest.approx(0.1, rel=0.25)
    assert scaled.noise == pytest.approx(1000 * found.noise, rel=1e-6)
    assert told(scaled)[0].keys() == told(found)[0].keys()


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
            assert i == 3
            return [term for term in terms if term.form.text in ("1", "x0", "x1")]

        def required(self, i):
            return (Term(Form("x1", 0.5)),)

        def price(self, equations, coefficients):
            return 100.0 * (len(equations[0]) > 1)

    target = inputs[:, 0] ** 2 + 0.1 * inputs[:, 1]
    found = regress(inputs, target, priors=Priors(), equation=3, families=("polynomial",))
    assert set().union(*(row for s in found.systems for row in told(s))) == {"1", "x0", "x1"}
    assert all("x1" in told(system)[0] for system in found.systems)
    dear = [system.score for system in found.systems if len(system.equations[0]) > 1]
    free = regress(inputs, target, families=("polynomial",), degree=1)
    assert min(dear) > free.systems[0].score + 99

import joblib
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from skdyn._time_limit import time_limit
from skdyn.symbolic._measurements import Measurements, Segment
from skdyn.symbolic.discovery import _discover, discover
from skdyn.symbolic.discovery._discover import search_trajectories
from skdyn.symbolic.discovery._fitted import forms_of
from skdyn.symbolic.discovery._library import candidate_terms
from skdyn.symbolic.discovery._priors import PriorKnowledge

OPTIONS = {"families": ("polynomial",), "degree": 2, "max_terms": 2}
SIMPLE = {"families": ("polynomial",), "degree": 2, "max_terms": 4}
PREY = ({"x0": 1.1, "x0*x1": -0.4}, {"x1": -0.4, "x0*x1": 0.1})


def logistic(_, x):
    return 0.8 * x * (1 - x / 5)


def predation(_, x):
    return [1.1 * x[0] - 0.4 * x[0] * x[1], 0.1 * x[0] * x[1] - 0.4 * x[1]]


def solved(f, t, x0, max_step=np.inf):
    return solve_ivp(f, (t[0], t[-1]), x0, t_eval=t, rtol=1e-10, atol=1e-12, max_step=max_step).y.T


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
    for row, errors, truth in zip(told(noisy.best), noisy.errors, PREY):
        for (text, c), (error,) in zip(row.items(), errors):
            assert abs(c - truth[text]) < 4 * error
            assert error < 0.05 * abs(c)


def test_noise_and_misfit_are_those_of_the_measurements(noisy):
    assert noisy.noise == pytest.approx([0.1, 0.1], rel=0.25)
    assert noisy.misfit == pytest.approx([1.0, 1.0], abs=0.35)


def test_an_answer_has_an_error_for_each_constant_and_alternatives_that_are_worse(noisy):
    for terms, coef, errors in zip(noisy.best.equations, noisy.best.coefficients, noisy.errors):
        assert len(terms) == len(coef) == len(errors)
        assert [len(row) for row in errors] == [1 + len(term.inner) for term in terms]
    scores = [system.score for system in noisy.systems]
    best = noisy.systems[np.argmin(scores)]
    assert told(best)[0].keys() == told(noisy.best)[0].keys()
    assert len(scores) > 1


def test_the_same_data_give_the_same_answer():
    t = np.linspace(0, 12, 50)
    X = solved(logistic, t, [0.2]) + 0.3 * np.random.default_rng(1).normal(size=(50, 1))
    one, other = (discover([t], [X], **SIMPLE) for _ in range(2))
    assert one.best.equations == other.best.equations
    assert one.best.coefficients == other.best.coefficients
    assert [system.score for system in one.systems] == [system.score for system in other.systems]


def test_the_order_of_the_states_does_not_matter(prey):
    t, X = prey
    turned = told(discover([t[::2]], [X[::2, ::-1]], **SIMPLE).best)
    assert [set(row) for row in turned] == [{"x0", "x0*x1"}, {"x1", "x0*x1"}]
    assert turned[1]["x1"] == pytest.approx(1.1, rel=1e-4)


def test_rounding_and_the_number_of_terms_are_chosen(prey):
    t, X = (part[:40] for part in prey)
    found = discover([t], [X], **SIMPLE, round_constants=False)
    assert_is(found, PREY, 1e-3)
    assert 1.1 not in told(found.best)[0].values()
    short = discover([t], [X[:, :1]], families=("polynomial",), max_terms=1, max_iter=1)
    assert [len(terms) for terms in short.best.equations] == [1]


def test_rounds_are_told_and_end_where_the_listener_asks(prey):
    t, X = prey
    heard = []

    def listen(number, fitted, misfit):
        heard.append((number, fitted, misfit))
        return True

    found = discover([t[:25]], [X[:25, :1]], **SIMPLE, max_iter=3, after_round=listen)
    ((number, fitted, misfit),) = heard
    assert number == 1
    assert misfit.shape == (1,)
    assert fitted.score >= min(system.score for system in found.systems)


def test_a_search_out_of_time_gives_what_it_fitted_first(prey):
    t, X = prey
    with time_limit(-1.0):
        found = discover([t[:25]], [X[:25]], **SIMPLE)
    assert len(found.systems) == 1
    assert np.isfinite(np.concatenate(found.best.coefficients)).all()


# -- several searches ------------------------------------------------------------------------


def lotka_volterra(noise=0.02, n=60):
    t = np.linspace(0.0, 4.0, n)
    x = solve_ivp(
        lambda t, x: [1.5 * x[0] - x[0] * x[1], x[0] * x[1] - 3 * x[1]], (0, 4), [4.0, 1.0],
        t_eval=t, rtol=1e-9, atol=1e-9,
    ).y.T  # fmt: skip
    x *= np.exp(noise * np.random.default_rng(0).normal(size=x.shape))
    return Measurements([Segment(t, x, None)])


def knowledge(data, **stated):
    terms = candidate_terms(("polynomial",), 2, data.inputs)
    return PriorKnowledge(["x", "y"], [], data.inputs, data.rates, terms, **stated)


@pytest.fixture(scope="module")
def found():
    data = lotka_volterra()
    options = OPTIONS | {"max_iter": 1}
    rng = np.random.RandomState(0)
    return search_trajectories(data, knowledge(data), options, n_models=1, rng=rng)


def test_the_ensemble_finds_the_truth_and_is_sure_of_its_terms(found):
    assert forms_of(found.best.equations) == (("x0", "x0*x1"), ("x0*x1", "x1"))
    for terms, chance in zip(found.best.equations, found.chances, strict=True):
        assert all(0.5 < chance[term.form.text] <= 1.0 + 1e-12 for term in terms)
        assert max(chance.get(text, 0.0) for text in ("1", "x0**2", "x1**2")) < 0.5


def test_the_best_is_on_the_front_which_holds_each_complexity_once(found):
    assert any(system is found.best for system in found.front)
    sizes = [system.complexity for system in found.front]
    assert len(set(sizes)) == len(sizes)


def test_searches_at_a_time_find_what_searches_in_turn_find(found):
    data = lotka_volterra()
    options = OPTIONS | {"max_iter": 1}
    with joblib.parallel_config("threading"):  # starts faster than processes
        again = search_trajectories(
            data, knowledge(data), options, n_models=1, n_jobs=2, rng=np.random.RandomState(0)
        )
    assert again.best.coefficients == found.best.coefficients
    assert again.chances == found.chances


def test_what_a_half_finds_is_judged_on_all_rows(monkeypatch):
    """The first search, of all rows, is kept from the truth; that of a half is not."""
    data = lotka_volterra()
    n_rows = len(data.inputs)

    def narrow(t, X, u, priors, max_terms, **options):
        whole = len(t[0]) == n_rows and isinstance(priors, PriorKnowledge)
        return discover(t, X, u, priors=priors, max_terms=1 if whole else max_terms, **options)

    monkeypatch.setattr(_discover, "discover", narrow)
    options = OPTIONS | {"max_iter": 1}
    rng = np.random.RandomState(0)
    alone = search_trajectories(data, knowledge(data), options)
    helped = search_trajectories(data, knowledge(data), options, n_models=1, rng=rng)
    assert helped.best.score < alone.best.score
    found = [{term.form.text for term in terms} for terms in helped.best.equations]
    assert found == [{"x0", "x0*x1"}, {"x1", "x0*x1"}]
    assert max(map(len, alone.best.equations)) == 1
    assert np.isfinite(np.concatenate([np.concatenate(row) for row in helped.errors])).all()


def test_equations_that_no_data_could_bring_about_are_an_error():
    data = lotka_volterra()
    known = knowledge(data, required={"x": ["x"]}, max_complexity=4)
    known._max_complexity = 3  # c * x alone has as many, and nothing is left for 0
    with pytest.raises(ValueError, match="No equations agree with both the data and max_complex"):
        search_trajectories(data, known, OPTIONS | {"max_iter": 1})

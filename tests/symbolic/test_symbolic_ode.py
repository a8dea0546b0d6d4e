import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import sympy
from scipy.integrate import solve_ivp
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

import skdyn
from skdyn.exceptions import SolverError
from skdyn.model_selection._trajectory_split import TrajectorySplit
from skdyn.symbolic import _symbolic_ode
from skdyn.symbolic._symbolic_ode import SymbolicODERegressor

POLYNOMIAL = {"families": "polynomial", "degree": 2}
QUICK = POLYNOMIAL | {"max_iter": 1, "max_terms": 3, "round_constants": False}


def solve(field, x0, t):
    options = {"t_eval": t, "rtol": 1e-11, "atol": 1e-11, "method": "DOP853"}
    return solve_ivp(field, (t[0], t[-1]), x0, **options).y.T


def lotka_volterra(t, x):
    return [1.5 * x[0] - x[0] * x[1], x[0] * x[1] - 3 * x[1]]


def rivals(t, x):
    return [x[0] * (2 - x[0] - 0.5 * x[1]), x[1] * (2 - x[1] - 0.5 * x[0])]


def sir(t, x):
    return [-0.5 * x[0] * x[1], 0.5 * x[0] * x[1] - 0.2 * x[1], 0.2 * x[1]]


T = np.linspace(0.0, 6.0, 61)
PREY = solve(lotka_volterra, [4.0, 1.0], T)
FOUND = {"x0' = 1.5 x0 - x0 x1", "x1' = -3 x1 + x0 x1"}


@pytest.fixture(scope="module")
def noisy():
    return PREY * np.exp(0.02 * np.random.default_rng(0).normal(size=PREY.shape))


@pytest.fixture(scope="module")
def quick(noisy):
    with warnings.catch_warnings(action="error"):  # there is nothing to doubt
        return SymbolicODERegressor(**QUICK).fit(noisy, t=T)


@pytest.fixture(scope="module")
def fitted(noisy):
    frame = pd.DataFrame(noisy, columns=["prey", "predator"])
    return SymbolicODERegressor(**POLYNOMIAL).fit(frame, t=T)


# -- what is found ---------------------------------------------------------------------------


def push(t):
    return np.cos(1.3 * t) + np.sin(0.4 * t)


@pytest.mark.parametrize(
    ("field", "x0", "t", "options", "expected"),
    [
        (lambda t, x: [10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]],
         [1.0, 1.0, 20.0], np.linspace(0, 2, 201), POLYNOMIAL,
         ["x0' = -10 x0 + 10 x1", "x1' = 28 x0 - x1 - x0 x2", "x2' = -2.667 x2 + x0 x1"]),
        (lotka_volterra, [4.0, 1.0], T, {}, ["x0' = 1.5 x0 - x0 x1", "x1' = -3 x1 + x0 x1"]),
        (lambda t, x: [x[1], 2 * (1 - x[0] ** 2) * x[1] - x[0]],
         [1.0, 1.0], np.linspace(0, 12, 100), {"families": "polynomial"},
         ["x0' = x1", "x1' = -x0 + 2 x1 - 2 x0^2 x1"]),
        (sir, [0.9, 0.1, 0.0], np.linspace(0, 30, 31),
         POLYNOMIAL | {"conserved": "x0 + x1 + x2"},
         ["x0' = -0.5 x0 x1", "x1' = -0.2 x1 + 0.5 x0 x1", "x2' = 0.2 x1"]),
        (lambda t, x: [0.6 - 1.5 * x[0] / (0.3 + x[0])], [3.0], np.linspace(0, 10, 81), {},
         ["x0' = 0.6 - 1.5 x0/(0.3 + x0)"]),
    ],
    ids=["Lorenz", "Lotka-Volterra", "van der Pol", "SIR", "Michaelis-Menten"],
)  # fmt: skip
def test_the_equations_of_clean_trajectories_are_found_exactly(field, x0, t, options, expected):
    X = solve(field, x0, t)
    model = SymbolicODERegressor(**options).fit(X, t=t)
    assert model.equations(precision=4) == expected
    assert model.score(X, t=t) > 0.99999


def test_the_equations_of_a_forced_oscillator_are_found_exactly():
    t = np.linspace(0.0, 12.0, 160)

    def straight(now):  # as controls are between the times
        return np.interp(now, t, push(t))

    X = solve(lambda t, x: [x[1], -x[0] - 0.2 * x[1] + 2 * straight(t)], [1.0, 0.0], t)
    model = SymbolicODERegressor(**POLYNOMIAL).fit(X, t=t, u=push(t))
    assert model.equations(4) == ["x0' = x1", "x1' = -x0 - 0.2 x1 + 2 u0"]
    np.testing.assert_allclose(model.simulate([1.0, 0.0], t, push), X, atol=1e-2)
    assert model.score(X, t=t, u=push(t)) > 0.999
    with pytest.raises(ValueError, match="u must hold the 1 controls seen during fit"):
        model.score(X, t=t)


def test_constants_of_noisy_data_lie_within_their_intervals(fitted, quick):
    assert {e.replace("prey", "x0").replace("predator", "x1") for e in fitted.equations(2)} == FOUND
    table = quick.coefficients()
    off = (table["value"] - [1.5, -1.0, -3.0, 1.0]) / table["std_error"]
    assert 1e-3 < np.abs(off).max() < 4.0
    assert (table["inclusion_probability"] > 0.9).all()
    assert 0.5 < fitted.misfit_.min() < fitted.misfit_.max() < 1.5


def test_states_and_time_in_other_units_give_coefficients_in_other_units():
    plain = SymbolicODERegressor(**QUICK).fit(PREY, t=T)
    other = SymbolicODERegressor(**QUICK).fit(PREY * [1000.0, 0.01], t=60.0 * T)
    expected = np.array([1.5, -1.0 / 0.01, -3.0, 1.0 / 1000.0]) / 60.0
    np.testing.assert_allclose(plain.coefficients()["value"], [1.5, -1.0, -3.0, 1.0], rtol=1e-5)
    np.testing.assert_allclose(other.coefficients()["value"], expected, rtol=1e-5)
    np.testing.assert_allclose(
        other.coefficients()["std_error"] / expected,
        plain.coefficients()["std_error"] / [1.5, -1.0, -3.0, 1.0], rtol=1e-2,
    )  # fmt: skip


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_units_of_noisy_data_change_nothing_but_the_unit_of_coefficients(noisy, quick, unit):
    size = np.array([unit, 1 / unit])
    other = SymbolicODERegressor(**QUICK).fit(noisy * size, t=T * unit)
    table, plain = other.coefficients(), quick.coefficients()
    assert table["term"].tolist() == plain["term"].tolist() == ["x0", "x0 x1", "x1", "x0 x1"]
    solved = other.simulate(PREY[0] * size, T * unit) / size
    np.testing.assert_allclose(solved, quick.simulate(PREY[0], T), rtol=1e-3)
    for column in ("value", "std_error"):
        there = plain[column] * [1 / unit, 1.0, 1 / unit, unit**-2]
        np.testing.assert_allclose(table[column], there, rtol=1e-3)


def test_slips_are_named_and_change_nothing(noisy, quick):
    slipped = noisy.copy()
    slipped[[10, 30, 50], [0, 1, 0]] *= 10
    with pytest.warns(UserWarning, match=r"ignored: 2 of x0 \(t=1, 5\); 1 of x1 \(t=3\)\. If"):
        model = SymbolicODERegressor(**QUICK).fit(slipped, t=T)
    for column in ("term", "equation"):
        assert model.coefficients()[column].tolist() == quick.coefficients()[column].tolist()
    assert model.misfit_ == pytest.approx(quick.misfit_, rel=0.3)


def test_the_same_is_found_from_trajectories_in_any_layout():
    t = T[:31]
    one, other = PREY[:31], solve(lotka_volterra, [2.0, 2.0], t)
    model = SymbolicODERegressor(**QUICK)
    table = np.concatenate([one, other])
    fits = [
        clone(model).fit(np.stack([one.T, other.T]), t=t),
        clone(model).fit([one.T, other.T], t=[t, t]),
        clone(model).fit(table, t=np.tile(t, 2), groups=np.repeat(["a", "b"], len(t))),
    ]
    assert all(set(fit.equations()) == FOUND for fit in fits)
    first, *rest = (fit.coefficients()["value"].to_numpy() for fit in fits)
    assert all((values == first).all() for values in rest)


def test_rows_with_nan_and_irregular_times_are_no_hindrance():
    rng = np.random.default_rng(0)
    kept = np.sort(rng.choice(len(T), 50, replace=False))
    X = PREY[kept]
    X[[5, 12, 27], [0, 1, 0]] = np.nan
    model = SymbolicODERegressor(**POLYNOMIAL).fit(X, t=T[kept])
    assert set(model.equations(2)) == FOUND


def test_an_ensemble_asks_for_a_seed_and_gives_probabilities(noisy):
    model = SymbolicODERegressor(**QUICK, n_models=1, random_state=0).fit(noisy, t=T)
    assert model.coefficients()["inclusion_probability"].between(0.3, 1.0 + 1e-9).all()


# -- regression of a target ------------------------------------------------------------------


def test_given_derivatives_the_equations_are_those_of_the_derivatives():
    dX = np.array([lotka_volterra(0.0, x) for x in PREY])
    model = SymbolicODERegressor(families=("polynomial", "rational")).fit(PREY, dX)
    assert set(model.equations()) == FOUND
    assert model.score(PREY, dX) == pytest.approx(1.0)
    np.testing.assert_allclose(model.simulate(PREY[0], T), PREY, atol=1e-6)


def test_given_a_target_it_is_symbolic_regression():
    X = np.random.default_rng(0).uniform(0.5, 3.0, (50, 2))
    y = pd.Series(2.5 * np.sin(X[:, 0]) + X[:, 1] ** 2 / (0.7 + X[:, 1] ** 2), name="power")
    model = SymbolicODERegressor().fit(X, y)
    assert model.equations() == ["power = x1^2/(0.7 + x1^2) + 2.5 sin(x0)"]
    np.testing.assert_allclose(model.predict(X), y)
    assert model.predict(X).shape == (50,)
    assert model.misfit_[0] < 1e-20
    with pytest.raises(ValueError, match="conserved cannot be imposed on the targets y"):
        SymbolicODERegressor(conserved="x0").fit(X, y)
    with pytest.raises(ValueError, match="symmetry and bounded cannot be imposed"):
        SymbolicODERegressor(bounded=["x0"], symmetry=[[-1, 1]]).fit(X, y)


# -- prior knowledge -------------------------------------------------------------------------


def fit_with(noisy, **stated):
    return SymbolicODERegressor(**QUICK).set_params(**stated).fit(noisy, t=T)


def x(i):
    return sympy.Symbol(f"x{i}", real=True)


def test_required_and_forbidden_terms_in_names_of_columns_are_in_and_out_of_what_is_found(noisy):
    frame = pd.DataFrame(noisy, columns=["prey", "predator"])
    required, forbidden = {"prey": ["prey**2"]}, {1: ["predator*prey"]}
    model = fit_with(frame, required_terms=required, forbidden_terms=forbidden)
    prey, predator = sympy.symbols("prey predator", real=True)
    first, second = (sympy.expand(e).as_coefficients_dict() for e in model.to_sympy())
    assert first[prey**2] != 0
    assert second[prey * predator] == 0


def test_no_more_complexity_is_taken_than_there_may_be(noisy):
    model = fit_with(noisy, max_complexity=15)
    assert (model.pareto_front_["complexity"] <= 15).all()


def test_what_is_stated_as_conserved_is_conserved_to_rounding(noisy):
    law = "x0**2 + 3*x1**2"
    model = fit_with(noisy, conserved=[law])
    function = sympy.sympify(law, {"x0": x(0), "x1": x(1)})
    change = sum(function.diff(x(i)) * expression for i, expression in enumerate(model.to_sympy()))
    states = np.random.default_rng(0).uniform(0.5, 5.0, (20, 2))
    values = sympy.lambdify([x(0), x(1)], change)(*states.T)
    assert np.abs(values).max() < 1e-10 * np.abs(model.predict(states)).max()
    assert np.abs(model.predict(states)).max() > 0.1


def test_signs_and_matrices_map_solutions_to_solutions(noisy):
    states = np.random.default_rng(0).normal(size=(20, 2))
    odd = fit_with(noisy, symmetry=[[-1, -1]])
    np.testing.assert_allclose(odd.predict(-states), -odd.predict(states))
    swap = np.array([[0.0, 1.0], [1.0, 0.0]])
    even = fit_with(solve(rivals, [0.2, 1.4], T), symmetry=[swap])
    np.testing.assert_allclose(even.predict(states @ swap), even.predict(states) @ swap, rtol=1e-9)
    assert np.abs(even.predict(states)).max() > 1e-3


def test_slopes_over_the_data_have_the_stated_sign(noisy, quick):
    model = fit_with(noisy, monotone={("x0", "x1"): 1})
    slopes = model.system_.jacobian(noisy)[:, 0, 1]
    assert slopes.min() > -1e-2 * np.abs(noisy).max()
    assert quick.system_.jacobian(noisy)[:, 0, 1].max() < 0.0


def test_a_bounded_equation_does_not_run_away(noisy):
    options = {"families": ("polynomial", "rational"), "degree": 1, "max_terms": 2}
    model = fit_with(noisy, bounded=["x1"], **options)
    far = np.abs(model.predict([[1e8, 1.0], [1e16, 1.0], [1e-9, 1.0]])[:, 1])
    assert far[1] == pytest.approx(far[0], rel=1e-3)
    assert far.max() < 1e4


# -- what can be done with it ----------------------------------------------------------------


def test_the_front_holds_the_system_taken_and_none_that_is_beaten(fitted):
    front = fitted.pareto_front_
    assert front["selected"].sum() == 1
    assert front.loc[front["selected"], "equations"].item() == fitted.equations()
    others = front[~front["selected"]]
    assert (others["complexity"].diff().dropna() > 0).all()
    assert (others["error"].diff().dropna() < 0).all()


def test_scores_are_the_sums_of_their_parts(fitted):
    front = fitted.pareto_front_
    parts = front[["misfit", "structure", "escapes", "sensitivity", "rounding", "priors"]]
    np.testing.assert_allclose(parts.sum(axis=1), front["score"])
    chosen = front[front["selected"]]
    assert (chosen[["structure", "rounding"]] * [1, -1] > 0).all(axis=None)
    assert (front[["structure", "escapes", "sensitivity"]] >= 0).all(axis=None)


def test_data_that_settle_nothing_are_said_to_and_the_alternatives_are_listed():
    rng = np.random.default_rng(0)
    t = np.linspace(0, 2, 30)
    x = 1 + np.exp(-t) + 0.05 * rng.normal(size=30)
    with pytest.warns(UserWarning, match="The data do not settle the equations: .* within 3 nats"):
        model = SymbolicODERegressor(**QUICK).fit(x[:, None], t=t)
    others = model.alternatives_
    assert others["behind"].is_monotonic_increasing
    assert others["behind"].min() < 3.0
    assert model.equations() not in others["equations"].tolist()


def test_another_system_of_the_front_can_be_taken(fitted):
    front = fitted.pareto_front_
    row = int(np.flatnonzero(~front["selected"])[0])
    other = fitted.select(row)
    assert other.equations() == front["equations"][row]
    assert other.pareto_front_["selected"].tolist() == [i == row for i in range(len(front))]
    assert np.sqrt(other.misfit_.mean()) == pytest.approx(front["error"][row])
    assert other.coefficients()["std_error"].isna().all()
    assert other.simulate([2.0, 2.0], [0.0, 0.1]).shape == (2, 2)
    assert fitted.pareto_front_["selected"].tolist() == front["selected"].tolist()
    with pytest.raises(ValueError, match="row must be one of the"):
        fitted.select(len(front))


def test_names_of_columns_are_the_names_in_equations(fitted):
    assert fitted.equations()[0].startswith("prey' = ")
    assert set(fitted.coefficients()["equation"]) == {"prey'", "predator'"}


def test_prediction_equals_the_formulas(fitted, noisy):
    names = sympy.symbols("prey predator", real=True)
    expected = np.stack([sympy.lambdify(names, e)(*noisy.T) for e in fitted.to_sympy()], axis=1)
    frame = pd.DataFrame(noisy, columns=["prey", "predator"])
    np.testing.assert_allclose(fitted.predict(frame), expected, rtol=1e-12)


def test_a_copy_is_equal_and_its_file_small(fitted, tmp_path):
    text = pickle.dumps(fitted)
    assert len(text) < 20_000
    assert b"discovery" not in text  # plain values, not what they were searched with
    again = pickle.loads(text)
    assert again.system_ == fitted.system_
    pd.testing.assert_frame_equal(again.coefficients(), fitted.coefficients())
    pd.testing.assert_frame_equal(again.pareto_front_, fitted.pareto_front_)
    pd.testing.assert_frame_equal(again.alternatives_, fitted.alternatives_)


def test_a_grid_search_over_blocks_of_time_tells_too_few_terms_from_enough():
    with config_context(enable_metadata_routing=True):
        model = SymbolicODERegressor(**QUICK)
        model.set_fit_request(t=True).set_score_request(t=True)
        search = GridSearchCV(
            model, {"max_terms": [1, 2]}, cv=TrajectorySplit(n_splits=2), error_score="raise"
        ).fit(PREY, t=T)
    assert search.best_params_ == {"max_terms": 2}
    assert search.best_score_ > 0.999
    assert set(search.best_estimator_.equations(2)) == FOUND


def test_the_score_of_equations_that_blow_up_is_the_lowest(fitted):
    grower = SymbolicODERegressor(families="polynomial", degree=2)
    t = np.linspace(0.0, 0.7, 40)
    grower.fit(1 / (1 - t)[:, None], t=t)
    assert grower.equations() == ["x0' = x0^2"]
    with pytest.raises(SolverError, match=r"cannot be followed beyond t=|t=1|t=0\.9"):
        grower.simulate([1.0], [0.0, 2.0])
    steady = np.linspace(1.0, 2.0, 30)[:, None]
    assert grower.score(steady, t=np.linspace(0.0, 3.0, 30)) == -10.0


# -- what goes wrong -------------------------------------------------------------------------


def refuses(message, X, estimator=None, **fit):
    model = SymbolicODERegressor(**POLYNOMIAL) if estimator is None else estimator
    with pytest.raises(ValueError, match=message):
        model.fit(X, **fit)
    with pytest.raises(NotFittedError):
        model.equations()


def test_what_is_no_use_as_data_is_refused():
    refuses("too few samples: n_samples = 8 complete rows, of which 8", PREY[:8], t=T[:8])
    refuses("too few samples: n_samples = 5 complete rows, of which 0", PREY[:5], t=T[:5])
    refuses("x1 is constant", np.column_stack([PREY[:, 0], np.ones(len(T))]), t=T)
    refuses("must strictly increase", PREY, t=T[::-1])
    gone = PREY.copy()
    gone[:, 1] = np.nan
    refuses("NaN|n_samples = 0|complete", gone, t=T)


def test_states_that_depend_on_each_other_are_named_and_described_as_shortly_as_can_be():
    dependent = solve(sir, [0.9, 0.1, 0.0], T)
    model = SymbolicODERegressor("polynomial", degree=2)
    with pytest.warns(UserWarning, match=r"linearly dependent.* Or state in conserved"):
        model.fit(dependent, t=T)
    np.testing.assert_allclose(model.simulate(dependent[0], T), dependent, atol=1e-4)


def test_contradictions_and_empty_libraries_are_refused():
    required = SymbolicODERegressor(required_terms=["x0"], forbidden_terms=["3*x0"])
    refuses("required_terms and forbidden_terms contradict", PREY, required, t=T)
    nothing = SymbolicODERegressor(families=("logarithmic", "power"))
    refuses("No term of families=", PREY - PREY.mean(axis=0), nothing, t=T)
    unknown = SymbolicODERegressor(families=("polynomials",))
    refuses("families must be 'all' or some of", PREY, unknown, t=T)
    refuses(r"some of polynomial, .*; got 'x5'\.", PREY, SymbolicODERegressor(["x5"] * 99), t=T)
    slopes = SymbolicODERegressor(**QUICK, monotone={("x0", "x1"): np.ones(50)})
    refuses(
        r"monotone must map .* got \('x0', 'x1'\): an array of shape \(50,\)", PREY, slopes, t=T
    )
    signs = SymbolicODERegressor(**QUICK, symmetry=[np.ones((40, 40))])
    refuses(r"symmetry must list .* an array of shape \(40, 40\) in the", PREY, signs, t=T)
    all_out = SymbolicODERegressor("polynomial", degree=1, forbidden_terms=["1", "x0", "x1"])
    refuses("No term is left for the equation of x0", PREY, all_out, t=T)


def test_a_required_term_may_call_any_function_and_be_written_as_it_is_printed():
    t = np.linspace(0.0, 3.0, 60)
    x = np.where(t < 1.0, 0.5 + 0.5 * t, np.exp(0.5 * (t - 1.0)))  # x' = max(x, 1) / 2
    required = SymbolicODERegressor("polynomial", max_terms=1, required_terms=["x' = 2 max(x0, 1)"])
    model = required.fit(x[:, None], t=t)
    assert model.equations() == ["x0' = 0.5 Max(1, x0)"]
    np.testing.assert_allclose(model.predict([[0.3], [2.0]]), [[0.5], [1.0]], rtol=1e-4)


def test_an_interrupt_leaves_the_estimator_as_it_was(fitted, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(_symbolic_ode, "search_trajectories", interrupted)
    fresh, again = SymbolicODERegressor(), pickle.loads(pickle.dumps(fitted))
    for model in (fresh, again):
        with pytest.raises(KeyboardInterrupt):
            model.fit(PREY, t=T)
    with pytest.raises(NotFittedError):
        fresh.predict(PREY)
    assert again.system_ == fitted.system_
    assert list(again.feature_names_in_) == ["prey", "predator"]


def test_code_in_knowledge_from_a_file_is_not_run(tmp_path):
    path = tmp_path / "model.safetensors"
    text = f"__import__('pathlib').Path({str(tmp_path / 'made')!r}).touch()"
    for name in ("required_terms", "forbidden_terms", "conserved"):
        skdyn.io.save(SymbolicODERegressor(**{name: [text]}), path)
        with pytest.raises(ValueError, match=f"{name}: "):
            skdyn.io.load(path, trusted=[SymbolicODERegressor]).fit(PREY, t=T)
    assert not (tmp_path / "made").exists()

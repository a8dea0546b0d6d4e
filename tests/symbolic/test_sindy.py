import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import solve_ivp
from sklearn import config_context
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Lasso, LinearRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdyn.model_selection._trajectory_split import TrajectorySplit
from skdyn.symbolic._sindy import SINDyRegressor
from skdyn.symbolic.differentiation import FiniteDifference, SmoothedFiniteDifference, WeakForm
from skdyn.symbolic.libraries import (
    ColumnLibrary,
    FourierLibrary,
    FunctionLibrary,
    PolynomialLibrary,
)
from skdyn.symbolic.optimizers import STLSQ, EnsembleOptimizer, TrappingSR3

RNG = np.random.default_rng(0)


def solve(field, x0, t, u=None):
    """Return the states (n_timepoints, n_states)."""
    f = field if u is None else lambda t, x: field(t, x, u(t))
    options = {"t_eval": t, "rtol": 1e-12, "atol": 1e-12, "method": "DOP853"}
    return solve_ivp(f, (t[0], t[-1]), x0, **options).y.T


def lorenz(t, x):
    return [10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]]


def lotka_volterra(t, x):
    return [1.5 * x[0] - x[0] * x[1], x[0] * x[1] - 3 * x[1]]


def van_der_pol(t, x):
    return [x[1], (1 - x[0] ** 2) * x[1] - x[0]]


def sir(t, x):
    return [-1.4 * x[0] * x[1], 1.4 * x[0] * x[1] - 0.5 * x[1]]


def push(t):
    return np.cos(1.3 * t) + np.sin(0.4 * t)


def forced(t, x, u):
    return [x[1], -x[0] - 0.2 * x[1] + 2 * u]


T = np.linspace(0, 10, 2001)
PREY = solve(lotka_volterra, [1.0, 1.0], T)
ACCURATE = FiniteDifference(order=6)


@pytest.mark.parametrize(
    ("field", "x0", "degree", "expected"),
    [
        (lorenz, [1, 1, 20], 2, [{"x0": -10, "x1": 10}, {"x0": 28, "x0 x2": -1, "x1": -1},
                                 {"x0 x1": 1, "x2": -8 / 3}]),
        (lotka_volterra, [1, 1], 3, [{"x0": 1.5, "x0 x1": -1}, {"x0 x1": 1, "x1": -3}]),
        (van_der_pol, [1, 1], 3, [{"x1": 1}, {"x1": 1, "x0^2 x1": -1, "x0": -1}]),
        (sir, [0.9, 0.1], 2, [{"x0 x1": -1.4}, {"x0 x1": 1.4, "x1": -0.5}]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
@pytest.mark.parametrize("method", [ACCURATE, WeakForm()], ids=["differences", "weak"])
def test_clean_data_give_the_true_equations(field, x0, degree, expected, method):
    t = T[:1001] if field is lorenz else T
    model = SINDyRegressor(PolynomialLibrary(degree), method, STLSQ(0.05, alpha=1e-6))
    model.fit(solve(field, x0, t), t=t)
    names = model.get_feature_names()
    for row, terms in zip(model.coef_, expected, strict=True):
        found = {names[j]: row[j] for j in np.flatnonzero(row)}
        assert found == pytest.approx(terms, rel=1e-4)


def test_an_oscillator_that_is_pushed_is_found_and_simulated_from_its_control():
    X = solve(forced, [1.0, 0.0], T, push)
    u = pd.DataFrame({"push": push(T)})
    model = SINDyRegressor(PolynomialLibrary(2), ACCURATE).fit(X, t=T, u=u)
    assert model.equations(2) == ["x0' = x1", "x1' = -x0 - 0.2 x1 + 2 push"]
    np.testing.assert_allclose(model.simulate([1.0, 0.0], T, push), X, atol=1e-4)
    np.testing.assert_allclose(model.predict(X, u), np.gradient(X, T, axis=0), atol=0.03)
    assert model.score(X, t=T, u=u) > 0.999
    with pytest.raises(ValueError, match=r"1 controls seen during fit \(push\); got 0"):
        model.predict(X)


def test_a_rational_right_hand_side_is_found():
    def michaelis_menten(t, x):
        return 0.6 - 1.5 * x / (0.3 + x)

    t = np.linspace(0, 4, 200)
    X = np.stack([solve(michaelis_menten, [x0], t).T for x0 in (2.0, 0.02)])
    model = SINDyRegressor(
        PolynomialLibrary(2), ACCURATE, implicit_library=PolynomialLibrary(1)
    ).fit(X, t=t)
    assert model.equations() == ["x0' = (0.6 - 3 x0)/(1 + 3.33 x0)"]
    np.testing.assert_allclose(model.predict([[1.0]]), [[0.6 - 1.5 / 1.3]], rtol=1e-4)
    assert model.score(X, t=t) > 0.9999
    table = model.coefficients()
    assert table[["term", "denominator"]].values.tolist() == [
        ["1", False],
        ["x0", False],
        ["x0", True],
    ]
    np.testing.assert_allclose(table.coefficient, [0.6, -3.0, 1 / 0.3], rtol=1e-3)
    (point,) = model.fixed_points()
    assert point.point == pytest.approx([0.2], rel=1e-3)
    # Fitted again without, nothing of the denominators is left.
    model.set_params(implicit_library=None).fit(X, t=t)
    assert "denominator" not in model.coefficients()


# -- layouts --------------------------------------------------------------------------------------


def test_every_layout_of_the_same_trajectories_gives_the_same_equations():
    other = solve(lotka_volterra, [4.0, 2.0], T)
    cases = np.stack([PREY.T, other.T])
    coef = SINDyRegressor().fit(cases, t=T).coef_
    for model in (
        SINDyRegressor().fit([PREY.T, other.T], t=[T, T]),
        SINDyRegressor().fit(
            np.r_[PREY, other], t=np.r_[T, T], groups=np.repeat(["a", "b"], len(T))
        ),
    ):
        np.testing.assert_array_equal(model.coef_, coef)


def test_what_lies_on_both_sides_of_a_gap_counts_as_two_trajectories():
    first, second = slice(0, 600, 5), slice(1400, None, 5)
    both = np.r_[PREY[first], PREY[second]], np.r_[T[first], T[second]]
    cut = SINDyRegressor().fit(both[0], t=both[1])
    apart = SINDyRegressor().fit([PREY[first].T, PREY[second].T], t=[T[first], T[second]])
    np.testing.assert_array_equal(cut.coef_, apart.coef_)
    bridged = SINDyRegressor(max_gap=np.inf).fit(both[0], t=both[1])
    assert not np.allclose(bridged.coef_, apart.coef_, rtol=1e-6)


def test_derivatives_that_are_known_are_used_and_need_no_times():
    slopes = np.array([lotka_volterra(0, x) for x in PREY])
    holes = PREY.copy()
    holes[5, 0] = np.nan
    for X in (PREY, holes):
        model = SINDyRegressor().fit(X[::20], slopes[::20])
        assert model.equations() == ["x0' = 1.5 x0 - x0 x1", "x1' = -3 x1 + x0 x1"]
    assert model.score(PREY, slopes) == pytest.approx(1.0)
    cases = SINDyRegressor().fit(PREY[::20].T[None], slopes[::20].T[None])
    np.testing.assert_array_equal(cases.coef_, model.coef_)
    assert model.simulate([1.0, 1.0], T).shape == (2001, 2)


def test_any_target_can_be_regressed_on_the_library():
    X = pd.DataFrame(RNG.normal(size=(60, 2)), columns=["a", "b"])
    y = pd.Series(2 * X.a * X.b - 1, name="rate")
    model = SINDyRegressor().fit(X, y)
    assert model.equations() == ["rate = -1 + 2 a b"]
    assert model.predict(X).shape == (60,)
    assert model.score(X, y, sample_weight=np.ones(60)) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="Only equations for the derivatives"):
        model.simulate([1.0, 1.0], T)
    with pytest.raises(ValueError, match="pass y"):
        model.score(X)
    assert SINDyRegressor().fit(X, np.c_[y, y, y]).equations()[2] == "y2 = -1 + 2 a b"


def test_weights_count_as_repeated_rows():
    X, y = RNG.normal(size=(30, 2)), RNG.normal(size=30)
    weight = RNG.integers(1, 4, size=30)
    weighed = SINDyRegressor().fit(X, y, sample_weight=weight)
    repeated = SINDyRegressor().fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    np.testing.assert_allclose(weighed.coef_, repeated.coef_, atol=1e-12)


# -- laws -----------------------------------------------------------------------------------------


def test_states_and_times_in_other_units_give_the_same_dynamics():
    scale, slow = np.array([1e3, 1e-2]), 60.0
    optimizer = STLSQ(threshold=0.02, normalize_columns=True, alpha=1e-9)
    model = SINDyRegressor(sparse_optimizer=optimizer).fit(PREY, t=T)
    other = SINDyRegressor(
        sparse_optimizer=STLSQ(threshold=0.0, normalize_columns=True, alpha=1e-9)
    ).fit(PREY * scale, t=slow * T)
    every = SINDyRegressor(
        sparse_optimizer=STLSQ(threshold=0.0, normalize_columns=True, alpha=1e-9)
    ).fit(PREY, t=T)
    expected = every.predict(PREY) * scale / slow
    np.testing.assert_allclose(other.predict(PREY * scale), expected, rtol=1e-6, atol=1e-9)
    powers = np.array([[0, 0], [1, 0], [0, 1], [2, 0], [1, 1], [0, 2]])
    units = scale[:, None] / slow / (scale**powers).prod(axis=1)
    np.testing.assert_allclose(other.coef_, every.coef_ * units, rtol=1e-5, atol=1e-9)
    assert (model.coef_ != 0).sum() <= (every.coef_ != 0).sum()


def test_a_simulation_is_scipys_integration_of_the_sympy_equations():
    import sympy

    model = SINDyRegressor(PolynomialLibrary(1) + FourierLibrary(), sparse_optimizer=STLSQ(0.01))
    model.fit(PREY, t=T)
    field = sympy.lambdify(sympy.symbols("x0 x1", real=True), model.to_sympy())
    t = T[:400]
    expected = solve(lambda t, x: field(*x), PREY[0], t)
    np.testing.assert_allclose(model.simulate(PREY[0], t), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.predict(PREY), model.vector_field(PREY), atol=1e-9)


def test_standard_errors_shrink_with_the_noise():
    slopes = np.array([lotka_volterra(0, x) for x in PREY[::10]])
    errors = []
    for sigma in (0.1, 0.01):
        noise = sigma * np.random.default_rng(0).normal(size=slopes.shape)
        errors.append(SINDyRegressor().fit(PREY[::10], slopes + noise).coefficients().std_error)
    np.testing.assert_allclose(errors[0], 10 * errors[1], rtol=1e-6)


# -- parts ----------------------------------------------------------------------------------------


def test_parts_are_reached_by_a_search_that_splits_by_time():
    model = SINDyRegressor(PolynomialLibrary(), SmoothedFiniteDifference(), STLSQ())
    grid = {"sparse_optimizer__threshold": [0.1, 5.0], "feature_library__degree": [1, 2]}
    noisy = PREY[::5] + 0.01 * RNG.normal(size=(401, 2))
    search = GridSearchCV(model, grid, cv=TrajectorySplit(3))
    with warnings.catch_warnings(action="ignore"), config_context(enable_metadata_routing=True):
        model.set_fit_request(t=True).set_score_request(t=True)
        search.fit(noisy, t=T[::5])
    assert search.best_params_ == {"sparse_optimizer__threshold": 0.1, "feature_library__degree": 2}
    assert search.best_score_ > 0.9


def test_trajectories_are_routed_by_their_groups():
    X = np.r_[PREY[::10], solve(lotka_volterra, [4.0, 2.0], T[::10])]
    t, groups = np.tile(T[::10], 2), np.repeat([0, 1], 201)
    with config_context(enable_metadata_routing=True):
        model = SINDyRegressor().set_fit_request(t=True, groups=True)
        model.set_score_request(t=True, groups=True)
        scores = cross_val_score(model, X, cv=TrajectorySplit(2), params={"t": t, "groups": groups})
        routed = make_pipeline(FunctionTransformer(), model).fit(X, t=t, groups=groups)
    assert (scores > 0.99).all()
    direct = SINDyRegressor().fit(X, t=t, groups=groups)
    np.testing.assert_array_equal(routed[-1].coef_, direct.coef_)


def test_ensembles_tell_how_often_they_took_a_term():
    optimizer = EnsembleOptimizer(n_models=4, random_state=0)
    table = SINDyRegressor(sparse_optimizer=optimizer).fit(PREY, t=T).coefficients()
    assert list(table.columns) == [
        "equation", "term", "coefficient", "std_error", "inclusion_probability",
    ]  # fmt: skip
    assert (table.inclusion_probability[table.coefficient != 0] > 0.5).all()


def test_optimizers_of_scikit_learn_work_without_an_intercept_and_are_refused_with_one():
    lasso = Lasso(alpha=1e-4, fit_intercept=False, max_iter=20_000)
    model = SINDyRegressor(sparse_optimizer=lasso).fit(PREY, t=T)
    assert model.score(PREY, t=T) > 0.99
    assert SINDyRegressor(sparse_optimizer=lasso).fit(PREY, PREY[:, 0]).coef_.shape == (1, 6)
    with pytest.raises(ValueError, match="Set fit_intercept=False"):
        SINDyRegressor(sparse_optimizer=LinearRegression()).fit(PREY, t=T)


def test_an_optimizer_that_wants_the_powers_of_the_terms_gets_them():
    X = solve(lorenz, [1.0, 1.0, 20.0], T[:1001])
    model = SINDyRegressor(sparse_optimizer=TrappingSR3(threshold=0.5)).fit(X, t=T[:1001])
    names = model.get_feature_names()
    energy_in, energy_out = (
        model.coef_[1, names.index("x0 x2")],
        model.coef_[2, names.index("x0 x1")],
    )
    assert energy_in == pytest.approx(-energy_out, rel=1e-12)
    assert energy_out == pytest.approx(1.0, abs=0.01)


def hill(x):
    return x / (1 + x)


def test_functions_of_the_user_are_simulated_and_pickled():
    t = T[:501]
    X = solve(lambda t, x: 1.0 - 2.0 * x / (1 + x), [3.0], t)
    library = PolynomialLibrary(0) + FunctionLibrary([hill])
    model = SINDyRegressor(library).fit(X, t=t)
    assert model.equations(2) == ["x0' = 1 - 2 hill(x0)"]
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(again.simulate([3.0], t), X, atol=1e-3)


def test_names_of_columns_go_into_the_equations_and_choose_columns():
    frame = pd.DataFrame(PREY, columns=["hare", "the lynx"])
    model = SINDyRegressor().fit(frame, t=T)
    assert model.equations(2)[0] == "hare' = 1.5 hare - hare the lynx"
    library = ColumnLibrary(PolynomialLibrary(1), columns=["the lynx"])
    only = SINDyRegressor(library, sparse_optimizer=STLSQ(0.0)).fit(frame, t=T)
    assert only.get_feature_names() == ["1", "the lynx"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        only.predict(frame)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["the lynx", "hare"]])


def test_a_pickle_is_small_and_keeps_the_equations():
    model = SINDyRegressor().fit(PREY, t=T)
    model.print()
    pickled = pickle.dumps(model)
    assert len(pickled) < 5000
    again = pickle.loads(pickled)
    assert again.equations() == model.equations()
    np.testing.assert_array_equal(again.predict(PREY), model.predict(PREY))


def test_equations_follow_a_second_fit():
    model = SINDyRegressor().fit(PREY, t=T)
    first = model.equations()
    assert model.fit(PREY, t=2 * T).equations() != first


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"X": np.c_[PREY, np.ones(2001)]}, "x2 is constant"),
        ({"X": np.c_[PREY, PREY.sum(axis=1)]}, "x0, x1, x2 are linearly dependent"),
        ({"X": PREY[:5], "t": T[:5]}, "fewer samples, 5 rows .* than the 6 terms"),
        ({"t": np.minimum(T, 5.0)}, "merge duplicates"),
        ({"t": T[::-1]}, "strictly increase"),
        ({"X": np.where([True, False], np.nan, PREY)}, "Channel 0 .* at every time"),
        ({"sample_weight": np.ones(2001)}, "sample_weight needs y"),
        ({"u": np.ones(2001)}, "u0 is constant"),
        ({"u": np.ones(7)}, "a row for each of the 2001 rows"),
        ({"y": np.where(PREY > 5, np.nan, PREY)}, "contains NaN"),
    ],
)
def test_data_that_cannot_be_used_are_named(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        SINDyRegressor().fit(**{"X": PREY, "t": T} | arguments)


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"feature_library": FunctionLibrary(["log(x - 5)"])}, r"The term log\(x0 - 5\) is nan"),
        (
            {"differentiation_method": FiniteDifference(2100)},
            r"in stretches of 2101 or more .* FiniteDifference\(order=2100\) needs 2101",
        ),
        ({"max_gap": 0.001}, "in stretches of 3 or more .* another differentiation_method"),
        ({"max_gap": 0.0}, "max_gap"),
        ({"sparse_optimizer": "lasso"}, "sparse_optimizer"),
    ],
)
def test_parts_that_cannot_work_are_named(parameters, complaint):
    with pytest.raises(ValueError, match=complaint):
        SINDyRegressor(**parameters).fit(PREY, t=T)


def test_rows_that_are_all_incomplete_or_weights_without_use_are_refused():
    with pytest.raises(ValueError, match="Every row of X or u contains NaN"):
        SINDyRegressor().fit(PREY, PREY[:, 0], u=np.full(2001, np.nan))
    with pytest.raises(ValueError, match="no meaning with implicit_library"):
        SINDyRegressor(implicit_library=PolynomialLibrary(1)).fit(
            PREY, PREY[:, 0], sample_weight=np.ones(2001)
        )


def test_nothing_is_there_before_fit():
    for method in ("coefficients", "get_feature_names", "equations"):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            getattr(SINDyRegressor(), method)()
    assert not hasattr(SINDyRegressor(), "system_")


@pytest.mark.peer
@pytest.mark.parametrize("degree", [2, 3, 5])
def test_coefficients_are_those_of_pysindy(degree):
    pysindy = pytest.importorskip("pysindy")
    t = np.linspace(0, 8, 1601)
    X = solve(lorenz, [1.0, 1.0, 20.0], t)
    peer = pysindy.SINDy(
        feature_library=pysindy.PolynomialLibrary(degree), optimizer=pysindy.STLSQ(threshold=0.1)
    ).fit(X, t=t)
    ours = SINDyRegressor(PolynomialLibrary(degree)).fit(X, t=t)
    np.testing.assert_allclose(ours.coef_, peer.coefficients(), atol=1e-7)


def test_terms_that_cannot_make_up_the_derivatives_are_told_from_noise():
    t = np.linspace(0, 12, 240)
    X = solve(lambda t, x: [x[1], 2 * (1 - x[0] ** 2) * x[1] - x[0]], [1.0, 1.0], t)
    X += 0.005 * np.random.default_rng(0).normal(size=X.shape)
    with pytest.warns(UserWarning, match=r"residuals are far above .*: [\d.]+ for x1' \("):
        SINDyRegressor().fit(X, t=t)
    with warnings.catch_warnings(action="error"):
        SINDyRegressor(PolynomialLibrary(3)).fit(X, t=t)
        noisy = X + 0.05 * np.random.default_rng(1).normal(size=X.shape)
        assert SINDyRegressor(PolynomialLibrary(3)).fit(noisy, t=t).score(noisy, t=t) < 0.98


def test_terms_that_depend_on_each_other_along_the_data_are_named():
    t = np.linspace(0, 20, 400)
    X = np.stack([np.cos(t), np.sin(t)], axis=1)
    with pytest.warns(UserWarning, match=r"x1' depend on each other .* x0\^3 .* hardly differs"):
        table = SINDyRegressor(PolynomialLibrary(3)).fit(X, t=t).coefficients()
    assert np.isinf(table.loc[table["equation"] == "x1'", "std_error"]).all()

"""What regressor and classifier share: the plan of the training, and what may be asked of it."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skdyn import KANClassifier, KANRegressor
from skdyn.kan.bases import BASES


@pytest.fixture(scope="module")
def table():
    X = np.random.default_rng(0).uniform(-1, 1, (120, 2))
    return X, np.sin(2 * X[:, 0]) + X[:, 1] ** 2


def quick(**options):
    return KANRegressor(**({"hidden_layer_sizes": (2,), "max_iter": 8, "tol": 0.0,
                            "random_state": 0} | options))  # fmt: skip


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize(("optimizer", "epochs"), [("adam", 30), ("lbfgs", 3)])
def test_every_basis_learns_with_every_optimizer(table, basis, optimizer, epochs):
    model = quick(basis=basis, optimizer=optimizer, max_iter=epochs).fit(*table)
    assert model.loss_curve_[-1] < 0.5 * model.loss_curve_[0]


@pytest.mark.parametrize("basis", sorted(set(BASES) - {"selectable"}))
def test_every_fixed_basis_is_fitted_by_levenberg_marquardt(table, basis):
    assert quick(basis=basis, optimizer="lm", max_iter=30).fit(*table).score(*table) > 0.99


def test_inputs_far_outside_are_answered_along_a_straight_line_with_a_warning(table):
    model = quick(hidden_layer_sizes=(), optimizer="lm").fit(*table)
    far = np.array([[10.0, 0.0], [20.0, 0.0], [30.0, 0.0]])
    with pytest.warns(UserWarning, match=r"outside the range.*column 0.*'linear'"):
        first, second, third = model.predict(far)
    # The residual silu(x) is straight there to rounding.
    assert third - second == pytest.approx(second - first, rel=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(table[0])


@pytest.mark.parametrize("hidden", [(), (2,)])
@pytest.mark.parametrize("basis", ["bspline", "chebyshev"])
def test_outside_the_range_a_constant_extrapolation_keeps_the_value_at_its_end(
    table, hidden, basis
):
    X, _ = table
    model = quick(
        hidden_layer_sizes=hidden, basis=basis, extrapolation="constant", max_iter=20
    ).fit(X, np.exp(2 * X[:, 0]))
    with pytest.warns(UserWarning, match="'constant'"):
        answers = model.predict([[X[:, 0].max(), 0.0], [10.0, 0.0], [1e6, 0.0]])
    np.testing.assert_allclose(answers, answers[0], rtol=1e-6)


@pytest.mark.parametrize("alpha", ["auto", 100.0])
def test_the_loss_of_a_wide_table_never_leaps(alpha):
    generator = np.random.default_rng(0)
    X = generator.normal(size=(200, 300))
    y = X[:, 0] ** 2 + X[:, 1:6].sum(axis=1)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        model = KANRegressor(optimizer="adam", max_iter=12, alpha=alpha, random_state=0).fit(X, y)
    losses = np.array(model.loss_curve_)
    assert (losses[1:] < 1.1 * losses[:-1]).all()


def test_more_columns_than_rows_are_answered_better_than_by_the_mean():
    generator = np.random.default_rng(3)
    X = generator.normal(size=(340, 80))
    y = X[:, :4].sum(axis=1) + 0.5 * generator.normal(size=340)
    model = KANRegressor(random_state=0).fit(X[:40], y[:40])
    assert model.score(X[40:], y[40:]) > 0


def test_an_outlier_does_not_take_the_grid_along(table):
    X, y = table
    model = quick(hidden_layer_sizes=(), optimizer="lm").fit(np.vstack([X, [[1e3, 0]]]), [*y, 0.0])
    basis = model.module_.layers[0].basis
    width = (basis.high - basis.low)[0] * model._x_scale[0]
    assert width < 10


def test_constant_columns_and_repeated_values_are_no_obstacle():
    generator = np.random.default_rng(0)
    X = np.column_stack([np.full(80, 3.0), generator.integers(0, 2, 80), np.r_[np.zeros(79), 1]])
    y = X[:, 1] * 2.0
    for optimizer in ("adam", "lm"):
        model = quick(hidden_layer_sizes=(), optimizer=optimizer, max_iter=100).fit(X, y)
        assert np.isfinite(model.predict(X)).all()
        assert model.score(X, y) > 0.9
    assert model.feature_importances_.argmax() == 1
    assert model.feature_importances_[0] < 1e-6


def test_a_column_that_was_constant_says_nothing_later_until_it_has_moved(table):
    X = np.column_stack([np.full(len(table[0]), 3.0), table[0]])
    model = quick(max_iter=3).partial_fit(X, table[1])
    moved = X + np.eye(3)[0]
    with pytest.warns(UserWarning, match="X moves in column 0, which was constant"):
        answers = model.predict(moved)
    np.testing.assert_array_equal(answers, model.predict(X))
    half = np.where(np.arange(len(X)) % 2, X.T, moved.T).T
    model.partial_fit(half, table[1])
    assert (model.predict(moved) != model.predict(X)).all()


def test_a_constant_target_is_answered_exactly_until_it_has_moved(table):
    X, y = table
    model = quick(max_iter=3).partial_fit(X, np.column_stack([np.ones(len(X)), y]))
    assert (model.predict(X)[:, 0] == 1).all()
    assert np.ptp(model.predict(X)[:, 1]) > 0
    model.partial_fit(X, np.column_stack([y, y]))
    assert np.ptp(model.predict(X)[:, 0]) > 0


def test_a_single_class_is_an_answer_or_an_error_never_a_crash(table):
    X, _ = table
    model = KANClassifier(max_iter=3, tol=0).fit(X, np.ones(len(X)))
    assert (model.predict(X) == 1).all()


def test_precision_follows_the_optimizer_unless_it_is_named(table):
    def dtype(**options):
        return next(quick(max_iter=1, **options).fit(*table).module_.parameters()).dtype

    assert dtype() == torch.float64  # of "lm", which small data are learned by
    assert dtype(optimizer="adam") == torch.float32
    assert dtype(optimizer="lm") == torch.float64
    assert dtype(optimizer="lm", dtype="float32") == torch.float32
    assert dtype(optimizer="adam", dtype="float64") == torch.float64


def test_a_refined_pruned_model_can_be_cloned_and_fitted_anew(table):
    model = quick(optimizer="lm", grid_sizes=(3, 5)).fit(*table)
    again = clone(model).fit(*table)
    np.testing.assert_array_equal(model.predict(table[0]), again.predict(table[0]))

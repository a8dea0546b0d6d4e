"""Edges that only rise, and columns that do not meet: hard, everywhere, for every optimizer."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.optimize import lsq_linear

from skdyn import KANClassifier, KANRegressor
from skdyn.kan._constraints import edge_rules

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
NETWORKS = [(), (4, 3), ((2, 1),)]


@pytest.fixture(scope="module")
def table():
    """Data that pull against what the models are told."""
    generator = np.random.default_rng(0)
    X = generator.uniform(-1, 1, (90, 3)) * [1, 10, 100]
    return X, np.sin(4 * X[:, 0]) - np.cos(X[:, 1] / 3) + X[:, 2] ** 2 / 1e4


def quick(model=KANRegressor, **options):
    return model(**({"optimizer": "lm", "max_iter": 6, "random_state": 0} | options))


def rises(answer, X, column, sign):
    """Tell whether answers never fall as a column rises, at many points and far outside."""
    generator = np.random.default_rng(1)
    at = generator.uniform(-4, 4, (1000, X.shape[1])) * np.abs(X).max(axis=0)
    beyond = at + np.eye(X.shape[1])[column] * generator.uniform(0, 1, (1000, 1)) * at.max()
    with warnings.catch_warnings(action="ignore"):
        return (sign * (answer(beyond) - answer(at))).min() > -1e-12


@pytest.mark.parametrize(
    ("optimizer", "hidden"), [("adam", (4,)), ("lbfgs", (3,)), *(("lm", each) for each in NETWORKS)]
)
def test_predictions_rise_and_fall_as_they_are_told_also_outside(table, optimizer, hidden):
    X, y = table
    model = quick(hidden_layer_sizes=hidden, optimizer=optimizer, monotonic_cst=[1, -1, 0])
    model.set_params(max_iter=2 if optimizer == "lbfgs" else 6).fit(X, y)
    assert rises(model.predict, X, 0, 1)
    assert rises(model.predict, X, 1, -1)
    assert not rises(model.predict, X, 2, 1) or not rises(model.predict, X, 2, -1)
    smaller = model.prune(edge_threshold=0.1)
    assert rises(smaller.predict, X, 0, 1)


@pytest.mark.parametrize("hidden", [(), (2,)], ids=str)
def test_of_two_classes_the_probability_of_the_second_rises(table, hidden):
    X, y = table
    model = quick(KANClassifier, hidden_layer_sizes=hidden, monotonic_cst={"a": 1, "b": -1})
    model.fit(pd.DataFrame(X, columns=list("abc")), y > np.median(y))
    answer = lambda X: model.predict_proba(pd.DataFrame(X, columns=list("abc")))[:, 1]  # noqa: E731
    assert rises(answer, X, 0, 1)
    assert rises(answer, X, 1, -1)


@pytest.mark.parametrize(("optimizer", "accuracy"), [("lm", 1e-10), ("lbfgs", 1e-4)])
def test_one_column_that_rises_is_least_squares_with_splines_of_steps(optimizer, accuracy):
    generator = np.random.default_rng(0)
    x = generator.uniform(-1, 1, 150)
    y = np.sin(4 * x) + 0.3 * generator.normal(size=150)
    model = quick(
        hidden_layer_sizes=(), optimizer=optimizer, max_iter=30, tol=0.0, grid_sizes=8,
        monotonic_cst=[1], smoothness=0.0, alpha=0.0,
    ).fit(x[:, None], y)  # fmt: skip
    basis = model.module_.layers[0].basis
    z = torch.from_numpy((x - model._x_offset) / model._x_scale)[:, None]
    steps = basis(z)[:, 0].flip(1).cumsum(dim=1).flip(1).numpy()
    lower = np.r_[-np.inf, np.zeros(steps.shape[1] - 1)]
    known = lsq_linear(steps, y, (lower, np.inf), method="bvls", tol=1e-15).x
    assert (known == 0).any()
    np.testing.assert_allclose(model.predict(x[:, None]), steps @ known, rtol=0, atol=accuracy)


def test_a_truth_that_rises_is_learned_as_well_as_without_a_constraint():
    generator = np.random.default_rng(0)
    X = generator.uniform(-1, 1, (80, 2))
    truth = lambda X: np.exp(X[:, 0]) - X[:, 1] ** 3  # noqa: E731
    y = truth(X) + 0.3 * generator.normal(size=80)
    at = generator.uniform(-1, 1, (500, 2))
    errors = [
        np.mean((quick(hidden_layer_sizes=(), monotonic_cst=signs).fit(X, y).predict(at)
                 - truth(at)) ** 2)
        for signs in (None, [1, -1])
    ]  # fmt: skip
    assert errors[1] < errors[0] < 0.05


@pytest.mark.parametrize("optimizer", ["lm", "adam"])
@pytest.mark.parametrize("groups", ["no_interactions", [(0, 1)], [("b", "c"), (0, 1)]], ids=str)
def test_columns_of_no_common_group_have_no_mixed_difference(table, groups, optimizer):
    X, y = table
    frame = pd.DataFrame(X, columns=list("abc"))
    sizes = "auto" if groups == "no_interactions" else (2, 2)
    model = quick(hidden_layer_sizes=sizes, interaction_cst=groups, optimizer=optimizer)
    model.fit(frame, y + X[:, 0] * X[:, 2])

    def mixed(i, j):
        def answer(*changed):
            at = X[:40].copy()
            at[:, changed] = X[40:80][:, changed]
            return model.predict(pd.DataFrame(at, columns=list("abc")))

        return np.abs(answer() - answer(i) - answer(j) + answer(i, j)).max()

    assert mixed(0, 2) < 1e-11
    if groups != "no_interactions":
        assert mixed(0, 1) > 1e-6


@pytest.mark.parametrize(("groups", "width"), [("pairwise", 3), ("no_interactions", 0)])
def test_where_the_evidence_chooses_hidden_nodes_each_group_gets_as_many(table, groups, width):
    X, _ = table
    model = quick(interaction_cst=groups, grid_sizes=3, max_iter=12).fit(
        X[:40], (X[:, 0] * X[:, 1])[:40]
    )
    hidden = model.module_.plan["layer_sizes"][1:-1]
    assert sum(n_sum for n_sum, _ in hidden) % max(width, 1) == 0
    assert bool(hidden) == bool(width)


def test_of_a_group_half_the_nodes_read_what_is_free_and_bend_as_they_like():
    first, last = edge_rules(((3, 0), (4, 1), (1, 0)), (1, 0, -1))
    assert first.allowed[1].all()
    np.testing.assert_array_equal(first.allowed[0], [True, False, True, False, False, False])
    np.testing.assert_array_equal(first.sign[[0, 2]], [[1, 0, 1, 0, 0, 0], [-1, 0, -1, 0, 0, 0]])
    assert not first.sign[1].any()
    np.testing.assert_array_equal(last.sign[:, 0], [1, 0, 1, 0, 0])


def test_the_best_linear_network_and_grids_that_move_keep_edges_rising(table):
    X, y = table
    model = quick(hidden_layer_sizes=(2,), grid_sizes=(3, 6), monotonic_cst=[1, -1, 1])
    assert rises(model.fit(X, y).predict, X, 2, 1)
    again = model.set_params(warm_start=True).fit(X, y)
    assert again.loss_curve_[0] <= model.loss_curve_[0]
    assert rises(again.predict, X, 0, 1)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"monotonic_cst": [1, 0]}, "each of the 3 columns of X; got 2"),
        ({"monotonic_cst": [2, 0, 0]}, "-1, 0 and 1 only; got 2"),
        ({"monotonic_cst": {"price": 1}}, "monotonic_cst names the column 'price'.*0 to 2"),
        ({"monotonic_cst": [1, 0, 0], "basis": "rbf"}, "needs basis='bspline'"),
        ({"monotonic_cst": [1, 1, 1], "hidden_layer_sizes": ((1, 1),)}, "has products"),
        ({"interaction_cst": [(0, 7)]}, "interaction_cst names the column 7"),
        ({"interaction_cst": [(0, "b")]}, "interaction_cst names the column 'b'"),
        ({"interaction_cst": [0, 1]}, "a list of groups"),
        ({"interaction_cst": [()]}, "a group without a column"),
    ],
    ids=str,
)
def test_constraints_that_nothing_can_keep_are_refused_by_name(table, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        quick(**options).fit(*table)


def test_of_three_classes_none_rises(table):
    with pytest.raises(ValueError, match=r"needs two classes.*got 3"):
        quick(KANClassifier, monotonic_cst=[1, 0, 0]).fit(table[0], np.arange(90) % 3)


def test_edges_that_rise_get_no_closed_form(table):
    model = quick(hidden_layer_sizes=(), monotonic_cst=[1, 0, 0]).fit(*table)
    with pytest.raises(ValueError, match="monotonic_cst holds edges of layer 0"):
        model.auto_symbolic()
    with pytest.raises(ValueError, match="monotonic_cst holds edges of layer 0"):
        model.fix_symbolic(0, 0, 0, "sin")
    model.fix_symbolic(0, 2, 0, "x^2")

"""Grids, penalties and first weights, one stage after the other."""

import numpy as np
import pytest
from sklearn.base import clone

from skdyn import KANRegressor, _blocks
from skdyn.kan._network import KAN
from skdyn.kan._plan import check_grid_sizes, check_sizes


@pytest.fixture(scope="module")
def table():
    X = np.random.default_rng(0).uniform(-1, 1, (120, 2))
    return X, np.sin(2 * X[:, 0]) + X[:, 1] ** 2


def quick(**options):
    return KANRegressor(**({"hidden_layer_sizes": (2,), "max_iter": 8, "tol": 0.0,
                            "random_state": 0} | options))  # fmt: skip


def test_a_choice_of_spaces_and_levenberg_marquardt_do_not_go_together(table):
    with pytest.raises(ValueError, match=r"selectable.*'adam'"):
        quick(basis="selectable", optimizer="lm").fit(*table)


def test_each_edge_has_chosen_one_space_in_the_end(table):
    model = quick(basis="selectable").fit(*table)
    for layer in model.module_.layers:
        assert (layer.basis.chosen >= 0).all()
    assert model.n_iter_ == 16  # the choice is trained on


def test_a_schedule_of_grids_ends_on_the_last_and_each_has_its_epochs(table):
    model = quick(grid_sizes=(3, 5, 8), optimizer="lm").fit(*table)
    assert model.module_.plan["grid_size"] == 8
    assert model.n_iter_ == 24


def test_a_finer_grid_goes_on_where_the_coarser_one_ended(table):
    model = quick(grid_sizes=(3, 6), optimizer="lm", smoothness=0.0, alpha=0.0).fit(*table)
    losses = np.array(model.loss_curve_)
    assert losses[8] < losses[7]  # the loss before the first step on the new grid


def test_a_finer_grid_that_does_not_help_is_taken_back():
    generator = np.random.default_rng(1)
    X = generator.uniform(-1, 1, (60, 1))
    y = X[:, 0] + generator.normal(size=60)
    options = {"hidden_layer_sizes": (), "optimizer": "lm", "smoothness": 0.0, "alpha": 0.0}
    model = quick(grid_sizes=(1, 25), early_stopping=True, validation_fraction=0.3, **options)
    model.fit(X, y)
    assert model.module_.plan["grid_size"] == 1
    assert quick(grid_sizes=(1, 25), **options).fit(X, y).module_.plan["grid_size"] == 25


def test_the_grids_follow_the_data_only_if_told_to(table):
    X, y = table

    def breaks(**options):
        layer = quick(**options).fit(X, y).module_.layers[1]
        return layer.basis.breaks

    assert (breaks(grid_update=None) != breaks(grid_update=2)).any()


def test_several_starts_are_never_worse_on_the_first_grid(table):
    X, y = table
    losses = [quick(optimizer="lm", n_init=n, grid_sizes=3, alpha=0.0, smoothness=0.0).fit(X, y)
              .best_loss_ for n in (1, 4)]  # fmt: skip
    assert losses[1] <= losses[0] * (1 + 1e-9)


def test_a_warm_start_goes_on_from_weights_and_grid(table):
    X, y = table
    model = quick(optimizer="lm", grid_sizes=(3, 5), smoothness=0.0, alpha=0.0).fit(X, y)
    before = model.loss_curve_[-1]
    model.set_params(warm_start=True, max_iter=2).fit(X, y)
    assert model.module_.plan["grid_size"] == 5
    assert model.n_iter_ == 2
    assert model.loss_curve_[0] < before


@pytest.mark.parametrize(
    ("change", "incremental"),
    [({"grid_sizes": 3}, False), ({"grid_sizes": 10}, True), ({"n_init": 3}, False),
     ({"n_init": 3}, True)],
)  # fmt: skip
def test_what_training_that_goes_on_would_not_heed_is_refused(table, change, incremental):
    model = quick(grid_sizes=5, warm_start=True, max_iter=2)
    again = model.partial_fit if incremental else model.fit
    again(*table)
    before = model.predict(table[0])
    with pytest.raises(ValueError, match=next(iter(change))):
        getattr(model.set_params(**change), again.__name__)(*table)
    np.testing.assert_array_equal(model.predict(table[0]), before)
    model.set_params(n_init=1, grid_sizes="auto" if incremental else (5, 10))
    again(*table)
    assert model.module_.plan["grid_size"] == (5 if incremental else 10)


def test_only_a_fit_that_is_left_the_strength_of_its_penalty_pays_for_its_width():
    X = np.random.default_rng(0).normal(size=(20, 200))
    y = X[:, 0]

    def first_losses(alpha):
        model = quick(alpha=alpha, max_iter=1)
        return clone(model).fit(X, y).loss_curve_, clone(model).partial_fit(X, y).loss_curve_

    # The optimizer penalty stands in no loss, and a batch tells nothing of the number of rows.
    (left, streamed), given, none = (first_losses(alpha) for alpha in ("auto", 2.0, 0.0))
    assert left > streamed
    assert given == none
    assert given[1] == streamed


@pytest.mark.parametrize("sizes", [0, -3, 2.5, (), (5, 3), (0, 5), "5"])
def test_grids_smaller_than_one_or_shrinking_are_refused(table, sizes):
    with pytest.raises(ValueError, match="grid_sizes"):
        quick(grid_sizes=sizes).fit(*table)


@pytest.mark.parametrize("sizes", [(0,), (-1,), (2.5,), ((1, 2, 3),), ((0, 0),), ((1, -1),)])
def test_layers_that_make_no_sense_are_refused(table, sizes):
    with pytest.raises(ValueError, match="hidden_layer_sizes"):
        quick(hidden_layer_sizes=sizes).fit(*table)


def test_sizes_are_read_as_sums_and_products():
    assert check_sizes([3, (2, 1)]) == ((3, 0), (2, 1))
    assert check_grid_sizes(4) == (4,)
    assert check_grid_sizes(np.array([3, 5])) == (3, 5)


def test_partial_fit_keeps_the_grid_of_the_first_batch(table):
    X, y = table
    model = quick(grid_sizes=(3, 5)).partial_fit(X, y)
    low = model.module_.layers[0].basis.low.clone()
    model.partial_fit(X + 5, y)
    assert model.module_.plan["grid_size"] == 3
    assert (model.module_.layers[0].basis.low == low).all()
    assert model.n_iter_ == 2


def test_the_grids_follow_a_bounded_number_of_rows_however_many_there_are(monkeypatch):
    monkeypatch.setattr(_blocks, "_ENOUGH", 50)
    seen, adapt = [], KAN.adapt
    monkeypatch.setattr(
        KAN,
        "adapt",
        lambda self, X, *args, **how: seen.append(len(X)) or adapt(self, X, *args, **how),
    )
    X = np.random.default_rng(0).normal(size=(330, 2))
    KANRegressor((2,), optimizer="adam", max_iter=8, tol=0.0, random_state=0).fit(X, X[:, 0])
    assert seen
    assert max(seen) == 48  # every seventh

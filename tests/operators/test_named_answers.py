import pickle

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, train_test_split

from skdyn import (
    AdaFNNRegressor,
    ConformalOperatorRegressor,
    DeepONetRegressor,
    FNORegressor,
    KernelOperatorRegressor,
    MgNORegressor,
    io,
)

xarray = pytest.importorskip("xarray", reason="xarray is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
x, y = np.linspace(2.0, 4.0, 9), np.linspace(-1.0, 0.0, 7)
amplitudes = np.random.default_rng(0).normal(size=(24, 2, 3))


def fields(x, y):
    """Two channels of smooth functions."""
    waves = np.array([np.sin((k + 1) * x[:, None] + k * y) for k in range(3)])
    return np.einsum("nck,kxy->ncxy", amplitudes, waves)


def named(values, x=x, y=y, **coords):
    dims = ("case", "channel", "x", "y")[: 2 + values.ndim - 2]
    return xarray.DataArray(values, dims=dims, coords={"x": x, "y": y} | coords)


A = fields(x, y)
U = A[:, :1] ** 2 + A[:, 1:]
X = named(A, case=np.arange(100, 124), channel=["a", "b"])
Y = named(U, case=np.arange(100, 124))[:, 0]
KERNELS = KernelOperatorRegressor(n_corrections=1, n_waves=30, random_state=0)
MODELS = [
    FNORegressor(3, hidden_channels=3, n_layers=1, max_iter=2, tol=0, random_state=0),
    MgNORegressor(hidden_channels=3, n_layers=1, max_iter=2, tol=0, random_state=0),
    DeepONetRegressor(n_basis=3, hidden_layer_sizes=(4,), max_iter=2, tol=0, random_state=0),
    KERNELS,
    ConformalOperatorRegressor(KERNELS, scale=None, confidence=0.8, random_state=0),
]
EVERY = pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)


@EVERY
def test_named_data_give_the_fit_of_the_arrays_to_the_last_bit(model, tmp_path):
    wanted = model.fit(A, U).predict(A)[:, 0]
    for turned in (("case", "channel", "x", "y"), ("x", "case", "y", "channel")):
        model.fit(X.transpose(*turned), Y.transpose("y", "case", "x"))
        told = model.predict(X.transpose("y", "x", "channel", "case"))
        assert told.dims == ("y", "case", "x")
        assert np.array_equal(told.transpose("case", "x", "y"), wanted)
        assert all(told[name].identical(Y[name].drop_attrs()) for name in ("case", "x", "y"))
    assert model.score(X, Y) == model.score(A, U)
    assert pickle.loads(pickle.dumps(model)).predict(X).identical(told)
    io.save(model, tmp_path / "model")
    assert io.load(tmp_path / "model").predict(X).identical(told)


@EVERY
def test_arrays_are_answered_with_arrays(model):
    model.fit(X, Y)
    assert isinstance(model.predict(A), np.ndarray)
    assert np.array_equal(model.predict(A).ravel(), model.predict(X).values.ravel())


def test_a_finer_grid_on_the_same_domain_is_answered_there():
    fine = np.linspace(2, 4, 17), np.linspace(-1, 0, 11)
    model = KERNELS.fit(X, Y)
    told = model.predict(named(fields(*fine), *fine))
    assert np.array_equal(told, model.predict(fields(*fine)))
    assert np.array_equal(told.x, fine[0])
    assert np.array_equal(told.y, fine[1])


def test_an_axis_that_runs_backwards_is_the_same_axis():
    model = KERNELS.fit(X, Y)
    back = model.predict(X.isel(x=slice(None, None, -1)))
    assert np.array_equal(back.x, x[::-1])
    np.testing.assert_allclose(back.sortby("x"), model.predict(X), atol=1e-9)


def test_other_coordinates_on_the_whole_domain_are_interpolated():
    bent = 2 + 2 * np.linspace(0, 1, 30) ** 1.3  # unevenly spaced
    model = KERNELS.fit(X, Y)
    told = model.predict(named(fields(bent, y), bent))
    wanted = model.predict(X, grid={"x": bent})
    assert np.array_equal(told.x, bent)
    np.testing.assert_allclose(told, wanted, atol=2e-2)


def test_answers_on_a_part_of_the_domain_are_those_of_the_whole_there():
    model = KERNELS.fit(X, Y)
    whole, part = model.predict(X), model.predict(X, grid={"x": [2.5, 2.75]})
    assert part.dims == ("case", "x", "y")
    np.testing.assert_allclose(part.sel(x=2.5), whole.sel(x=2.5), atol=1e-12)
    np.testing.assert_allclose(part.sel(x=2.75), whole.sel(x=2.75), atol=1e-12)
    np.testing.assert_allclose(model.predict(X, grid=Y[:, :3]), whole[:, :3], atol=1e-12)
    assert np.isclose(model.score(X, Y[:, :3]), 1, atol=0.01)
    assert np.array_equal(model.predict(X, grid=(5, 7)).x, np.linspace(2, 4, 5))
    for asked in model.predict(X, grid={"x": [2.5]}, return_std=True):
        assert asked.shape == (24, 1, 7)


@pytest.mark.parametrize(
    ("asked", "grid", "message"),
    [
        (X.sel(x=slice(2, 3)), None, "X lies from 2 to 3 along 'x'.* from 2 to 4"),
        (X.assign_coords(x=x + 1), None, "X lies from 3 to 5 along 'x'"),
        (X.pad(x=2, mode="edge").assign_coords(x=np.linspace(1, 5, 13)), None, "from 1 to 5"),
        (X.rename(y="z"), None, r"fitted on \('case', 'channel', 'x', 'y'\), in any order"),
        (X.drop_sel(channel="a"), None, r"the channels \['b'\], but the model was fitted on"),
        (X, {"x": [3.0, 4.6]}, "grid asks for some from 3 to 4.6"),
        (X, {"z": [3.0]}, r"coordinates for \['z'\], but answers have the axes \['x', 'y'\]"),
        (X, {"x": [np.inf]}, "finite numbers"),
    ],
)
def test_what_lies_elsewhere_is_refused(asked, grid, message):
    model = KERNELS.fit(X, Y)
    with pytest.raises(ValueError, match=message):
        model.predict(asked, grid)


def test_bands_are_at_the_points_of_fit_only():
    model = MODELS[-1].fit(X, Y)
    low, high = model.predict_interval(X.transpose("x", "channel", "y", "case"))
    assert low.dims == high.dims == ("case", "x", "y")
    for told, wanted in zip((low, high), model.predict_interval(A), strict=True):
        assert np.array_equal(told, wanted[:, 0])
    with pytest.raises(ValueError, match="at the same points"):
        model.predict(X.assign_coords(x=x + 1))


def test_native_resolution_takes_no_other_coordinates():
    model = MODELS[0].set_params(resolution="native").fit(X, Y)
    assert model.predict(X).identical(model.predict(X))
    with pytest.raises(ValueError, match="resolution='resample'"):
        model.predict(X.isel(x=slice(None, None, -1)))
    model.set_params(resolution="resample")


def test_a_circle_may_begin_anywhere():
    place = np.arange(12) * 0.25
    waves = np.cos(2 * np.pi / 3 * np.arange(3)[:, None] * (place - 0.1))
    rows = amplitudes[:, 0] @ waves
    circle = xarray.DataArray(rows, dims=("sample", "x"), coords={"x": place})
    model = FNORegressor(
        4, hidden_channels=3, n_layers=1, periodic=True, max_iter=3, tol=0, random_state=0
    ).fit(circle, circle**2)
    told = model.predict(circle)
    later = xarray.DataArray(
        np.roll(rows, -5, axis=1), dims=("sample", "x"), coords={"x": place + 1.25}
    )
    np.testing.assert_allclose(model.predict(later), np.roll(told, -5, axis=1), atol=1e-9)
    assert np.array_equal(model.predict(later).x, later.x)
    half = xarray.DataArray(
        np.roll(rows, -5, axis=1), dims=("sample", "x"), coords={"x": place / 2}
    )
    with pytest.raises(ValueError, match=r"from 0 to 1\.375"):
        model.predict(half)
    between = model.predict(circle, grid={"x": [0.25, 3.25]})  # one place, a turn apart
    np.testing.assert_allclose(between, told[:, [1, 1]], atol=1e-9)
    assert np.array_equal(model.predict(circle, grid=24).x, np.arange(24) / 8)


def test_answers_may_have_other_axes_than_questions():
    curves = xarray.DataArray(U[:, 0, :, 0], dims=("case", "t"), coords={"t": np.arange(9.0)})
    told = KERNELS.fit(X, curves).predict(X)
    assert told.dims == ("case", "t")
    assert np.array_equal(told.t, curves.t)
    longer = Y.assign_coords(x=x * 10)  # as many points, elsewhere
    assert np.array_equal(KERNELS.fit(X, longer).predict(X).x, x * 10)


def test_numbers_have_the_names_of_their_cases():
    mean = Y.mean(("x", "y"))
    told = KERNELS.fit(X, mean).predict(X)
    assert told.dims == ("case",)
    assert np.array_equal(told.case, X.case)
    both = xarray.Dataset({"mean": mean, "double": 2 * mean})
    told = KERNELS.fit(X, both).predict(X)
    assert told.dims == ("channel", "case")
    np.testing.assert_allclose(told.sel(channel="double"), 2 * told.sel(channel="mean"))
    model = AdaFNNRegressor(n_basis=2, basis_layer_sizes=(4,), max_iter=2, tol=0, random_state=0)
    wanted = model.fit(A, mean.values).predict(A)
    turned = X.transpose("x", "y", "channel", "case")
    assert np.array_equal(model.fit(turned, mean).predict(X.transpose("y", ...)), wanted)


def test_targets_without_names_take_those_of_the_inputs():
    told = KERNELS.fit(X, U).predict(X)
    assert told.dims == X.dims
    assert np.array_equal(told.x, x)
    told = KERNELS.fit(X, U[:, :, ::2]).predict(X)
    assert told.sizes == {"case": 24, "channel": 1, "x": 5, "y": 7}
    assert KERNELS.fit(X, U[:, :, 0]).predict(X).dims == ("case", "channel", "axis_0")
    assert KERNELS.fit(A, U).predict(X).dims == X.dims


def test_searches_and_splits_take_named_data():
    learnt, kept, y_learnt, y_kept = train_test_split(X, Y, random_state=0)
    search = GridSearchCV(KERNELS, {"radius": [0, 1]}, cv=2).fit(learnt, y_learnt)
    assert np.array_equal(search.predict(kept).case, y_kept.case)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()

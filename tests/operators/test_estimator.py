import tracemalloc

import numpy as np
import pytest
import torch
from sklearn.metrics import r2_score

from skdyn import Checkpoint, DeepONetRegressor, _blocks, _scratch
from skdyn.operators import FNORegressor
from skdyn.operators._estimator import OperatorRegressor, channel_scales, norms
from skdyn.training import LeanNet

rng = np.random.default_rng(0)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class PointwiseRegressor(OperatorRegressor):
    """The smallest operator: each point by itself, linearly. What an architecture has to write."""

    def __init__(
        self, loss="relative_l2", grid_shape=None, targets="auto", periodic=True,
        resolution="resample", optimizer="lbfgs", max_iter=20, learning_rate=1.0,
        learning_rate_schedule="constant", batch_size="auto", alpha=0.0, clip_norm=None, tol=0.0,
        early_stopping=False, validation_fraction=0.1, n_iter_no_change=20, warm_start=False,
        random_state=0, device="cpu", dtype="float64", verbose=0,
    ):  # fmt: skip
        for name, value in list(locals().items()):
            if name not in ("self", "__class__"):
                setattr(self, name, value)

    def _config(self, n_channels, n_outputs):
        return {"n_channels": n_channels, "n_outputs": n_outputs}

    @staticmethod
    def _build_module(n_channels, n_outputs):
        return _Pointwise(n_channels, n_outputs)


class _Pointwise(torch.nn.Module):
    def __init__(self, n_channels, n_outputs):
        super().__init__()
        self.map = torch.nn.Linear(n_channels, n_outputs)

    def forward(self, x):
        return self.map(x.movedim(1, -1)).movedim(-1, 1)


def linear_data(*grid):
    X = rng.normal(size=(20, 2, *grid)) * np.reshape([1.0, 30.0], (2, *[1] * len(grid)))
    return X, np.stack([X[:, 0] + X[:, 1], 1e3 * X[:, 0] + 5, X[:, 1] - 1], axis=1)


@pytest.mark.parametrize("loss", ["relative_l2", "h1", "mse"])
@pytest.mark.parametrize("grid", [(6,), (3, 4), (2, 3, 2)])
def test_channels_of_any_scale_are_learnt_on_one_to_three_axes(loss, grid):
    X, y = linear_data(*grid)
    model = PointwiseRegressor(loss=loss).fit(X, y)
    predicted = model.predict(X)
    assert predicted.shape == y.shape
    np.testing.assert_allclose(predicted, y, rtol=0, atol=0.02 * y.std())
    assert model.score(X, y) > 0.999


def test_flat_rows_and_fields_are_the_same_data():
    X, y = linear_data(3, 4)
    flat = PointwiseRegressor(grid_shape=(3, 4)).fit(X.reshape(20, -1), y.reshape(20, -1))
    fields = PointwiseRegressor().fit(X, y)
    np.testing.assert_allclose(
        flat.predict(X.reshape(20, -1)), fields.predict(X).reshape(20, -1), atol=1e-9
    )
    np.testing.assert_allclose(flat.predict(X), flat.predict(X.reshape(20, -1)))


def test_a_resolution_changes_by_the_axes_of_x_or_by_grid():
    x = np.arange(8) / 8
    X = np.sin(2 * np.pi * (x + rng.random((20, 1))))
    model = PointwiseRegressor().fit(X, 3 * X)
    fine = np.sin(2 * np.pi * np.arange(20) / 20)[None]
    np.testing.assert_allclose(model.predict(fine[:, None]), 3 * fine, atol=1e-3)
    np.testing.assert_allclose(model.predict(fine, grid=20), 3 * fine, atol=1e-3)
    there = np.sin(2 * np.pi * np.arange(8) / 8)[None]
    np.testing.assert_allclose(model.predict(there, grid=(20,)), 3 * fine, atol=1e-3)
    native = PointwiseRegressor(resolution="native").fit(X, 3 * X)
    np.testing.assert_allclose(native.predict(fine[:, None]), 3 * fine, atol=1e-3)


def test_score_is_the_mean_of_the_channels_and_takes_weights():
    X, y = linear_data(6)
    model = PointwiseRegressor(max_iter=1).fit(X, y)
    y[:, 0] += rng.normal(size=(20, 6)) * y[:, 0].std()  # in the channel of small numbers
    weight, predicted = rng.random(20), model.predict(X)
    expected = [
        r2_score(y[:, c], predicted[:, c], sample_weight=weight, multioutput="variance_weighted")
        for c in range(3)
    ]
    assert model.score(X, y, sample_weight=weight) == pytest.approx(np.mean(expected))
    assert max(expected) - min(expected) > 0.3  # so that one of them alone is not the mean
    with pytest.raises(ValueError, match=r"\(20, 3, 5\) is no truth .*\(20, 3, 6\)"):
        model.score(X, y[:, :, :5])


def test_the_loss_of_one_channel_is_the_relative_error_in_the_units_of_the_data():
    X = rng.normal(size=(20, 1, 6))
    y = 7 + 5 * rng.normal(size=(20, 1, 6))
    model = PointwiseRegressor(optimizer="adam", learning_rate=1e-12, max_iter=1).fit(X, y)
    error = np.linalg.norm(model.predict(X) - y, axis=2) / np.linalg.norm(y, axis=2)
    assert model.loss_curve_[0] == pytest.approx(error.mean(), rel=1e-6)


def test_functions_that_vanish_do_not_rule_the_loss():
    X, y = linear_data(6)
    y[3] = 0.0
    assert PointwiseRegressor().fit(X, y).loss_curve_[-1] < 1e3
    assert np.isfinite(PointwiseRegressor().fit(X, np.zeros_like(y)).predict(X)).all()


def test_numbers_are_learnt_by_squared_error_whatever_the_loss():
    X = rng.normal(size=(30, 8))
    y = X.mean(axis=1)
    models = [
        FNORegressor(
            hidden_channels=4, n_layers=1, max_iter=3, loss=loss, grid_shape=8, random_state=0
        ).fit(X, y)
        for loss in ("relative_l2", "mse")
    ]
    assert models[0].predict(X).shape == (30,)
    np.testing.assert_array_equal(*[model.predict(X) for model in models])


def test_a_fit_holds_the_data_once_more_and_not_again(monkeypatch):
    monkeypatch.setattr(_blocks, "_NUMBERS", 2**10)
    X = rng.normal(size=(200, 1, 500)).astype(np.float32)
    y = np.cumsum(X, axis=2)
    model = PointwiseRegressor(optimizer="adam", max_iter=1, batch_size=10, dtype="float32")
    model.fit(X[:20], y[:20])
    tracemalloc.start()
    try:
        model.fit(X, y)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.2 * (X.nbytes + y.nbytes)  # of numpy's arrays: what is trained on


def test_the_precision_of_the_targets_changes_no_fit():
    X = rng.normal(size=(20, 1, 16))
    y = np.cumsum(X, axis=2).astype(np.float32)
    single, double = (PointwiseRegressor().fit(X, v).predict(X) for v in (y, y.astype(float)))
    assert np.array_equal(single, double)


def test_scales_are_those_of_each_channel_over_samples_and_grid():
    fields = rng.normal(size=(5, 2, 3, 4)) * [[[1]], [[10]]] + 3
    fields[:, 1] = 7.0
    mean, scale = channel_scales(fields, None)
    assert mean == pytest.approx([fields[:, 0].mean(), 7.0])
    assert scale == pytest.approx([fields[:, 0].std(), 1.0])
    weighted = channel_scales(fields, np.array([2.0, 0, 0, 0, 1]))
    repeated = channel_scales(fields[[0, 0, 4]], None)
    np.testing.assert_allclose(weighted, repeated)


def test_norms_are_means_over_the_domain_and_h1_sees_slopes():
    x = np.linspace(0, 1, 400, endpoint=False)
    fields = np.sin(2 * np.pi * x)[None, None]
    assert norms(fields, "relative_l2") == pytest.approx([0.5**0.5])
    assert norms(fields, "h1") == pytest.approx([(0.5 + 0.5 * (2 * np.pi) ** 2) ** 0.5], rel=1e-2)
    plane = np.broadcast_to(fields[..., None], (1, 1, 400, 5))
    assert norms(plane, "h1") == pytest.approx(norms(fields, "h1"))


class Chunked:
    """What arrays of Zarr, HDF5 and Dask have; the first have no length."""

    def __init__(self, array, chunks):
        self.array, self.chunks, self.shape = array, chunks, array.shape

    def __getitem__(self, some):
        return self.array[some]


def stored(array, path):
    array.tofile(path)
    return np.memmap(path, array.dtype, "r", shape=array.shape)


@pytest.mark.parametrize(
    "model",
    [
        FNORegressor(3, hidden_channels=3, n_layers=1, max_iter=3, tol=0, random_state=0),
        DeepONetRegressor(
            n_basis=3, hidden_layer_sizes=(4,), max_iter=3, tol=0, early_stopping=True,
            random_state=0,
        ),
    ],
    ids=["fno", "stopping"],
)  # fmt: skip
def test_fields_on_disk_and_in_blocks_give_the_weights_of_those_in_memory(
    model, monkeypatch, tmp_path
):
    X = rng.normal(size=(50, 2, 6, 5)).astype(np.float32)
    y = (X[:, :1] + X[:, 1:]) * 3
    weight = np.arange(1.0, 51.0)
    plain, weighted = model.fit(X, y).predict(X), model.fit(X, y, weight).predict(X)
    monkeypatch.setattr(_scratch, "_LARGE", 1000)
    monkeypatch.setattr("skdyn._row_blocks._NUMBERS", 500)
    on_disk = stored(X, tmp_path / "X"), stored(y, tmp_path / "y")
    assert np.array_equal(model.fit(*on_disk, weight).predict(X), weighted)
    chunks = Chunked(X, (7, 2, 6, 5)), Chunked(y, None)
    assert np.array_equal(model.fit(*chunks).predict(X), plain)
    pairs = zip(np.array_split(X, 4), np.array_split(y, 4), strict=True)
    assert np.array_equal(model.fit(pairs, None).predict(X), plain)


def test_blocks_of_fields_that_do_not_fit_together_are_named():
    X = np.zeros((4, 1, 6))
    with pytest.raises(ValueError, match=r"Block 1 of y has rows of shape \(1, 5\), but those"):
        PointwiseRegressor().fit(iter([(X, X), (X, X[..., :5])]), None)


class Interrupted(Exception):
    pass


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"symmetry": "both"},
        {"incremental_modes": True},
        {"early_stopping": True, "learning_rate_schedule": "plateau"},
    ],
    ids=lambda parameters: "-".join(parameters) or "plain",
)
def test_an_interrupted_fit_goes_on_to_the_same_weights(parameters, monkeypatch, tmp_path):
    X = rng.normal(size=(50, 1, 6, 6))
    y, file = np.square(X), tmp_path / "training"

    def model():
        return FNORegressor(
            4, hidden_channels=3, n_layers=1, batch_size=10, max_iter=4, tol=0, random_state=0,
            **parameters,
        )  # fmt: skip

    plain, n_steps = LeanNet.train_step, []

    def step(net, batch):
        n_steps.append(1)
        if len(n_steps) == 13:  # in the third epoch
            raise Interrupted
        return plain(net, batch)

    whole = model().fit(X, y)
    with monkeypatch.context() as patched:
        patched.setattr(LeanNet, "train_step", step)
        with pytest.raises(Interrupted):
            model().fit(X, y, checkpoint=Checkpoint(file, every=2))
    resumed = model()
    with pytest.raises(ValueError, match="checksum of the data"):
        resumed.fit(X, y + X, checkpoint=file)
    resumed.fit(X, y, checkpoint=file)
    assert not file.exists()
    assert resumed.loss_curve_ == whole.loss_curve_
    assert np.array_equal(resumed.predict(X), whole.predict(X))

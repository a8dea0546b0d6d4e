import copy

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdyn import FNORegressor
from skdyn.metrics import neg_relative_l2, relative_l2_error
from skdyn.operators._grids import resample
from skdyn.operators._spectral import SpectralConvolution

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
small = {"hidden_channels": 8, "n_layers": 2, "random_state": 0}


def waves(n_samples, n_points, n_waves=3, seed=0):
    """Smooth periodic functions; one seed gives the same at every resolution."""
    phase = 2 * np.pi * np.arange(n_points) / n_points * np.arange(1, n_waves + 1)[:, None]
    of_sine, of_cosine = np.random.default_rng(seed).normal(size=(2, n_samples, n_waves))
    return of_sine @ np.sin(phase) + of_cosine @ np.cos(phase)


def heat(n_samples, *grid, seed=0):
    """Random fields and what diffusion and a pointwise square make of them."""
    X = np.random.default_rng(seed).normal(size=(n_samples, 1, *grid))
    axes = tuple(range(2, 2 + len(grid)))
    k = np.meshgrid(*[np.fft.fftfreq(n, 1 / n) for n in grid], indexing="ij")
    decay = np.exp(-0.5 * sum(np.square(axis) for axis in k))
    return X, np.fft.ifftn(np.fft.fftn(X, axes=axes) * decay, axes=axes).real


@pytest.mark.parametrize("grid", [(16,), (7, 8), (4, 5, 4)], ids=str)
def test_it_learns_diffusion_on_one_to_three_axes(grid):
    X, y = heat(120, *grid)
    model = FNORegressor(periodic=True, max_iter=15, learning_rate=0.02, **small)
    model.fit(X[:100], y[:100])
    assert model.predict(X[100:]).shape == (20, 1, *grid)
    assert relative_l2_error(y[100:], model.predict(X[100:])) < 0.2


def test_error_is_flat_from_64_to_512_points():
    model = FNORegressor(
        8, periodic=True, resolution="native", max_iter=25, learning_rate=0.01, **small
    )
    X = waves(60, 64)
    model.fit(X, X**2)
    errors = []
    for n_points in (64, 128, 256, 512):
        X = waves(20, n_points, seed=1)
        errors.append(relative_l2_error(X**2, model.predict(X[:, None], grid=n_points)))
    assert errors[0] < 0.1
    np.testing.assert_allclose(errors, errors[0], rtol=0.01)


def test_on_other_grids_the_answers_are_those_of_the_grid_of_the_fit_resampled():
    X, y = waves(20, 12)[:, None], waves(20, 12)[:, None] ** 2
    model = FNORegressor(4, periodic=True, max_iter=3, **small).fit(X, y)
    here = model.predict(X[:3])
    assert np.ptp(here) > 0.1
    for grid in ((18,), (7,)):
        there = resample(here, grid, periodic=True)
        np.testing.assert_allclose(model.predict(X[:3], grid=grid), there, atol=1e-6)
        if grid > (12,):  # which holds every wave of X
            finer = resample(X[:3], grid, periodic=True)
            np.testing.assert_allclose(model.predict(finer), there, atol=1e-5)


@pytest.mark.parametrize("periodic", [True, False])
def test_a_native_resolution_answers_the_same_function_at_the_points_of_its_own(periodic):
    x, fine = (np.linspace(0, 1, n + 1)[: n + 1 - periodic] for n in (16, 32))
    rate = np.random.default_rng(0).normal(size=(20, 1, 1))
    X, Z = (np.sin(2 * np.pi * grid + rate) for grid in (x, fine))
    native, resampled = (
        FNORegressor(4, periodic=periodic, resolution=way, max_iter=4, **small).fit(X, X**2)
        for way in ("native", "resample")
    )
    here, there = native.predict(X), native.predict(Z)
    assert there.shape == Z.shape
    size = np.abs(here).max()
    np.testing.assert_allclose(there[..., ::2], here, atol=0.02 * size)
    assert 1e-6 * size < abs(there - resampled.predict(Z)).max()  # it is not the other way


def test_targets_may_be_on_another_grid():
    X, fine = waves(60, 16), waves(60, 40) ** 2
    model = FNORegressor(8, periodic=True, max_iter=20, learning_rate=0.02, **small).fit(X, fine)
    assert model.predict(X).shape == (60, 40)
    assert relative_l2_error(fine, model.predict(X)) < 0.15
    assert model.predict(X, grid=20).shape == (60, 20)


def test_numbers_are_means_over_the_grid():
    X = waves(80, 16)
    y = np.square(X).mean(axis=1)
    model = FNORegressor(4, periodic=True, max_iter=15, learning_rate=0.03, **small).fit(X, y)
    assert model.score(X, y) > 0.9
    np.testing.assert_allclose(model.predict(np.roll(X, 3, axis=1)), model.predict(X), atol=1e-5)


@pytest.mark.parametrize("factorization", ["tucker", "cp", "tt"])
def test_factorised_weights_are_fewer_and_learn(factorization):
    X, y = heat(60, 8, 8)
    model = FNORegressor(
        periodic=True, max_iter=25, learning_rate=0.03, batch_size="auto",
        factorization=factorization, rank=0.3, **small,
    ).fit(X, y)  # fmt: skip
    dense = FNORegressor(periodic=True, max_iter=1, **small).fit(X, y)

    def n_weights(fitted):
        return sum(w.numel() for w in fitted.module_.convolutions.parameters())

    assert n_weights(model) < 0.31 * n_weights(dense)
    assert model.score(X, y) > 0.7


def test_modes_are_taken_up_in_the_first_half_of_the_epochs():
    X, y = heat(40, 16)
    limits = []

    class Watching(FNORegressor):
        def _take_up_modes(self, module, epoch):
            changed = super()._take_up_modes(module, epoch)
            limits.append(int(module.convolutions[0].limit))
            return changed

    model = Watching(8, incremental_modes=True, periodic=True, max_iter=8, **small).fit(X, y)
    assert limits == [2, 4, 5, 6, 8, 8, 8, 8]
    assert model.partial_fit(X, y).module_.convolutions[0].limit == 8


def relative(size):
    """A loss: the mean over the samples of the size of the error beside that of the truth."""
    return lambda error, truth: (size(error) / size(truth)).mean()


def root_of_squares_and_slopes(fields):
    """The Sobolev norm of functions on one axis of length one."""
    slopes = np.diff(fields, axis=2) * fields.shape[2]
    return np.sqrt(np.square(fields).mean(axis=(1, 2)) + np.square(slopes).mean(axis=(1, 2)))


LOSSES = {
    "relative_l2": relative(lambda fields: np.linalg.norm(fields, axis=(1, 2))),
    "h1": relative(root_of_squares_and_slopes),
    "mse": lambda error, truth: np.square(error).mean() / truth.var(),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_is_its_formula_and_falls(loss):
    X, y = heat(40, 12)
    still = FNORegressor(loss=loss, max_iter=1, learning_rate=1e-12, batch_size=40, **small)
    first = LOSSES[loss](still.fit(X, y).predict(X) - y, y)
    assert still.loss_curve_[0] == pytest.approx(first, rel=1e-5)
    model = FNORegressor(loss=loss, max_iter=25, learning_rate=0.01, **small).fit(X, y)
    assert LOSSES[loss](model.predict(X) - y, y) < 0.5 * first


class ZerosAfter(torch.nn.Module):
    """A layer with zeros written out behind the fields, in place of one that pads."""

    def __init__(self, layer, longer):
        super().__init__()
        self.grid, self.longer = layer.grid, longer
        self.layer = SpectralConvolution(1, 1, (1,) * len(longer), longer)
        self.layer.frequencies, self.layer.weight = layer.frequencies, layer.weight

    def forward(self, x, plus):
        """Cut the answer back, and take means over the fields alone."""
        after = [n - own for n, own in zip(self.longer, self.grid, strict=True)]
        margins = [part for n in reversed(after) for part in (0, n)]
        answer = self.layer(torch.nn.functional.pad(x, [0, 0, 0, 0, *margins]))
        answer = answer[tuple(slice(n) for n in self.grid)]
        return plus + answer * (np.prod(self.longer) / np.prod(self.grid))


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize(("grid", "longer"), [((8,), (12,)), ((6, 4), (9, 6))], ids=str)
def test_padding_is_zeros_after_the_fields_in_every_layer(grid, longer, periodic):
    X, y = heat(20, *grid)
    model = FNORegressor(3, domain_padding=0.5, periodic=periodic, max_iter=2, **small).fit(X, y)
    padded = model.predict(X)

    def answers(behind):
        module = copy.deepcopy(model.module_)
        layers = [ZerosAfter(layer, behind) for layer in module.convolutions]
        module.convolutions = torch.nn.ModuleList(layers).requires_grad_(False)
        written_out = copy.copy(model)
        written_out.module_ = module
        return written_out.predict(X)

    np.testing.assert_allclose(answers(longer), padded, atol=1e-5)
    assert abs(answers(grid) - padded).max() > 1e-3


@pytest.mark.parametrize("grid", [(8,), (4, 6)], ids=str)
def test_searches_and_pipelines_take_fields(grid):
    X, y = heat(24, *grid)
    pipeline = make_pipeline(FunctionTransformer(np.tanh), FNORegressor(3, max_iter=2, **small))
    search = GridSearchCV(
        pipeline, {"fnoregressor__n_modes": [2, 3]}, cv=2, scoring=neg_relative_l2,
        error_score="raise",
    )  # fmt: skip
    search.fit(X, y)
    assert (search.cv_results_["mean_test_score"] < 0).all()
    assert search.predict(X).shape == y.shape


@pytest.mark.parametrize(
    ("n_modes", "grid", "message"),
    [
        (6, (8,), r"n_modes=6 is above .* \(8,\) holds: at most \(5,\)"),
        ((3, 5), (8, 7), r"n_modes=\(3, 5\) is above .* \(8, 7\) holds: at most \(5, 4\)"),
        ((3, 3), (8,), r"n_modes=\(3, 3\) has 2 entries, but X is on a grid \(8,\) of 1 axes"),
        ([3], (8, 8), r"n_modes=\[3\] has 1 entries, .* of 2 axes"),
        ((3, 0), (8, 8), r"n_modes must be .* positive integers; got \(3, 0\)"),
    ],
)
def test_modes_that_the_grid_does_not_have_are_refused(n_modes, grid, message):
    X, y = heat(4, *grid)
    with pytest.raises(ValueError, match=message):
        FNORegressor(n_modes).fit(X, y)


@pytest.mark.parametrize("local_size", [2, 9])
def test_local_maps_are_centred_and_no_wider_than_the_grid(local_size):
    X, y = heat(4, 8, 8)
    with pytest.raises(ValueError, match=rf"local_size={local_size} must be odd and at most 8"):
        FNORegressor(local_size=local_size).fit(X, y)


def test_grids_of_different_numbers_of_axes_are_refused():
    with pytest.raises(ValueError, match=r"X is on a grid \(8,\) and y on \(3, 4\)"):
        FNORegressor().fit(np.ones((4, 1, 8)), np.ones((4, 1, 3, 4)))


def test_training_goes_on_only_with_the_same_channels_and_grid():
    X, y = heat(20, 8)
    model = FNORegressor(3, **small).partial_fit(X, y)
    with pytest.raises(ValueError, match=r"X has 1 channels on a grid \(6,\), but .* \(8,\)"):
        model.partial_fit(X[:, :, :6], y[:, :, :6])
    with pytest.raises(ValueError, match=r"y has 1 channels on a grid \(6,\), but .* \(8,\)"):
        model.partial_fit(X, y[:, :, :6])
    with pytest.raises(ValueError, match=r"expecting 1 features"):
        model.partial_fit(np.ones((20, 2, 8)), y)

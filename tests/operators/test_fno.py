import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdyn import FNORegressor
from skdyn.metrics import neg_relative_l2, relative_l2_error

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
    model = FNORegressor(periodic=True, max_iter=20, learning_rate=0.01, **small)
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


@pytest.mark.parametrize("resolution", ["resample", "native"])
def test_it_predicts_on_other_grids(resolution):
    model = FNORegressor(4, max_iter=3, resolution=resolution, **small)
    X, y = heat(20, 6, 8)
    model.fit(X, y)
    assert model.predict(np.ones((2, 1, 9, 5))).shape == (2, 1, 9, 5)
    assert model.predict(X[:2], grid=(12, 12)).shape == (2, 1, 12, 12)


def test_targets_may_be_on_another_grid():
    X, fine = waves(60, 16), waves(60, 40) ** 2
    model = FNORegressor(8, periodic=True, max_iter=30, learning_rate=0.01, **small).fit(X, fine)
    assert model.predict(X).shape == (60, 40)
    assert relative_l2_error(fine, model.predict(X)) < 0.15
    assert model.predict(X, grid=20).shape == (60, 20)


def test_numbers_are_means_over_the_grid():
    X = waves(80, 16)
    y = np.square(X).mean(axis=1)
    model = FNORegressor(4, periodic=True, max_iter=40, learning_rate=0.01, **small).fit(X, y)
    assert model.score(X, y) > 0.9
    np.testing.assert_allclose(model.predict(np.roll(X, 3, axis=1)), model.predict(X), atol=1e-5)


@pytest.mark.parametrize("factorization", ["tucker", "cp", "tt"])
def test_factorised_weights_are_fewer_and_learn(factorization):
    X, y = heat(60, 8, 8)
    model = FNORegressor(
        periodic=True, max_iter=30, learning_rate=0.01, factorization=factorization, rank=0.3,
        **small,
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


@pytest.mark.parametrize("loss", ["relative_l2", "h1", "mse"])
def test_every_loss_falls(loss):
    X, y = heat(40, 12)
    curve = FNORegressor(loss=loss, max_iter=25, learning_rate=0.01, **small).fit(X, y).loss_curve_
    assert curve[-1] < 0.7 * curve[0]


def test_padding_changes_the_answers_not_the_shapes():
    X, y = heat(20, 6, 5)
    plain, padded = (
        FNORegressor(3, domain_padding=p, max_iter=2, **small).fit(X, y).predict(X)
        for p in (0, 0.3)
    )
    assert plain.shape == padded.shape
    assert abs(plain - padded).max() > 1e-6


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

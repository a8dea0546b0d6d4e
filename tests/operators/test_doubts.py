import warnings

import numpy as np
import pytest

from skdyn import AdaFNNRegressor, FNORegressor, KernelOperatorRegressor, io
from skdyn.datasets import make_gaussian_random_field
from skdyn.operators._doubts import likeness

rng = np.random.default_rng(0)
SMOOTH = make_gaussian_random_field(40, 12, random_state=0)
TABLE = rng.normal(size=(40, 6)) * 10.0 ** -np.arange(6)
IMAGES = SMOOTH[:, :, None] * SMOOTH[:, None, ::-1] + SMOOTH[::-1, None]


def model(**parameters):
    return KernelOperatorRegressor(n_corrections=0, **parameters)


@pytest.mark.parametrize("unit", [1.0, 1e-200])
def test_neighbors_of_a_function_are_alike_and_columns_of_a_table_are_not(unit):
    assert likeness(SMOOTH * unit) > 0.8
    assert abs(likeness(TABLE * unit)) < 0.3
    assert likeness(IMAGES[..., None]) > 0.5
    channels = np.repeat(TABLE[:, :, None], 7, axis=2)
    assert likeness(channels) == pytest.approx(likeness(TABLE))


def test_nothing_is_said_of_few_samples_or_of_columns_that_stand_still():
    assert likeness(SMOOTH[:3]) is None
    assert likeness(np.ones((9, 5))) is None
    assert likeness(SMOOTH[:, :1]) is None


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (TABLE, SMOOTH, "X are read as functions on 6 points.*constant in space.*grid_shape=6"),
        (TABLE[:, :1], SMOOTH, r"X are read as functions on 1 points"),
        (IMAGES, SMOOTH, r"X of shape .* is read as 12 channels.*grid_shape=\(12, 12\)"),
        (IMAGES[..., None], SMOOTH, r"X of shape \(40, 12, 12, 1\).*np.moveaxis\(X, -1, 1\)"),
        (SMOOTH, IMAGES, r"y of shape \(40, 12, 12\) is read as 12 channels"),
        (SMOOTH, TABLE[:, :3], r"y of shape \(40, 3\) is taken for 3 numbers.*targets='numbers'"),
        (SMOOTH, TABLE[:, :5], r"y of shape \(40, 5\) is read as functions on 5 points.*'numbers'"),
    ],
)  # fmt: skip
def test_what_was_perhaps_not_meant_is_told(X, y, message):
    with pytest.warns(UserWarning, match=message):
        model().fit(X, y)


@pytest.mark.parametrize(
    ("X", "y", "parameters"),
    [
        (SMOOTH, SMOOTH[:, ::2], {}),
        (SMOOTH, SMOOTH[:, 0], {}),
        (SMOOTH[:, None], SMOOTH[:, None, ::4], {}),
        (TABLE, SMOOTH[:, :6], {"grid_shape": 6}),
        (SMOOTH, TABLE[:, :5], {"targets": "numbers"}),
        (SMOOTH, TABLE[:, :3], {"targets": "functions"}),
        (np.repeat(TABLE[:, :, None], 12, axis=2), SMOOTH, {}),
        (IMAGES, IMAGES, {"grid_shape": (12, 12)}),
        (IMAGES, IMAGES, {"grid_shape": (12,)}),
        (IMAGES[:, None], IMAGES, {}),
    ],
)
def test_what_is_plain_or_was_said_is_not_doubted(X, y, parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "KernelOperatorRegressor (is no better|explains less)")
        fitted = model(**parameters).fit(X, y)
    assert fitted.predict(X).shape == y.shape


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_estimator_of_functions_doubts_a_table():
    for estimator in (FNORegressor(hidden_channels=2, n_layers=1, max_iter=1),
                      AdaFNNRegressor(n_basis=1, max_iter=1)):  # fmt: skip
        with pytest.warns(UserWarning, match="X are read as functions on 6 points"):
            estimator.fit(TABLE, TABLE[:, 0])


def test_numbers_are_learnt_as_well_together_as_one_by_one():
    numbers = np.stack([SMOOTH.mean(axis=1), 1e3 * SMOOTH[:, 3], SMOOTH[:, 8] - 5], axis=1)
    together = model(targets="numbers").fit(SMOOTH[:30], numbers[:30]).predict(SMOOTH[30:])
    assert together.shape == (10, 3)
    error = np.square(together - numbers[30:]).mean(axis=0) / numbers[30:].var(axis=0)
    assert (error < 0.05).all()


def test_images_without_channels_and_numbers_come_back_from_a_file(tmp_path):
    for X, y in ((IMAGES, IMAGES), (IMAGES, TABLE[:, :3])):
        fitted = model(grid_shape=(12, 12)).fit(X, y)
        io.save(fitted, tmp_path / "model.safetensors")
        again = io.load(tmp_path / "model.safetensors").predict(X)
        np.testing.assert_array_equal(again, fitted.predict(X))
        assert again.shape == y.shape


def test_kernels_say_where_they_explain_little_of_what_travels():
    x = np.arange(64) / 64
    place = np.random.default_rng(0).random((30, 1, 1))
    pulses = np.exp(-np.square(np.sin(np.pi * (x - place)) / 0.02)).sum(axis=1)
    moved = np.roll(pulses**2, 20, axis=1)
    with pytest.warns(UserWarning, match="explains less than half of the variance"):
        model().fit(pulses, moved)

import re
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from skdyn.operators._grids import (
    Layout,
    check_grid,
    input_layout,
    interpolation_matrix,
    read_inputs,
    read_queries,
    read_targets,
    resample,
    target_layout,
)


class Reader(BaseEstimator):
    """The least that reads functions."""

    _exponents = None, 250

    def __init__(self, grid_shape=None, targets="auto", periodic=False, resolution="resample"):
        self.grid_shape = grid_shape
        self.targets = targets
        self.periodic = periodic
        self.resolution = resolution

    def fit(self, X, y):
        """Read both."""
        X = read_inputs(self, X, reset=True)
        return X, read_targets(self, X, y, reset=True)


def zeros(*shape):
    return np.zeros(shape)


@pytest.mark.parametrize(
    ("shape", "grid_shape", "expected"),
    [
        ((5, 12), None, (1, (12,), 2)),
        ((5, 12), (3, 4), (1, (3, 4), 2)),
        ((5, 12), (2, 3), (2, (2, 3), 2)),
        ((5, 12), (4,), (3, (4,), 2)),
        ((5, 2, 12), None, (2, (12,), 3)),
        ((5, 2, 3, 4), None, (2, (3, 4), 4)),
        ((5, 2, 3, 4, 6), (3, 4, 6), (2, (3, 4, 6), 5)),
    ],
)
def test_inputs_are_read_as_the_table_says(shape, grid_shape, expected):
    assert input_layout(zeros(*shape), grid_shape) == expected


@pytest.mark.parametrize(
    ("shape", "grid_shape", "x_grid", "targets", "expected"),
    [
        ((5,), None, (12,), "auto", (1, (), 1)),
        ((5, 1), None, (12,), "auto", (1, (), 2)),
        ((5, 7), None, (12,), "auto", (1, (7,), 2)),
        ((5, 7), None, (12,), "numbers", (7, (), 2)),
        ((5, 3), None, (12,), "auto", (3, (), 2)),
        ((5, 3), None, (12,), "functions", (1, (3,), 2)),
        ((5, 3), None, (3,), "auto", (1, (3,), 2)),
        ((5, 3), None, (3, 4), "auto", (3, (), 2)),
        ((5, 24), (3, 4), (3, 4), "auto", (2, (3, 4), 2)),
        ((5, 24), (3, 4), (3, 4), "numbers", (24, (), 2)),
        ((5, 24), None, (3, 4), "auto", (2, (3, 4), 2)),
        ((5, 1, 6, 8), None, (3, 4), "auto", (1, (6, 8), 4)),
        ((5, 3, 4), None, (3, 4), "auto", (1, (3, 4), 3)),
        ((5, 3, 4), (3, 4), (12,), "auto", (1, (3, 4), 3)),
        ((5, 3, 4), None, (4,), "auto", (3, (4,), 3)),
    ],
)
def test_targets_are_read_as_the_table_says(shape, grid_shape, x_grid, targets, expected):
    assert target_layout(zeros(*shape), grid_shape, Layout(1, x_grid, 2), targets) == expected


@pytest.mark.parametrize(("layout", "shape"), [
    (Layout(1, (), 1), (5,)), (Layout(3, (), 2), (5, 3)), (Layout(2, (3, 2), 2), (5, 12)),
    (Layout(2, (3, 2), 4), (5, 2, 3, 2)), (Layout(1, (3, 2), 3), (5, 3, 2)),
], ids=str)  # fmt: skip
def test_a_layout_takes_back_what_it_wrote_out(layout, shape):
    array = np.arange(np.prod(shape)).reshape(shape)
    fields = layout.fields(array)
    assert fields.shape == (5, layout.n_channels, *layout.grid)
    np.testing.assert_array_equal(layout.array(fields), array)


def test_channels_come_before_the_grid_in_flat_rows():
    flat = np.arange(12.0)[None]
    np.testing.assert_array_equal(
        Layout(2, (3, 2), 2).fields(flat)[0, 1], [[6, 7], [8, 9], [10, 11]]
    )


# -- another resolution -------------------------------------------------------------------------


@pytest.mark.parametrize(("n_from", "n_to"), [(8, 13), (9, 20), (8, 16), (12, 7), (13, 8), (9, 9)])
def test_periodic_resampling_is_exact_for_what_both_grids_hold(n_from, n_to):
    def wave(n):
        x = 2 * np.pi * np.arange(n) / n
        return 0.3 + np.sin(x) - 2 * np.cos(3 * x + 1)

    matrix = interpolation_matrix(n_from, n_to, periodic=True)
    np.testing.assert_allclose(matrix @ wave(n_from), wave(n_to), atol=1e-13)


@pytest.mark.parametrize(("n_from", "n_to"), [(9, 12), (12, 9), (64, 96), (96, 64), (2, 1), (1, 2)])
def test_the_closed_form_is_the_sum_of_the_waves(n_from, n_to):
    apart = np.arange(n_to)[:, None] / n_to - np.arange(n_from) / n_from
    fewer = min(n_from, n_to)
    waves = np.cos(2 * np.pi * apart * np.arange(1, (fewer + 1) // 2)[:, None, None])
    expected = 1 + 2 * waves.sum(axis=0)
    if fewer % 2 == 0 and n_to >= n_from:
        expected += np.cos(np.pi * fewer * apart)
    matrix = interpolation_matrix(n_from, n_to, periodic=True)
    np.testing.assert_allclose(matrix, expected / n_from, atol=1e-13)


def test_interpolation_takes_no_more_memory_than_its_matrix_does():
    tracemalloc.start()
    try:
        matrix = interpolation_matrix(301, 400, periodic=True)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * matrix.nbytes


@pytest.mark.parametrize("n", [7, 8])
def test_there_and_back_is_the_identity_but_for_a_wave_of_which_half_is_seen(n):
    finer, back = (interpolation_matrix(*pair, periodic=True) for pair in ((n, 19), (19, n)))
    lost = np.outer((-1) ** np.arange(n), (-1) ** np.arange(n)) / n * (n % 2 == 0)
    np.testing.assert_allclose(back @ finer, np.eye(n) - lost, atol=1e-13)
    finer = interpolation_matrix(n, 3 * n, periodic=True)
    np.testing.assert_allclose(finer[::3], np.eye(n), atol=1e-13)


@pytest.mark.parametrize("phase", [0.0, 1.0])
@pytest.mark.parametrize(("n_from", "n_to"), [(12, 8), (13, 6), (7, 2)])
def test_a_wave_that_a_coarser_grid_sees_half_of_is_left_out(n_from, n_to, phase):
    wave = np.cos(2 * np.pi * np.arange(n_from) / n_from * (n_to // 2) + phase)
    matrix = interpolation_matrix(n_from, n_to, periodic=True)
    np.testing.assert_allclose(matrix @ (1 + wave), np.ones(n_to), atol=1e-13)


def test_open_resampling_is_exact_for_cubics_and_keeps_both_ends():
    def cubic(n):
        x = np.linspace(0, 1, n)
        return 1 - x + 4 * x**2 - 3 * x**3

    matrix = interpolation_matrix(6, 17, periodic=False)
    np.testing.assert_allclose(matrix @ cubic(6), cubic(17), atol=1e-12)
    np.testing.assert_allclose(matrix[[0, -1]], np.eye(6)[[0, -1]], atol=1e-12)
    np.testing.assert_allclose(interpolation_matrix(1, 3, periodic=False), np.ones((3, 1)))
    np.testing.assert_allclose(interpolation_matrix(2, 3, periodic=False)[1], [0.5, 0.5])


def test_fields_are_resampled_axis_by_axis_in_their_precision():
    def field(n, m):
        x, y = np.meshgrid(np.arange(n) / n, np.arange(m) / m, indexing="ij")
        return np.sin(2 * np.pi * x) * np.cos(4 * np.pi * y) + x * 0

    fields = np.stack([field(7, 8), 2 * field(7, 8)])[None]
    finer = resample(fields, (14, 11), periodic=True)
    assert finer.shape == (1, 2, 14, 11)
    np.testing.assert_allclose(finer[0, 1], 2 * field(14, 11), atol=1e-13)
    assert resample(fields, (7, 8), periodic=True) is fields


# -- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "y", "grid_shape", "message"),
    [
        (zeros(5, 12), zeros(5), (5, 2), r"X has 12 columns, .* 10 points .*\(5, 2\)"),
        (zeros(5, 12), zeros(5, 7), (3, 4), r"y has 7 columns, .* 12 points .*\(3, 4\)"),
        (zeros(5, 1, 3, 4), zeros(5, 11), None, r"y has 11 columns, .* 12 points .*\(3, 4\)"),
        (zeros(5, 1, 3, 4), zeros(5), (4, 3), r"grid \(3, 4\), but grid_shape=\(4, 3\)"),
        (zeros(5, 1, 2, 2, 2, 2), zeros(5), None, r"one to three axes .*\(5, 1, 2, 2, 2, 2\)"),
        (zeros(5, 12), zeros(5, 1, 2, 2, 2, 2), None, r"y must be of shape .*\(5, 1, 2, 2, 2, 2\)"),
        (zeros(5, 12), zeros(5), (3.5, 4), r"grid_shape must be .* integers; got \(3\.5, 4\)"),
        (zeros(5, 12), zeros(5), (0, 4), r"grid_shape must be .* integers; got \(0, 4\)"),
        (zeros(5, 3, 5), zeros(5), (3, 4), r"\(5, 1, 3, 5\) is on a grid .* grid_shape=\(3, 4\)"),
        (zeros(5, 12), zeros(4), None, "inconsistent numbers of samples"),
        (zeros(5, 12), None, None, "target y is None"),
        (np.full((5, 12), np.nan), zeros(5), None, "X contains NaN"),
        (zeros(5, 1, 12), np.full((5, 1, 12), np.inf), None, "y contains infinity"),
    ],
)
def test_what_does_not_fit_is_refused_naming_both_sides(X, y, grid_shape, message):
    with pytest.raises(ValueError, match=message):
        Reader(grid_shape).fit(X, y)


def fitted(X, y, **parameters):
    reader = Reader(**parameters)
    reader.fit(X, y)
    return reader


def test_answers_are_on_the_grid_that_was_asked_for():
    flat = fitted(zeros(5, 12), zeros(5, 12))
    X, grid = read_queries(flat, zeros(2, 12))
    assert (X.shape, grid) == ((2, 1, 12), (12,))
    assert read_queries(flat, zeros(2, 12), 20)[1] == (20,)
    X, grid = read_queries(flat, zeros(2, 20), 20)
    assert (X.shape, grid) == ((2, 1, 20), (20,))
    X, grid = read_queries(flat, zeros(2, 1, 30))
    assert (X.shape, grid) == ((2, 1, 30), (30,))
    other = fitted(zeros(5, 12), zeros(5, 7))
    assert read_queries(other, zeros(2, 1, 30))[1] == (7,)


@pytest.mark.parametrize(
    ("X", "grid", "message"),
    [
        (zeros(2, 20), None, "X has 20 features, but Reader is expecting 12"),
        (zeros(2, 20), 21, "X has 20 features, but Reader is expecting 12"),
        (zeros(2, 12), (3, 4), r"grid=\(3, 4\) has not as many axes as that of the fit, \(12,\)"),
        (zeros(2, 2, 12), None, r"X of shape \(2, 2, 12\) is not what .* 1 channels"),
        (zeros(2, 1, 3, 4), None, r"X of shape \(2, 1, 3, 4\) is not what .*\(12,\)"),
    ],
)
def test_a_resolution_changed_without_saying_so_is_refused(X, grid, message):
    with pytest.raises(ValueError, match=message):
        read_queries(fitted(zeros(5, 12), zeros(5, 12)), X, grid)


def test_one_channel_may_be_left_out_where_the_grid_is_known():
    y = np.arange(60.0).reshape(5, 3, 4)
    reader = Reader((3, 4))
    X, fields = reader.fit(y, y)
    np.testing.assert_array_equal(X[:, 0], y)
    np.testing.assert_array_equal(reader._y_layout.array(fields), y)
    assert reader.n_features_in_ == 1
    for model in (reader, fitted(y[:, None], y)):
        queries, grid = read_queries(model, y.tolist())
        np.testing.assert_array_equal(queries, y[:, None])
        assert grid == (3, 4)
        assert read_queries(model, zeros(2, 6, 7))[1] == (6, 7)


def test_numbers_that_are_said_to_be_some_have_two_axes():
    with pytest.raises(ValueError, match=r"targets='numbers' needs y .*got \(5, 1, 12\)"):
        fitted(zeros(5, 12), zeros(5, 1, 12), targets="numbers")


def test_fields_stay_fields_and_numbers_have_no_grid():
    reader = fitted(zeros(5, 1, 12), zeros(5))
    with pytest.raises(ValueError, match=r"fitted on fields \(n_samples, 1, \*\(12,\)\)"):
        read_queries(reader, zeros(2, 12))
    with pytest.raises(ValueError, match=r"grid=\(20,\) has no meaning"):
        read_queries(reader, zeros(2, 1, 12), 20)


def test_column_names_are_compared():
    frame = pd.DataFrame(zeros(5, 2), columns=["a", "b"])
    reader = fitted(frame, zeros(5))
    assert read_queries(reader, frame)[0].shape == (5, 1, 2)
    with pytest.raises(ValueError, match=re.escape("feature names")):
        read_queries(reader, frame[["b", "a"]])


def test_a_grid_is_one_number_or_several():
    assert check_grid(np.int64(4), "grid") == (4,)
    assert check_grid([4, 5], "grid") == (4, 5)
    assert check_grid(None, "grid") is None

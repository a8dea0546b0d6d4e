from datetime import date, timedelta

import numpy as np
import pytest
import sklearn
import torch
from sklearn.base import BaseEstimator

from skdyn._validation import (
    as_floats,
    check_array,
    check_sizes,
    check_validation_pair,
    check_weights,
    check_X_y,
    fit_context,
    from_torch,
    validate_data,
)
from skdyn.hopfield._bags import Bags

X = np.zeros((3, 2))


@pytest.mark.parametrize("what", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["X", "y"])
def test_what_is_not_a_number_is_refused_with_its_place(what, name):
    given = {"X": np.zeros((3, 4)), "y": np.zeros((3, 2))}
    given[name][1, 1] = given[name][2, 0] = what
    with pytest.raises(
        ValueError, match=rf"^Input {name} contains (.|\n)*The first is {name}\[1, 1\]"
    ):
        validate_data(BaseEstimator(), **given, multi_output=True, y_numeric=True)


@pytest.mark.parametrize(
    "times",
    [
        np.array(["2020-01-01", "2020-01-02"], dtype="M8[D]"),
        np.array([1, 2], dtype="m8[h]"),
        [date(2020, 1, 1), date(2020, 1, 2)],
        [timedelta(1), timedelta(2)],
    ],
)
def test_dates_and_durations_are_no_numbers(times):
    with pytest.raises(TypeError, match="in a unit that you choose"):
        as_floats(times)


def test_weights_of_rows_that_no_library_knows_are_checked_too():
    bags = Bags(np.zeros((5, 2)), [2, 3])
    with sklearn.config_context(array_api_dispatch=True):
        np.testing.assert_array_equal(check_weights([1, 2], bags), [1.0, 2.0])
        with pytest.raises(ValueError, match="sample_weight"):
            check_weights([1, 2, 3], bags)


def test_no_weights_stay_none():
    assert check_weights(None, X) is None


@pytest.mark.parametrize(
    ("weight", "message"),
    [([1.0, -1.0, 1.0], "[Nn]egative"), ([0.0, 0.0, 0.0], "zero"), ([1.0, np.nan, 1.0], "NaN"),
     ([1.0, 2.0], "shape"), ([1e300, 1.0, 1.0], "sample_weight reach"),
     ([1e-300, 0.0, 1e-300], "sample_weight reach")],
)  # fmt: skip
def test_bad_weights_are_refused(weight, message):
    with pytest.raises(ValueError, match=message):
        check_weights(weight, X)


def test_half_a_validation_set_is_refused_by_name():
    with pytest.raises(ValueError, match="X_val was passed to fit without y_val"):
        check_validation_pair(X, None, early_stopping=True)
    with pytest.raises(ValueError, match="y_val was passed to fit without X_val"):
        check_validation_pair(None, X, early_stopping=True)


def test_a_validation_set_nobody_watches_is_refused():
    with pytest.raises(ValueError, match="early_stopping=True"):
        check_validation_pair(X, X, early_stopping=False)
    check_validation_pair(X, X, early_stopping=True)
    check_validation_pair(None, None, early_stopping=False)


class Counting(BaseEstimator):
    """Counts how often it was fitted, then fails where asked."""

    _parameter_constraints = {"error": [Exception, KeyboardInterrupt, None]}

    def __init__(self, error=None):
        self.error = error

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        self.n_fits_ = getattr(self, "n_fits_", 0) + 1
        if self.error:
            raise self.error
        return self


@pytest.mark.parametrize("error", [ValueError("deliberate"), KeyboardInterrupt("deliberate")])
def test_a_fit_that_fails_leaves_every_attribute_as_it_was(error):
    with pytest.raises(type(error), match="deliberate"):
        (counting := Counting(error)).fit(X)
    assert vars(counting) == {"error": error}
    counting.set_params(error=None).fit(X)
    with pytest.raises(type(error), match="deliberate"):
        counting.set_params(error=error).fit(X)
    assert counting.n_fits_ == 1


def test_parameters_are_checked_before_a_fit():
    with pytest.raises(ValueError, match="'error' parameter"):
        Counting(error=3).fit(X)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64, torch.int64])
def test_tensors_become_arrays_whatever_their_type(dtype):
    tensor = torch.arange(6).reshape(3, 2).to(dtype)
    np.testing.assert_array_equal(from_torch(tensor), [[0, 1], [2, 3], [4, 5]])
    np.testing.assert_array_equal(as_floats([tensor[0], tensor[1]]), [[0, 1], [2, 3]])
    for checked in (
        validate_data(BaseEstimator(), tensor),
        check_array(tensor),
        *check_X_y(tensor, tensor, multi_output=True, estimator=BaseEstimator()),
    ):
        assert isinstance(checked, np.ndarray)


def test_tensors_that_need_gradients_are_taken_and_all_else_is_left_alone():
    assert isinstance(from_torch(torch.ones(2, requires_grad=True)), np.ndarray)
    for other in (None, "auto", X, [1, 2], {"a": 1}):
        assert from_torch(other) is other


def test_sparse_tensors_are_refused_with_advice():
    with pytest.raises(TypeError, match="to_dense"):
        from_torch(torch.eye(2).to_sparse())


@pytest.mark.parametrize("size", [1e160, -1e300, 1e-160, -5e-324])
def test_numbers_that_cannot_be_computed_with_are_refused_by_column(size):
    rows = np.ones((3, 4))
    rows[:, 2] = [0.0, size, np.nan]
    with pytest.raises(ValueError, match=r"The values of u in column 2 reach .*another unit"):
        check_sizes(rows, "u")
    with pytest.raises(ValueError, match="The values of u in channel 2"):
        check_sizes(rows[:, :, None], "u")
    with pytest.raises(ValueError, match="The values of u reach"):
        check_sizes(rows[:, 2], "u")


def test_zeros_ordinary_numbers_and_what_an_estimator_can_compute_with_pass():
    for rows in (np.zeros((3, 2)), np.array([[1e-300, 1.0], [2.0, np.nan]]), np.array([["a"]])):
        check_sizes(rows, "X")
    check_sizes(np.full((3, 2), 1e-300), "X", (None, 250))
    with pytest.raises(ValueError, match=r"in another unit, up to 2e\+75"):
        check_sizes(np.full((3, 2), 1e80), "X", (None, 250))


def test_queries_may_be_small_and_labels_any_number():
    estimator = BaseEstimator()
    with pytest.raises(ValueError, match="of X in column 0"):
        validate_data(estimator, np.full((3, 2), 1e-300))
    validate_data(estimator, np.full((3, 2), 1e-300), reset=False)
    validate_data(estimator, np.ones((2, 2)), np.array([1e300, 1.0]))
    for check in (validate_data, lambda e, *data, **how: check_X_y(*data, estimator=e, **how)):
        with pytest.raises(ValueError, match="The values of y reach"):
            check(estimator, np.ones((2, 2)), np.array([1e300, 1.0]), y_numeric=True)


def test_errors_about_data_hold_neither_the_data_nor_other_estimators():
    class Plain(BaseEstimator):
        pass

    with pytest.raises(ValueError, match=r"got 1D array instead\. Reshape your data") as flat:
        validate_data(Plain(), np.arange(500.0))
    assert len(str(flat.value)) < 300
    with pytest.raises(
        ValueError, match=r"natively. Leave incomplete .*\nThe first is X\[1, 0\]"
    ) as nan:
        validate_data(Plain(), np.array([[1.0], [np.nan]]))
    assert "HistGradient" not in str(nan.value)

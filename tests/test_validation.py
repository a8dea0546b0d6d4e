import numpy as np
import pytest

from skdyn._validation import check_validation_pair, check_weights

X = np.zeros((3, 2))


def test_no_weights_stay_none():
    assert check_weights(None, X) is None


@pytest.mark.parametrize(
    ("weight", "message"),
    [([1.0, -1.0, 1.0], "[Nn]egative"), ([0.0, 0.0, 0.0], "zero"), ([1.0, np.nan, 1.0], "NaN"),
     ([1.0, 2.0], "shape")],
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

"""Laws of the R2 of fields, and its agreement with scikit-learn's."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.metrics import make_scorer, r2_score

from skdyn.metrics import field_r2_score

RNG = np.random.default_rng(0)
SIZES = np.reshape([1.0, 1e3, 1e-150], (3, 1, 1))
TRUTH = RNG.normal(size=(9, 3, 4, 5)) * SIZES
GUESS = TRUTH + 0.1 * RNG.normal(size=TRUTH.shape) * SIZES * np.reshape([5.0, 1.0, 2.0], (3, 1, 1))


def test_each_channel_is_scored_as_by_scikit_learn_whatever_its_unit():
    weight = RNG.random(9)
    flat = [(y / SIZES).reshape(9, 3, -1).swapaxes(0, 1) for y in (TRUTH, GUESS)]
    known = [
        r2_score(*pair, sample_weight=weight, multioutput="variance_weighted")
        for pair in zip(*flat, strict=True)
    ]
    raw = field_r2_score(TRUTH, GUESS, multioutput="raw_values", sample_weight=weight)
    np.testing.assert_allclose(raw, known)
    assert field_r2_score(TRUTH, GUESS, sample_weight=weight) == pytest.approx(np.mean(known))
    pooled = field_r2_score(TRUTH, GUESS, sample_weight=weight, multioutput="variance_weighted")
    assert pooled == pytest.approx(known[1])  # which sees the largest channel alone


def test_a_channel_that_stands_still_is_no_part_of_the_mean():
    still = np.concatenate([TRUTH[:, :1], np.ones((9, 1, 4, 5))], axis=1)
    guess = np.concatenate([GUESS[:, :1], np.ones((9, 1, 4, 5)) + 1e-9], axis=1)
    alone = field_r2_score(TRUTH[:, :1], GUESS[:, :1])
    assert field_r2_score(still, guess) == pytest.approx(alone)
    np.testing.assert_allclose(field_r2_score(still, guess, multioutput="raw_values"), [alone, 0])
    assert field_r2_score(still[:, 1:], still[:, 1:]) == 1.0


def test_rows_are_one_channel_and_it_becomes_a_scorer():
    assert field_r2_score(TRUTH[:, 0, 0], GUESS[:, 0, 0]) == pytest.approx(
        r2_score(TRUTH[:, 0, 0], GUESS[:, 0, 0], multioutput="variance_weighted")
    )

    class Known(BaseEstimator):
        """Answers with what it is asked about."""

        def predict(self, X):
            """Return X."""
            return X

    assert make_scorer(field_r2_score)(Known(), GUESS, TRUTH) == field_r2_score(TRUTH, GUESS)


@pytest.mark.parametrize(
    ("truth", "guess", "options", "message"),
    [
        (TRUTH, GUESS[:, :2], {}, "must have the same shape"),
        (TRUTH, np.full_like(TRUTH, np.nan), {}, "y_pred must be finite"),
        (TRUTH, GUESS, {"multioutput": "mean"}, "multioutput must be one of"),
    ],
)
def test_what_cannot_be_scored_is_refused(truth, guess, options, message):
    with pytest.raises(ValueError, match=message):
        field_r2_score(truth, guess, **options)

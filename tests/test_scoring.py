import numpy as np
import pytest
import torch
from sklearn.metrics import r2_score

from skdyn._scoring import r2

TRUTH = np.random.default_rng(0).normal(size=(20, 3)) * [1.0, 2.0, 5.0]
MADE = TRUTH + np.random.default_rng(1).normal(size=(20, 3))
WEIGHT = np.linspace(0.5, 2.0, 20)


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_scores_are_scikit_learns(weight):
    assert r2(TRUTH, MADE, weight) == r2_score(TRUTH, MADE, sample_weight=weight)
    together = r2_score(TRUTH, MADE, sample_weight=weight, multioutput="variance_weighted")
    assert r2(TRUTH, MADE, weight, together=True) == together


@pytest.mark.parametrize("size", [1e-200, 1e-300, 1e200])
def test_scores_do_not_depend_on_the_unit(size):
    for score in (
        r2(TRUTH * size, MADE * size),
        r2(TRUTH[:, 0] * size, MADE[:, 0] * size),
    ):
        assert score < 0.9  # where squares vanish, every score is perfect
    np.testing.assert_allclose(r2(TRUTH * size, MADE * size), r2(TRUTH, MADE))
    np.testing.assert_allclose(
        r2(TRUTH * size, MADE * size, together=True), r2(TRUTH, MADE, together=True)
    )


def test_targets_and_weights_may_be_tensors_of_half_precision():
    half, weight = torch.tensor(TRUTH).bfloat16(), torch.tensor(WEIGHT).bfloat16()
    plain = half.double().numpy(), weight.double().numpy()
    np.testing.assert_allclose(r2(half, MADE, weight), r2(plain[0], MADE, plain[1]))
    np.testing.assert_allclose(
        r2(half, MADE, weight, together=True), r2(plain[0], MADE, plain[1], together=True)
    )

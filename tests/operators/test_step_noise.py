"""Noise on the states that a step is shown."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from skdyn import AutoregressiveOperator
from skdyn.operators._step_noise import deviations, noised

rng = np.random.default_rng(0)


def test_deviations_are_those_of_channels_in_any_unit():
    plain = rng.normal([[0.0], [7.0], [0.0]], size=(6, 5, 3, 8))
    units = np.array([1e-200, 1.0, 1e200])
    found = deviations(plain * units[:, None], one_function=False)
    np.testing.assert_allclose(found, plain.std(axis=(0, 1, 3)) * units)
    flat = plain[:, :, 1]
    assert deviations(flat, one_function=True) == pytest.approx(flat.std())
    np.testing.assert_allclose(deviations(flat, one_function=False), flat.std(axis=(0, 1)))
    assert deviations(np.full((4, 3, 2), 0.1), one_function=False).tolist() == [0, 0]


def test_noise_walks_to_its_full_size():
    past = np.zeros((4000, 4, 2, 3))
    walk = noised(past, 0.3, np.array([1.0, 10.0]), np.random.RandomState(0))
    sizes = walk.std(axis=(0, 3)) / [1, 10]
    np.testing.assert_allclose(sizes, 0.3 * np.sqrt([[1], [2], [3], [4]]) / 2 @ [[1, 1]], rtol=0.05)
    single = past.astype(np.float32)
    assert noised(single, 0.3, np.ones(2), np.random.RandomState(0)).dtype == np.float32


class Shown(LinearRegression):
    """Notes what it was shown."""

    def fit(self, X, y):
        """Fit."""
        self.shown_ = X, y
        return super().fit(X, y)


@pytest.mark.parametrize("target", ["state", "change"])
def test_targets_lead_from_the_noisy_state_to_the_true_one(target):
    X = rng.normal(size=(200, 3, 5)) * [[1.0], [100.0], [0.0]]
    model = AutoregressiveOperator(Shown(), target=target, noise=0.1, random_state=0).fit(X)
    shown, targets = model.estimator_.shown_
    before = np.concatenate(list(np.moveaxis(X, 2, 0)[:-1]))
    after = np.concatenate(list(np.moveaxis(X, 2, 0)[1:]))
    assert (shown - before).std(axis=0) / [1, 100, 1] == pytest.approx([0.1, 0.1, 0], rel=0.1)
    reached = targets if target == "state" else shown + targets
    np.testing.assert_allclose(reached, after, atol=1e-12)


def test_noise_comes_from_random_state():
    X = rng.normal(size=(5, 2, 6))

    def answer(seed):
        model = AutoregressiveOperator(Ridge(), noise=0.5, random_state=seed)
        return model.fit(X).predict(X)

    np.testing.assert_array_equal(answer(0), answer(0))
    assert (answer(0) != answer(1)).all()


def test_noise_pulls_back_what_leaves_the_data():
    """States on a line: without noise nothing tells a step what to do beside it."""
    way = np.linspace(0, 1, 6) + rng.normal(size=(50, 1))
    X = np.stack([way, way], axis=1)
    plain = AutoregressiveOperator(LinearRegression(), target="change").fit(X)
    steady = AutoregressiveOperator(
        LinearRegression(), target="change", noise=0.05, random_state=0
    ).fit(X)
    off = np.array([[0.1, -0.1]])
    apart = [np.ptp(model.rollout(off, 5)[0, :, -1]) for model in (plain, steady)]
    assert apart[0] == pytest.approx(0.2)
    assert apart[1] < 0.02


def test_noise_below_zero_or_on_velocities_is_refused():
    X = np.ones((4, 2, 5))
    with pytest.raises(ValueError, match=r"'noise' parameter .* must be a float in the range"):
        AutoregressiveOperator(Ridge(), noise=-0.1).fit(X)
    with pytest.raises(ValueError, match="learns velocities, which needs noise=0; got 0"):
        AutoregressiveOperator(Ridge(), target="change", integrator="rk4", noise=0.1).fit(X)

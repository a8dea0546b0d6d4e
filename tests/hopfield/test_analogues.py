import numpy as np
import pytest
from sklearn.linear_model import Ridge

from skdyn.hopfield._analogues import LEVELS, Recipe, taught, without_levels
from skdyn.hopfield._separations import SEPARATIONS
from skdyn.hopfield._sequences import windows_at

RNG = np.random.default_rng(0)
STATES = RNG.normal(size=(40, 2))
ENDS, STEPS = np.arange(3, 36), np.array([1, 4])


def learned(level="none", linear=False):
    return taught(STATES, ENDS, Recipe(4, level, linear), STEPS, SEPARATIONS["softmax"])


@pytest.mark.parametrize(
    ("level", "moved"),
    [
        ("last", lambda times: np.full_like(times, 3.0)),
        ("mean", lambda times: np.full_like(times, -2.0)),
        ("trend", lambda times: 5.0 - 0.7 * times),
    ],
)
def test_levels_are_taken_off_windows_and_what_follows_alike(level, moved):
    windows, times = windows_at(STATES, ENDS, 4), np.arange(-3.0, 5)[:, None]
    keys, levels = without_levels(windows, level, STEPS)
    others, higher = without_levels(windows + moved(times[:4]), level, STEPS)
    np.testing.assert_allclose(others, keys, atol=1e-12)
    rise = (higher - levels).reshape(-1, 2, 2)
    np.testing.assert_allclose(rise, np.broadcast_to(moved(times[3 + STEPS]), rise.shape))


def test_no_level_leaves_windows_as_they_are():
    keys, levels = without_levels(windows_at(STATES, ENDS, 4), LEVELS[0], STEPS)
    np.testing.assert_array_equal(keys, windows_at(STATES, ENDS, 4).reshape(len(ENDS), -1))
    assert not levels.any()


def test_the_linear_part_is_a_ridge_held_within_what_followed():
    model = learned(linear=True)
    keys = windows_at(STATES, ENDS, 4).reshape(len(ENDS), -1)
    truth = STATES[ENDS[:, None] + STEPS].reshape(len(ENDS), -1)
    fits = [Ridge(a).fit(keys, truth).coef_.T for a in np.geomspace(1e-6, 1e6, 400)]
    away = min(np.abs(coef - model.line[0]).max() for coef in fits)
    assert away < 0.05 * np.abs(fits[0]).max()
    _, known = model.before_recall(100 * windows_at(STATES, ENDS, 4))
    assert (known >= truth.min(axis=0) - 1e-12).all()
    assert (known <= truth.max(axis=0) + 1e-12).all()


def test_answers_and_spreads_are_means_and_variances_by_the_weights():
    model, betas = learned("last"), np.array([0.5, 4.0])
    asked = windows_at(STATES, ENDS[:3], 4)
    found, spread = model.answers(asked, betas, with_spread=True)
    queries, known = model.before_recall(asked)
    for step, beta in enumerate(betas):
        (chunk,) = model.at(beta).weight_chunks(queries)
        weights, values = chunk.scores.numpy(), model.values.numpy().reshape(-1, 2, 2)[:, step]
        mean = weights @ values
        np.testing.assert_allclose(found[:, step], known.reshape(3, 2, 2)[:, step] + mean)
        np.testing.assert_allclose(spread[:, step], weights @ values**2 - mean**2)
    assert model.answers(asked, betas)[1] is None

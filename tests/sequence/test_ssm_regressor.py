import numpy as np

from skdyn import SSMRegressor


def test_a_rate_is_read_from_series_of_unequal_length_with_gaps():
    rng = np.random.default_rng(0)
    y = rng.uniform(1, 2, 80)
    t = [np.sort(rng.uniform(0, 8, size)) for size in rng.integers(12, 24, 80)]
    X = [np.stack([np.sin(rate * row), np.cos(rate * row)]) for rate, row in zip(y, t, strict=True)]
    for case in X:
        case[rng.random(case.shape) < 0.1] = np.nan
    model = SSMRegressor(
        1, hidden_channels=16, state_size=16, point_dropout=0.0, max_iter=40, learning_rate=0.01,
        random_state=0,
    )  # fmt: skip
    model.fit(X[:60], y[:60], t=t[:60])
    assert model.score(X[60:], y[60:], t=t[60:]) > 0.6

import numpy as np

from skdyn import NeuralCDERegressor


def test_an_area_that_a_path_goes_round_is_found():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2, 6)).cumsum(axis=2) / 2
    u, v = X[:, 0] - X[:, 0, :1], X[:, 1] - X[:, 1, :1]
    y = (u[:, :-1] * np.diff(v) - v[:, :-1] * np.diff(u)).sum(axis=1) / 2
    model = NeuralCDERegressor(
        8, vector_field="linear", augment=(), point_dropout=0.0, max_iter=60, learning_rate=0.03,
        random_state=0,
    )  # fmt: skip
    assert model.fit(X[:60], y[:60]).score(X[60:], y[60:]) > 0.8

import numpy as np
import pytest

from skdyn.hopfield import _solved
from skdyn.hopfield._links import SquaredError
from skdyn.hopfield._solved import Setting, chosen, solved

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4))
Y = np.sin(2 * X[:, [0]]) + X[:, [1]] / 2
MASS = rng.integers(1, 4, 60).astype(float)
SIMILARITIES = ["euclidean", "distance"]


def setting(similarity, line=0.3, **others):
    return Setting(similarity, 2.0, line, 0.1)._replace(**others)


def answers(rows, keys, solution, how):
    keys, queries = keys @ solution.projection, rows @ solution.projection
    alone = _solved._kernel(queries, keys, how._replace(line=0.0))
    return alone @ solution.values + queries @ solution.slopes


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_the_search_leaves_each_row_out_as_refits_do(similarity):
    some = X[:12], Y[:12], MASS[:12]
    best = _solved._searched(*some, similarity, 2.0)
    keys, Z = some[0] / _solved._unit(some[0], some[2]), Y[:12] - np.average(Y[:12], 0, MASS[:12])

    def loss(line, ridge):
        how = Setting(similarity, 2.0, line, ridge)
        K, total = _solved._kernel(keys, keys, how), 0.0
        weight = MASS[:12] / MASS[:12].mean()
        for i in range(12):
            rest = np.arange(12) != i
            a = _solved._Square(K[np.ix_(rest, rest)], weight[rest], ridge)(Z[rest])
            total += weight[i] * np.square(K[i, rest] @ a - Z[i]).sum()
        return total

    found = {(line, r): loss(line, r) for line in _solved._LINES for r in _solved._RIDGES}
    assert min(found, key=lambda pair: found[pair]) == (best.line, best.first_ridge)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_maps_rest_on_the_slopes_of_the_answers(similarity):
    how = setting(similarity, ridge=0.1)
    K = _solved._kernel(X, X, how)
    a = _solved._Square(K, MASS, 0.1)(Y)

    def answer(rows):
        return _solved._kernel(rows, X, how) @ a

    step = 1e-6 * np.eye(4)
    slopes = np.stack([(answer(X + e) - answer(X - e))[:, 0] / 2e-6 for e in step], axis=1)
    slopes /= how.beta  # which is the unit
    wanted = (slopes * MASS[:, None]).T @ slopes
    if similarity == "distance":  # which has a corner at each row: both ways are its mean
        assert abs(wanted / _solved._outer_slopes(X, K, a, MASS, how) - 1).max() < 1e-3
    else:
        np.testing.assert_allclose(_solved._outer_slopes(X, K, a, MASS, how), wanted, rtol=1e-5)


@pytest.mark.parametrize("kind", ["weights", "full"])
def test_maps_weigh_what_matters(kind):
    how = setting("euclidean", kind=kind, n_steps=2)
    *_, last = _solved._projections(X, Y, MASS, how)
    size = np.linalg.norm(last, axis=0)
    assert size[:2].min() > 2 * size[2:].max()
    np.testing.assert_allclose(_solved._unit(X @ last, MASS), 1)


@pytest.mark.parametrize("line", [0.0, 0.3, 1.0])
def test_many_rows_are_solved_for_by_values_of_some(monkeypatch, line):
    how, link = setting("euclidean", line, ridge=1e-3), SquaredError(1)
    one = solved(X, Y, MASS, how, link)
    monkeypatch.setattr(_solved, "_MOST_CENTRES", 59)  # one row less has next to no effect
    some = solved(X, Y, MASS, how, link)
    assert len(some.values) == 59
    told = answers(X, X[:59], some, how)
    assert abs(told - answers(X, X, one, how)).max() < 0.1 * Y.std()


def test_a_line_needs_nothing_else():
    line = X @ [[1.0], [2.0], [0.0], [0.0]]
    line = (line - line.mean()) / line.std()
    found = chosen(X - X.mean(axis=0), line, np.ones(60), SquaredError(1))
    assert found.loss < 1e-3 < found.trivial_loss
    assert found.setting.line > 0

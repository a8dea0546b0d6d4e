import numpy as np
import pytest

from skdyn.hopfield import _solved
from skdyn.hopfield._links import SquaredError
from skdyn.hopfield._solved import Setting, solved

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4))
Y = np.sin(2 * X[:, [0]]) + X[:, [1]] / 2
MASS = rng.integers(1, 4, 60).astype(float)
SIMILARITIES = ["euclidean", "distance"]


def setting(similarity, line=0.3, **others):
    return Setting(similarity, 2.0, line, 0.1)._replace(**others)


def answers(rows, keys, solution, how):
    keys, queries = keys @ solution.projection, rows @ solution.projection
    alone = _solved.kernel(queries, keys, how._replace(line=0.0))
    return alone @ solution.values + queries @ solution.slopes


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_maps_rest_on_the_slopes_of_the_answers(similarity):
    how = setting(similarity, ridge=0.1)
    K = _solved.kernel(X, X, how)
    inverse, Z = _solved.Square(K, MASS, 0.1), Y - np.average(Y, 0, MASS)

    def answer(rows):
        return _solved.kernel(rows, X, how) @ inverse(Z)

    step = 1e-6 * np.eye(4)
    slopes = np.stack([(answer(X + e) - answer(X - e))[:, 0] / 2e-6 for e in step], axis=1)
    slopes /= how.beta  # which is the unit
    wanted = (slopes * MASS[:, None]).T @ slopes / MASS.mean()
    found = _solved.outer_slopes(X, K, inverse, (Y, MASS), how)
    if similarity == "distance":  # which has a corner at each row: both ways are its mean
        assert abs(wanted / found - 1).max() < 1e-3
    else:
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize("kind", ["weights", "full"])
def test_maps_weigh_what_matters(kind):
    how = setting("euclidean", kind=kind, n_steps=2)
    last = _solved._projection(X, Y, MASS, how)
    size = np.linalg.norm(last, axis=0)
    assert size[:2].min() > 2 * size[2:].max()
    np.testing.assert_allclose(_solved.unit_of(X @ last, MASS), 1)


def test_classes_lead_to_the_map_of_their_contrasts():
    """Columns that sum to zero are turned into one less, which changes no map."""
    how, values = setting("distance"), np.eye(3)[np.arange(60) % 3]
    K = _solved.kernel(X, X, how)
    inverse = _solved.Square(K, np.ones(60), 0.1)
    found = _solved.outer_slopes(X, K, inverse, (values, np.ones(60)), how)
    each = [_solved.outer_slopes(X, K, inverse, (v[:, None], np.ones(60)), how) for v in values.T]
    np.testing.assert_allclose(found, sum(each))


def test_equations_that_single_precision_cannot_hold_are_factored_in_double():
    K = np.ones((50, 50), dtype=np.float32)
    Z = np.linspace(-1, 1, 50, dtype=np.float32)[:, None]
    a = _solved.Square(K, np.ones(50, dtype=np.float32), 1e-9)(Z)
    np.testing.assert_allclose(1e-9 * a, Z, atol=1e-5)  # a constant kernel tells no row apart


@pytest.mark.parametrize("line", [0.0, 0.3, 1.0])
def test_many_rows_are_solved_for_by_values_of_some(monkeypatch, line):
    how, link = setting("euclidean", line, ridge=1e-3), SquaredError(1)
    one = solved(X, Y, MASS, how, link)
    monkeypatch.setattr(_solved, "_MOST_CENTERS", 59)  # one row less has next to no effect
    some = solved(X, Y, MASS, how, link)
    assert len(some.values) == 59
    told = answers(X, X[:59], some, how)
    assert abs(told - answers(X, X, one, how)).max() < 0.1 * Y.std()

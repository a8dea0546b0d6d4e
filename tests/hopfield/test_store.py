import numpy as np
from sklearn.preprocessing import StandardScaler

from skdyn.hopfield import _store
from skdyn.hopfield._store import Finder, Store, merged, scales

rng = np.random.default_rng(0)


def store(X, y, weight=None):
    weight = np.ones(len(X)) if weight is None else weight
    return Store(X, np.reshape(y, (len(X), -1)).astype(float), weight, np.arange(len(X)))


def test_equal_rows_are_stored_once_with_the_sum_of_their_weights():
    X = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [1.0, 2.0]])
    found, place = merged(store(X, [0, 0, 0, 1], weight=np.array([1.0, 2.0, 0.5, 3.0])))
    assert len(found.patterns) == 3
    np.testing.assert_array_equal(found.patterns[place], X)
    assert found.mass[place].tolist() == [1.5, 2.0, 1.5, 3.0]
    assert found.rows[place].tolist() == [0, 1, 0, 3]


def test_the_order_is_the_rows_own():
    X, y = rng.normal(size=(50, 3)), rng.integers(0, 2, 50)
    shuffled = rng.permutation(50)
    one, two = merged(store(X, y))[0], merged(store(X[shuffled], y[shuffled]))[0]
    np.testing.assert_array_equal(one.patterns, two.patterns)
    np.testing.assert_array_equal(one.rows, shuffled[two.rows])


def test_the_order_has_nothing_to_do_with_the_values():
    X = np.sort(rng.normal(size=(2000, 1)), axis=0)
    found, _ = merged(store(X, np.zeros(2000)))
    assert abs(np.corrcoef(np.arange(2000), found.patterns[:, 0])[0, 1]) < 0.1


def test_different_rows_stay_apart_on_a_lattice():
    X = np.stack(np.meshgrid(*[np.arange(-8.0, 8.0)] * 4), axis=-1).reshape(-1, 4)
    assert len(merged(store(X, np.zeros(len(X))))[0].patterns) == len(X)


def test_no_two_of_many_rows_of_plus_and_minus_one_share_a_hash():
    bits = np.random.default_rng(0).choice([-1.0, 1.0], size=(2**17, 40))
    n_distinct = len(np.unique((bits > 0) @ 2.0 ** np.arange(40)))
    assert len(np.unique(_store.row_hashes(bits))) == n_distinct


def test_rows_that_share_a_hash_are_compared(monkeypatch):
    X, weight = rng.integers(0, 2, size=(60, 3)).astype(float), rng.uniform(1, 2, 60)
    wanted, _ = merged(store(X, X[:, 0], weight))
    monkeypatch.setattr(_store, "_hashes", lambda tables: (tables[0][:, 1] > 0).astype(np.uint64))
    found, place = merged(store(X, X[:, 0], weight))
    np.testing.assert_array_equal(found.patterns[place], X)
    for part in ("patterns", "targets", "mass", "rows"):
        order, other = (np.lexsort(each.patterns.T) for each in (found, wanted))
        np.testing.assert_allclose(getattr(found, part)[order], getattr(wanted, part)[other])


def test_zero_has_no_sign():
    assert len(merged(store(np.array([[0.0], [-0.0]]), [1, 1]))[0].patterns) == 1


def test_scales_are_those_of_scikit_learn():
    weight = rng.uniform(0.1, 2, size=40)
    table = np.column_stack([rng.normal(5, 3, size=(40, 2)), np.full(40, 0.1), np.zeros(40)])
    table[:, 1] += 1e8
    peer = StandardScaler().fit(table, sample_weight=weight)
    means, deviations = scales(table, weight)
    np.testing.assert_allclose(means, peer.mean_)
    np.testing.assert_allclose(deviations, peer.scale_, rtol=1e-6)


def test_rows_are_found_among_patterns_to_the_last_digit():
    patterns = np.random.default_rng(0).normal(size=(50, 3))
    asked = np.vstack([patterns[::-1], patterns + 1e-15, [[0.0, 0.0, 0.0]]])
    found = Finder(patterns).places(asked)
    assert found[:50].tolist() == list(range(49, -1, -1))
    equal = (patterns + 1e-15 == patterns).all(axis=1)
    assert found[50:100].tolist() == np.where(equal, np.arange(50), -1).tolist()
    assert found[100] == -1
    assert Finder(np.array([[1.0], [0.0]])).places(np.array([[-0.0]])).tolist() == [1]

import numpy as np
import pytest

from skdyn.hopfield import _solved_choice
from skdyn.hopfield._links import LogLoss, SquaredError
from skdyn.hopfield._solved import Setting, Square, kernel, unit_of
from skdyn.hopfield._solved_choice import _Fold, _Walk, _worth_more, chosen

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4))
Y = np.sin(2 * X[:, [0]]) + X[:, [1]] / 2
MASS = rng.integers(1, 4, 60).astype(float)
SIMILARITIES = ["euclidean", "distance"]
KINDS = np.eye(3)[np.digitize(X[:, 0] + 0.5 * rng.normal(size=60), [-0.5, 0.5])]


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_the_search_leaves_each_row_out_as_refits_do(similarity):
    some = X[:12], Y[:12], MASS[:12]
    best = _solved_choice._searched(*some, similarity, 2.0)
    keys, Z = some[0] / unit_of(some[0], some[2]), Y[:12] - np.average(Y[:12], 0, MASS[:12])

    def loss(line, ridge):
        how = Setting(similarity, 2.0, line, ridge)
        K, total = kernel(keys, keys, how), 0.0
        weight = MASS[:12] / MASS[:12].mean()
        for i in range(12):
            rest = np.arange(12) != i
            a = Square(K[np.ix_(rest, rest)], weight[rest], ridge)(Z[rest])
            total += weight[i] * np.square(K[i, rest] @ a - Z[i]).sum()
        return total

    found = {
        (line, r): loss(line, r) for line in _solved_choice._LINES for r in _solved_choice._RIDGES
    }
    assert min(found, key=lambda pair: found[pair]) == (best.line, best.first_ridge)


def test_a_line_needs_nothing_else():
    line = X @ [[1.0], [2.0], [0.0], [0.0]]
    line = (line - line.mean()) / line.std()
    found = chosen(X - X.mean(axis=0), line, np.ones(60), SquaredError(1))
    assert found.loss < 1e-3 < found.trivial_loss
    assert found.setting.line > 0


def folds(values):
    table = X, values, MASS
    return [_Fold(table, np.arange(60) % 3 == k) for k in range(3)], table


@pytest.mark.parametrize(
    ("link", "values"), [(SquaredError(1), Y), (LogLoss(KINDS.mean(axis=0)), KINDS)]
)
def test_a_walk_ends_at_the_best_of_all_ridges(link, values):
    parts, table = folds(values)
    walk = _Walk(Setting("euclidean", 2.0, 0.1, 0.1), parts, link, table)
    walk.begun()
    found = walk.ended()
    asked = len(walk._judged)
    for number in range(len(link.ridges)):
        walk._judge(number)
    assert asked < len(link.ridges)
    assert found.loss == pytest.approx(walk.best.loss, rel=1e-2)
    assert walk.setting.ridge in link.ridges


def test_the_best_map_of_each_similarity_stays():
    parts, _ = folds(Y)
    maps = [Setting("distance", 0.5, line, 0.1) for line in (0.0, 0.1, 0.5)]
    worst = Setting("euclidean", 128.0, 0.0, 10.0)
    assert worst in _worth_more([*maps, worst], parts, 2)
    kept = _worth_more([*maps, worst], parts, 3)
    errors = [sum(part.seen(one).error for part in parts) for one in maps]
    assert set(kept) == {worst, *(maps[i] for i in np.argsort(errors)[:2])}


def test_maps_of_a_fold_rest_on_rows_that_are_learned_from_alone():
    parts, _ = folds(Y)
    other = _Fold((X, np.where(parts[0].rows[:, None], 99.0, Y), MASS), parts[0].rows)
    wanted = Setting("euclidean", 2.0, 0.1, 0.1, "weights", 2)
    np.testing.assert_array_equal(
        other.seen(wanted).projection, parts[0].seen(wanted).projection
    )  # fmt: skip
    assert other.seen(wanted).error > parts[0].seen(wanted).error

import numpy as np
import pytest

from skdyn.symbolic.optimizers import SSR
from skdyn.symbolic.optimizers._ssr import backward_order


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(30, 6)) @ rng.normal(size=(6, 6)), rng.normal(size=30)


def fit(A, b, columns):
    coef = np.linalg.lstsq(A[:, columns], b)[0]
    return coef, np.linalg.norm(b - A[:, columns] @ coef)


def test_the_smallest_coefficient_goes(data):
    order = backward_order(*data, "coefficient")
    for k in range(6, 0, -1):
        kept = order[:k]
        coef, _ = fit(*data, kept)
        assert kept[np.argmin(np.abs(coef))] == order[k - 1]


def test_the_term_goes_that_is_missed_least(data):
    order = backward_order(*data, "residual")
    for k in range(6, 0, -1):
        kept = order[:k]
        errors = [fit(*data, np.delete(kept, i))[1] for i in range(k)]
        assert np.argmin(errors) == k - 1


def test_a_repeated_column_goes_before_any_that_is_needed(data):
    A, b = data
    A = np.column_stack([A, A[:, 2], np.zeros(30)])
    order = backward_order(A, b, "residual")
    assert order[-1] == 7 or order[-2] == 7
    assert {order[-1], order[-2]} & {2, 6}


def test_an_unknown_elimination_is_refused(data):
    with pytest.raises(ValueError, match="elimination='size'"):
        backward_order(*data, "size")
    with pytest.raises(ValueError, match="elimination"):
        SSR(elimination="size").fit(*data)


@pytest.mark.peer
@pytest.mark.filterwarnings("ignore")
def test_the_path_equals_that_of_pysindy(data):
    pysindy = pytest.importorskip("pysindy", reason="extra 'peer' is not installed")
    A, b = data
    theirs = pysindy.SSR(alpha=0.0)
    theirs.fit(A, b)
    path = SSR(elimination="coefficient").fit(A, b).coef_path_
    # Theirs shares its first entry with the one it changes next; the path after that is whole.
    np.testing.assert_allclose(path[5:0:-1], theirs.history_[1:6], atol=1e-10)

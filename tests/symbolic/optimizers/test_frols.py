import numpy as np

from skdyn.symbolic.optimizers import FROLS
from skdyn.symbolic.optimizers._frols import forward_order


def test_each_term_takes_most_off_the_error_after_those_before():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(30, 6)) @ rng.normal(size=(6, 6))
    b = rng.normal(size=30)
    order = forward_order(A, b)
    assert sorted(order) == list(range(6))
    for k in range(6):
        errors = {}
        for j in set(range(6)) - set(order[:k]):
            columns = A[:, [*order[:k], j]]
            errors[j] = np.linalg.norm(b - columns @ np.linalg.lstsq(columns, b)[0])
        assert min(errors, key=errors.get) == order[k]


def test_dependent_and_empty_columns_are_never_taken():
    rng = np.random.default_rng(1)
    A = rng.normal(size=(30, 4))
    A = np.column_stack([A, A[:, 0], np.zeros(30), A[:, 1] + A[:, 2]])
    order = forward_order(A, A[:, 0] + 0.1 * rng.normal(size=30))
    assert len(order) == 4
    assert order[0] == 0  # of two equal columns the first
    assert 5 not in order


def test_orthogonal_terms_are_ranked_by_their_share():
    Q = np.linalg.qr(np.random.default_rng(2).normal(size=(20, 4)))[0]
    model = FROLS(n_terms=1).fit(Q, Q @ [1.0, -3.0, 2.0, 0.5])
    np.testing.assert_allclose(model.coef_, [0, -3, 0, 0], atol=1e-12)
    np.testing.assert_array_equal(forward_order(Q, Q @ [1.0, -3.0, 2.0, 0.5]), [1, 2, 0, 3])

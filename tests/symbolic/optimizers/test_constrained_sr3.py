import numpy as np
import pytest

from skdyn.symbolic.optimizers import SR3, ConstrainedSR3


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(60, 4))
    B = A @ np.array([[2.0, 0, 0, -1], [0, 1.1, 0, 0.5]]).T + 0.2 * rng.normal(size=(60, 2))
    return A, B


# Of the coefficients (target, term): (0, 0) + (1, 1) = 3 and (0, 3) at most -1.2.
LHS = np.zeros((2, 8))
LHS[0, [0, 5]] = 1.0
LHS[1, 3] = 1.0
RHS = [3.0, -1.2]
TYPES = ["equality", "inequality"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("regularizer", ["l0", "l1"])
def test_coefficients_obey_both_kinds_and_stay_sparse(normalize, regularizer, data):
    A, B = data
    A = A * [1.0, 10.0, 0.1, 3.0]
    model = ConstrainedSR3(
        LHS, RHS, TYPES, threshold=0.3, regularizer=regularizer, normalize_columns=normalize
    ).fit(A, B)
    excess = LHS @ model.coef_.ravel() - RHS
    assert abs(excess[0]) < 1e-10
    assert excess[1] < 1e-10
    assert np.count_nonzero(model.coef_) < 8


def test_of_the_coefficients_that_obey_it_takes_the_best(data):
    A, B = data
    coef = ConstrainedSR3(LHS, RHS, TYPES, threshold=0.3).fit(A, B).coef_
    best = np.sum((B - A @ coef.T) ** 2)
    rng = np.random.default_rng(1)
    for move in 0.01 * rng.normal(size=(50, 2, 4)):
        other = coef + np.where(coef != 0, move, 0.0)
        other[1, 1] = 3.0 - other[0, 0]
        other[0, 3] = min(other[0, 3], -1.2)
        assert np.sum((B - A @ other.T) ** 2) > best


def test_without_constraints_it_is_sr3(data):
    expected = SR3(threshold=0.3).fit(*data)
    model = ConstrainedSR3(threshold=0.3).fit(*data)
    np.testing.assert_allclose(model.coef_, expected.coef_, atol=1e-12)
    np.testing.assert_allclose(model.coef_path_, expected.coef_path_, atol=1e-12)


def test_the_right_hand_side_is_zero_when_not_given(data):
    coef = ConstrainedSR3(LHS[:1], threshold=0.3).fit(*data).coef_
    assert abs(coef[0, 0] + coef[1, 1]) < 1e-12


@pytest.mark.parametrize(
    ("constraints", "said"),
    [
        ((LHS[:, :4],), "constraint_lhs has 4 columns.*8"),
        ((LHS, [1.0]), r"constraint_rhs has shape \(1,\)"),
        ((LHS, RHS, ["equality"]), r"constraint_type has shape \(1,\)"),
        ((LHS, RHS, ["equality", "less"]), r"constraint_type holds \['less'\]"),
        ((LHS, RHS, "less"), "constraint_type"),
        ((None, RHS), "without constraint_lhs"),
        ((LHS * np.nan,), "constraint_lhs contains NaN"),
        (([LHS[0], LHS[0]], [1.0, 2.0]), "contradict"),
        (([LHS[0], -LHS[0]], [1.0, -2.0], "inequality"), "contradict"),
    ],
)
def test_bad_constraints_are_named(constraints, said, data):
    with pytest.raises(ValueError, match=said):
        ConstrainedSR3(*constraints).fit(*data)


@pytest.mark.peer
@pytest.mark.filterwarnings("ignore")
def test_the_path_under_equalities_equals_that_of_pysindy(data):
    pytest.importorskip("cvxpy", reason="pysindy's constrained optimizers need it")
    pysindy = pytest.importorskip("pysindy", reason="extra 'peer' is not installed")
    theirs = pysindy.ConstrainedSR3(
        reg_weight_lam=0.3**2 / 2, constraint_lhs=LHS[:1], constraint_rhs=np.array(RHS[:1]),
        equality_constraints=True,
    )  # fmt: skip
    theirs.fit(*data)
    ours = ConstrainedSR3(LHS[:1], RHS[:1], threshold=0.3).fit(*data)
    np.testing.assert_allclose(ours.coef_path_, theirs.history_[1:], atol=1e-10)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("seed", range(30))
def test_constraints_hold_for_columns_of_any_scale_and_dependence(seed):
    rng = np.random.default_rng(seed)
    n_samples, n_features, n_targets = rng.integers([5, 2, 1], [60, 9, 4])
    A = rng.normal(size=(n_samples, n_features)) * 10.0 ** rng.integers(-4, 5, size=n_features)
    if seed % 3 == 0:
        A[:, 0] = A[:, -1]
    B = A @ rng.normal(size=(n_features, n_targets)) + rng.normal(size=(n_samples, n_targets))
    n_coef = n_features * n_targets
    lhs = rng.normal(size=(n_coef // 2, n_coef)) * (rng.uniform(size=(n_coef // 2, n_coef)) < 0.4)
    rhs = lhs @ rng.normal(size=n_coef)
    kinds = np.where(rng.uniform(size=len(lhs)) < 0.5, "equality", "inequality")
    coef = ConstrainedSR3(lhs, rhs, kinds, normalize_columns=seed % 2 == 0).fit(A, B).coef_.ravel()
    size = np.abs(lhs) @ np.abs(coef) + np.abs(rhs)
    excess = lhs @ coef - rhs
    assert (np.where(kinds == "equality", np.abs(excess), excess) <= 1e-9 * size).all()

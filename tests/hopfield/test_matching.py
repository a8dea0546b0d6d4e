import numpy as np
import pytest
import torch

from skdyn.hopfield._matching import Matching, centers, whitening

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 3)) @ np.array([[1.0, 0.9, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 3.0]])
GROUPS = rng.integers(0, 2, size=200)
ONES = np.ones(200)


def test_rows_are_compared_as_they_are_where_nothing_groups_them():
    np.testing.assert_array_equal(whitening(X, ONES, None, 3), np.eye(3))


def test_whitening_makes_members_of_a_group_vary_more_alike():
    def eccentricity(table):
        means = np.stack([table[g == GROUPS].mean(axis=0) for g in (0, 1)])
        variances = np.linalg.eigvalsh(np.cov((table - means[GROUPS]).T))
        return variances[-1] / variances[0]

    assert eccentricity(X @ whitening(X, ONES, GROUPS, 3).T) < eccentricity(X) / 10


def test_few_components_keep_the_directions_of_largest_variance():
    whole = X @ whitening(X, ONES, GROUPS, 3).T
    few = X @ whitening(X, ONES, GROUPS, 2).T
    largest = np.linalg.eigvalsh(np.cov(whole.T))[:0:-1]
    np.testing.assert_allclose(np.sort(few.var(axis=0, ddof=1))[::-1], largest)


def test_weights_of_whitening_count_copies():
    weight = rng.integers(1, 4, size=200)
    found = whitening(X, weight.astype(float), GROUPS, 2)
    wanted = whitening(np.repeat(X, weight, 0), np.ones(weight.sum()), np.repeat(GROUPS, weight), 2)
    np.testing.assert_allclose(np.abs(found), np.abs(wanted), atol=1e-9)


def test_constant_features_get_no_infinite_weight():
    flat = np.column_stack([X, np.zeros(200)])
    assert np.isfinite(whitening(flat, ONES, GROUPS, 4)).all()
    assert np.isfinite(whitening(np.zeros((5, 2)), np.ones(5), np.zeros(5, int), 2)).all()


def test_features_without_variance_within_groups_are_kept_ten_times_as_long_at_most():
    told = np.column_stack([GROUPS - GROUPS.mean(), X])
    projection = whitening(told / told.std(axis=0), ONES, GROUPS, 4)
    np.testing.assert_allclose(projection[0, 0], 10)
    assert np.linalg.svd(projection, compute_uv=False).max() <= 10 * (1 + 1e-9)


def test_one_row_a_group_leaves_rows_as_they_are_but_for_their_unit():
    projection = whitening(X, ONES, np.arange(200), 3)
    np.testing.assert_allclose(projection, projection[0, 0] * np.eye(3), atol=1e-9)
    assert projection[0, 0] > 0


def test_centers_of_few_rows_are_these_rows():
    found, labels = centers(X[:2], ONES[:2], 5, seed=0)
    np.testing.assert_array_equal(found, X[[0, 1, 0, 1, 0]])
    np.testing.assert_array_equal(found[labels], X[:2])


def test_centers_find_clusters():
    places = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    rows = places.repeat(30, axis=0) + rng.normal(size=(90, 2)) / 10
    found, labels = centers(rows, np.ones(90), 3, seed=0)
    np.testing.assert_allclose(found[labels], places.repeat(30, axis=0), atol=0.3)


@pytest.mark.parametrize("n_prototypes", [0, 4])
def test_an_untrained_module_does_what_it_began_with(n_prototypes):
    module = Matching(3, 2, n_prototypes, 1, True)
    projection = rng.normal(size=(2, 3))
    module.begin(projection=projection, beta=3.0)
    rows = torch.randn(5, 3)
    torch.testing.assert_close(module(rows), rows @ torch.from_numpy(projection).float().T)
    assert module.beta == 3.0


def test_decay_of_all_weights_leads_back_to_the_beginning():
    module = Matching(3, 3, 4, 1, True)
    module.begin(prototypes=torch.ones(4, 3), values=torch.ones(4, 1), beta=2.0)
    with torch.no_grad():
        for weight in module.parameters():
            weight.zero_()
    assert (module.prototypes == 1).all()
    assert (module.values == 1).all()
    assert module.beta == 2.0


def test_without_components_rows_stay_as_they_are():
    module = Matching(3, 0, 0, 1, True)
    rows = torch.randn(5, 3)
    assert module(rows) is rows


def test_a_beta_that_is_given_is_not_learnt():
    module = Matching(3, 3, 4, 1, False)
    module.begin(beta=2.0)
    with torch.no_grad():
        module.log_beta.fill_(5.0)
    assert module.beta == 2.0

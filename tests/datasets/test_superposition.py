"""Superposed activations: laws of the frequencies, correlations and sums."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.stats import multivariate_normal, norm

from skdyn.datasets import make_superposition

N = 40_000


def frequencies_of(**options):
    codes = make_superposition(N, 2, random_state=0, **options).codes
    return np.bincount(codes.indices, minlength=codes.shape[1]) / N


def test_activations_are_codes_times_dictionary():
    X, codes, dictionary = make_superposition(50, 5, 20, l0=3, random_state=0)
    np.testing.assert_allclose(X, codes.toarray() @ dictionary, atol=1e-12)


def test_the_components_are_unit_vectors():
    dictionary = make_superposition(1, 6, 30, random_state=0).dictionary
    np.testing.assert_allclose(np.linalg.norm(dictionary, axis=1), 1.0)


@pytest.mark.parametrize(("exponent", "offset"), [(0.0, 0.0), (0.5, 0.0), (1.0, 5.0), (1.5, 9.0)])
def test_frequencies_follow_the_law(exponent, offset):
    law = (np.arange(1, 31) + offset) ** -exponent
    expected = 4.0 * law / law.sum()
    assert expected.max() < 0.9, "a case of the plain law"
    seen = frequencies_of(n_components=30, l0=4.0, exponent=exponent, offset=offset)
    np.testing.assert_array_less(np.abs(seen - expected), 5 * np.sqrt(expected / N))


@pytest.mark.parametrize("l0", [0.5, 7.4, 20.0])
def test_the_mean_number_of_active_components_is_as_asked(l0):
    seen = frequencies_of(n_components=40, l0=l0, correlation=0.0)
    assert seen.sum() == pytest.approx(l0, abs=5 * np.sqrt(l0 / N))


def test_no_component_is_active_always_and_the_others_take_what_is_left():
    seen = frequencies_of(n_components=10, l0=6.0, exponent=2.0, offset=0.0)
    tolerance = 5 * np.sqrt(0.25 / N)
    capped = np.isclose(seen, 0.9, atol=tolerance)
    assert capped[0]
    assert not capped.all()
    rest = np.arange(1, 11)[~capped] ** -2.0
    expected = (6.0 - 0.9 * capped.sum()) * rest / rest.sum()
    np.testing.assert_allclose(seen[~capped], expected, atol=tolerance)


def test_components_of_one_block_are_active_together_as_often_as_their_gaussians_say():
    active = make_superposition(
        N, 2, 3, l0=0.6, exponent=0, correlation=0.6, block_size=3, random_state=0
    ).codes.astype(bool)
    both = (active[:, [0]].multiply(active[:, [1]])).sum() / N
    quantile = norm.ppf(0.2)
    expected = multivariate_normal(cov=[[1, 0.6], [0.6, 1]]).cdf([quantile, quantile])
    assert expected > 2 * 0.2**2, "far from independent"
    assert both == pytest.approx(expected, abs=5 * np.sqrt(expected / N))


@pytest.mark.parametrize("independent", [{"correlation": 0.0}, {"block_size": 1}])
def test_without_correlation_or_blocks_components_are_independent(independent):
    options = {"correlation": 0.8, "block_size": 4, "l0": 1.2, "exponent": 0} | independent
    active = make_superposition(N, 2, 4, random_state=0, **options).codes.toarray() > 0
    off_diagonal = np.corrcoef(active.T)[np.triu_indices(4, 1)]
    np.testing.assert_array_less(np.abs(off_diagonal), 5 / np.sqrt(N))


def test_magnitudes_have_mean_one_and_the_spread_of_their_logarithms():
    codes = make_superposition(N, 2, 10, l0=2, spread=0.7, random_state=0).codes
    assert codes.data.mean() == pytest.approx(1.0, abs=0.02)
    assert np.log(codes.data).std() == pytest.approx(0.7, abs=0.01)
    ones = make_superposition(20, 2, 10, l0=2, spread=0, random_state=0).codes
    assert (ones.data == 1).all()


def test_noise_is_a_fraction_of_each_feature_on_the_same_samples():
    clean = make_superposition(5000, 4, 8, l0=2, random_state=0)
    noisy = make_superposition(5000, 4, 8, l0=2, noise=0.1, random_state=0)
    assert (clean.codes != noisy.codes).nnz == 0
    np.testing.assert_array_equal(clean.dictionary, noisy.dictionary)
    ratio = (noisy.X - clean.X).std(axis=0) / clean.X.std(axis=0)
    np.testing.assert_allclose(ratio, 0.1, rtol=0.05)


def test_one_seed_gives_the_same_data_and_two_do_not():
    first, again, other = (make_superposition(30, random_state=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.X, again.X)
    assert not np.array_equal(first.X, other.X)


def test_codes_come_as_rows_or_dense():
    sparse = make_superposition(30, random_state=0).codes
    dense = make_superposition(30, random_state=0, sparse_codes=False).codes
    assert isinstance(sparse, csr_array)
    assert sparse.has_sorted_indices
    np.testing.assert_array_equal(sparse.toarray(), dense)


def test_a_given_dictionary_is_used_as_it_is():
    given = np.arange(6.0).reshape(3, 2)
    X, codes, dictionary = make_superposition(20, 2, 3, l0=1, dictionary=given, random_state=0)
    np.testing.assert_array_equal(dictionary, given)
    np.testing.assert_allclose(X, codes @ given)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_samples": 0}, "n_samples must be an integer of at least 1; got 0"),
        ({"n_components": 8, "l0": 7.2}, r"l0 must be a finite number in \(0, 7.2\); got 7.2"),
        ({"correlation": 1.0}, r"correlation must be a finite number in \[0, 1\); got 1.0"),
        ({"noise": -1}, "noise must be a finite number"),
        ({"dictionary": np.eye(3)}, r"n_features\) = \(256, 64\); got \(3, 3\)"),
        ({"dictionary": np.full((256, 64), np.nan)}, "dictionary must be finite"),
    ],
)
def test_bad_parameters_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        make_superposition(**options)

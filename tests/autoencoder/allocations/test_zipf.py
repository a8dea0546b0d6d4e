import numpy as np
import pytest

from skdyn.autoencoder.allocations._zipf import least_share, zipf_ends, zipf_shares


@pytest.mark.parametrize(("n_components", "k"), [(24, 3), (256, 8), (512, 32), (4, 4), (10, 9.8)])
def test_shares_fall_and_sum_to_k(n_components, k):
    shares = zipf_shares(n_components, k)
    assert float(shares.sum()) == pytest.approx(k)
    assert (shares.diff() <= 0).all()
    assert shares.max() <= max(0.9, k / n_components) + 1e-9


def test_shares_below_the_bound_follow_the_law():
    shares = zipf_shares(256, 8, offset=5.0)
    assert float(shares[20] / shares[100]) == pytest.approx((101 + 5) / (21 + 5))


def test_sums_of_shares_and_the_least_are_numbers_of_the_host():
    shares = zipf_shares(30, 4)
    np.testing.assert_array_equal(zipf_ends(30, 4), np.cumsum(shares.numpy()))
    assert least_share(30, 4) == shares[-1].item()

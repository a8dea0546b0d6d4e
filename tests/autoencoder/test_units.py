import numpy as np
import pytest

from skdyn.autoencoder import match_units

RNG = np.random.default_rng(0)
A = RNG.normal(size=(300, 6)) ** 3


def test_a_permuted_and_scaled_copy_comes_back_one_by_one():
    order = RNG.permutation(6)
    found = match_units(A, 3.0 * A[:, order] + 1.0, n_groups=6, random_state=0)
    np.testing.assert_array_equal(order[found.partner], np.arange(6))
    np.testing.assert_allclose(found.partner_correlation, 1.0)
    np.testing.assert_allclose(found.explained, 1.0)
    assert (np.count_nonzero(np.abs(found.weights) > 1e-9, axis=1) == 1).all()
    np.testing.assert_array_equal(found.first_groups, found.second_groups[found.partner])
    assert len(set(found.first_groups)) == 6


def test_a_unit_that_was_split_is_found_as_one_to_many_only():
    half = RNG.random((300, 1)) < 0.5
    split = np.hstack([A[:, :1] * half, A[:, :1] * ~half, A[:, 1:]])
    found = match_units(A, split, random_state=0)
    assert found.partner_correlation[0] < 0.9
    assert found.explained[0] == pytest.approx(1.0)
    assert np.flatnonzero(found.weights[0])[:2].tolist() == [0, 1]
    np.testing.assert_allclose(found.partner_correlation[1:], 1.0)


def test_blocks_of_units_are_found_as_groups():
    causes = RNG.normal(size=(300, 2))
    mixed = [causes[:, [i]] * np.ones(3) + 0.3 * RNG.normal(size=(300, 3)) for i in (0, 1, 0, 1)]
    found = match_units(np.hstack(mixed[:2]), np.hstack(mixed[2:]), n_groups=2, random_state=0)
    for groups in (found.first_groups, found.second_groups):
        assert len(set(groups[:3])) == len(set(groups[3:])) == 1
        assert groups[0] != groups[3]
    assert found.first_groups[0] == found.second_groups[0]


def test_units_without_a_partner_and_those_that_never_change_say_so():
    still = np.hstack([A[:, :3], np.full((300, 1), 0.1)])
    found = match_units(still, A[:, :2], random_state=0)
    assert found.partner.tolist()[:2] == [0, 1]
    assert (found.partner[2:] == -1).all()
    assert found.partner_correlation[2:].tolist() == [0.0, 0.0]
    assert found.explained[3] == 0.0
    assert found.correlation[3].tolist() == [0.0, 0.0]


def test_bad_requests_are_refused():
    with pytest.raises(ValueError, match="first has 300 samples, second 9"):
        match_units(A, A[:9])
    with pytest.raises(ValueError, match="alpha must be a positive number; got 0"):
        match_units(A, A, alpha=0)
    with pytest.raises(ValueError, match=r"positive whole number; got 1\.5"):
        match_units(A, A, n_groups=1.5)

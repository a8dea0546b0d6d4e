import numpy as np
import pytest
from sklearn.datasets import load_digits

from skdyn import HopfieldMemory

digits = load_digits().data
STORED, NEW = digits[:600], digits[600:800]
memory = HopfieldMemory().fit(STORED)


def error(found, wanted):
    return np.sqrt(np.mean((found - wanted) ** 2))


def noisy(rows, size):
    return rows + size * np.random.default_rng(0).normal(size=rows.shape)


@pytest.mark.parametrize("size", [1.5, 3.0, 6.0])
def test_new_rows_come_back_nearer_than_they_were_and_than_any_pattern_or_mean(size):
    spoilt = noisy(NEW, size)
    found = error(memory.denoise(spoilt), NEW)
    assert found < error(spoilt, NEW)
    best = min(error(HopfieldMemory(beta=2.0**-k).fit(STORED).retrieve(spoilt, 1), NEW)
               for k in range(2, 9))  # fmt: skip
    assert found < 1.01 * best
    assert found == pytest.approx(error(memory.denoise(spoilt, noise=size), NEW), rel=0.2)


def test_spoilt_copies_come_back_as_the_patterns_they_were():
    spoilt = noisy(STORED[:100], 2.0)
    assert error(memory.denoise(spoilt, copies=True), STORED[:100]) < 0.1
    np.testing.assert_allclose(
        memory.denoise(STORED[:9], noise=0.0, copies=True), STORED[:9], atol=1e-6
    )


def test_without_noise_new_rows_are_left_alone():
    varies = np.ptp(STORED, axis=0) > 0
    found = memory.denoise(NEW, noise=0.0)
    np.testing.assert_allclose(found[:, varies], NEW[:, varies], atol=1e-9)


def test_units_and_origins_are_no_matter_and_constant_columns_stay():
    spoilt = noisy(NEW[:20], 3.0)
    wanted = memory.denoise(spoilt)
    other = HopfieldMemory().fit(1000 + 50 * STORED)
    np.testing.assert_allclose(other.denoise(1000 + 50 * spoilt), 1000 + 50 * wanted, rtol=1e-6)
    assert (wanted[:, 0] == 0).all()
    one = HopfieldMemory().fit(STORED[:1])
    np.testing.assert_array_equal(one.denoise(spoilt), np.repeat(STORED[:1], 20, axis=0))


def test_what_cannot_be_denoised_is_refused():
    with pytest.raises(
        ValueError, match="noise must be a standard deviation of at least 0; got -1"
    ):
        memory.denoise(NEW, noise=-1)
    bits = HopfieldMemory("hebb").fit(np.ones((2, 3)))
    with pytest.raises(ValueError, match="bits are restored by transform"):
        bits.denoise(np.ones((2, 3)))

"""Dense output derived from the order conditions."""

import numpy as np
import pytest

from skdyn.solvers._interpolant import derive_interpolant
from skdyn.solvers._tableaux import TABLEAUX


def test_cubic_hermite_is_the_only_smooth_output_of_order_three_for_bosh3():
    method = TABLEAUX["bosh3"]
    derived = derive_interpolant(method.matrix, np.array(method.b), 3, 3)
    assert np.allclose(derived, method.dense, atol=1e-12)


def test_an_order_beyond_the_stages_is_refused():
    method = TABLEAUX["bosh3"]
    with pytest.raises(ValueError, match="no dense output of order 4"):
        derive_interpolant(method.matrix, np.array(method.b), 4, 5)

import numpy as np
import pytest
import torch

from skdyn.hopfield._categories import Coding
from skdyn.hopfield._imputer_choice import choose_beta_and_alpha, corrected
from skdyn.hopfield._masked import MaskedPatterns, regress
from skdyn.hopfield._separations import SEPARATIONS

CODING = Coding([None, np.array(["a", "b"]), None])
generator = torch.Generator().manual_seed(0)
VALUES = torch.randn(30, 4, dtype=torch.float64, generator=generator)
KNOWN = (torch.rand(30, 3, generator=generator) < 0.7).double()[:, CODING.groups]


def test_only_numbers_are_corrected_and_by_numbers_alone():
    memory = MaskedPatterns.store(VALUES, torch.ones_like(VALUES))
    recalled = 0.5 * VALUES
    found = corrected(recalled, VALUES, KNOWN, memory, 0.3, CODING)
    torch.testing.assert_close(found[:, 1:3], recalled[:, 1:3])
    numbers = [0, 3]
    covariance = memory.covariance[numbers][:, numbers]
    added = regress((VALUES - recalled)[:, numbers], KNOWN[:, numbers], covariance, 0.3)
    torch.testing.assert_close(found[:, numbers], recalled[:, numbers] + added)
    assert corrected(recalled, VALUES, KNOWN, memory, np.inf, CODING) is recalled


def test_given_numbers_are_not_chosen():
    how = SEPARATIONS["softmax"], CODING
    assert choose_beta_and_alpha(VALUES, KNOWN, (3.0, 0.2), *how) == (3.0, 0.2)
    beta, alpha = choose_beta_and_alpha(VALUES, KNOWN, ("auto", 0.2), *how)
    assert alpha == 0.2
    assert beta > 0


@pytest.mark.parametrize("n_rows", [1, 2])
def test_where_nothing_can_be_held_out_there_is_a_default(n_rows):
    known = torch.zeros(n_rows, 4).double()
    found = choose_beta_and_alpha(
        VALUES[:n_rows] * known, known, ("auto", "auto"), SEPARATIONS["softmax"], CODING
    )
    assert found == (16.0, 0.1)

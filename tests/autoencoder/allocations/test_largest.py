import pytest
import torch

from skdyn.autoencoder.allocations._largest import largest, largest_of_rows
from skdyn.testing._device_use import DeviceUse, as_if_away


@pytest.mark.parametrize("budget", [1, 500, 20_000, 90_000, 120_000])
@pytest.mark.parametrize("kind", ["normal", "ties", "one heavy column"])
def test_the_largest_are_those_of_a_full_sort(budget, kind):
    pre = torch.randn(400, 300, generator=torch.Generator().manual_seed(3))
    if kind == "ties":
        pre = pre.round()
    if kind == "one heavy column":
        pre[:, 7] += 10
    chosen = largest(pre, budget)
    assert len(chosen.unique()) == budget
    assert torch.equal(chosen, chosen.sort().values)
    assert torch.equal(pre.flatten()[chosen].sort().values, pre.flatten().sort().values[-budget:])


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize(
    ("n_columns", "k"), [(512, 1), (512, 3), (512, 32), (300, 5), (301, 5), (64, 64), (96, 2)]
)
def test_the_largest_of_rows_are_those_of_a_sort(n_columns, k, ordered):
    dense = torch.randn(50, n_columns, generator=torch.Generator().manual_seed(0))
    dense[::2] = dense[::2].round()  # ties
    dense[1] = dense[1].sort().values  # all the largest in the last blocks
    for array in (dense, dense.T.contiguous().T):
        values, columns = largest_of_rows(array, k, ordered)
        assert torch.equal(dense.gather(1, columns), values)
        assert (columns.sort(dim=1).values.diff(dim=1) > 0).all()
        expected = dense.sort(dim=1, descending=True).values[:, :k]
        shown = values if ordered else values.sort(dim=1, descending=True).values
        assert torch.equal(shown, expected)


def test_elsewhere_the_same_are_chosen_without_a_wait():
    pre = torch.randn(50, 64)
    near = largest(pre, 300)
    with as_if_away(), DeviceUse() as use:
        away = largest(pre, 300)
    assert use.n_waits == 0
    assert torch.equal(near, away)

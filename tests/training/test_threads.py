from threading import Thread

import pytest
import torch

from skdyn.hopfield._matching import Matching
from skdyn.hopfield._pooling import HopfieldPooling
from skdyn.hopfield._recall import Recall
from skdyn.hopfield._separations import as_separation
from skdyn.kan._network import KAN
from skdyn.operators._adaptive_basis import AdaptiveBasisNetwork
from skdyn.operators._branch_trunk import BranchTrunkNetwork
from skdyn.operators._fourier import FourierNetwork
from skdyn.operators._multigrid import MultigridNetwork
from skdyn.training import LeanNet, Stage, TrainingSettings, new_generator
from skdyn.training._threads import _blas, multiply_adds, threads_for


def _in_new_thread(function):
    """A new thread begins with the process's own number of threads, whatever the tests set."""
    found = []
    thread = Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def _inside(n_multiply_adds):
    torch.set_num_threads(2)
    with threads_for(n_multiply_adds):
        inside = torch.get_num_threads()
    return inside, torch.get_num_threads()


def test_a_small_problem_computes_on_one_thread():
    assert _in_new_thread(lambda: _inside(1000 * 200)) == (1, 2)


def test_a_large_problem_keeps_its_threads():
    assert _in_new_thread(lambda: _inside(1_000_000 * 200)) == (2, 2)


def test_the_number_comes_back_after_an_error():
    def failing():
        torch.set_num_threads(2)
        with pytest.raises(RuntimeError, match="deliberate"), threads_for(100):
            raise RuntimeError("deliberate")
        return torch.get_num_threads()

    assert _in_new_thread(failing) == 2


def _blas_threads():
    return {library["num_threads"] for library in _blas().info()}


def test_numpy_computes_a_small_problem_on_one_thread_too_and_then_as_before():
    with _blas().limit(limits=2):
        with threads_for(2**27):
            assert _blas_threads() == {2}
        with threads_for(100):
            assert _blas_threads() == {1}
        assert _blas_threads() == {2}


def test_fits_beside_one_another_put_back_what_the_first_one_found():
    with _blas().limit(limits=2):
        one, two = threads_for(100), threads_for(100)
        one.__enter__()
        two.__enter__()
        one.__exit__(None, None, None)
        assert _blas_threads() == {1}  # the other one is still inside
        two.__exit__(None, None, None)
        assert _blas_threads() == {2}


class Pointwise(torch.nn.Module):
    """A linear map of each point, which says how often its weight is used, or does not."""

    def __init__(self, says_so):
        super().__init__()
        self.map = torch.nn.Linear(1, 1)
        if says_so:
            self.multiply_adds = lambda shape: 16 * shape[0] * shape[1]

    def forward(self, x):
        return self.map(x.unsqueeze(-1)).squeeze(-1)


@pytest.mark.parametrize(("says_so", "expected"), [(True, 2), (False, 1)])
def test_a_fit_counts_what_the_module_says(says_so, expected):
    seen = []

    def objective(module, x):
        seen.append(torch.get_num_threads())
        return module(x).square().mean()

    def fit():
        torch.set_num_threads(2)
        settings = TrainingSettings(batch_size=64)
        net = LeanNet(Pointwise(says_so), settings, new_generator(0))
        net.run([Stage(objective, (torch.ones(65, 2**16 + 1),), 1)])

    _in_new_thread(fit)
    assert set(seen) == {expected}


def _plain(*_):
    raise AssertionError("an objective is not called to be counted")


def test_without_a_word_each_weight_meets_each_case_once():
    assert multiply_adds(torch.nn.Linear(3, 4), _plain, (10, 3)) == 10 * 16


FIELDS = {
    "fourier": lambda: FourierNetwork(1, 1, (64,), (64,), (8,)),
    "fourier, local": lambda: FourierNetwork(1, 1, (64,), (64,), (8,), local_size=3),
    "multigrid": lambda: MultigridNetwork(1, 1, (64,), (64,), "neumann"),
}


@pytest.mark.parametrize("name", FIELDS)
def test_the_weights_of_a_field_count_at_every_point(name):
    module = FIELDS[name]()
    count = multiply_adds(module, _plain, (10, 1, 64))
    n_weights = sum(weight.numel() for weight in module.parameters())
    assert 10 * n_weights < count < 2 * 10 * 64 * n_weights
    assert multiply_adds(module, _plain, (20, 1, 64)) == 2 * count


def test_more_points_are_more_work_in_proportion():
    counts = [
        multiply_adds(FourierNetwork(1, 1, grid, grid, (8,)), _plain, (10, 1, *grid))
        for grid in [(512,), (1024,)]
    ]
    assert 1.7 < counts[1] / counts[0] <= 2.0
    counts = [
        multiply_adds(MultigridNetwork(1, 1, grid, grid, "periodic"), _plain, (10, 1, *grid))
        for grid in [(512,), (1024,)]
    ]
    assert counts[1] == 2 * counts[0]


def test_a_fourier_layer_counts_its_products_and_its_waves():
    """By hand: one channel, one layer, no mixers, 2 modes of 8 points."""
    module = FourierNetwork(1, 1, (8,), (8,), (2,), 1, 1, channel_mlp=0.0, periodic=True)
    at_a_point = 2 + 2 + 4  # lifting, the local map, and the projection, each with its biases
    waves, mixing = 2 * 8 * 2 * (1 + 1), 2 * 2 * 1 * 2  # there and back; both parts twice
    assert multiply_adds(module, _plain, (3, 1, 8)) == 3 * (8 * at_a_point + waves + mixing)


def test_what_is_asked_once_a_batch_does_not_grow_with_the_cases():
    deeponet = BranchTrunkNetwork(
        1, 1, 32, (32,), 5, "trunk", "linear", "concatenate", (7,), periodic=False
    )
    adafnn = AdaptiveBasisNetwork(1, 1, 1, 5, (7,), (3,), periodic=False)
    for module, once in [(deeponet, deeponet.trunk), (adafnn, adafnn.basis)]:
        one, two = (multiply_adds(module, _plain, (n, 1, 32)) for n in (10, 20))
        n_weights = sum(weight.numel() for weight in once.parameters())
        assert 2 * one - two == 32 * n_weights


def test_the_grid_of_a_spline_network_costs_nothing_but_that_of_other_bases_does():
    def count(basis, grid_size):
        return multiply_adds(KAN(((3, 0), (2, 0)), basis, grid_size, 3, "linear"), _plain, (10, 3))

    assert count("bspline", 50) == count("bspline", 5) == 10 * 3 * 2 * (4 + 1)
    assert count("chebyshev", 50) > 5 * count("chebyshev", 5)


def test_bags_count_by_their_instances():
    module = HopfieldPooling(4, 0, 1, 3, 5, "softmax")
    one, two = (multiply_adds(module, _plain, (10, m, 4)) for m in (100, 200))
    assert 1.9 < two / one < 2.0


def test_recall_counts_the_rows_that_each_row_is_compared_with():
    def count(n_rows):
        training = torch.ones(n_rows, 4), torch.ones(n_rows, 1), torch.ones(n_rows)
        recall = Recall(
            training, _plain, 0.5, new_generator(0), 1,
            similarity="euclidean", separation=as_separation("softmax"),
        )  # fmt: skip
        return multiply_adds(Matching(4, 4, 0, 1, False), recall, (100, 4))

    assert count(800) > 5 * count(100)

import numpy as np
import pytest
import torch

from skdyn.autoencoder._activations import collect_activations

X = np.random.default_rng(0).normal(size=(23, 4))


class Branches(torch.nn.Module):
    """A layer with dropout, one with a tuple, one that never runs and one that runs twice."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Dropout(0.5))
        self.recurrent = torch.nn.GRU(6, 3, batch_first=True)
        self.idle = torch.nn.Linear(4, 2)
        self.twice = torch.nn.Linear(3, 3)

    def forward(self, x, shift=0.0):
        hidden, _ = self.recurrent(self.first(x + shift)[:, None])
        return self.twice(self.twice(hidden[:, 0])).relu_()


@pytest.fixture
def module():
    return Branches().train()


def _quiet(module):
    return not any(part._forward_hooks for part in module.modules())


def test_the_outputs_are_those_of_a_run_by_hand_whatever_the_batches(module):
    with torch.no_grad():
        expected = module.first[0](torch.tensor(X, dtype=torch.float32)).numpy()
    for batch_size in (1, 5, 23, 100):
        found = collect_activations(module, X, "first.0", batch_size=batch_size)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    dropped = collect_activations(module, X, "first")  # evaluation mode: nothing is dropped
    np.testing.assert_allclose(dropped, expected, rtol=1e-5, atol=1e-6)


def test_batches_may_be_tensors_tuples_or_dictionaries(module):
    shifted = collect_activations(module, X + 1.0, "first")
    parts = np.split(X, [7, 15])
    as_tuples = [(part, torch.tensor(1.0)) for part in parts]
    as_dictionaries = ({"x": torch.tensor(part), "shift": torch.tensor(1.0)} for part in parts)
    for batches in (as_tuples, as_dictionaries, [part + 1.0 for part in parts]):
        np.testing.assert_allclose(
            collect_activations(module, batches, "first"), shifted, rtol=1e-4, atol=1e-6
        )


def test_several_layers_are_collected_in_one_run(module):
    calls = []
    module.register_forward_hook(lambda *_: calls.append(1))
    first, twice = collect_activations(module, X, ["first", "twice"])
    assert len(calls) == 1
    assert first.shape == (23, 6)
    assert twice.shape == (46, 3)


def test_a_layer_that_gives_a_tuple_needs_a_transform(module):
    with pytest.raises(TypeError, match=r"'recurrent' gives a tuple; say with transform="):
        collect_activations(module, X, "recurrent")
    rows = collect_activations(module, X, "recurrent", transform=lambda output: output[0][:, 0])
    assert rows.shape == (23, 3)


def test_a_memmap_is_filled_and_its_filled_part_returned(module, tmp_path):
    disk = np.memmap(tmp_path / "rows", dtype="f", mode="w+", shape=(30, 6))
    found = collect_activations(module, X, "first", batch_size=5, out=disk)
    assert isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, collect_activations(module, X, "first", batch_size=5))
    assert not disk[23:].any()


def test_what_is_kept_does_not_change_with_later_work_in_place():
    network = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.ReLU(inplace=True))
    assert collect_activations(network, X, "0").min() < 0


def test_half_precision_that_numpy_lacks_becomes_float32(module):
    assert collect_activations(module.bfloat16(), X, "first").dtype == np.float32


def test_hooks_go_and_the_mode_returns_even_after_an_error(module):
    module.idle.eval()
    before = [part.training for part in module.modules()]
    collect_activations(module, X, "first")
    assert _quiet(module)
    with pytest.raises(RuntimeError, match="shapes"):
        collect_activations(module, X[:, :3], "first")
    assert _quiet(module)
    assert [part.training for part in module.modules()] == before


def test_gradients_are_left_alone(module):
    collect_activations(module, X, "first")
    assert all(weight.requires_grad and weight.grad is None for weight in module.parameters())


def test_bad_requests_are_refused(module):
    with pytest.raises(ValueError, match=r"no layer 'fist'; it has 'first', 'first.0'"):
        collect_activations(module, X, "fist")
    with pytest.raises(ValueError, match="'idle' gave nothing"):
        collect_activations(module, X, "idle")
    with pytest.raises(ValueError, match="'first' gave nothing"):
        collect_activations(module, [], "first")
    with pytest.raises(ValueError, match=r"out has shape \(9, 6\), but layer 'first' gave 23"):
        collect_activations(module, X, "first", out=np.empty((9, 6)))
    with pytest.raises(ValueError, match="out holds 2 arrays for 1 layers"):
        collect_activations(module, X, ["first"], out=[np.empty((23, 6))] * 2)
    assert _quiet(module)

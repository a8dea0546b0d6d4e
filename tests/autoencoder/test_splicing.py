import copy

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning

from skdyn import CodebookTransformer, SparseAutoencoder, Transcoder
from skdyn.autoencoder import LatentEdit, collect_activations, spliced

pytestmark = pytest.mark.filterwarnings(
    f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning"
)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 5, 6)).astype("f")  # (batch, sequence, features)
J, AMOUNT = 3, 2.5


class Recurrent(torch.nn.Module):
    """Linear, then a layer that gives a tuple of (batch, sequence, features) and a state."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(6, 8)
        self.recurrent = torch.nn.GRU(8, 8, batch_first=True)

    def forward(self, x):
        y, state = self.recurrent(self.first(x))
        return y, state


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Recurrent().requires_grad_(False)


@pytest.fixture(scope="module")
def coder(network):
    rows = collect_activations(network, X, "first").reshape(-1, 8)
    return SparseAutoencoder(16, k=3, max_iter=3, random_state=0).fit(rows)


def _layer(network, inputs, **options):
    """What the rest of the network is given by its first layer."""
    seen = []
    hook = network.recurrent.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    with spliced(network, "first", **options):
        network(torch.as_tensor(inputs).to(network.first.weight.dtype))
    hook.remove()
    return seen[0]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_no_edit_with_the_error_kept_is_the_identity_and_an_empty_one_too(network, coder, dtype):
    network = copy.deepcopy(network).to(dtype)
    expected = network(torch.as_tensor(X).to(dtype))[0]
    edits = None, LatentEdit(), lambda z: z, LatentEdit(add={J: 0.0}, scale={5: 1.0})
    for edit in edits:
        with spliced(network, "first", coder, edit, keep_error=True):
            found = network(torch.as_tensor(X).to(dtype))[0]
        assert found.dtype == dtype
        assert torch.equal(found, expected)


def test_without_the_error_the_layer_is_what_transform_and_its_inverse_say(network, coder):
    expected = coder.inverse_transform(coder.transform(
        collect_activations(network, X, "first").reshape(-1, 8)
    ))  # fmt: skip
    found = _layer(network, X, coder=coder).reshape(-1, 8)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("keep_error", [True, False])
def test_an_added_code_moves_the_layer_by_so_much_of_the_component(network, coder, keep_error):
    network = copy.deepcopy(network).double()
    plain = _layer(network, X, coder=coder, keep_error=keep_error)
    expected = AMOUNT * coder.components_[J]

    def add(z):
        z[..., J] += AMOUNT
        return z

    for edit in (LatentEdit(add={J: AMOUNT}), add):
        moved = _layer(network, X, coder=coder, edit=edit, keep_error=keep_error) - plain
        np.testing.assert_allclose(moved, np.broadcast_to(expected, moved.shape), atol=1e-6)


def test_setting_and_scaling_change_codes_to_what_they_say(network, coder):
    rows = collect_activations(network, X, "first").reshape(-1, 8)
    codes = coder.transform(rows)
    latents = np.argsort(-(codes > 0).sum(axis=0))[:2].tolist()
    edit = LatentEdit(set_to={latents[0]: 4.0}, scale={latents[1]: 0.5})
    codes[:, latents[0]] = 4.0
    codes[:, latents[1]] *= 0.5
    found = _layer(network, X, coder=coder, edit=edit).reshape(-1, 8)
    np.testing.assert_allclose(found, coder.inverse_transform(codes), rtol=1e-4, atol=1e-5)


def test_a_callable_may_edit_one_place_of_the_sequence(network, coder):
    def add(z):
        z[:, -1, J] += AMOUNT
        return z

    moved = _layer(network, X, coder=coder, edit=add, keep_error=True) - network.first(
        torch.as_tensor(X)
    )
    assert moved[:, :-1].abs().max() == 0
    assert moved[:, -1].abs().max() > 0.1 * AMOUNT


@pytest.mark.parametrize("inference", ["refit", "omp"])
def test_codes_are_those_of_the_coders_own_inference(network, coder, inference):
    coder = copy.deepcopy(coder).set_params(inference=inference)
    rows = collect_activations(network, X, "first").reshape(-1, 8)
    found = _layer(network, X, coder=coder).reshape(-1, 8)
    expected = coder.inverse_transform(coder.transform(rows))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_of_a_tuple_the_first_tensor_is_replaced_and_the_rest_kept(network):
    def first(output):
        return output[0].flatten(0, 1)

    rows = collect_activations(network, X, "recurrent", transform=first)
    coder = CodebookTransformer(8, k=2, max_iter=1, random_state=0).fit(rows)
    expected, state = network(torch.as_tensor(X))
    with spliced(network, "recurrent", coder):
        found, same = network(torch.as_tensor(X))
    assert torch.equal(state, same)
    assert found.shape == expected.shape
    assert len(np.unique(found.reshape(-1, 8).round(decimals=4), axis=0)) <= 8 * 7 / 2


@pytest.mark.parametrize("skip", [False, True])
def test_a_transcoder_reads_the_layers_input_and_replaces_the_layer(network, skip):
    x, y = X.reshape(-1, 6), collect_activations(network, X, "first").reshape(-1, 8)
    settings = {"k": 3, "skip": skip, "max_iter": 3, "learning_rate": 0.03, "random_state": 0}
    coder = Transcoder(16, **settings).fit(x, y)
    found = _layer(network, X, coder=coder).reshape(-1, 8)
    np.testing.assert_allclose(found, coder.predict(x), rtol=1e-4, atol=1e-5)


def test_gradients_reach_what_comes_before(network, coder):
    x = torch.as_tensor(X).clone().requires_grad_()
    with spliced(network, "first", coder, LatentEdit(scale={J: 2.0})):
        network(x)[0].sum().backward()
    assert x.grad.abs().sum() > 0
    assert not any(weight.requires_grad for weight in coder.module_.parameters())


def test_hooks_go_after_the_block_and_after_an_error(network, coder):
    with pytest.raises(RuntimeError, match="stop"), spliced(network, "first", coder):
        raise RuntimeError("stop")
    assert not network.first._forward_hooks


def test_a_layer_that_did_not_run_is_told(network, coder):
    with pytest.warns(UserWarning, match="'first' did not run while"):  # noqa: SIM117
        with spliced(network, "first", coder):
            pass


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"set_to": {1: 1.0}, "add": {1: 2.0}}, "edited once; got 1"),
        ({"add": {0.5: 2.0}}, "got 0.5"),
        ({"scale": {1: np.inf}}, "finite numbers; got inf"),
    ],
)
def test_impossible_edits_are_refused(edit, message):
    with pytest.raises(ValueError, match=message):
        LatentEdit(**edit)


def test_misfits_are_refused(network, coder):
    with pytest.raises(ValueError, match="latent 16, but there are 16"):
        _layer(network, X, coder=coder, edit=LatentEdit(add={16: 1.0}))
    with pytest.raises(TypeError, match="edit must be a LatentEdit"):
        _layer(network, X, coder=coder, edit={3: 1.0})
    with pytest.raises(ValueError, match=r"return codes of shape \(40, 5, 16\); got \(40, 16\)"):
        _layer(network, X, coder=coder, edit=lambda z: z[:, 0])
    with pytest.raises(TypeError, match="got Linear"):
        _layer(network, X, coder=network.first)
    with pytest.raises(
        ValueError, match=r"\(40, 5, 8\), but the coder takes 6 features, which must"
    ):
        _layer(network, X, coder=CodebookTransformer(20, k=1, max_iter=1).fit(X[:, 0]))
    with pytest.raises(ValueError, match="no layer 'last'"):  # noqa: SIM117
        with spliced(network, "last", coder):
            pass
    assert not network.first._forward_hooks

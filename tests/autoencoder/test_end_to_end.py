"""Autoencoders that are trained for what a network says."""

import copy
import pickle

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning

from skdyn import SparseAutoencoder, Transcoder
from skdyn.autoencoder import collect_activations, fit_end_to_end, loss_recovered

pytestmark = pytest.mark.filterwarnings(
    f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning"
)
X = np.random.default_rng(0).normal(size=(300, 6)).astype("f")


class Tokens(torch.nn.Module):
    """Tokens in, logits at each place out, by way of a layer that gives a tuple."""

    def __init__(self):
        super().__init__()
        self.words = torch.nn.Embedding(5, 6)
        self.recurrent = torch.nn.GRU(6, 8, batch_first=True)
        self.says = torch.nn.Linear(8, 5)

    def forward(self, x):
        return self.says(self.recurrent(self.words(x))[0]), "beside"


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    layers = [torch.nn.Linear(6, 12), torch.nn.BatchNorm1d(12), torch.nn.Dropout(0.5)]
    layers += [torch.nn.Linear(12, 12), torch.nn.ReLU(), torch.nn.Linear(12, 2)]
    made = torch.nn.Sequential(*layers)
    with torch.no_grad():
        made[5].weight *= 40.0  # two of twelve directions matter, and they do
        made[5].weight[:, 2:] = 0.0
    return made


def _coder(**settings):
    settings = {"k": 2, "max_iter": 12, "batch_size": 50, "random_state": 0} | settings
    return SparseAutoencoder(16, **settings)


@pytest.mark.parametrize("allocation", ["feature_then_mutual", "gated"])
def test_the_reconstruction_alone_is_a_plain_autoencoder(network, allocation):
    settings = {"allocation": allocation, "max_iter": 2}
    plain = _coder(**settings).fit(collect_activations(network, X, "3"))
    found = fit_end_to_end(_coder(**settings), network, X, "3", kl_weight=0.0)
    np.testing.assert_allclose(found.components_, plain.components_, atol=1e-4)
    np.testing.assert_allclose(found.loss_curve_, plain.loss_curve_, rtol=1e-4)


def test_more_of_the_networks_answers_survives_at_the_same_k(network):
    settings = {"learning_rate": 0.02, "max_iter": 20}
    plain = _coder(**settings).fit(collect_activations(network, X, "4"))
    ours = fit_end_to_end(_coder(**settings), network, X, "4", kl_weight=3.0)
    answers = network.eval()(torch.from_numpy(X)).detach().softmax(dim=1)
    cross_entropy = torch.nn.functional.cross_entropy
    shares = [
        loss_recovered(network, X, "4", coder, cross_entropy, targets=answers).share
        for coder in (plain, ours)
    ]
    assert 1.0 - shares[1] < 0.5 * (1.0 - shares[0])


def test_the_network_is_left_as_it_was_also_by_an_error(network):
    network.train()
    network[1].eval()
    network[0].weight.requires_grad_(False)
    before = copy.deepcopy(network.state_dict())
    modes = [part.training for part in network.modules()]
    learn = [weight.requires_grad for weight in network.parameters()]
    coder = fit_end_to_end(_coder(max_iter=1), network, X, "3")
    fitted = coder.components_.copy()
    with pytest.raises(ValueError, match="The 'k' parameter"):
        fit_end_to_end(coder.set_params(k=0), network, X, "3")
    np.testing.assert_array_equal(coder.components_, fitted)
    for name, weight in network.state_dict().items():
        assert torch.equal(weight, before[name]), name
    assert [part.training for part in network.modules()] == modes
    assert [weight.requires_grad for weight in network.parameters()] == learn
    assert all(weight.grad is None for weight in network.parameters())
    assert not network[3]._forward_hooks
    assert "network" not in repr(vars(pickle.loads(pickle.dumps(coder))))


def test_it_stops_when_its_time_is_over_with_what_was_reached(network):
    with pytest.warns(ConvergenceWarning, match="max_time was over"):
        coder = fit_end_to_end(_coder(max_time=1e-9), network, X, "3")
    assert coder.n_iter_ < coder.max_iter
    assert np.isfinite(coder.score(collect_activations(network, X, "3")))


def test_an_interrupt_is_heard_and_leaves_the_network_and_the_model_as_they_were(network):
    coder = fit_end_to_end(_coder(max_iter=1), network, X, "3")
    fitted, runs = coder.components_.copy(), []

    def interrupt(*_):
        runs.append(None)
        if len(runs) == 9:
            raise KeyboardInterrupt

    with network[5].register_forward_hook(interrupt), pytest.raises(KeyboardInterrupt):
        fit_end_to_end(coder.set_params(max_iter=12), network, X, "3")
    np.testing.assert_array_equal(coder.components_, fitted)
    assert not network[3]._forward_hooks
    assert all(weight.grad is None for weight in network.parameters())


def test_tokens_give_a_row_for_each_place():
    torch.manual_seed(0)
    tokens = torch.randint(5, (40, 7))
    coder = fit_end_to_end(
        _coder(max_iter=1, batch_size=10), Tokens(), tokens, "recurrent",
        hidden_weight=1.0, hidden_layers=("says",),
    )  # fmt: skip
    assert coder.n_features_in_ == 8
    assert np.isfinite(coder.loss_curve_).all()


class Twice(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.shared, self.unused = torch.nn.Linear(6, 6), torch.nn.Linear(6, 6)

    def forward(self, x):
        return self.shared(self.shared(x))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": "9"}, "has no layer '9'"),
        ({"kl_weight": -1.0}, "kl_weight == -1.0, must be >= 0"),
        ({"kl_weight": 0.0, "reconstruction_weight": 0.0}, "are all zero"),
        ({"hidden_weight": 1.0}, "pass both, a positive weight and names"),
        ({"hidden_layers": ["3"]}, "pass both, a positive weight and names"),
        ({"hidden_weight": 1.0, "hidden_layers": ["7"]}, "has no layer '7'"),
    ],
)
def test_what_cannot_be_meant_is_refused(network, options, message):
    with pytest.raises(ValueError, match=message):
        fit_end_to_end(_coder(), network, X, **{"layer": "3"} | options)


def test_layers_that_run_twice_or_never_and_answers_of_one_class_are_refused(network):
    with pytest.raises(ValueError, match="ran 2 times in one pass"):
        fit_end_to_end(_coder(), Twice(), X, "shared")
    one = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Linear(8, 1))
    with pytest.raises(ValueError, match=r"of one class .* Set kl_weight=0"):
        fit_end_to_end(_coder(), one, X, "0")
    settings = {"hidden_weight": 1.0, "hidden_layers": ["unused"]}
    once = torch.nn.Sequential(torch.nn.Linear(6, 6), Twice())
    with pytest.raises(ValueError, match=r"Layer '1\.unused' of hidden_layers did not run"):
        fit_end_to_end(_coder(), once, X, "0", **settings | {"hidden_layers": ["1.unused"]})
    with pytest.raises(TypeError, match="must be a SparseAutoencoder; got a Transcoder"):
        fit_end_to_end(Transcoder(), network, X, "3")

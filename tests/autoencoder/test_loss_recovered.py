import numpy as np
import pytest
import torch
from torch.nn.functional import mse_loss

from skdyn import CodebookTransformer, SparseAutoencoder
from skdyn.autoencoder import collect_activations, loss_recovered

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype("f")
torch.manual_seed(0)
NETWORK = torch.nn.Sequential(
    torch.nn.Linear(4, 6), torch.nn.Dropout(0.5), torch.nn.Linear(6, 2)
).train()
with torch.no_grad():
    Y = NETWORK.eval()(torch.tensor(X)).numpy()
    NETWORK.train()
HIDDEN = collect_activations(NETWORK, X, "0")
CODER = SparseAutoencoder(12, k=2, max_iter=5, batch_size=20, random_state=0).fit(HIDDEN)


def _by_hand(hidden):
    with torch.no_grad():
        return float(mse_loss(NETWORK[2](torch.tensor(hidden).float()), torch.tensor(Y)))


def test_the_losses_are_those_of_a_run_by_hand_whatever_the_batches():
    expected = {
        "spliced": _by_hand(CODER.inverse_transform(CODER.transform(HIDDEN))),
        "mean": _by_hand(np.broadcast_to(HIDDEN.mean(axis=0), HIDDEN.shape)),
        "zero": _by_hand(0 * HIDDEN),
    }
    parts = [7, 25]
    for options in ({}, {"batch_size": 17}, {"ablation": "zero"}, {"in_parts": True}):
        in_parts = options.pop("in_parts", False)
        inputs, targets = (np.split(a, parts) if in_parts else a for a in (X, Y))
        found = loss_recovered(NETWORK, inputs, "0", CODER, mse_loss, targets=targets, **options)
        assert found.loss == pytest.approx(0.0, abs=1e-10)
        assert found.spliced == pytest.approx(expected["spliced"], rel=1e-4)
        ablated = expected[options.get("ablation", "mean")]
        assert found.ablated == pytest.approx(ablated, rel=1e-4)
        assert found.share == pytest.approx(1.0 - found.spliced / found.ablated, rel=1e-4)
    assert NETWORK.training
    assert NETWORK[1].training


def test_a_dictionary_of_every_row_recovers_everything_and_one_mean_nothing():
    every = CodebookTransformer(60, k=1, max_iter=1, learning_rate=1e-9).fit(HIDDEN)
    found = loss_recovered(NETWORK, X, "0", every, mse_loss, targets=Y)
    assert found.share > 1.0 - 1e-6
    every.module_.decoder_weight.zero_()
    every.module_.decoder_bias.copy_(torch.tensor(HIDDEN).mean(dim=0) * every.module_.output_scale)
    found = loss_recovered(NETWORK, X, "0", every, mse_loss, targets=Y)
    assert found.share == pytest.approx(0.0, abs=1e-6)


@pytest.mark.filterwarnings("ignore:The loss is")
def test_a_loss_may_do_without_targets():
    found = loss_recovered(NETWORK, X, "0", CODER, lambda y: y.square().mean(), ablation="zero")
    assert found.loss == pytest.approx(np.square(Y).mean(), rel=1e-5)


@pytest.mark.filterwarnings("ignore:Layer '0' did not run")
def test_where_nothing_is_lost_nothing_is_recovered_in_silence():
    with pytest.warns(UserWarning, match="with layer '0' ablated: it loses nothing"):
        found = loss_recovered(NETWORK, X, "0", CODER, lambda y, _: y.sum() * 0, targets=Y)
    assert np.isnan(found.share)


def test_bad_requests_are_refused():
    with pytest.raises(ValueError, match="ablation must be one of"):
        loss_recovered(NETWORK, X, "0", CODER, mse_loss, targets=Y, ablation="noise")
    with pytest.raises(ValueError, match="inputs is an iterator"):
        loss_recovered(NETWORK, iter([X]), "0", CODER, mse_loss, targets=[Y])
    with pytest.raises(ValueError, match="has 60 cases, its targets 9"):
        loss_recovered(NETWORK, X, "0", CODER, mse_loss, targets=Y[:9])
    with pytest.raises(ValueError, match="has 30 cases, its targets none"):
        loss_recovered(NETWORK, X, "0", CODER, mse_loss, targets=Y[:30], batch_size=30)
    with pytest.raises(ValueError, match="more targets than inputs"):
        loss_recovered(NETWORK, X[:30], "0", CODER, mse_loss, targets=Y, batch_size=30)
    with pytest.raises(ValueError, match="'0' gave nothing"):
        loss_recovered(NETWORK, [], "0", CODER, mse_loss)
    with pytest.raises(ValueError, match="no inputs"):
        loss_recovered(NETWORK, [], "0", CODER, mse_loss, ablation="zero")
    with pytest.raises(ValueError, match=r"the mean over a batch.*got \(60, 2\)"):
        loss_recovered(NETWORK, X, "0", CODER, lambda output: output)

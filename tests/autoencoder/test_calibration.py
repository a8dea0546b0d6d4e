import numpy as np
import pytest
import torch

from skdyn import SparseAutoencoder
from skdyn.autoencoder._calibration import calibrate, measure_use, recent_rows
from skdyn.autoencoder._network import SparseCoder


def test_thresholds_after_partial_fit_come_from_the_rows_of_many_calls():
    rng = np.random.default_rng(1)
    codes = rng.exponential(size=(2400, 32)) * (rng.random((2400, 32)) < 0.05)
    rows = codes @ rng.normal(size=(32, 8))
    model = SparseAutoencoder(32, k=2, random_state=0)
    for part in np.array_split(rows[:1600], 40):
        model.partial_fit(part)
    n_active = (model.transform(rows[1600:]) > 0).sum(axis=1).mean()
    assert n_active == pytest.approx(2, rel=0.05)


def test_rows_are_recent_as_long_as_newer_ones_are_few():
    few, many = np.arange(3000.0)[:, None], np.arange(20_000.0)[:, None]
    np.testing.assert_array_equal(recent_rows(None, few), few)
    recent = recent_rows(few, few[:10])
    assert len(recent) == 2048
    np.testing.assert_array_equal(recent[-11:, 0], [2999, *range(10)])
    np.testing.assert_array_equal(recent_rows(few, many), many[-(2**14) :])


@pytest.mark.parametrize(
    ("n_seen", "n_looked_at"),
    [(20_000, 4096), (48_000, 6000), (10**6, 2**14), (np.inf, 2**14)],
)
def test_a_brief_training_is_measured_briefly(monkeypatch, n_seen, n_looked_at):
    coder, n_rows = SparseCoder(3, 3, 8, 2, "batch_topk"), []
    monkeypatch.setattr(
        coder, "calibrate", lambda batches, *_: n_rows.extend(len(batch) for batch in batches)
    )
    X = np.random.default_rng(0).normal(size=(20_000, 3)).astype("f")
    calibrate(coder, X, None, True, n_seen)
    assert sum(n_rows) == n_looked_at


@pytest.mark.parametrize(("rarest", "n_looked_at"), [(40, 8000), (1500, 16_000), (0, 40_000)])
def test_use_is_measured_until_the_rarest_latent_was_seen_often(monkeypatch, rarest, n_looked_at):
    """Latent 0 is active in every row, latent 1 in one of ``rarest``, in none at 0."""
    X = np.ones((40_000, 2), dtype="f")
    X[:, 1] = np.arange(len(X)) % rarest == 0 if rarest else 0
    coder, n_rows = SparseCoder(2, 2, 2, 2, "topk"), []
    with torch.no_grad():
        for weight in (coder.encoder_weight, coder.decoder_weight):
            weight.copy_(torch.eye(2))
    encode = coder.encode
    monkeypatch.setattr(coder, "encode", lambda x: n_rows.append(len(x)) or encode(x))
    n_active = measure_use(coder, X)
    assert sum(n_rows) == n_looked_at
    share = 1 / rarest if rarest else 0.0
    assert coder.density[0] == 1
    assert float(coder.density[1]) == pytest.approx(share, rel=0.2)
    assert n_active == pytest.approx(1 + float(coder.density[1]), rel=1e-6)

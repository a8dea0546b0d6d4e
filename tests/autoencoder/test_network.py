import copy

import pytest
import torch

from skdyn.autoencoder._kernels import Codes, Support
from skdyn.autoencoder._network import SparseCoder
from skdyn.testing._device_use import DeviceUse
from skdyn.training import seeded_rng


def _coder(allocation="topk", n_features=6, n_components=20, k=4, **config):
    with seeded_rng(0):
        return SparseCoder(n_features, n_features, n_components, k, allocation, **config).double()


def _rows(n=30, d=6):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_codes_and_reconstruction_follow_the_formula_in_units_of_the_data():
    coder = _coder()
    coder.input_scale.fill_(4.0)
    coder.output_scale.fill_(4.0)
    x = _rows()
    with torch.no_grad():
        coder.decoder_bias.copy_(torch.linspace(-1, 1, 6))
        coder.encoder_bias.copy_(torch.linspace(0, 1, 20))
        pre = (4 * x - coder.decoder_bias) @ coder.encoder_weight.T + coder.encoder_bias
        kept = torch.zeros_like(pre).scatter(1, pre.topk(4).indices, 1.0)
        expected = torch.relu(pre) * kept
        codes = coder.encode(x)
        torch.testing.assert_close(codes.dense(), expected / 4)
        rebuilt = (expected @ coder.decoder_weight + coder.decoder_bias) / 4
        torch.testing.assert_close(coder.decode(codes), rebuilt)
        torch.testing.assert_close(coder(x), rebuilt)


def test_the_encoder_starts_as_the_transposed_decoder_of_unit_rows():
    coder = _coder()
    torch.testing.assert_close(
        coder.encoder_weight, coder.decoder_weight, rtol=0, atol=1e-6
    )  # drawn in float32
    norms = coder.decoder_weight.norm(dim=1)
    torch.testing.assert_close(norms, torch.ones(20).double(), rtol=0, atol=1e-6)


def test_targets_of_another_width_leave_the_inputs_their_own_center():
    with seeded_rng(0):
        coder = SparseCoder(6, 3, 20, 4, "topk", autoencoding=False).double()
    coder.centre.fill_(2.0)
    assert coder.shift is coder.centre
    assert coder(_rows()).shape == (30, 3)


def test_rows_of_the_decoder_are_given_their_norms_back():
    coder = _coder()
    norms = coder.row_norms()
    assert torch.equal(norms, torch.ones(20).double())  # though float32 rounded them
    norms[3] = 0.0
    with torch.no_grad():
        coder.decoder_weight.mul_(3.0)
    coder.scale_rows(norms)
    torch.testing.assert_close(coder.decoder_weight.norm(dim=1), norms)
    assert torch.equal(coder.row_norms(), norms)


def test_idle_rows_and_densities_are_counted():
    coder = _coder(n_components=3, k=1)
    codes = Codes(
        Support(torch.tensor([0, 0, 1]), torch.arange(4), 3), torch.tensor([1.0, 2.0, 0.0]).double()
    )
    coder.steps += 1
    coder.track_use(codes)
    assert coder.idle.tolist() == [0, 3, 3]  # a code of zero is not active
    torch.testing.assert_close(coder.density, torch.tensor([2 / 3, 0, 0]).double())


def test_running_thresholds_are_means_over_rows():
    coder = _coder()
    for value, n_rows in ((1.0, 10), (2.0, 10), (9.0, 5)):
        coder.track_threshold(torch.tensor(value), n_rows)
    torch.testing.assert_close(coder.threshold, torch.full((20,), 3.0).double())
    coder.track_threshold(torch.tensor([7.0]).double(), 25, torch.tensor([4]))
    assert coder.threshold[4] == pytest.approx(5.0)
    assert coder.threshold[5] == pytest.approx(3.0)


def test_running_thresholds_forget_what_is_long_ago():
    coder = _coder()
    coder.track_threshold(torch.tensor(1e6), 10**7)
    for _ in range(100):
        coder.next_step()
        coder.track_threshold(torch.tensor(3.0), 10**3)
    torch.testing.assert_close(coder.threshold, torch.full((20,), 3.0).double())


def test_calibration_forgets_the_thresholds_of_training():
    coder = _coder("batch_topk")
    coder.track_threshold(torch.tensor(1000.0), 100)
    x = _rows(400)
    coder.calibrate(x.split(100))
    assert len(coder.encode(x).values) == pytest.approx(400 * 4, rel=0.1)


def test_a_number_is_asked_for_only_where_others_wrote_it():
    coder = SparseCoder(4, 4, 8, 2, "topk")
    assert coder.number("steps") == 0.0
    with DeviceUse() as use:
        for _ in range(3):
            coder.next_step()
        assert coder.number("steps") == 3.0
    assert use.n_waits == 0
    assert coder.steps == 3.0
    coder.load_state_dict(coder.state_dict() | {"steps": torch.tensor(7.0)})
    assert coder.number("steps") == 7.0
    twin = copy.deepcopy(coder)
    twin.next_step()
    assert (twin.number("steps"), coder.number("steps")) == (8.0, 7.0)

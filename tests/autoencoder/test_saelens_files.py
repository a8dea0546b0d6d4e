import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from skdyn.autoencoder._saelens_files import Dictionary, read_dictionary, write_dictionary

N, M = 4, 6
ROWS = np.random.default_rng(1).normal(size=(30, N))
OWN = {
    "standard": ["b_enc"],
    "topk": ["b_enc"],
    "jumprelu": ["b_enc", "threshold"],
    "gated": ["b_gate", "b_mag", "r_mag"],
    "batchtopk": ["b_enc"],
}


def _weights(architecture, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    shapes = {"W_enc": (N, M), "W_dec": (M, N), "b_dec": (N,)}
    shapes |= {name: (M,) for name in OWN[architecture]}
    weights = {
        name: torch.randn(shape, generator=generator, dtype=dtype) for name, shape in shapes.items()
    }
    if "threshold" in weights:
        weights["threshold"] = weights["threshold"].abs() / 2
    return weights


def _write(folder, architecture, weights=None, **config):
    """Write files by hand, as SAELens lays them out."""
    weights = _weights(architecture) if weights is None else weights
    folder.mkdir(exist_ok=True)
    save_file(weights, folder / "sae_weights.safetensors")
    config = {"architecture": architecture, "d_in": N, "d_sae": M} | config
    (folder / "cfg.json").write_text(json.dumps(config))
    return weights


def _codes(dictionary, rows):
    """The plain form's codes, from its definition."""
    w = dictionary.weights
    shifted = rows - w["b_dec"]
    if dictionary.architecture == "gated":
        gate = shifted @ w["W_enc"] + w["b_gate"] > 0
        return gate * np.maximum(shifted @ w["W_enc"] * np.exp(w["r_mag"]) + w["b_mag"], 0)
    pre = shifted @ w["W_enc"] + w["b_enc"]
    if dictionary.architecture == "jumprelu":
        pre = pre * (pre > w["threshold"])
    if dictionary.architecture == "topk":
        pre = pre * (pre >= np.sort(pre, axis=1)[:, [-dictionary.k]])
    return np.maximum(pre, 0)


@pytest.mark.parametrize("architecture", ["standard", "topk", "jumprelu", "gated"])
def test_a_dictionary_comes_back_as_it_was_written(architecture, tmp_path):
    weights = {name: part.numpy() for name, part in _weights(architecture).items()}
    dictionary = Dictionary(architecture, weights, 2 if architecture == "topk" else None)
    write_dictionary(dictionary, tmp_path / "new")
    back = read_dictionary(tmp_path / "new")
    assert (back.architecture, back.k) == (dictionary.architecture, dictionary.k)
    for name, part in weights.items():
        np.testing.assert_array_equal(back.weights[name], part)


@pytest.mark.parametrize("architecture", ["standard", "jumprelu", "gated"])
def test_a_bias_that_is_not_taken_from_the_inputs_is_folded_away(architecture, tmp_path):
    raw = _write(tmp_path, architecture, apply_b_dec_to_input=False)
    found = _codes(read_dictionary(tmp_path), ROWS)
    raw = {name: part.numpy() for name, part in raw.items()}
    unshifted = Dictionary(architecture, raw | {"b_dec": np.zeros(N)})
    np.testing.assert_allclose(found, _codes(unshifted, ROWS), atol=1e-12)


def test_norms_of_the_decoder_that_weigh_the_choice_are_folded_away(tmp_path):
    raw = _write(tmp_path, "topk", k=2, rescale_acts_by_decoder_norm=True)
    dictionary = read_dictionary(tmp_path)
    raw = {name: part.numpy() for name, part in raw.items()}
    norms = np.linalg.norm(raw["W_dec"], axis=1)
    pre = ((ROWS - raw["b_dec"]) @ raw["W_enc"] + raw["b_enc"]) * norms
    expected = np.maximum(pre * (pre >= np.sort(pre, axis=1)[:, [-2]]), 0)
    codes = _codes(dictionary, ROWS)
    np.testing.assert_allclose(codes, expected, atol=1e-12)
    np.testing.assert_allclose(
        codes @ dictionary.weights["W_dec"], (expected / norms) @ raw["W_dec"], atol=1e-12
    )


def test_a_checkpoint_of_batch_topk_becomes_one_threshold_for_all(tmp_path):
    weights = _weights("batchtopk") | {"topk_threshold": torch.tensor(0.7, dtype=torch.float64)}
    _write(tmp_path, "batchtopk", weights, k=2.5)
    dictionary = read_dictionary(tmp_path)
    assert dictionary.architecture == "jumprelu"
    np.testing.assert_array_equal(dictionary.weights["threshold"], np.full(M, 0.7))


def test_files_from_before_version_6_say_topk_by_their_activation(tmp_path):
    options = {"activation_fn_str": "topk", "activation_fn_kwargs": {"k": 3}}
    _write(tmp_path, "standard", **options)
    dictionary = read_dictionary(tmp_path)
    assert (dictionary.architecture, dictionary.k) == ("topk", 3)


def test_old_logarithms_of_thresholds_are_read(tmp_path):
    weights = _weights("jumprelu")
    weights["log_threshold"] = weights.pop("threshold").log()
    _write(tmp_path, "jumprelu", weights)
    expected = _weights("jumprelu")["threshold"]
    np.testing.assert_allclose(read_dictionary(tmp_path).weights["threshold"], expected)


@pytest.mark.parametrize(
    ("stored", "read"), [("bfloat16", "f"), ("float16", "f"), ("float32", "f"), ("float64", "d")]
)
def test_low_precisions_are_read_as_float32(stored, read, tmp_path):
    _write(tmp_path, "standard", _weights("standard", getattr(torch, stored)))
    assert read_dictionary(tmp_path).weights["W_enc"].dtype == np.dtype(read)


def test_what_contradicts_itself_or_is_unknown_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No cfg.json in"):
        read_dictionary(tmp_path)
    _write(tmp_path, "standard", d_in=5)
    with pytest.raises(ValueError, match=r"W_enc in .* has shape \(4, 6\), but 5 features, 6 lat"):
        read_dictionary(tmp_path)
    _write(tmp_path, "temporal", _weights("standard"))
    with pytest.raises(ValueError, match=r"architecture='temporal' cannot be read; known are"):
        read_dictionary(tmp_path)
    _write(tmp_path, "standard", activation_fn="tanh-relu")
    with pytest.raises(ValueError, match=r"'standard' with activation_fn='tanh-relu' cannot"):
        read_dictionary(tmp_path)
    _write(tmp_path, "standard", _weights("standard") | {"scaling_factor": torch.ones(M)})
    with pytest.raises(ValueError, match=r"should be .* but are .*'scaling_factor'"):
        read_dictionary(tmp_path)
    _write(tmp_path, "batchtopk", k=2)
    with pytest.raises(ValueError, match=r"should be .*'threshold'\], but are"):
        read_dictionary(tmp_path)
    (tmp_path / "sae_weights.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"No sae_weights.safetensors"):
        read_dictionary(tmp_path)


@pytest.mark.parametrize("normalization", ["layer_norm", "constant_norm_rescale"])
def test_scales_of_single_rows_are_refused_with_the_remedy(normalization, tmp_path):
    _write(tmp_path, "standard", normalize_activations=normalization)
    with pytest.raises(ValueError, match=r"Set it to 'none' in cfg.json and scale the rows"):
        read_dictionary(tmp_path)


def test_a_scale_that_was_not_stored_is_warned_of(tmp_path):
    _write(tmp_path, "standard", normalize_activations="expected_average_only_in")
    with pytest.warns(UserWarning, match="do not hold the scaling"):
        read_dictionary(tmp_path)

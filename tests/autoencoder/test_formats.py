import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn.functional import linear

from skdyn import SparseAutoencoder, Transcoder
from skdyn.autoencoder import load_dictionary, normalize_rows

N, M, OUT, K = 4, 6, 3, 2
GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(30, N, generator=GENERATOR, dtype=torch.float64)
pytestmark = pytest.mark.filterwarnings("ignore:This dictionary was trained on rows normalized")


def _random(*shape):
    return torch.randn(shape, generator=GENERATOR, dtype=torch.float64)


W = {
    "enc": _random(M, N), "dec": _random(N, M), "b_enc": _random(M), "b_dec": _random(N),
    "threshold": _random(M).abs() / 2, "r_mag": _random(M), "mag": _random(M),
    "dec_out": _random(M, OUT), "b_out": _random(OUT), "skip": _random(OUT, N),
}  # fmt: skip


def _topk(pre):
    pre = pre.relu()
    best = pre.topk(K, dim=1)
    return torch.zeros_like(pre).scatter(1, best.indices, best.values)


def _jump(pre, threshold):
    return pre * (pre > threshold)


def _json(path, content):
    path.write_text(json.dumps(content))


# Each writes a file by hand and returns where, the codes by the original's own definition, and what
# these restore.


def gemma_scope(folder):
    np.savez(folder / "params.npz", W_enc=W["enc"].T, W_dec=W["dec"].T, b_enc=W["b_enc"],
             b_dec=W["b_dec"], threshold=W["threshold"])  # fmt: skip
    codes = _jump(linear(X, W["enc"], W["b_enc"]), W["threshold"])
    return folder / "params.npz", codes, linear(codes, W["dec"], W["b_dec"])


def _openai(folder, **activation):
    state = {"pre_bias": W["b_dec"], "encoder.weight": W["enc"], "latent_bias": W["b_enc"]}
    state |= {"decoder.weight": W["dec"], "stats_last_nonzero": torch.zeros(M, dtype=torch.long)}
    torch.save(state | activation, folder / "5.pt")
    return folder / "5.pt"


def openai_relu(folder):
    path = _openai(folder, activation="ReLU", activation_state_dict={})
    codes = linear(X - W["b_dec"], W["enc"], W["b_enc"]).relu()
    return path, codes, linear(codes, W["dec"], W["b_dec"])


def sparsify(folder):
    weights = {"encoder.weight": W["enc"], "encoder.bias": W["b_enc"], "b_dec": W["b_dec"]}
    save_file(weights | {"W_dec": W["dec"].T.contiguous()}, folder / "sae.safetensors")
    _json(folder / "cfg.json", {"activation": "topk", "k": K, "d_in": N, "transcode": False})
    codes = _topk(linear(X - W["b_dec"], W["enc"], W["b_enc"]))
    return folder, codes, linear(codes, W["dec"], W["b_dec"])


def sparsify_transcoder(folder):
    weights = {"encoder.weight": W["enc"], "encoder.bias": W["b_enc"], "b_dec": W["b_out"]}
    save_file(weights | {"W_dec": W["dec_out"]}, folder / "sae.safetensors")
    _json(folder / "cfg.json", {"k": K, "d_in": N, "transcode": True})
    codes = _topk(linear(X, W["enc"], W["b_enc"]))
    return folder, codes, codes @ W["dec_out"] + W["b_out"]


def sparsify_skip_transcoder(folder):
    weights = {"encoder.weight": W["enc"], "encoder.bias": W["b_enc"], "b_dec": W["b_out"]}
    weights |= {"W_dec": W["dec_out"], "W_skip": W["skip"]}
    save_file(weights, folder / "sae.safetensors")
    _json(folder / "cfg.json", {"k": K, "d_in": N, "transcode": True, "skip_connection": True})
    codes = _topk(linear(X, W["enc"], W["b_enc"]))
    return folder, codes, codes @ W["dec_out"] + W["b_out"] + linear(X, W["skip"])


def _learning(folder, kind, state, **trainer):
    torch.save(state, folder / "ae.pt")
    _json(folder / "config.json", {"trainer": {"dict_class": kind} | trainer})
    return folder


TIED = {"encoder.weight": W["enc"], "decoder.weight": W["dec"]}
BIASES = {"encoder.bias": W["b_enc"], "b_dec": W["b_dec"]}
PRE = linear(X - W["b_dec"], W["enc"], W["b_enc"])


def learning_standard(folder):
    state = TIED | {"encoder.bias": W["b_enc"], "bias": W["b_dec"]}
    return _learning(folder, "AutoEncoder", state), PRE.relu(), None


def learning_topk(folder):
    state = TIED | BIASES | {"k": torch.tensor(K), "threshold": torch.tensor(-1.0)}
    return _learning(folder, "AutoEncoderTopK", state, k=K), _topk(PRE), None


def learning_batch_topk(folder):
    threshold = torch.tensor(0.4, dtype=torch.float64)
    state = TIED | BIASES | {"k": torch.tensor(K), "threshold": threshold}
    return _learning(folder, "BatchTopKSAE", state), _jump(PRE, threshold), None


def learning_jumprelu(folder):
    state = {"W_enc": W["enc"].T, "W_dec": W["dec"].T, "b_enc": W["b_enc"], "b_dec": W["b_dec"]}
    folder = _learning(folder, "JumpReluAutoEncoder", state | {"threshold": W["threshold"]})
    return folder, _jump(linear(X, W["enc"], W["b_enc"]), W["threshold"]), None


def learning_gated(folder):
    state = TIED | {"decoder_bias": W["b_dec"], "gate_bias": W["b_enc"], "mag_bias": W["mag"]}
    shifted = linear(X - W["b_dec"], W["enc"])
    size = (shifted * W["r_mag"].exp() + W["mag"]).relu()
    codes = (shifted + W["b_enc"] > 0) * size
    return _learning(folder, "GatedAutoEncoder", state | {"r_mag": W["r_mag"]}), codes, None


def _saelens_transcoder(folder, architecture, **own):
    weights = {"W_enc": W["enc"].T.contiguous(), "W_dec": W["dec_out"], "b_dec": W["b_out"]}
    weights["b_enc"] = W["b_enc"]
    save_file(weights | own, folder / "sae_weights.safetensors")
    config = {"architecture": architecture, "d_in": N, "d_sae": M, "d_out": OUT}
    _json(folder / "cfg.json", config | {"apply_b_dec_to_input": False})


def saelens_transcoder(folder):
    _saelens_transcoder(folder, "transcoder")
    codes = linear(X, W["enc"], W["b_enc"]).relu()
    return folder, codes, codes @ W["dec_out"] + W["b_out"]


def saelens_jumprelu_transcoder(folder):
    _saelens_transcoder(folder, "jumprelu_transcoder", threshold=W["threshold"])
    codes = _jump(linear(X, W["enc"], W["b_enc"]), W["threshold"])
    return folder, codes, codes @ W["dec_out"] + W["b_out"]


def saelens_skip_transcoder(folder):
    _saelens_transcoder(folder, "skip_transcoder", W_skip=W["skip"])
    codes = linear(X, W["enc"], W["b_enc"]).relu()
    return folder, codes, codes @ W["dec_out"] + W["b_out"] + linear(X, W["skip"])


def saelens_jumprelu_skip_transcoder(folder):
    own = {"threshold": W["threshold"], "W_skip": W["skip"]}
    _saelens_transcoder(folder, "jumprelu_skip_transcoder", **own)
    codes = _jump(linear(X, W["enc"], W["b_enc"]), W["threshold"])
    return folder, codes, codes @ W["dec_out"] + W["b_out"] + linear(X, W["skip"])


FORMATS = [
    gemma_scope, openai_relu, sparsify, sparsify_transcoder, learning_standard, learning_topk,
    learning_batch_topk, learning_jumprelu, learning_gated, saelens_transcoder,
    saelens_jumprelu_transcoder, sparsify_skip_transcoder, saelens_skip_transcoder,
    saelens_jumprelu_skip_transcoder,
]  # fmt: skip


@pytest.mark.parametrize("make", FORMATS)
def test_what_is_read_computes_what_the_original_does(make, tmp_path):
    path, codes, restored = make(tmp_path)
    model = load_dictionary(path)
    assert isinstance(model, Transcoder if "transcoder" in make.__name__ else SparseAutoencoder)
    np.testing.assert_allclose(model.transform(X.numpy()), codes.relu(), atol=1e-9)
    if restored is None:
        restored = linear(codes.relu(), W["dec"], W["b_dec"])
    found = model.inverse_transform(model.transform(X.numpy()))
    beside = linear(X, W["skip"]) if "skip" in make.__name__ else 0.0
    np.testing.assert_allclose(found, restored - beside, atol=1e-9)
    if isinstance(model, Transcoder):
        np.testing.assert_allclose(model.predict(X.numpy()), restored, atol=1e-9)


def test_openais_top_k_reads_normalized_rows_and_restores_rows(tmp_path):
    path = _openai(tmp_path, activation="TopK", activation_state_dict={"k": K})
    with pytest.warns(UserWarning, match=r"Pass normalize_rows\(X\)\.rows to it"):
        model = load_dictionary(path)
    mean, deviation = X.mean(dim=1, keepdim=True), X.std(dim=1, keepdim=True) + 1e-5
    codes = _topk(linear((X - mean) / deviation - W["b_dec"], W["enc"], W["b_enc"]))
    restored = linear(codes, W["dec"], W["b_dec"]) * deviation + mean
    normalized = normalize_rows(X.numpy())
    np.testing.assert_allclose(model.transform(normalized.rows), codes, atol=1e-9)
    found = normalized.restored(model.inverse_transform(model.transform(normalized.rows)))
    np.testing.assert_allclose(found, restored, atol=1e-9)


def test_fewer_bits_are_read_as_float32(tmp_path):
    weights = {name: part.bfloat16() for name, part in TIED.items()}
    weights |= {name: part.bfloat16() for name, part in BIASES.items()}
    weights["W_dec"] = weights.pop("decoder.weight").T.contiguous()
    save_file(weights, tmp_path / "sae.safetensors")
    _json(tmp_path / "cfg.json", {"k": K})
    assert load_dictionary(tmp_path).components_.dtype == np.float32


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no"):
        load_dictionary(tmp_path / "none")
    with pytest.raises(ValueError, match="no dictionary that can be read: known are SAELens"):
        load_dictionary(tmp_path)
    path, *_ = learning_topk(tmp_path)
    _json(path / "config.json", {"trainer": {"dict_class": "Other"}})
    with pytest.raises(ValueError, match=r"dict_class='Other' in .*known are"):
        load_dictionary(path)
    _json(path / "config.json", {"trainer": {"dict_class": "GatedAutoEncoder"}})
    with pytest.raises(ValueError, match=r"lacks .*'gate_bias'"):
        load_dictionary(path)
    (path / "ae.pt").write_bytes(b"none")
    with pytest.raises(ValueError, match="is no plain state dict"):
        load_dictionary(path)
    with pytest.raises(ValueError, match="activation='Tanh'"):
        load_dictionary(_openai(tmp_path, activation="Tanh"))
    np.savez(tmp_path / "params.npz", W_enc=np.ones((N, M)))
    with pytest.raises(ValueError, match=r"should be .* but are \['W_enc'\]"):
        load_dictionary(tmp_path / "params.npz")


def test_a_path_beside_an_autoencoders_codes_is_refused(tmp_path):
    sparsify_skip_transcoder(tmp_path)
    _json(tmp_path / "cfg.json", {"k": K, "d_in": N, "transcode": False})
    with pytest.raises(ValueError, match="which is read of transcoders only"):
        load_dictionary(tmp_path)


def test_a_path_of_another_shape_is_refused(tmp_path):
    _saelens_transcoder(tmp_path, "skip_transcoder", W_skip=_random(N, OUT))
    with pytest.raises(ValueError, match=r"W_skip in .* has shape \(4, 3\)"):
        load_dictionary(tmp_path)

import json
import pickle

import numpy as np
import pytest

from skdyn import io
from skdyn.autoencoder import SparseAutoencoder
from skdyn.autoencoder._saelens import load_saelens, save_saelens
from skdyn.autoencoder._saelens_files import Dictionary, write_dictionary
from skdyn.autoencoder.allocations import ALLOCATIONS

RNG = np.random.default_rng(0)
N, M = 6, 10
ROWS = 3.0 + 5.0 * ((RNG.random((300, 12)) < 0.2) * RNG.random((300, 12))) @ RNG.normal(
    size=(12, N)
)
ARCHITECTURES = ["standard", "topk", "gated", "jumprelu"]
OWN = {"gated": ["b_gate", "b_mag", "r_mag"], "jumprelu": ["b_enc", "threshold"]}


def _model(allocation, **parameters):
    model = SparseAutoencoder(
        M, k=3, allocation=allocation, max_iter=5, batch_size=64, random_state=0,
        **parameters,
    )  # fmt: skip
    return model.fit(ROWS)


def _foreign(architecture, dtype="d"):
    """A dictionary that no training here would give: rows of any norm, biases and thresholds."""
    weights = {
        "W_enc": RNG.normal(size=(N, M)),
        "W_dec": RNG.normal(size=(M, N)),
        "b_dec": RNG.normal(size=N),
    }
    weights |= {name: RNG.normal(size=M) for name in OWN.get(architecture, ["b_enc"])}
    if "threshold" in weights:
        weights["threshold"] = np.where(np.arange(M) < 3, 0.0, abs(weights["threshold"]))
    weights = {name: array.astype(dtype) for name, array in weights.items()}
    return Dictionary(architecture, weights, 3 if architecture == "topk" else None)


def _encode(dictionary, X):
    """The codes as SAELens defines them, with the bias taken from the inputs."""
    w, shifted = dictionary.weights, X - dictionary.weights["b_dec"]
    if dictionary.architecture == "gated":
        sizes = shifted @ (w["W_enc"] * np.exp(w["r_mag"])) + w["b_mag"]
        return (shifted @ w["W_enc"] + w["b_gate"] > 0) * np.maximum(sizes, 0)
    pre = shifted @ w["W_enc"] + w["b_enc"]
    if dictionary.architecture == "jumprelu":
        return np.maximum(pre, 0) * (pre > w["threshold"])
    if dictionary.architecture == "topk":
        pre = np.where(pre >= np.sort(pre, axis=1)[:, [-3]], pre, 0)
    return np.maximum(pre, 0)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_file_written_by_hand_gives_the_codes_of_its_definition(architecture, tmp_path):
    dictionary = _foreign(architecture)
    write_dictionary(dictionary, tmp_path)
    model = load_saelens(tmp_path)
    codes = model.transform(ROWS)
    np.testing.assert_allclose(codes, _encode(dictionary, ROWS), atol=1e-9)
    restored = codes @ dictionary.weights["W_dec"] + dictionary.weights["b_dec"]
    np.testing.assert_allclose(model.inverse_transform(codes), restored, atol=1e-9)
    np.testing.assert_allclose(model.components_, dictionary.weights["W_dec"])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_what_was_read_is_written_back_as_it_was(architecture, tmp_path):
    dictionary = _foreign(architecture, "f")
    write_dictionary(dictionary, tmp_path / "one")
    save_saelens(load_saelens(tmp_path / "one"), tmp_path / "two")
    configs = [json.loads((tmp_path / name / "cfg.json").read_text()) for name in ("one", "two")]
    assert configs[0] == configs[1]
    back = load_saelens(tmp_path / "two")
    np.testing.assert_allclose(
        back.transform(ROWS), _encode(dictionary, ROWS), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("allocation", ALLOCATIONS)
def test_every_allocation_comes_back_with_its_codes(allocation, tmp_path):
    model = _model(allocation, dtype="float64")
    save_saelens(model, tmp_path)
    back = load_saelens(tmp_path)
    codes = model.transform(ROWS)
    assert codes.any()
    np.testing.assert_allclose(back.transform(ROWS), codes, atol=1e-9)
    np.testing.assert_allclose(
        back.inverse_transform(codes), model.inverse_transform(codes), atol=1e-9
    )


def test_the_precision_is_that_of_the_file(tmp_path):
    for dtype in ("float32", "float64"):
        save_saelens(_model("topk", dtype=dtype), tmp_path)
        assert load_saelens(tmp_path).dtype == dtype


def test_a_loaded_estimator_is_a_fitted_one_like_any_other(tmp_path):
    write_dictionary(_foreign("jumprelu"), tmp_path / "lens")
    model = load_saelens(tmp_path / "lens", k=4)
    assert (model.k, model.n_features_in_, model.get_feature_names_out().size) == (4, N, M)
    assert np.isnan(model.feature_density_).all()
    codes = model.transform(ROWS)
    io.save(model, tmp_path / "model.safetensors")
    for twin in (pickle.loads(pickle.dumps(model)), io.load(tmp_path / "model.safetensors")):
        np.testing.assert_array_equal(twin.transform(ROWS), codes)
    with pytest.raises(ValueError, match=r"X has 5 features, but SparseAutoencoder is expecting 6"):
        model.transform(ROWS[:, :5])


def test_a_loaded_estimator_learns_further_and_measures_what_was_not_stored(tmp_path):
    save_saelens(_model("topk"), tmp_path)
    model = load_saelens(tmp_path).set_params(max_iter=3, warm_start=True)
    before = model.score(ROWS)
    assert model.fit(ROWS).score(ROWS) > before - 0.05
    assert np.isfinite(model.feature_density_).all()
    again = load_saelens(tmp_path).partial_fit(ROWS)
    assert np.isfinite(again.feature_density_).all()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_step_at_a_rate_of_nearly_zero_leaves_a_loaded_dictionary_what_it_was(
    architecture, tmp_path
):
    write_dictionary(_foreign(architecture), tmp_path)  # rows of any norm, thresholds of zero
    model = load_saelens(tmp_path).set_params(learning_rate=1e-12, batch_size=64)
    codes = model.transform(ROWS)
    np.testing.assert_allclose(model.partial_fit(ROWS).transform(ROWS), codes, atol=1e-6)
    model.set_params(learning_rate=0.01).partial_fit(ROWS)
    assert np.abs(model.transform(ROWS) - codes).max() > 1e-3
    norms = np.linalg.norm(model.components_, axis=1)
    np.testing.assert_allclose(
        norms, np.linalg.norm(load_saelens(tmp_path).components_, axis=1), rtol=1e-6
    )


def test_what_cannot_be_written_or_asked_for_is_refused(tmp_path):
    model = _model("topk")
    with pytest.raises(ValueError, match=r"inference='omp' has no counterpart in SAELens"):
        save_saelens(model.set_params(inference="omp"), tmp_path)
    with pytest.raises(TypeError, match="holds a SparseAutoencoder, not a dict"):
        save_saelens({}, tmp_path)
    save_saelens(model.set_params(inference="encoder"), tmp_path)
    with pytest.raises(ValueError, match=r"k=2 was passed, but .* holds k=3"):
        load_saelens(tmp_path, k=2)
    write_dictionary(_foreign("standard"), tmp_path)
    with pytest.raises(ValueError, match=r"k == 11, must be <= 10"):
        load_saelens(tmp_path, k=11)


# -- the package itself ---------------------------------------------------------------------------


@pytest.fixture
def sae_lens():
    return pytest.importorskip("sae_lens")


@pytest.mark.peer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("allocation", ALLOCATIONS)
def test_saelens_reads_what_is_written_and_answers_alike(sae_lens, allocation, dtype, tmp_path):
    import torch

    model = _model(allocation, dtype=dtype)
    save_saelens(model, tmp_path)
    sae = sae_lens.SAE.load_from_disk(tmp_path)
    X = ROWS.astype(dtype)
    codes = sae.encode(torch.tensor(X)).detach()
    assert codes.any()
    np.testing.assert_allclose(model.transform(X), codes, atol=1e-5)
    expected = sae.decode(codes).detach()
    np.testing.assert_allclose(model.inverse_transform(codes.numpy()), expected, atol=1e-5)


@pytest.mark.peer
@pytest.mark.parametrize("shifted", [True, False])
@pytest.mark.parametrize("architecture", [*ARCHITECTURES, "batchtopk"])
def test_what_saelens_writes_is_read_and_answered_alike(sae_lens, architecture, shifted, tmp_path):
    import torch

    generator = torch.Generator().manual_seed(0)
    options = {"d_in": N, "d_sae": M, "apply_b_dec_to_input": shifted}
    if architecture == "batchtopk":
        cls, config = sae_lens.BatchTopKTrainingSAE, sae_lens.BatchTopKTrainingSAEConfig
        sae = cls(config(k=2, normalize_activations="none", **options))
        sae.topk_threshold.fill_(0.8)
    else:
        name = {"standard": "Standard", "topk": "TopK", "gated": "Gated", "jumprelu": "JumpReLU"}
        prefix = name[architecture] + "SAE"
        more = {"k": 3, "rescale_acts_by_decoder_norm": True} if architecture == "topk" else {}
        sae = getattr(sae_lens, prefix)(getattr(sae_lens, prefix + "Config")(**options, **more))
    with torch.no_grad():
        for name, weight in sae.named_parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator))
            if name == "threshold":
                weight.abs_()
    if architecture == "batchtopk":
        sae.save_inference_model(tmp_path / "inference")
        sae.save_model(tmp_path / "training")
        sae = sae_lens.SAE.load_from_disk(tmp_path / "inference")
        folders = ["inference", "training"]
    else:
        sae.save_model(tmp_path / "inference")
        folders = ["inference"]
    X = torch.randn((50, N), generator=generator)
    codes = sae.encode(X).detach()
    assert codes.any()
    for folder in folders:
        model = load_saelens(tmp_path / folder)
        found = model.transform(X.numpy())
        np.testing.assert_allclose(found, codes, atol=1e-5)
        np.testing.assert_allclose(
            model.inverse_transform(found), sae.decode(codes).detach(), atol=1e-5
        )

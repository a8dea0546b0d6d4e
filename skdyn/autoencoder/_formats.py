r"""Files of dictionaries as others write them, read into one plain form.

What each of them computes is written down here once, by its own names, and folded into

.. math:: p = W_{enc} (x - b_{dec}) + b_{enc}, \qquad \hat x = W_{dec}^\top z + b_{dec}

(of transcoders :math:`p = W_{enc} x + b_{enc}`, and :math:`W_{skip} x` may be added to
:math:`\hat x`), with one of the rules of
:class:`~skdyn.autoencoder._saelens_files.Dictionary` from :math:`p` to :math:`z`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from skdyn.autoencoder._saelens_files import (
    Dictionary,
    check_shapes,
    read_dictionary,
    read_safetensors,
)
from skdyn.exceptions import warn_user

__all__ = ["read_any"]

_KNOWN = (
    "SAELens (a folder with cfg.json and sae_weights.safetensors), Gemma Scope (params.npz), "
    "OpenAI (a state dict, .pt), sparsify (cfg.json and sae.safetensors) and dictionary_learning "
    "(config.json and ae.pt)"
)


def read_any(path: str | Path) -> Dictionary:
    """Read a dictionary from files of any format that is known.

    Parameters
    ----------
    path : path-like
        A folder or a file.

    Returns
    -------
    Dictionary
        In float64 where the files are, else in float32.

    Raises
    ------
    FileNotFoundError
        If nothing is there.
    ValueError
        If it is of no known format, or holds what none of them does.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no {str(path)!r}.")
    if path.is_file() and path.suffix == ".npz":
        return _gemma_scope(path)
    if path.is_file() and path.suffix in (".pt", ".pth"):
        return _openai(path)
    readers = {
        "sae_weights.safetensors": read_dictionary,
        "params.npz": lambda folder: _gemma_scope(folder / "params.npz"),
        "sae.safetensors": _sparsify,
        "ae.pt": _dictionary_learning,
    }
    for name, reader in readers.items():
        if (path / name).is_file():
            return reader(path)
    raise ValueError(f"{str(path)!r} holds no dictionary that can be read: known are {_KNOWN}.")


def _gemma_scope(path):
    """Thresholds on x W_enc + b_enc, from which no bias is taken; Lieberum et al. 2024."""
    with np.load(path, allow_pickle=False) as stored:
        weights = {name: _floats(stored[name]) for name in stored.files}
    return _checked("jumprelu", _unshifted(weights), path)


def _openai(path):
    """Gao et al.'s ``Autoencoder``; with "TopK" it normalizes each row first."""
    stored = _tensors(path)
    activation = stored.pop("activation", "ReLU")
    state = stored.pop("activation_state_dict", {})
    if activation not in ("TopK", "ReLU"):
        raise ValueError(f"activation={activation!r} in {str(path)!r} cannot be read.")
    names = {"encoder.weight": "W_enc", "decoder.weight": "W_dec"}
    names |= {"pre_bias": "b_dec", "latent_bias": "b_enc"}
    weights = _renamed(stored, names, path, transposed=("W_enc", "W_dec"))
    if activation == "ReLU":
        return _checked("standard", weights, path)
    warn_user(
        "This dictionary was trained on rows normalized one by one. Pass "
        "normalize_rows(X).rows to it, and what it restores to that result's restored().",
        UserWarning,
    )
    return _checked("topk", weights, path, k=int(state["k"]))


def _sparsify(folder):
    """EleutherAI's ``SparseCoder``."""
    config = json.loads((folder / "cfg.json").read_text(encoding="utf-8"))
    if config.get("activation", "topk") != "topk":
        raise ValueError(f"activation={config['activation']!r} of sparsify cannot be read.")
    names = {"encoder.weight": "W_enc", "encoder.bias": "b_enc", "W_dec": "W_dec", "b_dec": "b_dec"}
    stored = read_safetensors(folder / "sae.safetensors")
    transcodes = bool(config.get("transcode", False))
    if "W_skip" in stored:
        names["W_skip"] = "W_skip"
        if not transcodes:
            raise ValueError(
                f"{str(folder)!r} holds an autoencoder with a linear path beside it, W_skip, "
                "which is read of transcoders only."
            )
    weights = _renamed(stored, names, folder, transposed=("W_enc",))
    return _checked("topk", weights, folder, k=int(config["k"]), autoencoding=not transcodes)


def _dictionary_learning(folder):
    """Marks et al.'s classes, which ``config.json`` names."""
    path = folder / "config.json"
    trainer = json.loads(path.read_text(encoding="utf-8")).get("trainer", {})
    kind = trainer.get("dict_class")
    if kind not in _CLASSES:
        raise ValueError(
            f"dict_class={kind!r} in {str(path)!r} cannot be read; known are {list(_CLASSES)}."
        )
    architecture, names, transposed = _CLASSES[kind]
    stored = _tensors(folder / "ae.pt")
    k = stored.get("k", trainer.get("k"))
    weights = _renamed(stored, names, folder, transposed)
    if "threshold" in weights:  # one for all latents, of batch top-k
        weights["threshold"] = np.broadcast_to(weights["threshold"], weights["b_enc"].shape).copy()
    if kind == "JumpReluAutoEncoder":
        weights = _unshifted(weights)
    k = int(k) if architecture == "topk" else None
    return _checked(architecture, weights, folder, k=k)


_TIED = {"encoder.weight": "W_enc", "decoder.weight": "W_dec"}
_BIASES = {"encoder.bias": "b_enc", "b_dec": "b_dec"}
_BY_NAME = {"W_enc": "W_enc", "W_dec": "W_dec", "b_enc": "b_enc", "b_dec": "b_dec"}
_GATES = {"gate_bias": "b_gate", "mag_bias": "b_mag", "r_mag": "r_mag", "decoder_bias": "b_dec"}
_THRESHOLD = {"threshold": "threshold"}
_BOTH = ("W_enc", "W_dec")
# Class: rule, names of its arrays here, and which of them are stored the other way round.
_CLASSES = {
    "AutoEncoder": ("standard", _TIED | {"encoder.bias": "b_enc", "bias": "b_dec"}, _BOTH),
    "AutoEncoderTopK": ("topk", _TIED | _BIASES, _BOTH),
    "BatchTopKSAE": ("jumprelu", _TIED | _BIASES | _THRESHOLD, _BOTH),
    "MatryoshkaBatchTopKSAE": ("jumprelu", _BY_NAME | _THRESHOLD, ()),
    "JumpReluAutoEncoder": ("jumprelu", _BY_NAME | _THRESHOLD, ()),
    "GatedAutoEncoder": ("gated", _TIED | _GATES, _BOTH),
}


def _renamed(stored, names, path, transposed=()) -> dict[str, Any]:
    """Return the arrays that are wanted by the names of the plain form."""
    missing = [name for name in names if name not in stored]
    if missing:
        raise ValueError(f"{str(path)!r} lacks {missing}; it holds {sorted(stored)}.")
    weights = {new: _floats(stored[old]) for old, new in names.items()}
    for name in transposed:
        weights[name] = weights[name].T
    return weights


def _unshifted(weights):
    """Take the decoder's bias into the encoder's, where it is not taken from the inputs."""
    if {"b_dec", "W_enc", "b_enc"} <= weights.keys():
        weights["b_enc"] = weights["b_enc"] + weights["b_dec"] @ weights["W_enc"]
    return weights


def _checked(architecture, weights, path, k=None, autoencoding=True):
    n_features, n_components = weights["W_enc"].shape if "W_enc" in weights else (0, 0)
    sizes = {"n": n_features, "m": n_components, "o": n_features}
    if not autoencoding:
        sizes["o"] = len(weights["b_dec"])
    check_shapes(weights, architecture, sizes, str(path), transcodes=not autoencoding)
    return Dictionary(architecture, weights, k, autoencoding)


def _tensors(path) -> dict[str, Any]:
    try:
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # whatever another file runs into
        raise ValueError(f"{str(path)!r} is no plain state dict: {error}") from error


def _floats(array) -> np.ndarray:
    if isinstance(array, torch.Tensor):
        array = (array if array.dtype.itemsize == 8 else array.float()).numpy()
    array = np.asarray(array)
    return array if array.dtype.itemsize == 8 else array.astype(np.float32)

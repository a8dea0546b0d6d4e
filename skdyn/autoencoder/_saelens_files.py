"""The files of SAELens: one plain form for what each of its architectures stores.

A dictionary in SAELens' format is a folder with ``cfg.json`` and ``sae_weights.safetensors``. Its
options all act linearly on the weights, so that reading folds them away: what remains is

.. math:: p = W_{enc} (x - b_{dec}) + b_{enc}, \\qquad \\hat x = W_{dec}^\\top z + b_{dec},

with one of four rules from :math:`p` to :math:`z`: rectification ("standard"), the k largest
("topk"), a threshold a latent ("jumprelu"), and a gate beside the magnitude ("gated").
"""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from skdyn.exceptions import MissingExtraError, warn_user

__all__ = [
    "Dictionary",
    "check_shapes",
    "read_dictionary",
    "read_safetensors",
    "write_dictionary",
]

_CONFIG, _WEIGHTS = "cfg.json", "sae_weights.safetensors"
_FORMAT = "6.0.0"  # the version of SAELens whose layout is written; older ones named fields anew
# Trained by the k largest of a batch, applied by a threshold: SAELens itself stores them as
# "jumprelu" for inference, and under these names in checkpoints of training.
_BY_BATCH = ("batchtopk", "matryoshka_batchtopk")
_SHAPES = {"W_enc": "nm", "W_dec": "mo", "b_dec": "o"}
_OWN_SHAPES = {
    "standard": {"b_enc": "m"},
    "topk": {"b_enc": "m"},
    "jumprelu": {"b_enc": "m", "threshold": "m"},
    "gated": {"b_gate": "m", "b_mag": "m", "r_mag": "m"},
}
# Transcoders, by the rule that theirs is one of; nothing is taken from their inputs.
_TRANSCODERS = {
    "transcoder": "standard",
    "skip_transcoder": "standard",
    "jumprelu_transcoder": "jumprelu",
    "jumprelu_skip_transcoder": "jumprelu",
}
_SKIP = "W_skip"  # of a transcoder, a linear function of the inputs that is added
_ROW_NORMS = ("layer_norm", "constant_norm_rescale")


class Dictionary(NamedTuple):
    """An autoencoder in plain form.

    Attributes
    ----------
    architecture : str
        "standard", "topk", "jumprelu" or "gated".
    weights : dict of ndarray
        SAELens' names: ``W_enc`` of shape (n_features, n_components), ``W_dec`` of shape
        (n_components, n_features), ``b_dec``, and the architecture's own vectors; transcoders may
        have ``W_skip`` of shape (n_outputs, n_features).
    k : int or None
        Active latents per row, of "topk".
    autoencoding : bool
        Whether the outputs are the inputs; else nothing is taken from these.
    """

    architecture: str
    weights: dict[str, np.ndarray]
    k: int | None = None
    autoencoding: bool = True


def write_dictionary(dictionary: Dictionary, folder: str | os.PathLike[str]) -> None:
    """Write a dictionary as SAELens does.

    Parameters
    ----------
    dictionary : Dictionary
        What to write.
    folder : str or path-like
        Where; made if it is missing.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    n_features, n_components = dictionary.weights["W_enc"].shape
    config = {
        "architecture": dictionary.architecture,
        "d_in": n_features,
        "d_sae": n_components,
        "dtype": str(dictionary.weights["W_enc"].dtype),
        "device": "cpu",
        "apply_b_dec_to_input": True,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": {"sae_lens_version": _FORMAT, "sae_lens_training_version": None},
    }
    if dictionary.architecture == "topk":
        config |= {"k": dictionary.k, "rescale_acts_by_decoder_norm": False}
    weights = {name: np.ascontiguousarray(part) for name, part in dictionary.weights.items()}
    _safetensors().numpy.save_file(weights, folder / _WEIGHTS)
    (folder / _CONFIG).write_text(json.dumps(config, indent=2), encoding="utf-8")


def read_dictionary(folder: str | os.PathLike[str]) -> Dictionary:
    """Read a dictionary from SAELens' files.

    Parameters
    ----------
    folder : str or path-like
        Where ``cfg.json`` and ``sae_weights.safetensors`` lie.

    Returns
    -------
    Dictionary
        In float64 where the files are, else in float32.

    Raises
    ------
    FileNotFoundError
        If one of the two files is missing.
    ValueError
        If the architecture or an option is unknown here, or the arrays contradict the sizes.
    """
    folder = Path(folder)
    for name in (_CONFIG, _WEIGHTS):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"No {name} in {str(folder)!r}; SAELens writes it there.")
    config = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    _check_inputs_are_taken_as_they_are(config)
    weights = read_safetensors(folder / _WEIGHTS)
    if "log_threshold" in weights:  # before version 4
        weights["threshold"] = np.exp(weights.pop("log_threshold"))
    architecture, k = _rule(config)
    if config.get("rescale_acts_by_decoder_norm") and "W_dec" in weights:
        norms = np.linalg.norm(weights["W_dec"], axis=1).clip(1e-8)
        weights["W_enc"] = weights["W_enc"] * norms
        weights["b_enc"] = weights["b_enc"] * norms
        weights["W_dec"] = weights["W_dec"] / norms[:, None]
    if architecture in _BY_BATCH:
        architecture = "jumprelu"
        if "topk_threshold" in weights:
            weights["threshold"] = np.full_like(weights["b_enc"], weights.pop("topk_threshold"))
    autoencoding = architecture not in _TRANSCODERS
    architecture = _TRANSCODERS.get(architecture, architecture)
    sizes = {"n": config["d_in"], "m": config["d_sae"], "o": config["d_in"]}
    if not autoencoding:
        sizes["o"] = config["d_out"]
    check_shapes(weights, architecture, sizes, str(folder), transcodes=not autoencoding)
    if autoencoding and not config.get("apply_b_dec_to_input", True):
        shift = weights["b_dec"] @ weights["W_enc"]
        if architecture == "gated":
            weights["b_gate"] = weights["b_gate"] + shift
            weights["b_mag"] = weights["b_mag"] + shift * np.exp(weights["r_mag"])
        else:
            weights["b_enc"] = weights["b_enc"] + shift
    return Dictionary(architecture, weights, k, autoencoding)


def read_safetensors(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read arrays, float32 ones where fewer bits are stored.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    dict of str to ndarray
    """
    stored = _safetensors().torch.load_file(path)  # torch's reader, since numpy has no bfloat16
    return {
        name: (part if part.dtype.itemsize == 8 else part.float()).numpy()
        for name, part in stored.items()
    }


def _rule(config):
    """Return the architecture and k; before version 6 an activation function told of "topk"."""
    architecture = config.get("architecture", "standard")
    activation = config.get("activation_fn", config.get("activation_fn_str", "relu"))
    if activation == "topk":
        return "topk", config["activation_fn_kwargs"]["k"]
    known = (*_OWN_SHAPES, *_BY_BATCH, *_TRANSCODERS)
    if architecture not in known or activation != "relu":
        beside = "" if activation == "relu" else f" with activation_fn={activation!r}"
        raise ValueError(
            f"architecture={architecture!r}{beside} cannot be read; known are "
            f"{', '.join(map(repr, known))}."
        )
    return architecture, config["k"] if architecture == "topk" else None


def _check_inputs_are_taken_as_they_are(config: dict[str, Any]) -> None:
    normalization = config.get("normalize_activations", "none")
    if normalization in _ROW_NORMS:
        raise ValueError(
            f"normalize_activations={normalization!r} scales each row by itself and back, which "
            "codes alone cannot undo. Set it to 'none' in cfg.json and scale the rows yourself, "
            "with normalize_rows for instance."
        )
    if normalization not in ("none", None, False):
        warn_user(
            f"normalize_activations={normalization!r}: the files do not hold the scaling. As in "
            "SAELens, inputs are taken as they are; scale them first as they were for training.",
            UserWarning,
        )


def check_shapes(
    weights: dict[str, np.ndarray],
    architecture: str,
    sizes: dict[str, int],
    source: str,
    transcodes: bool = False,
) -> None:
    """Refuse arrays that are not those of an architecture.

    Parameters
    ----------
    weights : dict of str to ndarray
        The arrays.
    architecture : str
        The rule.
    sizes : dict of str to int
        Features (``n``), latents (``m``) and outputs (``o``).
    source : str
        Where they come from.
    transcodes : bool, default=False
        Whether a linear function of the inputs may stand beside the codes.

    Raises
    ------
    ValueError
        If one is missing, of another shape, or not asked for.
    """
    wanted = _SHAPES | _OWN_SHAPES[architecture]
    if transcodes and _SKIP in weights:
        wanted = wanted | {_SKIP: "on"}
    if set(weights) != set(wanted):
        raise ValueError(
            f"The weights of architecture {architecture!r} in {source!r} should be "
            f"{sorted(wanted)}, but are {sorted(weights)}."
        )
    for name, axes in wanted.items():
        shape = tuple(sizes[axis] for axis in axes)
        if weights[name].shape != shape:
            raise ValueError(
                f"{name} in {source!r} has shape {weights[name].shape}, but {sizes['n']} features, "
                f"{sizes['m']} latents and {sizes['o']} outputs ask for {shape}."
            )


def _safetensors():
    try:
        import safetensors.numpy
        import safetensors.torch
    except ImportError as error:
        raise MissingExtraError(
            "SAELens' files need safetensors. Install it with: pip install 'skdyn[io]'"
        ) from error
    return safetensors

"""Dictionaries from and for SAELens."""

import os
from typing import Any

import numpy as np

from skdyn._validation import check_is_fitted
from skdyn.autoencoder._autoencoder import SparseAutoencoder
from skdyn.autoencoder._loading import estimator_of
from skdyn.autoencoder._saelens_files import Dictionary, read_dictionary, write_dictionary

__all__ = ["load_saelens", "save_saelens"]

_ARCHITECTURES = {"relu": "standard", "topk": "topk", "gated": "gated"}  # others: by thresholds


def save_saelens(estimator: SparseAutoencoder, folder: str | os.PathLike[str]) -> None:
    """Write a fitted autoencoder in SAELens' format.

    Whoever has SAELens reads it by ``SAE.load_from_disk(folder)``; its codes and reconstructions
    are the estimator's. The scale of the inputs is folded into the weights. Allocations that work
    by thresholds after training become SAELens' "jumprelu", as its own "batchtopk" does.

    Parameters
    ----------
    estimator : SparseAutoencoder
        The fitted estimator, with ``inference="encoder"``.
    folder : str or path-like
        Where ``cfg.json`` and ``sae_weights.safetensors`` are written; made if it is missing.

    Raises
    ------
    TypeError
        If the estimator is another one.
    ValueError
        If its codes are not the encoder's.
    MissingExtraError
        If safetensors is not installed.

    See Also
    --------
    load_saelens : Reads them.
    skdyn.io.save : Files of this package.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_digits
    >>> from skdyn.autoencoder import SparseAutoencoder, load_saelens, save_saelens
    >>> X, _ = load_digits(return_X_y=True)
    >>> model = SparseAutoencoder(64, k=8, allocation="topk", max_iter=2).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_saelens(model, folder)
    ...     loaded = load_saelens(folder)
    >>> loaded.components_.shape
    (64, 64)
    """
    if not isinstance(estimator, SparseAutoencoder):
        raise TypeError(
            f"SAELens' format holds a SparseAutoencoder, not a {type(estimator).__name__}."
        )
    check_is_fitted(estimator)
    if estimator.inference != "encoder":
        raise ValueError(
            f"inference={estimator.inference!r} has no counterpart in SAELens, whose codes are the "
            "encoder's. Call set_params(inference='encoder') first if those will do."
        )
    coder = estimator.module_
    part = {name: array.cpu().numpy() for name, array in coder.state_dict().items()}
    unit, scale = coder.unit.item(), part["output_scale"]
    bias = part["decoder_bias"] / scale
    # s x - b = s (x - bias) + (s bias - b): the last is zero but for rounding
    rest = part["encoder_weight"] @ (part["input_scale"] * bias - coder.shift.cpu().numpy())
    weights = {
        "W_enc": unit * (part["encoder_weight"] * part["input_scale"]).T,
        "W_dec": part["decoder_weight"] / scale / unit,
        "b_dec": bias,
    }
    encoder_bias = unit * (part["encoder_bias"] + rest)
    allocation = estimator._module_config["allocation"]
    architecture = _ARCHITECTURES.get(allocation, "jumprelu")
    if architecture == "gated":
        weights["b_gate"], weights["r_mag"] = encoder_bias, part["log_magnitude"]
        weights["b_mag"] = unit * (part["magnitude_bias"] + np.exp(part["log_magnitude"]) * rest)
    else:
        weights["b_enc"] = encoder_bias
    if architecture == "jumprelu":
        learnt = allocation == "jumprelu"
        threshold = np.exp(part["log_threshold"]) if learnt else part["threshold"].clip(0.0)
        weights["threshold"] = unit * threshold
    dtype = part["encoder_weight"].dtype
    weights = {name: array.astype(dtype) for name, array in weights.items()}
    write_dictionary(
        Dictionary(architecture, weights, coder.k if architecture == "topk" else None), folder
    )


def load_saelens(folder: str | os.PathLike[str], *, k: int | None = None) -> SparseAutoencoder:
    """Read an autoencoder that SAELens, or :func:`save_saelens`, wrote.

    :func:`load_dictionary` does the same and reads other formats, and transcoders, too.

    The decoder's rows are as they are stored, of norm one or not, so that codes are SAELens' own.
    How often each feature is active is not stored: ``feature_density_`` is NaN.

    Parameters
    ----------
    folder : str or path-like
        Where ``cfg.json`` and ``sae_weights.safetensors`` lie; downloaded ones too.
    k : int or None, default=None
        The estimator's parameter, for training further. None takes the stored value of a "topk"
        architecture, else 32 or the number of components if that is smaller.

    Returns
    -------
    SparseAutoencoder
        Fitted; "standard" becomes ``allocation="relu"``, and "batchtopk" ``"jumprelu"``.

    Raises
    ------
    FileNotFoundError
        If one of the two files is missing.
    ValueError
        If the architecture or an option is unknown here, or the arrays contradict the sizes.
    MissingExtraError
        If safetensors is not installed.

    See Also
    --------
    save_saelens : Writes them.
    load_dictionary : Other formats.
    """
    dictionary = read_dictionary(folder)
    if not dictionary.autoencoding:
        raise ValueError(
            f"{str(folder)!r} holds a transcoder, which load_dictionary reads as a Transcoder."
        )
    estimator: Any = estimator_of(dictionary, str(folder), k)
    return estimator

"""Estimators from dictionaries that others have trained."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.utils import check_scalar

from skdyn._validation import check_array
from skdyn.autoencoder._autoencoder import SparseAutoencoder
from skdyn.autoencoder._formats import read_any
from skdyn.autoencoder._saelens_files import Dictionary
from skdyn.autoencoder._transcoder import Transcoder

__all__ = ["NormalizedRows", "estimator_of", "load_dictionary", "normalize_rows"]

_ALLOCATIONS = {"standard": "relu", "topk": "topk", "gated": "gated", "jumprelu": "jumprelu"}
_LOG_ZERO = -1e3  # logarithm of what is zero in every precision; training refuses infinities
_SMALL = 1e-5  # OpenAI's, beside a row's deviation


def load_dictionary(
    path: str | os.PathLike[str], *, k: int | None = None
) -> SparseAutoencoder | Transcoder:
    """Read a dictionary that others have trained, whichever format it is in.

    Known are SAELens' folders, autoencoders and transcoders, with a skip or without; Gemma Scope's
    ``params.npz``; state dicts of OpenAI's ``sparse_autoencoder``; and the folders of EleutherAI's
    sparsify and of dictionary_learning. No code in them is run. Rows of the decoder are as they are
    stored, of norm one or not, so that codes are those of the original. How often each feature is
    active is not stored: ``feature_density_`` is NaN.

    Parameters
    ----------
    path : path-like
        The folder or file.
    k : int or None, default=None
        The estimator's parameter, for training further. None takes the stored value of a top-k
        dictionary, else 32 or the number of components if that is smaller.

    Returns
    -------
    SparseAutoencoder or Transcoder
        Fitted.

    Raises
    ------
    FileNotFoundError
        If nothing is there.
    ValueError
        If the format, the architecture or an option is unknown here, or the arrays contradict each
        other or are not finite.
    MissingExtraError
        If safetensors is needed and not installed.

    Warns
    -----
    UserWarning
        If the dictionary is one of rows that are normalized first, see :func:`normalize_rows`.

    See Also
    --------
    load_saelens : SAELens' folders.
    skdyn.io.load : Files of this package.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from skdyn.autoencoder import load_dictionary
    >>> rng = np.random.default_rng(0)
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "params.npz"  # as Gemma Scope's are
    >>> reads, writes, none = rng.normal(size=(8, 32)), rng.normal(size=(32, 8)), np.zeros(32)
    >>> np.savez(file, W_enc=reads, W_dec=writes, b_enc=none, b_dec=none[:8], threshold=none + 1)
    >>> load_dictionary(file).transform(rng.normal(size=(5, 8))).shape
    (5, 32)
    """
    return estimator_of(read_any(os.fspath(path)), str(path), k)


def estimator_of(
    dictionary: Dictionary, source: str, k: int | None = None
) -> SparseAutoencoder | Transcoder:
    """Return a fitted estimator that computes what a dictionary does.

    Parameters
    ----------
    dictionary : Dictionary
        In plain form.
    source : str
        Where it comes from, for errors.
    k : int or None, default=None
        Active latents per row, for training further.

    Returns
    -------
    SparseAutoencoder or Transcoder
    """
    architecture, weights, stored_k, autoencoding = dictionary
    for name, array in weights.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} in {source!r} holds NaN or infinity: the file is damaged.")
    n_features, n_components = weights["W_enc"].shape
    if k is not None:
        check_scalar(k, "k", int, min_val=1, max_val=n_components)
    if architecture == "topk":
        if k not in (None, stored_k):
            raise ValueError(f"k={k} was passed, but {source!r} holds k={stored_k}.")
        k = stored_k
    of_kind: dict[str, Any] = {"skip": True} if "W_skip" in weights else {}
    estimator: Any = (SparseAutoencoder if autoencoding else Transcoder)(
        n_components,
        **of_kind,
        k=min(32, n_components) if k is None else k,
        allocation=_ALLOCATIONS[architecture],
        dtype=str(weights["W_enc"].dtype),
    )
    config = estimator._config(n_features, len(weights["b_dec"]))
    coder = estimator._build_module(**config).to(getattr(torch, estimator.dtype))
    arrays = _arrays(architecture, weights)
    coder.load_state_dict(
        coder.state_dict()
        | {name: torch.tensor(np.ascontiguousarray(array)) for name, array in arrays.items()}
    )
    estimator.module_ = coder.eval().requires_grad_(False)
    estimator._module_config = config
    estimator.device_ = "cpu"
    estimator.n_features_in_ = n_features
    estimator.n_iter_, estimator.loss_curve_, estimator.best_loss_ = 0, [], np.nan
    estimator.validation_scores_, estimator.stages_ = None, []
    if not autoencoding:
        estimator._y_is_1d = False
    return estimator


def _arrays(architecture, weights):
    """Return the arrays of a coder; those that are not named keep a new coder's values."""
    arrays = {
        "encoder_weight": weights["W_enc"].T,
        "encoder_bias": weights.get("b_enc", weights.get("b_gate")),
        "decoder_weight": weights["W_dec"],
        "decoder_bias": weights["b_dec"],
        "density": np.full(weights["W_enc"].shape[1], np.nan),
    }
    if "W_skip" in weights:
        arrays["skip_weight"] = weights["W_skip"]
    if architecture == "gated":
        arrays |= {"log_magnitude": weights["r_mag"], "magnitude_bias": weights["b_mag"]}
    if architecture == "jumprelu":
        with np.errstate(divide="ignore"):  # a threshold of zero is that of a rectifier
            log_threshold = np.log(weights["threshold"].clip(0.0))
        arrays["log_threshold"] = log_threshold.clip(_LOG_ZERO)
    return arrays


class NormalizedRows(NamedTuple):
    """Rows of mean zero and deviation one each, and what they were.

    Attributes
    ----------
    rows : ndarray of shape (n_samples, n_features)
        The normalized rows.
    mean : ndarray of shape (n_samples, 1)
        Mean of each row.
    scale : ndarray of shape (n_samples, 1)
        Deviation of each row.

    See Also
    --------
    normalize_rows : Returns it.
    """

    rows: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    def restored(self, rows: ArrayLike) -> np.ndarray:
        """Give rows their deviations and means back.

        Parameters
        ----------
        rows : array-like of shape (n_samples, n_features)
            What a dictionary restored of the normalized ones.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
        """
        return np.asarray(rows) * self.scale + self.mean


def normalize_rows(X: ArrayLike) -> NormalizedRows:
    """Normalize each row by itself, as OpenAI's autoencoders do with what they read.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    NormalizedRows

    See Also
    --------
    NormalizedRows : What it returns.

    Examples
    --------
    >>> from skdyn.autoencoder import normalize_rows
    >>> normalized = normalize_rows([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    >>> normalized.rows.round(2)
    array([[-1.,  0.,  1.],
           [-1.,  0.,  1.]])
    >>> normalized.restored(normalized.rows).round(2)
    array([[ 1.,  2.,  3.],
           [10., 20., 30.]])
    """
    X = check_array(X, dtype=[np.float64, np.float32], ensure_min_features=2)
    mean = X.mean(axis=1, keepdims=True)
    scale = X.std(axis=1, ddof=1, keepdims=True) + _SMALL
    return NormalizedRows((X - mean) / scale, mean, scale)

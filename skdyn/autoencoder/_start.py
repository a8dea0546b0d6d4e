"""Where training starts from: scales of the data, and their centre."""

import numpy as np
import torch

from skdyn.autoencoder._network import SparseCoder

__all__ = ["geometric_median", "start_from_data"]

_ROWS = 4096  # rows that are looked at: means of so many are precise enough to start from
_STEPS = 20  # of Weiszfeld's algorithm: it starts near its end


def start_from_data(coder: SparseCoder, X: np.ndarray, Y: np.ndarray | None = None) -> None:
    """Set the scales of a new network and its biases from the data.

    A scale makes the mean squared distance from the centre one a feature, in all features alike: a
    dictionary of directions would change with anything else.

    Parameters
    ----------
    coder : SparseCoder
        The network.
    X : ndarray of shape (n_samples, n_features)
        Inputs.
    Y : ndarray of shape (n_samples, n_outputs) or None, default=None
        What is to be reconstructed, if not the inputs.
    """
    input_centre, input_scale = _centre_and_scale(X)
    output_centre, output_scale = (input_centre, input_scale) if Y is None else _centre_and_scale(Y)
    with torch.no_grad():
        coder.input_scale.fill_(input_scale)
        coder.output_scale.fill_(output_scale)
        coder.centre.copy_(torch.as_tensor(input_centre * input_scale))
        coder.decoder_bias.copy_(torch.as_tensor(output_centre * output_scale))


def _centre_and_scale(X):
    rows = np.unique(np.linspace(0, len(X) - 1, _ROWS, dtype=np.intp))
    X = np.asarray(X[rows], dtype=np.float64)
    centre = geometric_median(X)
    spread = np.sqrt(np.mean((X - centre) ** 2))
    return centre, 1.0 / spread if spread > 0 else 1.0


def geometric_median(X: np.ndarray) -> np.ndarray:
    """Return the point whose mean distance from the rows is smallest, by Weiszfeld's algorithm.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    ndarray of shape (n_features,)
    """
    median = X.mean(axis=0)
    smallest = 1e-6 * np.sqrt(np.mean((X - median) ** 2)) or 1.0
    for _ in range(_STEPS):
        weight = 1.0 / np.maximum(np.linalg.norm(X - median, axis=1), smallest)
        median = weight @ X / weight.sum()
    return median

"""Where training starts from: scales of the data, and their center."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from skdyn.autoencoder._far_rows import Reach, tell_of_far_rows
from skdyn.autoencoder._network import SparseCoder
from skdyn.training import ridge

__all__ = ["Shortened", "center_and_scale", "geometric_median", "some_rows", "start_from_data"]

_ROWS = 4096  # rows that are looked at: means of so many are precise enough to start from
_LINE_ROWS = 2**16  # rows that a linear function is fitted to
_LEAST_PENALTY = 1e-10  # of its slopes, so that exactly linear targets leave nothing
_ENTRIES = 2**22  # pre-activations that are looked at
_CONSTANT = 1e6  # scale of targets that are all alike: what codes add is lost in rounding
_BESIDE = 0.1  # size of what codes add to a line at first
_STEPS = 20  # of Weiszfeld's algorithm: it starts near its end


def start_from_data(
    coder: SparseCoder,
    X: np.ndarray,
    Y: np.ndarray | None = None,
    sources: Sequence[slice] = (slice(None),),
    aims_at_k: bool = True,
) -> None:
    """Set the scales of a new network and its biases from the data.

    A scale makes the mean squared distance from the center one per feature, in all features of a
    source alike: a dictionary of directions would change with anything else. Rows far from all
    others count as if they lay nearer.

    Parameters
    ----------
    coder : SparseCoder
        The network.
    X : ndarray of shape (n_samples, n_features)
        Inputs.
    Y : ndarray of shape (n_samples, n_outputs) or None, default=None
        What is to be reconstructed, if not the inputs.
    sources : sequence of slice, default=(slice(None),)
        Columns of the sources that make up the inputs; each comes to the same share of the squares.
    aims_at_k : bool, default=True
        Whether training begins where k latents per row are active.
    """
    input_center, input_scale = center_and_scale(X, sources)
    output_center, output_scale = (input_center, input_scale) if Y is None else center_and_scale(Y)
    if Y is not None and np.ptp(some_rows(Y), axis=0).max() == 0:
        output_scale = output_scale * _CONSTANT / max(1.0, np.abs(output_center).max())
    with torch.no_grad():
        if Y is not None and coder.skip_weight is not None and np.ptp(some_rows(Y), axis=0).any():
            output_center, output_scale = _start_line(coder, X, Y)
        coder.input_scale.copy_(torch.as_tensor(input_scale))
        coder.output_scale.copy_(torch.as_tensor(output_scale))
        coder.centre.copy_(torch.as_tensor(input_center * input_scale))
        coder.decoder_bias.copy_(torch.as_tensor(output_center * output_scale))
        rows = some_rows(X, max(64, _ENTRIES // coder.n_components))
        x = torch.as_tensor(rows * input_scale).to(coder.encoder_weight)
        x = Shortened(X, coder.input_scale, coder.shift)(x) - coder.shift
        if Y is not None:
            _calm(coder, x)
        if aims_at_k:
            coder.allocation.start(x @ coder.encoder_weight.T + coder.encoder_bias, coder)


def _start_line(coder, X, Y):
    """Set the best linear function, and return center and scale of what it leaves over.

    Codes then learn in the units of what is left: where that is little, they do little.
    """
    numbers = _row_numbers(len(X), _LINE_ROWS)
    (x, of_x, _), (y, of_y, y_scale) = _about_center(X, numbers), _about_center(Y, numbers)
    # Far rows count as if they lay nearer, which two centers that differ would make untrue.
    weight = torch.minimum(of_x, of_y).squeeze(1).square()
    slopes, _ = ridge(x, y, weight / weight.mean(), _LEAST_PENALTY)
    slopes = slopes.numpy() / y_scale
    looked_at = _row_numbers(len(X), _ROWS)
    x = _about_center(X, looked_at)[0].numpy()
    left = np.asarray(Y[looked_at], dtype=float) - x @ slopes
    center, scale = center_and_scale(left)
    most = _CONSTANT * y_scale  # of exactly linear targets nothing but rounding is left
    scale = most if np.ptp(left, axis=0).max() == 0 else np.minimum(scale, most)
    coder.skip_weight.copy_(torch.as_tensor(slopes * scale).T)
    return center, scale


def _about_center(X, numbers):
    """Return some rows in units of the network, what of each is taken, and the scale."""
    center, scale = center_and_scale(X)
    x = torch.as_tensor((np.asarray(X[numbers], dtype=float) - center) * scale)
    reach = Reach.of(torch.linalg.vector_norm(x, dim=1).numpy())
    return x, reach.share(x, x.new_zeros(())), scale


def _calm(coder, x):
    """Shorten a random encoder until what it adds up to is no larger than the targets.

    Directions drawn at random do not cancel: k of them are k times too large for few outputs.
    Beside a line they begin near nothing, since they would only spoil what it knows.
    """
    most = 1.0 if coder.skip_weight is None else _BESIDE
    pre = x @ coder.encoder_weight.T
    values, columns = pre.topk(min(coder.k, pre.shape[1]), dim=1)
    rebuilt = torch.zeros_like(pre).scatter_(1, columns, values.relu()) @ coder.decoder_weight
    size = rebuilt.square().mean().sqrt().item()
    if size > most:
        coder.encoder_weight *= most / size


class Shortened:
    """Takes rows far from all others as if they lay at the usual distance from the center.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
        Rows, of which some are looked at.
    scale : Tensor of shape (n_columns,)
        What turns them into the units of the network.
    center : Tensor of shape (n_columns,)
        The center, in those units; a copy is kept.
    name : str or None, default=None
        What holds the rows, such as "X", in a warning of those that lie too far; None warns of
        none.
    """

    def __init__(
        self, X: np.ndarray, scale: torch.Tensor, center: torch.Tensor, name: str | None = None
    ) -> None:
        self.center = center.detach().clone()
        scaled = some_rows(X) * scale.double().cpu().numpy()
        distance = np.linalg.norm(scaled - self.center.double().cpu().numpy(), axis=1)
        self.reach = Reach.of(distance)
        if name is not None:
            tell_of_far_rows(distance, _row_numbers(len(X), _ROWS), name)

    def state(self) -> dict[str, Any]:
        """Return the center and how far rows may lie.

        Returns
        -------
        dict
        """
        return {"centre": self.center, "usual": self.reach.usual}

    def take_state(self, state: dict[str, Any]) -> None:
        """Go on from such a state.

        Parameters
        ----------
        state : dict
            The state.
        """
        self.center = state["centre"].to(self.center)
        self.reach = Reach(state["usual"])

    def share(self, x: torch.Tensor) -> torch.Tensor:
        """Return how much of each row's way from the center is taken.

        Parameters
        ----------
        x : Tensor of shape (n_rows, n_columns)
            Scaled rows.

        Returns
        -------
        Tensor of shape (n_rows, 1)
        """
        return self.reach.share(x, self.center)

    def __call__(self, x: torch.Tensor, share: torch.Tensor | None = None) -> torch.Tensor:
        """Return rows at a share of their way from the center; a share of one changes nothing.

        Parameters
        ----------
        x : Tensor of shape (n_rows, n_columns)
            Scaled rows.
        share : Tensor of shape (n_rows, 1) or None, default=None
            How much; None takes each row's own.

        Returns
        -------
        Tensor of shape (n_rows, n_columns)
        """
        return torch.lerp(self.center, x, self.share(x) if share is None else share)


def _row_numbers(n_samples, n_rows):
    return np.unique(np.linspace(0, n_samples - 1, n_rows, dtype=np.intp))


def some_rows(X: np.ndarray, n_rows: int = _ROWS) -> np.ndarray:
    """Return some rows, evenly spaced, in float64.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows.
    n_rows : int, default=4096
        How many, at most.

    Returns
    -------
    ndarray of shape (n_rows, n_features)
    """
    return np.asarray(X[_row_numbers(len(X), min(n_rows, _ROWS))], dtype=float)


def center_and_scale(
    X: np.ndarray, sources: Sequence[slice] = (slice(None),)
) -> tuple[np.ndarray, np.ndarray]:
    """Return the center of rows and the factors that give each source the same spread about it.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows, of which some are looked at.
    sources : sequence of slice, default=(slice(None),)
        Columns of each source.

    Returns
    -------
    center : ndarray of shape (n_features,)
    scale : ndarray of shape (n_features,)
        Mean squares over all features become one, and equal sums over all sources.
    """
    X = some_rows(X)
    center, scale = np.zeros(X.shape[1]), np.ones(X.shape[1])
    for source in sources:
        center[source] = geometric_median(X[:, source])
        distance = np.linalg.norm(X[:, source] - center[source], axis=1)
        within = Reach.of(distance).within(distance)
        spread = np.sqrt(np.mean(within**2) / len(scale[source]))
        share = X.shape[1] / (len(sources) * len(scale[source]))
        scale[source] = np.sqrt(share) / spread if spread > 0 else 1.0
    return center, scale


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

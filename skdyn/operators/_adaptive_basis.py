"""Functions seen through few weighted integrals of them, whose weights are learned."""

from __future__ import annotations

from functools import lru_cache, reduce
from math import prod
from numbers import Integral, Real
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import is_classifier, is_regressor
from sklearn.utils.multiclass import check_classification_targets

from skdyn._state import Shape
from skdyn._tabular import TabularEstimator
from skdyn._validation import Interval, check_is_fitted, check_X_y
from skdyn.base import TorchEstimator
from skdyn.operators._branch_trunk import check_layer_sizes, coordinates, coordinates_on, perceptron
from skdyn.operators._estimator import channel_scales
from skdyn.operators._grids import (
    GRID_CONSTRAINTS,
    Layout,
    check_grid,
    check_layouts,
    read_inputs,
    read_queries,
    resample,
)

__all__ = ["AdaptiveBasisEstimator", "AdaptiveBasisNetwork"]


def quadrature(grid: tuple[int, ...], periodic: bool) -> torch.Tensor:
    """Return the weights of the trapezoidal rule on a domain of volume one, shape (n_points,)."""
    lines = []
    for n in grid:
        line = torch.ones(n)
        if not periodic and n > 1:
            line[[0, -1]] = 0.5
        lines.append(line / line.sum())
    return reduce(torch.kron, lines)


@lru_cache(maxsize=8)
def _quadrature_on(grid, periodic, dtype, device):
    with torch.inference_mode(False):
        return quadrature(grid, periodic).to(device, dtype)


class AdaptiveBasisNetwork(torch.nn.Module):
    """Integrals of the inputs with learned functions, and a perceptron of those.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Channels in, and numbers out.
    n_axes : int
        Axes of the grid.
    n_basis : int
        Integrals.
    basis_layer_sizes, hidden_layer_sizes : tuple of int
        Hidden layers of the network of coordinates, coordinates_on, and of the one of integrals.
    periodic : bool
        Whether the grids are.
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        n_axes: int,
        n_basis: int,
        basis_layer_sizes: tuple[int, ...],
        hidden_layer_sizes: tuple[int, ...],
        periodic: bool,
    ) -> None:
        super().__init__()
        self.n_inputs, self.n_basis, self.periodic = n_inputs, n_basis, periodic
        n_values = coordinates((1,) * n_axes, periodic).shape[1]
        self.basis = perceptron([n_values, *basis_layer_sizes, n_basis * n_inputs])
        self.head = perceptron([n_basis, *hidden_layer_sizes, n_outputs])

    def functions(self, grid: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
        """Evaluate the learned functions, of mean square one over channels and domain.

        Parameters
        ----------
        grid : tuple of int
            Where.
        like : Tensor
            Of the precision and device that are wanted.

        Returns
        -------
        Tensor of shape (n_basis, n_inputs, n_points)
        """
        values = self.basis(coordinates_on(grid, self.periodic, like.dtype, like.device))
        values = values.T.unflatten(0, (self.n_basis, self.n_inputs))
        square = (
            values.square() * _quadrature_on(grid, self.periodic, like.dtype, like.device)
        ).sum((1, 2))
        return values / (square + 1e-12).sqrt()[:, None, None]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Answer to functions with numbers.

        Parameters
        ----------
        x : Tensor of shape (n, n_inputs, \\*grid)
            Inputs.

        Returns
        -------
        Tensor of shape (n, n_outputs)
        """
        grid = tuple(x.shape[2:])
        weighted = self.functions(grid, x) * _quadrature_on(grid, self.periodic, x.dtype, x.device)
        return self.head(x.flatten(1) @ weighted.flatten(1).T)

    def multiply_adds(self, shape: tuple[int, ...]) -> int:
        """Count the multiply-adds of a pass over a batch of this shape.

        Parameters
        ----------
        shape : tuple of int
            ``(n, n_inputs, *grid)``.

        Returns
        -------
        int
        """
        n_points = prod(shape[2:])
        basis, head = (
            sum(weight.numel() for weight in part.parameters()) for part in (self.basis, self.head)
        )
        # The functions are evaluated once for all cases of a batch.
        return shape[0] * (head + self.n_basis * self.n_inputs * n_points) + n_points * basis


class AdaptiveBasisEstimator(TabularEstimator):
    """What regressors and classifiers of functions by learned integrals share."""

    _x_layout: Layout
    _y_layout: Layout
    _x_offset: Annotated[np.ndarray, Shape("n_inputs")]
    _x_scale: Annotated[np.ndarray, Shape("n_inputs")]

    _parameter_constraints = {
        **TorchEstimator._parameter_constraints,
        **GRID_CONSTRAINTS,
        "n_basis": [Interval(Integral, 1, None, closed="left")],
        "basis_layer_sizes": ["array-like"],
        "hidden_layer_sizes": ["array-like"],
        "orthogonality": [Interval(Real, 0, None, closed="left")],
        "sparsity": [Interval(Real, 0, None, closed="left")],
    }
    _quick_parameters = {
        "n_basis": 4, "basis_layer_sizes": (16,), "hidden_layer_sizes": (16,), "batch_size": "auto",
        "learning_rate": 0.05, "learning_rate_schedule": "constant", "max_iter": 25,
    }  # fmt: skip

    def __init__(
        self,
        n_basis: int = 8,
        *,
        basis_layer_sizes: ArrayLike = (64, 64),
        hidden_layer_sizes: ArrayLike = (64,),
        orthogonality: float = 0.0,
        sparsity: float = 0.0,
        grid_shape: ArrayLike | int | None = None,
        periodic: bool = False,
        resolution: str = "resample",
        optimizer: str = "adamw",
        max_iter: int = 200,
        max_time: float | None = None,
        learning_rate: float = 0.003,
        learning_rate_schedule: str = "cosine",
        batch_size: int | str = 32,
        alpha: float = 0.1,
        clip_norm: float | None = None,
        tol: float = 1e-05,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 30,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        dtype: str = "float32",
        verbose: int = 0,
    ) -> None:
        self.n_basis = n_basis
        self.basis_layer_sizes = basis_layer_sizes
        self.hidden_layer_sizes = hidden_layer_sizes
        self.orthogonality = orthogonality
        self.sparsity = sparsity
        self.grid_shape = grid_shape
        self.periodic = periodic
        self.resolution = resolution
        self.optimizer = optimizer
        self.max_iter = max_iter
        self.max_time = max_time
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.batch_size = batch_size
        self.alpha = alpha
        self.clip_norm = clip_norm
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.random_state = random_state
        self.device = device
        self.dtype = dtype
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    @classmethod
    def _check_state(cls, state):
        check_layouts(state)

    def basis_functions(self, grid: int | tuple[int, ...] | None = None) -> np.ndarray:
        """Evaluate the functions that inputs are integrated with: what the model looks at.

        Parameters
        ----------
        grid : int, tuple of int or None, default=None
            Where; None is the grid of the fit.

        Returns
        -------
        ndarray of shape (n_basis, n_channels, \\*grid)
            Functions on standardized channels, each of mean square one.
        """
        check_is_fitted(self)
        here = self._x_layout
        grid = check_grid(grid, "grid") or here.grid
        if len(grid) != len(here.grid):
            raise ValueError(f"grid={grid} has not as many axes as that of the fit, {here.grid}.")
        like = next(self.module_.parameters())
        with torch.inference_mode():
            values = self.module_.functions(grid, like)
        return values.cpu().numpy().astype(np.float64).reshape(-1, here.n_channels, *grid)

    def _outputs(self, X):
        check_is_fitted(self)
        X, _ = read_queries(self, X)
        if self.resolution == "resample":
            X = resample(X, self._x_layout.grid, periodic=self.periodic)
        return self._forward(self._scaled(X))

    def _validate(self, X, y, reset):
        X = read_inputs(self, X, reset=reset)
        self._y_layout = Layout(1, (), 1)
        several = {"multi_output": True, "y_numeric": True} if is_regressor(self) else {}
        X, y = check_X_y(X, y, dtype=X.dtype, allow_nd=True, estimator=self, **several)
        if is_classifier(self):
            check_classification_targets(y)
        return X, y

    def _learn_scales(self, X, y, weight, classes):
        self._x_offset, self._x_scale = channel_scales(X, weight)
        self._learn_targets(y, weight, classes)

    def _config(self, n_channels, n_outputs):
        return {
            "n_inputs": n_channels,
            "n_outputs": n_outputs,
            "n_axes": len(self._x_layout.grid),
            "n_basis": self.n_basis,
            "basis_layer_sizes": check_layer_sizes(self, "basis_layer_sizes"),
            "hidden_layer_sizes": check_layer_sizes(self),
            "periodic": self.periodic,
        }

    @staticmethod
    def _build_module(**config: Any) -> AdaptiveBasisNetwork:
        return AdaptiveBasisNetwork(**config)

    def _objective(self, generator):
        plain, grid = super()._objective(generator), self._x_layout.grid
        if not (self.orthogonality or self.sparsity):
            return plain

        def objective(module, X, y, weight):
            functions = module.functions(grid, X)
            weighted = functions * _quadrature_on(grid, self.periodic, X.dtype, X.device)
            products = weighted.flatten(1) @ functions.flatten(1).T
            between = (products - products.diag().diag()).abs().sum() / max(
                1, self.n_basis * (self.n_basis - 1)
            )
            size = weighted.abs().sum((1, 2)).mean()
            return plain(module, X, y, weight) + self.orthogonality * between + self.sparsity * size

        return objective

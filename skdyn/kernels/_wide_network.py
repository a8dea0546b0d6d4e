"""Kernels of networks without end of width, as scikit-learn's kernels."""

from __future__ import annotations

from numbers import Real
from typing import Annotated, Any, ClassVar

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.gaussian_process.kernels import Hyperparameter, Kernel

from skdyn._state import OneOf, PlainState, Shape
from skdyn._validation import as_floats, is_whole
from skdyn.kernels._layers import Network, first_layer, layers_above, slopes_of_pairs
from skdyn.kernels._moments import ACTIVATIONS

__all__ = ["WideNetworkKernel"]

_DEEPEST = 100  # hidden layers: long before that nothing of the rows is left in the kernel
_LARGEST = 2.0**250  # variance of a node, of which cubes must be finite

Values = float | np.ndarray | list[float] | tuple[float, ...]
Pairs = tuple[float, ...] | list[float] | list[tuple[float, float]] | list[list[float]]
Bounds = str | np.ndarray | Pairs
_StoredBounds = (
    Annotated[str, OneOf(("fixed",))] | Annotated[np.ndarray, Shape("...", "iuf")] | Pairs
)


class WideNetworkKernel(PlainState, Kernel):
    """Base of the kernels of wide networks; siblings differ in which one they return."""

    depth: int
    activation: Annotated[str, OneOf(tuple(ACTIVATIONS))]
    weight_var: float
    bias_var: float
    input_var: (
        float | Annotated[np.ndarray, Shape("_", "iuf")] | list[float] | tuple[float, ...] | None
    )
    weight_var_bounds: _StoredBounds
    bias_var_bounds: _StoredBounds
    input_var_bounds: _StoredBounds

    def __init__(
        self,
        depth: int = 1,
        activation: str = "relu",
        weight_var: float = 2.0,
        bias_var: float = 1.0,
        input_var: Values | None = None,
        weight_var_bounds: Bounds = (1e-5, 1e5),
        bias_var_bounds: Bounds = (1e-5, 1e5),
        input_var_bounds: Bounds = (1e-5, 1e5),
    ) -> None:
        self.depth = depth
        self.activation = activation
        self.weight_var = weight_var
        self.bias_var = bias_var
        self.input_var = input_var
        self.weight_var_bounds = weight_var_bounds
        self.bias_var_bounds = bias_var_bounds
        self.input_var_bounds = input_var_bounds

    @property
    def anisotropic(self) -> bool:
        """Whether the first layer has a variance for each column."""
        return self.input_var is not None and np.size(self.input_var) > 1

    @property
    def hyperparameter_weight_var(self) -> Hyperparameter:
        """What scikit-learn knows of ``weight_var``."""
        return Hyperparameter("weight_var", "numeric", self.weight_var_bounds)

    @property
    def hyperparameter_bias_var(self) -> Hyperparameter:
        """What scikit-learn knows of ``bias_var``; zero, a network without biases, stays zero."""
        bounds = "fixed" if np.all(self.bias_var == 0) else self.bias_var_bounds
        return Hyperparameter("bias_var", "numeric", bounds)

    @property
    def hyperparameter_input_var(self) -> Hyperparameter:
        """What scikit-learn knows of ``input_var``; None is no parameter of its own."""
        if self.input_var is None:
            return Hyperparameter("input_var", "numeric", "fixed")
        n_elements = int(np.size(self.input_var)) if self.anisotropic else 1
        return Hyperparameter("input_var", "numeric", self.input_var_bounds, n_elements)

    def __call__(  # pyright: ignore[reportIncompatibleMethodOverride]: as that of diag
        self, X: Any, Y: Any = None, eval_gradient: bool = False
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Compute the kernel of each row of X with each of Y.

        Parameters
        ----------
        X : array-like of shape (n_samples_X, n_features)
            Rows.
        Y : array-like of shape (n_samples_Y, n_features), default=None
            Other rows; None is X.
        eval_gradient : bool, default=False
            Whether to return the gradient by the logarithms of the hyperparameters that are not
            fixed, in the order of ``theta``. Only without Y.

        Returns
        -------
        K : ndarray of shape (n_samples_X, n_samples_Y)
            The kernel.
        K_gradient : ndarray of shape (n_samples_X, n_samples_X, n_dims)
            Its gradient. Only with ``eval_gradient=True``.

        Raises
        ------
        ValueError
            If a parameter is none that a network can have, the columns do not fit, or values are
            too large to compute with.
        """
        if Y is not None and eval_gradient:
            raise ValueError("The gradient is that of the kernel of X with itself: leave out Y.")
        X, variances = self._checked(X)
        squares = self._first_variances(X, variances)
        if Y is None:
            Y, others = X, squares
        else:
            Y, again = self._checked(Y)
            if Y.shape[1] != X.shape[1]:
                raise ValueError(f"X has {X.shape[1]} columns, but Y has {Y.shape[1]}.")
            others = self._first_variances(Y, again)
        scale = np.sqrt(variances)
        gap = cdist(X * scale, Y * scale, metric="sqeuclidean")
        first = first_layer(squares[:, None], others[None, :], gap, self._with_tangent)
        layers = layers_above(self._network(), first)
        K = self._chosen(layers)
        if not eval_gradient:
            return K
        return K, self._gradient(slopes_of_pairs(self._network(), layers), X, variances, gap)

    def diag(  # pyright: ignore[reportIncompatibleMethodOverride]: its base is guessed from `pass`
        self, X: Any
    ) -> np.ndarray:
        """Compute the kernel of each row with itself.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        K_diag : ndarray of shape (n_samples,)
            The diagonal of the kernel of X.
        """
        X, variances = self._checked(X)
        squares = self._first_variances(X, variances)
        first = first_layer(squares, squares, np.zeros_like(squares), self._with_tangent)
        return self._chosen(layers_above(self._network(), first))

    def is_stationary(  # pyright: ignore[reportIncompatibleMethodOverride]: as that of diag
        self,
    ) -> bool:
        """Say whether it depends on differences of rows alone.

        Returns
        -------
        bool
            False: it depends on where the origin is, too.
        """
        return False

    def __repr__(self):
        values = {name: getattr(self, name) for name in ("weight_var", "bias_var", "input_var")}
        shown = [f"depth={self.depth!r}", f"activation={self.activation!r}"]
        shown += [f"{name}={_shown(value)}" for name, value in values.items() if value is not None]
        return f"{type(self).__name__}({', '.join(shown)})"

    _with_tangent: ClassVar[bool]

    def _chosen(self, layers) -> Any:
        """Return the one of the output's two kernels that this is."""
        return layers[-1].tangent if self._with_tangent else layers[-1].kernel

    def _network(self):
        return Network(self.depth, self.activation, self.weight_var, self.bias_var)

    def _checked(self, X):
        """Return rows as floats, and the variance of the first layer's weights in each column."""
        self._check_state(vars(self))
        X = np.atleast_2d(as_floats(X))
        first = self.weight_var if self.input_var is None else self.input_var
        first = np.atleast_1d(as_floats(first)) / max(X.shape[1], 1)
        if first.ndim != 1 or len(first) not in (1, X.shape[1]):
            raise ValueError(
                f"input_var has the shape {first.shape}, but there are {X.shape[1]} "
                "columns. Give one variance, or one for each column."
            )
        return X, np.broadcast_to(first, X.shape[1])

    def _first_variances(self, X, variances):
        with np.errstate(over="ignore"):
            found = self.bias_var + np.square(X) @ variances
        if not (found <= _LARGEST).all():  # NaN too
            raise ValueError(
                f"The rows have squares that sum up to {found.max():.3g} under the variances of "
                "the first layer, beyond what can be computed with. Standardize X."
            )
        return found

    @classmethod
    def _check_state(cls, state):
        """Refuse what no network has; when it is used, as scikit-learn's kernels do."""
        depth, activation = state["depth"], state["activation"]
        if not is_whole(depth, 1) or isinstance(depth, bool) or depth > _DEEPEST:
            raise ValueError(
                f"depth of {cls.__name__} must be a number of hidden layers from 1 to {_DEEPEST}; "
                f"got {depth!r}."
            )
        if not isinstance(activation, str) or activation not in ACTIVATIONS:
            raise ValueError(
                f"activation of {cls.__name__} must be one of {sorted(ACTIVATIONS)}; got "
                f"{activation!r}."
            )
        for name, kind, rule in _VARIANCES:
            if not rule(state[name]):
                raise ValueError(f"{name} of {cls.__name__} must be {kind}; got {state[name]!r}.")

    def _gradient(self, slopes, X, variances, gap):
        """Return the derivatives by log hyperparameters, in the order of theta: by name."""
        columns = []

        def of_inputs(of_row, of_gap):
            moved = slopes.row * of_row[:, None]
            return moved + moved.T + slopes.gap * of_gap

        if not self.hyperparameter_bias_var.fixed:
            columns.append(self.bias_var * (slopes.bias + slopes.row + slopes.row.T))
        squares = np.square(X)
        if self.anisotropic and not self.hyperparameter_input_var.fixed:
            columns += [
                of_inputs(variance * square, variance * np.square(x[:, None] - x))
                for variance, square, x in zip(variances, squares.T, X.T, strict=True)
            ]
        elif not self.hyperparameter_input_var.fixed:
            columns.append(of_inputs(squares @ variances, gap))
        if not self.hyperparameter_weight_var.fixed:
            columns.append(self.weight_var * slopes.weight)
            if self.input_var is None:
                columns[-1] += of_inputs(squares @ variances, gap)
        return np.dstack(columns) if columns else np.empty((len(X), len(X), 0))


def _shown(value):
    if isinstance(value, Real):
        return f"{value:.3g}"
    return repr(value) if np.ndim(value) == 0 else f"[{', '.join(map(_shown, value))}]"


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def _is_variance(value):
    return _is_number(value) and bool(0 < value < np.inf)


def _is_variance_or_zero(value):
    return _is_number(value) and bool(0 <= value < np.inf)


def _are_variances(value):
    """Whether it is None, one positive number, or several."""
    return value is None or all(map(_is_variance, np.atleast_1d(np.asarray(value, object))))


_VARIANCES = [
    ("weight_var", "a positive number", _is_variance),
    ("bias_var", "a positive number, or zero for none", _is_variance_or_zero),
    ("input_var", "a positive number, one for each column, or None", _are_variances),
]

"""From a fitted network to a formula: closed forms of edges, one by one or all, and the whole."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from skdyn._state import ANY_NUMBER, OPTIONAL
from skdyn._tabular import FitTask, TabularEstimator
from skdyn._validation import check_is_fitted, check_weights, validate_data
from skdyn.exceptions import warn_user
from skdyn.kan._constants import evaluate, tidy_constants
from skdyn.kan._edge_fit import FLOOR, Candidate, fit_edge
from skdyn.kan._evidence import Evidence
from skdyn.kan._formula import LayerFormula, Scales, network_formula
from skdyn.kan._library import make_library
from skdyn.kan._objective import KANObjective
from skdyn.kan._snapping import set_edge, snap_edges, squared_error

_N_DRAWS = 1000  # where a network is to teach its formula without data
_MINOR = 0.03  # score below which an edge may be nothing: as in prune
_CLASSIFIER_ERROR = 0.1  # in the scores, in their variances
_KNOWN = 0.1  # what an edge is off by, in units of what the whole network is
_HELD_OUT = 0.2  # of the rows, to score a formula
_MISSED = 0.2  # of the tolerance: share of the rows that closed forms may cost a classifier
_PRECISE = 1e-6  # loss that is as good as none, in variances of the targets


class Symbolic(TabularEstimator):
    """Closed forms of edges and of the network, for estimators whose module is a KAN."""

    formula_score_: Annotated[float, OPTIONAL, ANY_NUMBER]  # NaN: real at no row
    formula_unreal_: Annotated[int, OPTIONAL]
    if TYPE_CHECKING:  # of Interpretation, and of the estimators
        classes_: Any
        edge_function: Any
        edge_scores_: Any
        _check_edge: Any
        _curvature: Any
        _node_quantiles: Any
        _noise: Any
        _y_is_1d: Any

    def suggest_symbolic(
        self, layer: int, i: int, j: int, *, library: object = None, top: int = 5
    ) -> list[Candidate]:
        """Suggest functions that an edge may be.

        Parameters
        ----------
        layer : int
            The layer, the first is 0.
        i : int
            The input of the layer.
        j : int
            The subnode of the layer; the factors of its products come last, in pairs.
        library : list of str or dict of str to int, default=None
            Names of functions, or expressions in ``x`` such as ``"x*exp(-x)"``; a dict gives the
            complexity of each as well. None takes the default library.
        top : int, default=5
            Number of suggestions.

        Returns
        -------
        list of Candidate
            Named tuples ``(name, a, b, c, d, r2, complexity)``, the best first: the edge is about
            ``c f(a x + b) + d`` in the units the layer sees, and ``r2`` says how nearly.
        """
        functions = make_library(library)
        return self._suggest(layer, i, j, functions)[:top]

    def fix_symbolic(self, layer: int, i: int, j: int, name: str) -> Self:
        """Give one edge a closed form, in place.

        Parameters
        ----------
        layer : int
            The layer, the first is 0.
        i : int
            The input of the layer.
        j : int
            The subnode of the layer; the factors of its products come last, in pairs.
        name : str
            Name of the function, or an expression in ``x``. Scale and shift are fitted such that
            the edge's data are inside the function's domain. ``"0"`` leaves the edge's mean.

        Returns
        -------
        self : object
            The estimator; train on with ``warm_start=True`` to refit everything else.

        Raises
        ------
        ValueError
            If there is no such edge or function.
        """
        (candidate,) = self._suggest(layer, i, j, make_library([name]))
        module = copy.deepcopy(self.module_)
        set_edge(module.layers[layer], i, j, candidate)
        self._take_symbolic(module)
        return self

    def auto_symbolic(
        self,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        library: object = None,
        tolerance: float = 0.1,
    ) -> Self:
        """Give all edges closed forms, in place: the surest first, everything else refitted.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), default=None
            Data, best the training data. Without them the network itself teaches, on inputs drawn
            from the quantiles of each feature.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets; None takes what the network predicts.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.
        library : list of str or dict of str to int, default=None
            Names of functions, or expressions in ``x``; a dict gives complexities as well.
        tolerance : float, default=0.1
            By what part of itself the loss may grow; a classifier's accuracy may fall by a fifth of
            it. An edge that no function of the library brings down to that stays as it is, with a
            warning.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError
            If the library is empty or names an unknown function.
        """
        check_is_fitted(self)
        functions = make_library(library)
        arrays, losses, error = self._lesson(X, y, sample_weight)
        n = len(arrays[0])

        def make_objective():
            return KANObjective(*losses, Evidence("auto", "auto", n, self._noise), 0.0, 1.0, 1.0)

        module = copy.deepcopy(self.module_).cpu().double()
        batch = [torch.as_tensor(array) for array in arrays]
        batch = [part.double() if part.is_floating_point() else part for part in batch]
        X_batch, y_batch, row_weight = batch
        with torch.no_grad():
            outputs = module(X_batch)
            now = (losses[0](outputs, y_batch) * row_weight).mean().item()
        error = now + error
        allowed = now + max(tolerance * error, _PRECISE)
        share = self._share_right(outputs, y_batch, row_weight)

        def accepts(module, loss):
            if not loss <= allowed:
                return False
            with torch.no_grad():
                right = self._share_right(module(X_batch), y_batch, row_weight)
            return right >= share - _MISSED * tolerance

        minor = [scores < _MINOR for scores in self.edge_scores_]
        module = snap_edges(module, make_objective, batch, functions, accepts, minor, _floor(error))
        self._take_symbolic(module)
        self._tell_what_stays(tolerance)
        if X is not None:
            self._look_back(FitTask(arrays, None, n, False, True))
        return self

    def formula(
        self,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
    ) -> object:
        """Write the network as a formula of the features, in their own units.

        Without data the formula is what ``predict`` computes, NaN where it is not real. With data
        a regressor's formula is better than that: four fifths of the rows refit its constants all
        together, and those that may be nice numbers (0, 2/3, pi ...) become them.
        ``formula_score_`` is R2 on the fifth left out of that. The network and its closed forms
        may have seen these rows: a score of the whole path needs data that neither ``fit`` nor
        ``auto_symbolic`` had.
        A classifier's constants stay; its score is the accuracy on all rows. ``formula_unreal_``
        counts the rows, of all, at which the formula is not real; they have no part in R2, and
        count as wrong in the accuracy.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), default=None
            Data to refit the constants to.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        sympy.Expr or list of sympy.Expr
            A list for several outputs, one each. A classifier's outputs are the scores that
            softmax turns into probabilities; of two classes, the log-odds of the second.
            Variables are real symbols named as the features, or ``x0``, ``x1`` ...

        Raises
        ------
        ValueError
            If an edge has no closed form yet.
        """
        check_is_fitted(self)
        names = self._names()
        expressions = network_formula(self._layer_formulas(), names, self._scales())
        if self._has_classes() and len(expressions) == 2:
            expressions = [expressions[1] - expressions[0]]
        if X is not None:
            expressions = self._fitted_to(expressions, X, y, sample_weight)
        single = len(expressions) == 1 and (self._has_classes() or self._y_is_1d)
        return expressions[0] if single else expressions

    def latex(
        self,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        digits: int = 4,
    ) -> str | list[str]:
        """Write the network's formula for LaTeX.

        Parameters
        ----------
        X, y, sample_weight
            As for :meth:`formula`.
        digits : int, default=4
            Of the constants that are no nice numbers.

        Returns
        -------
        str or list of str
            A list for several outputs.
        """
        import sympy

        formula: Any = self.formula(X, y, sample_weight=sample_weight)
        several = isinstance(formula, list)
        short = [
            form.xreplace({number: number.n(digits) for number in form.atoms(sympy.Float)})
            for form in (formula if several else [formula])
        ]
        written = [sympy.latex(form) for form in short]
        return written if several else written[0]

    def _share_right(self, outputs, y, weight):
        """Return the share of rows that get their class; of a regressor the loss says all."""
        if not self._has_classes():
            return 1.0
        label = y if y.ndim == 1 else y.argmax(dim=1)  # without labels, the network's own
        return ((outputs.argmax(dim=1) == label) * weight).mean().item()

    def _tell_what_stays(self, tolerance):
        left = [(depth, *edge) for depth, layer in enumerate(self.module_.layers)
                for edge in layer.mask.nonzero().tolist()]  # fmt: skip
        if left:
            warn_user(
                f"auto_symbolic left {len(left)} edges as they were, the first of layer "
                f"{left[0][0]}, i={left[0][1]}, j={left[0][2]}: every function of the library "
                f"would have cost more than tolerance={tolerance} allows. Raise it, or enlarge "
                "the library.",
                UserWarning,
            )

    def _suggest(self, layer, i, j, functions):
        check_is_fitted(self)
        self._check_edge(layer, i, j)
        x = self._node_quantiles[layer][:, i]
        values = self.edge_function(layer, i, j, x)
        return fit_edge(x, values, functions, floor=_floor(self._unlearnt()))

    def _unlearnt(self):
        """Return what the network's outputs are off by, in variances."""
        return _CLASSIFIER_ERROR if self._has_classes() else self.best_loss_

    def _take_symbolic(self, module):
        like = next(self.module_.parameters())
        self.module_ = module.to(like.device, like.dtype).requires_grad_(False).eval()
        self._module_config = module.config()
        for name in ("formula_score_", "formula_unreal_"):
            vars(self).pop(name, None)

    def _lesson(self, X, y, sample_weight):
        """Return arrays to learn from, a loss with its curvature, and the error in the targets."""
        if y is None:
            X = self._draws() if X is None else self._scaled(
                validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
            )  # fmt: skip
            y = self._forward(X.astype(np.float64))
            losses = squared_error(y.var() or 1.0)
            error = self._unlearnt()
        else:
            X, y = self._validate(X, y, reset=False)
            X, y = self._scaled(X), self._encode_targets(y)
            losses, error = (self._row_loss, self._curvature), 0.0
        weight = check_weights(sample_weight, X)
        weight = np.ones(len(X)) if weight is None else weight / weight.mean()
        return (X, y, weight), losses, error

    def _draws(self):
        """Draw inputs, in standard units, each from its own distribution."""
        quantiles = self._node_quantiles[0]
        levels = check_random_state(self.random_state).uniform(0, 1, (_N_DRAWS, quantiles.shape[1]))
        places = np.linspace(0, 1, len(quantiles))
        pairs = zip(levels.T, quantiles.T, strict=True)
        return np.stack([np.interp(level, places, values) for level, values in pairs], axis=1)

    def _fitted_to(self, expressions, X, y, sample_weight):
        """Return formulas with a regressor's constants fitted to data; note how good they are."""
        X, y = self._validate(X, y, reset=False)
        weight = check_weights(sample_weight, X)
        weight = np.ones(len(X)) if weight is None else weight
        if self._has_classes():
            self._score_formula(self._values(expressions, X), y, weight)
            return expressions
        y, names = y.reshape(len(X), -1), self._names()
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        fitted, tested = train_test_split(np.arange(len(X)), test_size=_HELD_OUT, random_state=seed)
        expressions = [
            tidy_constants(expression, names, X[fitted], y[fitted, k], weight[fitted])
            for k, expression in enumerate(expressions)
        ]
        self._score_formula(self._values(expressions, X), y, weight, tested)
        return expressions

    def _values(self, expressions, X):
        return np.stack([evaluate(form, self._names(), X) for form in expressions], axis=1)

    def _score_formula(self, values, y, weight, tested: Any = slice(None)):
        """Keep the score of a formula on some rows, and at how many of all it is not real."""
        real = np.isfinite(values).all(axis=1)
        self.formula_unreal_ = int((~real).sum())
        if self.formula_unreal_:
            warn_user(
                f"The formula is not real at {self.formula_unreal_} of {len(real)} rows: where an "
                "argument leaves the domain of its function. Fit and name the network on data "
                "that reach as far, or ask for nothing beyond.",
                UserWarning,
            )
        y, values, real, weight = (part[tested] for part in (y, values, real, weight))
        if self._has_classes():
            if values.shape[1] == 1:
                values = np.hstack([np.zeros_like(values), values])
            right = real & (self.classes_[values.argmax(axis=1)] == y)
            self.formula_score_ = float(np.average(right, weights=weight))
            return
        self.formula_score_ = (
            float(r2_score(y[real], values[real], sample_weight=weight[real]))
            if real.sum() > 1 else float("nan")
        )  # fmt: skip

    def _has_classes(self):
        return hasattr(self, "classes_")

    def _names(self):
        default = [f"x{i}" for i in range(self.n_features_in_)]
        return list(getattr(self, "feature_names_in_", default))

    def _scales(self):
        n_outputs = self._n_outputs()
        y_offset = getattr(self, "_y_offset", np.zeros(n_outputs))
        y_scale = getattr(self, "_y_scale", np.ones(n_outputs))
        return Scales(self._x_offset, self._x_scale, y_offset, y_scale)

    def _layer_formulas(self):
        layers = []
        for depth, layer in enumerate(copy.deepcopy(self.module_).cpu().double().layers):
            numeric = layer.mask.nonzero().tolist()
            if numeric:
                raise ValueError(
                    f"{len(numeric)} edges of layer {depth} have no closed form yet, the first "
                    f"i={numeric[0][0]}, j={numeric[0][1]}. Call auto_symbolic, with a higher "
                    "tolerance or a larger library if it left them, or fix_symbolic for each."
                )
            edges = {
                tuple(map(int, place.split("_"))): (edge.name, *edge.affine.tolist())
                for place, edge in layer.symbolic.items()
            }
            layers.append(
                LayerFormula(edges, tuple(layer.bias.tolist()), layer.n_sum, layer.n_mult)
            )
        return layers


def _floor(error):
    return max(FLOOR, _KNOWN * error)

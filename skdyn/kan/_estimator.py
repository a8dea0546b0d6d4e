"""What the regressor and the classifier share: parameters, the plan of the training, scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike

from skdyn._state import ANY_NUMBER, OPTIONAL, Shape, Since
from skdyn._tabular import TabularEstimator
from skdyn._time_limit import interrupts_end_time, time_limit
from skdyn._validation import check_is_fitted
from skdyn.base import TorchEstimator
from skdyn.kan._columns import (
    columns_of,
    learn_columns,
    learn_gaps,
    read_columns,
    with_categories_still,
    with_gaps_known,
)
from skdyn.kan._constraints import constraints_of, refuse_names_for
from skdyn.kan._edge_fit import Candidate
from skdyn.kan._few_columns import read_only
from skdyn.kan._found_laws import forget_laws, report_of
from skdyn.kan._interactions import interaction_scores
from skdyn.kan._interpretation import edge_function, look_back, prune
from skdyn.kan._left_out import leave_out, warn_of_new_rows, warn_of_own_rows
from skdyn.kan._network import KAN
from skdyn.kan._parameters import CONSTRAINTS
from skdyn.kan._plan import (
    as_it_goes_on,
    choose_optimizer,
    columns_to_read,
    follows_curvature,
    grids_at_first,
    plan_stages,
    resolved,
    sizes_at_first,
)
from skdyn.kan._ranges import (
    hold_still,
    moving_columns,
    warn_if_far,
    warn_if_unreal,
    warn_of_grids,
)
from skdyn.kan._symbolic import formula_of, in_latex, name_edge, name_edges, suggest

if TYPE_CHECKING:
    import pandas as pd


class KANEstimator(TabularEstimator):
    """Parameters and hooks of the Kolmogorov-Arnold networks."""

    _old_names = {"solver": "optimizer"}
    _parameter_constraints = {**TorchEstimator._parameter_constraints, **CONSTRAINTS}
    _no_sizes = TorchEstimator._no_sizes | {"monotone", "groups", "categories", "missing"}
    _finite, _takes_blocks = "allow-nan", True
    _quick_parameters = {"hidden_layer_sizes": (2,), "grid_sizes": 3, "max_iter": 15}
    edge_scores_: list[Annotated[np.ndarray, Shape("_ _")]]
    feature_importances_: Annotated[np.ndarray, Shape("n_features_in_")]
    monotonic_cst: Annotated[Any, Since(lambda state: None)]
    interaction_cst: Annotated[Any, Since(lambda state: None)]
    categorical_features: Annotated[Any, Since(lambda state: None)]
    categories_: Annotated[
        list[Annotated[np.ndarray, Shape("_", "fU")] | None], Since(lambda state: [])
    ]
    _lacks: Annotated[
        np.ndarray, Shape("n_features_in_", "b"),
        Since(lambda state: np.zeros_like(state["_x_scale"], dtype=bool)),
    ]  # fmt: skip
    optimizer_: Annotated[str, Since(lambda state: state["optimizer"])]
    formula_score_: Annotated[float, OPTIONAL, ANY_NUMBER]  # NaN: real at no row
    formula_unreal_: Annotated[int, OPTIONAL]
    _laws: Annotated[list[list[tuple[str, str, list[Annotated[float, ANY_NUMBER]]]]], OPTIONAL]
    _law_ranges: Annotated[np.ndarray, Shape("2 n_features_in_"), OPTIONAL]
    _law_taken: Annotated[bool, OPTIONAL]
    _edge_means: list[Annotated[np.ndarray, Shape("_ _")]]
    _node_quantiles: list[Annotated[np.ndarray, Shape("_ _")]]
    _moves: Annotated[
        np.ndarray,
        Shape("n_features_in_", "b"),
        Since(lambda state: np.ones_like(state["_x_scale"], dtype=bool)),
    ]

    _reads: Annotated[
        np.ndarray,
        Shape("n_features_in_", "b"),
        Since(lambda state: np.ones_like(state["_x_scale"], dtype=bool)),
    ]

    _fixed_at_start = frozenset({"n_init"})

    def __init__(
        self,
        hidden_layer_sizes: ArrayLike | str = "auto",
        *,
        basis: str = "bspline",
        grid_sizes: int | ArrayLike | str = "auto",
        spline_order: int = 3,
        grid_update: int | None = 5,
        extrapolation: str = "linear",
        monotonic_cst: ArrayLike | dict | None = None,
        interaction_cst: str | Sequence | None = None,
        categorical_features: ArrayLike | str | None = "from_dtype",
        smoothness: float | str = "auto",
        lamb: float = 0.0,
        lamb_l1: float = 1.0,
        lamb_entropy: float = 2.0,
        optimizer: str = "auto",
        n_init: int = 1,
        max_iter: int = 200,
        max_time: float | None = None,
        learning_rate: float = 1e-2,
        learning_rate_schedule: str = "auto",
        batch_size: int | str = "auto",
        alpha: float | str = "auto",
        clip_norm: float | None = None,
        tol: float = 1e-4,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        dtype: str = "auto",
        verbose: int = 0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.basis = basis
        self.grid_sizes = grid_sizes
        self.spline_order = spline_order
        self.grid_update = grid_update
        self.extrapolation = extrapolation
        self.monotonic_cst = monotonic_cst
        self.interaction_cst = interaction_cst
        self.categorical_features = categorical_features
        self.smoothness = smoothness
        self.lamb = lamb
        self.lamb_l1 = lamb_l1
        self.lamb_entropy = lamb_entropy
        self.optimizer = optimizer
        self.n_init = n_init
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

    edge_function = edge_function
    interaction_scores = interaction_scores
    prune = prune

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
        return suggest(self, layer, i, j, library)[:top]

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
        check_is_fitted(self)
        refuse_names_for(self, layer, i, j)
        name_edge(self, layer, i, j, name)
        return self

    def auto_symbolic(
        self,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        library: object = None,
        tolerance: float = 0.1,
        max_time: float | None = None,
        verbose: int = 0,
    ) -> Self:
        """Give all edges closed forms, in place.

        With the data of a regressor, laws are looked for first: sums, products and quotients of
        functions of a column, and functions of these, of shapes that smooth fits to the data
        single out. They are compared by a fifth of the rows that they are not fitted to and by
        their length, in ``symbolic_report_``; the network becomes the one that stands out. Else
        edges get closed forms one by one, the surest first, everything else refitted after each,
        and the formula that comes of it is compared with the others.

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
        max_time : float or None, default=None
            Seconds after which nothing more is tried; the best so far is taken. So it is on an
            interrupt from the keyboard; a second one ends the call.
        verbose : int, default=0
            1 prints what is tried.

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
        refuse_names_for(self)
        with time_limit(max_time), interrupts_end_time():
            name_edges(self, X, y, sample_weight, library, tolerance, bool(verbose))
        return self

    @property
    def symbolic_report_(self) -> pd.DataFrame:
        """The formulas that ``auto_symbolic`` compared."""
        check_is_fitted(self)
        return report_of(self)

    def formula(
        self,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        partial: bool = False,
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
        partial : bool, default=False
            Whether edges without a closed form stay as functions of that name:
            ``phi_1_0_2(...)`` is the edge of layer 1 from input 0 to subnode 2, which
            ``edge_function(1, 0, 2, x)`` computes. Constants are then as in the network.

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
        refuse_names_for(self)
        return formula_of(self, X, y, sample_weight, partial)

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
        return in_latex(self.formula(X, y, sample_weight=sample_weight), digits)

    # -- hooks of the base -------------------------------------------------------------------

    def _settings(self):
        return resolved(super()._settings(), self)

    def _at_one_rate(self, settings, told):
        if self.learning_rate_schedule == "auto":  # nobody asked for a schedule
            return settings._replace(learning_rate_schedule="constant")
        return super()._at_one_rate(settings, told)

    def _optimizer_now(self):
        """Return the optimizer: the one given, or chosen, or, before ``fit``, likely to be."""
        if self.optimizer != "auto":
            return self.optimizer
        return getattr(self, "optimizer_", "lm" if follows_curvature(self) else "adam")

    def _precision(self):
        if self.dtype != "auto":
            return self.dtype
        return "float64" if self._optimizer_now() in ("lm", "lbfgs") else "float32"

    def _precision_of_checks(self):
        # The table of the check of weights has twice as many columns as rows: too wide for "lm".
        chosen = self.dtype == self.optimizer == "auto" and isinstance(self.hidden_layer_sizes, str)
        return "float32" if chosen else self._precision()

    def _config(self, n_features, n_outputs):
        sizes, grid_sizes = sizes_at_first(self), grids_at_first(self)
        return {
            "layer_sizes": ((n_features, 0), *sizes, (n_outputs, 0)),
            "basis": self.basis,
            "grid_size": grid_sizes[0],
            "spline_order": self.spline_order,
            "extrapolation": self.extrapolation,
            **constraints_of(self),
            **columns_of(self),
        }

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.categorical = True
        return tags

    def _validate(self, X, y, reset):
        if reset:
            learn_columns(self, X)
        return super()._validate(read_columns(self, X), y, reset)

    def _read(self, X):
        return super()._read(read_columns(self, X))

    def _held(self, X, y, weight, which=""):
        numbers = with_categories_still(self, X)
        held, y = super()._held(numbers, y, weight, which)
        return held if numbers is X else X if held is numbers else np.where(
            numbers == X, held, X
        ), y

    def _learn_scales(self, X, y, weight, classes):
        super()._learn_scales(learn_gaps(self, X), y, weight, classes)
        self._moves = moving_columns(X)

    def _split(self, X, y, weight, X_val, y_val, incremental):
        goes_on = hasattr(self, "module_") and (incremental or self.warm_start)
        if not goes_on or (self.optimizer == "auto" and not follows_curvature(self)):
            self.optimizer_ = choose_optimizer(self, X, incremental)
            self._reads = np.ones(X.shape[1], dtype=bool)
            columns = None if goes_on or incremental else columns_to_read(self, X, y, weight)
            if columns is not None:
                self.optimizer_, self._reads = "lm", np.isin(np.arange(X.shape[1]), columns)
        self._moves = self._moves | moving_columns(X)  # what goes on may bring more than the start
        warn_of_grids(self, X, incremental)
        return super()._split(X, y, weight, X_val, y_val, incremental)

    def _scaled(self, X):
        return hold_still(self, X, super()._scaled(X))

    @staticmethod
    def _build_module(**config: Any) -> KAN:
        return KAN(**config)

    def _stages(self, generator, task):
        return plan_stages(self, generator, task)

    def _look_back(self, task, objective=None):
        warn_of_own_rows(self, task, objective)
        left_out = leave_out(self, task, objective)
        if left_out is not None:
            warn_of_new_rows(self, task, left_out.loss(objective))
        self._learn_spread(task, objective, left_out)
        look_back(self, task)

    def _tell_how_it_ended(self, record):
        """Leave the loss with its penalties aside: what the rows themselves lose is looked at."""
        super()._tell_how_it_ended(record._replace(trivial_loss=None))

    def _learn_spread(self, task, objective, left_out):
        """Learn how sure the answers are, if that can be asked."""

    def _forward(self, X):
        warn_if_far(self, X)
        outputs = super(KANEstimator, with_gaps_known(self, X))._forward(X)
        warn_if_unreal(self, outputs)
        return outputs

    def _initial_module(self, config, seed, keep):
        module = super()._initial_module(as_it_goes_on(self, config, keep), seed, keep)
        read_only(module, torch.as_tensor(self._reads))
        return module

    def _going_on(self, config):
        return as_it_goes_on(self, config, True)

    def _take_over(self, module, config, record, incremental):
        super()._take_over(module, module.config(), record, incremental)
        vars(self).pop("_node_quantiles", None)  # an earlier fit's
        forget_laws(self)

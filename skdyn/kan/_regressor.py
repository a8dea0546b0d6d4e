"""Kolmogorov-Arnold regression."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from skdyn._state import OPTIONAL, Shape, Since
from skdyn._tabular import TabularRegressor
from skdyn._validation import Interval, StrOptions, check_is_fitted
from skdyn.kan._columns import with_gaps_known, without_order
from skdyn.kan._estimator import KANEstimator
from skdyn.kan._losses import LARGEST_LOGARITHM, LOSSES, check_counts, count_scales
from skdyn.kan._posterior import learn_posterior, spread_of
from skdyn.kan._ranges import moving_columns
from skdyn.kan._slopes import network_slopes

__all__ = ["KANRegressor"]


class KANRegressor(KANEstimator, TabularRegressor):
    """Regressor whose network has a learnable function on every edge and sums at the nodes.

    From layer to layer [1]_,

    .. math:: x^{(l+1)}_j = b_j + \\sum_i \\phi_{ij}(x^{(l)}_i), \\qquad
        \\phi(x) = w \\, \\mathrm{silu}(x) + \\sum_k c_k B_k(x)

    Numbers may be missing (NaN): an edge has a value of its own there, drawn to its mean over the
    training data, which is the value where training data lacked none.

    Parameters
    ----------
    hidden_layer_sizes : array-like of int or (int, int), or "auto", default="auto"
        Number of nodes in each hidden layer. A pair is a number of sums and a number of products
        of two sums [2]_: ``((3, 2),)`` is one hidden layer of three sums and two products. "auto"
        is what the evidence [4]_ says with "lm": none, 1, 2, 4 or 8, or (4, 4); else (16,).
    basis : {"bspline", "rbf", "chebyshev", "fourier", "wavelet", "rational", "cauchy", \
            "selectable"}, default="bspline"
        Functions that an edge is made of; :mod:`skdyn.kan.bases` compares them and cites their
        papers. "selectable" lets each edge choose among five of them.
    grid_sizes : int or array-like of int, or "auto", default="auto"
        Number of grid intervals; every basis has ``grid_size + spline_order`` functions an edge.
        A growing list is a schedule of up to ``max_iter`` epochs on each grid, the function being
        handed over from one to the next; ``early_stopping`` takes back a grid that did not help.
        "auto" is 5; where "lm" chooses ``hidden_layer_sizes`` it chooses from 3, 5 and 10, too.
        Training that goes on refuses coarser ones.
    spline_order : int, default=3
        Degree of the splines.
    grid_update : int or None, default=5
        Epochs between two moves of the grids to where the data are now, five times on each grid;
        None leaves them where they were first.
    extrapolation : {"linear", "constant"}, default="linear"
        How edge functions go on outside the range of the data: along the chord of their outermost
        interval, from 5 % of its width farther out, or not at all. Those in closed form
        (:meth:`auto_symbolic`) go on as what they are.
    loss : {"squared", "quantile", "poisson"}, default="squared"
        What errors cost: "squared" answers with means, "quantile" with the ``quantile``, "poisson"
        with means of counts (or other numbers from zero) whose logarithm the network adds up.
        "lm" takes "squared" only; "auto" takes "adam" for the others.
    quantile : float, default=0.5
        Share of the targets to lie below the answers of ``loss="quantile"``.
    monotonic_cst : array-like of int, dict or None, default=None
        For each column 1 where the prediction may only rise with it, -1 where it may only fall,
        else 0; or such numbers by the columns' names. It holds everywhere, also outside the data:
        edges from such columns, and all that follow them, are splines whose coefficients rise [5]_.
        Of a classifier with two classes, the probability of the second. "bspline" only.
    interaction_cst : {"pairwise", "no_interactions"}, list of groups or None, default=None
        Columns that may interact: groups of names or numbers, each of which gets hidden nodes of
        its own (``hidden_layer_sizes`` are then those of one group) that only the outputs add up.
        Columns in no group form one more. "no_interactions" is an additive model.
    categorical_features : {"from_dtype"}, array-like of bool, int or str, or None, \
            default="from_dtype"
        Columns of categories, as a mask, by numbers or by names. "from_dtype" takes a data frame's
        columns of categories or text. An edge from one has a free value per level, drawn
        to zero as weights are. A level that ``fit`` did not see is answered as what the levels say
        on average, with a warning.
    smoothness : float or "auto", default="auto"
        Strength of the penalty on the edges' squared curvature [3]_; it is divided by the number
        of samples (the total of their weights). "auto" lets the data decide with "lm" [4]_; with
        the others it is 0.3 for "bspline" and 0 for other bases.
    lamb : float, default=0.0
        Strength of the penalty on the number of edges [1]_: 0.001 to 0.01 leaves only those that
        matter, for :meth:`prune` to keep.
    lamb_l1 : float, default=1.0
        Share of the edges' sizes (standard deviations over the data) in that penalty.
    lamb_entropy : float, default=2.0
        Share of the entropy of the sizes in that penalty.
    optimizer : {"auto", "adam", "adamw", "sgd", "lbfgs", "lm"}, default="auto"
        Optimizer. "lm" is Levenberg-Marquardt [4]_, for up to 5000 weights: small networks, high
        precision, penalties set by the data. It finds its own step size, takes ``tol`` as a part of
        the loss, and lets validation data, where ``early_stopping`` has them, choose the damping of
        each step. It and "lbfgs" use the full batch. "auto" is "lm" where that takes seconds (20
        steps of at most 3e10 multiply-adds in all), the table is not too wide for its rows (at most
        two weights of an additive model for each), and neither ``lamb``, ``batch_size``,
        ``dtype="float32"``, a ``learning_rate`` of your own nor a basis with learned shapes
        excludes it; else "adam" from the best linear function, with batches that grow with the
        rows.
    n_init : int, default=1
        Number of first weights to try. Where the evidence chooses the shape, for each shape; else
        the best after 50 epochs on the first grid go on. Pays with "lm" and "lbfgs", which end in
        the nearest minimum. Training that goes on refuses another number.
    max_iter : int, default=200
        Number of epochs at most.
    max_time : float or None, default=None
        Seconds after which training stops with a warning, at the end of an epoch. None sets no
        limit.
    learning_rate : float, default=0.01
        Step size of the optimizer; "lbfgs" finds its own.
    learning_rate_schedule : {"auto", "constant", "cosine", "exponential", "one_cycle", \
            "plateau"}, default="auto"
        How the step size changes over ``max_iter`` epochs. "plateau" divides it by five when the
        loss no longer falls, and stops only when that no longer helps. "auto" is "cosine" where
        ``optimizer="auto"`` chose "adam", else "constant".
    batch_size : int or "auto", default="auto"
        Cases per batch; "auto" is ``min(200, n_samples)``.
    alpha : float or "auto", default="auto"
        Strength of the L2 penalty on the weights; it is divided by the number of samples (the total
        of their weights) when added to the mean loss, as scikit-learn's networks do. "auto" is set
        by the data with ``optimizer="lm"`` [4]_, is 0 with "lbfgs" and 2 with the others, where in
        ``fit`` edges in layers of more than 16 inputs are penalized more, straight ones least.
    clip_norm : float or None, default=None
        Largest norm of the gradient; larger gradients are scaled down to it.
    tol : float, default=0.0001
        Smallest decrease of the loss that counts as an improvement.
    early_stopping : bool, default=False
        Whether to stop when the loss on validation data no longer improves, and to keep the weights
        that were best there.
    validation_fraction : float, default=0.1
        Share of the training data set aside for early stopping when ``X_val`` is not given.
    n_iter_no_change : int, default=10
        Epochs without improvement after which training stops.
    warm_start : bool, default=False
        Whether ``fit`` continues from the present weights.
    random_state : int, RandomState instance or None, default=None
        Source of the initial weights, the validation split and the order of the cases. Pass an int
        for the same model every time.
    device : str, default="auto"
        Where to train: "auto" is CUDA where it pays, else the CPU; or a torch device such as "cpu".
    dtype : {"auto", "float32", "float64"}, default="auto"
        Precision of the training; "auto" is float64 with "lm" and "lbfgs", else float32.
        Predictions are computed in the precision of their input.
    verbose : int, default=0
        1 prints a tenth of the epochs, 2 every epoch.

    Attributes
    ----------
    feature_importances_ : ndarray of shape (n_features_in_,)
        How much each input contributes to the outputs: the scores of its edges, adding up to one.
        They are taken on the training data, of more than 4096 rows on every so-manyth.
    edge_scores_ : list of ndarray of shape (n_in, n_subnodes)
        How much each edge contributes, layer by layer [2]_; an output's score is one. Subnodes are
        a layer's sums, then the factors of its products, in pairs.
    categories_ : list of (ndarray or None)
        Levels of each column, None for numbers; empty where there are numbers only.
    optimizer_ : str
        The optimizer that trained the network.
    noise_ : ndarray of shape (n_outputs,)
        Standard deviation of the noise around the answers, in units of the targets: what the
        residuals say once the weights have taken their share [4]_. Not after ``partial_fit``.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.
    module_ : torch.nn.Module
        The trained network, on standardized inputs.
    n_iter_ : int
        Number of epochs run.
    loss_curve_ : list of float
        Training loss of each epoch.
    stages_ : list of tuple of (str, int)
        Name and number of epochs of each stage of the training.
    validation_scores_ : list of float or None
        Minus the validation loss of each epoch (higher is better).
    best_loss_ : float
        Lowest validation loss, or training loss where nothing was held out.
    device_ : str
        Device the network is on.

    See Also
    --------
    KANClassifier : The same network for classes.

    References
    ----------
    .. [1] Ziming Liu et al., "KAN: Kolmogorov-Arnold Networks", ICLR 2025.
    .. [2] Z. Liu, P. Ma, Y. Wang, W. Matusik, M. Tegmark, "KAN 2.0: Kolmogorov-Arnold Networks
       Meet Science", arXiv:2408.10205, 2024.
    .. [3] P. H. C. Eilers, B. D. Marx, "Flexible Smoothing with B-splines and Penalties",
       Statistical Science 11, 1996.
    .. [4] F. D. Foresee, M. T. Hagan, "Gauss-Newton Approximation to Bayesian Learning",
       International Conference on Neural Networks, 1997.
    .. [5] C. Kelly, J. Rice, "Monotone Smoothing with Application to Dose-Response Curves and the
       Assessment of Synergism", Biometrics 46, 1990.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn import KANRegressor
    >>> X = np.random.default_rng(0).uniform(-1, 1, (300, 2))
    >>> y = np.exp(np.sin(np.pi * X[:, 0]) + X[:, 1] ** 2)
    >>> model = KANRegressor((1,), optimizer="lm", grid_sizes=(3, 10), random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9999
    True
    """

    _parameter_constraints = {
        **KANEstimator._parameter_constraints,
        "loss": [StrOptions(set(LOSSES))],
        "quantile": [Interval(Real, 0, 1, closed="neither")],
    }
    _noise = "unknown"
    loss: Annotated[str, Since(lambda state: "squared")]
    quantile: Annotated[float, Since(lambda state: 0.5)]
    _loss_unit: Annotated[
        np.ndarray, Shape("n_outputs"), Since(lambda state: np.ones_like(state["_y_scale"]))
    ]
    _y_moves: Annotated[
        np.ndarray,
        Shape("n_outputs", "b"),
        Since(lambda state: np.ones_like(state["_y_scale"], dtype=bool)),
    ]

    noise_: Annotated[np.ndarray, Shape("n_outputs"), OPTIONAL]
    _weight_root: Annotated[np.ndarray, Shape("n_packed"), OPTIONAL]
    _n_free_layers: Annotated[int, OPTIONAL]

    def __init__(
        self,
        hidden_layer_sizes: ArrayLike | str = "auto",
        *,
        basis: str = "bspline",
        grid_sizes: int | ArrayLike | str = "auto",
        spline_order: int = 3,
        grid_update: int | None = 5,
        extrapolation: str = "linear",
        loss: str = "squared",
        quantile: float = 0.5,
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
        super().__init__(
            hidden_layer_sizes,
            basis=basis, grid_sizes=grid_sizes, spline_order=spline_order, grid_update=grid_update,
            extrapolation=extrapolation, monotonic_cst=monotonic_cst,
            interaction_cst=interaction_cst, categorical_features=categorical_features,
            smoothness=smoothness, lamb=lamb, lamb_l1=lamb_l1, lamb_entropy=lamb_entropy,
            optimizer=optimizer, n_init=n_init, max_iter=max_iter, max_time=max_time,
            learning_rate=learning_rate, learning_rate_schedule=learning_rate_schedule,
            batch_size=batch_size, alpha=alpha, clip_norm=clip_norm, tol=tol,
            early_stopping=early_stopping, validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change, warm_start=warm_start, random_state=random_state,
            device=device, dtype=dtype, verbose=verbose,
        )  # fmt: skip
        self.loss = loss
        self.quantile = quantile

    def predict(self, X: ArrayLike, return_std: bool = False) -> Any:
        """Predict targets.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.
        return_std : bool, default=False
            Whether to return standard deviations as well, of what may be observed there: the
            noise, and how far the weights are free given the data and the penalties as priors
            [1]_. Of networks of more than 1200 weights, or trained by "adam" and its like, those of
            the last layer are [2]_.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions, float64.
        std : ndarray of the shape of y
            Standard deviations, if asked for.

        Raises
        ------
        ValueError
            If ``return_std`` is asked of weights that ``fit`` did not end with.

        References
        ----------
        .. [1] D. J. C. MacKay, "Bayesian Interpolation", Neural Computation 4, 1992.
        .. [2] E. Daxberger et al., "Laplace Redux: Effortless Bayesian Deep Learning", NeurIPS
           2021.
        """
        if not return_std:
            return super().predict(X)
        X = self._scaled_for_spread(X)
        y = self._forward(X).astype(np.float64) * self._y_scale + self._y_offset
        variances = [part.slopes.square().sum(dim=2) + part.noise**2 for part in spread_of(self, X)]
        std = torch.cat(variances).sqrt().cpu().numpy() * self._y_scale * self._y_moves
        return (y.ravel(), std.ravel()) if self._y_is_1d else (y, std)

    def sample_y(
        self,
        X: ArrayLike,
        n_samples: int = 1,
        random_state: int | np.random.RandomState | None = 0,
    ) -> np.ndarray:
        """Draw targets that may be observed: other weights that the data allow, and noise.

        Each draw is of one network at all rows: a curve with noise. It need not rise where
        ``monotonic_cst`` makes predictions do so.

        Parameters
        ----------
        X : array-like of shape (n_samples_X, n_features)
            Inputs.
        n_samples : int, default=1
            Number of draws.
        random_state : int, RandomState instance or None, default=0
            Source of the draws.

        Returns
        -------
        ndarray of shape (n_samples_X, n_samples) or (n_samples_X, n_outputs, n_samples)
            The draws.

        Raises
        ------
        ValueError
            If the weights are not those that ``fit`` ended with.
        """
        X, rng = self._scaled_for_spread(X), check_random_state(random_state)
        y = self._forward(X).astype(np.float64)
        weights, parts = None, []
        for part in spread_of(self, X):
            if weights is None:
                weights = torch.as_tensor(rng.standard_normal((part.slopes.shape[2], n_samples)))
            parts.append(torch.einsum("nop,ps->nos", part.slopes, weights.to(part.slopes)).cpu())
        noise = rng.standard_normal((*y.shape, n_samples)) * self.noise_[:, None]
        moves = (self._y_scale * self._y_moves)[:, None]
        draws = y[:, :, None] * self._y_scale[:, None] + self._y_offset[:, None]
        draws = draws + np.concatenate(parts) * moves + noise * self._y_moves[:, None]
        return draws[:, 0] if self._y_is_1d else draws

    def _scaled_for_spread(self, X):
        check_is_fitted(self)
        if self.loss != "squared":
            raise ValueError(
                f"Standard deviations belong to loss='squared'; this model has loss={self.loss!r}. "
                "Models with loss='quantile' give the ends of an interval."
            )
        if not hasattr(self, "_weight_root"):
            raise ValueError(
                "The standard deviation of the weights is known where fit ended: partial_fit sees "
                "only a batch, prune and closed forms change the weights, and files of earlier "
                "versions lack it. Call fit (with warm_start=True to go on from here)."
            )
        return self._scaled(self._read(X).astype(np.float64))

    def _learn_spread(self, task, objective, left_out):
        learn_posterior(self, task, objective if self.loss == "squared" else None, left_out)

    def predict_gradient(self, X: ArrayLike) -> np.ndarray:
        """Predict how fast the targets change with each feature.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples, n_features) or (n_samples, n_outputs, n_features)
            Derivatives of what :meth:`predict` returns, in units of the targets over those of the
            features, float64: exact for the network, not a difference of two predictions. Zero for
            columns that were constant in the training data, NaN for categories and missing values.
        """
        check_is_fitted(self)
        X = self._read(X)
        Z = self._scaled(X)
        slopes = network_slopes(with_gaps_known(self, Z).module_, Z)
        slopes *= (self._y_scale * self._y_moves)[:, None] / self._x_scale
        if self.loss == "poisson":
            slopes *= self._forward(Z.astype(np.float64))[:, :, None]
        slopes[..., ~self._moves] = 0
        slopes[np.broadcast_to(without_order(self, X)[:, None], slopes.shape)] = np.nan
        return slopes[:, 0] if self._y_is_1d else slopes

    def _learn_targets(self, y, weight, classes):
        super()._learn_targets(y, weight, classes)
        self._loss_unit = np.ones_like(self._y_scale)
        if self.loss == "poisson":
            self._y_offset, self._y_scale, self._loss_unit = count_scales(self._columns(y), weight)
        self._y_moves = moving_columns(self._columns(y))

    def _split(self, X, y, weight, X_val, y_val, incremental):
        y_columns = self._columns(y)
        if y_columns.shape[1] == len(self._y_moves):  # else it is refused where it is encoded
            self._y_moves = self._y_moves | moving_columns(y_columns)
        return super()._split(X, y, weight, X_val, y_val, incremental)

    def _forward(self, X):
        outputs = super()._forward(X)
        outputs[:, ~self._y_moves] = 0  # a target that is constant is known exactly
        if self.loss == "poisson":
            return np.exp(outputs.clip(max=LARGEST_LOGARITHM))
        return outputs

    def _encode_targets(self, y):
        if self.loss == "poisson":
            check_counts(self._columns(y))
        return super()._encode_targets(y)

    def _row_loss(self, prediction, y):  # pyright: ignore[reportIncompatibleMethodOverride]
        return LOSSES[self.loss].rows(prediction, y, self.quantile, self._loss_unit)

    def _constant_answer(self, y, weight):  # pyright: ignore[reportIncompatibleMethodOverride]
        return LOSSES[self.loss].constant(y, weight, self.quantile)

    @staticmethod
    def _curvature(outputs, y):
        n_outputs = y.shape[1]
        factor = torch.eye(n_outputs).to(outputs) * (2.0 / n_outputs) ** 0.5
        return (outputs - y) * (2.0 / n_outputs), factor.expand(len(y), -1, -1)

"""Kolmogorov-Arnold classification."""

from typing import Annotated

import numpy as np
import torch
from numpy.typing import ArrayLike

from skdyn._state import Since
from skdyn._tabular import TabularClassifier
from skdyn.kan._calibration import cool_down, warm_up, with_slips
from skdyn.kan._estimator import KANEstimator

__all__ = ["KANClassifier"]


class KANClassifier(KANEstimator, TabularClassifier):
    """Classifier whose network has a learnable function on every edge and sums at the nodes.

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
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    label_noise_ : float
        Share of labels that seem to be by chance, told by rows left out: no class is less probable
        than that over the number of classes.
    categories_ : list of (ndarray or None)
        Levels of each column, None for numbers; empty where there are numbers only.
    optimizer_ : str
        The optimizer that trained the network.
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
    KANRegressor : The same network for numbers.

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
    >>> from sklearn.datasets import load_iris
    >>> from skdyn import KANClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = KANClassifier(random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    """

    _noise = "known"
    label_noise_: Annotated[float, Since(lambda state: 0.0)]
    _warmth: Annotated[float, Since(lambda state: 1.0)]

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Predict class probabilities, as sure as rows left out were right.

        They are the softmax of the scores, mixed with ``label_noise_`` of what is by chance.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        share = getattr(self, "label_noise_", 0.0)  # asked by a callback, in the middle of fit
        return with_slips(super().predict_proba(X), share)

    def _initial_module(self, config, seed, keep):
        module = super()._initial_module(config, seed, keep)
        return warm_up(module, self._warmth) if keep and hasattr(self, "module_") else module

    def _learn_spread(self, task, objective, left_out):
        cool_down(self, task, objective, left_out)

    @staticmethod
    def _curvature(scores, y):
        # The Hessian is diag(p) - p p' = L L' with L = diag(sqrt(p)) - p sqrt(p)'.
        p = torch.softmax(scores, dim=1)
        root = p.sqrt()
        gradient = p - torch.nn.functional.one_hot(y, p.shape[1])
        return gradient, torch.diag_embed(root) - p[:, :, None] * root[:, None]

"""Regression by recall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from skdyn._state import Shape
from skdyn._tabular import TabularRegressor
from skdyn.hopfield._association import AssociationEstimator
from skdyn.hopfield._explanations import explain_recall
from skdyn.hopfield._index import FaissIndex
from skdyn.hopfield._links import SquaredError
from skdyn.hopfield._matching import centers
from skdyn.hopfield._modes import parts_of_sums
from skdyn.hopfield._separations import Separation
from skdyn.hopfield._store import scales

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HopfieldRegressor"]

_MEAN = 0.98  # squared error from which on there is nearly nothing but the mean


class HopfieldRegressor(AssociationEstimator, TabularRegressor):
    """Regressor that answers by recall from a Hopfield network.

    A row, standardized, is compared with stored patterns :math:`x_k`; the answer is the mean of
    their targets :math:`y_k` by the weights of one update of the network [1]_:

    .. math:: \\hat y(\\xi) = \\sum_k p_k y_k, \\qquad
        p = \\operatorname{softmax}_k\\bigl(-\\tfrac{\\beta}{2} \\lVert W\\xi - W x_k
        \\rVert^2\\bigr).

    With the identity for W, mode "stored", this is kernel regression [4]_. In mode "projected" the
    map W learns by the squared error with which each row's target is recalled from other rows, much
    as in [3]_. In mode "solved", each stored row says what makes all answers right, not what it is:

    .. math:: \\hat y(\\xi) = c^\\top W\\xi + \\sum_k v_k
        \\exp\\bigl(-\\tfrac{\\beta}{2} \\lVert W\\xi - W x_k \\rVert^2\\bigr).

    Parameters
    ----------
    mode : {"auto", "solved", "projected", "stored", "prototypes"}, default="auto"
        What is learned beside the temperature. "stored": nothing, ``fit`` stores the rows.
        "solved": values of the rows, by logistic or ridge regression on exponentials of their
        similarities, beside a linear part and in a map that is found without gradient descent [5]_.
        "projected": a linear map in which the stored rows are compared, trained to recall each row
        from a random few of the others. "prototypes": a small number of patterns and their values,
        which replace the rows. "auto" is "solved" or "stored", whichever recalls rows that are left
        out better; "stored" where rows come by ``partial_fit`` alone; and "projected" where that is
        asked for: by early stopping, ``n_components``, another similarity or separation.
    beta : float or "auto", default="auto"
        Inverse temperature: small answers with the mean of all patterns, large with the nearest
        one. It multiplies similarities divided by the total variance of the patterns, so that its
        meaning depends on neither units nor repeated features. "auto" chooses it, of powers of two,
        by the squared error of rows recalled from all the others, under a map, where one is
        learned, that has not seen them; prototypes learn it, and are tempered by such rows.
    separation : {"softmax", "sparsemax", "entmax", "topk"} or Separation, default="softmax"
        From scores to weights: all patterns take part, or only some do [2]_. Objects such as
        :class:`~skdyn.hopfield.TopKSeparation` have settings.
    similarity : {"euclidean", "dot", "cosine"}, default="euclidean"
        How rows are compared: by minus half their squared distance, their product, or the cosine
        of their angle. Mode "solved" also tries minus the distance itself [6]_.
    n_components : int or None, default=None
        Width of the space in which rows are compared, in modes "projected" and "prototypes". None
        is the number of features.
    n_prototypes : int, default=50
        Number of prototypes, of each class where there are any; they begin as centers of clusters.
    dropout : float or "auto", default="auto"
        Share of the patterns, or prototypes, that a batch does not see in training. "auto" is 0.9
        for "projected" and 0.5 for "prototypes".
    index : {"exact", "faiss"} or FaissIndex, default="exact"
        Compare queries with all patterns, or with candidates from an approximate index; that needs
        the extra ``index``. :class:`~skdyn.hopfield.FaissIndex` has settings.
    optimizer : {"adam", "adamw", "sgd", "lbfgs"}, default="adam"
        Optimizer of the weights. "lbfgs" always uses the full batch.
    max_iter : int, default=200
        Number of epochs at most.
    max_time : float or None, default=None
        Seconds after which training stops with a warning, at the end of an epoch. None sets no
        limit.
    learning_rate : float, default=0.01
        Step size of the optimizer; "lbfgs" finds its own.
    learning_rate_schedule : {"constant", "cosine", "exponential", "one_cycle", "plateau"}, \
            default="constant"
        How the step size changes over ``max_iter`` epochs. "plateau" divides it by five when the
        loss no longer falls, and stops only when that no longer helps.
    batch_size : int or "auto", default="auto"
        Cases per batch; "auto" is ``min(200, n_samples)``.
    alpha : float or "auto", default="auto"
        Strength of the L2 penalty that draws what is learned back to where it began; it is divided
        by the number of samples (the total of their weights) when added to the mean loss. "auto" is
        30 for "projected" and 1 for "prototypes".
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
    dtype : {"float32", "float64"}, default="float32"
        Precision of the training. Predictions are computed in the precision of their input.
    verbose : int, default=0
        1 prints a tenth of the epochs, 2 every epoch.

    Attributes
    ----------
    mode_ : str
        The mode in use: what "auto" chose.
    patterns_ : ndarray of shape (n_patterns, n_features_in_)
        Stored patterns in the units of X, each distinct row with its target once; or the
        prototypes.
    pattern_rows_ : ndarray of shape (n_patterns,)
        The row of the training data in which each pattern came first.
    beta_ : float
        Inverse temperature in use.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.
    module_ : torch.nn.Module
        The trained map, on standardized inputs; with the prototypes, where there are any.
    n_iter_ : int
        Number of epochs run.
    loss_curve_ : list of float
        Training loss of each epoch; in modes "stored" and "solved" that of rows left out.
    validation_scores_ : list of float or None
        Minus the validation loss of each epoch (higher is better).
    best_loss_ : float
        Lowest validation loss, or training loss where nothing was held out.
    device_ : str
        Device the network is on.

    See Also
    --------
    HopfieldClassifier : The same network for classes.

    References
    ----------
    .. [1] Hubert Ramsauer et al., "Hopfield Networks is All You Need", ICLR 2021.
    .. [2] Saul Santos, Vlad Niculae, Daniel McNamee, André Martins, "Hopfield-Fenchel-Young
       Networks: A Unified Framework for Associative Memory Retrieval", arXiv:2411.08590, 2024.
    .. [3] Jacob Goldberger, Sam Roweis, Geoffrey Hinton, Ruslan Salakhutdinov, "Neighbourhood
       Components Analysis", NIPS 2004.
    .. [4] Geoffrey Watson, "Smooth Regression Analysis", Sankhya A 26, 1964.
    .. [5] Adityanarayanan Radhakrishnan, Daniel Beaglehole, Parthe Pandit, Mikhail Belkin,
       "Mechanism for feature learning in neural networks and backpropagation-free machine learning
       models", Science 383, 2024.
    .. [6] Beren Millidge, Tommaso Salvatori, Yuhang Song, Thomas Lukasiewicz, Rafal Bogacz,
       "Universal Hopfield Networks: A General Framework for Single-Shot Associative Memory
       Models", ICML 2022.

    Examples
    --------
    >>> from sklearn.datasets import make_friedman1
    >>> from skdyn import HopfieldRegressor
    >>> X, y = make_friedman1(200, random_state=0)
    >>> model = HopfieldRegressor(random_state=0).fit(X[:150], y[:150])
    >>> model.score(X[150:], y[150:]) > 0.9
    True
    """

    _y_offset: Annotated[np.ndarray, Shape("n_values")]
    _y_scale: Annotated[np.ndarray, Shape("n_values")]
    _y_is_1d: bool

    def __init__(
        self,
        mode: str = "auto",
        *,
        beta: float | str = "auto",
        separation: str | Separation = "softmax",
        similarity: str = "euclidean",
        n_components: int | None = None,
        n_prototypes: int = 50,
        dropout: float | str = "auto",
        index: str | FaissIndex = "exact",
        optimizer: str = "adam",
        max_iter: int = 200,
        max_time: float | None = None,
        learning_rate: float = 1e-2,
        learning_rate_schedule: str = "constant",
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
        dtype: str = "float32",
        verbose: int = 0,
    ) -> None:
        self.mode = mode
        self.beta = beta
        self.separation = separation
        self.similarity = similarity
        self.n_components = n_components
        self.n_prototypes = n_prototypes
        self.dropout = dropout
        self.index = index
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

    def explain(self, X: ArrayLike, n_cases: int = 5, *, cases: Any = None) -> pd.DataFrame:
        """Tell which stored cases decided the predictions, and by how much.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.
        n_cases : int, default=5
            How many cases a row at most; the others count together.
        cases : DataFrame or Series or None, default=None
            The training data as they were passed to ``fit``, to name cases by its index. None
            names them by the numbers of their rows.

        Returns
        -------
        DataFrame
            Lines of each row of X, by its index or number ("query") and by falling weight
            ("rank"): the "case", its "kind",
            its "weight", which add up to one, its "target", and its "contribution", its
            weight times its target, which add up to the prediction; of the other cases together,
            the target is their mean. In mode "solved" cases add what was solved for, and there is a
            linear part. With several targets, these columns are numbered.

        Raises
        ------
        ValueError
            If ``n_cases`` is below one, in mode "prototypes", which keeps no cases, or if ``cases``
            has fewer rows than the training data had.
        """
        return explain_recall(self, X, n_cases, cases)

    def _parts_of_answers(self, X, patterns, weights):
        """Return weights, targets and contributions of cases and of the others."""
        targets = self._targets[patterns]
        left = (1 - weights.sum(axis=1, keepdims=True)).clip(min=0)
        if self.mode_ == "solved":
            mine, rest, line = parts_of_sums(self, X, patterns, weights)
            parts = {"weight": np.hstack([weights, left, np.zeros_like(left)])}
            told = np.hstack([targets, np.full((len(left), 2, targets.shape[2]), np.nan)])
            added = np.hstack([mine, rest, line]) * self._y_scale
            added[:, -1] += self._y_offset
        else:
            answer = self.predict(X).reshape(len(weights), 1, -1)
            mine = weights[..., None] * targets
            rest = answer - mine.sum(axis=1, keepdims=True)
            mean = rest / np.where(left > 0, left, np.nan)[..., None]
            parts = {"weight": np.hstack([weights, left])}
            told, added = np.hstack([targets, mean]), np.hstack([mine, rest])
        for i in range(told.shape[2]):
            name = "" if self._y_is_1d else f"_{i}"
            parts |= {"target" + name: told[..., i], "contribution" + name: added[..., i]}
        return parts

    def _outputs(self, X):
        return self._recalled(X).numpy()

    def _learn_stored_targets(self, store):
        self._y_offset, self._y_scale = scales(store.targets, store.mass)

    def _exact_targets(self, y):
        self._encode_targets(y)  # refuses another number of outputs
        return self._columns(y)

    def _as_values(self, targets):
        return self._encode_targets(targets)

    def _link(self):
        return SquaredError(len(self._y_scale))

    def _groups(self, values):
        return None

    def _n_prototypes(self):
        return self.n_prototypes

    def _first_prototypes(self, X, values, weight, seed):
        """Return centers, the means of their values, and the mean square around them."""
        found, labels = centers(X, weight, self.n_prototypes, seed)
        square = weight @ np.square(X - found[labels]).sum(axis=1) / weight.sum()
        mass = np.bincount(labels, weight, minlength=len(found))
        sums = [np.bincount(labels, weight * v, minlength=len(found)) for v in values.T]
        return found, np.stack(sums, axis=1) / np.maximum(mass, 1e-300)[:, None], square

    def _row_loss_on(self, values, weight):
        return lambda means, y: (means - y).square().mean(dim=-1)

    @staticmethod
    def _recalls_more_than_the_mean(choice):
        return choice.loss < _MEAN  # variances are one

    @staticmethod
    def _tempered(means, cooling):
        return cooling * means  # zero is the mean

    def _judge(self, values, mass):
        """Return the mean squared error."""

        def loss(means, n_rows):
            share = mass[:n_rows] / mass[:n_rows].sum()
            losses = (means - values[:n_rows]).square().mean(dim=2) @ share
            return losses, torch.zeros_like(losses)

        return loss

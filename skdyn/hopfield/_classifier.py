"""Classification by recall."""

from __future__ import annotations

from math import log
from numbers import Real
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from skdyn._state import Shape, Since
from skdyn._tabular import TabularClassifier
from skdyn._validation import Interval, StrOptions
from skdyn.hopfield._association import AssociationEstimator
from skdyn.hopfield._explanations import explain_recall
from skdyn.hopfield._index import FaissIndex
from skdyn.hopfield._links import LogLoss
from skdyn.hopfield._matching import centers
from skdyn.hopfield._modes import parts_of_sums
from skdyn.hopfield._separations import Separation

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HopfieldClassifier"]

_SMOOTHING = 0.01  # in training: a bound on what a single row can cost
_N_CHOSEN = 2  # beta and smoothing: what each must gain by, so that chance is not taken for a rule
_MEAN = 0.9  # smoothing from which on there is nearly nothing but the class frequencies
_MOST_ODDS = 64.0  # of the class frequencies against what is recalled: never all, to keep an order
_CERTAINTY = 5.0  # log-odds with which prototypes begin to stand for their class


class HopfieldClassifier(AssociationEstimator, TabularClassifier):
    """Classifier that answers by recall from a Hopfield network.

    A row, standardized, is compared with stored patterns :math:`x_k`; the answer is the mean of
    their classes :math:`y_k` by the weights of one update of the network [1]_:

    .. math:: P(y \\mid \\xi) = \\sum_k p_k y_k, \\qquad
        p = \\operatorname{softmax}_k\\bigl(-\\tfrac{\\beta}{2} \\lVert W\\xi - W x_k
        \\rVert^2\\bigr).

    That is mode "stored". In mode "projected", a map W of the rows begins by making the members of
    a class vary alike in all directions [4]_, and learns by minus the log-probability with which
    each row's class is recalled from other rows [3]_. In mode "solved", each stored row says what
    makes all answers right, not what it is:

    .. math:: P(y \\mid \\xi) = \\operatorname{softmax}_y\\Bigl(b_y + c_y^\\top W\\xi
        + \\sum_k v_{ky} \\exp\\bigl(-\\tfrac{\\beta}{2}
        \\lVert W\\xi - W x_k \\rVert^2\\bigr)\\Bigr).

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
        by the log-loss of rows recalled from all the others, under a map, where one is learned,
        that has not seen them; prototypes learn it, and are tempered by such rows.
    separation : {"softmax", "sparsemax", "entmax", "topk"} or Separation, default="softmax"
        From scores to weights: all patterns take part, or only some do [2]_. Objects such as
        :class:`~skdyn.hopfield.TopKSeparation` have settings.
    similarity : {"euclidean", "dot", "cosine"}, default="euclidean"
        How rows are compared: by minus half their squared distance, their product, or the cosine
        of their angle. Mode "solved" also tries minus the distance itself [6]_.
    smoothing : float or "auto", default="auto"
        Share of the class frequencies that is mixed into the probabilities. "auto" chooses it with
        ``beta``: without it, a class that no near pattern has would get a probability of zero. It
        is nearly one where recall tells the classes no better than chance. In mode "solved", whose
        probabilities are tempered as a whole, it is zero.
    n_components : int or None, default=None
        Width of the space in which rows are compared, in modes "projected" and "prototypes". None
        is the number of features.
    n_prototypes : int, default=5
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
    classes_ : ndarray of shape (n_classes,)
        Class labels.
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
    HopfieldRegressor : The same network for numbers.

    References
    ----------
    .. [1] Hubert Ramsauer et al., "Hopfield Networks is All You Need", ICLR 2021.
    .. [2] Saul Santos, Vlad Niculae, Daniel McNamee, André Martins, "Hopfield-Fenchel-Young
       Networks: A Unified Framework for Associative Memory Retrieval", arXiv:2411.08590, 2024.
    .. [3] Jacob Goldberger, Sam Roweis, Geoffrey Hinton, Ruslan Salakhutdinov, "Neighbourhood
       Components Analysis", NIPS 2004.
    .. [4] Noam Shental, Tomer Hertz, Daphna Weinshall, Misha Pavel, "Adjustment Learning and
       Relevant Component Analysis", ECCV 2002.
    .. [5] Adityanarayanan Radhakrishnan, Daniel Beaglehole, Parthe Pandit, Mikhail Belkin,
       "Mechanism for feature learning in neural networks and backpropagation-free machine learning
       models", Science 383, 2024.
    .. [6] Beren Millidge, Tommaso Salvatori, Yuhang Song, Thomas Lukasiewicz, Rafal Bogacz,
       "Universal Hopfield Networks: A General Framework for Single-Shot Associative Memory
       Models", ICML 2022.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdyn import HopfieldClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = HopfieldClassifier(random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    >>> rows, weights = model.retrieved_patterns(X[:1], n_patterns=3)
    >>> y[rows]
    array([[0, 0, 0]])
    """

    classes_: Annotated[np.ndarray, Shape("n_values", "biufOU")]
    _prior: Annotated[
        np.ndarray,
        Shape("n_values"),
        Since(lambda state: np.average(state["_values"], axis=0, weights=state["_mass"])),
    ]

    _parameter_constraints = {
        **AssociationEstimator._parameter_constraints,
        "smoothing": [Interval(Real, 0, 1, closed="both"), StrOptions({"auto"})],
    }

    def __init__(
        self,
        mode: str = "auto",
        *,
        beta: float | str = "auto",
        separation: str | Separation = "softmax",
        similarity: str = "euclidean",
        smoothing: float | str = "auto",
        n_components: int | None = None,
        n_prototypes: int = 5,
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
        self.smoothing = smoothing
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
            ("rank"): the "case", its "kind" (others count together, and so do the
            class frequencies),
            its "weight", which add up to one, its "target", and its "contribution" to the
            probability of the class that is predicted; in mode "solved" to its log-odds, against
            the mean of all classes, to which a linear part adds as well.

        Raises
        ------
        ValueError
            If ``n_cases`` is below one, in mode "prototypes", which keeps no cases, or if ``cases``
            has fewer rows than the training data had.
        """
        return explain_recall(self, X, n_cases, cases)

    def _parts_of_answers(self, X, patterns, weights):
        """Return weights, targets and contributions of cases, of the others, and of the prior."""
        probabilities = self.predict_proba(X)
        best = probabilities.argmax(axis=1)[:, None]
        if self.mode_ == "solved":
            return self._parts_of_odds(X, patterns, weights, best)
        answer = probabilities.max(axis=1, keepdims=True)
        recalled = 1 - self._smoothing
        codes = self._targets[patterns, 0].astype(np.int64)
        prior = self._smoothing * self._prior[best]
        mine = recalled * weights * (codes == best)
        rest = answer - prior - mine.sum(axis=1, keepdims=True)
        left = recalled * (1 - weights.sum(axis=1, keepdims=True))
        nothing = np.full((len(best), 2), None)
        return {
            "weight": np.hstack([recalled * weights, left, np.full_like(prior, self._smoothing)]),
            "target": np.hstack([self.classes_[codes].astype(object), nothing]),
            "contribution": np.hstack([mine, rest, prior]),
        }

    def _parts_of_odds(self, X, patterns, weights, best):
        """Return the same of log-odds against the mean of all classes."""
        parts = np.hstack([
            *parts_of_sums(self, X, patterns, weights),
            np.broadcast_to(self._offsets, (len(best), 1, len(self._offsets))),
        ])  # fmt: skip
        parts = parts - parts.mean(axis=2, keepdims=True)
        left, none = 1 - weights.sum(axis=1, keepdims=True), np.zeros((len(best), 2))
        codes = self._targets[patterns, 0].astype(np.int64)
        told = self.classes_[codes].astype(object)
        return {
            "weight": np.hstack([weights, left, none]),
            "target": np.hstack([told, np.full((len(best), 3), None)]),
            "contribution": np.take_along_axis(parts, best[..., None], axis=2)[..., 0],
        }

    def _outputs(self, X):
        means = self._recalled(X)
        if self.mode_ in ("prototypes", "solved"):  # they stand for log-odds, rows for classes
            means = means.softmax(dim=1)
        prior = torch.from_numpy(self._prior)
        return ((1 - self._smoothing) * means + self._smoothing * prior).log().numpy()

    def _settle(self, incremental):
        self._prior = self._frequencies()
        return super()._settle(incremental)

    def _settle_prototypes(self, incremental):
        if not (incremental and hasattr(self, "_prior")):
            self._prior = self._frequencies()
        super()._settle_prototypes(incremental)

    def _frequencies(self):
        return np.average(self._as_values(self._targets), axis=0, weights=self._mass)

    def _learn_stored_targets(self, store):
        """Nothing: codes of classes have no scale."""

    def _exact_targets(self, y):
        codes = np.searchsorted(self.classes_, y).clip(max=len(self.classes_) - 1)
        if (self.classes_[codes] != y).any():
            self._encode_targets(y)  # says which labels are none of the classes
        return codes[:, None].astype(np.float64)

    def _as_values(self, targets):
        return np.eye(len(self.classes_))[targets[:, 0].astype(np.int64)]

    def _link(self):
        self._prior = self._frequencies()
        return LogLoss(self._prior)

    def _groups(self, values):
        return values.argmax(axis=1)

    def _n_prototypes(self):
        return self.n_prototypes * len(self.classes_)

    def _first_prototypes(self, X, values, weight, seed):
        """Return centers within the classes, what they say, and the mean square around them."""
        groups, found, square = self._groups(values), [], 0.0
        for group in range(values.shape[1]):
            members = groups == group
            if not members.any():  # announced only
                found.append(np.tile(np.average(X, axis=0, weights=weight), (self.n_prototypes, 1)))
                continue
            mine, labels = centers(X[members], weight[members], self.n_prototypes, seed)
            square += weight[members] @ np.square(X[members] - mine[labels]).sum(axis=1)
            found.append(mine)
        values = _CERTAINTY * np.eye(values.shape[1]).repeat(self.n_prototypes, axis=0)
        return np.concatenate(found), values, square / weight.sum()

    def _as_recalled(self, mean):
        return mean.log() if self.mode_ == "prototypes" else mean

    def _row_loss_on(self, values, weight):
        if self.mode_ == "prototypes":
            return lambda means, y: -(means.log_softmax(dim=-1) * y).sum(dim=-1)
        prior = torch.from_numpy(weight @ values / weight.sum())

        def row_loss(means, y):
            p = (1 - _SMOOTHING) * means + _SMOOTHING * prior.to(means)
            return -(p * y).sum(dim=-1).log()

        return row_loss

    def _recalls_more_than_the_mean(self, choice):
        given = self.smoothing != "auto" or len(self.classes_) == 1
        return given or choice.smoothing < _MEAN

    @staticmethod
    def _tempered(means, cooling):
        return (cooling * means).softmax(dim=1)

    def _smoothings(self, n_rows):
        """Return what to choose from, by rising smoothing."""
        if self.smoothing != "auto":
            return torch.tensor([float(self.smoothing)])
        odds = 2.0 ** torch.arange(20) / (n_rows + 1)  # less than this rows cannot tell
        odds = odds[odds <= _MOST_ODDS]
        return odds / (1 + odds)

    def _judge(self, values, mass):
        """Return the log-loss of recalled probabilities, each with the best smoothing."""
        prior = mass @ values / mass.sum()

        def loss(means, n_rows):
            y, share = values[:n_rows], mass[:n_rows] / mass[:n_rows].sum()
            grid = self._smoothings(n_rows)
            right, expected = (means * y).sum(dim=2), y @ prior
            p = torch.stack([(1 - s) * right + s * expected for s in grid.tolist()])
            losses, best = (-(p.log() @ share)).min(dim=0)
            gain = -(expected.log() @ share) - losses.min()
            if self.smoothing == "auto" and gain * n_rows < _N_CHOSEN * log(n_rows):
                best = torch.full_like(best, len(grid) - 1)
            return losses, grid[best.cpu()]

        return loss

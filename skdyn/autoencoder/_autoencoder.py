"""Sparse autoencoders."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from skdyn._validation import check_is_fitted, fit_context, validate_data
from skdyn.autoencoder._estimator import SparseCoding

__all__ = ["SparseAutoencoder"]


class SparseAutoencoder(SparseCoding):
    """Dictionary of features, a few of which make up every row.

    .. math:: z = \\mathrm{act}(W_{enc} (x - b) + b_{enc}), \\qquad \\hat x = W_{dec}^\\top z + b

    with rows of norm one in the decoder :math:`W_{dec}`, the dictionary. How z becomes sparse is
    the ``allocation``'s.

    Parameters
    ----------
    n_components : int, default=512
        Number of features of the dictionary.
    k : int, default=32
        Active features a row, on average.
    allocation : {"topk"} or Allocation, default="topk"
        Which features are active in which row. "topk": the k largest of each row [1]_.
    output : {"dense", "csr"}, default="dense"
        What ``transform`` returns: a dense or a sparse array.
    optimizer : {"adam", "adamw", "sgd"}, default="adam"
        Optimiser.
    max_iter : int, default=200
        Number of epochs at most.
    learning_rate : float, default=0.001
        Step size of the optimiser.
    learning_rate_schedule : {"constant", "cosine", "exponential", "one_cycle", "plateau"}, \
            default="constant"
        How the step size changes over ``max_iter`` epochs. "plateau" divides it by five whenever
        the loss stands still and stops only when that no longer helps.
    batch_size : int or "auto", default="auto"
        Rows a batch; "auto" is ``min(200, n_samples)``.
    clip_norm : float or None, default=None
        Largest norm of the gradient; longer ones are shortened to it.
    tol : float, default=0.0001
        Improvement of the loss below which an epoch counts as standing still.
    n_iter_no_change : int, default=10
        Epochs without improvement after which training stops.
    warm_start : bool, default=False
        Whether ``fit`` continues from the present weights.
    random_state : int, RandomState instance or None, default=None
        Source of the first weights and the order of the rows. Pass an int for the same model every
        time.
    device : str, default="auto"
        Where to train: "auto" is CUDA if present, else the CPU; or a torch device such as "cpu".
    dtype : {"float32", "float64"}, default="float32"
        Precision of the training. Codes are computed in the precision of their input.
    verbose : int, default=0
        1 prints a tenth of the epochs, 2 every epoch.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features_in_)
        The dictionary; its rows have norm one.
    feature_density_ : ndarray of shape (n_components,)
        Share of the training rows in which each feature is active (of more than 65536, on so many
        evenly spaced); after ``partial_fit``, a running average over the last batches.
    n_dead_ : int
        Number of features that are never active there.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.
    module_ : torch.nn.Module
        The trained network.
    n_iter_ : int
        Number of epochs run.
    loss_curve_ : list of float
        Training loss of each epoch; the mean squared error in units of the variance.
    validation_scores_ : None
        Present for consistency.
    best_loss_ : float
        Lowest training loss.
    device_ : str
        Device the network is on.

    References
    ----------
    .. [1] Leo Gao et al., "Scaling and evaluating sparse autoencoders", arXiv:2406.04093, 2024.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdyn import SparseAutoencoder
    >>> X, _ = load_digits(return_X_y=True)
    >>> model = SparseAutoencoder(128, k=8, max_iter=30, tol=0.0, random_state=0).fit(X)
    >>> Z = model.transform(X)
    >>> Z.shape
    (1797, 128)
    >>> bool((Z > 0).sum(axis=1).max() <= 8)
    True
    """

    _quick_parameters = {"n_components": 16, "k": 3}

    def __init__(
        self,
        n_components=512,
        *,
        k=32,
        allocation="topk",
        output="dense",
        optimizer="adam",
        max_iter=200,
        learning_rate=1e-3,
        learning_rate_schedule="constant",
        batch_size="auto",
        clip_norm=None,
        tol=1e-4,
        n_iter_no_change=10,
        warm_start=False,
        random_state=None,
        device="auto",
        dtype="float32",
        verbose=0,
    ):
        self.n_components = n_components
        self.k = k
        self.allocation = allocation
        self.output = output
        self.optimizer = optimizer
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.batch_size = batch_size
        self.clip_norm = clip_norm
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.random_state = random_state
        self.device = device
        self.dtype = dtype
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn a dictionary.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data.
        y : Ignored
            Not used, present for consistency.

        Returns
        -------
        self : SparseAutoencoder
            The fitted estimator.
        """
        return self._fit(X, incremental=False)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn from one more batch of data: one epoch, with the optimiser's state kept.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data; the first call's also set the scale.
        y : Ignored
            Not used, present for consistency.

        Returns
        -------
        self : SparseAutoencoder
            The fitted estimator.
        """
        return self._fit(X, incremental=True)

    def _fit(self, X, incremental):
        with self._all_or_nothing():
            first = not (incremental and hasattr(self, "module_"))
            given = {"X": X}
            X = validate_data(self, X, reset=first, dtype=[np.float64, np.float32])
            return self._fit_arrays(X, given=given, incremental=incremental)

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Return the share of the variance that codes keep.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.
        y : Ignored
            Not used, present for consistency.

        Returns
        -------
        float
            One less the squared error of the reconstruction over the squared distance from the
            mean, of all features together; 1.0 for constant data restored without error.
        """
        check_is_fitted(self)
        codes = self._codes(X)
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        return explained_variance(X, self.inverse_transform(codes))


def explained_variance(X, reconstruction):
    """Return one less the fraction of variance unexplained.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Truth.
    reconstruction : ndarray of shape (n_samples, n_features)
        What was made of it.

    Returns
    -------
    float
    """
    X = X.astype(np.float64)
    error, total = np.sum((X - reconstruction) ** 2), np.sum((X - X.mean(axis=0)) ** 2)
    return float(1.0 - error / total) if total > 0 else float(error == 0)

"""Sparse autoencoders."""

from numbers import Integral
from typing import Self

import numpy as np

from skdyn._validation import Interval, check_is_fitted, fit_context
from skdyn.autoencoder._estimator import SparseCoding
from skdyn.autoencoder._sources import Rows, as_source
from skdyn.autoencoder._streaming import StreamedRows

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
    allocation : {"relu", "topk", "batch_topk", "gated", "jumprelu", "feature_choice", \
            "mutual_choice", "mutual_then_feature"} or Allocation, default="topk"
        Which features are active in which row. "topk": the k largest of each row [1]_. "batch_topk"
        [2]_ and "mutual_choice" [3]_: the k n largest of a batch of n rows. "feature_choice" [3]_:
        each feature takes the rows that it matches best, as many as Zipf's law allots it.
        "mutual_then_feature": the one for the first half of the training, then the other. "relu"
        [4]_ and "gated" [5]_: those that are positive, few by a penalty on their sum. "jumprelu"
        [6]_: those above thresholds that are learnt. Or an object with settings, such as
        ``JumpReLUAllocation(bandwidth=0.1)``. After training, all but "topk" compare with
        thresholds, so that no row's code depends on the rows beside it.
    l1_coefficient : float, default=1.0
        Strength of the penalty of "relu" and "gated", on the sum of a row's codes beside its
        squared error, in units in which the features' variance is one on average.
    aux : {"auxk", "zipf"} or None, default="auxk"
        Which features are made to explain what the others leave over: those that were idle for
        ``dead_after`` rows [1]_, or that are active less than half as often as Zipf's law has it
        for their rank [3]_.
    aux_coefficient : float, default=0.03125
        Strength of that auxiliary loss.
    dead_after : int, default=10000
        Training rows without being active after which a feature is dead to ``aux="auxk"``.
    prefixes : array-like of int or None, default=None
        Matryoshka training [7]_: so many of the features, the first ones, must reconstruct the rows
        alone, too, e.g. ``(32, 128)``; the loss is the mean over all the prefixes.
    sparsity_warmup : float, default=0.0
        Share of the training in which the budget falls to ``k`` from four times as much and
        ``l1_coefficient`` rises from zero.
    inference : {"encoder", "refit", "omp"}, default="encoder"
        How ``transform`` finds codes: as trained; with the encoder's features but the codes that
        reconstruct best; or k features chosen one by one, by what they explain of what is left
        (orthogonal matching pursuit [8]_), which is the best and the slowest.
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
    buffer_size : int, default=65536
        Rows in memory at a time while ``fit`` reads data larger than memory: they are shuffled in a
        buffer of so many, and scales and densities are measured on a sample of so many. Arrays on
        disk with no more rows are read whole.
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
    .. [2] Bart Bussmann, Patrick Leask, Neel Nanda, "BatchTopK Sparse Autoencoders",
       arXiv:2412.06410, 2024.
    .. [3] Kola Ayonrinde, "Adaptive Sparse Allocation with Mutual Choice & Feature Choice Sparse
       Autoencoders", arXiv:2411.02124, 2024.
    .. [4] Trenton Bricken et al., "Towards Monosemanticity: Decomposing Language Models With
       Dictionary Learning", Transformer Circuits Thread, 2023.
    .. [5] Senthooran Rajamanoharan et al., "Improving Dictionary Learning with Gated Sparse
       Autoencoders", arXiv:2404.16014, 2024.
    .. [6] Senthooran Rajamanoharan et al., "Jumping Ahead: Improving Reconstruction Fidelity with
       JumpReLU Sparse Autoencoders", arXiv:2407.14435, 2024.
    .. [7] Bart Bussmann, Noa Nabeshima, Adam Karvonen, Neel Nanda, "Learning Multi-Level Features
       with Matryoshka Sparse Autoencoders", ICML 2025.
    .. [8] Yagyensh Pati, Ramin Rezaiifar, Perinkulam Krishnaprasad, "Orthogonal Matching Pursuit",
       Asilomar Conference on Signals, Systems and Computers, 1993.

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

    _parameter_constraints = {
        **SparseCoding._parameter_constraints,
        "buffer_size": [Interval(Integral, 1, None, closed="left")],
    }
    _quick_parameters = {"n_components": 16, "k": 1}  # checks set n_components to 1

    def __init__(
        self,
        n_components=512,
        *,
        k=32,
        allocation="topk",
        l1_coefficient=1.0,
        aux="auxk",
        aux_coefficient=1 / 32,
        dead_after=10_000,
        prefixes=None,
        sparsity_warmup=0.0,
        inference="encoder",
        output="dense",
        optimizer="adam",
        max_iter=200,
        learning_rate=1e-3,
        learning_rate_schedule="constant",
        batch_size="auto",
        buffer_size=65536,
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
        self.l1_coefficient = l1_coefficient
        self.aux = aux
        self.aux_coefficient = aux_coefficient
        self.dead_after = dead_after
        self.prefixes = prefixes
        self.sparsity_warmup = sparsity_warmup
        self.inference = inference
        self.output = output
        self.optimizer = optimizer
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.batch_size = batch_size
        self.buffer_size = buffer_size
        self.clip_norm = clip_norm
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.random_state = random_state
        self.device = device
        self.dtype = dtype
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Rows, y: object = None) -> Self:
        """Learn a dictionary.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or iterable of such
            Training data. Larger than memory they are a ``numpy.memmap``, another array on disk
            with ``shape`` and ``chunks`` (Zarr, HDF5), or batches: a list of arrays, an object or a
            function that gives a new iterator over them for each epoch, or an iterator, which is
            good for one epoch.
        y : Ignored
            Not used, present for consistency.

        Returns
        -------
        self : SparseAutoencoder
            The fitted estimator.
        """
        return self._fit(X, incremental=False)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Rows, y: object = None) -> Self:
        """Learn from one more batch of data: one epoch, with the optimiser's state kept.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or iterable of such
            Training data, as in ``fit``; the first call's also set the scale.
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
            X = self._training_rows(X, first, 1 if incremental else self.max_iter)
            return self._fit_arrays(X, given=given, incremental=incremental)

    def _training_rows(self, X, reset, n_epochs):
        """Validate training data; what need not fit into memory becomes a stream."""
        source = as_source(X, self.buffer_size)
        if source is None:
            return self._check_rows(X, reset)
        if source.once and n_epochs > 1:
            raise ValueError(
                f"X is an iterator, which can be read only once, but max_iter={n_epochs} epochs "
                "read it as often. Pass a function that returns a new iterator, or a list of the "
                "batches; or set max_iter=1."
            )
        return StreamedRows(source, self._check_rows, reset, self.buffer_size)

    def score(self, X: Rows, y: object = None) -> float:
        """Return the share of the variance that codes keep.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or iterable of such
            Data, in one of the forms that ``fit`` takes.
        y : Ignored
            Not used, present for consistency.

        Returns
        -------
        float
            One less the squared error of the reconstruction over the squared distance from the
            mean, of all features together; 1.0 for constant data restored without error.
        """
        check_is_fitted(self)
        blocks = self._blocks(X)
        return explained_variance((b, self.inverse_transform(self._codes_of(b))) for b in blocks)


def explained_variance(blocks):
    """Return one less the fraction of variance unexplained.

    Parameters
    ----------
    blocks : iterable of (ndarray, ndarray)
        Truth and what was made of it, rows by rows.

    Returns
    -------
    float
    """
    error = squares = sums = n_rows = 0.0
    origin = None
    for X, reconstruction in blocks:
        X = X.astype(np.float64)
        origin = X[0] if origin is None else origin  # constant data differ from it by nothing
        error += np.sum((X - reconstruction) ** 2)
        squares, sums = squares + np.sum((X - origin) ** 2), sums + np.sum(X - origin, axis=0)
        n_rows += len(X)
    total = squares - np.sum(sums**2) / n_rows
    return float(1.0 - error / total) if total > 0 else float(error == 0)

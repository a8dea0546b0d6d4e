"""Sparse autoencoders."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skdyn._validation import StrOptions
from skdyn.autoencoder._reconstructing import Reconstructing
from skdyn.autoencoder.allocations._allocation import Allocation

__all__ = ["SparseAutoencoder"]

_AUTO = StrOptions({"auto"})


class SparseAutoencoder(Reconstructing):
    """Dictionary of features, a few of which make up every row.

    .. math:: z = \\mathrm{act}(W_{enc} (x - b) + b_{enc}), \\qquad \\hat x = W_{dec}^\\top z + b

    with rows of norm one in the decoder :math:`W_{dec}`, the dictionary. How z becomes sparse is
    the ``allocation``'s.

    Parameters
    ----------
    n_components : int, default=512
        Number of features of the dictionary.
    k : int, default=32
        Active features per row, on average; all of them, with a warning, where there are fewer.
    allocation : {"relu", "topk", "batch_topk", "gated", "jumprelu", "feature_choice", \
            "mutual_choice", "mutual_then_feature", "feature_then_mutual"} or Allocation, \
            default="feature_then_mutual"
        Which features are active in which row. "topk": the k largest of each row [1]_. "batch_topk"
        [2]_ and "mutual_choice" [3]_: the k n largest of a batch of n rows. "feature_choice" [3]_:
        each feature takes the rows that it matches best, as many as Zipf's law allots it.
        "mutual_then_feature": the one for the first half of the training, then the other;
        "feature_then_mutual": the other way round, after a fifth of it, with a least share for
        every feature, so that hardly any is dead. "relu" [4]_ and "gated" [5]_: those that are
        positive, few by a penalty on their sum. "jumprelu" [6]_: those above thresholds that are
        learned. Or an object with settings, such as ``JumpReLUAllocation(bandwidth=2.0)``. After
        training, all but "topk" compare with thresholds, so that no row's code depends on the
        rows beside it.
    l1_coefficient : float or "auto", default="auto"
        Strength of the penalty of "relu" and "gated", on the sum of a row's codes beside its
        squared error, in units in which the features' variance is one on average. "auto" steers it
        so that about ``k`` are active; under a number ``k`` has no part in them.
    aux : {"auxk", "zipf"} or None, default="zipf"
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
        Share of the training in which the budget falls to ``k`` from four times as much and an
        ``l1_coefficient`` that is a number rises from zero.
    inference : {"encoder", "refit", "omp"}, default="encoder"
        How ``transform`` finds codes: as trained; with the encoder's features but the codes that
        reconstruct best; or k features chosen one by one, by what they explain of what is left
        (orthogonal matching pursuit [8]_), which is the best and the slowest.
    output : {"dense", "csr"}, default="dense"
        What ``transform`` returns: a dense or a sparse array.
    optimizer : {"adam", "adamw", "sgd"}, default="adam"
        Optimizer of the weights.
    max_iter : int, default=100
        Number of epochs, at most if there is a ``tol``.
    max_time : float or None, default=None
        Seconds after which training stops with a warning, at the end of an epoch. None sets no
        limit.
    learning_rate : float or "auto", default="auto"
        Step size of the optimizer. "auto" is half of the inverse root of the number of steps, 0.001
        to 0.02; 0.01 where they are not known, and at most that where a training goes on.
    learning_rate_schedule : {"constant", "cosine", "exponential", "one_cycle", "plateau"}, \
            default="cosine"
        How the step size changes over ``max_iter`` epochs. "plateau" divides it by five when the
        loss no longer falls, and stops only when that no longer helps.
    batch_size : int or "auto", default="auto"
        Cases per batch; "auto" is ``min(200, n_samples)``.
    buffer_size : int, default=65536
        Rows in memory at a time while ``fit`` reads data larger than memory: they are shuffled in a
        buffer of so many, and scales and densities are measured on a sample of so many. Arrays on
        disk with no more rows are read whole.
    clip_norm : float or None, default=None
        Largest norm of the gradient; larger gradients are scaled down to it.
    tol : float or None, default=None
        Smallest decrease of the loss that counts as an improvement; None never stops early, so that
        schedules come to their end.
    n_iter_no_change : int, default=10
        Epochs without improvement after which training stops.
    warm_start : bool, default=False
        Whether ``fit`` continues from the present weights.
    random_state : int, RandomState instance or None, default=None
        Source of the initial weights and the order of the cases. Pass an int for the same model
        every time.
    device : str, default="auto"
        Where to train: "auto" is CUDA where it pays, else the CPU; or a torch device such as "cpu".
    dtype : {"float32", "float64"}, default="float32"
        Precision of the training. Codes are computed in the precision of their input.
    verbose : int, default=0
        1 prints a tenth of the epochs, 2 every epoch.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features_in_)
        The dictionary; its rows have norm one, those of a loaded one the norms they came with.
    feature_density_ : ndarray of shape (n_components,)
        Share of the training rows in which each feature is active (of more than 8192,
        on some: until each was active in eight, or 65536 were looked at); after
        ``partial_fit``, a running average over the last batches.
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

    See Also
    --------
    Transcoder : From one layer to another.
    Crosscoder : Several layers at once.
    CodebookTransformer : Choices instead of numbers.
    evaluate_dictionary : How good a dictionary is.

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
    >>> model = SparseAutoencoder(128, k=8, max_iter=30, random_state=0).fit(X)
    >>> Z = model.transform(X)
    >>> Z.shape
    (1797, 128)
    >>> bool(7 < (Z > 0).sum(axis=1).mean() < 9)
    True
    """

    _parameter_constraints = {
        **Reconstructing._parameter_constraints,
        "learning_rate": [*Reconstructing._parameter_constraints["learning_rate"], _AUTO],
    }

    def __init__(
        self,
        n_components: int = 512,
        *,
        k: int = 32,
        allocation: str | Allocation = "feature_then_mutual",
        l1_coefficient: float | str = "auto",
        aux: str | None = "zipf",
        aux_coefficient: float = 1 / 32,
        dead_after: int = 10_000,
        prefixes: ArrayLike | None = None,
        sparsity_warmup: float = 0.0,
        inference: str = "encoder",
        output: str = "dense",
        optimizer: str = "adam",
        max_iter: int = 100,
        max_time: float | None = None,
        learning_rate: float | str = "auto",
        learning_rate_schedule: str = "cosine",
        batch_size: int | str = "auto",
        buffer_size: int = 65536,
        clip_norm: float | None = None,
        tol: float | None = None,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        dtype: str = "float32",
        verbose: int = 0,
    ) -> None:
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
        self.max_time = max_time
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

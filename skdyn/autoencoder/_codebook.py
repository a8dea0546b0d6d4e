"""Codebooks: rows as sums of k codes out of many, without amounts."""

from typing import Any

import numpy as np
import torch

from skdyn._validation import StrOptions
from skdyn.autoencoder._quantizer import ASSIGNMENTS, Codebook, QuantizationObjective, start_codes
from skdyn.autoencoder._reconstructing import Reconstructing
from skdyn.training import new_generator

__all__ = ["CodebookTransformer"]

_OF_ALL = ("n_components", "k", "dead_after", "output", "optimizer", "max_iter", "learning_rate")
_OF_ALL += ("learning_rate_schedule", "clip_norm", "tol", "n_iter_no_change", "batch_size")
_OF_ALL += ("buffer_size", "warm_start", "random_state", "device", "dtype", "verbose", "max_time")


class CodebookTransformer(Reconstructing):
    """Vector quantization by several codes: every row is the sum of k out of many.

    .. math:: \\hat x = b + \\sum_{j \\in S(x)} c_j, \\qquad |S(x)| = k

    A code is present or not, there are no amounts: codes of rows are zeros and ones, and a row is
    told by k numbers [1]_. With k = 1 it is the codebook of k-means and of VQ-VAE [2]_.

    As a layer of a network, ``module_`` quantizes and passes gradients straight through [2]_: what
    comes before it learns as if the codes were the rows.

    Parameters
    ----------
    n_components : int, default=512
        Number of codes in the codebook.
    k : int, default=8
        Codes a row, all different; all of them, with a warning, where there are fewer.
    assignment : {"residual", "cosine"}, default="residual"
        Which codes stand for a row. "residual": one after the other, the one nearest to what the
        earlier ones leave; a single one is k-means' choice. "cosine": the k whose directions are
        most like the row's [1]_, which is faster and restores less.
    dead_after : int, default=10000
        Training rows without being chosen after which a code begins anew, as what a row that is
        badly restored lacks.
    output : {"dense", "csr"}, default="dense"
        What ``transform`` returns: a dense or a sparse array.
    optimizer : {"adam", "adamw", "sgd"}, default="adam"
        Optimizer of the weights.
    max_iter : int, default=100
        Number of epochs, at most if there is a ``tol``.
    max_time : float or None, default=None
        Seconds after which training stops with a warning, at the end of an epoch. None sets no
        limit.
    learning_rate : float, default=0.1
        Step size of the optimizer.
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
        The codes, of any length.
    feature_density_ : ndarray of shape (n_components,)
        Share of the training rows in which each code is used (of more than 8192,
        on some: until each was active in eight, or 65536 were looked at); after
        ``partial_fit``, a running average over the last batches.
    perplexity_ : float
        Number of codes that are in use: that many, used equally, would be as unpredictable.
    n_dead_ : int
        Number of codes that are never used there.
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
    SparseAutoencoder : Codes of numbers, not of choices.
    evaluate_dictionary : Measures of both in one table.

    References
    ----------
    .. [1] Alex Tamkin, Mohammad Taufeeque, Noah Goodman, "Codebook Features: Sparse and Discrete
       Interpretability for Neural Networks", ICML 2024, arXiv:2310.17230.
    .. [2] Aaron van den Oord, Oriol Vinyals, Koray Kavukcuoglu, "Neural Discrete Representation
       Learning", NeurIPS 2017, arXiv:1711.00937.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdyn import CodebookTransformer
    >>> X, _ = load_digits(return_X_y=True)
    >>> model = CodebookTransformer(128, k=4, max_iter=10, random_state=0).fit(X)
    >>> Z = model.transform(X)
    >>> bool((Z.sum(axis=1) == 4).all())
    True
    >>> bool(model.score(X) > 0.7)
    True
    """

    _parameter_constraints = {
        **{name: Reconstructing._parameter_constraints[name] for name in _OF_ALL},
        "assignment": [StrOptions(set(ASSIGNMENTS))],
    }
    # Checks set n_components to 1, and look for rows that change their code within three steps.
    _quick_parameters = {"n_components": 16, "k": 1, "learning_rate_schedule": "constant"}

    def __init__(
        self,
        n_components: int = 512,
        *,
        k: int = 8,
        assignment: str = "residual",
        dead_after: int = 10_000,
        output: str = "dense",
        optimizer: str = "adam",
        max_iter: int = 100,
        max_time: float | None = None,
        learning_rate: float = 0.1,
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
        self.assignment = assignment
        self.dead_after = dead_after
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

    def _config(self, n_features, n_outputs):
        self._warn_of_k()
        return {
            "n_features": n_features,
            "n_components": int(self.n_components),
            "k": self._n_active(),
            "assignment": self.assignment,
        }

    @staticmethod
    def _build_module(  # pyright: ignore[reportIncompatibleMethodOverride]: a codebook has no encoder
        **config: Any,
    ) -> Codebook:
        return Codebook(**config)

    def _objective(self, plan, generator):
        # One of its own: a pass that is taken up again draws its order alone from the other.
        seed = int(torch.randint(2**31 - 1, (), generator=generator))
        return QuantizationObjective(self.dead_after, new_generator(seed), plan)

    def _trivial_loss(self, objective, targets, goes_on):
        return None if goes_on else objective.trivial_loss

    def _steady_from(self):
        return 0.0

    def _start(self, module, X, Y, generator):
        start_codes(module, X, generator)

    def _calibrate(self, X, known, fresh, n_seen=None):
        """Do nothing: there are no thresholds, each row is compared with all codes."""

    def _tell_of_a_missed_budget(self, n_active):
        """Do nothing: every row gets k codes."""

    @property
    def perplexity_(self) -> float:
        """Number of codes that are in use, the exponential of the entropy of their shares."""
        shares = self.feature_density_[self.feature_density_ > 0].astype(np.float64)
        shares /= shares.sum()
        return float(np.exp(-np.sum(shares * np.log(shares))))

"""Crosscoders: one code for several descriptions of the same cases."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike

from skdyn._state import Shape
from skdyn._validation import is_whole
from skdyn.autoencoder._reconstructing import Reconstructing
from skdyn.autoencoder._start import start_from_data
from skdyn.autoencoder.allocations._allocation import Allocation

__all__ = ["Crosscoder"]


class Crosscoder(Reconstructing):
    """Sparse codes that several sources share: layers of a network, or several networks.

    .. math:: z = \\mathrm{act}\\Bigl(\\sum_s W_{enc}^s (x^s - b^s) + b_{enc}\\Bigr), \\qquad
       \\hat x^s = {W_{dec}^s}^\\top z + b^s

    Every source has an encoder and a decoder of its own, the codes z are common [1]_. A feature
    that several sources know has a decoder in each of them; where one lacks it, its decoder there
    is short: ``source_norms_`` tells. The sources stand side by side in the columns of X, so that a
    :class:`~sklearn.pipeline.FeatureUnion` or a :class:`~sklearn.compose.ColumnTransformer` can
    come before it. Each is scaled to the same share of the squares, so that none is learned at the
    expense of another because of its units or its width.

    Parameters
    ----------
    n_components : int, default=512
        Number of features of the dictionary.
    sources : array-like of int or None, default=None
        Number of columns of each source, in the order in which they stand side by side in X, e.g.
        ``[64, 64]``; None is a single source, which makes an autoencoder.
    k : int, default=32
        Active features per row, on average; all of them, with a warning, where there are fewer.
    allocation : {"relu", "topk", "batch_topk", "gated", "jumprelu", "feature_choice", \
            "mutual_choice", "mutual_then_feature", "feature_then_mutual"} or Allocation, \
            default="feature_then_mutual"
        Which features are active in which row, as :class:`SparseAutoencoder` explains.
    l1_coefficient : float or "auto", default="auto"
        Strength of the penalty of "relu" and "gated", on the sum of a row's codes beside its
        squared error, in units in which the features' variance is one on average. "auto" steers it
        so that about ``k`` are active; under a number ``k`` has no part in them.
    aux : {"auxk", "zipf"} or None, default="zipf"
        Which features are made to explain what the others leave over: those that were idle for
        ``dead_after`` rows, or that are active less than half as often as Zipf's law has it for
        their rank.
    aux_coefficient : float, default=0.03125
        Strength of that auxiliary loss.
    dead_after : int, default=10000
        Training rows without being active after which a feature is dead to ``aux="auxk"``.
    prefixes : array-like of int or None, default=None
        Matryoshka training: so many of the features, the first ones, must reconstruct alone, too,
        e.g. ``(32, 128)``; the loss is the mean over all the prefixes.
    sparsity_warmup : float, default=0.0
        Share of the training in which the budget falls to ``k`` from four times as much and an
        ``l1_coefficient`` that is a number rises from zero.
    inference : {"encoder", "refit", "omp"}, default="encoder"
        How ``transform`` finds codes: as trained; with the encoder's features but the codes that
        reconstruct best; or k features chosen one by one, by what they explain of what is left.
    output : {"dense", "csr"}, default="dense"
        What ``transform`` returns: a dense or a sparse array.
    optimizer : {"adam", "adamw", "sgd"}, default="adam"
        Optimizer of the weights.
    max_iter : int, default=100
        Number of epochs, at most if there is a ``tol``.
    max_time : float or None, default=None
        Seconds after which training stops with a warning, at the end of an epoch. None sets no
        limit.
    learning_rate : float, default=0.01
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
        What each feature adds to the sources, in their units and side by side. Of equal units
        and widths, its rows have norm one.
    source_widths_ : ndarray of int, shape (n_sources,)
        Number of columns of each source.
    source_norms_ : ndarray of shape (n_components, n_sources)
        Length of each feature's decoder in each source, all sources scaled alike; the squares of a
        row add up to one.
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
    SparseAutoencoder : The same of a single source.

    Notes
    -----
    ``score`` is the mean of the sources' explained variances. The decoders of a feature have norm
    one together. With the allocations "relu" and "gated" that is the penalty on the norm over all
    sources, which shares features more readily than the sum of the norms of [1]_ does.

    References
    ----------
    .. [1] Jack Lindsey et al., "Sparse Crosscoders for Cross-Layer Features and Model Diffing",
       Transformer Circuits Thread, 2024.

    Examples
    --------
    Two cameras see the same images, one of them through a mirror:

    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skdyn import Crosscoder
    >>> X, _ = load_digits(return_X_y=True)
    >>> mirrored = X.reshape(-1, 8, 8)[:, :, ::-1].reshape(-1, 64)
    >>> both = np.hstack([X, mirrored])
    >>> model = Crosscoder(64, sources=[64, 64], k=8, max_iter=10, random_state=0)
    >>> model.fit(both).transform(both).shape
    (1797, 64)
    >>> model.source_norms_.shape
    (64, 2)
    """

    source_widths_: Annotated[np.ndarray, Shape("sources", "iu")]

    _parameter_constraints = {
        **Reconstructing._parameter_constraints,
        "sources": ["array-like", None],
    }

    def __init__(
        self,
        n_components: int = 512,
        *,
        sources: ArrayLike | None = None,
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
        learning_rate: float = 0.01,
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
        self.sources = sources
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

    def _learn_sources(self, n_features):
        self.source_widths_ = check_sources(self.sources, n_features)

    def _start(self, module, X, Y, generator):
        start_from_data(module, X, Y, self._sources(), self._aims_at_k())

    def _sources(self) -> list[slice]:
        ends = np.cumsum(self.source_widths_).tolist()
        return [slice(*edges) for edges in zip([0, *ends], ends, strict=False)]

    @property
    def source_norms_(self) -> np.ndarray:
        """Length of each feature's decoder in each source, shape (n_components, n_sources)."""
        weight = self._fitted_module().decoder_weight.cpu().numpy()
        return np.stack([np.linalg.norm(weight[:, s], axis=1) for s in self._sources()], axis=1)


def check_sources(sources, n_features):
    """Return the widths of the sources.

    Parameters
    ----------
    sources : array-like of int or None
        The estimator's parameter.
    n_features : int
        Number of columns.

    Returns
    -------
    ndarray of int, shape (n_sources,)

    Raises
    ------
    ValueError
        If they are not positive whole numbers that add up to the number of columns.
    """
    widths = (n_features,) if sources is None else tuple(sources)
    whole = all(is_whole(width, 1) for width in widths)
    if not whole or sum(widths) != n_features:
        raise ValueError(
            f"sources must be positive whole numbers that add up to the {n_features} columns of X, "
            f"one per source; got {sources!r}."
        )
    return np.array(widths)

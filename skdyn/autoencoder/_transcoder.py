"""Transcoders: what one array has to do with another, through sparse codes."""

from __future__ import annotations

import os
from typing import Annotated, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import MultiOutputMixin, RegressorMixin

from skdyn._checkpoint import Checkpoint
from skdyn._scoring import r2
from skdyn._state import Since
from skdyn._validation import check_is_fitted, fit_context, validate_data
from skdyn.autoencoder._estimator import SparseCoding
from skdyn.autoencoder._rows import training_rows
from skdyn.autoencoder._sources import Rows, refuse_sequences
from skdyn.autoencoder.allocations._allocation import Allocation

__all__ = ["Transcoder"]


class Transcoder(MultiOutputMixin, RegressorMixin, SparseCoding):
    """Sparse codes of rows from which other rows are restored: a layer's outputs, say.

    .. math:: z = \\mathrm{act}(W_{enc} (x - c) + b_{enc}), \\qquad \\hat y = W_{dec}^\\top z + b

    with rows of norm one in :math:`W_{dec}`. Trained on what goes into a part of a network and what
    comes out, it replaces that part by a wide and sparse one, of which every feature can be read:
    what it looks for is a row of ``input_components_``, what it adds one of ``components_`` [1]_.
    With ``skip``, :math:`W_{skip} x` is added [2]_, so that no codes are spent on what is linear.

    It is a regressor, ``predict``, and a transformer to codes, ``transform``.

    Parameters
    ----------
    n_components : int, default=512
        Number of features of the dictionary.
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
    skip : bool, default=False
        Whether a linear function of the inputs is added to what codes stand for. It starts as the
        ridge regression of y on X and is trained along; codes learn what it leaves over.
    sparsity_warmup : float, default=0.0
        Share of the training in which the budget falls to ``k`` from four times as much and an
        ``l1_coefficient`` that is a number rises from zero.
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
    components_ : ndarray of shape (n_components, n_outputs)
        What each feature adds to the targets; rows of norm one.
    input_components_ : ndarray of shape (n_components, n_features_in_)
        How an active feature's code changes with the inputs.
    coef_ : ndarray of shape (n_outputs, n_features_in_)
        The linear function beside the codes, :math:`W_{skip}`; zeros without ``skip``.
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
        Training loss of each epoch; the mean squared error in units of the variance, with ``skip``
        of that which the ridge regression leaves over.
    validation_scores_ : None
        Present for consistency.
    best_loss_ : float
        Lowest training loss.
    device_ : str
        Device the network is on.

    See Also
    --------
    SparseAutoencoder : From a layer to itself.
    Crosscoder : Several layers at once.

    References
    ----------
    .. [1] Jacob Dunefsky, Philippe Chlenski, Neel Nanda, "Transcoders Find Interpretable LLM
       Feature Circuits", NeurIPS 2024, arXiv:2406.11944.
    .. [2] Gonçalo Paulo, Stepan Shabalin, Nora Belrose, "Transcoders Beat Sparse Autoencoders for
       Interpretability", arXiv:2501.18823, 2025. There the linear function starts at zero.

    Examples
    --------
    What the hidden layer of a small network makes of its inputs:

    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skdyn import Transcoder
    >>> X, _ = load_digits(return_X_y=True)
    >>> Y = np.tanh(X @ np.random.default_rng(0).normal(size=(64, 8)) / 40)
    >>> model = Transcoder(64, k=8, max_iter=30, learning_rate=0.01, random_state=0)
    >>> model.fit(X, Y).transform(X).shape
    (1797, 64)
    >>> model.predict(X).shape
    (1797, 8)
    >>> bool(model.score(X, Y) > 0.8)
    True
    """

    _y_is_1d: bool
    buffer_size: Annotated[int, Since(lambda state: 65536)]
    skip: Annotated[bool, Since(lambda state: False)]

    _parameter_constraints = {
        name: kinds
        for name, kinds in SparseCoding._parameter_constraints.items()
        if name != "inference"  # codes that restore targets best cannot be told from inputs
    } | {"skip": ["boolean"]}
    _autoencoding = False
    _quick_parameters = {"n_components": 16, "k": 1, "learning_rate": 0.03}  # see Reconstructing

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
        skip: bool = False,
        sparsity_warmup: float = 0.0,
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
        self.k = k
        self.allocation = allocation
        self.l1_coefficient = l1_coefficient
        self.aux = aux
        self.aux_coefficient = aux_coefficient
        self.dead_after = dead_after
        self.prefixes = prefixes
        self.skip = skip
        self.sparsity_warmup = sparsity_warmup
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

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Rows,
        y: Rows,
        sample_weight: ArrayLike | None = None,
        *,
        n_samples_total: int | None = None,
        checkpoint: Checkpoint | str | os.PathLike[str] | None = None,
    ) -> Self:
        """Learn codes of X that restore y.

        Samples over five times as far from the center as nine tenths of them, by X or by y, are
        taken as if they lay at that distance, with a warning: they would be all that is learned.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or iterable of such
            Inputs. Larger than memory they are arrays on disk or batches, as
            :meth:`SparseAutoencoder.fit` takes them.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or iterable of such
            Targets: an array, also on disk, or where X comes in batches, batches of the same sizes.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            How often each row comes, beside the others; those of weight zero never do.
        n_samples_total : int or None, default=None
            Rows of an iterator, by which schedules and phases follow the training.
        checkpoint : Checkpoint, path-like or None, default=None
            File from which an interrupted training goes on, and which it writes as it goes.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        rows = self._training_rows(X, y, sample_weight, False, self.max_iter, n_samples_total)
        given = _told(X, y, sample_weight)
        return self._fit_rows(rows, given=given, checkpoint=checkpoint)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Rows, y: Rows, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from one more batch of data: one epoch, with the optimizer's state kept.

        How many calls are to come is not known: each trains by the rule that ends a training, so
        that ``max_iter`` and ``sparsity_warmup`` have no part in it. Thresholds are measured on
        the rows of the last calls.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or iterable of such
            Inputs, as in ``fit``; the first call's also set the scales.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or iterable of such
            Targets, as in ``fit``.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            How often each row comes, beside the others of this call.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If y has another number of columns than in the first call.
        """
        goes_on = hasattr(self, "module_")
        rows = self._training_rows(X, y, sample_weight, goes_on, 1)
        return self._fit_rows(rows, given=_told(X, y, sample_weight), incremental=True)

    def _training_rows(self, X, y, sample_weight, goes_on, n_epochs, n_total=None):
        def check(block, reset):
            refuse_sequences(block.X)
            refuse_sequences(block.Y, "y")
            X, y = validate_data(
                self, block.X, block.Y, reset=reset, dtype=[np.float64, np.float32],
                multi_output=True, y_numeric=True,
            )  # fmt: skip
            Y = np.asarray(y, dtype=X.dtype).reshape(len(y), -1)
            if goes_on and Y.shape[1] != self.components_.shape[1]:
                raise ValueError(
                    f"y has {Y.shape[1]} outputs, but the model was started with "
                    f"{self.components_.shape[1]}."
                )
            self._y_is_1d = y.ndim == 1
            return X, Y

        return training_rows(
            X, y, sample_weight, check,
            reset=not goes_on, n_epochs=n_epochs, buffer_size=self.buffer_size, n_total=n_total,
        )  # fmt: skip

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict targets: what the codes of X stand for and, with ``skip``, the linear part.

        That is ``inverse_transform(transform(X)) + X @ coef_.T``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions, float64.
        """
        check_is_fitted(self)
        y = np.concatenate([self._predicted(block) for block in self._blocks(X)])
        return y.ravel() if self._y_is_1d else y

    def _predicted(self, X):
        """Return the outputs of validated rows, in float64."""
        codes = self._codes_of(X)
        if not self.skip:
            return self.inverse_transform(codes).astype(np.float64)
        X = X.astype(np.float64)  # whose offsets may be large beside what they come to
        return self.inverse_transform(codes.astype(np.float64)) + X @ self._slopes(X.dtype).T

    def _origin(self, module):
        return module.origin

    def _restored(self, module, codes, x):
        return module.decode(codes) + module.beside(x)

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the share of the targets' variance that is predicted, over all outputs at once.

        Outputs count by their variance, as they do in training; scikit-learn's default would count
        all alike, those that hardly vary included.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the samples.

        Returns
        -------
        float
            R2, weighted by variance.
        """
        return r2(y, self.predict(X), sample_weight, together=True)

    @property
    def input_components_(self) -> np.ndarray:
        """How an active feature's code changes with the inputs, shape (n_components, n_features).

        As the encoder has it; allocations with weights of their own may scale its rows.
        """
        module = self._fitted_module()
        return (module.encoder_weight * module.input_scale * module.unit).cpu().numpy()

    @property
    def coef_(self) -> np.ndarray:
        """The linear function beside the codes, shape (n_outputs, n_features)."""
        module = self._fitted_module()
        return self._slopes(str(module.encoder_weight.cpu().numpy().dtype))

    def _slopes(self, dtype):
        module = self._module_for(dtype)
        if module.skip_weight is None:
            return np.zeros((len(module.output_scale), len(module.input_scale)), dtype=dtype)
        slopes = module.skip_weight * module.input_scale / module.output_scale[:, None]
        return slopes.cpu().numpy()

    @property
    def _trivial_answer(self):
        line = "a linear function, or of the mean where training goes on"
        return line if self.skip else super()._trivial_answer

    def _config(self, n_features, n_outputs):
        config = super()._config(n_features, n_outputs)
        return config | {"skip": True} if self.skip else config


def _told(X, y, sample_weight):
    """Return what callbacks are told of the data."""
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    return {"X": X, "y": y, "metadata": metadata}

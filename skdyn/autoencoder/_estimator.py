"""What all sparse coders share: parameters, the plan of the training, codes in and out."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import scipy.sparse
import torch
from numpy.typing import ArrayLike
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning

from skdyn._checkpoint import journal_of
from skdyn._validation import (
    Interval,
    StrOptions,
    check_array,
    check_is_fitted,
    is_whole,
    validate_data,
)
from skdyn.autoencoder._calibration import calibrate, in_parts, measure_use, recent_rows
from skdyn.autoencoder._inference import INFERENCES, infer
from skdyn.autoencoder._network import SparseCoder
from skdyn.autoencoder._objective import ObjectiveSettings, ReconstructionObjective
from skdyn.autoencoder._plan import Plan, rate_for
from skdyn.autoencoder._reading import ReadableDictionary
from skdyn.autoencoder._revival import AUXILIARIES
from skdyn.autoencoder._sources import as_source, refuse_sequences
from skdyn.autoencoder._start import some_rows, start_from_data
from skdyn.autoencoder._streaming import StreamedRows, checked_blocks
from skdyn.autoencoder.allocations import ALLOCATIONS, Allocation, as_allocation
from skdyn.base import TorchEstimator
from skdyn.exceptions import warn_user
from skdyn.training import Stage, to_tensor

_SHARED = (
    "max_iter", "max_time", "learning_rate", "learning_rate_schedule", "clip_norm", "tol",
    "n_iter_no_change",
    "batch_size", "warm_start", "random_state", "device", "dtype", "verbose",
)  # fmt: skip
_GATHERED_ROWS = 512  # rows at a time at inference by least squares
_DEAD = 1e-5  # density below which a latent counts as dead: less than a row in 2^16
_MISSED = 0.25  # of k: so far off is not about k
_ROWS_AT_A_TIME = 2**13  # that are read where an array on disk, or a stream of batches, is encoded


class SparseCoding(
    ReadableDictionary, ClassNamePrefixFeaturesOutMixin, TransformerMixin, TorchEstimator
):
    """Base of the estimators with sparse codes: a sibling says what goes in and what comes out.

    A sibling validates its data and calls ``_fit_arrays(X, Y)`` with what goes in and, where that
    is something else, what comes out; ``_autoencoding`` says which.
    """

    # Never counted in weights from elsewhere.
    _not_finite = frozenset({"density", "mean_code"})
    _may_lack = frozenset({"penalty_strength"})
    _parameter_constraints = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "k": [Interval(Integral, 1, None, closed="left")],
        "allocation": [StrOptions(set(ALLOCATIONS)), Allocation],
        "l1_coefficient": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "aux": [StrOptions(set(AUXILIARIES)), None],
        "aux_coefficient": [Interval(Real, 0, None, closed="left")],
        "dead_after": [Interval(Integral, 1, None, closed="left")],
        "prefixes": ["array-like", None],
        "sparsity_warmup": [Interval(Real, 0, 1, closed="both")],
        "buffer_size": [Interval(Integral, 1, None, closed="left")],
        "inference": [StrOptions(set(INFERENCES))],
        "output": [StrOptions({"dense", "csr"})],
        "optimizer": [StrOptions({"adam", "adamw", "sgd"})],
        **{name: TorchEstimator._parameter_constraints[name] for name in _SHARED},
        "tol": [Interval(Real, 0, None, closed="left"), None],
    }
    if TYPE_CHECKING:  # of the estimators themselves
        module_: Any  # a SparseCoder, or what a sibling has in its place
        n_components: Any
        k: Any
        allocation: Any
        buffer_size: Any
        l1_coefficient: Any
        learning_rate: Any
        sparsity_warmup: Any
        output: Any

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        state.pop("_recent", None)  # data, which a model does not carry along
        return state

    def __copy__(self) -> Self:
        made = super().__copy__()
        vars(made).pop("_recent", None)
        return made

    _expected_failed_checks = {
        "check_sample_weight_equivalence_on_dense_data": (
            "weights are how often rows come, in batches that are drawn: on average, not number by "
            "number, that equals rows which are repeated"
        )
    }
    _exponents = -100, 100  # scales are float32 numbers of the network
    _autoencoding = True
    inference = "encoder"  # of siblings without the parameter

    def _settings(self):
        settings = super()._settings()
        if settings.learning_rate == "auto":  # a stage that has a plan brings its own
            settings = settings._replace(learning_rate=rate_for(Plan(None), 1, False))
        # Without a tolerance every loss counts as an improvement.
        return settings._replace(tol=-np.inf if self.tol is None else self.tol)

    def _n_active(self):
        """Return how many latents per row are active: k, or all where there are fewer."""
        return int(min(self.k, self.n_components))

    def _warn_of_k(self):
        if self.k > self.n_components:
            warn_user(
                f"k={self.k} active latents per row are more than n_components="
                f"{self.n_components}, so that codes are not sparse: all are active. Lower k or "
                "raise n_components.",
                UserWarning,
            )

    def _config(self, n_features, n_outputs):
        self._warn_of_k()
        allocation = as_allocation(self.allocation)
        allocation._validate_params()
        name = next(name for name, cls in ALLOCATIONS.items() if cls is type(allocation))
        return {
            "n_features": n_features,
            "n_outputs": n_outputs,
            "n_components": int(self.n_components),
            "k": self._n_active(),
            "allocation": name,
            "allocation_settings": tuple(sorted(allocation.get_params().items())),
            "autoencoding": self._autoencoding,
        }

    def _weights(self):
        names = [name for name in ObjectiveSettings._fields if hasattr(self, name)]
        values: dict[str, Any] = {name: getattr(self, name) for name in names}
        values["k"] = self._n_active()
        prefixes = check_prefixes(values.get("prefixes"), self.n_components)
        given = {"prefixes": prefixes, "l1_coefficient": self._given_l1()}
        return ObjectiveSettings(**values | given)

    def _given_l1(self):
        return None if self.l1_coefficient == "auto" else self.l1_coefficient

    @staticmethod
    def _build_module(**config: Any) -> SparseCoder:
        return SparseCoder(**config)

    def _fit_rows(self, rows, *, given, incremental=False, checkpoint=None, task=None):
        """Train on validated rows: arrays of inputs and, where these are others, targets.

        A ``task`` brings an objective of its own, and what its batches are cut from.
        """
        if isinstance(rows, StreamedRows):
            sample, targets, n_rows = rows.sample, rows.target_sample, rows.n_rows
        else:
            sample, targets = rows[0], rows[1] if len(rows) > 1 else None
            n_rows = len(sample)
        config = self._config(sample.shape[1], (sample if targets is None else targets).shape[1])
        goes_on = hasattr(self, "module_") and (incremental or self.warm_start)
        if goes_on:
            config = self._with_known_settings(config)
            self._refuse_other_module(config)
        known = self.module_.known_thresholds() if incremental and goes_on else None
        earlier = vars(self).pop("_recent", None) if incremental and goes_on else None
        # Calls to come are not known: partial_fit always trains as the end of a training does.
        plan = Plan(None if incremental or n_rows is None else n_rows * self.max_iter)
        if n_rows is None and not incremental:
            plan.tell_that_it_is_unknown()

        def stages(generator):
            if task is None:
                objective = self._objective(plan, generator)
            else:
                objective = task.objective(self._weights(), plan)
            stage = self._stage(rows, sample, targets, objective, generator, goes_on)
            if task is not None:
                stage = stage._replace(arrays=task.arrays, trivial_loss=None)
            if incremental:
                return [stage._replace(max_iter=1)]
            journal = journal_of(checkpoint, self, (sample,), n_rows, (objective,))
            return [stage._replace(journal=journal)]

        self._train(config, stages, incremental=incremental, **given)
        if incremental:
            self._recent = recent_rows(earlier, sample)
            self._calibrate(self._recent, known, fresh=not goes_on)
            return self
        if self.n_iter_ == self.max_iter:  # cut short, it ends as callbacks saw it
            self._calibrate(sample, known, fresh=not goes_on, n_seen=plan.n_seen)
            plan.tell_if_it_was_wrong()
        self._tell_of_a_missed_budget(measure_use(self.module_, sample))
        return self

    def _with_known_settings(self, config):
        """Let the name of an allocation mean what it did when the module was made."""
        known = getattr(self, "_module_config", {})
        named = isinstance(getattr(self, "allocation", None), str)  # siblings may have none
        if not named or known.get("allocation") != config["allocation"]:
            return config
        return config | {"allocation_settings": known["allocation_settings"]}

    def _stage(self, rows, sample, targets, objective, generator, goes_on):
        streamed = isinstance(rows, StreamedRows)
        batch_size = self._settings().batch_size_for(len(rows) if streamed else len(sample))

        def start(module, epoch):
            if epoch == 0:
                if not goes_on:
                    self._start(module, sample, targets, generator)
                objective.begin(module, sample, targets)
            return False

        plan = objective.plan
        by_plan = self.learning_rate == "auto"
        return Stage(
            objective, rows.batches(batch_size, generator) if streamed else rows, self.max_iter,
            before_epoch=start,
            after_step=objective.after_step,
            learning_rate=rate_for(plan, batch_size, goes_on) if by_plan else None,
            trivial_loss=self._trivial_loss(
                objective, sample if targets is None else targets, goes_on
            ),
            steady_from=self._steady_from(),
            progress=None if plan.n_rows is None else lambda: plan.progress,
            by_rows=False,
        )  # fmt: skip

    def _objective(self, plan, generator) -> Any:
        return ReconstructionObjective(self._weights(), plan)

    def _trivial_loss(self, objective, targets, goes_on):
        """Return the loss of the mean; what goes on measures errors in the scale it began with."""
        trivial = objective.trivial_loss + as_allocation(self.allocation).trivial_penalty
        if not goes_on:
            return trivial
        rows = some_rows(targets)
        scale = self.module_.output_scale.cpu().numpy()
        return trivial * float(np.mean(np.square((rows - rows.mean(axis=0)) * scale)))

    def _steady_from(self):
        """Return the share of the training after which its objective stays the same."""
        allocation = as_allocation(self.allocation)
        if allocation.penalizes_size and self._given_l1() is None:
            return 1.0  # its penalty is steered to the end
        return max(allocation.settles_at, self.sparsity_warmup)

    def _start(self, module, X, Y, generator):
        start_from_data(module, X, Y, aims_at_k=self._aims_at_k())

    def _calibrate(self, X, known, fresh, n_seen=np.inf):
        calibrate(self.module_, X, known, fresh and self._aims_at_k(), n_seen)

    def _aims_at_k(self):
        return as_allocation(self.allocation).aims_at_k(self._given_l1())

    def _tell_of_a_missed_budget(self, n_active):
        """Warn where training was to end with about k active latents per row and did not."""
        allocation = as_allocation(self.allocation)
        k = self._n_active()
        if not self._aims_at_k() or abs(n_active / k - 1.0) <= _MISSED:
            return
        lever = "a smaller l1_coefficient" if n_active < k else "a larger l1_coefficient"
        if not allocation.penalizes_size:
            lever = "JumpReLUAllocation(strength=...) with a larger strength"
        warn_user(
            f"{n_active:.3g} latents per row are active on the training data, not about k={k}: "
            f"allocation={self.allocation!r} had too little time to come there. Train for longer, "
            f"raise learning_rate, or set {lever}; allocations such as 'batch_topk' keep k always.",
            ConvergenceWarning,
        )

    # -- codes ---------------------------------------------------------------------------------

    def transform(self, X: ArrayLike) -> Any:
        """Return the sparse codes of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        ndarray or csr_array of shape (n_samples, n_components)
            Codes, in the precision of X; sparse with ``output="csr"``.
        """
        codes = self._codes(X)
        return codes if self.output == "csr" else codes.toarray()

    def _check_rows(self, X, reset=False):
        refuse_sequences(X)
        return validate_data(self, X, reset=reset, dtype=[np.float64, np.float32])

    def _blocks(self, X):
        """Yield validated rows: those in memory at once, others block by block."""
        source = as_source(X, _ROWS_AT_A_TIME)
        if source is None:
            yield self._check_rows(X)
        else:
            yield from checked_blocks(source.blocks(_ROWS_AT_A_TIME), self._check_rows)

    def _codes(self, X) -> Any:
        check_is_fitted(self)
        parts = [self._codes_of(block) for block in self._blocks(X)]
        if not parts:
            raise ValueError("X gave no batches; at least one with one row is needed.")
        return parts[0] if len(parts) == 1 else scipy.sparse.vstack(parts, format="csr")

    @torch.inference_mode()
    def _codes_of(self, X):
        module = self._module_for(X.dtype)
        like = next(module.parameters())
        parts = []
        n_parts = in_parts(module, len(X))
        if self.inference != "encoder":  # which gathers k rows of the decoder for every row
            n_parts = max(n_parts, -(-len(X) // _GATHERED_ROWS))
        for part in np.array_split(X, n_parts):
            support, values = self._infer(module, to_tensor(part).to(like))
            arrays = (values, support.index, support.offsets)
            shape = (len(part), module.n_components)
            data, index, offsets = (array.cpu().numpy() for array in arrays)
            parts.append(scipy.sparse.csr_array((data, index, offsets), shape=shape))
        codes: Any = parts[0] if len(parts) == 1 else scipy.sparse.vstack(parts, format="csr")
        codes.sum_duplicates()  # sorts each row
        codes.eliminate_zeros()
        return codes

    def _infer(self, module, x):
        return infer(module, x, self.inference)

    def _origin(self, module):
        """Return what no code stands for, in the module's units."""
        return module.decoder_bias

    def _restored(self, module, codes, x):
        """Return what a module makes of codes, beside the inputs that they came from."""
        return module.decode(codes)

    def inverse_transform(self, X: ArrayLike | scipy.sparse.sparray) -> np.ndarray:
        """Return what codes stand for.

        Parameters
        ----------
        X : array-like or sparse array of shape (n_samples, n_components)
            Codes.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs)
            Reconstructions, in the precision of X.

        Raises
        ------
        ValueError
            If X has another number of columns than there are components.
        """
        check_is_fitted(self)
        X = check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32])
        if X.shape[1] != self.module_.n_components:
            raise ValueError(
                f"X has {X.shape[1]} columns, but there are {self.module_.n_components} "
                "components. Pass codes as transform returns them."
            )
        module = self._module_for(X.dtype)
        scale = module.output_scale.cpu().numpy()
        weight = module.decoder_weight.cpu().numpy() / scale / module.unit.item()
        return X @ weight + self._origin(module).cpu().numpy() / scale

    @property
    def components_(self) -> np.ndarray:
        """What a code of one adds to the reconstruction, shape (n_components, n_outputs)."""
        module = self._fitted_module()
        weight = module.decoder_weight / module.output_scale / module.unit
        return weight.cpu().numpy()

    @property
    def feature_density_(self) -> np.ndarray:
        """Share of the training rows in which each latent is active, shape (n_components,).

        After ``partial_fit`` it is a running average over the last batches.
        """
        return self._fitted_module().density.cpu().numpy()

    @property
    def feature_activation_(self) -> np.ndarray:
        """Mean code of each latent where it is active (else NaN), shape (n_components,)."""
        module = self._fitted_module()
        mean = torch.where(module.density > 0, module.mean_code / module.density, torch.nan)
        return mean.cpu().numpy()

    @property
    def n_dead_(self) -> int:
        """Number of latents that are practically never active on the training data."""
        return int((self.feature_density_ < _DEAD).sum())

    @property
    def _n_features_out(self):
        return self._fitted_module().n_components

    def _fitted_module(self):
        if "module_" not in vars(self):
            raise AttributeError(f"This {type(self).__name__} is not fitted yet.")
        return self.module_


def check_prefixes(prefixes, n_components):
    """Return the numbers of latents that must reconstruct alone.

    Parameters
    ----------
    prefixes : array-like of int or None
        The estimator's parameter.
    n_components : int
        Number of latents.

    Returns
    -------
    tuple of int
        Without ``n_components``, which always counts.

    Raises
    ------
    ValueError
        If they are not whole numbers that grow and stay below or at ``n_components``.
    """
    given = () if prefixes is None else tuple(prefixes)
    whole = all(is_whole(end, 1) and end <= n_components for end in given)
    if not whole or sorted(set(given)) != list(given):
        raise ValueError(
            f"prefixes must be whole numbers that grow from 1 to n_components={n_components} at "
            f"most, e.g. (32, 128); got {prefixes!r}."
        )
    return tuple(int(end) for end in given if end < n_components)

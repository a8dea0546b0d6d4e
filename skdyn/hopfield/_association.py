"""What the classifier and the regressor share: they store, learn, and answer by recall."""

from __future__ import annotations

from math import ceil
from numbers import Integral, Real
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from skdyn._holdout import hold_out_rows
from skdyn._state import Shape, Since
from skdyn._tabular import TabularEstimator
from skdyn._validation import Interval, StrOptions, check_is_fitted, validate_data
from skdyn.base import TorchEstimator
from skdyn.exceptions import warn_user
from skdyn.hopfield._calibration import partitions, recalled_by_beta, tempered_by_cooling
from skdyn.hopfield._index import FaissIndex, candidate_chunks
from skdyn.hopfield._leave_one_out import (
    Choice,
    best_beta,
    best_of,
    best_of_ladder,
    n_recalled,
)
from skdyn.hopfield._matching import Matching, whitening
from skdyn.hopfield._recall import Recall
from skdyn.hopfield._retrieval import SIMILARITIES, retrieve, top, total_variance
from skdyn.hopfield._separations import SEPARATIONS, Separation, as_separation
from skdyn.hopfield._store import Store, merged, scales
from skdyn.training import (
    LeanNet,
    Stage,
    TrainingRecord,
    new_generator,
    resolve_device,
    resolve_dtype,
)
from skdyn.training._threads import threads_for

__all__ = ["AssociationEstimator"]

_ALPHA = {"stored": 0.0, "projected": 30.0, "prototypes": 1.0}
_DROPOUT = {"stored": 0.0, "projected": 0.9, "prototypes": 0.5}
# For each beta of leave-one-out: after a training, time is no matter.
_N_WEIGHTS = {"stored": 80_000, "projected": 2_000_000, "prototypes": 80_000}
_SHARE_OF_STEPS = 0.2  # of maps that only tell how sure answers may be
_SHORT_OF_BREATH = 3  # epochs without improvement after which such a map is near enough to its end
_COOLINGS = [2.0 ** (-power / 2) for power in range(16)] + [0.0]  # of what prototypes recall
_STEEPEST = 2.0**16  # beta of a training: beyond, nothing has a gradient
_SHARED = {k: v for k, v in TorchEstimator._parameter_constraints.items() if k != "alpha"}


class AssociationEstimator(TabularEstimator):
    """Parameters and hooks of the estimators that answer by recall."""

    beta_: float
    patterns_: Annotated[np.ndarray, Shape("patterns n_features_in_")]
    pattern_rows_: Annotated[np.ndarray, Shape("patterns", "iu")]
    _n_rows_seen: int
    _targets: Annotated[np.ndarray, Shape("rows targets", "biuf")]
    _mass: Annotated[np.ndarray, Shape("patterns")]
    _keys: Annotated[np.ndarray, Shape("patterns components")]
    _values: Annotated[np.ndarray, Shape("patterns n_values")]
    _sharpness: float
    _smoothing: float
    _cooling: Annotated[float, Since(lambda state: 1.0)]

    _parameter_constraints = {
        **_SHARED,
        "mode": [StrOptions(set(_ALPHA))],
        "beta": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "separation": [StrOptions(set(SEPARATIONS)), Separation],
        "similarity": [StrOptions(set(SIMILARITIES))],
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "n_prototypes": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left"), StrOptions({"auto"})],
        "index": [StrOptions({"exact", "faiss"}), FaissIndex],
        "alpha": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
    }
    _expected_failed_checks = {}  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]
    if TYPE_CHECKING:  # of the estimators
        alpha: Any
        beta: Any
        dropout: Any
        index: Any
        mode: Any
        n_components: Any
        n_prototypes: Any
        separation: Any
        similarity: Any
        _as_values: Any
        _exact_targets: Any
        _first_prototypes: Any
        _groups: Any
        _judge: Any
        _learn_stored_targets: Any
        _n_prototypes: Any
        _recalls_more_than_the_mean: Any
        _row_loss_on: Any
        _tempered: Any

    @property
    def _learns(self):
        """Whether there are epochs to tell of."""
        return self.mode != "stored"

    def retrieved_patterns(
        self, X: ArrayLike, n_patterns: int = 5
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find what the predictions rest on most.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.
        n_patterns : int, default=5
            How many patterns a row, at most all there are.

        Returns
        -------
        indices : ndarray of shape (n_samples, n_patterns)
            Rows of the training data, by falling weight; of equal rows the first, which then
            stands for all of them. Rows of several calls of ``partial_fit`` are counted on. In mode
            "prototypes": rows of ``patterns_``. Where an approximate index finds fewer, the rest
            are -1.
        weights : ndarray of shape (n_samples, n_patterns)
            Their weights in the prediction, out of a sum of one.

        Raises
        ------
        ValueError
            If ``n_patterns`` is below one.
        """
        if n_patterns < 1:
            raise ValueError(f"n_patterns must be at least 1; got {n_patterns!r}.")
        queries, keys, _, how = self._question(X)
        if self.index == "exact":
            indices, weights = top(queries, keys, n_patterns, **how)
        else:
            chunks = [found for _, found in self._candidates(queries, keys, how)]
            indices, weights = (torch.cat(parts) for parts in zip(*chunks))
            ranks = weights.masked_fill(indices < 0, -1.0)
            order = ranks.topk(min(n_patterns, weights.shape[1]), dim=1).indices
            indices, weights = indices.gather(1, order), weights.gather(1, order)
        indices = indices.cpu().numpy()
        rows = np.where(indices < 0, -1, self.pattern_rows_[indices])
        return rows, weights.cpu().numpy()

    def _question(self, X):
        """Return queries, keys, values and how to compare them, all in the precision of X."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        like = next(self._module_for(X.dtype).parameters())
        arrays = self._forward(self._scaled(X)), self._keys, self._values, self._mass
        queries, keys, values, mass = (torch.as_tensor(array).to(like) for array in arrays)
        how = self._how() | {"beta": self._sharpness, "mass": None if (mass == 1).all() else mass}
        return queries, keys, values, how

    def _recalled(self, X):
        queries, keys, values, how = self._question(X)
        if self.index == "exact":
            return retrieve(queries, keys, values, **how).cpu().double()
        chunks = self._candidates(queries, keys, how)
        means = [(weights[:, None] @ values[found])[:, 0] for _, (found, weights) in chunks]
        return torch.cat(means).cpu().double()

    def _candidates(self, queries, keys, how):
        """Yield what the approximate index finds."""
        settings, built = self._approximate(keys)
        return candidate_chunks(built, settings.n_candidates, queries, keys, **how)

    def _approximate(self, keys):
        """Return the index with its settings; it is built where there is none, as after loading."""
        settings = FaissIndex() if self.index == "faiss" else self.index
        if getattr(self, "_built_index", (None,))[0] != settings:
            self._built_index = settings, settings.build(torch.as_tensor(keys), self.similarity)
        return self._built_index

    def __getstate__(self):
        state = super().__getstate__()
        state.pop("_built_index", None)
        return state

    def _how(self):
        separation = as_separation(self.separation)
        return {"similarity": self.similarity, "separation": separation}

    # -- parameters ----------------------------------------------------------------------------

    def _settings(self):
        alpha = _ALPHA[self.mode] if self.alpha == "auto" else self.alpha
        return super()._settings()._replace(alpha=alpha)

    def _config(self, n_features, n_outputs):
        n_components = self.n_components or n_features
        if n_components > n_features:
            raise ValueError(
                f"n_components={n_components} is more than the {n_features} features of X."
            )
        return {
            "n_features": n_features,
            "n_components": 0 if self.mode == "stored" else n_components,
            "n_prototypes": self._n_prototypes() if self.mode == "prototypes" else 0,
            "n_values": n_outputs,
            "learns_beta": self.beta == "auto",
        }

    @staticmethod
    def _build_module(**config: Any) -> Matching:
        return Matching(**config)

    # -- storing -------------------------------------------------------------------------------

    def _fit(self, X, y, sample_weight, X_val=None, y_val=None, incremental=False, classes=None):
        if X_val is not None and self.mode == "stored":
            raise ValueError(
                "X_val was passed to fit, but mode='stored' trains nothing that could stop early. "
                "Leave it out, or choose another mode."
            )
        weights = np.asarray(1.0 if sample_weight is None else sample_weight)
        # Rows of weight zero never arrive at _split; one number stands for all rows.
        self._weighed = np.flatnonzero(weights) if weights.ndim else None
        super()._fit(X, y, sample_weight, X_val, y_val, incremental, classes)
        del self._weighed
        vars(self).pop("_calibrated", None)
        return self

    def _learn_scales(self, X, y, weight, classes):
        """Learn them from the rows as they are stored, whatever order or number they came in."""
        self._learn_targets(y, weight, classes)
        self._first = merged(self._as_store(X, y, weight, 0))
        store, _ = self._first
        self._x_offset, self._x_scale = scales(store.patterns, store.mass)
        self._learn_stored_targets(store)

    def _as_store(self, X, y, weight, n_before):
        """Return rows as they came, counted on from earlier calls."""
        rows = n_before + (np.arange(len(X)) if self._weighed is None else self._weighed)
        self._n_rows_seen = int(rows[-1] + 1)
        weight = np.ones(len(X)) if weight is None else weight
        return Store(X.astype(np.float64, copy=False), self._exact_targets(y), weight, rows)

    def _split(self, X, y, weight, X_val, y_val, incremental) -> Any:
        """Store the rows; return what is learned from, and what is watched."""
        if hasattr(self, "_first"):
            store, place = vars(self).pop("_first")
        else:
            store = self._as_store(X, y, weight, self._n_rows_seen if incremental else 0)
            if incremental and self.mode != "prototypes":
                store = Store(*map(np.concatenate, zip(self._store(), store)))
            store, place = merged(store)
        self.patterns_, self._targets, self._mass, self.pattern_rows_ = store
        if not self._learns:
            return None, None
        rows, targets, mass, _ = store
        learnt, watched = np.unique(place[-len(X) :]), None
        if X_val is not None:
            X_val, y_val = self._validate(X_val, y_val, reset=False)
            watched = (X_val, self._exact_targets(y_val), np.ones(len(X_val)))
            watched = self._arrays(*watched, np.full(len(X_val), -1))
        elif self.early_stopping and not incremental:
            seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
            labels = self._strata(store.targets[learnt, 0])
            parts = hold_out_rows(len(learnt), self.validation_fraction, seed, labels)
            learnt, held_out = (learnt[rows] for rows in parts)
            if len(held_out):
                watched = self._arrays(rows[held_out], targets[held_out], mass[held_out], held_out)
        return self._arrays(rows[learnt], targets[learnt], mass[learnt], learnt), watched

    def _store(self):
        return Store(self.patterns_, self._targets, self._mass, self.pattern_rows_)

    def _arrays(self, X, targets, mass, index):
        """Return scaled rows, values, weights of mean one, and where the rows are stored."""
        return self._scaled(X), self._as_values(targets), mass / mass.mean(), index

    def _settle(self):
        """Project the stored rows and choose beta, from the module there is; return the loss."""
        self._keys = self._forward(self._scaled(self.patterns_))
        self._values = self._as_values(self._targets)
        choice = getattr(self, "_calibrated", None)
        unit = total_variance(
            torch.as_tensor(self._keys), torch.as_tensor(self._mass), self.similarity
        )
        if choice is None:
            choice = self._choose(self._keys, self._values, self._mass, unit, self.beta)
        self.beta_, self._smoothing, self._cooling = choice.beta, choice.smoothing, 1.0
        self._sharpness = choice.beta / unit
        return choice.loss

    def _settle_prototypes(self, incremental):
        """Take keys, values and beta from the module."""
        module = self.module_
        if not incremental:
            choice = self._calibrated
            self._cooling, self._smoothing = choice.beta, choice.smoothing
        elif not hasattr(self, "_cooling"):
            self._cooling, self._smoothing = 1.0, 0.0
        learnt = module.prototypes, self._cooling * module.values
        self._keys, self._values = (tensor.detach().cpu().numpy() for tensor in learnt)
        self._mass, self.pattern_rows_ = np.ones(len(self._keys)), np.arange(len(self._keys))
        back = np.linalg.pinv(module.first_projection.cpu().numpy()).T
        self.patterns_ = self._keys @ back * self._x_scale + self._x_offset
        self.beta_ = module.beta.item() if self.beta == "auto" else self.beta
        self._sharpness = self.beta_ / module.first_unit.item()

    def _choose(self, keys, values, mass, unit, beta: Any = "auto"):
        """Return what leave-one-out prefers."""
        where = {"device": resolve_device(self.device), "dtype": torch.float32}
        keys, values, mass = (torch.as_tensor(array).to(**where) for array in (keys, values, mass))
        with threads_for(keys.numel()):
            return best_beta(
                keys, values, mass, self._judge(values, mass), unit=unit,
                n_weights=_N_WEIGHTS[self.mode],
                beta=None if beta == "auto" else beta, **self._how(),
            )  # fmt: skip

    # -- training ------------------------------------------------------------------------------

    def _stages(self, generator, task):
        """Return the one stage of the training."""
        if not task.incremental:
            self._calibrated = self._as_sure_as_before() if task.goes_on else self._calibrate(task)
        stage = self._stage(task.training, generator, task.goes_on)
        return [
            stage._replace(
                max_iter=1 if task.incremental else self.max_iter, validation=task.validation,
                trivial_loss=self._trivial_loss(task.training, task.validation),
            )
        ]  # fmt: skip

    def _stage(self, training, generator, goes_on):
        dropout = _DROPOUT[self.mode] if self.dropout == "auto" else self.dropout
        row_loss = self._row_loss_on(*training[1:3])
        n_kinds = self._n_prototypes() // self.n_prototypes
        objective = Recall(training, row_loss, dropout, generator, n_kinds, **self._how())

        def begin(module, epoch):
            if epoch or goes_on:
                return False
            self._begin(module, *training[:3])
            return True

        n_iter = ceil(_SHARE_OF_STEPS * self.max_iter)
        return Stage(objective, training, n_iter, before_epoch=begin)

    def _as_sure_as_before(self):
        """Return what was chosen first: short trainings say nothing of one that goes on."""
        smoothing: Any = getattr(self, "smoothing", "auto")
        smoothing = self._smoothing if smoothing == "auto" else smoothing
        if self.mode == "prototypes":
            return Choice(self._cooling, smoothing, 0.0)
        return Choice(self.beta_ if self.beta == "auto" else self.beta, smoothing, 0.0)

    def _calibrate(self, task):
        """Return what is best where rows are recalled by maps that have not seen them."""
        X, values, mass, _ = task.training
        if len(X) < 2:
            return Choice(1.0, 0.0, 0.0)
        answers, order = [], np.array([], dtype=np.intp)
        for learnt, asked in partitions(len(X), self._groups(values)):
            asked = asked[: n_recalled(len(asked), len(learnt), _N_WEIGHTS[self.mode])]
            arrays = tuple(array[learnt] for array in task.training)
            total = task.total_weight * arrays[2].sum() / mass.sum()
            arrays = *arrays[:2], arrays[2] / arrays[2].mean(), arrays[3]
            module = self._trained_apart(arrays, total)
            if self.mode == "prototypes":
                given = None if self.beta == "auto" else self.beta
                how = self._how() | {"beta": given, "tempered": self._tempered}
                answers.append(tempered_by_cooling(module, X[asked], **how))
            else:
                answers.append(recalled_by_beta(module, X[asked], *arrays[:3], **self._how()))
            order = np.concatenate([order, asked])

        def recall(betas):
            return torch.cat([answer(betas) for answer in answers], dim=1)

        rows = np.concatenate([order, np.setdiff1d(np.arange(len(X)), order)])
        like = {"dtype": torch.float32, "device": resolve_device(self.device)}
        values, mass = (torch.as_tensor(array[rows]).to(**like) for array in (values, mass))
        judge = self._judge(values, mass)
        with threads_for(len(order) * X.size):
            if self.mode == "prototypes":
                return best_of(_COOLINGS, recall, judge)
            return best_of_ladder(recall, judge, None if self.beta == "auto" else self.beta)

    def _tell_how_it_ended(self, record):
        """Judge by rows that a map has not seen, not by the loss of recall from a random few."""
        super()._tell_how_it_ended(record._replace(trivial_loss=None))
        if not self._recalls_more_than_the_mean(self._calibrated):
            warn_user(
                f"{type(self).__name__} recalls rows that are kept from the training no better "
                "than an answer that reads no input, which is what it nearly gives now. Pass more "
                "rows or fewer features, try mode='stored', or look for what the data cannot tell.",
                ConvergenceWarning,
            )

    def _trained_apart(self, training, total_weight):
        """Return a module that is trained on some of the rows, for fewer epochs."""
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        generator, device = new_generator(seed), resolve_device(self.device)
        module = self._build_module(**self._config(*(array.shape[1] for array in training[:2])))
        module.to(device, resolve_dtype(self._precision(), device))
        settings = self._settings()
        patience: Any = settings.n_iter_no_change
        if self.mode == "projected":  # prototypes gain to the last
            patience = min(patience, _SHORT_OF_BREATH)
        settings = settings._replace(
            alpha=settings.alpha / total_weight, n_iter_no_change=patience, early_stopping=False,
            verbose=0,
        )  # fmt: skip
        LeanNet(module, settings, generator).run([self._stage(training, generator, False)])
        return module.eval().requires_grad_(False)

    def _trivial_loss(self, training, validation):
        """Return the loss of recalling the mean of all values, whatever is asked."""
        _, values, mass, _ = map(torch.as_tensor, training)
        mean = self._as_recalled(torch.tensordot(mass, values, dims=1) / mass.sum())
        _, y, weight, _ = map(torch.as_tensor, training if validation is None else validation)
        row_loss = self._row_loss_on(*training[1:3])
        return (row_loss(mean.expand(len(y), -1), y) * weight).mean().item()

    def _as_recalled(self, mean):
        """Return a mean of values in the form in which the network recalls it."""
        return mean

    def _begin(self, module, X, values, mass):
        """Let the module begin from what is known without a gradient."""
        n_components = module.first_projection.shape[0]
        projection = whitening(X, mass, self._groups(values), n_components)
        X = X @ projection.T
        unit = total_variance(torch.as_tensor(X), torch.as_tensor(mass), self.similarity)
        choice = self._choose(X, values, mass, unit)
        module.begin(projection=projection, beta=choice.beta, unit=unit)
        if self.mode == "prototypes":
            seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
            prototypes, values, spread = self._first_prototypes(X, values, mass, seed)
            beta = n_components**0.5 * unit / (spread or unit) if self.beta == "auto" else self.beta
            module.begin(prototypes=prototypes, values=values, beta=min(beta, _STEEPEST))

    def _train(self, config, make_stages, *, incremental=False, **told):
        if self._learns:
            super()._train(config, make_stages, incremental=incremental, **told)
            return
        device = resolve_device(self.device)
        module = self._build_module(**config).to(device, resolve_dtype("float64", device))
        self._take_over(module.eval(), config, TrainingRecord([], None, "tol"), incremental=False)

    def _take_over(self, module, config, record, incremental):
        self.module_ = module
        vars(self).pop("_built_index", None)
        if self.mode == "prototypes":
            self._settle_prototypes(incremental)
        else:
            loss = self._settle()
            record.loss_curve.extend([] if self._learns else [loss])
        super()._take_over(module, config, record, incremental)
        if self.index != "exact":
            self._approximate(self._keys)

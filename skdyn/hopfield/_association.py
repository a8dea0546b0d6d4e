"""What the classifier and the regressor share: they store, learn, and answer by recall."""

from __future__ import annotations

from functools import cached_property
from math import ceil
from numbers import Integral, Real
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from skdyn._blocks import in_blocks
from skdyn._holdout import hold_out_rows
from skdyn._state import OPTIONAL, OneOf, Shape, Since
from skdyn._tabular import TabularEstimator
from skdyn._validation import Interval, StrOptions, check_is_fitted, validate_data
from skdyn.base import TorchEstimator
from skdyn.exceptions import warn_user
from skdyn.hopfield._calibration import N_WEIGHTS, calibrated
from skdyn.hopfield._frozen_memory import FrozenMemory
from skdyn.hopfield._index import FaissIndex, as_index
from skdyn.hopfield._kept import Kept
from skdyn.hopfield._leave_one_out import Choice, best_beta
from skdyn.hopfield._matching import Matching, whitening
from skdyn.hopfield._modes import (
    MODES,
    OF_SOLVED,
    TRAINED,
    first_mode,
    recalled_sums,
    settle_untrained,
    warn_where_rows_tell_more,
)
from skdyn.hopfield._recall import Recall
from skdyn.hopfield._retrieval import SIMILARITIES, total_variance
from skdyn.hopfield._separations import SEPARATIONS, Separation, as_separation
from skdyn.hopfield._store import Store, merged, scales
from skdyn.training import (
    Stage,
    TrainingRecord,
    resolve_device,
    resolve_dtype,
)
from skdyn.training._threads import threads_for

__all__ = ["AssociationEstimator"]

_ALPHA = {"projected": 30.0, "prototypes": 1.0}
_DROPOUT = {"projected": 0.9, "prototypes": 0.5}
_SHARE_OF_STEPS = 0.2  # of maps that only tell how sure answers may be
_STEEPEST = 2.0**16  # beta of a training: beyond, nothing has a gradient
_SHARED = {k: v for k, v in TorchEstimator._parameter_constraints.items() if k != "alpha"}


class AssociationEstimator(TabularEstimator):
    """Parameters and hooks of the estimators that answer by recall."""

    mode_: Annotated[str, OneOf(MODES[1:]), Since(lambda state: state["mode"])]
    beta_: float
    patterns_: Annotated[np.ndarray, Shape("patterns n_features_in_")]
    pattern_rows_: Annotated[np.ndarray, Shape("patterns", "iu")]
    _n_rows_seen: int
    _targets: Annotated[np.ndarray, Shape("rows targets", "biuf")]
    _mass: Annotated[np.ndarray, Shape("patterns")]
    _keys: Annotated[np.ndarray, Shape("keys components"), OPTIONAL]  # where a map was learned
    _values: Annotated[np.ndarray, Shape("keys n_values")]
    _sharpness: float
    _smoothing: float
    _cooling: Annotated[float, Since(lambda state: 1.0)]
    _slopes: Annotated[np.ndarray, Shape("n_features_in_ n_values"), OPTIONAL]  # of mode "solved"
    _offsets: Annotated[np.ndarray, Shape("n_values"), OPTIONAL]  # the same
    _likeness: Annotated[str, OneOf(("euclidean", "distance")), OPTIONAL]

    _places_data = True
    _parameter_constraints = {
        **_SHARED,
        "mode": [StrOptions(set(MODES))],
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
        return first_mode(self, False, False) in TRAINED

    @property
    def _trains(self):
        return self.mode_ in TRAINED

    @classmethod
    def _check_state(cls, state):
        if "_values" not in state:
            return
        mode = state["mode_"]
        needed = {"_keys", *OF_SOLVED} if mode == "solved" else set()
        if mode in TRAINED:
            needed = {"_keys"}
        if needed - state.keys():
            raise ValueError(f"The state of {cls.__name__} lacks {sorted(needed - state.keys())}.")
        n_values, n_patterns = len(state["_values"]), len(state["patterns_"])
        if n_values > n_patterns or (n_values < n_patterns and mode != "solved"):
            raise ValueError(
                f"{n_values} _values of {cls.__name__} are for {n_patterns} patterns_."
            )

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
        queries, memory = self._question(X)
        indices, weights = (part.cpu().numpy() for part in memory.nearest(queries, n_patterns))
        return np.where(indices < 0, -1, self.pattern_rows_[indices]), weights

    def _question(self, X):
        """Return queries and the memory that they ask, in the precision of X."""
        check_is_fitted(self)
        # Solved values may be large, of both signs: their sums need all digits.
        dtypes: Any = np.float64 if self.mode_ == "solved" else [np.float64, np.float32]
        X = validate_data(self, X, reset=False, dtype=dtypes)
        like = next(self._module_for(X.dtype).parameters())
        return torch.as_tensor(self._forward(self._scaled(X))).to(like), self._memory().to(like)

    def _recalled(self, X):
        queries, memory = self._question(X)
        if self.mode_ == "solved":
            return recalled_sums(self, queries, memory)
        return memory.means(queries).cpu().double()

    @cached_property
    def _kept(self):
        return Kept()

    def _memory(self) -> FrozenMemory:
        """Return the memory of what was stored, in the precision it was stored in."""
        keys = self.patterns_ if self.mode_ == "stored" else self._keys
        arrays = keys, self._values, self._mass
        index = as_index(self.index)
        separation = as_separation(self.separation)
        return self._kept.get(
            self._remember, *arrays, self._sharpness, self._compared_by(), separation, index
        )

    def _compared_by(self):
        return self._likeness if self.mode_ == "solved" else self.similarity

    def _remember(self, keys, values, mass, *how):
        keys = in_blocks(self._scaled, keys) if self.mode_ == "stored" else keys
        alike = self.mode_ == "solved" or (mass == 1).all()  # in solved values, masses are in them
        mass = None if alike else torch.from_numpy(mass)
        memory = FrozenMemory(torch.as_tensor(keys), torch.as_tensor(values), mass, *how)
        if memory.index is not None:
            memory.built  # noqa: B018 - now, not at the first question
        return memory

    def _how(self):
        separation = as_separation(self.separation)
        return {"similarity": self.similarity, "separation": separation}

    # -- parameters ----------------------------------------------------------------------------

    def _settings(self):
        alpha = _ALPHA.get(self.mode_, 0.0) if self.alpha == "auto" else self.alpha
        return super()._settings()._replace(alpha=alpha)

    def _config(self, n_features, n_outputs):
        n_components = self.n_components or n_features
        if n_components > n_features:
            raise ValueError(
                f"n_components={n_components} is more than the {n_features} features of X."
            )
        return {
            "n_features": n_features,
            "n_components": 0 if self.mode_ == "stored" else n_components,
            "n_prototypes": self._n_prototypes() if self.mode_ == "prototypes" else 0,
            "n_values": n_outputs,
            "learns_beta": self.beta == "auto",
        }

    @staticmethod
    def _build_module(**config: Any) -> Matching:
        return Matching(**config)

    # -- storing -------------------------------------------------------------------------------

    def _fit(self, X, y, sample_weight, X_val=None, y_val=None, incremental=False, classes=None):
        self.mode_ = first_mode(self, X_val is not None, incremental)
        n_before = self._n_rows_seen if incremental and self._goes_on(incremental) else 0
        super()._fit(X, y, sample_weight, X_val, y_val, incremental, classes)
        if sample_weight is not None:
            self._count_rows(np.flatnonzero(np.asarray(sample_weight)), n_before)
        return self

    def _goes_on(self, incremental):
        return hasattr(self, "module_") and (incremental or self.warm_start)

    def _count_rows(self, there, n_before):
        """Count rows as they were passed, though those of weight zero were not stored."""
        self._n_rows_seen = int(n_before + there[-1] + 1)
        if self.mode_ != "prototypes":
            counted = np.concatenate([np.arange(n_before), n_before + there])
            self.pattern_rows_ = counted[self.pattern_rows_]

    def _learn_scales(self, X, y, weight, classes):
        """Learn them from the rows as they are stored, whatever order or number they came in."""
        self._learn_targets(y, weight, classes)
        store, _ = merged(self._as_store(X, y, weight, 0))
        self._put(store)
        self._x_offset, self._x_scale = scales(store.patterns, store.mass)
        self._learn_stored_targets(store)

    def _as_store(self, X, y, weight, n_before):
        """Return rows as they came, counted on from earlier calls."""
        rows = n_before + np.arange(len(X))
        self._n_rows_seen = int(rows[-1] + 1)
        weight = np.ones(len(X)) if weight is None else weight
        return Store(X, self._exact_targets(y), weight, rows)

    def _put(self, store):
        self.patterns_, self._targets, self._mass, self.pattern_rows_ = store

    def _split(self, X, y, weight, X_val, y_val, incremental) -> Any:
        """Store the rows, unless their scales were just learned; return what is learned from."""
        learnt, watched = np.arange(len(self.patterns_)), None
        if self._goes_on(incremental):
            store = self._as_store(X, y, weight, self._n_rows_seen if incremental else 0)
            if incremental and self.mode_ != "prototypes":
                store = Store(*map(np.concatenate, zip(self._store(), store)))
            store, place = merged(store)
            self._put(store)
            learnt = np.unique(place[-len(X) :])
        if not self._trains:
            return None, None
        rows, targets, mass, _ = store = self._store()
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

    def _settle(self, incremental):
        """Project the stored rows; choose beta, unless rows kept from the training did."""
        self._values = self._as_values(self._targets)
        if self.mode_ == "stored":
            vars(self).pop("_keys", None)  # of an earlier fit, or file
            # In single precision, which is enough to choose by, and half of the memory.
            keys = in_blocks(self._scaled, self.patterns_, "float32")
        else:
            keys = self._keys = self._forward(in_blocks(self._scaled, self.patterns_))
        unit = total_variance(torch.as_tensor(keys), torch.as_tensor(self._mass), self.similarity)
        loss = None
        if incremental or not self._trains:
            choice = self._choose(keys, self._values, self._mass, unit, self.beta)
            self.beta_, self._smoothing, loss = choice
        self._cooling, self._sharpness = 1.0, self.beta_ / unit
        return loss

    def _settle_prototypes(self, incremental):
        """Take keys, values and beta from the module."""
        module = self.module_
        if not hasattr(self, "_cooling"):
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
                n_weights=N_WEIGHTS[self.mode_],
                beta=None if beta == "auto" else beta, **self._how(),
            )  # fmt: skip

    # -- training ------------------------------------------------------------------------------

    def _stages(self, generator, task):
        """Return the one stage of the training."""
        if not task.incremental:
            self._be_as_sure_as(
                self._as_sure_as_before() if task.goes_on else calibrated(self, task)
            )
        stage = self._stage(task.training, generator, task.goes_on)
        return [
            stage._replace(
                max_iter=1 if task.incremental else self.max_iter, validation=task.validation,
                trivial_loss=self._trivial_loss(task.training, task.validation),
            )
        ]  # fmt: skip

    def _stage(self, training, generator, goes_on):
        dropout = _DROPOUT[self.mode_] if self.dropout == "auto" else self.dropout
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
        if self.mode_ == "prototypes":
            return Choice(self._cooling, smoothing, 0.0)
        return Choice(self.beta_ if self.beta == "auto" else self.beta, smoothing, 0.0)

    def _be_as_sure_as(self, choice):
        """Take over what is best; tell where that is next to nothing."""
        self._smoothing = choice.smoothing
        if self.mode_ == "prototypes":
            self._cooling = choice.beta
        else:
            self.beta_ = choice.beta
        if not self._recalls_more_than_the_mean(choice):
            warn_user(
                f"{type(self).__name__} recalls rows that are kept from the training no better "
                "than an answer that reads no input, which is what it nearly gives now. Pass more "
                "rows or fewer features, try mode='auto', or look for what the data cannot tell.",
                ConvergenceWarning,
            )
        elif self.mode_ == "prototypes":
            warn_where_rows_tell_more(self, choice.loss)

    def _tell_how_it_ended(self, record):
        """Leave the loss of recall from a random few aside: rows kept from the training judge."""
        super()._tell_how_it_ended(record._replace(trivial_loss=None))

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
        if self.mode_ == "prototypes":
            seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
            prototypes, values, spread = self._first_prototypes(X, values, mass, seed)
            beta = n_components**0.5 * unit / (spread or unit) if self.beta == "auto" else self.beta
            module.begin(prototypes=prototypes, values=values, beta=min(beta, _STEEPEST))

    def _train(self, config, make_stages, *, incremental=False, **told):
        if self._trains:
            super()._train(config, make_stages, incremental=incremental, **told)
            return
        loss, projection = settle_untrained(self)
        config = self._config(config["n_features"], config["n_values"])  # of what was chosen
        device = resolve_device(self.device)
        module = self._build_module(**config).to(device, resolve_dtype("float64", device)).eval()
        if projection is not None:
            module.begin(projection=projection.T)
        self._take_over(module, config, TrainingRecord([loss], None, "tol"), incremental=False)

    def _take_over(self, module, config, record, incremental):
        self.module_ = module
        if self.mode_ == "prototypes":
            self._settle_prototypes(incremental)
        elif self._trains:
            self._settle(incremental)
        super()._take_over(module, config, record, incremental)
        self._kept  # noqa: B018 - there before a method asks
        if self.index != "exact":
            self._memory()

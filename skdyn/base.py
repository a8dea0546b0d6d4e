"""The estimators' base: the only crossing between scikit-learn and torch.

:class:`TorchEstimator` owns what every method needs and none should repeat: parameter
constraints, randomness, training on the shared backend, scikit-learn's callbacks, and
persistence without code. A family says what is its own through few hooks:

``_build_module(**config)``  a static method; the network, from plain numbers and strings alone
``_stages(...)``             what to minimize, over which arrays, for how long
``_max_recoveries``          how many diverged epochs may be taken back
"""

import copy
import warnings
from collections.abc import Callable
from inspect import signature
from math import prod
from numbers import Integral, Real
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from skdyn._module_state import rebuilt_module
from skdyn._old_names import take_old_names
from skdyn._state import ANY_NUMBER, OPTIONAL, Shape, Since, read_state, without_caches
from skdyn._validation import Interval, StrOptions
from skdyn.exceptions import warn_user
from skdyn.training import (
    LEARNING_RATE_SCHEDULES,
    OPTIMIZERS,
    LeanNet,
    TrainingSettings,
    in_precision,
    new_generator,
    resolve_device,
    resolve_dtype,
    seeded_rng,
    state_to_arrays,
    to_tensor,
)
from skdyn.training._devices import rows_at_once, sent
from skdyn.training._work import work_of

__all__ = ["TorchEstimator"]

_RISE = 10  # of the loss from the first epoch to the last, beyond which training has diverged
# Rows, or points of functions, a forward pass at prediction: bounds memory, costs no speed.
_PREDICTION_ROWS, _PREDICTION_POINTS = 8192, 2**19


class TorchEstimator(CallbackSupportMixin, BaseEstimator):
    """Base of every estimator that trains a torch module."""

    n_features_in_: int
    feature_names_in_: Annotated[np.ndarray, Shape("n_features_in_", "OU"), OPTIONAL]
    module_: Annotated[torch.nn.Module, OPTIONAL]  # in a state, its arrays
    device_: str
    n_iter_: int
    loss_curve_: list[float]
    stages_: Annotated[list[tuple[str, int]], Since(lambda state: [])]  # names, numbers of epochs
    best_loss_: Annotated[float, ANY_NUMBER] | None  # NaN where weights came from elsewhere
    validation_scores_: list[float] | None
    max_time: Annotated[float | int | None, Since(lambda state: None)]
    _module_config: dict
    _module_arrays: Annotated[
        dict[str, Annotated[np.ndarray, Shape("...", "biuf", finite=False)]], OPTIONAL
    ]  # the module, in a state

    _parameter_constraints = {
        "optimizer": [StrOptions(set(OPTIMIZERS))],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "max_time": [Interval(Real, 0, None, closed="neither"), None],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "learning_rate_schedule": [StrOptions(set(LEARNING_RATE_SCHEDULES))],
        "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "clip_norm": [Interval(Real, 0, None, closed="neither"), None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "device": [str],
        "dtype": [StrOptions({"float32", "float64"})],
        "verbose": ["verbose"],
    }
    if TYPE_CHECKING:  # what every family brings: its module, and these parameters
        _build_module: Callable[..., torch.nn.Module]
        learning_rate_schedule: Any
        max_iter: Any
        tol: Any
        warm_start: Any
        random_state: Any
        device: Any
        dtype: Any

    _max_recoveries = 0
    _places_data = False  # whether what stages hold is on the device before the module is
    _no_sizes: ClassVar[frozenset[str]] = frozenset({"max_steps"})  # in a module's configuration
    _not_finite: ClassVar[frozenset[str]] = frozenset()  # weights that NaN and infinity may be in
    _may_lack: ClassVar[frozenset[str]] = frozenset()  # weights that older states lack
    # What the first call reads alone, and no configuration of the module tells of.
    _fixed_at_start: ClassVar[frozenset[str]] = frozenset()

    def _settings(self):
        names = [name for name in TrainingSettings._fields if hasattr(self, name)]
        values = {name: getattr(self, name) for name in names}
        return TrainingSettings(**values, max_recoveries=self._max_recoveries)

    def _precision(self):
        return self.dtype

    def _train(
        self, config, make_stages, *, X, y=None, metadata=None, incremental=False, total_weight=1.0
    ):
        """Train a module and set the fitted attributes.

        Parameters
        ----------
        config : dict
            Arguments of ``_build_module``: numbers, strings, and tuples of them.
        make_stages : callable
            ``make_stages(generator)`` returns the list of :class:`~skdyn.training.Stage`.
        X, y, metadata : object
            The data as the user gave them, shown to callbacks.
        incremental : bool, default=False
            Whether to continue with the present module and optimizer (``partial_fit``).
        total_weight : float, default=1.0
            What ``alpha`` is divided by: the more data, the less the penalty counts beside them.
        """
        random_state = check_random_state(self.random_state)
        seed = random_state.randint(np.iinfo(np.int32).max)
        going_on = incremental and hasattr(self, "_net")
        generator = self._net.generator if going_on else new_generator(seed)
        stages = make_stages(generator)
        settings = self._settings()
        settings = settings._replace(alpha=settings.alpha / total_weight)
        if incremental:
            settings = self._at_one_rate(settings, going_on)
        if going_on:
            self._refuse_other_module(config)
            net = self._net
            net.settings = settings  # set_params between two calls counts
            net.module_.requires_grad_(True)
        else:
            module = self._initial_module(config, seed, incremental or self.warm_start)
            device = self._resolved_device(module, stages, settings)
            module.to(device, resolve_dtype(self._precision(), device)).requires_grad_(True)
            net = LeanNet(module, settings, generator)
        told = {"estimator": self, "X": X, "y": y, "metadata": metadata}
        context = self._init_callback_context(max_subtasks=sum(stage.max_iter for stage in stages))
        context.call_on_fit_task_begin(**told)
        try:
            record = net.run(stages, self._epoch_callback(context, told, net, config))
        finally:
            net.module_.requires_grad_(False)  # it stays in use where partial_fit is interrupted
        vars(self).pop("_net", None)
        if incremental:
            self._net = net
        self._take_over(net.module_, config, record, incremental)
        context.call_on_fit_task_end(**told, reconstruction_attributes=lambda: dict(vars(self)))

    def _resolved_device(self, module, stages, settings):
        if self._places_data:
            return resolve_device(self.device)
        return resolve_device(
            self.device, lambda: max(work_of(module, stage, settings) for stage in stages)
        )

    def _at_one_rate(self, settings, told):
        """Return settings without a schedule: it follows a training to an end that is not known."""
        schedule = settings.learning_rate_schedule
        own = signature(type(self)).parameters["learning_rate_schedule"].default
        if schedule not in ("constant", own) and not told:
            warn_user(
                f"partial_fit of {type(self).__name__} keeps to learning_rate="
                f"{settings.learning_rate:.3g}: it knows no last epoch, by which learning_rate_"
                f"schedule={schedule!r} would lower it. Set learning_rate_schedule='constant' to "
                "say so, and lower learning_rate by set_params as data go by."
            )
        return settings._replace(learning_rate_schedule="constant")

    def _initial_module(self, config, seed, keep):
        """Build the module, or copy the present one when training goes on from it."""
        if keep and hasattr(self, "module_"):
            self._refuse_other_module(config)
            return copy.deepcopy(self.module_)
        self._started_with = {name: getattr(self, name) for name in self._fixed_at_start}
        with seeded_rng(seed):
            return self._build_module(**config)

    def _refuse_other_start(self):
        """Refuse to go on where parameters that only the first call reads were changed since."""
        for name, then in getattr(self, "_started_with", {}).items():
            if getattr(self, name) != then:
                raise ValueError(
                    f"Training goes on from the fitted model, which was set up with {name}="
                    f"{then!r}; {name}={getattr(self, name)!r} would change nothing now. Set it "
                    "back, or fit a clone."
                )

    def _refuse_other_module(self, config):
        """Refuse to go on with a module that is not what the parameters now ask for."""
        config = self._going_on(config)
        if config == self._module_config:
            return
        names = sorted(
            name for name in config.keys() | self._module_config.keys()
            if config.get(name) != self._module_config.get(name)
        )  # fmt: skip
        sides = self._module_config, config
        then, now = ({name: side.get(name) for name in names} for side in sides)
        raise ValueError(
            "Training goes on from the fitted module, as partial_fit and warm_start=True ask for, "
            f"but the data or the parameters now ask for another one: {then} became {now}. Fit a "
            "clone, or set warm_start=False."
        )

    def _going_on(self, config):
        """Return the configuration with what training itself has changed, where it may do that."""
        return config

    def _take_over(self, module, config, record, incremental):
        earlier = getattr(self, "loss_curve_", []) if incremental else []
        self.module_ = module.requires_grad_(False)
        self._module_config = config
        self.device_ = str(next(module.parameters()).device)
        self.loss_curve_ = earlier + record.loss_curve
        self.n_iter_ = len(self.loss_curve_)
        self.stages_ = _joined(getattr(self, "stages_", []) if incremental else [], record.stages)
        self.best_loss_ = record.best_loss
        self.validation_scores_ = record.validation_scores
        if not incremental and record.kept_loss is not None:
            self._tell_how_it_ended(record)

    def _tell_how_it_ended(self, record):
        """Warn of a training that rose, ended below a trivial answer, or was cut short."""
        first, last, kept = record.loss_curve[0], record.loss_curve[-1], record.kept_loss
        rise = (first, last) if record.rise is None else (kept, record.rise)
        plan_ended = self._settings().learning_rate_schedule not in ("constant", "plateau")
        told = []
        if 0 < _RISE * rise[0] < rise[1]:
            after = "" if record.rise is None else " The weights from before the rise were kept."
            told.append(
                f"diverged: its loss rose from {rise[0]:.3g} to {rise[1]:.3g} in the last "
                f"epoch.{after} Lower learning_rate, or set clip_norm."
            )
        self._doubt_loss(kept, record.trivial_loss)
        if record.stop_reason == "max_time":
            told.append(
                f"stopped in epoch {len(record.loss_curve)}, when max_time was over. What was "
                "reached by then is kept; allow more time for more."
            )
        if record.stop_reason == "max_iter" and not plan_ended and self.tol:
            told.append(
                f"stopped at max_iter={self.max_iter} before the loss stood still. Raise max_iter "
                "or learning_rate, or loosen tol."
            )
        for message in told:
            warn_user(f"{type(self).__name__} {message}", ConvergenceWarning)

    _trivial_answer = "an answer which reads no input"  # what trivial_loss is that of, in words

    def _doubt_loss(self, loss, trivial):
        """Warn of a loss above that of a trivial answer: the best one that reads no input."""
        if trivial and loss > trivial + (self.tol or 0.0):  # of constant targets it is zero
            warn_user(
                f"{type(self).__name__} ended with a loss of {loss:.3g}, worse than that of "
                f"{self._trivial_answer}, {trivial:.3g}. Lower learning_rate or the "
                "penalties, train for longer, or look for what the data cannot tell.",
                ConvergenceWarning,
            )

    def _epoch_callback(self, context, told, net, config):
        """Return what tells scikit-learn's callbacks of an epoch; None where nobody listens."""
        if not getattr(self, "_skl_callbacks", None):
            return None

        def on_epoch(record):
            def fitted_attributes():
                now = copy.copy(self)
                with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
                    now._take_over(copy.deepcopy(net.module_).eval(), config, record, False)
                return vars(now)

            epoch = context.subcontext(task_name="epoch")
            epoch.call_on_fit_task_begin(**told)
            return epoch.call_on_fit_task_end(**told, reconstruction_attributes=fitted_attributes)

        return on_epoch

    def _module_for(self, dtype) -> Any:
        """Return the module in the precision of the data it is asked about.

        float64 data are answered in float64, whatever the training's precision: a row's answer
        then does not depend on the rows beside it, and costs little more.
        """
        device = next(self.module_.parameters()).device
        return in_precision(self.module_, resolve_dtype(dtype, device))

    @torch.no_grad()  # not inference_mode: some fields differentiate inside
    def _forward(self, X):
        """Run the module over rows in batches; numpy in, numpy out, in X's precision."""
        module = self._module_for(X.dtype)
        like = next(module.parameters())
        fields = X.ndim > 2
        n_rows = rows_at_once(like.device, _PREDICTION_POINTS if fields else _PREDICTION_ROWS)
        parts = to_tensor(X).split(max(1, n_rows // prod(X.shape[2:])))
        parts = (sent(part.to(like.dtype), like.device) for part in parts)
        return torch.cat([module(part).cpu() for part in parts]).numpy()

    def __copy__(self) -> Self:
        """Copy by hand: callbacks look at copies in the middle of ``fit``, a state half way."""
        made = type(self).__new__(type(self))
        vars(made).update(vars(self))
        vars(made).pop("_net", None)  # two could not go on from one optimizer
        return made

    def __getstate__(self) -> dict[str, Any]:
        state = without_caches(type(self), super().__getstate__())
        state.pop("_net", None)
        state.pop("_started_with", None)
        if "module_" in state:
            state["_module_arrays"] = state_to_arrays(state.pop("module_"))
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = read_state(type(self), state)
        self._check_state(state)
        super().__setstate__(state)
        arrays = vars(self).pop("_module_arrays", None)
        if arrays is None:
            if "_module_config" in state:
                raise ValueError(f"The state of {type(self).__name__} lacks its module's arrays.")
            return
        module = rebuilt_module(
            self._build_module, self._module_config, arrays,
            constraints=self._parameter_constraints, no_sizes=self._no_sizes,
            not_finite=self._not_finite, may_lack=self._may_lack,
        )  # fmt: skip
        try:
            device = resolve_device(self.device_)
        except ValueError:  # trained elsewhere: any device gives the same answers
            device = resolve_device("cpu")
        self.device_ = str(device)
        self.module_ = module.to(device)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        take_old_names(cls)

    @classmethod
    def _check_state(cls, state):
        """Refuse a state whose parts do not fit each other, where shapes alone do not tell."""


def _joined(earlier, later):
    """Return stages in a row, those of one name that follow each other as one."""
    joined = list(earlier)
    for name, n_epochs in later:
        before = joined.pop()[1] if joined and joined[-1][0] == name else 0
        joined.append((name, before + n_epochs))
    return joined

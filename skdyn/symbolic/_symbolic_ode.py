"""Equations found by search, with every constant fitted to the trajectories."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state

from skdyn._dynamics import refuse_unread
from skdyn._progress import Progress
from skdyn._state import Since
from skdyn._time_limit import time_is_over
from skdyn._validation import Interval, StrOptions, check_is_fitted, fit_context
from skdyn.exceptions import warn_user
from skdyn.symbolic._doubts import say_doubts
from skdyn.symbolic._equations import SymbolicODEMixin
from skdyn.symbolic._found import FoundMixin, constants_table
from skdyn.symbolic._measurements import dependence
from skdyn.symbolic._rounds import Rounds
from skdyn.symbolic.discovery._discover import search_trajectories
from skdyn.symbolic.discovery._library import candidate_terms
from skdyn.symbolic.discovery._outliers import say_what_stands_out
from skdyn.symbolic.discovery._priors import PriorKnowledge
from skdyn.symbolic.discovery._regress import search_targets
from skdyn.symbolic.discovery._smoothing import FEWEST
from skdyn.symbolic.discovery._terms import FAMILIES

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SymbolicODERegressor"]

_FEWEST_ROWS = 10  # below which any equations fit


class SymbolicODERegressor(
    FoundMixin, SymbolicODEMixin, CallbackSupportMixin, MultiOutputMixin, RegressorMixin,
    BaseEstimator,
):  # fmt: skip
    """Differential equations found from trajectories, without a threshold to tune.

    Candidate terms of many kinds, with free constants inside, are combined to right-hand sides,

    .. math:: \\dot x_i = \\sum_j c_{ij} \\, \\theta_{ij}(x, u; k_{ij}),

    the few that describe the data in the fewest nats [1]_. Sets of terms are proposed from the
    integral form of the equations [2]_, which needs no derivative [3]_, inner constants by variable
    projection [4]_. All constants of the best systems are then fitted to the measurements
    themselves by multiple shooting [5]_. Given ``y``, it is symbolic regression of any target.

    Parameters
    ----------
    families : "all", str or tuple of str, default="all"
        Kinds of terms: "polynomial", "rational", "trigonometric", "exponential", "logarithmic",
        "absolute", "power", "sigmoid".
    degree : int or "auto", default="auto"
        Largest degree of polynomials; "auto" depends on the number of variables.
    max_terms : int, default=6
        Most terms of an equation.
    max_complexity : int or None, default=None
        Most operators, functions, variables and constants in all equations together, or, with
        ``y``, in each; the complexity in ``pareto_front_``.
    required_terms : list of str, dict of list of str or None, default=None
        Terms that must be there: of each state, by name or index, or of all. A term is text such
        as "x0*x1" or "sin(theta)", in the names of the features; its factor is found.
    forbidden_terms : list of str, dict of list of str or None, default=None
        Terms that must not be there, however they are written. ``k0, k1, ...`` in them stand for
        any number: "x0/(k0 + x0)".
    conserved : str, list of str or None, default=None
        Functions of the states, such as "s + i + r", that are constant along every solution.
    symmetry : list of array-like or None, default=None
        Maps that turn solutions into solutions: signs, 1 or -1, one for each state, which every
        term must respect by itself; or matrices of shape (n_features, n_features).
    monotone : dict of (equation, variable) to {-1, 1} or None, default=None
        Whether the right-hand side of a state falls or rises with a variable, over the data.
    bounded : list or None, default=None
        States whose right-hand sides are bounded for all states, but for a linear term of the
        state itself that damps. States that were never negative are taken to stay so.
    max_iter : int, default=4
        Times the search is repeated along the solution of what it found.
    max_time : float or None, default=None
        Seconds after which no more systems are fitted: the best by then is the answer, with a
        warning. None sets no limit.
    round_constants : bool, default=True
        Whether constants hardly distinguishable from a round number become it.
    n_models : int, default=0
        Further searches, each on a random half of the rows, for inclusion probabilities that tell
        of noise; what they find is judged on all rows.
    max_gap : float or "auto", default="auto"
        Time between neighboring complete rows beyond which a trajectory is cut. "auto" is ten
        times the median.
    n_jobs : int or None, default=None
        Searches at a time, in processes; None is one.
    random_state : int, RandomState instance or None, default=None
        Seed of the halves.
    verbose : int, default=0
        Whether to print the equations after each round of the search on all data.

    Attributes
    ----------
    system_ : EquationSystem
        The equations.
    pareto_front_ : pandas.DataFrame
        The system taken, and others, of all of which none is both simpler and nearer to the data:
        ``complexity``, ``error`` (root of the mean of ``misfit_``), ``score`` (description length
        in nats, lower is better), what that is the sum of (``misfit``, ``structure``, ``escapes``
        of disturbed solutions, ``sensitivity`` to starts, ``rounding``, ``priors``),
        ``equations``, ``selected``.
    alternatives_ : pandas.DataFrame
        Systems with other terms, not just further ones, whose descriptions are at most 3 nats
        longer, or which are both simpler and nearer to the data than the one taken (their terms
        are rarer, or solutions explode): ``behind``, in nats, and ``equations``.
    noise_ : ndarray of shape (n_targets,)
        Standard deviation of the noise; with ``y``, of what is not explained.
    misfit_ : ndarray of shape (n_targets,)
        Mean square residual over the variance of the noise, about 1 where all is explained; with
        ``y``, over the variance of the target.
    n_iter_ : int
        Number of rounds of the search.
    bounds_ : ndarray of shape (n_features, 2)
        Lowest and highest value of each state.
    time_unit_ : str or None
        Unit of the times in the equations: "days since 2020-01-01" where they came as dates (UTC),
        "days" where they came as durations; None where they were numbers.
    control_names_ : list of str
        Names of the controls.
    n_features_in_ : int
        Number of states.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the states, when all are strings.

    See Also
    --------
    SINDyRegressor : Sparse regression on a library of your choice [6]_.

    Notes
    -----
    The search was developed on systems of ODEBench [7]_. Standard errors and inclusion
    probabilities take the noise for independent from row to row.

    References
    ----------
    .. [1] Jorma Rissanen, "Modeling by shortest data description", Automatica 14(5), 1978.
    .. [2] Hayden Schaeffer, Scott McCalla, "Sparse model selection via integral terms", Physical
       Review E 96, 2017.
    .. [3] Daniel Messenger, David Bortz, "Weak SINDy: Galerkin-based data-driven model selection",
       Multiscale Modeling & Simulation 19(3), 2021.
    .. [4] Gene Golub, Victor Pereyra, "The differentiation of pseudo-inverses and nonlinear least
       squares problems whose variables separate", SIAM Journal on Numerical Analysis 10(2), 1973.
    .. [5] Hans Georg Bock, "Recent advances in parameter identification techniques for O.D.E.", in
       "Numerical Treatment of Inverse Problems in Differential and Integral Equations", 1983.
    .. [6] S. L. Brunton, J. L. Proctor, J. N. Kutz, "Discovering governing equations from data by
       sparse identification of nonlinear dynamical systems", PNAS 113, 2016.
    .. [7] S. d'Ascoli, S. Becker, P. Schwaller, A. Mathis, N. Kilbertus, "ODEFormer: symbolic
       regression of dynamical systems with transformers", ICLR, 2024.

    Examples
    --------
    >>> from skdyn.datasets import make_lotka_volterra
    >>> from skdyn.symbolic import SymbolicODERegressor
    >>> X, t = make_lotka_volterra(n_cases=1, noise=0.01, random_state=0)
    >>> model = SymbolicODERegressor(families="polynomial").fit(X, t=t)
    >>> model.print()
    x0' = 1.5 x0 - x0 x1
    x1' = -3 x1 + x0 x1
    """

    max_time: Annotated[float | int | None, Since(lambda state: None)]

    _old_names = {"max_rounds": "max_iter", "n_ensemble": "n_models"}
    _parameter_constraints: dict = {
        "families": [StrOptions({"all", *FAMILIES}), tuple, list],
        "degree": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        "max_terms": [Interval(Integral, 1, None, closed="left")],
        "max_complexity": [Interval(Integral, 1, None, closed="left"), None],
        "required_terms": [str, list, tuple, dict, None],
        "forbidden_terms": [str, list, tuple, dict, None],
        "conserved": [str, list, tuple, None],
        "symmetry": [list, tuple, np.ndarray, None],
        "monotone": [dict, None],
        "bounded": [list, tuple, None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "max_time": [Interval(Real, 0, None, closed="neither"), None],
        "round_constants": ["boolean"],
        "n_models": [Interval(Integral, 0, None, closed="left")],
        "max_gap": [Interval(Real, 0, None, closed="right"), StrOptions({"auto"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }
    _quick_parameters = {
        "families": "polynomial", "degree": 1, "max_terms": 3, "max_iter": 1,
        "round_constants": False,
        "max_gap": 10.0,  # a size for grids to vary, cheaper than a degree
    }  # fmt: skip
    _expected_failed_checks = {
        "check_estimators_pickle": (
            "It asks for derivatives of incomplete states, since fit accepts NaN; they have none, "
            "and predict says so."
        )
    }

    def __init__(
        self,
        families: str | Sequence[str] = "all",
        *,
        degree: int | str = "auto",
        max_terms: int = 6,
        max_complexity: int | None = None,
        required_terms: str | Sequence[str] | dict[str, Any] | None = None,
        forbidden_terms: str | Sequence[str] | dict[str, Any] | None = None,
        conserved: str | Sequence[str] | None = None,
        symmetry: Sequence[ArrayLike] | np.ndarray | None = None,
        monotone: dict[str, Any] | None = None,
        bounded: Sequence[Any] | None = None,
        max_iter: int = 4,
        max_time: float | None = None,
        round_constants: bool = True,
        n_models: int = 0,
        max_gap: float | str = "auto",
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.families = families
        self.degree = degree
        self.max_terms = max_terms
        self.max_complexity = max_complexity
        self.required_terms = required_terms
        self.forbidden_terms = forbidden_terms
        self.conserved = conserved
        self.symmetry = symmetry
        self.monotone = monotone
        self.bounded = bounded
        self.max_iter = max_iter
        self.max_time = max_time
        self.round_constants = round_constants
        self.n_models = n_models
        self.max_gap = max_gap
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.target_tags.required = False
        return tags

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        t: Any = None,
        u: Any = None,
        groups: ArrayLike | None = None,
        X_val: None = None,
        t_val: None = None,
    ) -> Self:
        """Find the equations.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_features) or (n_cases, n_channels, n_timepoints)
            One trajectory, or trajectories; a list of ``(n_channels, n_timepoints_i)`` for unequal
            lengths. Rows with NaN are left out.
        y : array-like in the layout of X, or of shape (n_samples,), default=None
            Derivatives where they are known, or any other target. None finds the equations of the
            trajectories.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), or float, default=None
            Increasing times, a list for unequal lengths; or the step between them. None is 1. Dates
            and durations are read as numbers in ``time_unit_``.
        u : array-like in the layout of X, default=None
            Controls: further inputs of the equations, known without noise, straight lines between
            the times.
        groups : array-like of shape (n_timepoints,), default=None
            Trajectory of each row of a 2-D ``X`` that holds several, with one time a row. Refused
            beside several cases.
        X_val, t_val : None, default=None
            Not read, and refused: nothing is watched. They are for ``score``.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data cannot be used, a state is constant, no term has a value on the data, or
            what is stated to be known is contradictory or fits nothing.

        Warns
        -----
        UserWarning
            If states depend linearly on each other, so that equations are not unique; or single
            measurements stand out of their neighbors: they are ignored. If the equations leave
            residuals far above the noise, others are as likely, or a term's constant is within two
            standard errors of zero.
        """
        refuse_unread(self, X_val=X_val, t_val=t_val)
        progress = Progress(self, self.max_iter, X=X, y=y)
        data = self._learn(X, y, t, u, groups)
        if y is not None:
            self._refuse_laws()
        knowledge, options = self._preparation(data)
        if y is None:
            options |= {
                "max_iter": self.max_iter, "round_constants": self.round_constants,
            }  # fmt: skip
            rounds = Rounds(self._state_names(), self.control_names_, progress, self.verbose)
            found = search_trajectories(
                data, knowledge, options, self.n_models, self.n_jobs,
                check_random_state(self.random_state), rounds,
            )  # fmt: skip
            say_what_stands_out(found.ignored, self._state_names())
        else:
            found = search_targets(data, knowledge, options, self.n_jobs)
        self._keep(found)
        progress.end()
        if time_is_over():
            warn_user(
                f"{type(self).__name__} stopped when max_time was over. The best equations by then "
                "are kept; allow more time, or fewer families, for more."
            )
        spread = self.noise_ if y is not None else data.inputs.std(axis=0)[: len(self.noise_)]
        say_doubts(
            self.system_.target_names, self.misfit_, np.sqrt(self.misfit_) * self.noise_ / spread,
            self.coefficients(), self.alternatives_, targets=y is not None,
        )  # fmt: skip
        return self

    def _usable(self, data):
        data = data.long(FEWEST, _FEWEST_ROWS, "the search", "or raise max_gap")
        told = dependence(data.inputs, self._input_names())
        if told and self.conserved is None:  # which would make states depend on each other
            warn_user(
                f"{told} Or state in conserved that it is so. The shortest equations are taken."
            )
        return data

    def _preparation(self, data):
        """Return what is known, and the options of the search."""
        families = FAMILIES if self.families == "all" else self.families
        families = (families,) if isinstance(families, str) else tuple(families)
        degree = None if self.degree == "auto" else self.degree
        terms = candidate_terms(families, degree, data.inputs)
        options = {"families": families, "degree": degree, "max_terms": self.max_terms}
        knowledge = PriorKnowledge(
            self._state_names(), self.control_names_, data.inputs, data.rates, terms,
            required=self.required_terms, forbidden=self.forbidden_terms, conserved=self.conserved,
            symmetry=self.symmetry, monotone=self.monotone, bounded=self.bounded,
            max_terms=self.max_terms, max_complexity=self.max_complexity, targets=self._targets,
        )  # fmt: skip
        return knowledge, options

    def _refuse_laws(self):
        """Refuse what says nothing about targets that are sought one by one."""
        of_all = {"conserved": self.conserved, "symmetry": self.symmetry, "bounded": self.bounded}
        if self._targets is None:  # derivatives
            matrices = [m for m in self.symmetry or () if np.ndim(m) == 2]
            of_all |= {"symmetry": matrices or None, "bounded": None}
        stated = [name for name, value in of_all.items() if value is not None]
        if stated:
            raise ValueError(
                f"{' and '.join(stated)} cannot be imposed on the targets y, each of which is "
                "sought by itself. Pass trajectories without y, or leave it out."
            )

    def coefficients(self) -> pd.DataFrame:
        """Return all constants as a table.

        Returns
        -------
        pandas.DataFrame
            ``equation``, ``term`` and ``parameter`` ("coefficient" of the term, or a constant "k0"
            in it), its ``value`` and ``std_error``, the 95 % interval from ``lower`` to ``upper``,
            and ``inclusion_probability``: how sure it is that the term belongs there, from the
            description lengths of all systems that were tried.
        """
        check_is_fitted(self)
        return constants_table(
            self._front[self._chosen], self._errors, self._chances, self._input_names(),
            self.system_.target_names,
        )  # fmt: skip

    def score(  # pyright: ignore[reportIncompatibleMethodOverride]: of trajectories
        self,
        X: Any,
        y: Any = None,
        *,
        t: Any = None,
        u: Any = None,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        of: Literal["solution", "derivative"] = "solution",
    ) -> float:
        """Return the coefficient of determination of solutions, of derivatives, or of ``y``.

        Parameters
        ----------
        X : array-like
            As in ``fit``.
        y : array-like, default=None
            As in ``fit``; compared with the right-hand sides, whatever ``of`` is.
        t, u, groups, sample_weight : array-like, default=None
            As in ``fit``; weights are those of rows of ``y``, and only go with it.
        of : {"solution", "derivative"}, default="solution"
            "solution" solves the equations from the first state of each stretch of complete rows,
            and compares with ``X``. "derivative" compares rises of ``X`` over short windows with
            integrals of the right-hand sides along ``X``.

        Returns
        -------
        float
            R2, mean over the states, or targets. Of solutions it is at least -10, which is also the
            score of equations with a solution that blows up. Without ``y`` it means the same in all
            models of dynamics; see :class:`skdyn.metrics.DynamicsScorer`.
        """
        return self._score(X, y, t, u, groups, sample_weight, of)

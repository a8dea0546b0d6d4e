"""Which times of a series decided an answer."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from skdyn.inspection._axes import axes_or_new, keep_inside, title_if_named
from skdyn.inspection._fitted import unwrapped
from skdyn.inspection._style import BLUE, VERMILION, styled

__all__ = ["DecisiveTimesDisplay"]

_PARTS = 20  # of a series that are left out by turns, where nothing else is asked for
_SURE = 1e-12  # probabilities nearer to 0 or 1 are as good as that


class DecisiveTimesDisplay:
    """How an answer changes when a part of the series is left out, as bars over time.

    Each point is left out together with those near it. What was not seen there is told by the times
    that remain, which the estimator reads: nothing has to be filled in. Bars above zero spoke for
    the answer, those below against it.

    Parameters
    ----------
    times : ndarray of shape (n_timepoints,)
        Times of the points.
    changes : ndarray of shape (n_timepoints,)
        What the points near each time add to the answer.
    answer : str, default="answer"
        What it is, in words.

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.
    figure_ : matplotlib figure
        The figure of ``ax_``.
    bars_ : matplotlib bar container
        The bars.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn import SSMClassifier
    >>> from skdyn.inspection import DecisiveTimesDisplay
    >>> X = np.random.default_rng(0).normal(size=(40, 1, 20))
    >>> y = np.arange(40) % 2
    >>> X[y == 1, 0, 5:8] += 3.0
    >>> model = SSMClassifier(1, hidden_channels=16, random_state=0).fit(X, y)
    >>> display = DecisiveTimesDisplay.from_estimator(model, X, case=1)
    >>> bool(5 <= display.times[display.changes.argmax()] <= 7)
    True
    """

    def __init__(self, times: np.ndarray, changes: np.ndarray, answer: str = "answer") -> None:
        self.times = times
        self.changes = changes
        self.answer = answer

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        t: Any = None,
        case: int = 0,
        width: float | None = None,
        ax: Any = None,
        name: str | None = None,
        **style: Any,
    ) -> Self:
        """Leave parts of a series out by turns, ask, and draw.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``predict_proba`` or ``predict`` that takes ``t``. Pipelines of features
            are asked as a whole, so that their times must be routed.
        X : array-like of shape (n_cases, n_channels, n_timepoints) or list
            Series, or a table of series of one channel.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), or list, default=None
            Their times; None counts 0, 1, 2, ...
        case : int, default=0
            Which series.
        width : float or None, default=None
            Length of time that is left out around each point; None is a twentieth of the series.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title.
        **style : dict
            Settings of matplotlib for the bars, such as ``alpha``.

        Returns
        -------
        DecisiveTimesDisplay

        Raises
        ------
        ValueError
            If the series is too short to leave anything out.
        """
        values = np.atleast_2d(np.asarray(X[case], dtype=float))
        times = _times_of(t, case, values.shape[1])
        part = float(times[-1] - times[0]) / _PARTS if width is None else width
        left = [np.abs(times - time) > part / 2 for time in times]
        left = [kept & (np.arange(len(times)) != k) for k, kept in enumerate(left)]
        if len(times) < 3 or min(map(np.sum, left)) < 2:
            raise ValueError(
                f"Case {case} of X has {len(times)} points, of which fewer than 2 would be left "
                f"without a part of width={part:.3g}. Choose a smaller width."
            )
        whole = np.ones(len(times), dtype=bool)
        asked = [whole, *left]
        cases: Any = [values[:, kept] for kept in asked]
        fitted = unwrapped(estimator)
        if getattr(fitted.estimator, "_reads_series", False):
            estimator, cases = fitted.estimator, fitted.seen(cases)
        answers, what = _answers(estimator, cases, [times[kept] for kept in asked])
        return cls(times, answers[0] - answers[1:], what).plot(ax=ax, name=name, **style)

    def plot(self, *, ax: Any = None, name: str | None = None, **style: Any) -> Self:
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title.
        **style : dict
            Settings of matplotlib for the bars, such as ``alpha``.

        Returns
        -------
        self : DecisiveTimesDisplay
        """
        from matplotlib.patches import Rectangle

        self.ax_ = axes_or_new(ax)
        self.figure_ = self.ax_.figure
        color = np.where(self.changes < 0, VERMILION, BLUE)
        looks = styled(Rectangle, style, color=color)
        between = (self.times[1:] + self.times[:-1]) / 2
        edges = np.r_[2 * self.times[0] - between[0], between, 2 * self.times[-1] - between[-1]]
        looks = {"align": "edge", "width": 0.95 * np.diff(edges)} | looks
        self.bars_ = self.ax_.bar(edges[:-1], self.changes, **looks)
        self.ax_.axhline(0.0, color="black", linewidth=0.8)
        self.ax_.set(xlabel="time", ylabel=self.answer)
        title_if_named(self.ax_, name)
        keep_inside(self.ax_)
        return self


def _times_of(t: Any, case: int, n_points: int) -> np.ndarray:
    """Return the times of one series."""
    if t is None:
        return np.arange(float(n_points))
    several = np.ndim(t[0]) == 1
    return np.asarray(t[case] if several else t, dtype=float)


def _answers(estimator: Any, X: Any, t: Sequence[np.ndarray]) -> tuple[np.ndarray, str]:
    """Return the log-odds of the first series' class, or the predictions, and their name."""
    if hasattr(estimator, "predict_proba"):
        probabilities = np.asarray(estimator.predict_proba(X, t=t))
        best = probabilities[0].argmax()
        own = probabilities[:, best].clip(_SURE, 1 - _SURE)
        return np.log(own / (1 - own)), f"log-odds of {estimator.classes_[best]}"
    predictions = np.asarray(estimator.predict(X, t=t), dtype=float)
    if predictions.ndim > 1:
        raise ValueError(
            f"The estimator predicts {predictions.shape[1]} numbers per series; fit it to a single "
            "target."
        )
    return predictions, "prediction"

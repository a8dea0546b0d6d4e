"""How a model follows a trajectory."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from skdyn.inspection._axes import axes_or_new, keep_inside, title_if_named
from skdyn.inspection._channels import as_cases, channel_names
from skdyn.inspection._course import follow_case, times_of_case
from skdyn.inspection._fitted import unwrapped
from skdyn.inspection._legend import place_legend
from skdyn.inspection._panels import SINGLE, small_panels
from skdyn.inspection._style import GRAY, series, styled
from skdyn.inspection._units import with_unit

__all__ = ["TrajectoryDisplay"]

_ONE_SCALE = 10  # ranges of channels that differ by more than this factor have scales of their own


class TrajectoryDisplay:
    """Observations of one trajectory as points, the model's own course as curves.

    Beyond the last observation the background is gray: there the model forecasts. More than eight
    channels have a small panel each.

    Parameters
    ----------
    t : ndarray of shape (n_timepoints,)
        Times of the observations.
    observed : ndarray of shape (n_channels, n_timepoints)
        Observations; NaN where missing.
    t_model : ndarray of shape (n_times,)
        Times of the curves.
    modelled : ndarray of shape (n_channels, n_times)
        The curves.
    names : sequence of str
        Names of the channels.
    units : mapping of str to str or None, default=None
        Units of the channels by name, and of "time", written on the axes.

    Attributes
    ----------
    ax_ : matplotlib axes, or ndarray of them
        Where it was drawn; of more than eight channels, the panel of each.
    figure_ : matplotlib figure
        The figure of ``ax_``.
    points_, lines_ : list of matplotlib lines
        Observations and curves, one per channel.
    forecasts_ : list of matplotlib patches
        What marks the forecast, one a panel; empty where the curves end with the observations.

    Examples
    --------
    >>> from skdyn import NeuralODE
    >>> from skdyn.datasets import load_lynx_hare
    >>> from skdyn.inspection import TrajectoryDisplay
    >>> X, t = load_lynx_hare(return_X_t=True)
    >>> model = NeuralODE(max_iter=40, tol=0, random_state=0).fit(X, t=t)
    >>> display = TrajectoryDisplay.from_estimator(model, X, t=t, horizon=1925)
    >>> float(display.t_model[-1])
    1925.0
    """

    def __init__(
        self,
        t: np.ndarray,
        observed: np.ndarray,
        t_model: np.ndarray,
        modelled: np.ndarray,
        names: Sequence[str],
        units: Mapping[str, str] | None = None,
    ) -> None:
        self.t = t
        self.observed = observed
        self.t_model = t_model
        self.modelled = modelled
        self.names = names
        self.units = units

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        t: Any = None,
        case: int = 0,
        horizon: float | None = None,
        units: Mapping[str, str] | None = None,
        ax: Any = None,
        name: str | None = None,
        **style: Any,
    ) -> Self:
        """Follow one trajectory from its first complete state and draw both.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``simulate``.
        X : array-like of shape (n_cases, n_channels, n_timepoints) or (n_timepoints, n_channels)
            Trajectories, or one, without a channel of times.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
            Times; None counts 0, 1, 2, ...
        case : int, default=0
            Which trajectory to draw.
        horizon : float or None, default=None
            Time until which to follow; None is that of the last observation.
        units : mapping of str to str or None, default=None
            Units of the channels by name, and of "time", written on the axes; None
            is steps for times that are counted.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title of the legend, such as what the model is called.
        **style : dict
            Settings of matplotlib for the curves, such as ``lw``.

        Returns
        -------
        TrajectoryDisplay

        Raises
        ------
        ValueError
            If no state of the trajectory is complete.
        """
        fitted = unwrapped(estimator)
        observed = as_cases(fitted.seen(X))[case]
        if t is None and units is None:
            units = {"time": "steps"}
        times = times_of_case(t, case, observed.shape[1])
        t_model, modelled = follow_case(fitted.estimator, observed, times, case, horizon)
        names = channel_names(fitted.names(), len(observed))
        display = cls(times, observed, t_model, modelled, names, units)
        return display.plot(ax=ax, name=name, **style)

    def plot(self, *, ax: Any = None, name: str | None = None, **style: Any) -> Self:
        """Draw observations and curves.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title of the legend, such as what the model is called.
        **style : dict
            Settings of matplotlib for the curves, such as ``lw``.

        Returns
        -------
        self : TrajectoryDisplay
        """
        self.points_, self.lines_, self.forecasts_ = [], [], []
        if len(self.names) > SINGLE:
            self._draw_panels(ax, name, style)
        else:
            self._draw_together(ax, name, style)
        keep_inside(*np.ravel(self.ax_))
        return self

    def _draw_together(self, ax, name, style):
        self.ax_ = axes_or_new(ax)
        self.figure_ = self.ax_.figure
        for number in range(len(self.names)):
            self._draw_channel(self.ax_, number, series(number), 4, style)
        self.ax_.set(xlabel=with_unit("time", self.units), ylabel="state")
        self._mark_forecast(self.ax_)
        handles = [*zip(self.lines_, self.points_, strict=True), *self.forecasts_]
        names = [with_unit(channel, self.units) for channel in self.names]
        names += ["forecast"] * len(self.forecasts_)
        place_legend(self.ax_, handles, names, title=name)

    def _draw_panels(self, ax, name, style):
        n_channels = len(self.names)
        outer = axes_or_new(ax, figsize=(9.0, min(12.0, 1.0 + 0.16 * n_channels)))
        names = [with_unit(channel, self.units) for channel in self.names]
        time = with_unit("time", self.units) + ", gray: forecast" * (self._forecast() is not None)
        self.ax_ = small_panels(outer, names, time, "state")
        self.figure_ = outer.figure
        for number, panel in enumerate(self.ax_):
            self._draw_channel(panel, number, series(0), 1.5, style)
            self._mark_forecast(panel)
        self._share_scale()
        title_if_named(self.ax_, name)

    def _draw_channel(self, panel, number, looks, size, style):
        from matplotlib.lines import Line2D

        marker = looks.pop("marker")
        curve = styled(Line2D, style, lw=size**0.5, **looks)
        (line,) = panel.plot(self.t_model, self.modelled[number], **curve)
        self.lines_.append(line)
        self.points_ += panel.plot(
            self.t, self.observed[number], marker, ms=size, color=line.get_color()
        )

    def _forecast(self):
        """Return from when to when the curves go beyond the observations; None if they do not."""
        seen = np.isfinite(self.observed).any(axis=0)
        last, end = np.max(self.t[seen]), np.max(self.t_model)
        return (last, end) if end > last else None

    def _mark_forecast(self, panel):
        span = self._forecast()
        if span is not None:
            looks = {"facecolor": GRAY, "alpha": 0.25, "lw": 0, "zorder": 0}
            self.forecasts_.append(panel.axvspan(*span, **looks))

    def _share_scale(self):
        """Draw all panels on one scale where that shows all of them; else give none a scale."""
        ranges = np.array([np.ptp(panel.get_ylim()) for panel in self.ax_])
        if ranges.max() < _ONE_SCALE * ranges.min():
            limits = np.array([panel.get_ylim() for panel in self.ax_])
            low, high = limits[:, 0].min(), limits[:, 1].max()
            for panel in self.ax_:
                panel.set_ylim(low, high + 0.3 * (high - low))  # the names stand above the curves
        else:
            for panel in self.ax_:
                panel.set_yticks([])
                if panel.get_ylabel():
                    panel.set_ylabel("state, each on its own scale")

"""A found system among the data it was found from."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from skdyn.exceptions import SolverError, warn_user
from skdyn.inspection._axes import axes_or_new, keep_inside
from skdyn.inspection._channels import as_cases, channel_names
from skdyn.inspection._course import follow_case, times_of_case
from skdyn.inspection._fitted import unwrapped
from skdyn.inspection._legend import place_legend
from skdyn.inspection._plane import field_on_grid
from skdyn.inspection._style import BLUE, VERMILION, styled
from skdyn.inspection._units import rate_label, with_unit

__all__ = ["PhasePortraitDisplay"]

# How fixed points look, by the first word of their kind: filled ones attract, open ones repel.
_LOOKS = {
    "stable": {"marker": "o", "mfc": "black"},
    "saddle": {"marker": "D", "mfc": "white"},
    "unstable": {"marker": "o", "mfc": "white"},
    "center": {"marker": "o", "mfc": "0.6"},
    "degenerate": {"marker": "s", "mfc": "0.6"},
}


class PhasePortraitDisplay:
    """Data as points, the found field as streamlines, its own trajectories, and its fixed points.

    Of a system with one state, the field against the state, with its zeros.

    Parameters
    ----------
    axes : sequence of ndarray of shape (grid_resolution,)
        Values of each of the channels drawn, one or two.
    velocities : ndarray of shape (..., n_channels)
        Velocities over the grid of ``axes``; the first channel varies along the last grid axis.
    data : ndarray of shape (n_cases, n_channels, n_timepoints)
        Observed trajectories in these channels.
    trajectories : sequence of ndarray of shape (n_channels, n_times)
        Simulated trajectories in these channels.
    fixed_points : ndarray of shape (n_points, n_channels)
        Fixed points in these channels.
    kinds : sequence of str
        Kind of each of them, such as "stable focus".
    names : sequence of str
        Names of the channels.
    units : mapping of str to str or None, default=None
        Units of the channels by name, and of "time", written on the axes.

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.
    figure_ : matplotlib figure
        The figure of ``ax_``.
    field_ : matplotlib streamlines or line
        The field.
    points_ : matplotlib line
        The data.
    lines_ : list of matplotlib lines
        The simulated trajectories.
    fixed_points_ : dict of str to matplotlib line
        The fixed points of each kind.

    Examples
    --------
    >>> from skdyn import NeuralODE
    >>> from skdyn.datasets import make_pendulum
    >>> from skdyn.inspection import PhasePortraitDisplay
    >>> X, t = make_pendulum(n_cases=3, random_state=0)
    >>> model = NeuralODE(max_iter=5, tol=0, random_state=0).fit(X, t=t)
    >>> display = PhasePortraitDisplay.from_estimator(model, X, t=t, n_trajectories=2)
    >>> len(display.trajectories)
    2
    """

    def __init__(
        self,
        axes: Sequence[np.ndarray],
        velocities: np.ndarray,
        data: np.ndarray,
        trajectories: Sequence[np.ndarray],
        fixed_points: np.ndarray,
        kinds: Sequence[str],
        names: Sequence[str],
        units: Mapping[str, str] | None = None,
    ) -> None:
        self.axes = axes
        self.velocities = velocities
        self.data = data
        self.trajectories = trajectories
        self.fixed_points = fixed_points
        self.kinds = kinds
        self.names = names
        self.units = units

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        t: Any = None,
        channels: tuple[int, int] = (0, 1),
        grid_resolution: int = 20,
        n_trajectories: int = 10,
        bounds: Any = None,
        units: Mapping[str, str] | None = None,
        ax: Any = None,
        name: str | None = None,
        **style: Any,
    ) -> Self:
        """Evaluate and simulate a fitted system around trajectories and draw all of it.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``vector_field``, or with ``predict`` that gives velocities; and with
            ``simulate``. Its fixed points are drawn if it has ``fixed_points(bounds)``.
        X : array-like of shape (n_cases, n_channels, n_timepoints) or (n_timepoints, n_channels)
            Trajectories, or one, without a channel of times; or a list of
            (n_channels, n_timepoints_i).
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
            Times; None counts 0, 1, 2, ...
        channels : tuple of two int, default=(0, 1)
            The plane; the other channels of the field rest at their means, while trajectories and
            fixed points are projected. Ignored where there is only one.
        grid_resolution : int, default=20
            Points at which the field is evaluated along each axis; ten times as many on a line.
        n_trajectories : int, default=10
            Number of cases from whose first complete state a trajectory is simulated, at most. One
            that cannot be solved is left out with a warning.
        bounds : array-like of shape (n_channels_drawn, 2) or None, default=None
            Range of each channel drawn; None is that of the data.
        units : mapping of str to str or None, default=None
            Units of the channels by name, and of "time", written on the axes.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            What the legend calls the system, in place of "simulated" or, on a line, "field".
        **style : dict
            Settings of matplotlib for the simulated trajectories or, on a line, the field.

        Returns
        -------
        PhasePortraitDisplay

        Raises
        ------
        ValueError
            If ``bounds`` cannot be used, or if no state of a trajectory is complete.
        """
        fitted = unwrapped(estimator)
        estimator, X = fitted.estimator, as_cases(fitted.seen(X))
        chosen = list(channels) if X.shape[1] > 1 else [0]
        resolution = grid_resolution if len(chosen) > 1 else 10 * grid_resolution
        field = field_on_grid(estimator, X, chosen, resolution, bounds)
        n_trajectories = min(n_trajectories, len(X)) if len(chosen) > 1 else 0
        trajectories = [c[chosen] for c in _simulated(estimator, X[:n_trajectories], t)]
        found = _fixed_points(estimator, field)
        points = np.array([point for point, _ in found]).reshape(-1, X.shape[1])[:, chosen]
        kinds = [kind for _, kind in found]
        names = [channel_names(fitted.names(), X.shape[1])[c] for c in chosen]
        portrait = cls(
            field.axes, field.velocities, X[:, chosen], trajectories, points, kinds, names, units
        )
        return portrait.plot(ax=ax, name=name, **style)

    def plot(self, *, ax: Any = None, name: str | None = None, **style: Any) -> Self:
        """Draw the portrait.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            What the legend calls the system, in place of "simulated" or, on a line, "field".
        **style : dict
            Settings of matplotlib for the simulated trajectories or, on a line, the field.

        Returns
        -------
        self : PhasePortraitDisplay
        """
        self.ax_ = axes_or_new(ax)
        self.figure_ = self.ax_.figure
        draw = self._draw_line if len(self.axes) == 1 else self._draw_plane
        draw(name, style)
        self._draw_fixed_points()
        place_legend(self.ax_)
        keep_inside(self.ax_)
        return self

    def _draw_plane(self, name, style):
        u, v = np.moveaxis(np.ma.masked_invalid(self.velocities), -1, 0)
        self.field_ = self.ax_.streamplot(*self.axes, u, v, color="0.75", linewidth=0.8)
        x, y = np.moveaxis(self.data, 1, 0)
        (self.points_,) = self.ax_.plot(
            x.ravel(), y.ravel(), ".", color=BLUE, alpha=0.6, label="data"
        )
        self.lines_ = []
        for number, (x, y) in enumerate(self.trajectories):
            label = "_" if number else name or "simulated"
            self.lines_ += self.ax_.plot(x, y, **_looks(style, lw=1.2, label=label))
        x, y = (with_unit(channel, self.units) for channel in self.names)
        self.ax_.set(xlabel=x, ylabel=y)
        # A system may leave the data far behind; the picture does not follow it.
        self.ax_.set(xlim=_with_margin(self.axes[0]), ylim=_with_margin(self.axes[1]))

    def _draw_line(self, name, style):
        (x,), (channel,) = self.axes, self.names
        self.ax_.axhline(0.0, color="0.75", lw=0.8)
        (self.field_,) = self.ax_.plot(
            x, self.velocities[:, 0], **_looks(style, label=name or "field")
        )
        seen = self.data[:, 0].ravel()
        (self.points_,) = self.ax_.plot(
            seen, np.zeros_like(seen), "|", color=BLUE, alpha=0.6, label="data"
        )
        self.lines_ = []
        self.ax_.set(
            xlabel=with_unit(channel, self.units), xlim=_with_margin(x),
            ylabel=rate_label(f"velocity of {channel}", [channel], self.units),
        )  # fmt: skip

    def _draw_fixed_points(self):
        self.fixed_points_ = {}
        first_words = np.array([kind.split()[0] for kind in self.kinds], dtype=object)
        for kind, looks in _LOOKS.items():
            points = self.fixed_points[first_words == kind]
            if len(points):
                x, y = points[:, 0], points[:, 1] if points.shape[1] > 1 else np.zeros(len(points))
                (self.fixed_points_[kind],) = self.ax_.plot(
                    x, y, ls="none", mec="black", ms=7, zorder=3, label=f"{kind} point", **looks
                )


def _looks(style, **own):
    from matplotlib.lines import Line2D

    return styled(Line2D, style, color=VERMILION, ls="-", **own)


def _simulated(estimator, cases, t):
    """Return the curves from the cases' first states on, but for those that blow up."""
    curves = []
    for case, observed in enumerate(cases):
        times = times_of_case(t, case, observed.shape[1])
        try:
            curves.append(follow_case(estimator, observed, times, case)[1])
        except SolverError as error:
            warn_user(
                f"The trajectory from the start of case {case} is left out: {error}", UserWarning
            )
    return curves


def _fixed_points(estimator, field):
    """Return pairs of a fixed point and its kind; a system on a line shows its own."""
    if hasattr(estimator, "fixed_points"):
        return [(found.point, found.kind) for found in estimator.fixed_points(field.bounds)]
    if len(field.axes) > 1:
        return []
    (x,), f = field.axes, field.velocities[:, 0]
    before = np.flatnonzero((f[:-1] <= 0) != (f[1:] <= 0))
    slopes = (f[before + 1] - f[before]) / (x[before + 1] - x[before])
    zeros = x[before] - f[before] / slopes
    return [(zero, "stable" if slope < 0 else "unstable") for zero, slope in zip(zeros, slopes)]


def _with_margin(axis):
    margin = 0.04 * np.ptp(axis)
    return axis[0] - margin, axis[-1] + margin

"""The integral form: measurements against integrals of candidate terms.

``x_i(t_k) = a + sum_j c_j int_{t_0}^{t_k} phi_j(x) dt`` holds without any derivative, and what is
left over is the noise of the measurements themselves.
"""

import numpy as np

from skdyn.symbolic.discovery._smoothing import gauss_times
from skdyn.symbolic.discovery._terms import Term, evaluate

_PEAK = 400  # a term that is larger at one moment than this many times its mean is a spike


class IntegralForm:
    """Columns of integrated terms for one equation.

    Parameters
    ----------
    t : list of ndarray of shape (n_i,)
        Times of each segment.
    series : list of ndarray of shape (n_i,)
        The measured state.
    sd : list of ndarray of shape (n_i,)
        Its noise.
    columns : list of ndarray
        States and controls at the Gauss nodes of all segments.
    """

    def __init__(self, t, series, sd, columns):
        self.columns = columns
        self._weights = np.concatenate([gauss_times(s)[1] for s in t])
        self._root = [1 / s for s in sd]
        self._mean = [w**2 / (w**2).sum() for w in self._root]
        y = np.concatenate(
            [self._centered(x, w, m) for x, w, m in zip(series, self._root, self._mean)]
        )
        self.y = y
        self.n_rows = len(y)

    def by_pieces(self, columns, n_pieces=16):
        """Center columns piece by piece: errors of the smoothing then do not pile up over time.

        Parameters
        ----------
        columns : ndarray of shape (n_rows, ...)
            Centered over whole segments.
        n_pieces : int, default=16
            Pieces in all.

        Returns
        -------
        ndarray of shape (n_rows, ...)
        """
        out, begin = np.empty_like(columns), 0
        for root in self._root:
            share = max(1, round(n_pieces * len(root) / self.n_rows))
            for rows in np.array_split(np.arange(len(root)), share):
                w = root[rows]
                part = columns[begin + rows]
                # Columns are multiplied by the root already; so is what is taken off.
                out[begin + rows] = part - np.multiply.outer(w, (w / (w @ w)) @ part)
            begin += len(root)
        return out

    @staticmethod
    def _centered(x, root, mean):
        return (x - mean @ x) * root

    def column(self, term: Term):
        """Integrate a term.

        Parameters
        ----------
        term : Term
            The term.

        Returns
        -------
        ndarray of shape (n_rows,) or None
            In noise standard deviations, without each segment's offset; None where the term is
            not finite along the data, or all of it is a spike.
        """
        values = evaluate(term, self.columns)
        size = np.abs(values)
        if not np.isfinite(values).all() or size.max() > _PEAK * size.mean():
            return None
        steps = (values * self._weights).reshape(-1, 4).sum(axis=1)
        column, begin = np.zeros(self.n_rows), 0
        for k, (root, mean) in enumerate(zip(self._root, self._mean)):
            end = begin + len(root)
            part = column[begin:end]
            # A segment has one interval less than points.
            np.cumsum(steps[begin - k : end - k - 1], out=part[1:])
            part[:] = self._centered(part, root, mean)
            begin = end
        return column if np.isfinite(column).all() else None


class DirectForm:
    """Columns of terms where the left-hand side of the equation was measured itself.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        The left-hand side.
    columns : list of ndarray of shape (n_samples,)
        States and controls.
    """

    def __init__(self, y, columns):
        self.columns, self.n_rows = columns, len(y)
        self.sd = 1e-6 * (y.std() or np.abs(y).max() or 1.0)
        self.y = y / self.sd

    def column(self, term: Term):
        """Evaluate a term.

        Parameters
        ----------
        term : Term
            The term.

        Returns
        -------
        ndarray of shape (n_rows,) or None
            In units of the residuals; None where the term is not finite.
        """
        values = evaluate(term, self.columns)
        return values / self.sd if np.isfinite(values).all() else None

    @staticmethod
    def by_pieces(columns):
        """Return the columns: nothing piles up where nothing is integrated."""
        return columns

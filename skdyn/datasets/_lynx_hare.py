"""Loader of the Hudson's Bay record of lynx and hare."""

from importlib.resources import files
from typing import Literal, overload

import numpy as np
from sklearn.utils import Bunch

__all__ = ["load_lynx_hare"]


@overload
def load_lynx_hare(*, return_X_t: Literal[False] = False) -> Bunch: ...


@overload
def load_lynx_hare(*, return_X_t: Literal[True]) -> tuple[np.ndarray, np.ndarray]: ...


def load_lynx_hare(*, return_X_t: bool = False) -> Bunch | tuple[np.ndarray, np.ndarray]:
    """Load the pelts of hare and lynx that the Hudson's Bay Company counted from 1900 to 1920.

    ================ =====================
    Time points      21, one a year
    Channels         2: hare, lynx
    Units            thousands of pelts
    ================ =====================

    Parameters
    ----------
    return_X_t : bool, default=False
        Whether to return ``(data, t)`` instead of a Bunch.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like, with the following attributes.

        data : ndarray of shape (21, 2)
            Hare and lynx, in thousands of pelts: one trajectory ``(n_timepoints, n_features)``.
        t : ndarray of shape (21,)
            Years.
        feature_names : list of str
            ``["hare", "lynx"]``.
        frame : DataFrame of shape (21, 2)
            The data with the years as index.
        DESCR : str
            Where the data come from.

    (data, t) : tuple of ndarray
        If `return_X_t` is True.

    See Also
    --------
    make_lotka_volterra : The equations the record is usually told with.

    References
    ----------
    .. [1] C. Elton and M. Nicholson (1942). The ten-year cycle in numbers of the lynx in Canada.
           Journal of Animal Ecology 11(2), 215-244.
    .. [2] P. Howard (2009). Modeling basics. Lecture notes for Math 442, Texas A&M University.

    Examples
    --------
    >>> from skdyn.datasets import load_lynx_hare
    >>> record = load_lynx_hare()
    >>> record.data.shape, int(record.t[0]), record.feature_names
    ((21, 2), 1900, ['hare', 'lynx'])
    """
    folder = files("skdyn.datasets") / "data"
    with (folder / "lynx_hare.csv").open(encoding="utf-8") as file:
        names = file.readline().strip().split(",")
        table = np.loadtxt(file, delimiter=",")
    t, data = table[:, 0].copy(), table[:, 1:].copy()
    if return_X_t:
        return data, t
    import pandas as pd

    return Bunch(
        data=data,
        t=t,
        feature_names=names[1:],
        frame=pd.DataFrame(data, columns=names[1:], index=pd.Index(t.astype(int), name=names[0])),
        DESCR=(folder / "lynx_hare.rst").read_text(encoding="utf-8"),
    )

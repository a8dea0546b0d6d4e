import sys

import pytest

from skdyn.exceptions import MissingExtraError
from skdyn.inspection._axes import axes_or_new


def test_axes_are_passed_through_or_made():
    ax = axes_or_new(None)
    assert axes_or_new(ax) is ax
    assert len(axes_or_new(None, n_columns=3)) == 3


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingExtraError, match=r"skdyn\[plot\]"):
        axes_or_new(None)

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from skdyn.inspection import FrontierDisplay
from skdyn.inspection import _frontier as frontier

X = np.random.default_rng(0).normal(size=(40, 5)) + 3


class Columns:
    """Stands for a fitted dictionary that keeps the first columns and guesses 3 for the others."""

    def __init__(self, n_kept, pack=np.asarray):
        self.n_kept = n_kept
        self.pack = pack

    def transform(self, X):
        """Return the columns that are kept."""
        return self.pack(np.where(np.arange(5) < self.n_kept, X, 0.0))

    def inverse_transform(self, codes):
        """Return these, and 3."""
        codes = codes.toarray() if hasattr(codes, "toarray") else np.asarray(codes)
        return np.where(np.arange(5) < self.n_kept, codes, 3.0)


@pytest.mark.parametrize("pack", [np.asarray, csr_array, pd.DataFrame])
@pytest.mark.parametrize("rows_at_once", [7, 1000])
def test_l0_and_variance_are_measured_whatever_the_codes_are(pack, rows_at_once, monkeypatch):
    monkeypatch.setattr(frontier, "_ROWS", rows_at_once)
    display = FrontierDisplay.from_estimators([Columns(n, pack) for n in (4, 2, 5)], X)
    variance = ((X - X.mean(axis=0)) ** 2).sum()
    expected = [((X[:, n:] - 3) ** 2).sum() / variance for n in (4, 2, 5)]
    assert display.results["l0"].tolist() == [4, 2, 5]
    np.testing.assert_allclose(display.results["fvu"], expected)
    np.testing.assert_array_equal(display.lines_[0].get_xdata(), [2, 4, 5])


def test_fits_of_one_name_are_joined_in_the_order_of_their_l0():
    models = [Columns(n) for n in (3, 4, 1, 2)]
    display = FrontierDisplay.from_estimators(models, X, names=["b", "a", "b", "a"])
    assert [line.get_label() for line in display.lines_] == ["b", "a"]
    assert [line.get_xdata().tolist() for line in display.lines_] == [[1, 3], [2, 4]]
    assert len(display.ax_.get_legend().get_texts()) == 2


def test_frames_and_lists_are_read_as_arrays_are():
    expected = FrontierDisplay.from_estimators([Columns(2)], X).results
    for same in (pd.DataFrame(X), X.tolist()):
        pd.testing.assert_frame_equal(
            FrontierDisplay.from_estimators([Columns(2)], same).results, expected
        )


def test_what_is_reconstructed_may_be_another_table():
    y = X + np.random.default_rng(1).normal(size=X.shape)
    results = FrontierDisplay.from_estimators([Columns(5)], X, y).results
    expected = ((y - X) ** 2).sum() / ((y - y.mean(axis=0)) ** 2).sum()
    np.testing.assert_allclose(results["fvu"], expected)


def test_names_must_be_as_many_as_estimators():
    with pytest.raises(ValueError, match="1 estimators came with 2 names"):
        FrontierDisplay.from_estimators([Columns(2)], X, names=["a", "b"])


def test_it_draws_on_the_axes_it_is_given():
    import matplotlib.pyplot as plt

    ax = plt.figure().add_subplot()
    assert FrontierDisplay.from_estimators([Columns(2)], X, ax=ax).ax_ is ax

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdyn.scale import map_rows

da = pytest.importorskip("dask.array", reason="extra 'dask' is not installed")
dd = pytest.importorskip("dask.dataframe", reason="extra 'dask' is not installed")

X = np.random.default_rng(0).normal(size=(20, 3))
FRAME = pd.DataFrame(X, columns=list("abc"), index=range(5, 25))
pytestmark = pytest.mark.filterwarnings("ignore:X has feature names", "ignore:X does not have")


class Counted(Ridge):
    """Counts how often it is pickled."""

    n_pickled = 0

    def __getstate__(self):
        Counted.n_pickled += 1
        return super().__getstate__()


def test_any_chunks_are_answered_lazily_as_the_whole():
    model = make_pipeline(StandardScaler(), PCA(2)).fit(X)
    rows = da.concatenate([da.from_array(part, chunks=-1) for part in (X[:1], X[1:1], X[1:])])
    answer = map_rows(model, rows, "transform")
    assert (answer.shape, answer.dtype) == ((20, 2), np.float64)
    np.testing.assert_allclose(answer.compute(), model.transform(X), rtol=1e-12, atol=1e-14)


def test_chunks_of_unknown_length_are_answered():
    model = Ridge().fit(X, X[:, 0])
    rows = da.from_array(X, chunks=(7, 3))
    rows = rows[rows[:, 0] > 0]
    answer = map_rows(model, rows).compute()
    np.testing.assert_allclose(answer, model.predict(X[X[:, 0] > 0]), rtol=1e-12)


def test_columns_in_several_chunks_are_refused_with_what_to_do():
    with pytest.raises(ValueError, match=r"X\.rechunk\(\{1: -1\}\)"):
        map_rows(Ridge().fit(X, X[:, 0]), da.from_array(X, chunks=(7, 2)))


def test_a_frame_is_answered_with_its_index_and_named_columns():
    model = LogisticRegression().fit(FRAME, np.where(X[:, 0] > 0, "up", "down"))
    rows = dd.from_pandas(FRAME, npartitions=3)
    shares = map_rows(model, rows, "predict_proba").compute()
    pd.testing.assert_frame_equal(
        shares,
        pd.DataFrame(model.predict_proba(FRAME), columns=["down", "up"], index=FRAME.index),
    )
    pd.testing.assert_series_equal(
        map_rows(model, rows).compute(),
        pd.Series(model.predict(FRAME), index=FRAME.index, name="predict"),
        check_dtype=False,
    )


def test_an_answer_written_to_a_file_is_left_to_dask():
    with pytest.raises(ValueError, match="to_zarr"):
        map_rows(Ridge().fit(X, X[:, 0]), da.from_array(X), out="answers.npy")


def test_the_model_is_not_pickled_for_each_block():
    model = Counted().fit(X, X[:, 0])
    rows = da.from_array(X, chunks=(1, 3))
    Counted.n_pickled = 0
    map_rows(model, rows).compute(scheduler="synchronous")
    assert Counted.n_pickled <= 1

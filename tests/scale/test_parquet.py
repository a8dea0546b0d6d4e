import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from skdyn.scale import map_rows

pytest.importorskip("pyarrow", reason="extra 'dask' is not installed")

X = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 2)), columns=["a", "b"])
MODEL = LogisticRegression().fit(X, X["a"] > 0)


@pytest.fixture
def table(tmp_path):
    X.assign(other="text").to_parquet(tmp_path / "rows.parquet")
    return tmp_path / "rows.parquet"


def test_a_file_is_answered_by_an_iterator_of_the_columns_it_needs(table):
    answers = list(map_rows(MODEL, table, block_size=8))
    assert [len(block) for block in answers] == [8, 8, 8, 6]
    np.testing.assert_array_equal(np.concatenate(answers), MODEL.predict(X))


def test_a_file_is_answered_into_a_file(table):
    path = map_rows(MODEL, str(table), "predict_proba", out=table.with_name("shares.parquet"))
    shares = pd.read_parquet(path)
    assert list(shares.columns) == ["False", "True"]
    np.testing.assert_allclose(shares, MODEL.predict_proba(X), rtol=1e-12)


def test_a_missing_column_is_named_and_nothing_is_written(table):
    X[["a"]].to_parquet(table)
    with pytest.raises(ValueError, match=r"lacks the columns \['b'\]"):
        map_rows(MODEL, table, out=table.with_name("out.parquet"))
    assert [path.name for path in table.parent.iterdir()] == ["rows.parquet"]


def test_a_dataset_of_several_files_and_an_iterable_are_answered(table):
    import pyarrow.dataset

    X.iloc[:4].to_parquet(table.with_name("more.parquet"))
    answers = map_rows(MODEL, pyarrow.dataset.dataset(table.parent, format="parquet"))
    assert sum(len(block) for block in answers) == 34
    path = map_rows(MODEL, [X.iloc[:9], X.iloc[9:]], out=table.with_name("new.parquet"))
    np.testing.assert_array_equal(pd.read_parquet(path)["predict"], MODEL.predict(X))
    with pytest.raises(ValueError, match="no rows"):
        map_rows(MODEL, [], out=table.with_name("none.parquet"))

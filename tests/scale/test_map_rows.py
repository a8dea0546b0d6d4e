import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdyn import NeuralODE
from skdyn.scale import map_rows

rng = np.random.default_rng(0)
X = rng.normal(size=(50, 3))
MODEL = make_pipeline(StandardScaler(), Ridge()).fit(X, X @ [1.0, 2.0, 3.0])
CLASSES = LogisticRegression().fit(X, np.where(X[:, 0] > 0, "up", "down"))


def blocks(*sizes):
    """The rows in blocks of these sizes."""
    return np.split(X, np.cumsum(sizes))


def test_an_array_is_answered_in_blocks():
    whole = map_rows(MODEL, X, block_size=7)
    np.testing.assert_allclose(whole, MODEL.predict(X), rtol=1e-12)


def test_no_rows_are_answered_by_none_of_the_same_kind():
    answer = map_rows(CLASSES, X[:0], "predict_proba")
    assert (answer.shape, answer.dtype) == ((0, 2), np.float64)
    assert map_rows(CLASSES, pd.DataFrame(X[:0])).shape == (0,)


def test_an_iterable_of_blocks_is_answered_one_at_a_time_when_asked():
    asked = []

    def stream():
        for block in blocks(3, 0, 40):
            asked.append(len(block))
            yield block

    answers = map_rows(MODEL, stream())
    assert not asked
    assert len(next(answers)) == 3
    assert asked == [3]
    rest = list(answers)
    assert [len(block) for block in rest] == [0, 40, 7]
    np.testing.assert_allclose(np.concatenate(rest), MODEL.predict(X[3:]), rtol=1e-12)


def test_a_frame_keeps_its_index_and_names_the_answers():
    frame = pd.DataFrame(X, columns=list("abc"), index=range(100, 150))
    scaler = StandardScaler().fit(frame)
    answer = map_rows(scaler, frame, "transform", block_size=20)
    pd.testing.assert_frame_equal(
        answer, pd.DataFrame(scaler.transform(frame), columns=list("abc"), index=frame.index)
    )
    shares = map_rows(CLASSES, pd.DataFrame(X), "predict_proba", block_size=20)
    assert list(shares.columns) == ["down", "up"]
    distances = KMeans(2, n_init=1, random_state=0).fit(X)
    assert map_rows(distances, pd.DataFrame(X)).name == "predict"


def test_a_memmap_is_answered_into_a_file(tmp_path):
    np.save(tmp_path / "rows.npy", X)
    rows = np.load(tmp_path / "rows.npy", mmap_mode="r")
    path = map_rows(MODEL, rows, out=tmp_path / "answers.npy", block_size=11)
    np.testing.assert_allclose(np.load(path), MODEL.predict(X), rtol=1e-12)


def test_memory_grows_with_a_block_and_not_with_the_rows(tmp_path):
    n = 200_000
    rows = np.lib.format.open_memmap(tmp_path / "rows.npy", "w+", float, (n, 3))
    rows[:] = 1.0
    tracemalloc.start()
    try:
        map_rows(MODEL, rows, out=tmp_path / "answers.npy", block_size=1000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < n * 3 * 8 / 8


def test_a_memmap_whose_file_has_shrunk_is_refused_and_leaves_no_file(tmp_path):
    np.save(tmp_path / "rows.npy", X)
    rows = np.load(tmp_path / "rows.npy", mmap_mode="r")
    with open(tmp_path / "rows.npy", "r+b") as file:
        file.truncate(200 + X.nbytes // 2)

    with pytest.raises(ValueError, match=r"rows\.npy has .* now"):
        map_rows(MODEL, rows, out=tmp_path / "answers.npy")
    assert [path.name for path in tmp_path.iterdir()] == ["rows.npy"]


def test_cases_of_three_axes_are_answered():
    t = np.linspace(0, 1, 5)
    cases = np.exp(-t) * rng.normal(size=(6, 2, 1))
    model = NeuralODE(max_iter=1, random_state=0)
    with pytest.warns(ConvergenceWarning):
        model.fit(cases, t=t)
    answer = map_rows(model, cases[:, :, 0], params={"t": t}, block_size=4)
    np.testing.assert_allclose(answer, model.predict(cases[:, :, 0], t=t), rtol=1e-5)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"method": "predict_log_proba"}, "has no method 'predict_log_proba'"),
        ({"block_size": 0}, "block_size is a number of rows of 1 or more, got 0"),
        ({"out": "answers.txt"}, "must end in .npy"),
        ({"X": 3.0}, "X is of type float"),
        ({"method": "fit_predict"}, "has no method"),
        ({"X": "no/such/file.parquet"}, "is no file or folder"),
    ],
)
def test_what_cannot_be_mapped_is_refused_by_name(given, words):
    with pytest.raises(ValueError, match=words):
        map_rows(MODEL, given.get("X", X), **{key: given[key] for key in given if key != "X"})


def test_a_model_that_is_not_fitted_and_a_list_of_answers_are_refused():
    with pytest.raises(NotFittedError):
        map_rows(Ridge(), X)
    several = MultiOutputClassifier(LogisticRegression()).fit(X, (X[:, :2] > 0).astype(int))
    with pytest.raises(ValueError, match="answers one row by list"):
        map_rows(several, X, "predict_proba")

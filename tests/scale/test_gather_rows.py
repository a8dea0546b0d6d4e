import numpy as np
import pytest

from skdyn import KANClassifier, _scratch
from skdyn.scale import gather_rows

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]

rng = np.random.default_rng(0)
X = rng.normal(size=(61, 3))
Y = np.where(X[:, 0] > 0, "up", "down")
Y[-1] = "beyond"  # a class that one process alone knows
ENDS = [0, 60, 60, 61]  # the second of three processes has no rows


def own(rank, array):
    return array[ENDS[rank] : ENDS[rank + 1]]


def weights(X, y):
    model = KANClassifier((2,), optimizer="adam", batch_size=20, max_iter=3, random_state=0)
    return np.concatenate([part.numpy().ravel() for part in model.fit(X, y).module_.parameters()])


@pytest.mark.parametrize("most", [2**28, 100], ids=["memory", "disk"])
def test_rows_of_three_processes_train_the_model_of_their_whole(most, in_processes, monkeypatch):
    monkeypatch.setattr(_scratch, "_LARGE", most)
    monkeypatch.setattr("skdyn.scale._gather_rows._NUMBERS", 30)

    def work(rank):
        narrow = own(rank, Y).astype("U6" if rank == 2 else "U4")
        rows, labels = gather_rows(own(rank, X), narrow)
        return rows, labels, weights(rows, labels)

    whole = in_processes(3, lambda rank: weights(X, Y))[0]
    for rows, labels, found in in_processes(3, work):
        assert np.array_equal(rows, X)
        assert np.array_equal(labels, Y)
        assert np.array_equal(found, whole)


def test_the_precision_is_that_of_all_who_have_rows(in_processes):
    def work(rank):
        part = own(rank, X)
        return gather_rows(part.astype([np.float32, np.float64, np.float32][rank]))[0].dtype

    assert in_processes(3, work) == [np.float32] * 3


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (
            [(X, Y), (X[:, :2], Y)],
            r"has shape \(2,\) in process 1, but \(3,\) in process 0",
        ),
        ([(X, Y), (X[:9], Y)], r"Process 1 passed arrays of \[9, 61\] rows"),
        ([(X, Y), (X,)], "Process 1 passed 1 arrays, process 0 2"),
        ([(X, Y.astype(object))] * 2, "holds Python objects"),
        ([(X[:0], Y[:0])] * 2, "No process has any rows"),
    ],
)
def test_rows_that_do_not_fit_together_are_refused_everywhere(parts, words, in_processes):
    def work(rank):
        with pytest.raises(ValueError, match=words):
            gather_rows(*parts[rank])
        return True

    assert in_processes(2, work) == [True, True]


def test_outside_of_a_group_arrays_are_as_they_are():
    rows, labels = gather_rows(X, Y)
    assert rows is X
    assert labels is Y

"""Functions on clouds of points."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import Delaunay
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_predict,
    learning_curve,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdyn.datasets import FieldData

SIZES = (3, 5, 4, 6, 3, 7, 4, 5)


class Multiple(RegressorMixin, BaseEstimator):
    """Answers with a multiple of the first channel."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y):
        self.n_seen_ = len(X)
        return self

    def predict(self, X):
        return X.with_values(self.factor * X.values[:, 0])

    def score(self, X, y):
        return -np.abs(self.predict(X).values - y.values).max()


def ragged():
    rng = np.random.default_rng(0)
    points = [rng.random((n, 2)) for n in SIZES]
    return FieldData.from_lists(
        points,
        [rng.normal(size=(n, 2)) for n in SIZES],
        edge=[np.arange(n) < 2 for n in SIZES],
        parameters=rng.normal(size=(len(SIZES), 1)),
    )


def same(one, other):
    names = ("coords", "values", "offsets", "edge", "parameters", "weights")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def test_searches_pipelines_and_curves_slice_cases():
    X = ragged()
    y = X.with_values(3 * X.values[:, 0])
    pipeline = make_pipeline(FunctionTransformer(), Multiple())
    search = GridSearchCV(pipeline, {"multiple__factor": [1.0, 3.0]}, cv=2).fit(X, y)
    assert search.best_params_ == {"multiple__factor": 3.0}
    assert search.best_score_ == 0
    assert learning_curve(Multiple(), X, y, cv=2, train_sizes=[1.0])[0] == [4]
    parts = train_test_split(X, y, test_size=2, random_state=0)
    assert [len(part) for part in parts] == [6, 2, 6, 2]
    assert np.array_equal(parts[1].coords, parts[3].coords)


def test_predictions_of_folds_are_joined_in_order():
    X = ragged()
    found = cross_val_predict(Multiple(2.0), X, X, cv=3)
    assert same(found, X.with_values(2 * X.values[:, 0]))


def test_cases_are_taken_by_number_slice_numbers_and_mask():
    X = ragged()
    third = X.coords[X.offsets[2] : X.offsets[3]]
    mask = np.arange(len(X)) == 2
    for cases in (X[2], X[2:3], X[[2]], X[mask], X[[2], ...], X[-6], list(X)[2]):
        assert np.array_equal(cases.coords, third)
    assert X[[3, 0]].sizes.tolist() == [6, 3]
    assert np.array_equal(X[[3, 0]].parameters, X.parameters[[3, 0]])
    assert same(np.concatenate([X[:3], X[3:]]), X)
    assert same(pickle.loads(pickle.dumps(X)), X)


def test_a_long_table_gives_the_cases_back():
    X = ragged()
    frame = X.to_frame()
    told = {"case": "case", "coords": ["x0", "x1"], "values": ["u0", "u1"], "edge": "edge"}
    again = FieldData.from_dataframe(frame, **told, parameters=["p0"], weights="weight")
    assert same(again, X)
    assert same(FieldData.from_dataframe(frame, **told, parameters=["p0"]), X)


def test_parameters_that_differ_within_a_case_are_refused():
    frame = pd.DataFrame({"run": [0, 0], "x": [0.0, 1.0], "speed": [1.0, 2.0]})
    with pytest.raises(ValueError, match=r"\['speed'\] differ between points of case 0"):
        FieldData.from_dataframe(frame, case="run", coords=["x"], parameters=["speed"])


def test_a_grid_integrates_by_the_trapezoidal_rule_and_knows_its_ends():
    x = np.linspace(0, 2, 5)
    fields = np.stack([np.broadcast_to(x[:, None], (5, 4)), np.ones((5, 4))])[None]
    X = FieldData.from_grid(fields, extent=[(0, 2), (0, 3)])
    np.testing.assert_allclose(X.integrals(), [[6.0, 6.0]])
    assert X.edge.sum() == 14


def test_meshes_integrate_what_is_linear_and_know_their_edge():
    points = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0.4, 0.3]], float)
    cells = Delaunay(points).simplices
    X = FieldData.from_meshes([points], [cells], [points[:, 0]])
    np.testing.assert_allclose(X.integrals(), [[0.5]])
    assert X.edge.tolist() == [True] * 4 + [False]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": np.zeros(3)}, "values has the length or shape 3"),
        ({"offsets": [0, 2, 2, 4]}, "Case 1 has no points"),
        ({"offsets": [0, 3]}, "end with the 4 points"),
        ({"edge": np.zeros(4)}, "edge must hold True or False"),
        ({"weights": [1, 1, 0, 0]}, "All weights of case 1 are zero"),
        ({"weights": [1, -1, 1, 1]}, "at least 0"),
        ({"coords": [[0.0], [1.0], [np.nan], [2.0]]}, "NaN, first in row 2"),
        ({"parameters": np.zeros((3, 1))}, "parameters has the length or shape 3"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, message):
    right = {"coords": np.zeros((4, 1)), "values": np.zeros((4, 2)), "offsets": [0, 2, 4]}
    with pytest.raises(ValueError, match=message):
        FieldData(**right | arguments)


def test_lists_that_do_not_match_name_the_case():
    with pytest.raises(ValueError, match="values of case 1 has 2 rows for its 3 points"):
        FieldData.from_lists([np.zeros((3, 1))] * 2, [np.zeros(3), np.zeros(2)])

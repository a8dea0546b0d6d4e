import json
import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import Lasso

import skdyn
from skdyn import NeuralODEClassifier, NeuralODERegressor, io
from skdyn.exceptions import MissingExtraError

X = np.random.default_rng(0).normal(size=(30, 3))
Y = X[:, 0] - X[:, 1]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def _fitted(**parameters):
    return NeuralODERegressor((8,), max_iter=3, tol=0, random_state=0, **parameters).fit(X, Y)


def test_a_regressor_comes_back_whole(path):
    model = _fitted(dtype="float64")
    io.save(model, path)
    again = io.load(path)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.get_params() == model.get_params()
    assert again.loss_curve_ == model.loss_curve_
    assert again.hidden_layer_sizes == (8,)


@pytest.mark.parametrize("labels", [["ash", "oak"], [3, 7], [True, False]])
def test_a_classifier_keeps_its_labels_and_their_type(path, labels):
    y = np.array(labels)[(Y > 0).astype(int)]
    model = NeuralODEClassifier((8,), max_iter=3, tol=0).fit(X, y)
    io.save(model, path)
    again = io.load(path)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.classes_.dtype == model.classes_.dtype


def test_an_unfitted_estimator_can_be_saved(path):
    io.save(NeuralODERegressor(alpha=0.5), path)
    assert io.load(path).alpha == 0.5


def test_the_file_holds_no_code_and_is_small(path):
    io.save(_fitted(), path)
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert json.loads(header["__metadata__"]["skdyn"])["class"] == "NeuralODERegressor"
    assert len(content) < 20_000


def test_what_the_format_does_not_hold_is_named(path):
    model = NeuralODERegressor(random_state=np.random.RandomState(0))
    with pytest.raises(TypeError, match="'random_state' is a RandomState"):
        io.save(model, path)
    assert not path.exists()


class Elsewhere(NeuralODERegressor):
    """An estimator outside the package."""


def test_a_class_from_elsewhere_is_loaded_only_if_trusted(path):
    io.save(Elsewhere(), path)
    with pytest.raises(ValueError, match=r"'Elsewhere'.*trusted"):
        io.load(path)
    assert isinstance(io.load(path, trusted=[Elsewhere]), Elsewhere)


class Meta(BaseEstimator):
    """An estimator made of others, with attributes of many kinds."""

    def __init__(self, estimator=None, others=()):
        self.estimator = estimator
        self.others = others

    def fit(self, X, y):
        """Fit the part and note values of every kind."""
        self.estimator_ = clone(self.estimator).fit(X, y)
        self.kinds_ = {
            "scalars": [np.float64(0.5), np.int32(3), np.bool_(True), np.str_("x")],
            "plain": (0.5, 3, True, "x", None, float("inf")),
            "point": np.array(2.0),
            "turned": np.arange(6).reshape(2, 3).T,
            "names": np.array(["x0", "x1 x2"], dtype=object),
            "nested": [{"a": np.zeros(2)}, {"a": np.ones(2)}],
        }
        return self


def test_estimators_within_estimators_come_back_with_what_they_learnt(path):
    part = NeuralODERegressor((4,), max_iter=2, tol=0, random_state=0)
    model = Meta(part, others=[("second", NeuralODEClassifier(alpha=0.5))]).fit(X, Y)
    io.save(model, path)
    again = io.load(path, trusted=[Meta])
    assert repr(again) == repr(model)
    assert not hasattr(again.estimator, "n_features_in_")
    np.testing.assert_array_equal(again.estimator_.predict(X), model.estimator_.predict(X))


def test_scalars_and_arrays_keep_type_shape_and_order(path):
    model = Meta(NeuralODERegressor((4,), max_iter=2, tol=0)).fit(X, Y)
    io.save(model, path)
    kinds = io.load(path, trusted=[Meta]).kinds_
    assert [type(v) for v in kinds["scalars"]] == [type(v) for v in model.kinds_["scalars"]]
    assert kinds["scalars"] == model.kinds_["scalars"]
    assert kinds["plain"] == model.kinds_["plain"]
    for name in ("point", "turned", "names"):
        assert kinds[name].dtype == model.kinds_[name].dtype
        np.testing.assert_array_equal(kinds[name], model.kinds_[name])
    assert kinds["point"].shape == ()
    np.testing.assert_array_equal([entry["a"] for entry in kinds["nested"]], [[0, 0], [1, 1]])


def test_a_part_from_elsewhere_is_loaded_only_if_trusted(path):
    io.save(Meta(Lasso(alpha=0.25)), path)
    with pytest.raises(ValueError, match=r"'Lasso'.*trusted"):
        io.load(path, trusted=[Meta])
    assert io.load(path, trusted=[Meta, Lasso]).estimator.alpha == 0.25


class Formula:
    """No estimator, but restored from plain state."""

    def __init__(self, text):
        self.text = text

    def __getstate__(self):
        return {"written": self.text}

    def __setstate__(self, state):
        self.text = state["written"]


def test_public_objects_that_restore_themselves_come_back(path, monkeypatch):
    with pytest.raises(TypeError, match=r"'others\.0' is a Formula"):
        io.save(Meta(others=[Formula("x0**2")]), path)
    monkeypatch.setattr(skdyn, "__all__", ["Formula"], raising=False)
    monkeypatch.setattr(skdyn, "Formula", Formula, raising=False)
    io.save(Meta(others=[Formula("x0**2")]), path)
    assert io.load(path, trusted=[Meta]).others[0].text == "x0**2"


def test_a_function_is_no_plain_value(path):
    with pytest.raises(TypeError, match=r"'others\.0' is a function"):
        io.save(Meta(others=[lambda x: x]), path)


def test_only_estimators_are_built(path):
    io.save(Meta(), path)
    with pytest.raises(ValueError, match="no estimator of skdyn"):
        io.load(path, trusted=[type("Meta", (), {})])


def test_other_files_are_refused(path):
    with pytest.raises(FileNotFoundError, match="No file at"):
        io.load(path)
    path.write_bytes(b"no tensors here, only words")
    with pytest.raises(ValueError, match="not a safetensors file"):
        io.load(path)
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(2)}, path)
    with pytest.raises(ValueError, match=r"not written by skdyn\.io\.save"):
        io.load(path)


def test_without_safetensors_the_extra_is_named(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(MissingExtraError, match=r"skdyn\[io\]"):
        io.save(NeuralODERegressor(), path)

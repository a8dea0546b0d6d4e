import json
import sys

import numpy as np
import pytest

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

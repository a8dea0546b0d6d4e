import json
import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.linear_model import Lasso

import skdyn
from skdyn import (
    HopfieldClassifier,
    KANRegressor,
    KernelOperatorRegressor,
    NeuralODEClassifier,
    NeuralODERegressor,
    SparseAutoencoder,
    io,
)
from skdyn.exceptions import MissingExtraError
from skdyn.symbolic import EquationSystem

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


def _write(path, header, arrays=None):
    from safetensors.numpy import save_file

    text = header if isinstance(header, str) else json.dumps(header)
    save_file({"a": np.zeros(1)} if arrays is None else arrays, path, metadata={"skdyn": text})


def _header(model=None):
    packed, arrays = io._packed(NeuralODERegressor() if model is None else model)
    return json.loads(json.dumps(packed)), arrays


@pytest.mark.parametrize(
    "header",
    [
        "{x",
        "5",
        "[]",
        "{}",
        "null",
        '{"format": 3}',
        '{"format": "3", "skdyn_version": "0.1.0", "class": "KANRegressor", "state": {"dict": {}}}',
        '{"format": 0, "skdyn_version": "0.1.0", "class": "KANRegressor", "state": {"dict": {}}}',
        '{"format": 3, "skdyn_version": "0.1.0", "class": ["KANRegressor"], "state": {}}',
        '{"format": 3, "skdyn_version": "0.1.0", "class": "KANRegressor", "state": 5}',
        '{"format": 3, "skdyn_version": "0.1.0", "class": "KANRegressor", "state": {"dict": []}}',
        '{"format": 3, "format": 3, "skdyn_version": "0.1.0", "class": "KANRegressor"}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"n": ' + "9" * 100_000 + "}",
        "[" + "[]," * 600_000 + "1]",
    ],
    ids=lambda header: header[:60],
)
def test_a_malformed_header_is_one_error_that_names_the_file(path, header):
    _write(path, header)
    with pytest.raises(ValueError, match=r"model\.safetensors' cannot be loaded: "):
        io.load(path)


@pytest.mark.parametrize(
    "node",
    [
        {"zz": 1},
        {"array": "no"},
        {"array": 5},
        {"array": "a", "more": 1},
        {"scalar": 1.5, "dtype": "<i8"},
        {"scalar": True, "dtype": "<i8"},
        {"scalar": "x", "dtype": "V1000000000"},
        {"scalar": 1, "dtype": "f8,f8"},
        {"labels": ["a"], "dtype": "<U300000000"},
        {"labels": ["a", ["b"]], "dtype": "|O"},
        {"labels": [1], "dtype": "<f8"},
        {"labels": ["abc"], "dtype": "<U1"},
        {"labels": 3, "dtype": "|O"},
        {"list": {"a": 1}},
        {"tuple": 5},
        {"class": "NoSuch", "state": {"dict": {}}},
        {"class": "DictionaryMatch", "state": {"dict": {}}},
        [1, 2],
        2**80,
    ],
    ids=str,
)
def test_a_malformed_node_is_refused(path, node):
    header, _ = _header(Meta())
    header["state"]["dict"]["others"] = node
    _write(path, header)
    with pytest.raises(ValueError, match="cannot be loaded"):
        io.load(path, trusted=[Meta])


def test_nodes_within_nodes_end_somewhere(path):
    header, node = _header(Meta())[0], 1
    for _ in range(100):
        node = {"list": [node]}
    header["state"]["dict"]["others"] = node
    _write(path, header)
    with pytest.raises(ValueError, match="nested more than"):
        io.load(path, trusted=[Meta])


def test_an_array_is_named_once_and_all_are(path):
    header, _ = _header(Meta())
    header["state"]["dict"]["others"] = {"array": "a"}
    _write(path, header)
    assert io.load(path, trusted=[Meta]).others.shape == (1,)
    header["state"]["dict"]["estimator"] = {"array": "a"}
    _write(path, header)
    with pytest.raises(ValueError, match="names it twice"):
        io.load(path, trusted=[Meta])
    _write(path, _header()[0])
    with pytest.raises(ValueError, match=r"arrays \['a'\], which nothing names"):
        io.load(path)


@pytest.mark.parametrize("change", [{"format": 4}, {"skdyn_version": "99.1.0"}])
def test_a_file_of_a_newer_version_says_so(path, change):
    header, _ = _header()
    header["state"]["dict"]["new_parameter"] = 1
    _write(path, header | change)
    version = change.get("skdyn_version", skdyn.__version__)
    with pytest.raises(ValueError, match=rf"written by skdyn {version}.*Update skdyn"):
        io.load(path)


@pytest.mark.parametrize("number", [1, 2])
def test_files_of_earlier_formats_load(path, number):
    system = EquationSystem(["x*y", "-y"], ["x", "y"])
    for model in (_fitted(), Meta(others=system)):
        header, arrays = _header(model)
        text = json.dumps(header | {"format": number}).replace('"_texts"', '"texts"')
        _write(path, text, arrays)
        again = io.load(path, trusted=[Meta])
        assert repr(again) == repr(model)
    assert again.others == system


def test_another_class_than_the_expected_one_is_refused(path):
    io.save(KANRegressor(), path)
    assert type(io.load(path, KANRegressor)) is KANRegressor
    with pytest.raises(ValueError, match="holds a KANRegressor, not a HopfieldClassifier"):
        io.load(path, HopfieldClassifier)


@pytest.mark.parametrize(
    ("model", "added"),
    [
        (KANRegressor((2,), max_iter=2, random_state=0), ["_moves", "_y_moves"]),
        (HopfieldClassifier(mode="stored"), ["_prior", "_cooling", "mode_"]),
        (SparseAutoencoder(4, k=2, allocation="gated", max_iter=2), ["penalty_strength"]),
        (
            KernelOperatorRegressor(
                grid_shape=3, length_scale=1.0, emphasis=0.0, alpha=1e-3, n_corrections=0
            ),
            ["targets"],
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_file_from_before_something_was_added_answers_as_it_did(path, model, added):
    model.fit(X, Y > 0 if is_classifier(model) else X)
    header, arrays = _header(model)
    state = header["state"]["dict"]
    for name in added:
        parts = state if name in state else state["_module_arrays"]["dict"]
        packed = parts.pop(name)
        arrays.pop(packed["array"] if isinstance(packed, dict) else None, None)
    _write(path, header, arrays)
    again = io.load(path)
    asked = "transform" if hasattr(model, "transform") else "predict"
    np.testing.assert_array_equal(getattr(again, asked)(X), getattr(model, asked)(X))


def test_parameters_that_fit_would_refuse_are_refused(path):
    with pytest.raises(ValueError, match="'alpha' parameter"):
        io.save(NeuralODERegressor(alpha=-1.0), path)
    header, _ = _header()
    header["state"]["dict"]["solver"] = "no such solver"
    _write(path, header)
    with pytest.raises(ValueError, match="'solver' parameter"):
        io.load(path)


def test_labels_that_are_much_wider_than_they_are_long_come_back(path):
    names = np.array(["a"] * 500 + ["b" * 900])
    io.save(Meta(others=names), path)
    np.testing.assert_array_equal(io.load(path, trusted=[Meta]).others, names)


@pytest.mark.parametrize("text", ["9**9**8*x0", "x0.__class__", "open(x0)", "x5", "x0 +"])
def test_a_forged_formula_is_refused_at_once(path, text):
    header, _ = _header(Meta(others=EquationSystem(["x"], ["x"])))
    written = header["state"]["dict"]["others"]["state"]["dict"]["_texts"]["list"]
    written[0] = text
    _write(path, header)
    with pytest.raises(ValueError, match="formula"):
        io.load(path, trusted=[Meta])


def test_no_number_in_a_scale_is_silent(path):
    header, arrays = _header(_fitted())
    for name in ("_x_scale", "_y_offset", "_module_arrays.readout.weight"):
        broken = arrays[name].copy()
        broken.flat[0] = np.nan
        _write(path, header, arrays | {name: broken})
        with pytest.raises(ValueError, match=r"finite|NaN"):
            io.load(path)


def test_without_safetensors_the_extra_is_named(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(MissingExtraError, match=r"skdyn\[io\]"):
        io.save(NeuralODERegressor(), path)

import pickle

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression

from skdyn import SparseAutoencoder, Transcoder, io

pytestmark = pytest.mark.filterwarnings(
    f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning"
)
RNG = np.random.default_rng(0)
LOOKS_FOR = np.linalg.qr(RNG.normal(size=(8, 8)))[0]
ADDS = np.linalg.qr(RNG.normal(size=(8, 8)))[0][:, :6] * 3.0
ADDS /= np.linalg.norm(ADDS, axis=1, keepdims=True)
CODES = np.zeros((600, 8))
for row in CODES:
    row[RNG.choice(8, 2, replace=False)] = RNG.uniform(1, 2, 2)
X, Y = CODES @ LOOKS_FOR, CODES @ ADDS + 5.0
SETTINGS = {"k": 2, "allocation": "topk", "aux": "auxk", "max_iter": 22, "batch_size": 60}
SETTINGS |= {
    "learning_rate": 0.03,
    "learning_rate_schedule": "constant",
    "random_state": 0,
}


def _model(**parameters):
    return Transcoder(parameters.pop("n_components", 16), **SETTINGS | parameters)


@pytest.fixture(scope="module")
def fitted():
    return _model().fit(X, Y)


def test_a_planted_sparse_map_is_found_both_ends_of_it(fitted):
    assert fitted.score(X, Y) > 0.97
    assert (ADDS @ fitted.components_.T).max(axis=1).min() > 0.95
    looks_for = fitted.input_components_
    looks_for /= np.linalg.norm(looks_for, axis=1, keepdims=True)
    pairs = (ADDS @ fitted.components_.T).argmax(axis=1)
    assert np.einsum("ij,ij->i", LOOKS_FOR, looks_for[pairs]).min() > 0.4  # some share one


def test_outputs_count_by_their_variance(fitted):
    y = np.column_stack([Y, 1e-6 * np.random.default_rng(0).normal(size=len(Y))])
    model = _model(max_iter=15).fit(X, y)
    residual = np.square(y - model.predict(X)).sum()
    expected = 1.0 - residual / np.square(y - y.mean(axis=0)).sum()
    assert model.score(X, y) == pytest.approx(expected, rel=1e-6)
    assert model.score(X, y) > 0.9


def test_a_linear_map_of_one_input_is_transcoded():
    x = np.linspace(-1.0, 1.0, 200)[:, None]
    model = _model(n_components=8, k=4, allocation="relu", l1_coefficient=0.0).fit(x, 3.0 * x)
    np.testing.assert_allclose(model.predict(x), 3.0 * x, atol=0.3)


def test_codes_times_components_are_the_prediction(fitted):
    bias = fitted.inverse_transform(np.zeros((1, 16)))
    codes = fitted.transform(X)
    np.testing.assert_allclose(fitted.predict(X), codes @ fitted.components_ + bias, atol=1e-5)
    np.testing.assert_allclose(fitted.predict(X), fitted.inverse_transform(codes), atol=1e-12)
    assert ((codes > 0).sum(axis=1) <= 2).all()


def test_active_codes_are_linear_in_the_inputs(fitted):
    codes, moved = fitted.transform(X[:1]), fitted.transform(X[:1] * 1.001)
    active = codes[0] > 0
    slope = fitted.input_components_[active] @ (0.001 * X[0])
    np.testing.assert_allclose((moved - codes)[0, active], slope, atol=1e-6)


def test_a_row_does_not_depend_on_its_batch_and_csr_equals_dense(fitted):
    dense = fitted.transform(X)
    np.testing.assert_allclose(fitted.transform(X[7:8]), dense[7:8], rtol=1e-10)
    sparse = pickle.loads(pickle.dumps(fitted)).set_params(output="csr").transform(X)
    assert sparse.format == "csr"
    np.testing.assert_array_equal(sparse.toarray(), dense)


def test_other_units_of_the_targets_change_nothing_else():
    own, other = (_model(max_iter=5).fit(X, unit * Y) for unit in (1.0, 64.0))
    np.testing.assert_allclose(other.predict(X), 64.0 * own.predict(X), rtol=1e-3, atol=0.1)
    np.testing.assert_allclose(other.transform(X), 64.0 * own.transform(X), rtol=1e-3, atol=0.1)


def test_one_target_is_predicted_as_it_came():
    one = _model(max_iter=2).fit(X, Y[:, 0])
    assert one.predict(X).shape == (600,)
    np.testing.assert_array_equal(
        _model(max_iter=2).fit(X, Y[:, :1]).predict(X)[:, 0], one.predict(X)
    )


def test_inputs_as_targets_come_close_to_an_autoencoder():
    own = SparseAutoencoder(16, **SETTINGS | {"max_iter": 12})
    assert abs(_model(max_iter=12).fit(X, X).score(X, X) - own.fit(X).score(X)) < 0.05


@pytest.mark.parametrize(
    "allocation", ["batch_topk", "feature_choice", "jumprelu", "gated", "mutual_then_feature"]
)
def test_every_allocation_transcodes(allocation):
    model = _model(allocation=allocation, l1_coefficient=0.1, max_iter=12).fit(X, Y)
    assert model.score(X, Y) > 0.4
    assert (model.transform(X) > 0).sum(axis=1).mean() < 8


def test_learning_goes_on_batch_by_batch():
    model = _model()
    for _ in range(12):
        model.partial_fit(X, Y)
    assert model.n_iter_ == 12
    assert model.score(X, Y) > 0.8


def test_other_targets_are_refused_and_the_model_stays(fitted):
    model = _model().partial_fit(X, Y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="y has 5 outputs, but the model was started with 6"):
        model.partial_fit(X, Y[:, :5])
    np.testing.assert_array_equal(model.predict(X), before)


def test_missing_short_and_missing_valued_targets_are_refused():
    with pytest.raises(ValueError, match="requires y to be passed"):
        _model().fit(X, None)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        _model().fit(X, Y[:-1])
    with pytest.raises(ValueError, match="NaN"):
        _model().fit(X, np.where(Y > 5, np.nan, Y))


def test_more_active_latents_than_there_are_means_all_with_a_warning():
    message = "k=17 active latents per row are more than n_components=16"
    with pytest.warns(UserWarning, match=message):
        model = _model(k=17, max_iter=2).fit(X, Y)
    all_active = _model(k=16, max_iter=2).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), all_active.predict(X))


@pytest.mark.parametrize("case", ["zeros", "constant targets", "few rows", "integers"])
def test_poor_data_give_finite_predictions(case):
    x, y = {
        "zeros": (np.zeros((20, 3)), np.zeros((20, 2))),
        "constant targets": (X[:20], np.full(20, 7.0)),
        "few rows": (X[:2], Y[:2]),
        "integers": (np.arange(60).reshape(20, 3) % 7, np.arange(20)),
    }[case]
    model = _model(k=3, max_iter=3).fit(x, y)
    assert np.isfinite(model.predict(x)).all()
    if case == "constant targets":  # after a few steps, too
        np.testing.assert_allclose(model.predict(x), 7.0, atol=1e-3)


def test_copies_from_disk_predict_the_same(fitted, tmp_path):
    io.save(fitted, tmp_path / "model.safetensors")
    for other in (pickle.loads(pickle.dumps(fitted)), io.load(tmp_path / "model.safetensors")):
        np.testing.assert_array_equal(other.predict(X), fitted.predict(X))


Y_BENT = X @ ADDS + np.maximum(X[:, :1], 0.0) + 5.0


@pytest.fixture(scope="module")
def skipping():
    return _model(k=1, skip=True, max_iter=8).fit(X, Y_BENT)


@pytest.mark.parametrize(
    ("k", "allocation"), [(1, "topk"), (4, "feature_then_mutual"), (2, "gated")]
)
def test_with_a_skip_affine_targets_are_exact_for_any_k(k, allocation):
    model = _model(k=k, allocation=allocation, skip=True, max_iter=3)
    far = np.vstack([X, 100.0 * X[:3]])
    with pytest.warns(UserWarning, match="lie far from all others"):
        model.fit(far, far @ ADDS + 5.0)
    assert 1.0 - model.score(X, X @ ADDS + 5.0) < 1e-9
    np.testing.assert_allclose(model.coef_, ADDS.T, atol=1e-4)


def test_with_a_skip_it_is_better_than_least_squares(skipping):
    least = LinearRegression().fit(X, Y_BENT)
    error = [np.square(Y_BENT - model.predict(X)).sum() for model in (skipping, least)]
    assert error[0] < 0.7 * error[1]


def test_a_prediction_is_what_codes_stand_for_and_the_linear_part(skipping):
    codes = skipping.transform(X)
    expected = skipping.inverse_transform(codes) + X @ skipping.coef_.T
    np.testing.assert_allclose(skipping.predict(X), expected, atol=1e-5)
    moved = skipping.predict(X + 1e3) - (
        skipping.inverse_transform(skipping.transform(X + 1e3)) + (X + 1e3) @ skipping.coef_.T
    )
    assert np.abs(moved).max() < 1e-2
    module = skipping.module_.double()
    x = torch.from_numpy(X)
    np.testing.assert_allclose(module(x).numpy(), skipping.predict(X), atol=1e-9)
    assert (_model(max_iter=1).fit(X, Y).coef_ == 0).all()


def test_streams_learn_a_skip_from_what_the_buffer_holds():
    blocks = [(X[start : start + 100], Y_BENT[start : start + 100]) for start in range(0, 600, 100)]
    xs, ys = ([block[side] for block in blocks] for side in (0, 1))
    model = _model(k=1, skip=True, max_iter=3, buffer_size=200).fit(xs, ys)
    assert model.score(X, Y_BENT) >= LinearRegression().fit(X, Y_BENT).score(X, Y_BENT) - 1e-3
    for x, y in blocks:
        model.partial_fit(x, y)
    assert model.score(X, Y_BENT) > 0.99


def test_a_skip_survives_files_and_copies(skipping, tmp_path):
    io.save(skipping, tmp_path / "model.safetensors")
    for other in (pickle.loads(pickle.dumps(skipping)), io.load(tmp_path / "model.safetensors")):
        np.testing.assert_array_equal(other.predict(X), skipping.predict(X))
    state = _model(max_iter=1).fit(X, Y).__getstate__()
    del state["skip"]  # as files from before have it
    old = Transcoder.__new__(Transcoder)
    old.__setstate__(state)
    assert old.skip is False
    assert old.predict(X).shape == Y.shape


def test_what_is_worse_than_a_line_says_so():
    model = _model(skip=True, learning_rate=3.0, max_iter=2)
    with pytest.warns(ConvergenceWarning, match="worse than that of a linear function"):
        model.fit(X, Y_BENT)

import numpy as np
import pytest

from skdyn import CodebookTransformer, Crosscoder, SparseAutoencoder, Transcoder

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(120, 6)).astype("f")
WEIGHT = RNG.integers(0, 4, size=120).astype(float)
CODERS = (SparseAutoencoder, Crosscoder, CodebookTransformer, Transcoder)
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*ended with a loss:sklearn.exceptions.ConvergenceWarning"
)


def _fit(cls, X, weight=None, **parameters):
    defaults = {"k": 3, "max_iter": 2, "batch_size": 32, "random_state": 0}
    model = cls(12, **defaults | parameters)
    return model.fit(X, X[:, :2] if cls is Transcoder else None, sample_weight=weight)


def _same(one, other):
    for name, value in one.module_.state_dict().items():
        np.testing.assert_array_equal(value, other.module_.state_dict()[name])


@pytest.mark.parametrize("cls", CODERS)
def test_weight_zero_is_a_row_removed_and_equal_weights_are_none(cls):
    some = WEIGHT > 0
    weighted, plain = _fit(cls, ROWS, WEIGHT), _fit(cls, ROWS[some])
    _same(weighted, _fit(cls, ROWS[some], WEIGHT[some]))
    _same(weighted, _fit(cls, ROWS, 10 * WEIGHT))
    _same(plain, _fit(cls, ROWS, some.astype(float)))
    _same(plain, _fit(cls, ROWS[some], np.full(some.sum(), 7.0)))
    with pytest.raises(AssertionError):
        _same(weighted, plain)


def test_loss_densities_and_thresholds_count_the_weights():
    two = np.repeat([[3.0, 0.0], [0.0, 1.0]], 100, axis=0) + 0.01 * RNG.normal(size=(200, 2))
    weight = np.repeat([1.0, 9.0], 100)
    settings = {"k": 1, "batch_size": 50, "max_iter": 15, "learning_rate": 0.03}
    light = SparseAutoencoder(2, allocation="batch_topk", random_state=0, **settings)
    model = light.fit(two, sample_weight=weight)
    n_active = (model.transform(two) > 0).sum(axis=1)
    assert np.average(n_active, weights=weight) == pytest.approx(1.0, abs=0.15)
    share = np.average(model.transform(two) > 0, weights=weight, axis=0)
    np.testing.assert_allclose(model.feature_density_, share, atol=0.02)


def test_a_transcoder_of_streams_predicts_as_of_arrays(tmp_path):
    np.save(tmp_path / "rows.npy", ROWS)
    disk = np.load(tmp_path / "rows.npy", mmap_mode="r")
    y = ROWS[:, 0]
    settings = {"k": 3, "max_iter": 8, "learning_rate": 0.06, "batch_size": 32}
    model = Transcoder(12, buffer_size=50, random_state=0, **settings)
    model.fit(disk, y)
    assert model.predict(disk).shape == (120,)
    assert model.score(disk, y) > 0.5
    parts = np.array_split(ROWS, 5)
    other = model.set_params(max_iter=2).fit(parts, np.array_split(ROWS[:, :2], 5))
    np.testing.assert_allclose(other.predict(parts), other.predict(ROWS), atol=1e-5)


def test_sources_of_different_lengths_are_refused():
    parts = np.array_split(ROWS, 4)
    with pytest.raises(ValueError, match="sample_weight must hold one entry for each row of X; it"):
        SparseAutoencoder(4, k=1).fit(parts, sample_weight=WEIGHT[1:])
    with pytest.raises(ValueError, match="it holds 119, and X has 120 or more rows"):
        SparseAutoencoder(4, k=1, max_iter=1).fit(iter(parts), sample_weight=WEIGHT[1:])
    with pytest.raises(ValueError, match="A batch of X has 30 rows, but that of y has 29"):
        Transcoder(4, k=1).fit(parts, [part[1:] for part in parts])
    with pytest.raises(ValueError, match="y must hold one entry"):
        Transcoder(4, k=1).fit(parts, ROWS[1:, 0])

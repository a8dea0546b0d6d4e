import numpy as np
import pytest
from sklearn.metrics import r2_score

from skdyn.autoencoder import CodebookTransformer, Crosscoder, SparseAutoencoder
from skdyn.autoencoder._reconstructing import explained_variance

RNG = np.random.default_rng(0)
TRUTH = RNG.normal(size=(60, 4)) * [1.0, 2.0, 3.0, 10.0] + 100.0
MADE = TRUTH + RNG.normal(size=(60, 4))


def test_explained_variance_does_not_depend_on_the_blocks():
    whole = explained_variance([(TRUTH, MADE)])
    parts = zip(np.array_split(TRUTH, 7), np.array_split(MADE, 7), strict=True)
    np.testing.assert_allclose(explained_variance(parts), whole, rtol=1e-12)


def test_explained_variance_is_that_of_all_columns_together():
    expected = r2_score(TRUTH, MADE, multioutput="variance_weighted")
    np.testing.assert_allclose(explained_variance([(TRUTH, MADE)]), expected, rtol=1e-10)


def test_sources_count_alike():
    sources = [slice(3), slice(3, 4)]
    each = [explained_variance([(TRUTH[:, s], MADE[:, s])]) for s in sources]
    together = explained_variance([(TRUTH, MADE)], sources)
    np.testing.assert_allclose(together, np.mean(each), rtol=1e-12)


def test_constant_rows_are_explained_without_error_or_not_at_all():
    constant = np.full((5, 2), 0.1)
    assert explained_variance([(constant, constant)]) == 1.0
    assert explained_variance([(constant, constant + 1.0)]) == 0.0


@pytest.mark.parametrize("cls", [SparseAutoencoder, Crosscoder, CodebookTransformer])
def test_every_one_of_them_reads_streams(cls):
    model = cls(8, k=2, max_iter=2, buffer_size=16, batch_size=8, random_state=0)
    batches = np.array_split(TRUTH, 4)
    assert model.fit(batches).transform(batches).shape == (60, 8)
    np.testing.assert_allclose(model.score(batches), model.score(TRUTH), rtol=1e-6)
    with pytest.raises(ValueError, match="read only once, but max_iter=2"):
        model.fit(iter(batches))


@pytest.mark.parametrize("cls", [SparseAutoencoder, Crosscoder])
def test_partial_fit_knows_no_number_of_epochs(cls):
    models = [cls(8, k=2, max_iter=n, batch_size=8, random_state=0) for n in (1, 1000)]
    for part in np.array_split(RNG.normal(size=(120, 4)), 4):
        for model in models:
            model.partial_fit(part)
    few, many = (model.module_.encoder_weight for model in models)
    assert (few == many).all()


@pytest.mark.parametrize("allocation", ["batch_topk", "feature_then_mutual", "feature_choice"])
def test_partial_fit_ends_with_thresholds_of_the_weights_that_it_leaves(allocation):
    rows = RNG.normal(size=(2000, 6))
    model = SparseAutoencoder(12, k=3, allocation=allocation, learning_rate=0.05, random_state=0)
    for number, part in enumerate(np.array_split(rows, 4)):
        n_active = (model.partial_fit(part).transform(part) > 0).sum(axis=1).mean()
        assert n_active == pytest.approx(3, rel=0.1 if number else 0.01)
    before = model.module_.threshold.numpy().copy()
    model.set_params(learning_rate=1e-12).partial_fit(rows[:5])  # five rows beside two thousand
    change = np.abs(model.module_.threshold.numpy() - before).max()
    assert change < 0.05 * before.max()

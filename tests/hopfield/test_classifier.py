import warnings

import numpy as np
import pytest
import torch
from sklearn import config_context
from sklearn.datasets import load_iris, load_wine, make_classification
from sklearn.metrics import log_loss
from sklearn.model_selection import LeaveOneOut, cross_val_predict, cross_val_score, cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from skdyn import HopfieldClassifier
from skdyn.hopfield._frozen_memory import FrozenMemory

X, Y = load_iris(return_X_y=True)
SCALED = StandardScaler().fit_transform(X)
queries = np.random.default_rng(0).normal(size=(40, 4))


def test_huge_beta_is_the_nearest_neighbor_of_scikit_learn():
    rows = np.unique(SCALED, axis=0, return_index=True)[1]
    model = HopfieldClassifier("stored", beta=1e12).fit(SCALED[rows], Y[rows])
    # Both standardize alike when the metric is that of the model's own scales.
    scaler = StandardScaler().fit(SCALED[rows])
    peer = KNeighborsClassifier(1).fit(scaler.transform(SCALED[rows]), Y[rows])
    np.testing.assert_array_equal(model.predict(queries), peer.predict(scaler.transform(queries)))


def test_tiny_beta_is_the_frequency_of_the_classes():
    weight = np.where(Y == 0, 3.0, 1.0)
    model = HopfieldClassifier("stored", beta=1e-12).fit(X, Y, sample_weight=weight)
    np.testing.assert_allclose(
        model.predict_proba(queries), np.tile([0.6, 0.2, 0.2], (40, 1)), atol=1e-9
    )


def test_one_update_is_attention():
    model = HopfieldClassifier("stored", beta=9.0, similarity="dot", smoothing=0.0).fit(SCALED, Y)
    keys = torch.from_numpy(SCALED)
    found = torch.nn.functional.scaled_dot_product_attention(
        torch.from_numpy(queries)[None], keys[None], torch.eye(3).double()[Y][None],
        scale=9.0 / keys.var(dim=0, correction=0).sum().item(),
    )  # fmt: skip
    np.testing.assert_allclose(model.predict_proba(queries), found[0].numpy())


def test_leave_one_out_tells_what_refits_without_each_row_find():
    rows = np.unique(SCALED, axis=0, return_index=True)[1]
    model = HopfieldClassifier("stored").fit(SCALED[rows], Y[rows])
    one = HopfieldClassifier("stored", beta=model.beta_, smoothing=model._smoothing)
    proba = cross_val_predict(one, SCALED[rows], Y[rows], cv=LeaveOneOut(), method="predict_proba")
    # Each refit also has scales and class frequencies of its own.
    np.testing.assert_allclose(log_loss(Y[rows], proba), model.best_loss_, rtol=0.02)


def test_smoothing_keeps_unseen_classes_possible():
    sure = HopfieldClassifier("stored", beta=1e9, smoothing=0.0).fit(X, Y)
    careful = HopfieldClassifier("stored", beta=1e9).fit(X, Y)
    assert sure.predict_proba(X).min() < 1e-100
    assert careful.predict_proba(X).min() > 1e-4
    np.testing.assert_array_equal(sure.predict(queries), careful.predict(queries))


def test_labels_that_are_noise_get_their_frequencies():
    rng = np.random.default_rng(0)
    y = (rng.uniform(size=200) < 0.3).astype(int)
    model = HopfieldClassifier("stored").fit(rng.normal(size=(200, 5)), y)
    proba = model.predict_proba(rng.normal(size=(50, 5)))
    np.testing.assert_allclose(proba[:, 1], y.mean(), atol=0.15)


def test_a_single_class_is_certain():
    for mode in ("stored", "projected", "prototypes"):
        model = HopfieldClassifier(mode, max_iter=2, tol=0).fit(X[:20], np.full(20, "x"))
        assert set(model.predict(queries)) == {"x"}
        np.testing.assert_allclose(model.predict_proba(queries), 1)


def test_a_single_row_is_stored():
    model = HopfieldClassifier("stored").fit(X[:1], ["x"])
    assert model.predict(queries)[0] == "x"


def test_classes_announced_come_later():
    model = HopfieldClassifier("stored").partial_fit(X[:50], Y[:50], classes=[0, 1, 2])
    assert model.predict_proba(X).shape == (150, 3)
    model.partial_fit(X[50:], Y[50:])
    assert model.score(X, Y) > 0.9
    with pytest.raises(ValueError, match=r"y holds labels \[7\]"):
        model.partial_fit(X[:1], [7])
    model = HopfieldClassifier("prototypes", random_state=0)
    model.partial_fit(X[:50], Y[:50], classes=[0, 1, 2]).partial_fit(X[50:], Y[50:])
    assert len(model.patterns_) == 15


def test_a_class_with_fewer_rows_than_prototypes_repeats_them():
    few = np.r_[0:3, 50:60]
    model = HopfieldClassifier("prototypes", max_iter=5, tol=0).fit(X[few], Y[few])
    assert len(model.patterns_) == 10
    assert np.isfinite(model.patterns_).all()


def test_the_weights_of_many_queries_are_never_in_memory_at_once(monkeypatch):
    rng = np.random.default_rng(0)
    model = HopfieldClassifier("stored", beta=10.0)
    model.fit(rng.normal(size=(20_000, 8)), rng.integers(0, 2, 20_000))
    sizes, real = [], FrozenMemory.score_chunks

    def watched(*args, **how):
        for scored in real(*args, **how):
            sizes.append(scored.scores.nelement() * scored.scores.element_size())
            yield scored

    monkeypatch.setattr(FrozenMemory, "score_chunks", watched)
    with config_context(working_memory=16):
        model.predict(rng.normal(size=(1_000, 8)))
    assert sum(sizes) == 20_000 * 1_000 * 8
    assert max(sizes) <= 16 * 2**20


def test_a_projection_ignores_what_only_disturbs():
    data, labels = make_classification(
        150, 20, n_informative=3, n_redundant=0, n_clusters_per_class=1, class_sep=1.5,
        random_state=0,
    )  # fmt: skip
    learnt = cross_val_score(
        HopfieldClassifier("projected", max_iter=60, random_state=0), data, labels, cv=3
    ).mean()
    stored = cross_val_score(HopfieldClassifier("stored"), data, labels, cv=3).mean()
    assert learnt > stored + 0.03


@pytest.mark.parametrize("mode", ["stored", "projected", "prototypes"])
def test_wine_is_told_apart_in_every_mode(mode):
    model = HopfieldClassifier(mode, n_prototypes=3, max_iter=30, random_state=0)
    data, labels = load_wine(return_X_y=True)
    found = cross_validate(model, data, labels, cv=3, scoring=["accuracy", "neg_log_loss"])
    assert found["test_accuracy"].mean() > 0.93
    assert -found["test_neg_log_loss"].mean() < 0.3


# -- a zoo of tables ---------------------------------------------------------------------------

N_TRAIN, N = 45, 145


def kinds(rng):
    """Tables on which one way to compare rows or another may fail."""
    two, three, angle = np.arange(N) % 2, np.arange(N) % 3, rng.uniform(0, 2 * np.pi, N)
    noise, plane, bits = (rng.normal(size=(N, k)) for k in (4, 2, 8))
    bits = np.where(bits > 0, 1.0, 0.0)
    blobs = 2.5 * np.eye(3)[three] + rng.normal(size=(N, 3))
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    half = np.column_stack([np.cos(angle / 2), np.sin(angle / 2)])
    return {
        "blobs": (blobs, three),
        "binary": (bits, 2 * bits[:, 0] + bits[:, 1]),
        "constant within classes": (np.column_stack([three, noise]), three),
        "indicators of classes": (np.column_stack([np.eye(3)[three], noise]), three),
        "one row per class": (blobs, np.r_[np.arange(N_TRAIN), nearest(blobs)]),
        "many noise columns": (np.column_stack([blobs, rng.normal(size=(N, 40))]), three),
        "more columns than rows": (np.column_stack([blobs, rng.normal(size=(N, 90))]), three),
        "circles": (ring * (1 + two)[:, None] + plane / 10, two),
        "xor": (plane, plane[:, 0] * plane[:, 1] > 0),
        "stripes": (plane, np.floor(2 * plane[:, 0]) % 2),
        "moons": (half * (1 - 2 * two)[:, None] + two[:, None] * [1.0, 0.4] + plane / 10, two),
        "heavy tails": (blobs + 0.3 * rng.standard_cauchy(size=(N, 3)), three),
        "skewed": (np.exp(2 * blobs), three),
        "tiny": (blobs * 1e-200, three),
        "huge": (blobs * 1e60, three),
        "of many scales": (blobs * [1e-9, 1.0, 1e9], three),
        "constant columns": (np.column_stack([blobs, np.ones((N, 2))]), three),
        "collinear": (np.column_stack([blobs, blobs @ rng.normal(size=(3, 3))]), three),
        "rare class": (blobs, np.where(rng.random(N) < 0.85, 0, three)),
        "counts": (rng.poisson(0.2 + np.eye(3)[three].repeat(3, axis=1)), three),
        "no signal": (noise, two),
    }


def nearest(rows):
    distances = np.square(rows[N_TRAIN:, None] - rows[:N_TRAIN]).sum(axis=2)
    return distances.argmin(axis=1)


@pytest.mark.filterwarnings("ignore:The number of unique classes is greater")
@pytest.mark.parametrize("kind", kinds(np.random.default_rng(0)))
def test_no_mode_is_far_below_recall_of_the_rows_as_they_are(kind):
    X, y = kinds(np.random.default_rng(0))[kind]

    def score(mode):
        model = HopfieldClassifier(mode, max_iter=12, tol=0.0, random_state=0)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = model.fit(X[:N_TRAIN], y[:N_TRAIN]).score(X[N_TRAIN:], y[N_TRAIN:])
        return 1.0 if any("no better than" in str(warning.message) for warning in told) else found

    assert min(score("projected"), score("prototypes")) >= score("stored") - 0.1

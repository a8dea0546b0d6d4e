import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

import skdyn.io
from skdyn import HopfieldClassifier, HopfieldRegressor
from skdyn.exceptions import MissingExtraError
from skdyn.hopfield import FaissIndex
from skdyn.hopfield import _index as module_index
from skdyn.hopfield._frozen_memory import FrozenMemory
from skdyn.hopfield._retrieval import SIMILARITIES
from skdyn.hopfield._separations import SEPARATIONS

rng = np.random.default_rng(0)
X = rng.normal(size=(400, 4))
Y = np.column_stack([X[:, 0] ** 2, X[:, 1]])
LABELS = (X[:, 0] > 0).astype(int)


def test_a_missing_faiss_is_told_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'skdyn\[index\]'"):
        HopfieldRegressor("stored", index="faiss").fit(X, Y)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="n_candidates must be at least 1; got 0"):
        FaissIndex(n_candidates=0)
    with pytest.raises(ValueError, match="n_probes must be at least 1; got -1"):
        FaissIndex(n_probes=-1)


@pytest.fixture
def faiss():
    return pytest.importorskip("faiss", reason="extra 'index' is not installed")


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("separation", SEPARATIONS.values())
def test_all_candidates_in_all_cells_are_exact(faiss, similarity, separation):
    queries, patterns = torch.from_numpy(rng.normal(size=(9, 4))), torch.from_numpy(X)
    mass = torch.from_numpy(rng.uniform(0.5, 2, size=400))
    exact = FrozenMemory(patterns, None, mass, 3.0, similarity, separation)
    few = replace(exact, index=FaissIndex(n_candidates=400, n_probes=400))
    ((_, _, wanted),) = exact.weight_chunks(queries)
    ((_, found, weights),) = few.weight_chunks(queries)
    spread = torch.zeros(9, 400, dtype=torch.float64).scatter(1, found, weights)
    torch.testing.assert_close(spread, wanted)
    itself = torch.arange(9)
    for how in ({}, {"exclude": itself}):
        torch.testing.assert_close(few.means(queries, **how), exact.means(queries, **how))
        torch.testing.assert_close(few.energies(queries, **how), exact.energies(queries, **how))


def test_cells_that_hold_too_few_leave_gaps_without_weight(faiss):
    patterns = torch.from_numpy(X)
    memory = FrozenMemory(patterns, sharpness=3.0, index=FaissIndex(n_candidates=400, n_probes=1))
    for _, _, weights in memory.weight_chunks(patterns[:9]):
        assert (weights > 0).sum(dim=1).max() < 400
        torch.testing.assert_close(weights.sum(dim=1), torch.ones(9, dtype=torch.float64))


def test_no_row_is_named_twice_where_cells_hold_too_few(faiss):
    for separation in ("softmax", "topk"):  # topk gives nearly all that is found no weight either
        index = FaissIndex(n_candidates=300, n_probes=1)
        model = HopfieldClassifier("stored", index=index, separation=separation).fit(X, LABELS)
        rows, weights = model.retrieved_patterns(X[:9], n_patterns=300)
        assert (rows[:, -1] == -1).all()
        assert (weights[rows == -1] == 0).all()
        for row in rows:
            named = row[row >= 0]
            assert len(set(named)) == len(named) > 1
            assert (row[len(named) :] == -1).all()


def test_a_query_that_comes_upon_empty_cells_is_compared_with_all(faiss):
    memory = FrozenMemory(torch.from_numpy(X), sharpness=3.0, index=FaissIndex(5, n_probes=1))
    _, cells = memory.built.quantizer.search(X.astype(np.float32), 1)
    empty = np.flatnonzero(cells[:, 0] == 0)
    memory.built.remove_ids(empty)
    ((_, found, weights),) = memory.weight_chunks(memory.keys[empty[:1]])
    distances = np.square(X - X[empty[0]]).sum(axis=1)
    distances[empty] = np.inf
    assert set(found[0].tolist()) == set(distances.argsort()[:5])
    assert torch.isfinite(weights).all()


@pytest.mark.parametrize("model", [HopfieldClassifier("stored"), HopfieldRegressor("stored")])
def test_predictions_come_close_to_the_exact_ones(faiss, model):
    y = LABELS if isinstance(model, HopfieldClassifier) else Y
    queries = rng.normal(size=(50, 4))
    model.set_params(beta=200.0).fit(X, y)
    exact = model.predict(queries)
    rows, weights = model.retrieved_patterns(queries, n_patterns=3)
    model.set_params(index=FaissIndex(n_candidates=50, n_probes=8))
    np.testing.assert_allclose(model.predict(queries), exact, atol=1e-3)
    found = model.retrieved_patterns(queries, n_patterns=3)
    np.testing.assert_array_equal(found[0], rows)
    np.testing.assert_allclose(found[1], weights, atol=1e-3)


def test_the_index_is_no_part_of_a_saved_model_and_is_built_again(faiss, tmp_path):
    model = HopfieldClassifier("stored", index=FaissIndex(n_candidates=20)).fit(X, LABELS)
    wanted = model.predict_proba(X)
    skdyn.io.save(model, tmp_path / "model")
    again = skdyn.io.load(tmp_path / "model")
    assert again.index == FaissIndex(n_candidates=20)
    np.testing.assert_array_equal(again.predict_proba(X), wanted)


def test_another_fit_gets_another_index(faiss, monkeypatch):
    built = []
    real = module_index.FaissIndex.build
    monkeypatch.setattr(
        module_index.FaissIndex, "build", lambda *args: built.append(1) or real(*args)
    )
    model = HopfieldClassifier("stored", index="faiss").fit(X, LABELS)
    model.predict(X)
    assert len(built) == 1
    np.testing.assert_array_equal(model.fit(-X, LABELS).predict(-X), model.predict(-X))
    assert len(built) == 2

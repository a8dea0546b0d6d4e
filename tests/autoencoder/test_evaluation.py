import numpy as np
import pytest

from skdyn import SparseAutoencoder, Transcoder
from skdyn.autoencoder import evaluate_dictionary, saved_bits_score
from skdyn.datasets import make_superposition
from skdyn.metrics import l0, saved_bits

X, CODES, ATOMS = make_superposition(800, 12, 16, l0=2.0, noise=0.02, random_state=0)
SETTINGS = {"k": 2, "max_iter": 10, "batch_size": 60, "learning_rate": 0.02}


@pytest.fixture(scope="module")
def coders():
    return [SparseAutoencoder(16, random_state=seed, **SETTINGS).fit(X[:600]) for seed in (0, 1)]


def test_the_table_holds_each_measure_with_its_spread_over_seeds(coders):
    concepts = CODES[600:, :3]
    shares = iter([0.5, 0.75])
    table = evaluate_dictionary(
        coders, X[600:], concepts.toarray(),
        atoms=ATOMS, true_codes=CODES[600:], recovered=lambda coder: next(shares),
    )  # fmt: skip
    assert table.columns.tolist() == ["mean", "low", "high", "raw"]
    assert (table["low"] <= table["mean"]).all()
    assert (table["mean"] <= table["high"]).all()
    assert table.loc["loss_recovered", ["mean", "low", "high"]].tolist() == [0.625, 0.5, 0.75]
    each = [l0(coder.transform(X[600:])) for coder in coders]
    assert table.loc["l0", "low"] == min(each)
    assert table.loc["fvu", "mean"] == pytest.approx(
        np.mean([1 - coder.score(X[600:]) for coder in coders])
    )
    assert 0 < table.loc["recall", "mean"] < 1
    assert {"absorption", "matched_cosine", "dead", "saved_bits"} <= set(table.index)
    assert table["raw"].notna().sum() == 3
    assert table.loc["probe_1", "mean"] > table.loc["probe_1", "raw"]


def test_one_coder_and_no_truth_give_a_short_table(coders):
    table = evaluate_dictionary(coders[0], X[600:])
    assert table.index.tolist() == ["fvu", "l0", "dead", "saved_bits"]
    assert (table["low"] == table["high"]).all()


def test_the_score_is_the_metric_of_its_codes(coders):
    codes = coders[0].transform(X)
    restored = coders[0].inverse_transform(codes)
    expected = saved_bits(X, restored, codes, coders[0].components_)
    assert saved_bits_score(coders[0], X) == pytest.approx(expected)


def test_what_restores_nothing_of_its_own_is_refused():
    with pytest.raises(TypeError, match=r"must restore what it reads.*got Transcoder"):
        saved_bits_score(Transcoder(), X)
    with pytest.raises(ValueError, match="one fitted coder at least"):
        evaluate_dictionary([], X)

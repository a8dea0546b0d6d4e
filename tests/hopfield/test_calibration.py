import numpy as np
import pytest
from sklearn.metrics import log_loss

from skdyn import HopfieldClassifier, HopfieldRegressor
from skdyn.hopfield._calibration import partitions

LEARNT = ["projected", "prototypes"]
rng = np.random.default_rng(0)


def test_each_of_few_rows_is_asked_once_by_a_map_that_has_not_seen_it():
    groups = np.arange(31) % 4
    parts = partitions(31, groups)
    np.testing.assert_array_equal(np.sort(np.concatenate([a for _, a in parts])), np.arange(31))
    for learnt, asked in parts:
        np.testing.assert_array_equal(np.sort([*learnt, *asked]), np.arange(31))
        assert set(np.bincount(groups[asked], minlength=4)) <= {2, 3}
    assert len(partitions(2, None)) == 2


def test_of_many_rows_one_part_is_asked():
    ((learnt, asked),) = partitions(5000, None)
    assert len(asked) == 500
    assert len(learnt) == 4500


@pytest.mark.parametrize("mode", ["stored", *LEARNT])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_without_a_signal_probabilities_are_no_worse_than_class_frequencies(mode):
    for n, d, k in [(20, 30, 2), (40, 100, 3)]:
        X, y = rng.normal(size=(n + 300, d)), np.arange(n + 300) % k
        model = HopfieldClassifier(mode, max_iter=15, random_state=0).fit(X[:n], y[:n])
        loss = log_loss(y[n:], model.predict_proba(X[n:]))
        assert loss < log_loss(y[n:], np.tile(np.bincount(y[:n]) / n, (300, 1))) + 0.02


@pytest.mark.parametrize("mode", LEARNT)
def test_nothing_to_recall_is_told(mode):
    X, y = rng.normal(size=(160, 10)), np.arange(160) % 2
    for model in (HopfieldClassifier(mode), HopfieldRegressor(mode)):
        model.set_params(max_iter=20, tol=0.0, random_state=0)
        with pytest.warns(UserWarning, match="no better than an answer that reads no input"):
            model.fit(X[:60], y[:60])
        if mode == "prototypes" and isinstance(model, HopfieldRegressor):
            assert model.score(X[60:], y[60:]) > -0.1


def test_a_signal_is_recalled_without_a_warning(recwarn):
    X = rng.normal(size=(60, 3))
    for mode in LEARNT:
        HopfieldClassifier(mode, max_iter=20, tol=0.0).fit(X, X[:, 0] > 0)
        HopfieldRegressor(mode, max_iter=20, tol=0.0).fit(X, X[:, 0])
    assert not recwarn.list


def test_prototypes_go_on_as_sure_as_they_were():
    X, y = rng.normal(size=(60, 3)), np.arange(60) % 2
    model = HopfieldClassifier("prototypes", max_iter=20, tol=0.0).fit(X, X[:, 0] + y > 0.5)
    tempered = model._cooling, model._smoothing
    assert tempered != (1.0, 0.0)
    model.partial_fit(X[:20], X[:20, 0] + y[:20] > 0.5)
    assert (model._cooling, model._smoothing) == tempered

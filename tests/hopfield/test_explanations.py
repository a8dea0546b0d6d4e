import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine, make_regression

import skdyn
from skdyn import HopfieldClassifier, HopfieldOutlierDetector, HopfieldRegressor

X, y = load_wine(as_frame=True, return_X_y=True)
X, y = X[::3], y[::3].map({0: "a", 1: "b", 2: "c"})
X.index = y.index = [f"wine {i}" for i in range(len(X))]
R, r = make_regression(60, 4, n_informative=3, random_state=0)


@pytest.mark.parametrize("mode", ["stored", "projected"])
def test_weights_add_up_to_one_and_contributions_to_the_probability(mode):
    model = HopfieldClassifier(mode, max_iter=2, random_state=0).fit(X, y)
    table = model.explain(X[:7], n_cases=3, cases=X)
    by_query = table.groupby(level="query", sort=False)
    assert (by_query.size() == 5).all()
    np.testing.assert_allclose(by_query["weight"].sum(), 1)
    np.testing.assert_allclose(
        by_query["contribution"].sum(), model.predict_proba(X[:7]).max(axis=1)
    )
    assert list(by_query["case"].first()) == list(X.index[:7])  # each is most like itself
    cases = table[table["kind"] == "case"]
    assert list(cases["target"]) == list(y[cases["case"]])
    told = cases["target"].to_numpy() == np.repeat(model.predict(X[:7]), 3)
    np.testing.assert_allclose(cases["contribution"], cases["weight"] * told)


@pytest.mark.parametrize("targets", [r, np.column_stack([r, R[:, 0]])], ids=["one", "two"])
def test_contributions_add_up_to_the_predictions(targets):
    model = HopfieldRegressor("stored").fit(R, targets)
    table = model.explain(R[:5] + 0.1, n_cases=4)
    sums = table.groupby(level="query").sum(numeric_only=True)
    np.testing.assert_allclose(sums["weight"], 1)
    found = sums.filter(like="contribution").to_numpy()
    np.testing.assert_allclose(found, model.predict(R[:5] + 0.1).reshape(5, -1))
    cases = table[table["kind"] == "case"]
    name = "target" if targets.ndim == 1 else "target_0"
    np.testing.assert_allclose(cases[name], r[cases["case"].astype(int)])
    named = table.filter(like="target").to_numpy() * table[["weight"]].to_numpy()
    np.testing.assert_allclose(named, table.filter(like="contribution"))


def test_solved_values_and_a_line_add_up_to_the_log_odds():
    model = HopfieldClassifier("solved").fit(X, y)
    table = model.explain(X[:4], n_cases=3, cases=X)
    assert list(table["kind"][:6]) == [
        *3 * ["case"],
        "other cases",
        "linear part",
        "class frequencies",
    ]
    sums = table.groupby(level="query", sort=False)[["weight", "contribution"]].sum()
    np.testing.assert_allclose(sums["weight"], 1)
    logs = np.log(model.predict_proba(X[:4]))
    np.testing.assert_allclose(sums["contribution"], logs.max(axis=1) - logs.mean(axis=1))


@pytest.mark.parametrize("targets", [r, np.column_stack([r, R[:, 0]])], ids=["one", "two"])
def test_solved_values_and_a_line_add_up_to_numbers(targets):
    model = HopfieldRegressor("solved").fit(R, targets)
    table = model.explain(R[:5] + 0.1, n_cases=4)
    sums = table.groupby(level="query").sum(numeric_only=True)
    np.testing.assert_allclose(sums["weight"], 1)
    found = sums.filter(like="contribution").to_numpy()
    np.testing.assert_allclose(found, model.predict(R[:5] + 0.1).reshape(5, -1))


def test_all_cases_leave_nothing_to_the_others():
    model = HopfieldRegressor("stored").fit(R, r)
    table = model.explain(R[:2], n_cases=1000)
    others = table[table["kind"] == "other cases"]
    np.testing.assert_allclose(others["weight"], 0, atol=1e-12)
    assert len(table) == 2 * 61


def test_what_cannot_be_explained_is_told():
    model = HopfieldRegressor("prototypes", n_prototypes=2, max_iter=1).fit(R, r)
    with pytest.raises(ValueError, match="answers from patterns of its own making"):
        model.explain(R)
    model = HopfieldRegressor("stored").fit(R, r)
    with pytest.raises(ValueError, match="n_cases must be an integer of at least 1; got 0"):
        model.explain(R, 0)
    with pytest.raises(ValueError, match="Pass what was passed to fit"):
        model.explain(R, 50, cases=pd.DataFrame(R[:9]))


def test_densities_come_from_the_shares_that_are_told():
    rows = np.vstack([R, R[:5]])
    known = np.where(np.arange(65) % 3 == 1, -1, 1)
    for labels in (None, known):
        model = HopfieldOutlierDetector().fit(rows, labels)
        table = model.explain(np.vstack([R[:9], R[:3] + 0.1]), n_cases=3)
        sums = table.groupby(["query", "memory"])["weight"].sum()
        np.testing.assert_allclose(sums, 1)
        assert len(sums) == 12 * (1 if labels is None else 2)
        cases = table[table["kind"] == "case"]
        first = cases.loc[0].query("memory == 'ordinary rows'")["weight"]
        assert (np.diff(first) <= 0).all()
    unlabeled = HopfieldOutlierDetector().fit(R)
    nearest = unlabeled.explain(R[:9], 1)["case"].xs(0, level="rank")
    assert (nearest.astype(int).to_numpy() != np.arange(9)).all()  # not from themselves
    twice = HopfieldOutlierDetector(beta=50.0).fit(np.vstack([R, R])).explain(R[:9], 1)
    assert twice["case"].xs(0, level="rank").tolist() == list(range(9))  # but from their copies


def test_shares_of_the_density_are_those_of_kernels():
    model = HopfieldOutlierDetector().fit(R)
    scaled = (R - model._center) / model._scale
    table = model.explain(R[:1] + 0.2, 60)
    query = (R[:1] + 0.2 - model._center) / model._scale
    squares = np.square(query - scaled).sum(axis=1)
    kernels = np.exp(-model.beta_ * squares / 2)
    cases = table[table["kind"] == "case"]
    rows = cases["case"].astype(int).to_numpy()
    np.testing.assert_allclose(cases["weight"], kernels[rows] / kernels.sum(), atol=1e-12)
    np.testing.assert_allclose(cases["distance"], np.sqrt(squares[rows]))


def test_explanations_are_there_after_loading(tmp_path):
    for model in (HopfieldOutlierDetector().fit(R), HopfieldRegressor("stored").fit(R, r)):
        skdyn.io.save(model, tmp_path / "model")
        again = skdyn.io.load(tmp_path / "model")
        pd.testing.assert_frame_equal(again.explain(R[:3]), model.explain(R[:3]))

"""Tables as they are: categories, gaps, both; clear answers to what fit has not seen."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skdyn import KANClassifier, KANRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
EFFECT = {"north": 0.0, "south": 1.0, "east": -1.0, "west": 2.0}


@pytest.fixture(scope="module")
def table():
    """A number, a number whose gaps say something, texts, categories that are numbers."""
    generator = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "size": generator.uniform(-1, 1, 160),
            "age": generator.normal(size=160),
            "place": generator.choice(list(EFFECT), 160),
            "kind": pd.Categorical(generator.integers(3, 6, 160)),
        }
    )
    y = X["size"] ** 2 + X["place"].map(EFFECT) + (X["kind"].astype(int) == 4)
    X.loc[generator.random(160) < 0.3, "age"] = np.nan
    return X, (y + X["age"].isna()).to_numpy()


def quick(model=KANRegressor, **options):
    defaults = {"hidden_layer_sizes": (), "optimizer": "lm", "max_iter": 20, "random_state": 0}
    return model(**(defaults | options))


@pytest.fixture(scope="module")
def fitted(table):
    return quick().fit(*table)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"hidden_layer_sizes": (2,)},
        {"optimizer": "auto", "batch_size": 20, "max_iter": 15, "learning_rate": 0.05},
    ],
    ids=str,
)
def test_levels_and_gaps_are_learned_and_come_back_from_a_file(table, options):
    X, y = table
    model = quick(**options).fit(X, y)
    assert model.score(X, y) > 0.98
    assert [None if levels is None else len(levels) for levels in model.categories_] == [
        None, None, 4, 3
    ]  # fmt: skip
    back = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(back.predict(X), model.predict(X))


@pytest.mark.parametrize("optimizer", ["lm", "adam"])
def test_other_names_of_the_levels_change_nothing(table, optimizer):
    X, y = table
    model = quick(optimizer=optimizer, hidden_layer_sizes=(2,), max_iter=4)
    new = dict(zip(EFFECT, ["west", "b", "a", "north"], strict=True))
    renamed = X.assign(place=X["place"].map(new), kind=10 - X["kind"].astype(int))
    renamed["kind"] = renamed["kind"].astype("category")
    answers = [clone(model).fit(part, y).predict(part) for part in (X, renamed)]
    np.testing.assert_allclose(*answers, rtol=0, atol=1e-5 if optimizer == "adam" else 1e-10)


def test_a_level_that_says_little_is_drawn_to_the_others(table):
    X, y = table
    rare = X.copy()
    rare.loc[0, "place"] = "nowhere"
    outlier = np.where(np.arange(160) == 0, y + 5, y)
    few, many = (quick(alpha=alpha).fit(rare, outlier) for alpha in (10.0, 1e-6))
    row = rare[:1]
    assert few.predict(row) < many.predict(row) - 2


def test_a_level_not_seen_is_answered_as_the_mean_over_the_levels_and_told(table, fitted):
    X, _ = table
    rows = X[:5]
    with pytest.warns(UserWarning, match="category in column place .*'up' in row 0"):
        answer = fitted.predict(rows.assign(place="up"))
    shares = X["place"].value_counts(normalize=True)
    each = [share * fitted.predict(rows.assign(place=name)) for name, share in shares.items()]
    np.testing.assert_allclose(answer, np.sum(each, axis=0))


def test_a_gap_where_fit_had_none_is_answered_as_the_mean_over_the_column(table, fitted):
    X, _ = table
    answer = fitted.predict(X[:5].assign(size=np.nan))
    each = fitted.predict(pd.concat([X[:5].assign(size=value) for value in X["size"]]))
    np.testing.assert_allclose(answer, each.reshape(-1, 5).mean(axis=0), atol=0.01)
    plain = quick(max_iter=3).fit(X[["size"]], X["size"] ** 2)
    mean = plain.predict(X[["size"]]).mean()
    np.testing.assert_allclose(plain.predict([[np.nan]]), mean, atol=0.02)


def test_a_missing_category_is_a_level_of_its_own_where_fit_had_some(table):
    X, y = table
    gaps = X.assign(place=X["place"].where(X["place"] != "west"))
    model = quick().fit(gaps, y)
    assert model.score(gaps, y) > 0.98
    assert list(model.categories_[2]) == ["east", "north", "south"]


def test_columns_are_named_by_mask_number_or_name_and_numbers_stay_numbers(table):
    X, y = table
    frame = X.assign(place=X["place"].map(list(EFFECT).index), kind=X["kind"].astype(int))
    by = [[False, False, True, True], [2, 3], ["place", "kind"]]
    expected = quick(max_iter=3).fit(X, y).predict(X)
    for given in by:
        model = quick(categorical_features=given, max_iter=3).fit(frame, y)
        # Levels in another order, and no order matters.
        np.testing.assert_allclose(model.predict(frame), expected, atol=1e-8)
    array = quick(categorical_features=[2, 3], max_iter=3).fit(frame.to_numpy(), y)
    np.testing.assert_allclose(array.predict(frame.to_numpy()), expected, atol=1e-8)
    texts = quick(categorical_features=[2, 3], max_iter=3).fit(X.to_numpy(dtype=object), y)
    np.testing.assert_allclose(texts.predict(X.to_numpy(dtype=object)), expected, atol=1e-8)
    assert quick(max_iter=1).fit(frame.astype({"kind": object}), y).categories_ == []


def test_a_column_of_gaps_alone_says_nothing(table):
    X, y = table
    empty = X.assign(nothing=np.nan, none=pd.Categorical([None] * len(X)))
    model = quick().fit(empty, y)
    np.testing.assert_allclose(model.feature_importances_[4:], 0, atol=1e-6)
    with pytest.warns(UserWarning, match="X moves in nothing"):
        moved = model.predict(empty.assign(nothing=1.0))
    np.testing.assert_allclose(moved, model.predict(empty), rtol=1e-12)


def test_batches_may_lack_what_the_first_had_and_bring_what_it_lacked(table):
    X, y = table
    model = quick(optimizer="adam", hidden_layer_sizes=(2,)).partial_fit(X[:80], y[:80])
    with pytest.warns(UserWarning, match="that fit did not see"):
        model.partial_fit(X[80:].assign(place="up", size=np.nan), y[80:])
    assert np.isfinite(model.predict(X)).all()


def test_classes_groups_and_rising_columns_go_with_categories_and_gaps(table):
    X, y = table
    model = quick(
        KANClassifier, hidden_layer_sizes=(2,), monotonic_cst={"age": 1},
        interaction_cst=[("age", "place"), ("size", "kind")], max_iter=10,
    ).fit(X, y > 1)  # fmt: skip
    steps = pd.DataFrame({"size": 0.1, "age": np.linspace(-4, 4, 50), "place": "west", "kind": 4})
    with warnings.catch_warnings(action="ignore"):
        assert (np.diff(model.predict_proba(steps)[:, 1]) >= 0).all()
    assert model.score(X, y > 1) > 0.9
    assert model.prune().score(X, y > 1) > 0.9


def test_slopes_of_categories_and_gaps_are_none(table, fitted):
    X, _ = table
    slopes = fitted.predict_gradient(X)
    assert np.isnan(slopes[:, 2:]).all()
    np.testing.assert_array_equal(np.isnan(slopes[:, 1]), X["age"].isna())
    assert np.isfinite(slopes[:, 0]).all()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"categorical_features": ["color"]}, "categorical_features names the column 'color'"),
        ({"categorical_features": [True, False]}, "each of the 4 columns of X; got 2"),
        ({"monotonic_cst": {"place": 1}}, "monotonic_cst holds a column of categories"),
    ],
    ids=str,
)
def test_columns_that_cannot_be_what_they_are_told_are_refused_by_name(table, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        quick(**options).fit(*table)


def test_edges_of_categories_and_gaps_get_no_closed_form(fitted):
    with pytest.raises(ValueError, match="no closed form"):
        fitted.fix_symbolic(0, 2, 0, "sin")
    with pytest.raises(ValueError, match="no closed form"):
        fitted.auto_symbolic()
    with pytest.raises(ValueError, match="no closed form"):
        fitted.formula()

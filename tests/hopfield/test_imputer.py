import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.datasets import load_diabetes, load_digits, load_wine
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

import skdyn.io
from skdyn.hopfield import EntmaxSeparation, HopfieldImputer


def with_gaps(X, share=0.3, random_state=0):
    X = np.array(X, dtype=float)
    X[np.random.default_rng(random_state).random(X.shape) < share] = np.nan
    return X


WINE = StandardScaler().fit_transform(load_wine().data)
HOLEY = with_gaps(WINE)


# -- laws ----------------------------------------------------------------------------------------


def test_huge_beta_is_the_nearest_neighbor():
    nearest = KNNImputer(n_neighbors=1).fit(WINE).transform(HOLEY + 0.1)
    plain = HopfieldImputer(beta=1e12, alpha=np.inf).fit(WINE)
    np.testing.assert_allclose(plain.transform(HOLEY + 0.1), nearest, atol=1e-12)


def test_tiny_beta_is_the_column_mean():
    filled = HopfieldImputer(beta=1e-12, alpha=np.inf).fit_transform(HOLEY)
    means = np.broadcast_to(np.nanmean(HOLEY, axis=0), HOLEY.shape)
    np.testing.assert_allclose(filled[np.isnan(HOLEY)], means[np.isnan(HOLEY)], atol=1e-10)


def test_tiny_beta_with_a_correction_is_ridge_regression():
    X = WINE.copy()
    X[:50, 4] = np.nan
    filled = HopfieldImputer(beta=1e-12, alpha=0.5).fit(WINE).transform(X)
    others = np.delete(WINE, 4, axis=1)
    ridge = Ridge(alpha=0.5 * len(WINE), fit_intercept=False).fit(others, WINE[:, 4])
    np.testing.assert_allclose(filled[:50, 4], ridge.predict(others[:50]), atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("copy", [True, False])
def test_what_is_there_stays_bit_for_bit(dtype, copy):
    X = (HOLEY * 1e3 + 0.1).astype(dtype)
    before, there = X.copy(), ~np.isnan(X)
    filled = HopfieldImputer(copy=copy).fit_transform(X)
    assert filled.dtype == dtype
    np.testing.assert_array_equal(filled[there], before[there])
    assert np.isfinite(filled).all()
    assert (filled is X) == (not copy)


@pytest.mark.parametrize("alpha", [0.1, np.inf])
def test_units_do_not_matter(alpha):
    units, zero = 10.0 ** np.arange(-6, 7), np.linspace(-3, 3, 13)
    model = HopfieldImputer(alpha=alpha)
    scaled = model.fit_transform(HOLEY * units + zero * units)
    np.testing.assert_allclose(
        scaled / units - zero, model.fit_transform(HOLEY), rtol=1e-7, atol=1e-7
    )


def test_the_order_of_stored_rows_and_of_columns_does_not_matter():
    model = HopfieldImputer(beta=16, alpha=0.1)
    expected = model.fit(HOLEY).transform(HOLEY[:20])
    rng = np.random.default_rng(1)
    rows, columns = rng.permutation(len(HOLEY)), rng.permutation(HOLEY.shape[1])
    np.testing.assert_allclose(model.fit(HOLEY[rows]).transform(HOLEY[:20]), expected, atol=1e-9)
    model.fit(HOLEY[:, columns])
    turned = model.transform(HOLEY[:20][:, columns])
    np.testing.assert_allclose(turned, expected[:, columns], atol=1e-9)


def test_repeating_all_columns_changes_no_recall():
    model = HopfieldImputer(beta=16, alpha=np.inf)
    twice = model.fit(np.hstack([WINE, WINE])).transform(np.hstack([HOLEY, HOLEY]))
    np.testing.assert_allclose(twice[:, :13], model.fit(WINE).transform(HOLEY), atol=1e-9)


def test_half_a_digit_recalls_the_stored_one():
    X = load_digits().data
    masked = X.copy()
    masked[:, 32:] = np.nan
    recalled = HopfieldImputer(beta=1e4, alpha=np.inf).fit(X).transform(masked)
    same = (np.abs(recalled - X).max(axis=1) < 0.5).mean()
    assert same > 0.98  # a few have the upper half in common


# -- choices and accuracy ------------------------------------------------------------------------


def root_mean_square(filled, X, gaps):
    return np.sqrt(np.mean((filled - X)[gaps] ** 2))


@pytest.mark.parametrize("load", [load_wine, load_diabetes])
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_it_fills_better_than_its_peers(load, share):
    X = StandardScaler().fit_transform(load().data)
    holey = with_gaps(X, share)
    peers = [KNNImputer()] if share == 0.1 else [KNNImputer(), IterativeImputer()]
    ours, *theirs = (
        root_mean_square(model.fit_transform(holey), X, np.isnan(holey))
        for model in (HopfieldImputer(), *peers)
    )
    assert ours < min(theirs)


def test_the_choice_is_near_the_best_of_those_tried():
    gaps = np.isnan(HOLEY)
    errors = [
        root_mean_square(HopfieldImputer(beta=beta, alpha=alpha).fit_transform(HOLEY), WINE, gaps)
        for beta in (2, 18, 162)
        for alpha in (0.02, 0.3, np.inf)
    ]
    model = HopfieldImputer()
    assert root_mean_square(model.fit_transform(HOLEY), WINE, gaps) < min(errors) + 0.02
    assert min(errors) < max(errors) - 0.1


def test_linear_data_are_corrected_and_clusters_are_recalled():
    rng = np.random.default_rng(0)
    line = rng.normal(size=(200, 1)) * np.ones(4) + 0.01 * rng.normal(size=(200, 4))
    assert HopfieldImputer().fit(with_gaps(line)).alpha_ < np.inf
    centers = rng.choice([-1.0, 1.0], size=(12, 8))
    clusters = centers[rng.integers(12, size=300)] + 0.05 * rng.normal(size=(300, 8))
    assert HopfieldImputer().fit(with_gaps(clusters)).beta_ >= 54


def test_given_values_are_kept():
    model = HopfieldImputer(beta=3, alpha="auto").fit(HOLEY)
    assert model.beta_ == 3
    assert model.alpha_ in (0.02, 0.3, np.inf)
    assert HopfieldImputer(alpha=0.2).fit(HOLEY).alpha_ == 0.2


@pytest.mark.parametrize("separation", ["sparsemax", "entmax", "topk", EntmaxSeparation(1.25)])
def test_every_separation_fills(separation):
    filled = HopfieldImputer(separation=separation).fit_transform(HOLEY)
    assert root_mean_square(filled, WINE, np.isnan(HOLEY)) < 0.85


# -- in place of KNNImputer ----------------------------------------------------------------------


def both(**parameters):
    return HopfieldImputer(**parameters), KNNImputer(**parameters)


@pytest.mark.filterwarnings("ignore:HopfieldImputer drops the columns")
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("mark", [False, True])
def test_columns_are_those_of_knn(keep, mark):
    X = HOLEY.copy()
    X[:, 3], X[:, 5] = np.nan, WINE[:, 5]
    model, peer = both(add_indicator=mark, keep_empty_features=keep)
    ours, theirs = model.fit_transform(X), peer.fit_transform(X)
    assert ours.shape == theirs.shape
    estimated = np.isnan(X) & ~np.isnan(X).all(axis=0)
    estimated = estimated if keep else np.delete(estimated, 3, axis=1)
    given = np.ones(ours.shape, dtype=bool)
    given[:, : estimated.shape[1]] = ~estimated
    np.testing.assert_array_equal(ours[given], theirs[given])
    assert not np.isnan(ours).any()
    assert model.get_feature_names_out().shape == (ours.shape[1],)
    if not keep:  # the peer forgets the names of the columns that it keeps
        names = [f"c{i}" for i in range(13)]
        frame = model.set_output(transform="pandas").fit_transform(pd.DataFrame(X, columns=names))
        peer.fit(pd.DataFrame(X, columns=names))
        assert list(frame.columns) == list(peer.get_feature_names_out())


def test_an_empty_row_becomes_the_column_means():
    nothing = np.full((1, 13), np.nan)
    for model in both():
        filled = model.fit(HOLEY).transform(nothing)
        np.testing.assert_allclose(filled[0], np.nanmean(HOLEY, axis=0), atol=1e-12)
    model.fit(np.vstack([HOLEY, nothing]))


@pytest.mark.parametrize("missing_values", [-1, 0, 7.5])
def test_another_number_can_stand_for_gaps(missing_values):
    rng = np.random.default_rng(0)
    X = rng.integers(1, 6, size=(50, 4)).astype(float)
    marked = X.copy()
    marked[rng.random(X.shape) < 0.2] = missing_values
    gaps = marked == missing_values
    filled = HopfieldImputer(missing_values=missing_values).fit_transform(marked)
    expected = HopfieldImputer().fit_transform(np.where(gaps, np.nan, X))
    np.testing.assert_array_equal(filled, expected)
    with pytest.raises(ValueError, match="contains NaN"):
        HopfieldImputer(missing_values=missing_values).fit(np.where(gaps, np.nan, X))


def test_integers_and_frames_with_missing_integers_are_read():
    assert HopfieldImputer().fit_transform(np.arange(20).reshape(10, 2)).dtype == np.float64
    frame = pd.DataFrame({"a": pd.array([1, 2, None, 4], dtype="Int64"), "b": [1.0, 2.0, 3.0, 4.0]})
    filled = HopfieldImputer(beta=1e6).fit_transform(frame)
    assert np.isfinite(filled).all()
    assert 1 <= filled[2, 0] <= 4


def test_gaps_may_come_only_after_fit():
    model = HopfieldImputer().fit(WINE)
    filled = model.transform(HOLEY)
    assert root_mean_square(filled, WINE, np.isnan(HOLEY)) < 0.6  # the rows themselves are stored
    np.testing.assert_array_equal(model.transform(WINE), WINE)


def test_few_rows_have_a_defined_result():
    np.testing.assert_array_equal(HopfieldImputer().fit([[1.0, 2.0]]).transform([[np.nan, 2.0]]),
                                  [[1.0, 2.0]])  # fmt: skip
    two = HopfieldImputer().fit_transform([[1.0, np.nan], [3.0, 4.0]])
    np.testing.assert_allclose(two, [[1.0, 4.0], [3.0, 4.0]])


def test_constant_columns_are_filled_with_their_value():
    X = HOLEY.copy()
    X[:, 2] = np.where(np.isnan(X[:, 2]), np.nan, 0.1)
    filled = HopfieldImputer().fit_transform(X)
    np.testing.assert_allclose(filled[:, 2], 0.1)
    assert np.isfinite(filled).all()


def test_working_memory_changes_nothing():
    digits = with_gaps(load_digits().data[:400], 0.2)
    model = HopfieldImputer().fit(digits)
    expected = model.transform(digits)
    with config_context(working_memory=1):
        np.testing.assert_allclose(model.transform(digits), expected, atol=1e-9)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="infinity"):
        HopfieldImputer().fit(np.where(np.isnan(HOLEY), np.inf, HOLEY))
    with pytest.raises(TypeError, match="dense data is required"):
        HopfieldImputer().fit(csr_array(np.eye(3)))
    with pytest.raises(ValueError, match=r"values of X in column 0 reach 1e\+200"):
        HopfieldImputer().fit([[1e200, 1.0], [-1e200, np.nan]])
    with pytest.raises(ValueError, match="'beta' parameter"):
        HopfieldImputer(beta=0).fit(HOLEY)
    with pytest.raises(ValueError, match="'alpha' parameter"):
        HopfieldImputer(alpha=0).fit(HOLEY)


def test_columns_without_a_value_are_not_dropped_in_silence(recwarn):
    X = pd.DataFrame({"a": [1.0, 2.0, np.nan, 3.0], "b": np.nan, "c": [2.0, 1.0, 2.0, np.nan]})
    assert HopfieldImputer(keep_empty_features=True).fit_transform(X).shape == (4, 3)
    assert not recwarn.list
    for table, told in ((X, r"columns \['b'\] of X"), (X.to_numpy(), r"columns \[1\] of X")):
        with pytest.warns(UserWarning, match=told + ".* Set keep_empty_features=True"):
            assert HopfieldImputer().fit_transform(table).shape == (4, 2)


def test_the_search_goes_on_where_the_best_is_at_its_end():
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 400)
    curve = np.column_stack([angle, np.cos(angle), np.sin(angle)])
    assert HopfieldImputer(alpha=np.inf).fit(curve).beta_ > 162
    line = np.outer(angle[:60], [1.0, 2.0, -1.0])
    assert HopfieldImputer(beta=2.0).fit(line).alpha_ < 0.02
    noise = np.random.default_rng(1).normal(size=(200, 3))
    assert HopfieldImputer(alpha=np.inf).fit(noise).beta_ < 2


# -- categories ---------------------------------------------------------------------------------


def mixed_table(n=150):
    """Return numbers and categories that tell each other, and the same with gaps."""
    rng = np.random.default_rng(0)
    kind = rng.integers(3, size=n)
    frame = pd.DataFrame({
        "height": kind + 0.3 * rng.normal(size=n),
        "color": pd.Categorical(np.array(["red", "green", "blue"])[kind]),
        "leaf": np.where(rng.random(n) < 0.9, np.array(["long", "round", "long"])[kind], "torn"),
        "width": 2 * kind + 0.3 * rng.normal(size=n),
    })  # fmt: skip
    gaps = rng.random(frame.shape) < 0.2
    return frame, frame.mask(gaps), gaps


def test_categories_are_filled_by_votes_and_numbers_beside_them():
    frame, holey, gaps = mixed_table()
    model = HopfieldImputer().set_output(transform="pandas").fit(holey)
    filled = model.transform(holey)
    assert [None if each is None else each.tolist() for each in model.categories_] == [
        None, ["blue", "green", "red"], ["long", "round", "torn"], None,
    ]  # fmt: skip
    there = ~gaps
    assert (filled.to_numpy(dtype=object)[there] == holey.to_numpy(dtype=object)[there]).all()
    assert not filled.isna().any().any()
    for name, least in (("color", 0.9), ("leaf", 0.75)):
        asked = gaps[:, frame.columns.get_loc(name)]
        right = (filled[name] == frame[name].astype(object))[asked].mean()
        assert right > max(least, frame[name].value_counts(normalize=True).max())
    asked = gaps[:, 3]
    error = filled["width"].astype(float)[asked] - frame["width"][asked]
    assert np.sqrt(np.mean(error**2)) < 0.8


def test_a_mismatch_counts_as_a_distance_of_one_and_the_nearest_row_votes():
    rows = pd.DataFrame({"a": ["x", "x", "y", "y"], "b": ["u", "v", "v", "w"], "c": list("pqrs")})
    asked = pd.DataFrame({"a": ["y", "x"], "b": ["v", "u"], "c": [None, None]})
    filled = HopfieldImputer(beta=1e6).fit(rows).transform(asked)
    assert filled[:, 2].tolist() == ["r", "p"]
    vague = HopfieldImputer(beta=1e-6).fit(rows.assign(c=list("ppqr"))).transform(asked)
    assert vague[:, 2].tolist() == ["p", "p"]  # the mode


def test_codes_in_an_array_stay_codes_of_those_that_were_there():
    rng = np.random.default_rng(0)
    codes = rng.choice([10.0, 20.0, 50.0], size=100)
    X = np.column_stack([codes, codes / 10 + 0.1 * rng.normal(size=100)])
    holey = with_gaps(X, 0.2)
    filled = HopfieldImputer(categorical_features=[0]).fit_transform(holey)
    assert filled.dtype == np.float64
    assert set(filled[:, 0]) == {10.0, 20.0, 50.0}
    asked = np.isnan(holey[:, 0]) & ~np.isnan(holey[:, 1])
    assert (filled == X)[asked, 0].all()


def test_the_order_of_categories_has_no_meaning():
    _, holey, _ = mixed_table(80)
    other = holey.assign(color=holey["color"].cat.rename_categories(dict(zip(
        ["blue", "green", "red"], ["z", "a", "m"]))))  # fmt: skip
    first, second = (HopfieldImputer().fit_transform(table) for table in (holey, other))
    names = {"blue": "z", "green": "a", "red": "m"}
    assert [names[value] for value in first[:, 1]] == second[:, 1].tolist()
    np.testing.assert_allclose(first[:, 3].astype(float), second[:, 3].astype(float))


def test_an_unseen_category_stays_and_a_new_gap_is_filled(tmp_path):
    frame, holey, _ = mixed_table(60)
    model = HopfieldImputer(add_indicator=True).fit(holey)
    asked = frame[:3].astype({"color": object})
    asked.loc[0, "color"], asked.loc[1, "leaf"], asked.loc[0, "leaf"] = "violet", None, None
    filled = model.transform(asked)
    assert filled[0, 1] == "violet"
    assert {filled[0, 2], filled[1, 2]} <= {"long", "round", "torn"}
    skdyn.io.save(model, tmp_path / "model")
    again = skdyn.io.load(tmp_path / "model").transform(asked)
    assert again.tolist() == filled.tolist()


# -- draws --------------------------------------------------------------------------------------


def test_draws_scatter_about_the_means_and_follow_the_seed():
    model = HopfieldImputer(beta=6.0, alpha=np.inf, sample_posterior=True, random_state=0)
    model.fit(HOLEY)
    first = model.transform(HOLEY)
    np.testing.assert_array_equal(model.transform(HOLEY), first)
    gaps = np.isnan(HOLEY)
    np.testing.assert_array_equal(first[~gaps], HOLEY[~gaps])
    stored = [set(column[~np.isnan(column)]) for column in HOLEY.T]
    assert all(
        first[i, j].round(9) in {round(v, 9) for v in stored[j]} for i, j in np.argwhere(gaps)
    )
    draws = [model.set_params(random_state=seed).transform(HOLEY)[gaps] for seed in range(60)]
    means = model.set_params(sample_posterior=False).transform(HOLEY)[gaps]
    spread = np.std(draws, axis=0)
    assert (spread > 0.1).mean() > 0.9
    off = (np.mean(draws, axis=0) - means) / np.maximum(spread, 0.1) * np.sqrt(20)
    assert np.abs(off).mean() < 1.2  # standard errors


def test_draws_keep_the_variance_that_means_lose_and_are_corrected_as_they_are():
    line = np.random.default_rng(0).normal(size=(300, 1)) * np.ones(3)
    line += 0.3 * np.random.default_rng(1).normal(size=line.shape)
    holey = line.copy()
    holey[::2, 0] = np.nan
    gaps = np.isnan(holey[:, 0])
    means, draws = (
        HopfieldImputer(sample_posterior=sample, random_state=0).fit_transform(holey)[gaps, 0]
        for sample in (False, True)
    )
    assert means.var() < 0.98 * line[gaps, 0].var()
    assert abs(np.var(draws) / line[gaps, 0].var() - 1) < 0.15
    assert np.corrcoef(draws, line[gaps, 1])[0, 1] > 0.8


def test_drawn_categories_are_among_those_stored():
    _, holey, gaps = mixed_table(60)
    model = HopfieldImputer(beta=2.0, sample_posterior=True).fit(holey)
    drawn = np.stack([model.set_params(random_state=seed).transform(holey) for seed in range(8)])
    assert set(drawn[:, gaps[:, 1], 1].ravel()) <= {"red", "green", "blue"}
    assert (drawn[0] != drawn[1]).any()


# -- explanations -------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.1, np.inf])
def test_contributions_of_cases_add_up_to_what_is_filled(alpha):
    frame, holey, gaps = mixed_table(60)
    model = HopfieldImputer(beta=6.0, alpha=alpha).fit(holey)
    table = model.explain(holey, n_cases=3, cases=holey)
    sums = table.groupby(level=["query", "column"]).sum(numeric_only=True)
    np.testing.assert_allclose(sums["weight"], 1)
    filled = model.transform(holey)
    assert len(sums) == gaps.sum()
    for (row, column), contribution in sums["contribution"].items():
        value = filled[row, frame.columns.get_loc(column)]
        if isinstance(value, str):
            assert 1 / 3 <= contribution <= 1
        else:
            assert contribution == pytest.approx(value)
    cases = table[table["kind"] == "case"]
    for (_, column, _), line in cases.head(40).iterrows():
        assert holey.loc[line["case"], column] == pytest.approx(line["value"])


def test_a_table_without_gaps_leaves_nothing_to_explain():
    assert len(HopfieldImputer().fit(WINE).explain(WINE)) == 0

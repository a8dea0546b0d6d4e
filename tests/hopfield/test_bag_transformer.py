import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import StandardScaler

from skdyn import BagTransformer

rng = np.random.default_rng(0)
BAGS = [rng.normal(size=(n, 3)) for n in (2, 4, 1)]


def test_it_does_to_bags_what_the_transformer_does_to_their_instances():
    joined = np.concatenate(BAGS)
    for transformer in (PCA(2), None):
        found = BagTransformer(transformer).fit_transform(BAGS)
        expected = (transformer or StandardScaler()).fit_transform(joined)
        assert [len(bag) for bag in found] == [2, 4, 1]
        np.testing.assert_allclose(np.concatenate(found), expected)


def test_padding_and_tables_are_bags_too():
    model = BagTransformer().fit(BAGS)
    padded = np.full((3, 5, 3), np.nan)
    for row, bag in zip(padded, BAGS):
        row[: len(bag)] = bag
    for found, expected in zip(model.transform(padded), model.transform(BAGS), strict=True):
        np.testing.assert_array_equal(found, expected)
    table = model.transform(BAGS[0])
    np.testing.assert_array_equal(table, model.transform(BAGS)[0])
    np.testing.assert_array_equal(model.transform(BAGS[0].tolist()), table)


def test_a_transformer_that_learns_from_targets_gets_those_of_the_bags():
    y = np.array([0, 1, 0])
    found = BagTransformer(LinearDiscriminantAnalysis()).fit(BAGS, y).transform(BAGS)
    expected = LinearDiscriminantAnalysis().fit(np.concatenate(BAGS), [0, 0, 1, 1, 1, 1, 0])
    np.testing.assert_allclose(found[1], expected.transform(BAGS[1]))
    with pytest.raises(ValueError, match="got 2 for 3 bags"):
        BagTransformer().fit(BAGS, y[:2])

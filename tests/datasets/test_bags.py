import numpy as np
import pytest

from skdyn.datasets import make_bags


def test_a_bag_is_positive_where_it_holds_a_planted_instance():
    X, y, planted = make_bags(51, 3, n_instances=(2, 7), share=0.4, random_state=0)
    np.testing.assert_array_equal([of_bag.any() for of_bag in planted], y == 1)
    assert [bag.shape for bag in X] == [(len(of_bag), 3) for of_bag in planted]
    assert set(map(len, X)) == set(range(2, 8))
    assert np.bincount(y).tolist() == [26, 25]


def test_planted_instances_are_a_cloud_of_variance_one_apart_from_the_others():
    X, _, planted = make_bags(200, 10, separation=20.0, share=0.3, random_state=1)
    chosen, instances = np.concatenate(planted), np.concatenate(X)
    cloud = instances[chosen]
    assert np.sqrt(cloud.var(axis=0).mean()) == pytest.approx(1, abs=0.05)
    distances = np.linalg.norm(instances - cloud.mean(axis=0), axis=1)
    assert distances[chosen].max() < distances[~chosen].min()


def test_the_share_of_planted_instances_is_that_asked_for():
    _, y, planted = make_bags(400, 2, n_instances=50, share=0.3, random_state=0)
    positive = [of_bag for of_bag, label in zip(planted, y) if label]
    assert np.mean(positive) == pytest.approx(0.3, abs=0.02)
    _, y, planted = make_bags(40, 2, share=0, random_state=0)
    assert [of_bag.sum() for of_bag in planted] == y.tolist()


def test_a_seed_gives_the_same_bags():
    once, again = make_bags(5, random_state=3), make_bags(5, random_state=3)
    for one, other in zip(once[0], again[0]):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(once[0][0], make_bags(5, random_state=4)[0][0])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"n_bags": 0}, "n_bags must be an integer of at least 1; got 0"),
        ({"n_kinds": 1}, "n_kinds must be an integer of at least 2; got 1"),
        ({"share": 1.5}, r"share must be a finite number in \[0, 1\); got 1.5"),
        ({"separation": -1}, r"separation must be a finite number in \[0, inf\)"),
        ({"n_instances": 0}, "n_instances must be a whole number of at least 1"),
        ({"n_instances": (4, 2)}, r"n_instances must .*; got \(4, 2\)"),
        ({"n_instances": (1, 2, 3)}, "n_instances must "),
    ],
)
def test_bad_parameters_are_named(bad, message):
    with pytest.raises(ValueError, match=message):
        make_bags(**bad)

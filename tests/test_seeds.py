import numpy as np
from sklearn.ensemble import BaggingRegressor
from sklearn.tree import DecisionTreeRegressor

from skdyn._seeds import seed_within


def _seeds(estimator):
    return [v for name, v in sorted(estimator.get_params().items()) if "random_state" in name]


def test_every_seed_nested_ones_too_is_drawn():
    model = BaggingRegressor(DecisionTreeRegressor(random_state=7))
    seed_within(model, np.random.RandomState(0))
    first = _seeds(model)
    assert len(set(first)) == 2
    assert 7 not in first
    seed_within(model, np.random.RandomState(0))
    assert _seeds(model) == first


def test_without_a_source_seeds_stay_as_they_are():
    model = BaggingRegressor(DecisionTreeRegressor(random_state=7))
    seed_within(model, None)
    assert _seeds(model) == [7, None]

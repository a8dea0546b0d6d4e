import pytest
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyRegressor

import skdyn
from skdyn import NeuralODEClassifier, NeuralODERegressor
from skdyn.testing import all_estimators, all_parts, expected_failed_checks, quick_instance


def test_estimators_are_found_by_walking():
    names = [name for name, _ in all_estimators()]
    assert names == sorted(names)
    assert {"NeuralODERegressor", "NeuralODEClassifier"} <= set(names)


class Part(BaseEstimator):
    """Has parameters and no fit."""


class Plain:
    """Has neither."""


def test_parts_are_what_has_parameters_and_no_fit(monkeypatch):
    planted = {"Part": Part, "Plain": Plain, "NeuralODE": skdyn.NeuralODE, "function": len}
    monkeypatch.setattr(skdyn, "__all__", sorted(planted), raising=False)
    for name, thing in planted.items():
        monkeypatch.setattr(skdyn, name, thing, raising=False)
    assert all_parts() == [("Part", Part)]
    assert all_estimators() == [("NeuralODE", skdyn.NeuralODE)]


def test_a_quick_instance_trains_few_epochs_or_does_what_its_class_says():
    assert quick_instance(NeuralODEClassifier).max_iter == 30
    assert quick_instance(NeuralODEClassifier, max_iter=2, dtype="float64").max_iter == 2
    assert quick_instance(NeuralODEClassifier, optimizer="lbfgs").max_iter == 10

    class Slow(DummyRegressor):
        _quick_parameters = {"strategy": "median"}

    assert quick_instance(Slow).strategy == "median"
    assert quick_instance(DummyRegressor).strategy == "mean"


def test_what_makes_an_estimator_quick_seeds_nothing():
    things = [quick_instance(cls) for _, cls in all_estimators() + all_parts()]
    seeds = {
        (type(thing).__name__, name): value
        for thing in things
        for name, value in thing.get_params(deep=True).items()
        if name.endswith("random_state")
    }
    assert len(seeds) > 20
    assert {name for name, value in seeds.items() if value is not None} == set()


def test_expected_failures_carry_their_reasons():
    assert expected_failed_checks(DummyRegressor()) == {}
    assert expected_failed_checks(NeuralODERegressor(dtype="float64")) == {}
    assert all(len(reason) > 20 for reason in expected_failed_checks(NeuralODERegressor()).values())


@pytest.mark.parametrize("name", ["DummyRegressor", "Part"])
def test_other_peoples_classes_are_not_found(name):
    assert name not in dict(all_estimators() + all_parts())

from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge
from sklearn.preprocessing import PolynomialFeatures

from skdyn import NeuralODE, NeuralODEClassifier
from skdyn.testing import contract_checks


def names(estimator):
    return {check.__name__ for check in contract_checks(estimator)}


def test_checks_are_listed_once_each_and_documented():
    checks = contract_checks(NeuralODEClassifier())
    assert len({check.__name__ for check in checks}) == len(checks) > 15
    assert all(check.__doc__ for check in checks)


def test_what_an_estimator_can_do_decides_which_checks_it_is_held_to():
    training = {"check_training_is_told", "check_callbacks", "check_divergence_is_never_silent"}
    everyone = {"check_round_trips", "check_bad_data", "check_same_seed_same_model"}
    assert training | everyone <= names(NeuralODE())
    for estimator in (Ridge(), PolynomialFeatures()):
        assert everyone <= names(estimator)
        assert not training & names(estimator)
    assert "check_transformers_set_output" in names(PolynomialFeatures()) - names(Ridge())
    assert "check_regressors_return_float64" in names(Ridge()) - names(NeuralODEClassifier())
    assert "check_string_labels" in names(NeuralODEClassifier()) - names(Ridge())


def test_of_an_object_without_fit_only_the_parameters_are_checked():
    class Part(BaseEstimator):
        pass

    assert names(Part()) == {"check_parameters_are_kept"}

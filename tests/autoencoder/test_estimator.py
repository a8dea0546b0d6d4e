import warnings

import numpy as np
import pytest
from sklearn import config_context

from skdyn.autoencoder import SparseAutoencoder
from skdyn.exceptions import TrainingDivergedError

X = np.random.default_rng(0).laplace(size=(300, 6))


@pytest.fixture(scope="module")
def model():
    return SparseAutoencoder(12, k=3, max_iter=3, random_state=0).fit(X)


def test_codes_do_not_depend_on_the_memory_they_are_computed_in(model):
    with config_context(working_memory=1e-3):
        parts = model.transform(X)
    np.testing.assert_allclose(parts, model.transform(X), rtol=1e-12, atol=1e-12)


def test_rows_that_nobody_may_write_to_are_no_cause_for_a_warning(model):
    locked = X.copy()
    locked.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        codes = model.transform(locked)
    np.testing.assert_array_equal(codes, model.transform(X))


def test_codes_of_no_batches_are_refused(model):
    with pytest.raises(ValueError, match="X gave no batches"):
        model.transform(iter(()))


def test_an_interrupted_partial_fit_leaves_what_can_be_read():
    learner = SparseAutoencoder(12, k=3, random_state=0).partial_fit(X)
    components = learner.components_
    learner.set_params(optimizer="sgd", learning_rate=1e30)
    with pytest.raises(TrainingDivergedError, match="learning_rate"):
        learner.partial_fit(X * 1e20)
    np.testing.assert_array_equal(learner.components_, components)


def test_training_goes_on_where_a_default_of_the_allocation_was_another_when_it_began():
    learner = SparseAutoencoder(12, k=3, random_state=0).partial_fit(X)
    known = (("max_share", 0.9), ("offset", 5.0), ("switch", 0.7))
    learner._module_config = learner._module_config | {"allocation_settings": known}
    assert learner.partial_fit(X)._module_config["allocation_settings"] == known
    learner.set_params(k=4)
    with pytest.raises(ValueError, match="goes on from the fitted module, as partial_fit"):
        learner.partial_fit(X)

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from skdyn.symbolic._sindy import SINDyRegressor
from skdyn.symbolic.optimizers import SR3, STLSQ, EnsembleOptimizer


def test_a_search_reaches_the_parameters_of_parts_that_are_none():
    X = np.random.default_rng(0).normal(size=(40, 2))
    grid = {"sparse_optimizer__threshold": [0.3, 9.0], "feature_library__degree": [1]}
    search = GridSearchCV(SINDyRegressor(), grid, cv=2).fit(X, X @ [[1.0, 2.0], [3.0, 0.5]])
    assert search.best_params_ == {"sparse_optimizer__threshold": 0.3, "feature_library__degree": 1}


def test_parts_that_are_there_or_come_along_are_kept():
    model = SINDyRegressor(sparse_optimizer=SR3()).set_params(sparse_optimizer__threshold=0.7)
    assert repr(model.sparse_optimizer) == "SR3(threshold=0.7)"
    model = SINDyRegressor().set_params(sparse_optimizer=SR3(), sparse_optimizer__nu=2.0)
    assert repr(model.sparse_optimizer) == "SR3(nu=2.0)"
    assert model.feature_library is None
    again = model.set_params(sparse_optimizer=None, sparse_optimizer__alpha=0.5)
    assert repr(again.sparse_optimizer) == "STLSQ(alpha=0.5)"
    ensemble = EnsembleOptimizer().set_params(sparse_optimizer__threshold=0.2)
    assert repr(ensemble.sparse_optimizer) == repr(STLSQ(threshold=0.2))
    with pytest.raises(ValueError, match="Invalid parameter 'treshold'"):
        SINDyRegressor().set_params(sparse_optimizer__treshold=1.0)

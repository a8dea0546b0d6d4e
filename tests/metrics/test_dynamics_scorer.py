"""One scorer for all models of dynamics."""

import numpy as np
import pytest
import sklearn
from scipy.linalg import expm
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdyn.metrics import DynamicsScorer
from skdyn.neural_ode import NeuralODE
from skdyn.symbolic import SINDyRegressor
from skdyn.symbolic.libraries import PolynomialLibrary

A = np.array([[-0.3, 1.0], [-1.0, -0.3]])
TIMES = np.linspace(0.0, 6.0, 61)
STARTS = np.array([[1.0, 0.5], [-0.7, 1.2]])
BOTH = ("solution", "derivative")


def trajectories():
    """Solutions of a linear system, (n_cases, n_channels, n_timepoints)."""
    return np.stack([np.stack([expm(A * t) @ x0 for t in TIMES], axis=1) for x0 in STARTS])


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_one_scorer_searches_all_models_with_times():
    X, t = trajectories(), np.stack([TIMES, TIMES + 2.0])
    with sklearn.config_context(enable_metadata_routing=True):
        model = SINDyRegressor(PolynomialLibrary(1)).set_fit_request(t=True)
        network = NeuralODE((), max_iter=2, random_state=0).set_fit_request(t=True)
        for of in BOTH:
            scorer = DynamicsScorer(of)
            search = GridSearchCV(
                model, {"feature_library": [PolynomialLibrary(0), PolynomialLibrary(1)]},
                scoring=scorer, cv=2, error_score="raise",
            ).fit(X, t=t)  # fmt: skip
            assert search.best_params_["feature_library"].degree == 1
            assert search.best_score_ == pytest.approx(1.0, abs=1e-3)
            with pytest.warns(ConvergenceWarning):
                scores = cross_val_score(network, X, scoring=scorer, cv=2, params={"t": t})
            assert np.isfinite(scores).all()


def test_the_scorer_reads_pipelines():
    X = trajectories()[0].T
    pipeline = make_pipeline(FunctionTransformer(lambda X: 5.0 * X), SINDyRegressor())
    pipeline.fit(X, sindyregressor__t=TIMES)
    assert DynamicsScorer("solution")(pipeline, X, t=TIMES) == pytest.approx(1.0, abs=1e-3)
    assert repr(DynamicsScorer()) == "DynamicsScorer(of='solution')"
    with pytest.raises(ValueError, match="of must be 'solution' or 'derivative'; got 'fit'"):
        DynamicsScorer("fit")

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdyn import KANRegressor
from skdyn._validation import NotFittedError
from skdyn.inspection import EdgeDisplay, KANDisplay, LossCurveDisplay
from skdyn.inspection._fitted import unwrapped

X = pd.DataFrame(np.random.default_rng(0).normal(5, 2, (60, 2)), columns=["angle", "force"])
Y = X["angle"] * X["force"]
KAN = KANRegressor((), optimizer="lm", max_iter=2, tol=0)


def test_a_bare_estimator_sees_what_it_is_shown():
    model = LinearRegression().fit(X, Y)
    fitted = unwrapped(model)
    assert fitted.estimator is model
    assert fitted.seen(X) is X
    assert fitted.names() == ["angle", "force"]
    assert unwrapped(LinearRegression().fit(X.to_numpy(), Y)).names() is None


def test_the_last_step_sees_what_the_others_make_of_it_and_names_say_so():
    model = make_pipeline(StandardScaler(), make_pipeline(PCA(2), LinearRegression())).fit(X, Y)
    fitted = unwrapped(model)
    assert isinstance(fitted.estimator, LinearRegression)
    np.testing.assert_allclose(fitted.estimator.predict(fitted.seen(X)), model.predict(X))
    assert fitted.seen(None) is None
    scaled = make_pipeline(StandardScaler(), LinearRegression()).fit(X, Y)
    assert unwrapped(scaled).names() == ["angle (transformed)", "force (transformed)"]


def test_a_search_stands_for_its_best_estimator():
    search = GridSearchCV(make_pipeline(StandardScaler(), LinearRegression()), {}, cv=2)
    with pytest.raises(NotFittedError):
        unwrapped(search)
    fitted = unwrapped(search.fit(X, Y))
    np.testing.assert_allclose(fitted.estimator.predict(fitted.seen(X)), search.predict(X))
    with pytest.raises(ValueError, match="GridSearchCV was fitted with refit=False"):
        unwrapped(clone(search).set_params(refit=False).fit(X, Y))


def test_a_search_over_pipelines_of_networks_is_drawn():
    search = GridSearchCV(make_pipeline(StandardScaler(), KAN), {}, cv=2).fit(X, Y)
    model = search.best_estimator_[-1]
    display = EdgeDisplay.from_estimator(search, 0, 1, 0, X=X)
    assert display.ax_.get_xlabel() == "force (transformed)"
    seen = (X["force"] - X["force"].mean()) / X["force"].std(ddof=0)
    np.testing.assert_allclose(np.sort(display.inputs), np.sort(seen))
    loss = LossCurveDisplay.from_estimator(search).lines_[0].get_ydata()
    np.testing.assert_array_equal(loss, model.loss_curve_)
    names = [text.get_text() for text in KANDisplay.from_estimator(search).ax_.texts]
    assert names == ["angle (transformed)", "force (transformed)", "y"]

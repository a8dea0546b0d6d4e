import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import r2_score

from skdyn._validation import NotFittedError, validate_data
from skdyn.symbolic import SINDyRegressor, SymbolicODERegressor
from skdyn.symbolic._equations import SymbolicODEMixin
from skdyn.symbolic._system import EquationSystem


class Found(SymbolicODEMixin, RegressorMixin, BaseEstimator):
    """Knows its equations without learning."""

    @property
    def control_names_(self):
        return self.system_.control_names

    def fit(self, X, y=None):
        validate_data(self, X)
        self.bounds_ = np.array([[-1.0, 5.0], [-1.0, 5.0]])
        self.system_ = EquationSystem(["1.5*x - x*y + w", "x*y - 3*y + log(2 + x)*0"], "xy", "w")
        return self


MODEL = Found().fit(np.ones((4, 2)))
RNG = np.random.default_rng(0)
X, U = RNG.uniform(0, 2, size=(3, 2, 8)), RNG.uniform(0, 1, size=(3, 1, 8))


def test_every_layout_gives_the_same_derivatives_in_its_own_layout():
    expected = MODEL.predict(X, U)
    assert expected.shape == X.shape
    ragged = MODEL.predict([X[0], X[1][:, :5]], [U[0], U[1][:, :5]])
    np.testing.assert_array_equal(ragged[0], expected[0])
    np.testing.assert_array_equal(ragged[1], expected[1][:, :5])
    np.testing.assert_array_equal(MODEL.predict(X[2].T, U[2].T), expected[2].T)
    np.testing.assert_array_equal(MODEL.predict(X[2].T, U[2, 0]), expected[2].T)


def test_incomplete_states_of_trajectories_have_no_derivative_and_single_ones_are_refused():
    gaps = X.copy()
    gaps[1, 0, 3] = np.nan
    found = MODEL.predict(gaps, U)
    assert np.isnan(found[1, :, 3]).all()
    assert np.isnan(found).sum() == 2
    with pytest.raises(ValueError, match="contains NaN"):
        MODEL.predict(gaps[1].T, U[1].T)
    holes = U.copy()
    holes[2, 0, 5] = np.nan
    found = MODEL.predict(X, holes)
    assert np.isnan(found[2, :, 5]).all()
    assert np.isnan(found).sum() == 2
    with pytest.raises(ValueError, match="u contains infinity in case 0"):
        MODEL.predict(X, np.full_like(U, np.inf))


def test_a_field_for_drawing_takes_states_and_a_simulation_starts_from_them():
    model = Found().fit(np.ones((4, 2)))
    model.system_ = EquationSystem(["-x", "-2*y"], "xy")
    np.testing.assert_allclose(model.vector_field([[1.0, 1.0]]), [[-1.0, -2.0]])
    assert model.simulate([1.0, 1.0], [0.0, 1.0], rtol=1e-6)[-1, 0] == pytest.approx(
        0.3679, abs=1e-4
    )
    (point,) = model.fixed_points()
    np.testing.assert_allclose(point.point, 0.0, atol=1e-9)
    assert model.fixed_points(bounds=[[1, 2], [1, 2]]) == []


def test_equations_are_shown(capsys):
    MODEL.print()
    assert capsys.readouterr().out == "x' = 1.5 x + w - x y\ny' = -3 y + x y\n"
    assert MODEL.equations() == ["x' = 1.5 x + w - x y", "y' = -3 y + x y"]
    assert MODEL.latex().startswith(r"\begin{aligned}")
    assert len(MODEL.to_sympy()) == 2


def test_states_without_a_value_and_controls_that_do_not_fit_are_named():
    model = Found().fit(np.ones((4, 2)))
    model.system_ = EquationSystem(["log(x)", "y"], "xy")
    with pytest.raises(ValueError, match=r"x' = log\(x\) has no finite value in row 1"):
        model.predict([[1.0, 0.0], [-1.0, 0.0]])
    with pytest.raises(ValueError, match=r"in the layout of X: .* in each of the 3 cases"):
        MODEL.predict(X, U[:2])
    with pytest.raises(ValueError, match=r"got 3 cases of shapes \[\(1, 4\)\]"):
        MODEL.predict(X, U[:, :, :4])
    with pytest.raises(
        ValueError, match=r"u must hold the 1 controls seen during fit \(w\); got 0"
    ):
        MODEL.predict(X)


@pytest.mark.parametrize("method", ["equations", "latex", "to_sympy", "print", "fixed_points"])
def test_nothing_is_found_before_fit(method):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(Found(), method)()


def test_states_in_a_large_unit_are_followed_as_closely_as_in_a_small_one():
    t = np.linspace(0, 20, 201)
    swings = 1e-13 * np.column_stack([np.cos(t), np.sin(t)])
    model = Found().fit(swings)
    model.system_, model.bounds_ = EquationSystem(["-y", "x"], "xy"), np.full((2, 2), 1e-13)
    np.testing.assert_allclose(model.simulate(swings[0], t), swings, atol=1e-18)


def test_solutions_that_blow_up_score_the_worst_and_no_less():
    t = np.linspace(0.0, 6.0, 61)
    growing = np.exp(t)[:, None]
    model = SINDyRegressor().fit(1 / (7.0 - t)[:, None], t=t)  # x' = x^2
    assert model.score(growing, t=t, of="solution") == -10.0


def test_scores_beside_targets_weigh_their_rows():
    rng = np.random.default_rng(0)
    X, weight = rng.normal(size=(40, 2)), rng.uniform(0.1, 3, 40)
    Y = X @ [[1.0, 0.5], [0.0, 2.0]] + 0.3 * rng.normal(size=(40, 2))
    for model in (SINDyRegressor(), SymbolicODERegressor("polynomial", degree=1, max_terms=2)):
        model.fit(X, Y)
        expected = r2_score(Y, model.predict(X), sample_weight=weight)
        assert model.score(X, Y, sample_weight=weight) == pytest.approx(expected)
        assert expected != pytest.approx(model.score(X, Y), rel=1e-4)

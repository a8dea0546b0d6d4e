"""One contract of dynamics: fields, solutions and scores mean the same in all models of them."""

import numpy as np
import pytest
from scipy.linalg import expm
from sklearn.base import clone

from skdyn import io
from skdyn._dynamics import derivative_score, solution_score
from skdyn.exceptions import DivergenceError
from skdyn.metrics import DynamicsScorer, trajectory_r2_score
from skdyn.neural_ode import NeuralODE
from skdyn.symbolic import EquationSystem, SINDyRegressor, SymbolicODERegressor
from skdyn.symbolic.libraries import PolynomialLibrary

A = np.array([[-0.3, 1.0], [-1.0, -0.3]])
TIMES = np.linspace(0.0, 6.0, 61)
STARTS = np.array([[1.0, 0.5], [-0.7, 1.2]])
BOTH = ("solution", "derivative")


def trajectories(noise=0.0):
    """Solutions of a linear system, (n_cases, n_channels, n_timepoints)."""
    X = np.stack([np.stack([expm(A * t) @ x0 for t in TIMES], axis=1) for x0 in STARTS])
    return X + noise * np.random.default_rng(0).standard_normal(X.shape)


@pytest.fixture(scope="module")
def models():
    found = [
        NeuralODE((), random_state=0, max_iter=60),
        SINDyRegressor(PolynomialLibrary(1)),
        SymbolicODERegressor(families="polynomial", degree=1),
    ]
    return [model.fit(trajectories(), t=TIMES) for model in found]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_linear_system_is_the_same_in_all_models(models):
    truth = trajectories()
    points = np.random.default_rng(1).uniform(-1, 1, (5, 2))
    for model in models:
        np.testing.assert_allclose(model.vector_field(points), points @ A.T, atol=0.05)
        np.testing.assert_allclose(model.vector_field(points, 3.0, None), points @ A.T, atol=0.05)
        np.testing.assert_allclose(model.simulate(STARTS, TIMES), truth, atol=0.05)
        np.testing.assert_allclose(model.simulate(STARTS[0], TIMES), truth[0].T, atol=0.05)
        for of in BOTH:
            assert model.score(truth, t=TIMES, of=of) == pytest.approx(1.0, abs=0.01)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("of", BOTH)
def test_on_noisy_data_the_right_model_outscores_wrong_ones(of, models):
    X = trajectories(noise=0.1)
    right = [model.score(X, t=TIMES, of=of) for model in models]
    slower = trajectories() * np.exp(-0.3 * TIMES)  # a system that decays twice as fast
    wrong = [clone(model).fit(slower, t=TIMES).score(X, t=TIMES, of=of) for model in models]
    assert min(right) > max(wrong) + 0.02
    assert min(right) > 0.5


def test_solutions_are_scored_from_the_first_states_as_they_were_measured(models):
    X = trajectories(noise=0.1)
    for model in models:
        solved = model.simulate(X[:, :, 0], TIMES)
        expected = solution_score(np.hstack(X).T, np.hstack(solved).T)
        assert expected < 0.99
        assert model.score(X, t=TIMES, of="solution") == pytest.approx(expected, abs=1e-6)


def test_scores_of_gaps_are_those_of_the_metric(models):
    X, network = trajectories(noise=0.1), models[0]
    X[0, 1, 7:11] = X[1, :, 50:] = np.nan
    solved = network.predict(X, t=TIMES)
    for weight in (None, [1.0, 3.0]):
        expected = trajectory_r2_score(X, solved, cases="pooled", sample_weight=weight)
        assert network.score(X, t=TIMES, sample_weight=weight) == pytest.approx(expected)


@pytest.mark.parametrize("of", BOTH)
def test_scores_do_not_depend_on_where_time_begins_nor_on_what_is_missing(of, models):
    X, late = trajectories(), TIMES + 40.0
    X[0, 1, 7:11] = X[1, :, 5:55] = np.nan
    for model in models:
        assert model.score(X, t=late, of=of) == pytest.approx(1.0, abs=0.01)
        assert model.score(X[:, :, ::-1], t=late, of=of) < 0.5  # time that runs backwards


def test_a_trajectory_of_no_weight_has_none_in_either_score(models):
    X = trajectories()
    X[1] = X[1, :, ::-1]
    for of in BOTH:
        assert models[0].score(X, t=TIMES, of=of) < 0.9
        weighed = models[0].score(X, t=TIMES, of=of, sample_weight=[1.0, 0.0])
        assert weighed == pytest.approx(1.0, abs=0.01)
        assert models[0].score(X, t=TIMES, of=of, sample_weight=[0.0, 1.0]) < 0.0


@pytest.fixture(scope="module")
def driven():
    """Two trajectories, their controls, and models that were fitted to both."""
    u = np.sin(2 * TIMES)
    system = EquationSystem(["-x + 2*u"], ["x"], ["u"])
    X = np.stack([system.simulate([x0], TIMES, u).T for x0 in (1.0, -1.0)])
    U = np.stack([u[None]] * 2)
    found = [
        SINDyRegressor(PolynomialLibrary(1)),
        SymbolicODERegressor("polynomial", degree=1, max_iter=1, max_terms=3),
    ]
    return X, U, [model.fit(X, t=TIMES, u=U) for model in found]


@pytest.mark.parametrize("of", BOTH)
def test_controls_and_groups_are_part_of_a_score(of, driven):
    X, U, driven_models = driven
    rows = {"t": np.tile(TIMES, 2), "u": np.ravel(U), "groups": np.repeat([0, 1], 61)}
    for model in driven_models:
        one = model.score(X, t=TIMES, u=U, of=of)
        assert one == pytest.approx(1.0, abs=0.01)
        assert model.score(np.hstack(X).T, of=of, **rows) == pytest.approx(one)
        assert model.score(X, t=TIMES, u=-U, of=of) < 0.5


def test_a_field_takes_controls(driven):
    points = np.array([[0.5], [2.0]])
    for model in driven[2]:
        found = model.vector_field(points, 3.0, [[1.0], [0.0]])
        np.testing.assert_allclose(found, [[1.5], [-2.0]], atol=0.05)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_groups_of_cases_are_for_splits_and_no_model_is_scored_by_them(index, models):
    X, score = trajectories(), DynamicsScorer("derivative")
    assert score(models[index], X, t=TIMES, groups=[7, 7]) == score(models[index], X, t=TIMES)
    with pytest.raises(ValueError, match="groups"):  # of rows, which there are none of
        score(models[index], X, t=TIMES, groups=np.arange(61))


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_solution_that_leaves_scores_the_worst_in_every_model(index, models, monkeypatch):
    model, far = models[index], trajectories() * 1e-3
    solve = "_follow" if index == 0 else "simulate"

    def leaves(*arguments):
        raise DivergenceError("It leaves.", t=0.0, case=0, norm=np.inf)

    monkeypatch.setattr(model, solve, leaves)
    assert model.score(far, t=TIMES, of="solution") == -10.0


def test_scores_do_not_depend_on_units():
    rng = np.random.default_rng(0)
    t, X = TIMES, rng.standard_normal((61, 2)).cumsum(axis=0)
    field, solved = np.gradient(X, t, axis=0) + 0.1, X + 0.1 * rng.standard_normal(X.shape)
    for unit in (np.array([1e-200, 1e150]), np.array([3.0, 1e-7])):
        assert solution_score(X * unit, solved * unit) == pytest.approx(solution_score(X, solved))
        assert derivative_score([(t * 1e3, X * unit, field * unit / 1e3)]) == pytest.approx(
            derivative_score([(t, X, field)])
        )


@pytest.mark.parametrize("constant", [0.1, 1e-3, 7.0])
def test_a_rounding_of_a_constant_is_no_error(constant):
    wave = np.sin(np.arange(30.0))[:, None]
    measured = np.hstack([wave, np.full((30, 1), constant)])
    solved = measured * [[1.0, 1 + 2.3e-16]]
    assert solution_score(measured, solved) == 1.0
    assert solution_score(measured, measured * [[1.0, 1 + 1e-9]]) == 0.5


def test_no_solution_scores_below_the_worst():
    X = np.random.default_rng(0).standard_normal((61, 2))
    for far in (1e6, 1e300):
        assert solution_score(X, far * X) == -10.0


def test_rises_over_windows_are_integrals_of_velocities_at_uneven_times():
    t = np.sort(np.random.default_rng(0).uniform(0, 1, 20))
    X = np.column_stack([t**3, t**2])
    true = np.column_stack([3 * t**2, 2 * t])
    # Simpson's rule is exact for these; fewer points, and the rest is ends of stretches.
    assert derivative_score([(t[:12], X[:12], true[:12]), (t[12:], X[12:], true[12:])]) == (
        pytest.approx(1.0, abs=1e-12)
    )
    assert derivative_score([(t, X, true[::-1])]) < 0.0
    assert derivative_score([(t, X, true), (t, X, true[::-1])], [1.0, 0.0]) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="two windows"):
        derivative_score([(t[:1], X[:1], true[:1]), (t[:2], X[:2], true[:2])])


@pytest.mark.parametrize("index", [0, 1, 2])
def test_what_is_not_read_or_missing_is_named(index, models):
    model, X = models[index], trajectories()
    with pytest.raises(ValueError, match=r"t is missing.*set_score_request"):
        model.score(X)
    with pytest.raises(ValueError, match="of must be"):
        model.score(X, t=TIMES, of="equation")
    if index:
        name = type(model).__name__
        with pytest.raises(ValueError, match=f"{name} does not read X_val: .* score .* as X and t"):
            model.fit(X, t=TIMES, X_val=X, t_val=TIMES)
        for call in (model.fit, model.score):
            with pytest.raises(ValueError, match=r"groups .* X holds 2 cases"):
                call(list(X), t=TIMES, groups=[0, 1])
        with pytest.raises(ValueError, match=f"{name} does not read t_val"):
            model.fit(X, t=TIMES, t_val=TIMES)
    else:
        for call in (model.fit, model.score):
            with pytest.raises(ValueError, match="NeuralODE does not read groups"):
                call(X, t=TIMES, groups=[0, 1])


def test_a_saved_model_still_knows_that_it_was_fitted_with_times(models, tmp_path):
    for number, model in enumerate(models):
        io.save(model, path := tmp_path / f"{number}.skdyn")
        with pytest.raises(ValueError, match="t is missing"):
            io.load(path).score(trajectories())

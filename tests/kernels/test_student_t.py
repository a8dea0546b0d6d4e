"""The Student-t process: its law, its limit, and its draws."""

import numpy as np
import pytest
from scipy.optimize import OptimizeResult
from scipy.stats import multivariate_t
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from skdyn import io
from skdyn.kernels import NNGPKernel, StudentTProcessRegressor

KERNEL = ConstantKernel(1.5) * RBF([0.8, 1.2]) + WhiteKernel(0.2)


def data(n=12, n_targets=None, random_state=0):
    random_state = np.random.default_rng(random_state)
    X = random_state.normal(size=(n, 2))
    shape = (n,) if n_targets is None else (n, n_targets)
    return X, np.sin(X[:, 0]).reshape(-1, *[1] * (len(shape) - 1)) + random_state.normal(size=shape)


def as_given(**parameters):
    """A process with its hyperparameters as they are."""
    return StudentTProcessRegressor(
        KERNEL, optimizer=None, normalize_y=False, alpha=0.0, **parameters
    )


def joint(X, nu):
    """The distribution of values at rows, from scipy."""
    return multivariate_t(np.zeros(len(X)), KERNEL(X) * (nu - 2) / nu, df=nu)


def test_the_marginal_likelihood_is_the_density_of_scipy():
    X, y = data()
    model = as_given(nu=4.0).fit(X, y)
    wanted = joint(X, 4.0).logpdf(y)
    np.testing.assert_allclose(model.log_marginal_likelihood_value_, wanted, rtol=1e-12)
    np.testing.assert_allclose(model.log_marginal_likelihood(), wanted, rtol=1e-12)


def test_predictions_are_the_conditional_density_of_scipy():
    """The joint density of old and new values, over that of the old ones."""
    (X, y), row = data(), np.array([[0.3, -0.2]])
    model = as_given(nu=4.0).fit(X, y)
    mean, std = model.predict(row, return_std=True)
    values = np.linspace(-3, 3, 7)
    together = [joint(np.vstack([X, row]), 4.0).logpdf([*y, value]) for value in values]
    dispersion = std**2 * (model.dof_ - 2) / model.dof_
    found = [multivariate_t(mean, dispersion, df=model.dof_).logpdf([v]) for v in values]
    np.testing.assert_allclose(found, np.subtract(together, joint(X, 4.0).logpdf(y)), rtol=1e-10)


def test_the_gradient_is_that_of_finite_differences():
    X, y = data(n_targets=2)
    model = as_given(nu=4.0).fit(X, y)
    theta, h = model.kernel_.theta + 0.1, 1e-5
    _, gradient = model.log_marginal_likelihood(theta, eval_gradient=True)
    wanted = [
        (model.log_marginal_likelihood(theta + d) - model.log_marginal_likelihood(theta - d))
        / (2 * h)
        for d in h * np.eye(len(theta))
    ]
    np.testing.assert_allclose(gradient, wanted, rtol=1e-6)


def test_many_degrees_of_freedom_are_a_gaussian_process():
    (X, y), (rows, _) = data(), data(random_state=1)
    model = as_given(nu=1e9).fit(X, y)
    gaussian = GaussianProcessRegressor(KERNEL, optimizer=None, alpha=0.0).fit(X, y)
    for kind in ("return_std", "return_cov"):
        for found, wanted in zip(
            model.predict(rows, **{kind: True}), gaussian.predict(rows, **{kind: True}), strict=True
        ):
            np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(
        model.log_marginal_likelihood(), gaussian.log_marginal_likelihood(), rtol=1e-6
    )


def test_the_same_hyperparameters_are_found_as_by_a_gaussian_process():
    X, y = data(40)
    model = StudentTProcessRegressor(KERNEL, nu=1e9).fit(X, y)
    gaussian = GaussianProcessRegressor(KERNEL, normalize_y=True).fit(X, y)
    np.testing.assert_allclose(
        model.log_marginal_likelihood_value_, gaussian.log_marginal_likelihood_value_, rtol=1e-4
    )


def test_targets_that_vary_more_widen_the_intervals_and_move_no_mean():
    (X, y), (rows, _) = data(), data(random_state=1)
    models = [as_given().fit(X, scale * y) for scale in (1, 10)]
    (mean, narrow), (far, wide) = (model.predict(rows, return_std=True) for model in models)
    np.testing.assert_allclose(far, 10 * mean)
    assert (wide > 5 * narrow).all()
    gaussian = GaussianProcessRegressor(KERNEL, optimizer=None).fit(X, y)
    assert models[1].scale_ > 1 > gaussian.predict(rows, return_std=True)[1].min() / wide.max()


def test_each_target_has_a_scale_of_its_own():
    X, y = data(n_targets=2)
    y[:, 1] *= 10
    rows = X[:4] + 0.1
    both = as_given().fit(X, y)
    for k in range(2):
        alone = as_given().fit(X, y[:, k])
        for found, wanted in zip(
            both.predict(rows, return_cov=True), alone.predict(rows, return_cov=True), strict=True
        ):
            np.testing.assert_allclose(found[..., k], wanted)
        assert both.scale_[k] == pytest.approx(alone.scale_[0])
    assert both.predict(rows, return_std=True)[1].shape == (4, 2)
    assert both.sample_y(rows, 3).shape == (4, 2, 3)


def test_draws_have_the_mean_covariance_and_tails_of_the_predictions():
    X, y = data(2)
    model = as_given(nu=4.0).fit(X, y)
    rows = X + 0.5
    mean, cov = model.predict(rows, return_cov=True)
    values = model.sample_y(rows, 20000, random_state=0)
    error = np.sqrt(np.diag(cov) / 20000)
    assert (np.abs(values.mean(axis=1) - mean) < 5 * error).all()
    np.testing.assert_allclose(np.cov(values), cov, rtol=0.1, atol=0.05)
    deviations = np.abs(values[0] - mean[0]) / np.sqrt(cov[0, 0])
    wanted = 2 * multivariate_t(0, (model.dof_ - 2) / model.dof_, df=model.dof_).cdf([-3.0])
    assert (deviations > 3).mean() == pytest.approx(wanted, rel=0.3)  # a normal one has .0027
    assert wanted > 0.006


def test_the_unit_of_the_targets_is_of_no_consequence():
    X, y = data(20)
    rows = X[:3] + 0.1
    mean, std = StudentTProcessRegressor(KERNEL).fit(X, y).predict(rows, return_std=True)
    far, wide = (
        StudentTProcessRegressor(KERNEL).fit(X, 1e6 * y + 1e7).predict(rows, return_std=True)
    )
    np.testing.assert_allclose((far - 1e7) / 1e6, mean, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(wide / 1e6, std, rtol=1e-4)


def test_a_constant_target_is_predicted():
    X, _ = data()
    mean, std = (
        StudentTProcessRegressor().fit(X, np.full(len(X), 1e6 / 3)).predict(X, return_std=True)
    )
    np.testing.assert_allclose(mean, 1e6 / 3)
    assert (std < 1).all()


def test_more_starts_find_no_worse_hyperparameters():
    X, y = data(30)
    bad = ConstantKernel(1e-4) * RBF(1e4) + WhiteKernel(1e4)
    values = [
        StudentTProcessRegressor(bad, n_restarts_optimizer=n, random_state=0)
        .fit(X, y)
        .log_marginal_likelihood_value_
        for n in (0, 3)
    ]
    assert values[1] > values[0] + 1
    with pytest.raises(ValueError, match="n_restarts_optimizer=1"):
        StudentTProcessRegressor(RBF(1.0, (1e-5, np.inf)), n_restarts_optimizer=1).fit(X, y)


def test_rows_that_come_twice_without_noise_are_refused_by_a_name():
    X, y = data(6)
    model = StudentTProcessRegressor(RBF(), optimizer=None, alpha=0.0)
    with pytest.raises(ValueError, match=r"alpha=0\.0"):
        model.fit(np.vstack([X, X]), np.hstack([y, y]))


def test_a_search_that_does_not_end_says_so(monkeypatch):
    monkeypatch.setattr(
        "skdyn.kernels._student_t.minimize",
        lambda loss, start, **_: OptimizeResult(x=start, fun=0.0, success=False, message="stuck"),
    )
    with pytest.warns(ConvergenceWarning, match="stuck"):
        StudentTProcessRegressor(KERNEL).fit(*data())


@pytest.mark.parametrize("kernel", [KERNEL, NNGPKernel(2, "sin", input_var=[1.0, 2.0])])
def test_files_hold_its_kernel(kernel, tmp_path):
    X, y = data()
    model = StudentTProcessRegressor(kernel, alpha=0.1).fit(X, y)
    io.save(model, tmp_path / "model")
    again = io.load(tmp_path / "model", StudentTProcessRegressor)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.kernel == kernel
    assert again.kernel_ == model.kernel_


def test_only_one_of_two_kinds_of_spread_is_asked_for():
    X, y = data()
    with pytest.raises(ValueError, match="one of them"):
        as_given().fit(X, y).predict(X, return_std=True, return_cov=True)


def test_many_rows_are_warned_of_and_too_many_refused(monkeypatch):
    X, y = np.arange(12.0)[:, None], np.arange(12.0)
    model = StudentTProcessRegressor(optimizer=None)
    monkeypatch.setattr("skdyn.kernels._student_t._MANY", 11)
    with pytest.warns(UserWarning, match="of 12 rows needs several matrices of 0.0 GB"):
        model.fit(X, y)
    assert model.score(X, y) > 0.9
    monkeypatch.undo()
    other = StudentTProcessRegressor()
    rows = np.zeros((2**16 + 1, 1))
    with pytest.raises(ValueError, match=r"of 65537 rows needs several matrices of 34.4 GB"):
        other.fit(rows, rows[:, 0])
    assert not hasattr(other, "L_")

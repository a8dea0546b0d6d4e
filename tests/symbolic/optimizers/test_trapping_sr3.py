import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import PolynomialFeatures

from skdyn.symbolic.optimizers import STLSQ, TrappingSR3

LIBRARY = PolynomialFeatures(2).fit(np.zeros((1, 3)))
POWERS = LIBRARY.powers_


@pytest.fixture
def lorenz():
    rng = np.random.default_rng(0)
    x, y, z = rng.uniform([-15, -20, 5], [15, 20, 40], size=(150, 3)).T
    dX = np.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z], axis=1)
    return LIBRARY.transform(np.stack([x, y, z], axis=1)), dX + 2.0 * rng.normal(size=dX.shape)


def energy_gain(coef, x):
    """The work of the quadratic terms, over the size of its parts."""
    work = x * (LIBRARY.transform(x)[:, 4:] @ coef[:, 4:].T)
    return np.abs(work.sum(axis=1)) / np.abs(work).sum(axis=1)


@pytest.mark.filterwarnings("ignore:.*Raise max_iter")
@pytest.mark.parametrize("settings", [{}, {"normalize_columns": True, "threshold": 5.0}])
def test_the_quadratic_terms_of_lorenz_conserve_energy(settings, lorenz):
    model = TrappingSR3(POWERS, **{"threshold": 0.5, **settings}).fit(*lorenz)
    x = 10 * np.random.default_rng(1).normal(size=(50, 3))
    assert energy_gain(model.coef_, x).max() < 1e-10
    free = STLSQ(threshold=0.5).fit(*lorenz).coef_
    assert energy_gain(free, x).max() > 1e-4
    np.testing.assert_array_equal(np.flatnonzero(model.coef_), [1, 2, 11, 12, 16, 23, 25])


def test_powers_may_come_with_the_data(lorenz):
    expected = TrappingSR3(POWERS).fit(*lorenz).coef_
    np.testing.assert_array_equal(TrappingSR3().fit(*lorenz, powers=POWERS).coef_, expected)


def test_trajectories_are_drawn_into_the_trapping_ball(lorenz):
    margin = 1.3  # more than the data's 1.0: it has to be asked for
    model = TrappingSR3(POWERS, stability_margin=margin, threshold=0.5).fit(*lorenz)
    assert model.growth_rates_[-1] <= -margin
    rng = np.random.default_rng(2)
    y = rng.normal(size=(200, 3))
    y *= 1.01 * model.trapping_radius_ / np.linalg.norm(y, axis=1, keepdims=True)
    velocity = model.predict(LIBRARY.transform(model.trapping_center_ + y))
    assert (np.sum(y * velocity, axis=1) < 0).all()
    x = 10 * rng.normal(size=(50, 3))
    assert energy_gain(model.coef_, x).max() < 1e-10
    unforced = TrappingSR3(POWERS, threshold=0.5).fit(*lorenz)
    assert model.score(*lorenz) > unforced.score(*lorenz) - 0.01


def test_a_margin_already_kept_changes_nothing(lorenz):
    free = TrappingSR3(POWERS, threshold=0.5).fit(*lorenz)
    model = TrappingSR3(POWERS, stability_margin=0.1, threshold=0.5).fit(*lorenz)
    np.testing.assert_array_equal(model.coef_, free.coef_)
    np.testing.assert_allclose(model.trapping_center_, [0, 0, 38], rtol=0.05, atol=1.0)


def test_growth_that_no_coefficient_can_stop_is_told():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(100, 3))
    dX = np.stack([-x[:, 0], -x[:, 1], x[:, 0] - x[:, 1]], axis=1)  # z never decays
    model = TrappingSR3(POWERS, stability_margin=0.5)
    with pytest.warns(ConvergenceWarning, match="stability_margin=0.5"):
        model.fit(LIBRARY.transform(x), dX)
    assert model.trapping_radius_ == np.inf
    np.testing.assert_allclose(model.predict(LIBRARY.transform(x)), dX)


def test_without_powers_it_says_that_nothing_is_constrained(lorenz):
    with pytest.warns(UserWarning, match="Pass powers=, the exponents"):
        TrappingSR3().fit(*lorenz)


@pytest.mark.parametrize(
    ("powers", "margin", "said"),
    [
        (POWERS[:5], None, r"powers has shape \(5, 3\).*\(10, 3\)"),
        (POWERS[:, :2], None, r"powers has shape \(10, 2\)"),
        (POWERS * 2, 1.0, "stability_margin=1.0.*degree two"),
        (np.column_stack([POWERS, np.zeros(10)]), 1.0, "stability_margin=1.0"),
        (POWERS * np.nan, None, "powers contains NaN"),
    ],
)
def test_bad_powers_are_named(powers, margin, said, lorenz):
    with pytest.raises(ValueError, match=said):
        TrappingSR3(powers, stability_margin=margin).fit(*lorenz)

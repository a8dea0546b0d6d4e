import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.interpolate import make_interp_spline
from scipy.linalg import expm

from skdyn.symbolic.discovery import _shooting
from skdyn.symbolic.discovery._integration import integrate
from skdyn.symbolic.discovery._shooting import System, jacobian, shoot, solution, steps_needed
from skdyn.symbolic.discovery._smoothing import Record
from skdyn.symbolic.discovery._terms import Form, Term
from skdyn.symbolic.discovery._windows import Windows

ONE, X0, X1, CONTROL = (Term(Form(text, 0.5)) for text in ("1", "x0", "x1", "x3"))
SQUARE = Term(Form("x0**2", 1.0))
SATURATING = Term(Form("x0/(k0 + x0)", 4.0, 1), (2.0,))
LINEAR = System(((X0, X1), (X0, X1)))
MATRIX = np.array([[-0.5, 1.0], [-2.0, -0.3]])
START = np.array([1.0, 0.5])


def record_of(t, X, u=None, sd=0.01):
    """A record whose curves are straight between the measurements."""
    columns = [np.hstack(parts) for parts in zip(X, u)] if u else X
    curves = [[make_interp_spline(s, c, k=1) for c in rows.T] for s, rows in zip(t, columns)]
    return Record(t, X, [np.full(x.shape, sd) for x in X], curves, np.zeros(X[0].shape[1], bool))


def rotation(t):
    return expm(MATRIX * np.asarray(t)[:, None, None]) @ START


@pytest.fixture
def spiral():
    t = np.linspace(0, 6, 61)
    return record_of([t], [rotation(t)])


# -- systems ----------------------------------------------------------------------------------


def test_constants_in_a_row_come_back_as_they_were():
    system = System(((X0, SATURATING), (), (ONE,)))
    row = system.constants(((1.5, -3.0), (), (0.25,)))
    assert row.tolist() == [1.5, -3.0, 2.0, 0.25]
    assert system.split(row) == (system.equations, ((1.5, -3.0), (), (0.25,)))


# -- inputs -----------------------------------------------------------------------------------


def test_controls_enter_at_the_right_times():
    """x' = u - x / 2 with a control of straight lines, against scipy with tight tolerances."""
    t = np.linspace(0, 8, 41)
    u = np.where((t > 2) & (t < 5), 1.0, 0.2)
    truth = solve_ivp(lambda s, x: np.interp(s, t, u) - x / 2, (0, 8), [0.3], t_eval=t,
                      rtol=1e-10, atol=1e-12, max_step=0.1).y.T  # fmt: skip
    record = record_of([t], [truth], [u[:, None]])
    windows = Windows(record, 4)
    shot = shoot(System(((X0, X1),)), [-0.2, 0.6], windows, n_steps=(6, 6, 6))
    assert shot.p == pytest.approx([-0.5, 1.0], abs=1e-6)
    late = record_of([t], [truth], [np.roll(u, 3)[:, None]])
    other = shoot(System(((X0, X1),)), [-0.2, 0.6], Windows(late, 4))
    assert other.rss[0] > 1e3 * shot.rss[0] + 1


def test_states_that_are_not_integrated_follow_their_curves(spiral):
    windows = Windows(spiral, 4, states=[1])
    assert (windows.d, windows.inputs) == (1, [0])
    shot = shoot(System(((X0, X1),)), [-1.5, 0.0], windows)
    assert shot.rss.shape == (1,)
    # The curve is made of straight lines: its error is of second order in the spacing.
    assert shot.p == pytest.approx(MATRIX[1], abs=0.01)


# -- shooting ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n_windows", [1, 8, 30])
def test_constants_of_a_linear_system_come_back_from_its_solution(n_windows, spiral):
    windows = Windows(spiral, n_windows, n_sub=2)
    shot = shoot(LINEAR, 0.7 * MATRIX.ravel(), windows, n_steps=(6, 6, 6))
    assert shot.p == pytest.approx(MATRIX.ravel(), abs=1e-8)
    assert shot.gap < 1e-4
    assert shot.x0 == pytest.approx(rotation(windows.times[0]).T, abs=1e-7)
    assert (solution(LINEAR, shot, windows)[:, :, 0] - windows.X[:, :, 0])[0] == pytest.approx(
        0.0, abs=1e-7
    )


def test_inner_constants_come_back_too():
    t = np.linspace(0, 6, 50)
    x = solve_ivp(lambda _, x: -1.5 * x / (0.7 + x), (0, 6), [4.0], t_eval=t, rtol=1e-11,
                  atol=1e-13).y.T  # fmt: skip
    shot = shoot(System(((SATURATING,),)), [-2.0, 1.5], Windows(record_of([t], [x]), 8, n_sub=2),
                 n_steps=(8, 8, 8))  # fmt: skip
    assert shot.p == pytest.approx([-1.5, 0.7], abs=1e-6)


def test_several_segments_share_constants_but_not_states():
    t = np.linspace(0, 3, 31)
    X = [START[0] * rotation(t), -3.0 * rotation(t), rotation(t + 1)]
    windows = Windows(record_of([t] * 3, X), 6, n_sub=2)
    shot = shoot(LINEAR, 0.7 * MATRIX.ravel(), windows, n_steps=(6, 6, 6))
    assert shot.p == pytest.approx(MATRIX.ravel(), abs=1e-8)


def test_constants_follow_the_units_of_time_and_state(spiral):
    rng = np.random.default_rng(0)
    X = spiral.X[0] + 0.01 * rng.normal(size=spiral.X[0].shape)
    scale = np.array([1000.0, 0.1])
    noisy = record_of(spiral.t, [X])
    other = record_of([60 * spiral.t[0]], [X * scale])._replace(sd=[0.01 * scale * np.ones_like(X)])
    shot = shoot(LINEAR, 0.8 * MATRIX.ravel(), Windows(noisy, 6), n_steps=(8, 8, 8))
    units = np.outer(scale, 1 / scale).ravel() / 60
    scaled = shoot(LINEAR, 0.8 * MATRIX.ravel() * units, Windows(other, 6), n_steps=(8, 8, 8))
    assert scaled.p == pytest.approx(shot.p * units, rel=1e-4)
    assert scaled.rss == pytest.approx(shot.rss, rel=1e-4)


def test_the_covariance_is_the_spread_over_repeated_noise(spiral):
    rng, found = np.random.default_rng(0), []
    truth = MATRIX.ravel()
    for _ in range(50):
        noisy = record_of(spiral.t, [spiral.X[0] + 0.05 * rng.normal(size=(61, 2))], sd=0.05)
        found.append(shoot(LINEAR, truth, Windows(noisy, 3), n_steps=(2, 2, 2)).p)
    stated = shoot(LINEAR, truth, Windows(record_of(spiral.t, spiral.X, sd=0.05), 3),
                   covariance=True).covariance  # fmt: skip
    ratio = np.std(found, axis=0) / np.sqrt(np.diag(stated))
    assert np.abs(np.log(ratio)).max() < np.log(1.5)
    assert np.abs(np.mean(found, axis=0) - truth).max() < 4 * np.sqrt(np.diag(stated) / 50).max()


def test_constants_that_are_not_free_stay(spiral):
    start = np.array([-0.4, 1.0, -1.8, -0.3])
    free = np.array([True, False, True, False])
    shot = shoot(LINEAR, start, Windows(spiral, 6, n_sub=2), free=free, covariance=True,
                 n_steps=(6, 6, 6))  # fmt: skip
    assert shot.p[~free].tolist() == start[~free].tolist()
    assert shot.p == pytest.approx(MATRIX.ravel(), abs=1e-6)
    assert np.diag(shot.covariance)[~free].tolist() == [0.0, 0.0]
    assert (np.diag(shot.covariance)[free] > 0).all()


def test_with_nothing_free_the_start_states_still_fit(spiral):
    shot = shoot(LINEAR, MATRIX.ravel(), Windows(spiral, 4), x0=np.zeros((2, 4)),
                 free=np.zeros(4, bool), covariance=True)  # fmt: skip
    assert shot.p.tolist() == MATRIX.ravel().tolist()
    assert shot.rss.max() < 1e-3


def test_prior_knowledge_is_honoured_as_far_as_it_is_weighted(spiral):
    """The rows ask for p0 = p3, which the data deny: -0.5 and -0.3."""
    found = []
    for weight in (1e-3, 1e6):
        shot = shoot(LINEAR, MATRIX.ravel(), Windows(spiral, 4),
                     rows=lambda p, w=weight: np.array([w * (p[0] - p[3])]))  # fmt: skip
        found.append(abs(shot.p[0] - shot.p[3]))
    assert found[0] == pytest.approx(0.2, abs=1e-4)
    assert found[1] < 1e-5


def test_residuals_are_in_noise_standard_deviations_and_sum_to_the_misfit(spiral):
    windows = Windows(spiral, 1)
    shot = shoot(LINEAR, 1.1 * MATRIX.ravel(), windows, n_steps=(0, 0, 0))
    assert np.nansum(shot.residuals**2, axis=(0, 2)) == pytest.approx(shot.rss)
    finer = shoot(LINEAR, 1.1 * MATRIX.ravel(), Windows(record_of(spiral.t, spiral.X, sd=0.001), 1),
                  n_steps=(0, 0, 0))  # fmt: skip
    assert finer.rss == pytest.approx(100 * shot.rss)


def test_jumps_between_windows_count_as_misfit(spiral):
    """Windows that stand alone explain a wrong system; tied ones do not."""
    wrong = System(((X1,), (X0,)))
    loose, tight = (
        shoot(wrong, [1.0, -2.0], Windows(spiral, 30), ties=(tie,), n_steps=(6,))
        for tie in (1e-3, 100.0)
    )
    assert loose.gap > 1
    assert tight.gap < 1
    assert tight.rss.sum() > 3 * loose.rss.sum()


def test_a_jump_adds_its_square_to_the_misfit(spiral):
    windows = Windows(spiral, 2)
    shot = shoot(LINEAR, 1.5 * MATRIX.ravel(), windows, ties=(100.0,), n_steps=(0,))
    jumps = shot.rss - np.nansum(shot.residuals**2, axis=(0, 2))
    assert shot.gap > 1
    assert jumps.max() == pytest.approx((100.0 * shot.gap) ** 2)


def test_what_cannot_be_integrated_is_no_fit(spiral):
    assert shoot(System(((SQUARE,), (X0,))), [1e6, 1.0], Windows(spiral, 2)) is None


def test_a_hopeless_fit_is_given_up_early(spiral):
    heard = []

    def hopeless(rss):
        heard.append(rss)
        return rss.sum() > 1

    windows = Windows(spiral, 6)
    assert shoot(LINEAR, MATRIX.ravel(), windows, hopeless=hopeless) is not None
    assert shoot(System(((ONE,), (ONE,))), [0.0, 0.0], windows, hopeless=hopeless) is None
    assert heard[0].shape == (2,)
    assert heard[0].sum() < 1 < heard[-1].sum()


def test_a_step_takes_one_integration_and_where_nothing_is_gained_none(spiral, monkeypatch):
    calls = []

    def counted(*args):
        calls.append(args)
        return integrate(*args)

    monkeypatch.setattr(_shooting, "integrate", counted)
    noise = 0.01 * np.random.default_rng(0).normal(size=spiral.X[0].shape)
    windows = Windows(spiral._replace(X=[spiral.X[0] + noise]), 6)
    shoot(LINEAR, 0.9 * MATRIX.ravel(), windows, n_steps=(2, 2, 2))
    assert 1 < len(calls) <= 1 + 6
    best = shoot(LINEAR, MATRIX.ravel(), windows, n_steps=(9, 9, 9))
    for _ in range(3):  # a descent ends before its last digits
        best = shoot(LINEAR, best.p, windows, x0=best.x0, ties=(100.0,), n_steps=(9,))
    calls.clear()
    again = shoot(LINEAR, best.p, windows, x0=best.x0, ties=(100.0,), n_steps=(9,))
    assert len(calls) == 1
    assert again.p.tolist() == best.p.tolist()


def test_terms_that_are_not_there_answer_like_terms_of_coefficient_zero(spiral, monkeypatch):
    monkeypatch.setattr(_shooting, "_AT_ONCE", 2)
    further = [(0, SQUARE), (1, ONE), (1, SATURATING)]
    windows = Windows(spiral, 6)
    args = windows, windows.x0, 1.0
    r, J, starts, state = jacobian(LINEAR, MATRIX.ravel(), *args, further)
    longer = System(((X0, X1, SQUARE), (X0, X1, ONE, SATURATING)))
    constants = longer.constants((np.append(MATRIX[0], 0.0), np.append(MATRIX[1], [0.0, 0.0])))
    expected = jacobian(longer, constants, *args)
    np.testing.assert_allclose(r, expected[0], atol=1e-9)
    there, new = [0, 1, 3, 4], [2, 5, 6]  # the last column is of the constant inside
    np.testing.assert_allclose(J, expected[1][:, there + new], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(starts, expected[2], rtol=1e-4, atol=1e-4)
    assert state.tolist() == expected[3].tolist()
    system = System(((SQUARE,), (X0,)))
    assert jacobian(system, [1e6, 1.0], *args, further) is None


def test_fast_systems_get_more_steps_than_slow_ones():
    t = np.linspace(0, 4, 21)
    record = record_of([t], [np.cos(t)[:, None]], sd=1e-5)
    slow, fast = (steps_needed(System(((ONE, X0),)), [0.1, k], record, 4) for k in (-0.1, -9.0))
    assert slow == 1
    assert fast > 1


def test_equations_of_three_states_and_a_control_leave_each_in_its_place():
    """Each state is driven by another and one by the control; nothing is mixed up."""
    t = np.linspace(0, 5, 51)
    u = 0.5 * t
    x = np.column_stack([1 + t**2 / 4, 2 + t + t**3 / 12, -t])
    record = record_of([t], [x], [u[:, None]])
    system = System(((CONTROL,), (X0,), (ONE,)))
    shot = shoot(system, [0.5, 0.5, 0.5], Windows(record, 5), n_steps=(5, 5, 5))
    assert shot.p == pytest.approx([1.0, 1.0, -1.0], abs=1e-8)

import numpy as np
import pytest
from scipy.linalg import expm

from skdyn.symbolic.discovery._integration import field, integrate
from skdyn.symbolic.discovery._shooting import System
from skdyn.symbolic.discovery._smoothing import Record
from skdyn.symbolic.discovery._terms import Form, Term, evaluate
from skdyn.symbolic.discovery._windows import Windows

ONE, X0, X1 = (Term(Form(text, 0.5)) for text in ("1", "x0", "x1"))
PRODUCT = Term(Form("x0*x1", 1.0))
SATURATING = Term(Form("x0/(k0 + x0)", 4.0, 1), (2.0,))
LINEAR = ((X0, X1), (X0, X1))
MATRIX = np.array([[-0.5, 1.0], [-2.0, -0.3]])
START = np.array([1.0, 0.5])


def rotation(t):
    return expm(MATRIX * np.asarray(t)[:, None, None]) @ START


def record_of(t, curves):
    """A record whose curves are functions of time."""
    X = np.stack([curve(t) for curve in curves], axis=1)
    return Record([t], [X], [np.full(X.shape, 0.01)], [list(curves)], np.zeros(len(curves), bool))


def spiral(n=61, end=6.0):
    return record_of(np.linspace(0, end, n), [lambda t, i=i: rotation(t)[:, i] for i in (0, 1)])


def slopes(f, x, p):
    """The right-hand sides as integration reads them."""
    values = np.empty((f.n_rows, x.shape[1]))
    values[: len(x)] = x
    f.fill(list(values), list(p))
    return f.sums @ (p[f.weights] * values[f.index])


def test_a_field_is_the_sum_of_its_terms_in_every_lane():
    f = field(((ONE, SATURATING), (), (PRODUCT, X1)), range(3))
    x, p = np.random.default_rng(0).uniform(1, 2, size=(2, 3, 5))
    p = np.vstack([p, 2 * p[:2]])
    out = slopes(f, x, p)
    assert out[0] == pytest.approx(p[0] + p[1] * x[0] / (p[2] + x[0]))
    assert out[1].tolist() == [0.0] * 5
    assert out[2] == pytest.approx(p[3] * x[0] * x[1] + p[4] * x[1])


def test_powers_are_those_of_their_exponents():
    texts = ("x0**2", "x0**3", "x1**4*x0", "x0**3.5", "x0**k0", "x0/(k0 + x1**3)", "x0**12")
    terms = tuple(
        Term(Form(text, 1.0, int("k0" in text)), (2.5,) * ("k0" in text)) for text in texts
    )
    x = np.random.default_rng(0).uniform(0.5, 1.5, size=(2, 4))
    p = System((terms,)).constants(((1.0,) * len(terms),))[:, None]
    (found,) = slopes(field((terms,), range(2)), x, p)
    assert found == pytest.approx(sum(evaluate(term, list(x)) for term in terms), rel=1e-14)


def test_terms_that_stand_in_several_equations_have_constants_of_their_own():
    f = field(((PRODUCT, SATURATING), (SATURATING, PRODUCT)), range(2))
    x = np.random.default_rng(0).uniform(1, 2, size=(2, 3))
    p = np.array([1.0, 2.0, 0.5, 3.0, 0.7, 4.0])[:, None]
    assert slopes(f, x, p) == pytest.approx(
        np.stack([x[0] * x[1] + 2 * x[0] / (0.5 + x[0]), 3 * x[0] / (0.7 + x[0]) + 4 * x[0] * x[1]])
    )


def test_integration_converges_with_fifth_order():
    record, errors = spiral(7, 3.0), []
    for n_sub in (2, 4):
        windows = Windows(record, 1, n_sub=n_sub)
        p = MATRIX.reshape(-1, 1)
        Y = integrate(field(LINEAR, range(2)), START[:, None], p, windows, np.zeros(1, int))
        errors.append(np.abs(Y[:, :, 0] - rotation(record.t[0])).max())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(5, abs=0.4)


def test_lanes_do_not_see_each_other():
    windows, f = Windows(spiral(), 3), field(LINEAR, range(2))
    p = np.column_stack([MATRIX.ravel(), 2 * MATRIX.ravel(), 1e9 * np.ones(4)])
    with np.errstate(all="ignore"):
        Y = integrate(f, windows.x0, p, windows, np.arange(3))
        alone = integrate(f, windows.x0[:, :1], p[:, :1], windows, np.zeros(1, int))
    assert Y[:8, :, 0] == pytest.approx(alone[:8, :, 0])


def test_lanes_that_explode_take_those_of_their_part_along_and_no_others():
    windows, f = Windows(spiral(), 1), field(LINEAR, range(2))
    p = np.outer(MATRIX.ravel(), [1.0, 1.0, 1e9, 1.0])
    starts, lanes = np.repeat(START[:, None], 4, axis=1), np.zeros(4, int)
    parts = slice(0, 2), slice(2, None)
    with np.errstate(all="ignore"):
        Y = integrate(f, starts, p, windows, lanes, parts)
        whole = integrate(f, starts, p, windows, lanes)
    alone = integrate(f, starts[:, :1], p[:, :1], windows, lanes[:1])
    np.testing.assert_allclose(Y[:, :, :2], np.repeat(alone, 2, axis=2))
    assert np.isnan(Y[-1, :, 2:]).all()
    assert np.isfinite(Y[:8, :, 3]).all()
    assert np.isnan(whole[-1]).all()


def test_all_lanes_may_share_their_constants_and_stand_for_the_windows_in_turn():
    windows, f = Windows(spiral(), 3, n_sub=2), field(LINEAR, range(2))
    p = MATRIX.reshape(-1, 1)
    Y = integrate(f, windows.x0, p, windows, slice(None))
    same = integrate(f, windows.x0, np.repeat(p, 3, axis=1), windows, np.arange(3))
    np.testing.assert_allclose(Y, same)
    for m in range(3):
        last = windows.ends[m] + 1
        exact = rotation(windows.times[:last, m])
        assert Y[:last, :, m] == pytest.approx(exact, abs=1e-6)


def test_inputs_are_read_at_the_times_of_the_stages():
    """x0' = x1, where x1 is a polynomial in time, has an error of the fifth order only."""
    coefs = [6.0, -10.0, 4.0, 3.0, -2.0, 1.0]
    curves = [np.polynomial.Polynomial(coefs).integ(), np.polynomial.Polynomial(coefs)]
    record = record_of(np.linspace(0, 2, 9), curves)
    windows = Windows(record, 1, states=[0], n_sub=2)
    Y = integrate(field(((X1,),), windows.order), windows.x0, np.ones((1, 1)), windows, slice(None))
    error = np.abs(Y[:, 0, 0] - record.X[0][:, 0]).max()
    assert error < 1e-5 * np.ptp(record.X[0][:, 0])
    other = integrate(
        field(((X0,),), windows.order), windows.x0, np.ones((1, 1)), windows, slice(None)
    )
    assert np.abs(other - Y).max() > 1

import numpy as np
import pytest

from skdyn.symbolic.discovery._integral import DirectForm, IntegralForm
from skdyn.symbolic.discovery._smoothing import gauss_times
from skdyn.symbolic.discovery._terms import Form, Term

ONE, X, SQUARE = Term(Form("1", 0.0)), Term(Form("x0", 0.0)), Term(Form("x0**2", 0.0))


def logistic(t):
    return 1 / (1 + np.exp(-t))


def problem(n=40, offset=0.0, sd=1.0, segments=((-4.0, 1.0), (2.0, 5.0))):
    """The logistic equation x' = x - x^2 in two segments, along its exact solution."""
    t = [np.linspace(a, b, n) for a, b in segments]
    nodes = np.concatenate([logistic(gauss_times(s)[0]) for s in t])
    target = [logistic(s) + offset for s in t]
    return IntegralForm(t, target, [np.full(n, sd) for _ in t], [nodes])


def residual(form, terms, coef):
    return form.y - np.stack([form.column(term) for term in terms], axis=1) @ coef


def test_along_exact_curves_the_true_terms_leave_nothing():
    form = problem()
    assert np.abs(form.y).max() > 0.1
    assert residual(form, [X, SQUARE], [1.0, -1.0]) == pytest.approx(np.zeros(80), abs=1e-12)


def test_what_is_left_by_the_quadrature_is_of_eighth_order():
    errors = [np.abs(residual(problem(n), [X, SQUARE], [1.0, -1.0])).max() for n in (4, 7)]
    assert np.log2(errors[0] / errors[1]) > 7


def test_an_offset_of_a_segment_changes_nothing():
    assert problem(offset=7.0).y == pytest.approx(problem().y, abs=1e-12)


def test_residuals_are_in_units_of_the_noise():
    assert problem(sd=0.1).y == pytest.approx(10 * problem().y)
    assert problem(sd=0.1).column(X) == pytest.approx(10 * problem().column(X))


def test_centered_by_pieces_a_drift_of_the_state_between_pieces_is_forgiven():
    """A jump between two pieces, as errors of smoothing pile up to, spoils whole segments only."""
    t = np.linspace(-4, 4, 40)
    nodes = [logistic(gauss_times(t)[0])]
    form = IntegralForm([t], [logistic(t) + 0.3 * (t > 0)], [np.full(40, 0.01)], nodes)
    r = residual(form, [X, SQUARE], [1.0, -1.0])
    assert np.abs(r).max() > 1
    assert form.by_pieces(r, 2) == pytest.approx(np.zeros(40), abs=1e-6)
    columns = np.stack([r, form.y], axis=1)
    assert form.by_pieces(columns, 5)[:, 1] == pytest.approx(form.by_pieces(form.y, 5))
    assert form.by_pieces(form.y, 1) == pytest.approx(form.y)


def test_centring_leaves_what_no_offset_of_a_segment_explains():
    """Rows in units of the noise are at right angles to the row of an offset."""
    t, sd = np.linspace(0, 2, 30), np.random.default_rng(0).uniform(0.1, 2, 30)
    form = IntegralForm([t], [logistic(t)], [sd], [logistic(gauss_times(t)[0])])
    for rows in (form.y, form.column(X)):
        assert (rows / sd).sum() == pytest.approx(0.0, abs=1e-10)


def test_a_point_that_is_all_noise_counts_for_nothing():
    t = np.linspace(0, 2, 30)
    nodes, x, sd = logistic(gauss_times(t)[0]), logistic(t), np.ones(30)
    sd[7], x[7] = 1e9, 5.0
    left = residual(IntegralForm([t], [x], [sd], [nodes]), [X, SQUARE], [1.0, -1.0])
    assert left == pytest.approx(np.zeros(30), abs=1e-6)


def test_the_integral_of_a_constant_is_time_within_each_segment():
    column = problem(segments=((0.0, 1.0), (5.0, 6.0))).column(ONE)
    expected = np.linspace(-0.5, 0.5, 40)
    assert column == pytest.approx(np.concatenate([expected, expected]))


def test_a_term_without_a_value_or_with_a_spike_is_no_column():
    form = problem(n=200)
    assert form.column(Term(Form("log(x0 - k0)", 0.0, 1), (0.5,))) is None
    close = float(form.columns[0][50]) + 1e-9
    assert form.column(Term(Form("1/(x0 - k0)", 0.0, 1), (close,))) is None


def test_where_the_left_side_was_measured_columns_are_the_terms_themselves():
    x = np.linspace(0, 1, 20)
    form = DirectForm(3 * x**2, [x])
    assert residual(form, [SQUARE], [3.0]) == pytest.approx(np.zeros(20), abs=1e-6)
    assert form.column(SQUARE) / form.column(X)[1] == pytest.approx(x**2 / x[1])
    assert form.column(Term(Form("1/x0", 0.0))) is None


@pytest.mark.parametrize("y", [np.zeros(5), np.full(5, 2.0)], ids=["zero", "constant"])
def test_a_left_side_that_never_changes_is_no_reason_to_divide_by_zero(y):
    form = DirectForm(y, [np.arange(5.0)])
    assert np.isfinite(form.y).all()
    assert residual(form, [ONE], [y[0]]) == pytest.approx(np.zeros(5), abs=1e-6)

import numpy as np
import pytest

from skdyn.symbolic._found import constants_table, plain_equations, system_of
from skdyn.symbolic.discovery._library import library
from skdyn.symbolic.discovery._terms import Form, Term, evaluate


def test_every_form_of_the_library_is_written_as_what_the_search_evaluated():
    rng = np.random.default_rng(0)
    X = rng.uniform(0.4, 1.2, (20, 2))
    columns = [*X.T]
    spread = [X[:, 0], rng.normal(size=20)]  # of both signs, so that absolute values are there
    seen = set()
    for inputs in (columns, spread):
        forms = {term.form.text: term for term in library(inputs)}
        terms = [term for text, term in forms.items() if text not in seen]
        seen |= set(forms)
        coefs = tuple(rng.normal(size=len(terms)).tolist())
        expected = sum(c * evaluate(term, inputs) for term, c in zip(terms, coefs, strict=True))
        plain = plain_equations((terms,), (coefs,))
        system = system_of(plain, ["a", "b"], [], ["y"])
        np.testing.assert_allclose(system.rhs(np.stack(inputs, axis=1))[:, 0], expected, rtol=1e-9)


def test_constants_in_exponents_become_factors_and_whole_numbers_powers():
    plain = [[("exp(k0 + k1*x0)", [2.0, 1.0, -0.5]), ("x0**k0", [1.0, 2.0])]]
    assert system_of(plain, ["x"], []).equations(4) == ["x' = 5.437 exp(-0.5 x) + x^2"]


def test_an_exponent_whose_exponential_overflows_stays_one():
    plain = [[("1/(exp(k0 + k1*x0) + 1)", [1.0, -800.0, 8.0])]]
    np.testing.assert_allclose(system_of(plain, ["x"], []).rhs([[100.0], [90.0]]), [[0.5], [1.0]])


def test_an_equation_without_terms_is_zero():
    assert system_of([[], [("x0", [3.0])]], ["x", "y"], []).equations() == ["x' = 0", "y' = 3 x"]


def test_the_table_has_a_row_for_each_constant_with_its_interval():
    terms = (Term(Form("x0/(k0 + x0)", 1.0, 1), (0.3,)), Term(Form("x1", 1.0)))
    plain = plain_equations((terms,), ((2.0, -1.0),))
    table = constants_table(
        plain, [[[0.1, 0.01], [0.2]]], [{"x0/(k0 + x0)": 0.9}], ["s", "u"], ["s'"]
    )
    assert table["term"].tolist() == ["s/(k0 + s)", "s/(k0 + s)", "u"]
    assert table["parameter"].tolist() == ["coefficient", "k0", "coefficient"]
    assert table["value"].tolist() == [2.0, 0.3, -1.0]
    assert table["upper"][0] == pytest.approx(2.0 + 1.96 * 0.1, abs=1e-4)
    assert table["lower"][1] == pytest.approx(0.3 - 1.96 * 0.01, abs=1e-4)
    assert table["inclusion_probability"].tolist()[:2] == [0.9, 0.9]


@pytest.mark.parametrize("shift", [720.3, -720.3, 299.9])
def test_a_sigmoid_far_from_its_data_has_a_value_everywhere(shift):
    system = system_of([[("1/(exp(k0 + k1*x0) + 1)", [3e125, shift, 9.6])]], ["x"], [])
    assert "inf" not in repr(system)
    X = np.linspace(-100.0, 100.0, 41)[:, None]
    wanted = 3e125 / (1 + np.exp(np.minimum(shift + 9.6 * X, 700.0)))
    np.testing.assert_allclose(system.rhs(X), wanted, rtol=1e-4, atol=1e-150)

import pickle

import numpy as np
import pytest

from skdyn.symbolic.discovery._library import library
from skdyn.symbolic.discovery._priors import GivenTerms, PriorKnowledge
from skdyn.symbolic.discovery._terms import Form, Term

RNG = np.random.default_rng(0)
INPUTS = RNG.uniform(0.2, 2.0, (80, 3))
TERMS = library(list(INPUTS.T))


def knowledge(terms=TERMS, **stated):
    return PriorKnowledge(["s", "i", "r"], [], INPUTS, np.ones(3), terms, **stated)


def term(text, *inner):
    return Term(Form(text, 1.0, len(inner)), inner)


def texts(terms):
    return {t.form.text for t in terms}


def test_without_knowledge_everything_is_allowed_and_costs_nothing():
    nothing = knowledge()
    assert nothing.allowed(0, TERMS) == TERMS
    assert nothing.required(0) == ()
    assert nothing.price(((term("x0"),), (), ()), ((1.0,), (), ())) == 0.0
    assert nothing.residuals(((), (), ())) is None


def test_forbidden_terms_leave_the_library_of_their_equation_only():
    known = knowledge(forbidden={"s": ["i*s", "s/(1 + k0*s)"], 2: "s"})
    assert texts(TERMS) - texts(known.allowed(0, TERMS)) == {"x0*x1", "x0/(k0 + x0)"}
    assert texts(known.allowed(1, TERMS)) == texts(TERMS)
    assert texts(TERMS) - texts(known.allowed(2, TERMS)) == {"x0"}


def test_a_list_is_stated_of_every_equation():
    known = knowledge(forbidden=["s*i"])
    assert all("x0*x1" not in texts(known.allowed(i, TERMS)) for i in range(3))


def test_a_required_term_goes_by_the_librarys_spelling_and_is_there_once():
    known = knowledge(required={"i": ["2*i*s"]})
    (required,) = known.required(1)
    assert required in TERMS
    assert known.allowed(1, TERMS).count(required) == 1
    assert known.required(0) == ()


def test_a_required_term_that_the_library_lacks_is_added():
    known = knowledge(required={"i": ["s*i**3*cos(r)"]})
    (required,) = known.required(1)
    assert required not in TERMS
    assert known.allowed(1, TERMS) == [required, *TERMS]


def test_a_system_without_a_required_term_has_its_price():
    known = knowledge(required={"i": ["s*i"]})
    without, with_it = ((), (), ()), ((), known.required(1), ())
    assert known.price(without, ((), (), ())) > 0.0
    assert known.price(with_it, ((), (1.0,), ())) == 0.0
    assert known.breaches(without, ((), (), ())) == {"required_terms": 1.0}


def test_a_constant_that_makes_a_term_a_forbidden_one_has_its_price():
    known = knowledge(forbidden={"s": ["exp(s)"]})
    for rate, price in ((1.0, 1.0), (-1.0, 0.0)):
        found = known.breaches(((term("exp(k0*x0)", rate),), (), ()), ((1.0,), (), ()))
        assert found.get("forbidden_terms", 0.0) == price


def test_the_price_grows_with_complexity_beyond_the_largest():
    known = knowledge(max_complexity=7)
    one = (term("x0"),)
    assert known.price((one, (), ()), ((1.0,), (), ())) == 0.0  # c * x0, 0 and 0
    two = known.price((one, one, ()), ((1.0,), (1.0,), ()))
    three = known.price((one, one, (term("x0*x1"),)), ((1.0,), (1.0,), (1.0,)))
    assert two == 0.0
    assert three > 0.0
    assert known.price((one, one, (term("x0*x1"), term("1"))), ((1.0,), (1.0,), (1.0, 1.0))) > three


def test_signs_leave_terms_of_the_right_parity():
    known = knowledge(symmetry=[[-1, -1, 1]])
    assert {"x0", "x1", "x0*x2", "sin(x0)", "x0/(k0 + x2)"} <= texts(known.allowed(0, TERMS))
    assert not {"1", "x2", "x0*x1", "exp(x0)"} & texts(known.allowed(0, TERMS))
    assert {"1", "x2", "x0*x1", "x0**2"} <= texts(known.allowed(2, TERMS))


def test_a_bounded_equation_has_bounded_terms_and_damping():
    known = knowledge(bounded=["i"])
    allowed = texts(known.allowed(1, TERMS))
    assert {"1", "x1", "sin(x0)", "x0/(k0 + x0)"} <= allowed
    assert not {"x0", "x0*x1", "log(x0)", "exp(x0)", "1/x0"} & allowed
    damped = ((), (term("x1"),), ())
    assert known.price(damped, ((), (-1.0,), ())) == 0.0
    assert known.price(damped, ((), (1.0,), ())) > 0.0
    pole = ((), (term("1/(k0 + x0)", -5.0),), ())
    assert known.breaches(pole, ((), (1.0,), ())) == {"bounded": 1.0}


def test_laws_have_their_price_until_they_hold():
    known = knowledge(conserved="s + i + r", monotone={("s", "i"): -1})
    sir = (term("x0*x1"),), (term("x0*x1"), term("x1")), (term("x1"),)
    assert known.price(sir, ((-0.5,), (0.5, -0.2), (0.2,))) == 0.0
    assert set(known.breaches(sir, ((0.5,), (0.5, -0.2), (0.2,)))) == {"conserved", "monotone"}
    assert known.residuals(sir) is not None


def test_statements_about_one_target_are_asked_for_as_equation_zero():
    stated = {"required": {"b": ["s*i"]}, "forbidden": {"a": ["s"]}, "monotone": {("b", "r"): 1}}
    both = knowledge(targets=["a", "b"], **stated)
    one = both.of_equation(1)
    assert one.required(0) == both.required(1)
    assert "x0" in texts(one.allowed(0, TERMS))
    assert one.breaches((one.required(0),), ((1.0,),)) == {}
    falling = ((*one.required(0), term("x2")),), ((1.0, -1.0),)
    assert set(one.breaches(*falling)) == {"monotone"}


def test_given_terms_are_all_there_is():
    equations = (term("x0"),), (term("x1"), term("1")), ()
    given = GivenTerms(knowledge(), equations)
    assert [given.allowed(i, TERMS) for i in range(3)] == [list(row) for row in equations]
    assert given.required(1) == equations[1]


def test_knowledge_goes_to_other_processes():
    known = knowledge(conserved="s + i + r", forbidden={"s": "i"}, symmetry=[np.eye(3)])
    again = pickle.loads(pickle.dumps(known))
    assert again.allowed(0, TERMS) == known.allowed(0, TERMS)


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"required": {"s": ["s*i"]}, "forbidden": {"s": ["2*i*s"]}},
         "required_terms and forbidden_terms contradict each other: s\\*i is required in the "
         "equation of s"),
        ({"required": ["s"], "symmetry": [[-1, 1, 1]]}, "required_terms and symmetry contradict"),
        ({"required": ["s**2"], "bounded": ["s"]}, "required_terms and bounded contradict"),
        ({"required": ["s", "i"], "max_terms": 1}, "lists 2 terms .* more than max_terms=1"),
        ({"required": ["s*i"], "max_complexity": 9}, "complexity 15, more than max_complexity=9"),
        ({"required": {"q": ["s"]}}, "required_terms names 'q', but there are s, i, r"),
        ({"forbidden": {7: ["s"]}}, "forbidden_terms names 7, but there are s, i, r"),
        ({"forbidden": ["s*q"]}, "forbidden_terms: .*'q' is none of the names"),
        ({"required": ["exp(k0*s)"]}, "required_terms: .*'k0' is none of the names"),
        ({"conserved": "s + q"}, "conserved: .*'q' is none of the names"),
        ({"bounded": ["q"]}, "bounded names 'q'"),
        ({"monotone": {("s", "q"): 1}}, "monotone names 'q'"),
        ({"monotone": {"s": 1}}, "monotone must map pairs"),
        ({"monotone": {("s", "i"): 2}}, "monotone must map pairs"),
        ({"symmetry": [[1, -1]]}, "symmetry must list signs"),
        ({"symmetry": [[1, 0, 1]]}, "symmetry must list signs"),
    ],
)  # fmt: skip
def test_contradictions_and_unknown_names_are_refused(stated, message):
    with pytest.raises(ValueError, match=message):
        knowledge(**stated)


def test_a_law_that_the_terms_can_not_keep_is_refused():
    polynomials = library(list(INPUTS.T), ("polynomial",), 2)
    with pytest.raises(ValueError, match="no combination of the allowed terms conserves it"):
        knowledge(polynomials, conserved="exp(s) + i")
    with pytest.raises(ValueError, match="no combination of the allowed terms conserves it"):
        knowledge(library(list(INPUTS.T), ("polynomial",), 1), conserved="s**2 + i**3")

import numpy as np
import pytest

from skdyn.symbolic.discovery._joint import Joint
from skdyn.symbolic.discovery._parts import Fitted, Parts, complexity
from skdyn.symbolic.discovery._smoothing import smooth
from skdyn.symbolic.discovery._terms import Form, Term

X0, CUBE = Term(Form("x0", 0.5)), Term(Form("x0**3", 4.0))


def test_what_cannot_explode_pays_for_misfit_and_structure_only():
    t = np.linspace(0, 3, 40)
    x = np.exp(-t) + 0.01 * np.random.default_rng(0).normal(size=40)
    joint = Joint(smooth([t], [x[:, None]]), 4)
    decay = joint.fit(((X0,),), ((-1.0,),))
    assert decay.score == pytest.approx(sum(decay.parts))
    assert decay.parts[2:] == (0.0, 0.0, 0.0, 0.0)
    assert joint.fit(((X0, CUBE),), ((-1.0, 0.0),)).parts.structure > decay.parts.structure


def test_parts_that_nobody_states_are_none():
    fitted = Fitted((), (), np.zeros(0), 0.0, None)
    assert fitted.parts == Parts()
    assert sum(Parts(misfit=2.0, rounding=-0.5)) == 1.5


def terms(*texts):
    return tuple(Term(Form(text, 1.0)) for text in texts)


def system(*texts, rss=1.0, score=0.0):
    return Fitted((terms(*texts),), ((1.0,) * len(texts),), np.array([rss]), score, None)


@pytest.mark.parametrize(
    ("texts", "nodes"),
    [
        ((), 1),  # 0
        (("1",), 1),  # c
        (("x0",), 3),  # c * x0
        (("x0*x1",), 5),
        (("x0**2", "1"), 7),  # c * x0 ** 2 + c
        (("sin(k0*x0)",), 6),  # c * sin(k0 * x0)
        (("x0/(k0 + x0)",), 7),
        (("exp(-x0)",), 5),
    ],
)
def test_complexity_counts_operators_functions_variables_and_constants(texts, nodes):
    assert complexity((terms(*texts),)) == nodes


def test_the_complexity_of_a_system_is_the_sum_over_its_equations():
    both = (terms("x0", "x1"), terms("x0*x1"))
    assert complexity(both) == complexity(both[:1]) + complexity(both[1:])


def test_misfit_is_the_root_mean_square_over_states_and_rows():
    residuals = np.random.default_rng(0).normal(size=(50, 3))
    found = system("x0")._replace(rss=(residuals**2).sum(axis=0))
    assert found.misfit(50) == pytest.approx(np.sqrt((residuals**2).mean()))

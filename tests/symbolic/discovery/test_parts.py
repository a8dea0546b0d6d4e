import numpy as np
import pytest

from skdyn.symbolic.discovery._joint import Joint
from skdyn.symbolic.discovery._parts import Fitted, Parts
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

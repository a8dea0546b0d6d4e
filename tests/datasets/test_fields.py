"""The records behind the generators agree with the generators' signatures and with themselves."""

import inspect

import numpy as np
import pytest

from skdyn import datasets
from skdyn.datasets._fields import FIELDS

GENERATORS = {"spiral": "make_spirals"}
SIZES = {"lorenz96": 7}


@pytest.mark.parametrize("name", FIELDS)
def test_defaults_are_those_of_the_generator(name):
    signature = inspect.signature(getattr(datasets, GENERATORS.get(name, f"make_{name}")))
    defaults = {key: parameter.default for key, parameter in signature.parameters.items()}
    assert defaults["t_span"] == FIELDS[name].t_span
    assert {key: defaults[key] for key in FIELDS[name].params} == dict(FIELDS[name].params)


@pytest.mark.parametrize("name", FIELDS)
def test_many_states_are_evaluated_at_once_as_one_by_one(name):
    record = FIELDS[name]
    size = SIZES.get(name, len(record.channels))
    states = record.draw_x0(np.random.default_rng(0), 5, size)
    assert states.shape == (5, size)
    together = record.rhs(0.0, states.T, **record.params)
    alone = np.stack([record.rhs(0.0, y, **record.params) for y in states], axis=1)
    np.testing.assert_allclose(together, alone, rtol=1e-14)


def test_a_record_cannot_be_changed():
    record = FIELDS["pendulum"]
    with pytest.raises(TypeError, match="does not support item assignment"):
        record.params["gravity"] = 1.0
    with pytest.raises(AttributeError, match="cannot assign"):
        record.name = "other"


def test_lorenz96_couples_the_sites_as_its_equation_says():
    y = np.random.default_rng(1).normal(size=6)
    slope = FIELDS["lorenz96"].rhs(0.0, y, forcing=8.0)
    for i in range(6):
        assert slope[i] == pytest.approx((y[(i + 1) % 6] - y[i - 2]) * y[i - 1] - y[i] + 8.0)

import copy
import pickle
from functools import cached_property
from typing import Annotated, Literal, NamedTuple

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from skdyn import _state
from skdyn._state import (
    ANY_NUMBER,
    OPTIONAL,
    OneOf,
    PlainState,
    Shape,
    Since,
    check_size,
    declared_names,
    read_value,
)


class Pair(NamedTuple):
    size: int
    values: Annotated[np.ndarray, Shape("size")]


class Thing(PlainState, BaseEstimator):
    """Declares what it keeps."""

    n_features_in_: int
    scale_: Annotated[np.ndarray, Shape("n_features_in_")]
    weights_: Annotated[np.ndarray, Shape("k n_features_in_")]
    offset_: Annotated[np.ndarray, Shape("k")]
    kind_: Literal["a", "b"]
    pair_: Annotated[Pair, OPTIONAL]
    table_: Annotated[dict[str, list[float]], OPTIONAL]

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    @cached_property
    def later(self):
        return [self.alpha]


class Own(Thing):
    """Adds what it does not declare."""


@pytest.fixture(autouse=True)
def ours(monkeypatch):
    monkeypatch.setattr(_state, "is_ours", lambda cls: cls is not Own)


def thing(cls=Thing):
    made = cls()
    made.n_features_in_, made.kind_ = 3, "a"
    made.scale_, made.weights_, made.offset_ = np.ones(3), np.ones((2, 3)), np.zeros(2)
    return made


def test_what_is_declared_comes_back_and_caches_do_not():
    made = thing()
    assert made.later == [1.0]
    for other in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        assert vars(other).keys() == vars(made).keys() - {"later"}
        np.testing.assert_array_equal(other.weights_, made.weights_)


def test_a_shallow_copy_may_be_half_way_through_a_fit():
    made = thing()
    made.only_while_fitting = object()
    assert vars(copy.copy(made)) == vars(made)


def test_declarations_are_inherited():
    assert declared_names(Own) == declared_names(Thing)
    assert "scale_" in declared_names(Thing)


def test_an_unfitted_object_has_its_parameters_alone():
    assert copy.deepcopy(Thing(2.0)).alpha == 2.0
    with pytest.raises(ValueError, match=r"lacks \['alpha'\]"):
        Thing().__setstate__({})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"extra": 1}, r"unknown names \['extra'\]"),
        ({"scale_": None}, "scale_ of Thing must be an array"),
        ({"scale_": np.ones(4)}, r"shape \(n_features_in_\), here \(3,\)"),
        ({"scale_": np.ones(3, dtype=int)}, "dtype"),
        ({"scale_": np.array([1.0, np.nan, 1.0])}, "finite"),
        ({"scale_": np.ones(3, dtype=np.longdouble)}, "dtype"),
        ({"offset_": np.zeros(3)}, r"offset_|weights_"),
        ({"n_features_in_": True}, "an integer"),
        ({"n_features_in_": 3.0}, "an integer"),
        ({"kind_": "c"}, "one of"),
        ({"pair_": (2, np.ones(3))}, "pair_"),
        ({"pair_": (2,)}, r"a tuple \(size, values\)"),
        ({"table_": {"a": [float("inf")]}}, "finite number"),
        ({"table_": {1: [0.0]}}, "a dict with names"),
        ({"table_": []}, "a dict"),
    ],
)
def test_a_changed_state_is_refused_and_named(change, said):
    with pytest.raises(ValueError, match=said):
        Thing().__setstate__(thing().__getstate__() | change)


@pytest.mark.parametrize("name", ["scale_", "kind_", "alpha"])
def test_a_missing_name_is_told(name):
    state = thing().__getstate__()
    del state[name]
    with pytest.raises(ValueError, match=name):
        Thing().__setstate__(state)


class Grown(Thing):
    """Keeps and takes more than it did once."""

    width_: Annotated[np.ndarray, Shape("n_features_in_"), Since(lambda state: 2 * state["scale_"])]
    beta: Annotated[str, Since(lambda state: "plain")]

    def __init__(self, alpha=1.0, beta="fancy"):
        super().__init__(alpha)
        self.beta = beta


def test_what_was_added_later_has_the_default_of_the_states_before():
    made = Grown()
    made.__setstate__(thing().__getstate__())
    assert made.beta == "plain"
    np.testing.assert_array_equal(made.width_, 2 * made.scale_)
    with pytest.raises(ValueError, match="width_"):
        Grown().__setstate__(thing().__getstate__() | {"width_": np.ones(2)})


def test_a_parameter_that_was_added_later_makes_no_fitted_estimator():
    made = Grown()
    made.__setstate__({"alpha": 2.0, "beta": "fancy"})
    assert vars(made) == {"alpha": 2.0, "beta": "fancy"}


def test_a_plain_tuple_becomes_the_named_one_that_is_declared():
    made = Thing()
    made.__setstate__(thing().__getstate__() | {"pair_": (2, np.ones(2))})
    assert isinstance(made.pair_, Pair)


def test_a_class_from_elsewhere_may_keep_more_but_not_break_what_it_inherits():
    made = thing(Own)
    made.more_ = {"any": object()}
    state = made.__getstate__()
    other = Own()
    other.__setstate__(state)
    assert other.more_ is made.more_
    with pytest.raises(ValueError, match="scale_ of Own"):
        other.__setstate__(state | {"scale_": np.ones(9)})


def test_values_and_their_kinds():
    assert read_value(3, int | None, "n") == 3
    assert read_value(None, int | None, "n") is None
    assert read_value(np.inf, Annotated[float, ANY_NUMBER], "x") == np.inf
    assert read_value("rbf", Annotated[str, OneOf({"rbf": 1})], "kernel") == "rbf"
    for value, kind in [
        ("x", int | None), (np.inf, float), (True, float), ("y", Annotated[str, OneOf({"rbf"})]),
        ("x" * 200_000, str), ((1, 2, 3), tuple[int, int]), ([1], tuple[int, ...]),
        (1, bool), (3, PlainState),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=r"^it must be "):
            read_value(value, kind, "it")


def test_sizes_are_borne_out_by_arrays_or_usual():
    check_size(10**7, 10**7, "n")
    check_size(512 * 512, 0, "n")
    for size in (-1, 512 * 512 + 1):
        with pytest.raises(ValueError, match="n must be a size from 0"):
            check_size(size, 100, "n")

"""Names that parameters had before: taken for a while, with a word."""

import inspect
import pickle
import warnings
from typing import Annotated

import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skdyn
from skdyn._state import OPTIONAL, PlainState


class Part(BaseEstimator):
    def __init__(self, size=1):
        self.size = size


class Renamed(PlainState, BaseEstimator):
    """An estimator two of whose parameters, and what it learns, had other names."""

    _old_names = {"speed": "rate", "thing": "part", "speeds_": "rates_", "hidden": "_hidden"}
    rates_: list[float]
    _hidden: Annotated[int, OPTIONAL]

    def __init__(self, rate=1.0, part=None):
        self.rate = rate
        self.part = part


class Extended(Renamed):
    def __init__(self, rate=2.0, part=None, extra=0):
        super().__init__(rate, part)
        self.extra = extra


@pytest.mark.parametrize("cls", [Renamed, Extended])
def test_the_constructor_takes_the_old_name_with_a_word(cls):
    with pytest.warns(FutureWarning, match=f"speed of {cls.__name__} is called rate now") as told:
        assert cls(speed=3.0).get_params()["rate"] == 3.0
    assert [record.filename for record in told] == [__file__]


@pytest.mark.parametrize(
    "make", [lambda: Renamed(2.0, speed=3.0), lambda: Renamed(rate=2.0, speed=3.0)]
)
def test_old_and_new_name_together_are_refused(make):
    with pytest.warns(FutureWarning), pytest.raises(TypeError, match="got speed and rate"):
        make()


def test_searches_and_parts_reach_the_parameter_by_its_old_name():
    pipeline = make_pipeline(StandardScaler(), Renamed())
    (setting,) = ParameterGrid({"renamed__speed": [5.0]})
    with pytest.warns(FutureWarning, match="Write rate"):
        assert pipeline.set_params(**setting)[-1].rate == 5.0
    with pytest.warns(FutureWarning, match="Write part"):
        assert Renamed(part=Part()).set_params(thing__size=4).part.size == 4


def test_the_old_attribute_reads_and_sets_the_new_one():
    model = Renamed(rate=2.0)
    model.rates_ = [1.0]
    with pytest.warns(FutureWarning, match="Write rates_"):
        assert model.speeds_ is model.rates_
    with pytest.warns(FutureWarning, match="Write rate"):
        model.speed = 7.0
    assert model.rate == 7.0
    assert not hasattr(Renamed, "speed")


def test_signatures_and_copies_know_the_new_names_only():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = clone(Extended(rate=4.0))
        assert list(inspect.signature(Extended).parameters) == ["rate", "part", "extra"]
        assert list(model.get_params()) == ["extra", "part", "rate"]
        assert pickle.loads(pickle.dumps(model)).rate == 4.0


def test_a_state_under_the_old_names_is_restored_in_silence():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = Renamed.__new__(Renamed)
        model.__setstate__({"speed": 6.0, "thing": None, "speeds_": [2.0], "hidden": 3})
    assert (model.rate, model.rates_, model._hidden) == (6.0, [2.0], 3)
    assert not hasattr(model, "hidden")  # what is private now is no attribute for users


def test_every_renamed_parameter_of_ours_leads_to_one_that_exists():
    classes = [thing for name in skdyn.__all__ if inspect.isclass(thing := getattr(skdyn, name))]
    renamed = [cls for cls in classes if getattr(cls, "_old_names", {})]
    assert renamed
    for cls in renamed:
        parameters = inspect.signature(cls).parameters
        for old, new in cls._old_names.items():
            assert old not in parameters
            assert new in parameters or new.endswith("_") or new.startswith("_")

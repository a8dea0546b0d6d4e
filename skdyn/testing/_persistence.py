"""Copies on disk and elsewhere: equal, small, and without code."""

import copy
import os
import pickle
import tempfile

import joblib
import numpy as np

import skdyn
from skdyn._validation import clone
from skdyn.testing._probe import answer, fit_to_read, has_parameter, meant_for, sample_data


class _RecordingUnpickler(pickle.Unpickler):
    def __init__(self, file):
        super().__init__(file)
        self.globals = set()

    def find_class(self, module, name):
        self.globals.add(f"{module}.{name}")
        return super().find_class(module, name)


def _copies(thing):
    """Copy through pickle, joblib, deepcopy and, what is the package's own, the safe format."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model")
        joblib.dump(thing, path)
        yield from (pickle.loads(pickle.dumps(thing)), joblib.load(path), copy.deepcopy(thing))
        if type(thing).__name__ in skdyn.__all__:
            skdyn.io.save(thing, path + ".safetensors")
            yield skdyn.io.load(path + ".safetensors")


@meant_for(lambda thing: True)
def check_parameters_are_kept(thing):
    """The constructor stores its parameters as they are; they survive being copied and set."""
    parameters = thing.get_params(deep=False)
    rebuilt = type(thing)(**parameters)
    assert all(rebuilt.get_params(deep=False)[name] is v for name, v in parameters.items())
    for other in (clone(thing), clone(thing).set_params(**parameters), *_copies(thing)):
        assert repr(other) == repr(thing)
        assert str(other.get_params()) == str(thing.get_params())


def check_round_trips(estimator):
    """pickle, joblib, deepcopy and ``skdyn.io`` give equal predictions."""
    X, y = sample_data(estimator)
    fitted = fit_to_read(estimator, X, y)
    for other in _copies(fitted):
        np.testing.assert_array_equal(answer(other, X), answer(fitted, X))
        assert str(other.get_params()) == str(fitted.get_params())


def check_pickle_is_arrays_and_config(estimator):
    """The pickle names nothing of torch: no optimizer, no module; parameters changed later do not
    disturb the rebuild."""
    X, y = sample_data(estimator)
    fitted = fit_to_read(estimator, X, y)
    expected = answer(fitted, X)
    if has_parameter("hidden_layer_sizes")(estimator):
        fitted.set_params(hidden_layer_sizes=(3,))
    with tempfile.TemporaryFile() as file:
        pickle.dump(fitted, file)
        file.seek(0)
        unpickler = _RecordingUnpickler(file)
        again = unpickler.load()
    named = {name for name in unpickler.globals if name.startswith(("torch.", "skorch."))}
    assert not named, f"the pickle names {sorted(named)}"
    np.testing.assert_array_equal(answer(again, X), expected)

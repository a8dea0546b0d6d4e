"""What training steps and answers would ask of a device of its own, told without one."""

import copy
import warnings

import pytest
import torch

from skdyn.autoencoder.allocations import FeatureThenMutualAllocation
from skdyn.testing import all_estimators, quick_instance
from skdyn.testing._device_use import DeviceUse, as_if_away
from skdyn.testing._probe import answer, sample_data, trains_a_module
from skdyn.training import LeanNet
from skdyn.training._optimizers import FULL_BATCH

TRAINED = {name: cls for name, cls in all_estimators() if trains_a_module(quick_instance(cls))}
# Times the host waits in one step. Of a batch of unequal parts it must know the longest, or how
# many there are; of a sparse coder, how many latents are underused; all others ask nothing.
WAITS = dict.fromkeys(TRAINED, 0) | {
    name: 1
    for name in TRAINED
    if name.startswith(("HopfieldPooling", "NeuralCDE", "PointCloud", "SSM"))
    or name in ("Crosscoder", "SparseAutoencoder", "Transcoder")
}
WAITS |= {"NeuralODEClassifier": 8, "NeuralODERegressor": 8}  # one a step tried, the rest a solve
SOLVES_BY_LINE_SEARCH = {"NeuralODE"}  # waits of a step: hundreds, one for each step of each solve
# These ask the numbers themselves how to go on; meta tensors have none.
WITH_NUMBERS = ("NeuralCDE", "NeuralODE", "SSM", "HopfieldPooling")
NO_FORWARD = {"CodebookTransformer", "Crosscoder", "SparseAutoencoder", "Transcoder"}


def fitted(cls, max_iter):
    model = quick_instance(cls, random_state=0, max_iter=max_iter)
    X, y = sample_data(model)
    if "batch_size" in model.get_params() and model.optimizer not in FULL_BATCH:
        model.set_params(batch_size=20)
    with warnings.catch_warnings(action="ignore"):
        return (model.fit(X) if y is None else model.fit(X, y)), X


@pytest.fixture
def uses(monkeypatch):
    """What each step asked for, as if on a device."""
    found, plain = [], LeanNet.train_step

    def watched(net, batch):
        with DeviceUse() as use:
            loss = plain(net, batch)
        found.append(use)
        return loss

    monkeypatch.setattr(LeanNet, "train_step", watched)
    return found


@pytest.mark.parametrize("name", sorted(TRAINED.keys() - SOLVES_BY_LINE_SEARCH))
def test_a_step_waits_for_the_device_once_at_most(name, uses):
    with as_if_away():
        fitted(TRAINED[name], max_iter=2)
    assert len(uses) == 6
    assert max(use.n_waits for use in uses[3:]) <= WAITS[name], uses[-1].waits


@pytest.mark.parametrize("switch", [1.0, 0.0])
def test_both_phases_of_the_default_sparse_coder_wait_once(switch, uses):
    X = torch.randn(1024, 32, generator=torch.Generator().manual_seed(0)).numpy()
    made = TRAINED["SparseAutoencoder"](256, k=16, batch_size=512, max_iter=3, random_state=0)
    made.set_params(allocation=FeatureThenMutualAllocation(switch=switch))
    with as_if_away(), warnings.catch_warnings(action="ignore"):
        made.fit(X)
    assert max(use.n_waits for use in uses[1:]) <= 1
    assert max(use.n_kernels for use in uses[1:]) <= 240


@pytest.mark.parametrize("name", ["CodebookTransformer", "SSMRegressor", "SparseAutoencoder"])
def test_the_ways_meant_for_a_device_lead_to_the_same_model(name):
    here, _ = fitted(TRAINED[name], max_iter=3)
    with as_if_away():
        there, _ = fitted(TRAINED[name], max_iter=3)
    assert there.loss_curve_ == pytest.approx(here.loss_curve_, rel=1e-4)


def _everywhere(thing):
    if isinstance(thing, torch.Tensor):
        return thing.to("meta")
    if isinstance(thing, tuple):
        moved = map(_everywhere, thing)
        return type(thing)(*moved) if hasattr(thing, "_fields") else tuple(moved)
    return thing


@pytest.mark.parametrize(
    "name",
    sorted(name for name in TRAINED.keys() - NO_FORWARD if not name.startswith(WITH_NUMBERS)),
)
def test_every_tensor_of_a_forward_pass_is_where_the_inputs_are(name, monkeypatch):
    model, X = fitted(TRAINED[name], max_iter=1)
    kind, asked = type(model.module_), []
    plain = kind.forward

    def listening(module, *args, **kwargs):
        asked.append((module, args, kwargs))
        return plain(module, *args, **kwargs)

    with monkeypatch.context() as listens:
        listens.setattr(kind, "forward", listening)
        answer(model, X)
    module, args, kwargs = asked[0]
    module, args = copy.deepcopy(module).to("meta"), _everywhere(args)
    kwargs = {name: _everywhere(value) for name, value in kwargs.items()}
    with torch.no_grad():
        module(*args, **kwargs)  # what is sent once, and kept
        with DeviceUse() as use:
            made = module(*args, **kwargs)
    assert made.is_meta
    assert set(use.devices) == {"meta"}
    assert use.n_waits == 0, use.waits

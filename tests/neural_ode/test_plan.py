"""The plan of a fit."""

import warnings

import numpy as np
import pytest
import torch

from skdyn import NeuralODE
from skdyn._trajectories import Trajectories
from skdyn.datasets import make_lotka_volterra
from skdyn.neural_ode import _plan
from skdyn.neural_ode._collocation import smooth_trajectories
from skdyn.neural_ode._plan import (
    certainty,
    doubt_few_points,
    fitted_starts,
    learn_scales,
    moving_channels,
    plan_stages,
    prepare,
    what_faded,
)
from skdyn.training import TrainingRecord


@pytest.fixture(params=[0.0, 0.1], ids=["clean", "noisy"])
def data(request):
    X, t = make_lotka_volterra(n_cases=4, n_timepoints=80, noise=request.param, random_state=0)
    return Trajectories(X.transpose(0, 2, 1), np.tile(t, (4, 1)), np.full(4, 80))


def prepared(data):
    smooth = smooth_trajectories(data)
    return prepare(data, learn_scales(data, smooth), smooth)


def plan(data, **params):
    return plan_stages(NeuralODE(**params), prepared(data), None, None)


def test_prepared_data_are_dimensionless_whatever_the_units(data):
    once = prepared(data)
    again = prepared(
        Trajectories(data.values * [1e3, 1e-4] + 7, data.times * 365 + 5, data.n_points)
    )
    np.testing.assert_allclose(once.trajectories.values, again.trajectories.values, atol=1e-6)
    np.testing.assert_allclose(
        once.trajectories.times, again.trajectories.times, rtol=1e-4, atol=1e-9
    )
    np.testing.assert_allclose(once.smooth.velocities, again.smooth.velocities, atol=1e-2)
    assert abs(np.std(once.trajectories.values) - 1) < 1e-6
    speed = once.smooth.velocities[once.smooth.known]
    assert abs(np.sqrt(np.mean(speed**2)) - 1) < 1e-6


def test_data_that_stand_still_have_scales_too():
    still = Trajectories(np.full((1, 9, 2), 5.0), np.arange(9.0)[None] * 3, np.array([9]))
    scales = learn_scales(still, smooth_trajectories(still))
    np.testing.assert_array_equal(scales.scale, 1.0)
    assert scales.time == 3.0


def test_the_stages_are_collocation_and_growing_windows_within_max_iter(data):
    stages = plan(data)
    assert [stage.name.split()[0] for stage in stages] == ["collocation", *["windows"] * 3]
    lengths = [stage.arrays[2].shape[1] for stage in stages[1:]]
    assert lengths == sorted(lengths)
    assert lengths[-1] == 80
    assert sum(stage.max_iter for stage in stages) == 50


@pytest.mark.parametrize("max_iter", [1, 2, 3, 7])
def test_no_epoch_too_many_is_planned(data, max_iter):
    stages = plan(data, max_iter=max_iter)
    assert sum(stage.max_iter for stage in stages) == max_iter
    assert all(stage.max_iter >= 1 for stage in stages)
    whole = plan(data, max_iter=max_iter, pretrain=None, window=None)
    assert [stage.max_iter for stage in whole] == [max_iter]


def test_ten_short_windows_wait_for_solutions_that_leave_the_data(data):
    *planned, further = plan(data, window=3, max_iter=20)
    assert sum(stage.max_iter for stage in planned) == 20
    assert all(stage.only_if_above is None for stage in planned)
    assert (further.only_if_above, further.max_iter) == (4.0, 10)
    assert further.arrays[2].shape[1] == 31
    assert plan(data, window=40, max_iter=20)[-1].arrays[2].shape[1] == 80  # no longer than all


def test_starts_are_learnt_where_there_is_noise(data, request):
    noisy = request.node.callspec.id == "noisy"
    assert all(bool(stage.parameters) == noisy for stage in plan(data)[1:])
    assert not plan(data, learn_x0=False)[1].parameters
    (start,) = plan(data, learn_x0=True)[1].parameters
    assert start.requires_grad
    assert len(start) == len(plan(data)[1].arrays[0])


def test_exact_data_outweigh_a_prior_and_noisy_data_do_not(data, request):
    known = certainty(prepared(data))
    n_values = data.values.size
    if request.node.callspec.id == "noisy":
        assert 30 * n_values < known < 300 * n_values
    else:
        assert known > 1e5 * n_values


def test_with_augmented_states_there_are_only_windows_from_the_trajectorys_start(data):
    for stage in plan(data, augment_dim=2):
        assert "windows" in stage.name
        assert len(stage.arrays[0]) == 4


def test_collocation_needs_velocities():
    X = np.full((1, 6, 2), np.nan)
    X[0, 1, 0], X[0, 4, 1] = 1.0, 2.0
    data = Trajectories(X, np.arange(6.0)[None], np.array([6]))
    assert all("windows" in stage.name for stage in plan(data))


def test_fitted_starts_are_the_learnt_ones_in_the_datas_units(data):
    smooth = smooth_trajectories(data)
    scales = learn_scales(data, smooth)
    np.testing.assert_allclose(fitted_starts([], prepared(data), scales), smooth.states[:, 0])
    stages = plan(data, learn_x0=True)
    (start,) = stages[-1].parameters
    with torch.no_grad():
        start.copy_(torch.arange(8.0).reshape(4, 2))
    expected = np.arange(8.0).reshape(4, 2) * scales.scale + scales.offset
    np.testing.assert_allclose(fitted_starts(stages, prepared(data), scales), expected, rtol=1e-6)
    shorter = plan(data, learn_x0=True, window=7)[-1]
    assert len(shorter.parameters[0]) > 4
    starts = fitted_starts([shorter], prepared(data), scales)
    np.testing.assert_allclose(starts, smooth.states[:, 0], rtol=1e-4, atol=1e-4)


def test_a_stage_that_cannot_start_is_come_to_by_windows_between(data):
    stages = plan(data, max_iter=20)
    lengths = [len(stage.arrays[2][0]) - 1 for stage in stages if stage.easier]
    last = stages[-1]
    between, again = last.easier()
    assert lengths[-2] < len(between.arrays[2][0]) - 1 < lengths[-1]
    assert again.objective is last.objective  # what it has learned of starts stays
    assert between.max_iter + again.max_iter <= last.max_iter
    steps = 0
    while following := again.easier():  # ever closer, but not for ever
        between, again = following
        steps += 1
    assert steps < 10


def test_the_trivial_loss_of_windows_is_that_of_the_mean(data):
    for stage in plan(data, max_iter=20):
        if stage.easier:
            _, _, _, targets, weights = stage.arrays
            assert stage.trivial_loss == pytest.approx((targets**2 * weights).mean())
            assert 0.1 < stage.trivial_loss < 3.0


def test_channels_move_or_stand_still(data):
    values = data.values.copy()
    assert moving_channels(data) == (0, 1)
    values[..., 1] = 7.0
    assert moving_channels(data._replace(values=values)) == (0,)
    values[..., 0] = 3.0  # nothing moves: nothing is left out
    assert moving_channels(data._replace(values=values)) == (0, 1)


LONG, SHORT = "windows of 99 intervals", "windows of 8 intervals"


@pytest.mark.parametrize(
    ("losses", "trivial", "told"),
    [
        ([("collocation", 1e-3), (SHORT, 0.01), (LONG, 0.8)], 1.0, True),
        ([(SHORT, 0.01), ("windows of 24 intervals", 0.5), (LONG, 0.8)], 1.0, True),
        ([(SHORT, 0.1), (LONG, 0.8)], 1.0, False),  # noise, or a field that is poor everywhere
        ([(SHORT, 1e-4), (LONG, 0.08)], 1.0, False),
        ([(SHORT, 0.01), (LONG, 1.1)], 1.0, False),  # worse than the mean: told elsewhere
        ([("collocation", 1e-3), (LONG, 0.8)], 1.0, False),
    ],
)
def test_what_holds_over_short_windows_only_is_told(losses, trivial, told):
    record = TrainingRecord([1.0], None, "tol", trivial_loss=trivial, kept_losses=tuple(losses))
    message = what_faded(record)
    assert bool(message) == told
    assert not told or f"{SHORT} to a loss of 0.01, but {LONG} to 0.8 only" in message


@pytest.mark.parametrize("faded", [0.0, 1e9])
def test_a_fit_that_fades_warns(monkeypatch, faded):
    monkeypatch.setattr(_plan, "_FADED", faded)
    monkeypatch.setattr(_plan, "_UNEXPLAINED", 0.0)
    X, t = make_lotka_volterra(n_cases=1, n_timepoints=30, t_span=(0, 9), random_state=0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        NeuralODE((8,), max_iter=6, random_state=0).fit(X, t=t)
    warned = any("NeuralODE learned windows of" in str(warning.message) for warning in caught)
    assert warned == (faded == 0.0)


def test_starts_are_learnt_where_values_are_missing(data):
    smooth = smooth_trajectories(data)
    values = data.values.copy()
    values[0, 3, 1] = np.nan
    gaps = prepare(
        data._replace(values=values), learn_scales(data, smooth), smooth._replace(noise=np.zeros(2))
    )
    assert plan_stages(NeuralODE(), gaps, None, None)[-1].parameters
    assert not plan_stages(NeuralODE(learn_x0=False), gaps, None, None)[-1].parameters


def test_of_many_cases_a_part_is_learnt_from_unless_batches_are(data, monkeypatch):
    monkeypatch.setattr(_plan, "_MOST_POINTS", 60)
    full, ready = plan(data, optimizer="adam"), prepared(data)
    some = plan_stages(NeuralODE(), ready, None, torch.Generator().manual_seed(0))
    again = plan_stages(NeuralODE(), ready, None, torch.Generator().manual_seed(0))
    for whole, part, twin in zip(full, some, again, strict=True):
        assert len(part.arrays[0]) < len(whole.arrays[0])
        assert (part.arrays[1] == twin.arrays[1]).all()
    for stage in some[1:]:
        windows = stage.objective.windows
        length = windows.times.shape[1] - 1
        assert len(windows.case) == max(1, 60 // length)
        assert all(len(start) == len(windows.case) for start in stage.parameters)


def test_fewer_points_than_channels_are_told():
    rows = np.random.default_rng(0).normal(size=(2, 4, 6)).cumsum(axis=1)
    few = Trajectories(rows, np.tile(np.arange(4.0), (2, 1)), np.full(2, 4))
    with pytest.warns(UserWarning, match="6 channels that move, but 8 time points only"):
        doubt_few_points(few, range(6))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        doubt_few_points(few, range(5))

"""Stages that begin too far off, and those that are only run where there is something to mend."""

import warnings

import numpy as np
import pytest
import torch

from skdyn.training import LeanNet, Stage, TrainingSettings, new_generator

X, Y = np.linspace(-1, 1, 20)[:, None], np.linspace(-3, 3, 20)[:, None]


def squared(module, x, y):
    return (module(x) - y).square().mean()


def net_of(weight):
    module = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(module.weight, weight)
    settings = TrainingSettings(optimizer="lbfgs", max_recoveries=2)
    return LeanNet(module.double(), settings, new_generator(0))


@pytest.mark.parametrize(("weight", "names"), [(1e3, ["near", "fit"]), (2.0, ["fit"])])
def test_a_start_far_worse_than_the_trivial_answer_is_come_to_by_an_easier_stage(weight, names):
    stage = Stage(
        squared, (X, Y), 5, trivial_loss=3.0,
        easier=lambda: [Stage(squared, (X, Y), 5, name="near"), stage._replace(easier=None)],
    )  # fmt: skip
    with warnings.catch_warnings(action="error"):  # nothing failed
        record = net_of(weight).run([stage])
    assert [name for name, _ in record.stages] == names


def test_where_nothing_is_easier_a_far_start_is_taken_as_it_is():
    stage = Stage(squared, (X, Y), 5, trivial_loss=3.0, easier=list)
    assert net_of(1e3).run([stage]).best_loss < 1e-6


@pytest.mark.parametrize(("bias", "wanted"), [(0.0, False), (9.0, True)])
def test_a_stage_with_nothing_to_mend_is_not_run_and_taken_off_the_list(bias, wanted):
    first = Stage(squared, (X, Y), 5)
    further = Stage(
        squared, (X, Y + bias), 5, name="further", trivial_loss=3.0, only_if_above=4.0
    )  # fmt: skip
    stages = [first, further]
    record = net_of(2.0).run(stages)
    assert [name for name, _ in record.stages] == ["fit", "further"][: 1 + wanted]
    assert [stage.name for stage in stages] == ["fit", "further"][: 1 + wanted]

"""What the state-space models read, and what their network is made of."""

import numpy as np
import pytest
import torch

from skdyn import SSMClassifier
from skdyn.sequence._ssm import SSMNetwork

RNG = np.random.default_rng(0)
T = np.sort(RNG.uniform(0, 9, 12))
X, Y = RNG.normal(size=(8, 2, 12)), np.arange(8) % 2
SMALL = {"n_layers": 1, "hidden_channels": 4, "state_size": 4, "max_iter": 1, "random_state": 0}


def network(**changed):
    options = {
        "n_inputs": 2, "n_outputs": 2, "n_layers": 2, "hidden_channels": 4, "state_size": 4,
        "kernel": "s4d_lin", "selective": False, "dt_min": 0.1, "dt_max": 0.5, "readout": "mean",
        "dropout": 0.0, "point_dropout": 0.0, "reads_gaps": True,
    }  # fmt: skip
    return SSMNetwork(**options | changed)


def asked(module, generator=None):
    x, gaps = torch.as_tensor(X).float().transpose(1, 2), torch.ones(8, 12)
    return module(x, gaps, torch.full((8,), 12), generator)


def test_time_scales_are_learned_slowly_and_do_not_decay():
    (group,) = network().parameter_groups()
    assert group["rate"] < 1
    assert group["decay"] is False
    assert len(group["params"]) == 2 * 3
    assert network(selective=True).parameter_groups()[0]["params"] == []


def test_gaps_and_uneven_steps_are_inputs_where_there_are_any():
    spoilt = X.copy()
    spoilt[0, 1, 3] = np.nan
    widths = {}
    for name, values, t in (("even", X, None), ("gaps", spoilt, None), ("uneven", X, T)):
        model = SSMClassifier(**SMALL).fit(values, Y, t=t)
        widths[name] = model.module_.encoder.in_features
    assert widths == {"even": 2, "gaps": 4, "uneven": 4}  # with the time, and the step


@pytest.mark.parametrize("option", ["dropout", "point_dropout"])
def test_what_is_left_out_by_chance_is_so_in_training_alone(option):
    module = network(**{option: 0.5})
    generator = torch.Generator().manual_seed(0)
    one, two = (asked(module, generator) for _ in range(2))
    assert not torch.equal(one, two)
    again = [asked(module, torch.Generator().manual_seed(3)) for _ in range(2)]
    assert torch.equal(*again)
    module.eval()
    assert torch.equal(asked(module, generator), asked(module))


def test_points_left_out_leave_the_times_of_the_others():
    from skdyn.sequence._ssm import _thinned

    gaps = torch.as_tensor(np.diff(T, prepend=T[0] - 1.0)).float().expand(8, 12)
    n_points = torch.tensor([12, 5] * 4)
    x = gaps.cumsum(dim=1)[:, :, None]  # the times themselves
    left, steps, n_left = _thinned(x, gaps, n_points, 0.5, torch.Generator().manual_seed(0))
    for case, size in enumerate(n_left):
        torch.testing.assert_close(steps[case, :size].cumsum(dim=0), left[case, :size, 0])
        assert left[case, size - 1, 0] == x[case, n_points[case] - 1, 0]
    assert (n_left < n_points).any()


def test_rates_cover_the_series_unless_they_are_given():
    auto = SSMClassifier(**SMALL).fit(X, Y)._module_config
    assert auto["dt_min"] == pytest.approx(1 / 11)
    assert auto["dt_min"] < auto["dt_max"]
    own = SSMClassifier(dt_min=0.01, dt_max=0.02, **SMALL).fit(X, Y)
    rates = own.module_.blocks[0].layer.log_dt.exp()
    assert ((rates > 0.0099) & (rates < 0.0203)).all()
    with pytest.raises(ValueError, match=r"dt_min must be at most dt_max; got 0.5 and 0.1"):
        SSMClassifier(dt_min=0.5, dt_max=0.1, **SMALL).fit(X, Y)


def test_points_are_left_out_by_default_but_of_what_hangs_on_each():
    shares = {
        selective: SSMClassifier(selective=selective, **SMALL).fit(X, Y).module_.point_dropout
        for selective in (False, True)
    }
    assert shares == {False: 0.3, True: 0.0}


def test_long_batches_are_counted_for_threads():
    assert network().multiply_adds((8, 1000, 2)) > 100 * network().multiply_adds((8, 5, 2))

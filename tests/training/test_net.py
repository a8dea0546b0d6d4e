import warnings

import numpy as np
import pytest
import torch

from skdyn._time_limit import time_limit
from skdyn.exceptions import DivergenceError, SolverWarning, TrainingDivergedError
from skdyn.training import LeanNet, Stage, TrainingSettings, new_generator, seeded_rng

X = np.random.default_rng(0).normal(size=(60, 3)).astype("f")
Y = (X @ np.array([[1.0], [-2.0], [0.5]], dtype="f") + 0.3).astype("f")


def _net(seed=0, dtype=torch.float64, **settings):
    with seeded_rng(seed):
        module = torch.nn.Linear(3, 1).to(dtype)
    return LeanNet(module, TrainingSettings(**settings), new_generator(seed))


def _squared(module, x, y):
    return (module(x) - y).square().mean()


def test_the_loop_equals_a_hand_written_one_bit_for_bit():
    net = _net(batch_size=16, learning_rate=0.01, tol=0.0)
    record = net.run([Stage(_squared, (X, Y), 4)])

    with seeded_rng(0):
        module = torch.nn.Linear(3, 1).double()
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01, fused=True)
    generator = new_generator(0)
    x, y = torch.from_numpy(X).double(), torch.from_numpy(Y).double()
    curve = []
    for _ in range(4):
        order = torch.randperm(60, generator=generator)
        total = 0.0
        for part in order.split(16):
            optimizer.zero_grad()
            loss = _squared(module, x[part], y[part])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(part)
        curve.append(total / 60)
    assert torch.equal(net.module_.weight, module.weight)
    np.testing.assert_allclose(record.loss_curve, curve, rtol=1e-12)


def test_a_file_mapped_for_reading_is_no_cause_for_a_warning(tmp_path):
    np.save(tmp_path / "x.npy", X)
    on_disk = np.load(tmp_path / "x.npy", mmap_mode="r")
    curves = []
    before = torch.is_warn_always_enabled()
    torch.set_warn_always(True)  # else once a process
    with warnings.catch_warnings(action="error"):
        for x in (X, on_disk):
            net = _net(dtype=torch.float32, batch_size=16)
            curves.append(net.run([Stage(_squared, (x, Y), 2)]).loss_curve)
    torch.set_warn_always(before)
    assert curves[0] == curves[1]


def test_no_data_loader_and_one_sync_an_epoch(monkeypatch):
    syncs = []
    real = torch.Tensor.tolist
    monkeypatch.setattr(torch.Tensor, "tolist", lambda self: syncs.append(1) or real(self))

    def forbidden(*args, **kwargs):
        raise AssertionError("a batch must not sync or go through a DataLoader")

    for name in ("item", "__float__", "__bool__"):
        monkeypatch.setattr(torch.Tensor, name, forbidden)
    monkeypatch.setattr(torch.utils.data.DataLoader, "__iter__", forbidden)
    net = _net(batch_size=8, clip_norm=1.0, tol=0.0)
    # Once a run, at its end:
    monkeypatch.setattr(net, "_check_last_step", lambda *args: None)
    net.run([Stage(_squared, (X, Y), 3, validation=(X, Y))])
    assert len(syncs) == 3


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "lbfgs"])
def test_every_optimiser_learns_a_linear_map(optimizer):
    rates = {"sgd": 0.05, "lbfgs": 1.0}
    net = _net(optimizer=optimizer, learning_rate=rates.get(optimizer, 0.05), n_iter_no_change=300)
    record = net.run([Stage(_squared, (X, Y), 300)])
    assert record.loss_curve[-1] < 1e-4


def test_lbfgs_pays_the_same_penalty_as_weight_decay():
    def solved(optimizer, max_iter):
        net = _net(optimizer=optimizer, alpha=0.5, learning_rate=0.02, tol=0.0)
        net.run([Stage(_squared, (X, Y), max_iter)])
        return net.module_.weight.detach().numpy()

    np.testing.assert_allclose(solved("lbfgs", 30), solved("adam", 1500), atol=1e-3)


def test_training_stops_when_the_loss_stands_still():
    record = _net(learning_rate=0.05, tol=1e-3, n_iter_no_change=5).run(
        [Stage(_squared, (X, Y), 5000)]
    )
    assert record.stop_reason == "tol"
    assert record.n_iter < 5000


@pytest.mark.parametrize(("trivial_loss", "n_iter"), [(None, 12), (1.0, 12), (1000.0, 4)])
def test_tol_counts_in_units_of_the_loss_of_a_trivial_answer(trivial_loss, n_iter):
    def falls_by_one(module, x, y):
        calls.append(1)
        return 0 * module(x).sum() + 1000.0 - len(calls)

    calls = []
    net = _net(tol=0.01, n_iter_no_change=3)
    record = net.run([Stage(falls_by_one, (X, Y), 12, trivial_loss=trivial_loss)])
    assert record.n_iter == n_iter


@pytest.mark.parametrize("tol", [1e-4, 100.0])
def test_early_stopping_keeps_the_weights_that_were_best_on_validation(tol):
    wrong = -Y  # what is learned on training makes validation worse from the first epoch on
    net = _net(learning_rate=0.05, early_stopping=True, n_iter_no_change=4, tol=tol)
    record = net.run([Stage(_squared, (X, Y), 100, validation=(X, wrong))])
    assert record.stop_reason == "early_stopping"
    assert record.n_iter <= 10
    x, y = torch.from_numpy(X).double(), torch.from_numpy(wrong).double()
    assert _squared(net.module_, x, y).item() == pytest.approx(record.best_loss, rel=1e-12)


@pytest.mark.parametrize(("early_stopping", "n_iter"), [(True, 3), (False, 9)])
def test_what_is_only_watched_stops_nothing(early_stopping, n_iter):
    net = _net(early_stopping=early_stopping, tol=10.0, n_iter_no_change=2)
    record = net.run([Stage(_squared, (X, Y), 9, validation=(X, Y))])
    assert record.n_iter == n_iter
    assert len(record.validation_scores) == n_iter


def test_a_short_last_batch_counts_by_its_cases_in_the_validation_loss():
    net = _net(batch_size=50, optimizer="sgd", learning_rate=1e-30)
    watched = (X, np.concatenate([Y[:50], Y[50:] + 100]))  # the last ten cases lose far more
    record = net.run([Stage(_squared, (X, Y), 1, validation=watched)])
    x, y = (torch.from_numpy(part).double() for part in watched)
    assert -record.validation_scores[0] == pytest.approx(_squared(net.module_, x, y).item())


def test_a_plateau_lowers_the_rate_before_it_stops():
    noisy = {"batch_size": 4, "learning_rate": 0.3, "tol": 1e-6, "n_iter_no_change": 3}
    constant = _net(**noisy).run([Stage(_squared, (X, Y), 400)])
    plateau = _net(learning_rate_schedule="plateau", **noisy).run([Stage(_squared, (X, Y), 400)])
    assert plateau.n_iter > constant.n_iter
    assert plateau.loss_curve[-1] < constant.loss_curve[-1]


def test_patience_begins_anew_after_each_drop_of_the_rate():
    rates = []
    net = _net(learning_rate_schedule="plateau", learning_rate=0.5, tol=0.0, n_iter_no_change=3)
    record = net.run(
        [Stage(lambda module, x, y: 0 * module(x).sum() + 1.0, (X, Y), 99)],
        lambda record: rates.append(net.optimizer_.param_groups[0]["lr"]),
    )
    # The first loss is an improvement; then it stands still, for three epochs a rate.
    assert rates == pytest.approx([0.5] + [0.5 / 5**drops for drops in range(6) for _ in range(3)])
    assert record.stop_reason == "tol"


def test_clipping_bounds_the_step_of_sgd():
    net = _net(optimizer="sgd", learning_rate=1.0, clip_norm=1e-3, tol=0.0)
    before = net.module_.weight.detach().clone()
    net.run([Stage(_squared, (X, 1e6 * Y), 1)])
    assert (net.module_.weight - before).norm() <= 1.91e-3  # Nesterov: (1 + momentum) * clip


def test_clipping_counts_what_a_stage_learns_beside_the_module():
    shift = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    net = _net(optimizer="sgd", learning_rate=1.0, clip_norm=1e-3, tol=0.0)

    def steep(module, x, y):
        return 1e6 * shift.sum() + 0 * module(x).sum()

    net.run([Stage(steep, (X, Y), 1, parameters=(shift,))])
    assert 0 < shift.abs().item() <= 1.91e-3


def test_a_diverged_loss_raises_and_puts_the_weights_back():
    net = _net(optimizer="sgd", learning_rate=1e20, tol=0.0)
    before = net.module_.weight.detach().clone()
    with pytest.raises(TrainingDivergedError, match=r"epoch \d+.*learning_rate.*clip_norm"):
        net.run([Stage(_squared, (X, Y), 100)])
    assert torch.equal(net.module_.weight, before)


def test_weights_spoilt_by_the_very_last_step_are_noticed():
    class SpoiltGradient(torch.autograd.Function):
        @staticmethod
        def forward(ctx, w):
            return torch.zeros_like(w)

        @staticmethod
        def backward(ctx, grad):
            return torch.full_like(grad, float("nan"))

    net = _net(tol=0.0)
    with pytest.raises(TrainingDivergedError, match=r"weights became NaN.*epoch 1, the last"):
        net.run([Stage(lambda m, x, y: SpoiltGradient.apply(m.weight).sum(), (X, Y), 1)])


def test_divergence_is_taken_back_with_half_the_rate_and_a_warning():
    calls = []

    def fails_once(module, x, y):
        calls.append(1)
        if len(calls) == 4:  # after a look at the start
            raise DivergenceError("the field blew up.", t=0.5)
        return _squared(module, x, y)

    net = _net(max_recoveries=1, learning_rate=0.04, tol=0.0)
    with pytest.warns(SolverWarning, match=r"Epoch 3 diverged.*halved to 0.02"):
        record = net.run([Stage(fails_once, (X, Y), 6)])
    assert record.n_iter == 6
    assert record.n_recoveries == 1
    assert net.optimizer_.param_groups[0]["lr"] == pytest.approx(0.02)


def test_repeated_divergence_raises_the_solvers_own_error():
    calls = []

    def fails_after_the_start(module, x, y):
        calls.append(1)
        if len(calls) > 1:
            raise DivergenceError("the field blew up.", t=0.5)
        return _squared(module, x, y)

    net = _net(max_recoveries=2)
    with pytest.warns(SolverWarning), pytest.raises(DivergenceError, match="blew up"):
        net.run([Stage(fails_after_the_start, (X, Y), 10)])
    assert len(calls) == 4


def _fails_far_from_the_solution(module, x, y):
    loss = _squared(module, x, y)
    if loss.detach() > 0.5:
        raise DivergenceError("the field blew up.", t=0.5)
    return loss


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_start_that_cannot_be_evaluated_is_come_to_by_an_easier_stage(optimizer):
    def easier():
        return [Stage(_squared, (X, Y), 200, name="the easier"), hard._replace(easier=None)]

    hard = Stage(_fails_far_from_the_solution, (X, Y), 5, name="the hard", easier=easier)
    net = _net(optimizer=optimizer, learning_rate=0.1, max_recoveries=1, tol=0.0)
    with pytest.warns(SolverWarning, match=r"on the hard could not start.*through the easier"):
        record = net.run([hard])
    assert record.n_iter > 5
    assert record.loss_curve[0] > 0.5 > record.kept_loss


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_the_same_start_is_not_tried_twice(optimizer):
    calls = []

    def fails(module, x, y):
        calls.append(1)
        raise DivergenceError("the field blew up.", t=0.5)

    with pytest.raises(DivergenceError, match="blew up"):
        _net(optimizer=optimizer, max_recoveries=3).run([Stage(fails, (X, Y), 5)])
    assert len(calls) == 1


@pytest.mark.parametrize("batch_size", [60, 20])
def test_a_rise_ends_on_the_weights_from_before_it(batch_size):
    def swept(module, x, y):
        with torch.no_grad():
            pulled = 0.0 if len(seen) < 4 * 60 // batch_size else 100.0
        seen.append(module.weight.detach().clone())
        return _squared(module, x, y) + pulled * (module.weight - 50.0).square().mean()

    seen = []
    net = _net(optimizer="sgd", learning_rate=0.003, batch_size=batch_size, tol=1e-3)
    record = net.run([Stage(swept, (X, Y), 12)])
    best = int(np.argmin(record.loss_curve))
    assert record.loss_curve[-1] > record.kept_loss == record.loss_curve[best]
    assert record.rise == record.loss_curve[-1]
    first_of_best = best * 60 // batch_size
    kept = seen[first_of_best] if batch_size == 60 else seen[first_of_best + 60 // batch_size]
    assert torch.equal(net.module_.weight, kept)


def test_a_last_epoch_within_tol_of_the_best_is_kept():
    net = _net(optimizer="sgd", learning_rate=0.05, tol=10.0, n_iter_no_change=100, batch_size=4)
    record = net.run([Stage(_squared, (X, Y), 40)])
    assert record.rise is None
    assert record.kept_loss == record.loss_curve[-1]


def test_losses_before_the_objective_is_steady_are_not_compared():
    def grows(module, x, y):
        grows.epoch += 1
        return _squared(module, x, y) + min(grows.epoch, 5) * 100.0

    grows.epoch = 0
    net = _net(learning_rate=0.01, tol=1e-3, n_iter_no_change=2)
    record = net.run([Stage(grows, (X, Y), 10, steady_from=0.5)])
    assert record.n_iter == 10
    assert record.rise is None
    grows.epoch = 0
    record = _net(learning_rate=0.01, tol=1e-3, n_iter_no_change=20).run([Stage(grows, (X, Y), 10)])
    assert record.rise == record.loss_curve[-1]


def test_a_loss_that_rises_as_the_penalty_falls_by_more_is_no_rise():
    def larger_is_better(module, x, y):
        return 0 * module(x).sum() - 0.1 * module.weight.sum()

    net = _net(optimizer="sgd", alpha=1.0, learning_rate=0.05, tol=1e-3)
    with torch.no_grad():
        net.module_.weight.fill_(10.0)
    record = net.run([Stage(larger_is_better, (X, Y), 30)])
    assert record.loss_curve[-1] > record.loss_curve[0] + 1.0
    assert record.rise is None
    assert net.module_.weight.abs().max() < 5.0


class Reweighed:
    """Least squares beside a penalty that counts more at every step."""

    def __init__(self):
        self.n_steps = 0

    def __call__(self, module, x, y):
        return _squared(module, x, y)

    def problem(self, module, batch):
        self.module, (self.x, self.y) = module, batch
        self.n_steps += 1
        return self

    def weights(self):
        return torch.nn.utils.parameters_to_vector(self.module.parameters())

    def place(self, weights):
        torch.nn.utils.vector_to_parameters(weights, self.module.parameters())

    def lower(self):
        return None

    def bend(self, move):
        return None

    def loss(self):
        return _squared(self.module, self.x, self.y) + self.n_steps

    def expand(self):
        rows = torch.cat([self.x, torch.ones_like(self.y)], dim=1)
        residual = self.module(self.x) - self.y
        scale = 2 / len(rows)
        return self.loss(), scale * (rows.T @ residual)[:, 0], scale * rows.T @ rows


def test_a_curvature_method_keeps_its_last_step_whatever_its_penalties_became():
    net = _net(optimizer="lm", tol=1e-9)
    record = net.run([Stage(Reweighed(), (X, Y), 6)])
    assert record.kept_loss == record.loss_curve[-1] > min(record.loss_curve) + 3.0
    assert record.rise is None
    truth = torch.tensor([[1.0, -2.0, 0.5]], dtype=torch.float64)
    torch.testing.assert_close(net.module_.weight.detach(), truth, atol=1e-4, rtol=0)


def test_the_best_weights_are_those_in_place_after_the_stage_has_replaced_them():
    def replace(module, epoch):
        if epoch == 3:
            module.weight = torch.nn.Parameter(module.weight.detach().clone())
            module.bias = torch.nn.Parameter(module.bias.detach().clone())
        return epoch == 3

    def swept_at_last(module, x, y):
        calls.append(1)
        pulled = 100.0 if len(calls) > 8 else 0.0
        return _squared(module, x, y) + pulled * (module.weight - 50.0).square().mean()

    calls = []
    net = _net(optimizer="sgd", learning_rate=0.003, tol=1e-3, n_iter_no_change=99)
    record = net.run([Stage(swept_at_last, (X, Y), 12, before_epoch=replace)])
    assert record.rise == record.loss_curve[-1]
    x, y = torch.from_numpy(X).double(), torch.from_numpy(Y).double()
    assert _squared(net.module_, x, y).item() == pytest.approx(record.kept_loss, rel=1e-12)
    assert record.kept_loss == min(record.loss_curve)


def test_a_recovery_goes_back_to_weights_that_a_whole_epoch_has_run_from():
    seen = []

    def fails_after_the_second_epoch(module, x, y):
        seen.append(module.weight.detach().clone())
        if len(seen) == 10:  # three batches of a look at the start, and of two epochs
            raise DivergenceError("the field blew up.", t=0.5)
        return _squared(module, x, y)

    net = _net(max_recoveries=1, batch_size=20, learning_rate=0.04, tol=0.0)
    with pytest.warns(SolverWarning, match="best weights were restored"):
        net.run([Stage(fails_after_the_second_epoch, (X, Y), 4)])
    assert torch.equal(seen[10], seen[6])
    assert not torch.equal(seen[6], seen[9])


@pytest.mark.parametrize(("optimizer", "survive"), [("adam", True), ("lbfgs", False)])
def test_moments_survive_a_change_of_the_function(optimizer, survive):
    known = []

    def move(module, epoch):
        known.append(dict(net.optimizer_.state.get(module.weight, {})))
        return epoch == 2

    net = _net(optimizer=optimizer, learning_rate=0.01, tol=0.0)
    net.run([Stage(_squared, (X, Y), 3, before_epoch=move)])
    kept = net.optimizer_.state[net.module_.weight]
    if survive:
        assert kept["step"] == 3
    else:
        assert kept["n_iter"] <= 20 < known[-1]["n_iter"] + 20


def test_moments_move_to_weights_of_the_same_shape_in_their_place():
    def replace(module, epoch):
        if epoch != 2:
            return False
        module.weight = torch.nn.Parameter(module.weight.detach().clone())
        module.bias = torch.nn.Parameter(module.bias.detach().repeat(2)[:1].clone())
        return True

    net = _net(learning_rate=0.01, tol=0.0)
    net.run([Stage(_squared, (X, Y), 3, before_epoch=replace)])
    assert net.optimizer_.state[net.module_.weight]["step"] == 3
    assert net.optimizer_.param_groups[0]["params"][0] is net.module_.weight


def test_moments_of_weights_that_changed_their_shape_begin_anew():
    def coarsen(module, epoch):
        if epoch == 2:
            module.grid = torch.nn.Parameter(module.grid.detach()[:2] * 2)
        return epoch == 2

    with seeded_rng(0):
        module = torch.nn.Linear(3, 1).double()
    module.grid = torch.nn.Parameter(torch.zeros(4, dtype=torch.float64))
    net = LeanNet(module, TrainingSettings(learning_rate=0.01, tol=0.0), new_generator(0))
    net.run(
        [Stage(lambda m, x, y: _squared(m, x, y + m.grid.sum()), (X, Y), 3, before_epoch=coarsen)]
    )
    assert net.optimizer_.state[module.grid]["exp_avg"].shape == (2,)
    assert net.optimizer_.state[module.grid]["step"] == 1
    assert net.optimizer_.state[module.weight]["step"] == 3


def test_another_stage_is_another_objective_whose_moments_begin_anew():
    net = _net(tol=0.0)
    net.run([Stage(_squared, (X, Y), 3), Stage(_squared, (X, -Y), 2)])
    assert net.optimizer_.state[net.module_.weight]["step"] == 2


class Grouped(torch.nn.Linear):
    """Its bias learns at a tenth of the rate and never decays."""

    def parameter_groups(self):
        return [{"params": [self.bias], "rate": 0.1, "decay": False}]


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_module_says_which_parameters_learn_at_which_rate(optimizer):
    with seeded_rng(0):
        module = Grouped(3, 1).double()
    settings = TrainingSettings(optimizer=optimizer, learning_rate=0.5, alpha=3.0)
    net = LeanNet(module, settings, new_generator(0))
    net.run([Stage(_squared, (X, Y), 1)])
    rates = [(group["lr"], group["weight_decay"]) for group in net.optimizer_.param_groups]
    assert rates == [(0.5, 3.0), (0.05, 0.0)]


def test_what_never_decays_is_out_of_the_penalty_of_lbfgs():
    losses = []
    for module in (Grouped(3, 1).double(), torch.nn.Linear(3, 1).double()):
        with torch.no_grad():
            module.weight.fill_(2.0)
            module.bias.fill_(4.0)
        net = LeanNet(module, TrainingSettings(optimizer="lbfgs", alpha=1.0), new_generator(0))
        losses.append(net.run([Stage(lambda m, x, y: 0 * m(x).sum(), (X, Y), 1)]).loss_curve[0])
    assert losses == [6.0, 14.0]


def test_an_interrupt_puts_the_weights_back():
    net = _net()
    before = net.module_.weight.detach().clone()

    def interrupt(record):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        net.run([Stage(_squared, (X, Y), 5)], on_epoch=interrupt)
    assert torch.equal(net.module_.weight, before)
    assert not net.module_.training


def test_no_epoch_begins_after_the_time_is_over():
    stages = [Stage(_squared, (X, Y), 3), Stage(_squared, (X, Y), 2)]
    with time_limit(1e9):
        assert _net(tol=0.0).run(stages).n_iter == 5
        with time_limit(1e-12):
            record = _net(tol=0.0).run(stages)
    assert (record.n_iter, record.stop_reason) == (1, "max_time")


def test_stages_follow_each_other_and_a_callback_ends_them_all():
    seen = []
    stages = [Stage(_squared, (X, Y), 3), Stage(_squared, (X, Y), 3), Stage(_squared, (X, Y), 3)]
    record = _net(tol=0.0).run(stages, lambda record: seen.append(record.n_iter) or len(seen) == 5)
    assert seen == [1, 2, 3, 4, 5]
    assert record.n_iter == 5
    assert record.stop_reason == "callback"


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_stage_that_must_improve_and_does_not_is_taken_back_and_ends_the_run(sign):
    def beside(module, x, y):
        return _squared(module, x, y) + 100.0 * sign

    stages = [
        Stage(_squared, (X, Y), 5),
        Stage(beside, (X, Y), 5, must_improve=True),
        Stage(_squared, (X, Y), 5),
    ]
    alone = _net(learning_rate=0.05, tol=0.0)
    alone.run(stages[:1])
    net = _net(learning_rate=0.05, tol=0.0)
    record = net.run(stages)
    taken_back = sign > 0
    assert record.n_iter == (5 if taken_back else 15)
    assert torch.equal(net.module_.weight, alone.module_.weight) is taken_back
    learnt = net.optimizer_.param_groups[0]["params"]
    assert any(weight is net.module_.weight for weight in learnt)


def test_the_easier_stages_come_in_their_order_and_before_what_follows():
    def named(name):
        return lambda module, x, y: order.append(name) or _squared(module, x, y)

    def fails(module, x, y):
        raise DivergenceError("the field blew up.", t=0.5)

    order = []
    easier = [Stage(named("easiest"), (X, Y), 1), Stage(named("easier"), (X, Y), 1)]
    hard = Stage(fails, (X, Y), 1, easier=lambda: easier)
    net = _net(max_recoveries=1, tol=0.0)
    with pytest.warns(SolverWarning, match="could not start"):
        record = net.run([hard, Stage(named("last"), (X, Y), 1)])
    assert sorted(order, key=["easiest", "easier", "last"].index) == order
    assert record.n_iter == 3


def test_a_module_is_in_training_but_where_it_is_watched():
    modes = []

    def objective(module, x, y):
        modes.append(module.training)
        return _squared(module, x, y)

    _net(tol=0.0).run([Stage(objective, (X, Y), 3, validation=(X, Y))])
    assert modes == [True, False] * 3


def test_a_stage_may_have_its_own_rate():
    net = _net(learning_rate=0.5, tol=0.0)
    net.run([Stage(_squared, (X, Y), 1, learning_rate=0.125)])
    assert net.optimizer_.param_groups[0]["lr"] == 0.125


@pytest.mark.parametrize(("tol", "n_iter"), [(None, 9), (10.0, 3)])
def test_a_stage_may_have_its_own_tolerance(tol, n_iter):
    def falls(module, x, y):
        calls.append(1)
        return 0 * module(x).sum() + 1.0 / len(calls)

    calls = []
    record = _net(tol=0.0, n_iter_no_change=2).run([Stage(falls, (X, Y), 9, tol=tol)])
    assert record.n_iter == n_iter


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_stage_may_learn_parameters_of_its_own_without_decay(optimizer):
    shift = torch.zeros(1, dtype=torch.float64, requires_grad=True)

    def shifted(module, x, y):
        return (module(x).detach() * 0 + shift - 3.0).square().mean() + 0 * module(x).sum()

    net = _net(optimizer=optimizer, alpha=10.0, learning_rate=0.05, n_iter_no_change=400)
    net.run([Stage(shifted, (X, Y), 400, parameters=(shift,))])
    assert shift.item() == pytest.approx(3.0, abs=1e-3)
    assert net.module_.weight.abs().max() < 0.01  # the module's weights did decay


@pytest.mark.parametrize("trouble", ["solver", "loss"])
def test_a_last_step_that_spoils_the_weights_is_taken_back(trouble):
    def fails_after_the_step(module, x, y):
        if not torch.equal(module.weight, start):
            if trouble == "solver":
                raise DivergenceError("the field blew up.")
            return module(x).sum() * float("inf")
        return _squared(module, x, y)

    net = _net(max_recoveries=1, tol=0.0)
    start = net.module_.weight.detach().clone()
    with pytest.warns(SolverWarning, match=r"epoch 1, the last.*restored"):
        net.run([Stage(fails_after_the_step, (X, Y), 1)])
    assert torch.equal(net.module_.weight, start)


def test_a_divergence_of_lbfgs_ends_the_stage_on_its_best_weights():
    calls = []

    def fails_later(module, x, y):
        calls.append(1)
        if len(calls) > 30 and torch.is_grad_enabled():
            raise DivergenceError("the field blew up.", t=0.5)
        return _squared(module, x, y) + (module.weight**4).mean()

    net = _net(optimizer="lbfgs", max_recoveries=2, tol=0.0, n_iter_no_change=100)
    with pytest.warns(SolverWarning, match=r"diverged.*the stage was ended"):
        record = net.run([Stage(fails_later, (X, Y), 50)])
    assert record.stop_reason == "diverged"
    assert record.n_recoveries == 1
    assert record.kept_loss == min(record.loss_curve)


def test_integers_keep_their_type_and_floats_take_the_modules():
    def types(module, x, k):
        assert x.dtype == torch.float64
        assert k.dtype == torch.int64
        return module(x).mean()

    _net().run([Stage(types, (X, np.arange(60)), 1)])


def test_verbose_tells_of_losses(capsys):
    _net(verbose=2, tol=0.0).run([Stage(_squared, (X, Y), 2, name="window", validation=(X, Y))])
    out = capsys.readouterr().out
    assert "window: epoch 1/2, loss " in out
    assert "validation loss" in out


def test_a_hook_has_the_last_word_after_every_step():
    net, seen = _net(batch_size=20, optimizer="sgd", learning_rate=0.1, tol=0.0), []

    def after_step(module):
        seen.append(module.weight.detach().clone())
        module.bias.fill_(7.0)

    net.run([Stage(_squared, (X, Y), 1, after_step=after_step)])
    assert len(seen) == 3
    assert not torch.equal(seen[0], seen[1])
    assert torch.equal(net.module_.weight, seen[-1])
    assert net.module_.bias.item() == 7.0


def test_hooks_of_a_step_are_refused_where_a_step_is_more_than_one_gradient():
    with pytest.raises(ValueError, match="after_step does not go with 'lbfgs'"):
        _net(optimizer="lbfgs").run([Stage(_squared, (X, Y), 1, after_step=lambda module: None)])

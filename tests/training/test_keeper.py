import pytest
import torch
from torch.nn.functional import mse_loss

from skdyn.training import Keeper, LeanNet, Stage, TrainingSettings, keeping_in, new_generator

X = torch.randn(60, 3, generator=new_generator(1))
SETTINGS = TrainingSettings(learning_rate=0.1, tol=0.0, batch_size=8)


class Stopped(Exception):
    pass


def _run(stop_at=None, settings=SETTINGS, **stage):
    """Train for five epochs of eight steps, or fail in a step; return curves, weight and steps."""
    module = torch.nn.Linear(3, 1, bias=False)
    torch.nn.init.ones_(module.weight)
    steps = []

    def loss(module, x):
        steps.append(module.training)
        if sum(steps) == stop_at:
            raise Stopped
        return mse_loss(module(x).squeeze(1), x.prod(dim=1))

    net = LeanNet(module, settings, new_generator(0))
    record = net.run([Stage(loss, (X,), 5, **{"validation": (X,)} | stage)])
    return record.loss_curve, record.validation_scores, module.weight.detach(), sum(steps)


@pytest.mark.parametrize(("stop_at", "every", "left"), [(9, 1, 32), (38, 2, 8), (7, 1, 40)])
def test_a_training_goes_on_from_a_whole_epoch_to_the_same_end(tmp_path, stop_at, every, left):
    curve, scores, weight, _ = _run()
    keeper = tmp_path / "run.pt", every
    with pytest.raises(Stopped), keeping_in(Keeper(*keeper)):
        _run(stop_at)
    with keeping_in(Keeper(*keeper)):
        again, scored, same, n_steps = _run()
    assert (again, scored) == (curve, scores)
    assert torch.equal(same, weight)
    assert n_steps == left
    assert list(tmp_path.iterdir()) == []


def test_what_was_trained_before_in_a_block_leaves_the_file_alone(tmp_path):
    path, other = tmp_path / "run.pt", SETTINGS._replace(learning_rate=0.01)
    with keeping_in(Keeper(path, 1)):
        _run()
        assert not path.exists()
        with pytest.raises(Stopped):
            _run(17, other)
    kept = path.read_bytes()
    with keeping_in(Keeper(path, 1)):
        assert _run()[-1] == 40
        assert path.read_bytes() == kept
        assert _run(settings=other)[-1] == 24
    assert not path.exists()


def test_what_a_training_tries_on_the_way_is_not_kept(tmp_path):
    def tries(module, epoch):
        _run()
        return False

    with keeping_in(Keeper(tmp_path / "run.pt", 1)):
        _run(before_epoch=tries)


def test_another_training_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    with pytest.raises(Stopped), keeping_in(Keeper(path, 1)):
        _run(9)
    with keeping_in(Keeper(path, 1)), pytest.raises(ValueError, match=r"'learning_rate': 0.2\} h"):
        _run(settings=SETTINGS._replace(learning_rate=0.2))
    with keeping_in(Keeper(tmp_path, 1)), pytest.raises(ValueError, match="is a folder"):
        _run()


@pytest.mark.parametrize(
    ("settings", "stage", "words"),
    [
        ({"max_recoveries": 1}, {}, "take epochs back"),
        ({"batch_size": "auto", "optimizer": "lm"}, {}, "use 'adam'"),
        ({}, {"progress": lambda: 0.5}, "of their own fit"),
    ],
)
def test_what_cannot_go_on_says_so_before_it_begins(tmp_path, settings, stage, words):
    with keeping_in(Keeper(tmp_path / "run.pt", 1)), pytest.raises(ValueError, match=words):
        _run(settings=SETTINGS._replace(**settings), **stage)

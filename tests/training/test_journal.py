import pytest
import torch
from torch.nn.functional import mse_loss

from skdyn.training import Journal, LeanNet, Stage, TrainingSettings, new_generator

X = torch.randn(60, 3, generator=new_generator(1))
SETTINGS = TrainingSettings(learning_rate=0.1, tol=0.0, batch_size=8)


class Stopped(Exception):
    pass


def _run(path, stop_at=None, every=3, terms=()):
    """Train for five epochs of eight steps, or fail in a step."""
    module = torch.nn.Linear(3, 1, bias=False)
    torch.nn.init.ones_(module.weight)
    steps = []

    def loss(module, x):
        steps.append(1)
        if len(steps) == stop_at:
            raise Stopped
        return mse_loss(module(x).squeeze(1), x.prod(dim=1))

    journal = None if path is None else Journal(path, every, dict(terms), ())
    net = LeanNet(module, SETTINGS, new_generator(0))
    record = net.run([Stage(loss, (X,), 5, journal=journal)])
    return record.loss_curve, module.weight.detach(), len(steps)


@pytest.mark.parametrize(("stop_at", "every", "left"), [(4, 3, 37), (9, 8, 32), (20, 3, 22)])
def test_a_run_goes_on_from_its_last_state_to_the_same_end(tmp_path, stop_at, every, left):
    curve, weight, _ = _run(None)
    path = tmp_path / "run.pt"
    with pytest.raises(Stopped):
        _run(path, stop_at, every)
    again, same, n_steps = _run(path, every=every)
    assert again == curve
    assert torch.equal(same, weight)
    assert n_steps == left
    assert list(tmp_path.iterdir()) == []


def test_terms_must_be_those_of_the_file(tmp_path):
    path = tmp_path / "run.pt"
    with pytest.raises(Stopped):
        _run(path, 10, terms={"rate": 0.1, "seed": 0}.items())
    with pytest.raises(ValueError, match=r"\{'rate': 0.1\} there, \{'rate': 0.2\} here"):
        _run(path, terms={"rate": 0.2, "seed": 0}.items())
    path.write_bytes(b"other")
    with pytest.raises(ValueError, match="is no checkpoint"):
        _run(path)

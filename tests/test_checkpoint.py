import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skdyn import CodebookTransformer, Crosscoder, SparseAutoencoder, Transcoder
from skdyn.autoencoder import Checkpoint

RNG = np.random.default_rng(0)
ROWS = (RNG.random((120, 12)) * (RNG.random((120, 12)) < 0.2)) @ RNG.normal(size=(12, 6))
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*ended with a loss:sklearn.exceptions.ConvergenceWarning"
)


class Interrupted(Exception):
    pass


def _model(cls=SparseAutoencoder, **parameters):
    defaults = {"k": 3, "max_iter": 3, "batch_size": 16, "random_state": 0, "buffer_size": 64}
    return cls(12, **defaults | parameters)


def _fit(model, X, **options):
    return model.fit(X, ROWS[:, :2] if isinstance(model, Transcoder) else None, **options)


def _interrupt(monkeypatch, after):
    """Let the step after so many others fail."""
    from skdyn.training import LeanNet

    plain, n_steps = LeanNet.train_step, [0]

    def step(self, batch):
        if n_steps[0] == after:
            raise Interrupted
        n_steps[0] += 1
        return plain(self, batch)

    monkeypatch.setattr(LeanNet, "train_step", step)


def _same(one, other):
    for name, value in one.module_.state_dict().items():
        np.testing.assert_array_equal(value, other.module_.state_dict()[name], err_msg=name)
    assert one.loss_curve_ == other.loss_curve_


def _resumed(model, X, path, monkeypatch, after=13, every=4, **options):
    checkpoint = Checkpoint(path, every=every)
    with monkeypatch.context() as patched:
        _interrupt(patched, after)
        with pytest.raises(Interrupted):
            _fit(model(), X, checkpoint=checkpoint, **options)
    assert path.is_file()
    return _fit(model(), X, checkpoint=checkpoint, **options)


@pytest.mark.parametrize(
    ("cls", "in_memory"),
    [(SparseAutoencoder, True), (Crosscoder, False), (CodebookTransformer, False),
     (Transcoder, True)],
)  # fmt: skip
def test_half_a_fit_and_its_other_half_are_the_whole_bit_for_bit(
    cls, in_memory, tmp_path, monkeypatch
):
    X = ROWS if in_memory else np.array_split(ROWS, 7)
    whole = _fit(_model(cls), X)
    file = tmp_path / "half.pt"
    _same(_resumed(lambda: _model(cls), X, file, monkeypatch), whole)
    assert not file.exists()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("parameters", "after", "every"),
    [
        ({"learning_rate_schedule": "plateau", "tol": 0.5, "n_iter_no_change": 1}, 20, 6),
        ({"allocation": "jumprelu", "optimizer": "sgd"}, 20, 1),
        ({"allocation": "mutual_then_feature", "batch_size": 120, "max_iter": 20}, 15, 4),
        ({"learning_rate": 0.5, "max_iter": 4}, 28, 11),  # whose best weights are put back
    ],
)
def test_so_it_is_whatever_the_schedule_the_rule_and_the_batches(
    parameters, after, every, tmp_path, monkeypatch
):
    whole = _fit(_model(**parameters), ROWS)
    file = tmp_path / "half.pt"
    resumed = _resumed(lambda: _model(**parameters), ROWS, file, monkeypatch, after, every)
    _same(resumed, whole)


def test_so_it_is_with_weights_and_twice_interrupted(tmp_path, monkeypatch):
    weight = RNG.random(120)
    whole = _model().fit(ROWS, sample_weight=weight)
    file = tmp_path / "half.pt"
    with monkeypatch.context() as patched:
        _interrupt(patched, 9)
        with pytest.raises(Interrupted):
            _model().fit(ROWS, sample_weight=weight, checkpoint=Checkpoint(file, every=2))
    resumed = _resumed(_model, ROWS, file, monkeypatch, 8, 3, sample_weight=weight)
    _same(resumed, whole)


def test_when_time_is_over_the_rest_can_be_trained_later(tmp_path, monkeypatch):
    file = tmp_path / "later.pt"
    whole = _model(max_iter=6).fit(ROWS)
    with pytest.warns(ConvergenceWarning, match="when max_time was over"):
        part = _model(max_iter=6, max_time=1e-9).fit(ROWS, checkpoint=file)
    assert part.n_iter_ == 1
    _same(_model(max_iter=6).fit(ROWS, checkpoint=file), whole)


def test_a_file_of_another_training_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "half.pt"
    _interrupt(monkeypatch, 5)
    with pytest.raises(Interrupted):
        _model().fit(ROWS, checkpoint=Checkpoint(file, every=2))
    with pytest.raises(
        ValueError, match=r"of another training: \{'k': '3'\} there, \{'k': '2'\} here"
    ):
        _model(k=2).fit(ROWS, checkpoint=file)
    with pytest.raises(ValueError, match="checksum of the data"):
        _model().fit(-ROWS, checkpoint=file)
    file.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="is no checkpoint of skdyn"):
        _model().fit(ROWS, checkpoint=file)


def test_what_is_no_checkpoint_is_refused(tmp_path):
    for path, what in ((tmp_path, "is a folder"), (tmp_path / "no" / "file", "not there")):
        with pytest.raises(ValueError, match=what):
            _model().fit(ROWS, checkpoint=path)
    with pytest.raises(TypeError, match="Checkpoint, a path or None; got 3"):
        _model().fit(ROWS, checkpoint=3)
    with pytest.raises(ValueError, match="positive whole number of steps; got 0"):
        Checkpoint("file", every=0)

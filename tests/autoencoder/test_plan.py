import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skdyn import CodebookTransformer, Crosscoder, SparseAutoencoder, Transcoder
from skdyn.autoencoder._plan import Plan, rate_for

ROWS = np.random.default_rng(0).normal(size=(160, 6)).astype("f")
CODERS = (SparseAutoencoder, Crosscoder, CodebookTransformer, Transcoder)
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*ended with a loss:sklearn.exceptions.ConvergenceWarning"
)


def _model(cls=SparseAutoencoder, **parameters):
    defaults = {"k": 3, "max_iter": 1, "batch_size": 16, "random_state": 0, "buffer_size": 64}
    return cls(12, **defaults | parameters)


def _batches(rows=ROWS):
    yield from np.array_split(rows, 10)


def _same(one, other):
    np.testing.assert_array_equal(one.module_.decoder_weight, other.module_.decoder_weight)
    np.testing.assert_array_equal(one.feature_density_, other.feature_density_)


def _data(cls, make):
    return (make(), make()) if cls is Transcoder else (make(),)


def test_progress_is_the_share_of_the_rows_and_of_no_plan_the_end():
    plan = Plan(100)
    assert plan.progress == 0.0
    plan.take(30)
    assert plan.progress == 0.3
    plan.take(90)
    assert plan.progress == 1.0
    assert Plan(None).progress == 1.0


@pytest.mark.parametrize("cls", CODERS)
def test_an_iterator_whose_length_is_told_equals_a_list_and_an_array_on_disk_teaches(cls, tmp_path):
    of_list = _model(cls).fit(*_data(cls, lambda: list(_batches())))
    of_iterator = _model(cls).fit(*_data(cls, _batches), n_samples_total=160)
    _same(of_list, of_iterator)
    np.save(tmp_path / "rows.npy", ROWS)
    disk = np.load(tmp_path / "rows.npy", mmap_mode="r")
    on_disk = _model(cls, max_iter=2, learning_rate=0.1).fit(*_data(cls, lambda: disk))
    assert on_disk.loss_curve_[-1] < 0.8 * on_disk.loss_curve_[0]


def test_an_iterator_that_fits_the_buffer_needs_no_number():
    models = [_model(buffer_size=161).fit(X) for X in (_batches(), list(_batches()))]
    _same(*models)


def test_an_iterator_of_unknown_length_is_told_and_trains_as_partial_fit_does():
    with pytest.warns(UserWarning, match="how many is not known: schedules and phases cannot"):
        model = _model().fit(_batches())
    other = _model(learning_rate_schedule="constant", allocation="mutual_choice")
    with pytest.warns(UserWarning, match="Pass n_samples_total"):
        other.fit(_batches())
    np.testing.assert_array_equal(model.module_.decoder_weight, other.module_.decoder_weight)


def test_a_number_of_rows_that_is_wrong_is_refused_or_told():
    with pytest.raises(ValueError, match="n_samples_total=159, but X has 160 rows"):
        _model().fit(ROWS, n_samples_total=159)
    with pytest.raises(ValueError, match="n_samples_total=159, but X has 160 rows"):
        _model().fit(list(_batches()), n_samples_total=159)
    with pytest.raises(ValueError, match=r"positive whole number; got 2\.5"):
        _model().fit(ROWS, n_samples_total=2.5)
    with pytest.warns(ConvergenceWarning, match="planned for 1000 rows and saw 160"):
        _model().fit(_batches(), n_samples_total=1000)


def test_the_rate_falls_within_a_single_pass(monkeypatch):
    rates = []

    def note(optimizer, rate):
        rates.append(rate)

    monkeypatch.setattr("skdyn.training._net.set_learning_rate", note)
    _model(learning_rate=1.0).fit(ROWS)
    of_steps = rates[1:]  # the first is that of the epoch
    expected = 0.5 * (1 + np.cos(np.pi * np.arange(0, 1, 0.1)))
    np.testing.assert_allclose(of_steps, expected)


def test_phases_follow_the_rows_of_a_single_pass(monkeypatch):
    from skdyn.autoencoder.allocations import FeatureThenMutualAllocation

    seen = []
    plain = FeatureThenMutualAllocation.choose

    def choose(self, pre, coder, k, progress):
        seen.append(self.by_latent(progress))
        return plain(self, pre, coder, k, progress)

    monkeypatch.setattr(FeatureThenMutualAllocation, "choose", choose)
    allocation = FeatureThenMutualAllocation(switch=0.5)
    _model(allocation=allocation).fit(_batches(), n_samples_total=160)
    assert seen == [True] * 5 + [False] * 5


def test_the_fewer_the_steps_the_longer_each():
    rates = [rate_for(Plan(n_rows), 10, False) for n_rows in (10, 10_000, 40_000, 10**8)]
    assert rates == [0.02, 0.5 / 1000**0.5, 0.5 / 4000**0.5, 0.001]


def test_no_step_is_long_where_the_end_is_not_known_or_weights_were_trained_before():
    assert rate_for(Plan(None), 10, False) == 0.01
    assert rate_for(Plan(10), 10, True) == 0.01


def test_a_fit_takes_the_rate_of_its_plan():
    auto, given = _model(max_iter=2), _model(max_iter=2, learning_rate=0.02)
    _same(auto.fit(ROWS), given.fit(ROWS))
    with pytest.raises(ValueError, match="learning_rate"):
        _model(learning_rate="fast").fit(ROWS)

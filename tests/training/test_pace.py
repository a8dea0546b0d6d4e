import pytest

from skdyn.training import Stage, TrainingSettings
from skdyn.training._pace import Pace


def _pace(learning_rate=None, **settings):
    stage = Stage(None, (), max_iter=10, learning_rate=learning_rate)
    return Pace(stage, TrainingSettings(learning_rate=0.1, **settings))


def test_the_rate_is_the_settings_unless_the_stage_has_its_own():
    assert _pace().learning_rate(0) == 0.1
    assert _pace(learning_rate=0.5).learning_rate(0) == 0.5


def test_a_line_search_starts_from_whole_steps():
    assert _pace(optimizer="lbfgs").learning_rate(3) == 1.0


def test_the_schedule_runs_over_the_stages_epochs():
    pace = _pace(learning_rate_schedule="cosine")
    assert pace.learning_rate(5) == pytest.approx(0.05)


def test_divergence_halves_what_the_schedule_scales():
    pace = _pace(learning_rate_schedule="exponential")
    before = pace.learning_rate(4)
    pace.slow_down()
    assert pace.learning_rate(4) == pytest.approx(before / 2)


def test_a_plateau_can_lower_the_rate_a_thousandfold_and_no_further():
    pace = _pace(learning_rate_schedule="plateau")
    drops = sum(pace.drop() for _ in range(20))
    assert drops == 5
    assert pace.learning_rate(0) == pytest.approx(0.1 / 5**5)

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from skdyn.inspection import FeatureDensityDisplay

DENSITIES = np.array([0.0, 1.0, 0.01, 0.0, 0.1, 0.012])


def heights(bars):
    return [bar.get_height() for bar in bars]


def labels(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_bars_count_the_features_of_each_magnitude_and_the_dead_stand_apart():
    display = FeatureDensityDisplay(DENSITIES, n_bins=4).plot()
    assert heights(display.bars_) == [2, 0, 1, 1]
    assert display.bars_[0].get_x() == pytest.approx(-2)
    assert display.bars_[3].get_x() + display.bars_[3].get_width() == pytest.approx(0)
    assert heights(display.dead_) == [2]
    assert display.dead_[0].get_x() + display.dead_[0].get_width() < -2
    assert labels(display) == ["4 used", "2 dead"]


def test_where_nothing_is_dead_nothing_is_marked():
    display = FeatureDensityDisplay(DENSITIES[DENSITIES > 0]).plot()
    assert display.dead_ is None
    assert labels(display) == ["4 used"]


def test_a_dictionary_all_dead_is_drawn():
    display = FeatureDensityDisplay(np.zeros(5)).plot()
    assert heights(display.dead_) == [5]
    assert sum(heights(display.bars_)) == 0


def test_densities_are_those_of_training_or_of_samples():
    counted = pd.DataFrame({"density": [0.0, 0.5]})
    model = SimpleNamespace(feature_density_=DENSITIES, feature_table=lambda X: counted)
    assert FeatureDensityDisplay.from_estimator(model).densities is DENSITIES
    assert FeatureDensityDisplay.from_estimator(model, [[1.0]]).densities.tolist() == [0, 0.5]


def test_it_draws_on_the_axes_it_is_given():
    import matplotlib.pyplot as plt

    ax = plt.figure().add_subplot()
    model = SimpleNamespace(feature_density_=DENSITIES)
    assert FeatureDensityDisplay.from_estimator(model, ax=ax).ax_ is ax

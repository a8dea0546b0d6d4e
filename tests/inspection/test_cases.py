import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdyn import HopfieldClassifier, HopfieldOutlierDetector, HopfieldRegressor
from skdyn.inspection import CasesDisplay

rng = np.random.default_rng(0)
X, y = rng.normal(size=(30, 2)), np.array(["a", "b"])[np.arange(30) % 2]


def labels(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def widths(bars):
    return [bar.get_width() for bar in bars]


def test_bars_are_the_weights_of_one_answer_a_color_for_each_class():
    model = HopfieldClassifier("stored").fit(X, y)
    display = CasesDisplay.from_estimator(model, X, query=3, n_cases=4)
    table = model.explain(X[3:4], 4)
    found = sorted(width for bars in display.bars_ for width in widths(bars))
    np.testing.assert_allclose(found, np.sort(table["weight"]))
    assert labels(display)[0] == "3: b"
    assert labels(display)[-2:] == ["other cases", "class frequencies"]
    assert legend(display)[-1] == "all others"


def test_numbers_are_told_beside_the_bars():
    display = CasesDisplay.from_estimator(HopfieldRegressor("stored").fit(X, X[:, 0]), X, n_cases=2)
    assert labels(display)[0] == f"0: {X[0, 0]:.3g}"
    assert legend(display) == ["cases", "all others"]


def test_memories_of_a_detector_stand_apart():
    model = HopfieldOutlierDetector().fit(X, np.where(np.arange(30) % 3, 1, -1))
    display = CasesDisplay.from_estimator(model, X, n_cases=2)
    assert legend(display) == ["ordinary rows", "all others", "known outliers"]


def test_cases_have_the_names_of_a_frame_and_queries_go_through_a_pipeline():
    frame = pd.DataFrame(X, index=[f"row {k}" for k in range(30)])
    model = make_pipeline(StandardScaler(), HopfieldRegressor("stored", beta=1e6)).fit(
        frame, X[:, 0]
    )
    display = CasesDisplay.from_estimator(model, frame, query=7, n_cases=1, cases=frame)
    assert labels(display)[0].startswith("row 7: ")

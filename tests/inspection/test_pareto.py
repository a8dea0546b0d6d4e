import numpy as np
import pandas as pd
import pytest

from skdyn.inspection import ParetoDisplay


class Searched:
    """Stands for a fitted search, its front in no order."""

    pareto_front_ = pd.DataFrame(
        {
            "complexity": [7, 1, 3, 12],
            "error": [0.009, 0.5, 0.01, 0.008],
            "equations": [["x' = 3 x", "y' = 0"], "x' = 1", "x' = 2 x", "x' = 4 x"],
            "selected": [False, False, True, False],
        }
    )


def test_the_front_is_drawn_by_complexity_on_a_logarithmic_axis_and_the_choice_is_marked():
    display = ParetoDisplay.from_estimator(Searched(), figsize=(4.0, 3.0))
    np.testing.assert_array_equal(display.line_.get_xdata(), [1, 3, 7, 12])
    np.testing.assert_array_equal(display.line_.get_ydata(), [0.5, 0.01, 0.009, 0.008])
    np.testing.assert_array_equal(display.selected_.get_xydata(), [[3, 0.01]])
    assert display.ax_.get_yscale() == "log"
    assert display.legend_ is None
    assert tuple(display.ax_.figure.get_size_inches()) == (4.0, 3.0)


@pytest.mark.parametrize(
    ("n_equations", "written"),
    [
        (1, ["x' = 2 x"]),
        (3, ["x' = 1", "x' = 2 x", "x' = 3 x\ny' = 0"]),
        (9, ["x' = 1", "x' = 2 x", "x' = 3 x\ny' = 0", "x' = 4 x"]),
    ],
)
def test_equations_of_the_choice_and_its_neighbors_are_written(n_equations, written):
    display = ParetoDisplay.from_estimator(Searched(), n_equations=n_equations)
    assert [text.get_text() for text in display.legend_.get_texts()] == written


def test_it_draws_on_the_axes_it_is_given():
    import matplotlib.pyplot as plt

    ax = plt.figure().add_subplot()
    assert ParetoDisplay.from_estimator(Searched(), ax=ax).ax_ is ax


def test_equations_are_as_many_as_there_is_room_for_nearest_to_the_choice_first():
    import matplotlib.pyplot as plt

    ax = plt.figure(figsize=(3, 1.2)).add_subplot()
    front = pd.DataFrame(
        {
            "complexity": range(9),
            "error": 0.5 ** np.arange(9),
            "equations": [f"x' = {k} x" for k in range(9)],
            "selected": np.arange(9) == 4,
        }
    )
    display = ParetoDisplay(front, n_equations=9).plot(ax=ax)
    written = [text.get_text() for text in display.legend_.get_texts()]
    assert 1 <= len(written) < 9
    assert "x' = 4 x" in written

import matplotlib.pyplot as plt
import numpy as np
import pytest

from skdyn.inspection._legend import legend_below, lines_below, place_legend


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def axes_with(n_lines, layout=None):
    ax = plt.subplots(1, 3, figsize=(12, 3), layout=layout)[1][1]
    for number in range(n_lines):
        ax.plot([0, 1], label=f"line {number}")
    return ax


def apart(legend, ax):
    a, b = legend.get_window_extent(), ax.get_window_extent()
    return bool(a.x0 >= b.x1 or a.y1 <= b.y0)


@pytest.mark.parametrize("layout", [None, "constrained"])
@pytest.mark.parametrize("n_lines", [6, 7])
def test_up_to_six_entries_stand_inside_and_more_beside_clear_of_the_neighbor(n_lines, layout):
    ax = axes_with(n_lines, layout)
    legend = place_legend(ax)
    ax.figure.draw_without_rendering()
    assert apart(legend, ax) is (n_lines == 7)
    assert legend.get_window_extent().x1 < ax.figure.axes[2].get_window_extent().x0


def test_a_short_one_may_be_asked_to_stand_beside():
    ax = axes_with(1)
    assert apart(place_legend(ax, beside=True), ax)


def test_without_names_there_is_no_legend():
    assert place_legend(axes_with(0)) is None


def test_long_names_are_broken_and_letters_shrink_only_as_far_as_needed():
    ax = axes_with(7)
    names = [f"a name of several words, number {k}" for k in range(7)]
    legend = place_legend(ax, ax.get_lines(), names)
    shown = [text.get_text() for text in legend.get_texts()]
    assert [" ".join(text.split()) for text in shown] == names
    assert any("\n" in text for text in shown)
    assert (
        legend.get_texts()[0].get_fontsize()
        < place_legend(axes_with(7)).get_texts()[0].get_fontsize()
    )


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_equations_stand_below_inside_the_figure(layout):
    ax = axes_with(2, layout)
    texts = ["x' = 1.25 x - 0.5 x y\ny' = -y + 0.125 x y", "x' = 2"]
    legend = legend_below(ax, ax.get_lines(), texts)
    ax.figure.draw_without_rendering()
    assert [text.get_text() for text in legend.get_texts()] == texts
    assert apart(legend, ax)
    assert legend.get_window_extent().y0 > 0


def test_lines_that_find_no_room_are_counted():
    ax = axes_with(3)
    texts = ["\n".join(f"x{k}' = {k} x0" for k in range(40)), "x' = 1", "x' = 2"]
    shown = [text.get_text() for text in legend_below(ax, ax.get_lines(), texts).get_texts()]
    assert shown[1:] == texts[1:]
    n_lines = shown[0].count("\n") + 1
    assert n_lines + 2 == lines_below(plt.subplots(1, 3, figsize=(12, 3))[1][1])
    assert shown[0].endswith(f"and {40 - n_lines} more lines")


def test_there_is_room_for_more_lines_below_higher_axes():
    low, high = (plt.figure(figsize=(4, inches)).add_subplot() for inches in (0.1, 9))
    assert lines_below(low) == 1
    assert lines_below(high) > 30
    assert np.isclose(lines_below(high) / lines_below(high, 12.0), 2, rtol=0.1)

import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest

from skdyn.exceptions import MissingExtraError
from skdyn.inspection._axes import (
    axes_or_new,
    end_beside,
    extent,
    keep_inside,
    name_ticks,
    title_if_named,
)
from skdyn.inspection._style import COLORS, LINES


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_axes_are_passed_through_or_made():
    ax = axes_or_new(None, figsize=(3, 2))
    assert axes_or_new(ax) is ax
    assert tuple(ax.figure.get_size_inches()) == (3, 2)


def test_several_axes_where_one_is_needed_are_refused():
    with pytest.raises(ValueError, match="ax holds 2 axes, but this is drawn on one"):
        axes_or_new(plt.subplots(1, 2)[1])


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingExtraError, match=r"skdyn\[plot\]"):
        axes_or_new(None)


def test_fresh_axes_draw_in_our_colors_and_used_ones_go_on_in_theirs():
    ax = axes_or_new(None)
    lines = [ax.plot([0, 1])[0] for _ in range(2)]
    assert [line.get_color() for line in lines] == list(COLORS[:2])
    assert [line.get_linestyle() for line in lines] == list(LINES[:2])
    assert axes_or_new(ax).plot([0, 1])[0].get_color() == COLORS[2]


def test_colors_that_the_user_chose_for_all_figures_are_kept():
    with plt.rc_context({"axes.prop_cycle": plt.cycler(color=["pink"])}):
        assert axes_or_new(None).plot([0, 1])[0].get_color() == "pink"


def test_the_extent_is_told_in_points():
    ax = plt.figure(figsize=(4, 3), dpi=50).add_axes([0, 0, 0.5, 1])
    np.testing.assert_allclose(extent(ax), [72 * 2, 72 * 3])


def test_labels_beyond_a_plain_figure_are_taken_inside_and_others_left_alone():
    wide, narrow = plt.subplots(figsize=(4, 3))[1], plt.figure(figsize=(8, 6)).add_subplot()
    for ax in (wide, narrow):
        before = ax.get_position().get_points()
        ax.set(xlabel="time", ylabel="state")
        keep_inside(ax)
        ax.figure.draw_without_rendering()
        box, page = ax.get_tightbbox(), ax.figure.bbox
        assert box.y0 > page.y0
        moved = not np.array_equal(before, ax.get_position().get_points())
        assert moved is (ax is wide)
    wide.figure.tight_layout()  # what the user does later still moves it
    assert wide.get_in_layout()


def test_panels_shrink_together():
    panels = plt.subplots(2, 1, figsize=(4, 3))[1]
    panels[1].set_xlabel("time\nin\nyears")
    keep_inside(*panels)
    heights = [panel.get_position().height for panel in panels]
    assert heights[0] == pytest.approx(heights[1])


def test_a_layout_engine_is_left_to_its_work():
    ax = plt.subplots(figsize=(2, 1), layout="constrained")[1]
    before = ax.get_position().get_points()
    keep_inside(ax)
    np.testing.assert_array_equal(ax.get_position().get_points(), before)


@pytest.mark.parametrize(
    ("names", "rotation", "n_written"),
    [(["a", "b"], 0, 2), (["rather long"] * 30, 90, 30), (["rather long"] * 90, 90, 30)],
)
def test_names_stand_side_by_side_or_upright_and_as_many_as_can_be_read(names, rotation, n_written):
    ax = plt.figure(figsize=(4, 3)).add_subplot()
    name_ticks(ax, np.arange(len(names)), names)
    labels = ax.get_xticklabels()
    assert {label.get_rotation() for label in labels} == {rotation}
    assert len(labels) == n_written
    assert min(label.get_fontsize() for label in labels) >= 6


def test_a_name_is_the_title_of_axes_or_of_the_middle_panel_of_the_first_row():
    axes = plt.subplots(2, 3)[1]
    title_if_named(axes[0, 0], None)
    title_if_named(axes.ravel(), "all of it")
    assert [ax.get_title() for ax in axes.ravel()] == ["", "all of it", "", "", "", ""]


def test_a_color_bar_takes_its_room_from_its_own_axes():
    axes = plt.subplots(1, 3, figsize=(12, 3))[1]
    right = end_beside(axes[1])
    assert right == axes[1].get_position().x1
    assert end_beside(axes[2]) is None
    bar = axes[1].figure.colorbar(axes[1].imshow([[0, 1]], aspect="auto"), label="energy").ax
    assert bar.get_tightbbox().x1 > right * bar.figure.bbox.width
    keep_inside(axes[1], bar, right=right)
    assert bar.get_tightbbox().x1 <= right * bar.figure.bbox.width
    assert bar.get_position().x0 > axes[1].get_position().x1

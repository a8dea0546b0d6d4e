import matplotlib.pyplot as plt
import numpy as np
import pytest

from skdyn.inspection._panels import grid_shape, panels_in, small_panels


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.mark.parametrize(
    ("n_panels", "width", "height", "shape"),
    [
        (1, 1, 1, (1, 1)),
        (3, 9, 2, (1, 3)),
        (2, 3, 2, (2, 1)),
        (40, 4, 3, (7, 6)),
        (9, 1, 9, (9, 1)),
    ],
)
def test_panels_are_neither_flat_nor_narrow(n_panels, width, height, shape):
    assert grid_shape(n_panels, width, height) == shape


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_panels_fill_the_place_of_the_axes(layout):
    _, (beside, ax) = plt.subplots(1, 2, layout=layout)
    panels = panels_in(ax, 4)
    ax.figure.draw_without_rendering()
    assert min(panel.bbox.x0 for panel in panels) > beside.bbox.x1
    assert not ax.axison
    corners = np.array([panel.bbox.p0 for panel in panels])
    assert len({tuple(corner) for corner in corners}) == 4


def test_axes_that_no_grid_holds_are_split_too():
    ax = plt.figure().add_axes([0.5, 0.5, 0.25, 0.25])
    box = panels_in(ax, 1)[0].get_position()
    np.testing.assert_allclose(box.get_points(), [[0.5, 0.5], [0.75, 0.75]])


def test_panels_of_an_earlier_split_go():
    ax = plt.figure().add_subplot()
    earlier = panels_in(ax, 3)
    again = panels_in(ax, 2)
    assert set(ax.figure.axes) == {ax, *again}
    assert not set(earlier) & set(again)


def test_names_stand_inside_numbers_outside_and_labels_once():
    ax = plt.figure(figsize=(4, 3)).add_subplot()
    names = [f"a long name that ends with {k:02d}" for k in range(12)]
    panels = small_panels(ax, names, "time", "state")
    written = [panel.texts[0].get_text() for panel in panels]
    assert len(set(written)) == 12
    assert all("…" in text and text.startswith("a") for text in written)
    n_columns = panels[0].get_gridspec().get_geometry()[1]
    for number, panel in enumerate(panels):
        panel.plot([0, 1])
        assert bool(len(panel.get_yticks())) is (number % n_columns == 0)
        assert bool(len(panel.get_xticks())) is (number + n_columns >= 12)
    assert [panel.get_xlabel() for panel in panels].count("time") == 1
    assert [panel.get_ylabel() for panel in panels].count("state") == 1

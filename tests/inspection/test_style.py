import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D

from skdyn.inspection._style import COLORS, LINES, MARKERS, series, styled

# What an eye without one kind of cones sees, in linear RGB: G. Machado, M. Oliveira and L.
# Fernandes, "A physiologically-based model for simulation of color vision deficiency" (2009).
BLINDNESS = {
    "none": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
               [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
TAB10 = ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f"]


def seen(colors, blindness):
    """Return colors as CIELAB, in which distances are differences that are seen."""
    rgb = np.array([to_rgb(color) for color in colors])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ np.array(BLINDNESS[blindness]).T, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = (linear @ np.array(to_xyz).T / [0.9505, 1.0, 1.089]).T
    f = [np.where(v > 0.008856, np.cbrt(v), 7.787 * v + 16 / 116) for v in (x, y, z)]
    return np.stack([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])], axis=1)


def nearest(colors, blindness):
    lab = seen(colors, blindness)
    apart = np.linalg.norm(lab[:, None] - lab, axis=2)
    return apart[~np.eye(len(lab), dtype=bool)].min()


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_all_eyes_tell_our_colors_apart_better_than_those_of_matplotlib(blindness):
    assert nearest(COLORS, blindness) > 15  # 2.3 can just be seen side by side
    if blindness != "none":
        assert nearest(COLORS, blindness) > nearest(TAB10, blindness)


def test_colors_can_be_seen_on_white():
    assert seen(COLORS, "none")[:, 0].max() < 80


def test_lines_differ_without_their_colors():
    assert len({str(line) for line in LINES}) == len(set(MARKERS)) == len(COLORS)
    assert series(1) == series(1 + len(COLORS)) != series(2)
    Line2D([], [], **series(5))  # matplotlib knows them


def test_what_the_user_sets_comes_first_whatever_it_is_called():
    looks = styled(Line2D, {"lw": 5, "c": "red"}, linewidth=1, color="blue", label="a")
    assert looks == {"linewidth": 5, "color": "red", "label": "a"}

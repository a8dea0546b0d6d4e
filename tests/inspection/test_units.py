import pytest

from skdyn.inspection._units import rate_label, with_unit

UNITS = {"hare": "thousands", "lynx": "thousands", "rain": "mm", "time": "years"}


def test_a_unit_stands_behind_a_name_where_it_is_known():
    assert with_unit("hare", UNITS) == "hare (thousands)"
    assert with_unit("snow", UNITS) == "snow"
    assert with_unit("hare", None) == "hare"


@pytest.mark.parametrize(
    ("names", "units", "label"),
    [
        (["hare", "lynx"], UNITS, "speed (thousands / years)"),
        (["hare", "rain"], UNITS, "speed"),
        (["hare"], {"hare": "thousands"}, "speed"),
        (["hare"], None, "speed"),
    ],
)
def test_a_rate_has_a_unit_where_all_that_changes_has_the_same(names, units, label):
    assert rate_label("speed", names, units) == label

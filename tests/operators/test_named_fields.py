import numpy as np
import pytest
from sklearn.linear_model import Ridge

from skdyn import AutoregressiveOperator, FNORegressor, KernelOperatorRegressor, _scratch
from skdyn.operators._named_fields import check_order, is_named, read_named

xarray = pytest.importorskip("xarray", reason="xarray is not installed")
rng = np.random.default_rng(0)
values = rng.normal(size=(5, 2, 4, 3))
x, y = np.linspace(2.0, 5.0, 4), np.array([0.0, 0.1, 0.2])


def named(values=values, dims=("case", "channel", "x", "y"), **coords):
    return xarray.DataArray(values, dims=dims, coords={"x": x, "y": y} | coords)


def test_only_data_with_names_have_names():
    assert is_named(named())
    assert is_named(named().to_dataset("channel"))
    assert not is_named(values)
    assert not is_named(named().to_series())


@pytest.mark.parametrize(
    "dims",
    [
        ("case", "channel", "x", "y"),
        ("channel", "x", "case", "y"),
        ("x", "y", "channel", "case"),
    ],
)
def test_dimensions_may_come_in_any_order(dims):
    read, names = read_named(named().transpose(*dims), "X")
    assert np.array_equal(read, values)
    assert names.dims == list(dims)
    assert (names.case, names.channel) == ("case", "channel")
    assert [axis.name for axis in names.axes] == ["x", "y"]
    assert np.array_equal(names.axes[0].points, x)


def test_later_data_are_put_in_the_order_of_the_first():
    labels = ["pressure", "speed"]
    _, known = read_named(named(channel=labels), "X")
    later = named(channel=labels).transpose("y", "channel", "x", "case").isel(channel=[1, 0])
    assert np.array_equal(read_named(later, "X", known)[0], values)


def test_variables_are_channels_spread_over_what_they_lack():
    data = xarray.Dataset(
        {"a": (("case", "x"), values[:, 0, :, 0]), "nu": ("case", np.arange(5.0))}
    )
    read, names = read_named(data, "X")
    assert names.labels == ["a", "nu"]
    assert np.array_equal(read[:, 0], values[:, 0, :, 0])
    assert np.array_equal(read[:, 1], np.arange(5.0)[:, None].repeat(4, axis=1))


def test_a_single_axis_without_channels_is_flat_as_in_arrays():
    one = xarray.DataArray(values[:, 0, 0], dims=("sample", "x"))
    assert read_named(one, "X")[0].shape == (5, 3)
    assert read_named(named()[:, 0], "X")[0].shape == (5, 1, 4, 3)
    assert read_named(one[:, 0], "y")[0].shape == (5,)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (named(dims=("run", "channel", "x", "y")), r"No dimension of X.*rename\(run='case'\)"),
        (named(dims=("case", "sample", "x", "y")), r"\['case', 'sample'\]: which of them are"),
        (named()[:, :0], "none of them empty"),
        (named().expand_dims(z=2, t=2), "at most three"),
        (named().to_dataset(name="u"), "are channels, with the dimension 'channel'"),
        (xarray.Dataset(), "without variables"),
        (named().assign_coords(x=list("abcd")), "along 'x' are no finite numbers"),
        (named().assign_coords(x=np.arange(4).astype("M8[D]")), "along 'x' are no finite numbers"),
        (named().assign_coords(y=[0, np.nan, 1]), "along 'y' are no finite numbers"),
    ],
)
def test_what_cannot_be_read_is_refused(data, message):
    with pytest.raises(ValueError, match=message):
        read_named(data, "X")


@pytest.mark.parametrize(
    ("X", "y", "parameters", "message"),
    [
        (named().assign_coords(x=[0, 1, 2, 4]), None, {}, "along 'x' are not evenly spaced"),
        (named(), named().assign_coords(x=[0, 1, 2, 4]), {}, "y along 'x' are not evenly spaced"),
        (named()[:, :, 0, 0], None, {}, "functions have at least one"),
        (named(), None, {"grid_shape": (3, 4)}, "leave grid_shape=None"),
        (named(), None, {"targets": "numbers"}, "leave targets='auto'"),
        (named(), named()[:, 0, 0, 0], {"targets": "functions"}, "leave targets='auto'"),
    ],
)
def test_names_that_contradict_a_fit_are_refused(X, y, parameters, message):
    model = KernelOperatorRegressor(n_corrections=0, **parameters)
    with pytest.raises(ValueError, match=message):
        model.fit(X, named() if y is None else y)
    assert not hasattr(model, "_names")


def test_training_goes_on_at_the_same_coordinates_only():
    model = FNORegressor(2, hidden_channels=2, n_layers=1, max_iter=1, tol=0, random_state=0)
    model.partial_fit(named(), named()).partial_fit(named().transpose(), named())
    with pytest.raises(ValueError, match=r"X lies from 3 to 6 along 'x'.* from 2 to 5"):
        model.partial_fit(named().assign_coords(x=x + 1), named())


def test_names_leave_no_trace_in_a_fit_of_arrays():
    model = KernelOperatorRegressor(n_corrections=0).fit(named(), named())
    assert isinstance(model.predict(named()), xarray.DataArray)
    assert isinstance(model.fit(values, values).predict(values), np.ndarray)
    assert model._names == (None, None)


def test_large_arrays_that_are_not_in_memory_are_read_in_blocks(monkeypatch, tmp_path):
    monkeypatch.setattr(_scratch, "_LARGE", 100)
    monkeypatch.setattr("skdyn._row_blocks._NUMBERS", 24)
    pytest.importorskip("dask")
    lazy = named().chunk({"case": 2}).transpose("x", "y", "channel", "case")
    read, _ = read_named(lazy, "X")
    assert np.array_equal(read, values)
    assert _scratch.lies_on_disk(read)


@pytest.mark.parametrize(
    "dims",
    [
        ("case", "channel", "time"), ("sample", "x", "time"), ("time", "x"),
        ("case", "channel", "time", "x"), ("case", "channel", "x", "y"), ("a", "b", "c", "d"),
    ],
)  # fmt: skip
def test_trajectories_in_the_order_of_arrays_pass(dims):
    check_order(xarray.DataArray(np.zeros(len(dims) * [2]), dims=dims), "X")


@pytest.mark.parametrize(
    ("dims", "advice"),
    [
        (("time", "case", "channel"), r"X.transpose\('case', 'channel', 'time'\)"),
        (("case", "time", "x"), r"X.transpose\('case', 'x', 'time'\)"),
        (("x", "time"), r"X.transpose\('time', 'x'\)"),
        (("case", "time", "channel", "x"), r"X.transpose\('case', 'channel', 'time', 'x'\)"),
        (("case", "time", "x", "y"), "expand_dims"),
    ],
)
def test_trajectories_in_another_order_are_refused_with_what_to_write(dims, advice):
    data = xarray.DataArray(np.zeros(len(dims) * [6]), dims=dims)
    with pytest.raises(ValueError, match=advice):
        check_order(data, "X")
    with pytest.raises(ValueError, match=advice):
        AutoregressiveOperator(Ridge()).fit(data)

import numpy as np
import pytest
import torch

from skdyn._module_state import rebuilt_module
from skdyn._validation import StrOptions
from skdyn.training import state_to_arrays


class Stack(torch.nn.Module):
    """Layers in a row."""

    built_in_earnest = 0

    def __init__(self, width: int, n_layers: int, kind: str = "tanh", steps: int = 1) -> None:
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.Linear(width, width) for _ in range(n_layers))
        self.register_buffer("counts", torch.zeros(width, dtype=torch.int64))
        Stack.built_in_earnest += not self.counts.is_meta


def build(**config: object) -> Stack:
    return Stack(**config)


CONFIG = {"width": 4, "n_layers": 2, "kind": "relu", "steps": 10**9}
CONSTRAINTS = {"kind": [StrOptions({"relu", "tanh"})]}


def rebuilt(config=CONFIG, arrays=None, **options):
    arrays = state_to_arrays(Stack(4, 2)) if arrays is None else arrays
    Stack.built_in_earnest = 0
    return rebuilt_module(
        build, config, arrays, constraints=CONSTRAINTS, no_sizes={"steps"}, **options
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_module_comes_back_with_its_weights_and_precision(dtype):
    arrays = state_to_arrays(Stack(4, 2).to(dtype))
    again = rebuilt(arrays=arrays)
    assert next(again.parameters()).dtype == dtype
    for name, array in state_to_arrays(again).items():
        np.testing.assert_array_equal(array, arrays[name])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"width": 30_000}, "must be of shape"),
        ({"width": 10**9}, "width of the module must be a size"),
        ({"width": -1}, "width of the module must be a size"),
        ({"width": "4"}, "width must be an integer"),
        ({"n_layers": 3}, "disagree about the names"),
        ({"n_layers": 200_000}, "far more parts than there are weights"),
        ({"kind": "open"}, "'kind' parameter"),
        ({"depth": 1}, "builds no module"),
        ({"n_layers": None}, "n_layers must be"),
    ],
)
def test_a_forged_configuration_is_refused_before_a_module_is_built(change, said):
    with pytest.raises(ValueError, match=said):
        rebuilt(CONFIG | change)
    assert Stack.built_in_earnest == 0


class Drawing(torch.nn.Module):
    """Draws its weights in every way."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.drawn = torch.nn.Parameter(torch.randn(3, 2, generator=generator))
        self.spread = torch.nn.Parameter(torch.rand((2, 3)))
        self.line = torch.nn.Linear(2, 2)
        torch.nn.init.normal_(self.line.weight)


def test_however_weights_are_drawn_the_saved_ones_come_back():
    arrays = state_to_arrays(Drawing())
    again = rebuilt_module(Drawing, {}, arrays)
    for name, array in state_to_arrays(again).items():
        np.testing.assert_array_equal(array, arrays[name])


def test_a_configuration_that_lacks_a_name_builds_no_module():
    with pytest.raises(ValueError, match="builds no module"):
        rebuilt({"width": 4})


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("layers.0.bias", np.ones(5, dtype=np.float32), "must be of shape"),
        ("layers.0.bias", np.ones(4), "several precisions"),
        ("layers.0.bias", np.ones(4, dtype=int), "dtype like"),
        ("layers.0.bias", np.full(4, np.nan, dtype=np.float32), "NaN or infinity"),
        ("counts", np.zeros(4, dtype=np.int32), "dtype like"),
        ("layers.0.bias", "text", "array of numbers"),
    ],
)
def test_forged_weights_are_refused_before_a_module_is_built(name, change, said):
    arrays = state_to_arrays(Stack(4, 2))
    with pytest.raises(ValueError, match=said):
        rebuilt(arrays=arrays | {name: change})
    assert Stack.built_in_earnest == 0


def test_weights_that_were_added_later_are_those_of_a_new_module():
    arrays = state_to_arrays(Stack(4, 2))
    del arrays["counts"]
    again = state_to_arrays(rebuilt(arrays=arrays, may_lack={"counts"}))
    np.testing.assert_array_equal(again["counts"], np.zeros(4))
    np.testing.assert_array_equal(again["layers.0.weight"], arrays["layers.0.weight"])
    with pytest.raises(ValueError, match="names \\['counts'\\]"):
        rebuilt(arrays=arrays)


def test_weights_that_may_be_no_numbers_are_named():
    arrays = state_to_arrays(Stack(4, 2))
    arrays["layers.0.bias"] = np.full(4, -np.inf, dtype=np.float32)
    assert rebuilt(arrays=arrays, not_finite={"layers.0.bias"}) is not None

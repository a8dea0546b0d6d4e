from collections import namedtuple

import pytest
import torch

from skdyn.autoencoder._running import LayerOutput, replaced, run_on

Pair = namedtuple("Pair", ["values", "state"])


class Named(torch.nn.Module):
    def forward(self, *, x):
        return {"x": x}


def test_a_named_tuple_stays_one():
    output = LayerOutput.of(Pair(torch.zeros(2), "state"), "layer")
    changed = output.with_tensor(torch.ones(2))
    assert isinstance(changed, Pair)
    assert changed.values.sum() == 2
    assert changed.state == "state"


@pytest.mark.parametrize("output", [{"x": torch.zeros(2)}, (), torch.zeros(2, dtype=torch.long)])
def test_what_holds_no_tensor_of_floats_is_refused(output):
    with pytest.raises(TypeError, match=r"Layer 'layer' gives a .*Name a layer inside it"):
        LayerOutput.of(output, "layer")


def test_a_layer_may_get_its_input_by_name():
    network = torch.nn.Linear(2, 2)
    with replaced(network, "", lambda x, y: x + 1.0) as n_runs:
        found = run_on(network, {"input": torch.zeros(1, 2)})
    assert found.tolist() == [[1.0, 1.0]]
    assert n_runs == [1]

import numpy as np
import pytest
import torch

from skdyn.training._devices import is_near, resolve_device, resolve_dtype, sent


def test_auto_takes_cuda_where_there_is_one():
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert resolve_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["tpu9", "cuda:99", "meta"])
def test_a_device_that_cannot_be_used_is_named(name):
    with pytest.raises(ValueError, match=f"device='{name}'"):
        resolve_device(name)


def test_precisions_by_name_and_by_numpy_dtype():
    assert resolve_dtype("float64") == torch.float64
    assert resolve_dtype(np.dtype(np.float32)) == torch.float32


def test_mps_has_no_float64():
    assert resolve_dtype("float64", torch.device("mps")) == torch.float32


def test_what_lies_on_the_host_is_near():
    assert is_near(torch.ones(2))
    assert not is_near(torch.ones(2, device="meta"))


def test_numbers_are_sent_where_they_are_needed():
    numbers = torch.ones(2)
    assert sent(numbers, torch.device("cpu")) is numbers
    assert sent(numbers, torch.device("meta")).is_meta

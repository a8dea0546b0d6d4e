import numpy as np
import pytest
import torch

from skdyn.testing._device_use import DeviceUse, as_if_away
from skdyn.training._devices import (
    counted,
    is_near,
    resolve_device,
    resolve_dtype,
    rows_at_once,
    sent,
)


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


def test_auto_takes_cuda_only_where_there_is_enough_to_do(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto", lambda: 2**24).type == "cuda"
    assert resolve_device("auto", lambda: 2**24 - 1).type == "cpu"
    assert resolve_device("auto").type == "cuda"


def test_nobody_is_asked_for_work_without_a_choice(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    asked = []
    assert resolve_device("auto", lambda: asked.append(1)).type == "cpu"
    assert resolve_device("cpu", lambda: asked.append(1)).type == "cpu"
    assert asked == []


def test_a_gpu_answers_more_rows_at_once_where_it_has_the_memory(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2**35, 2**36))
    assert rows_at_once(torch.device("cpu"), 8192) == 8192
    assert rows_at_once(torch.device("cuda"), 8192) == 2**17
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2**30, 2**36))
    assert rows_at_once(torch.device("cuda"), 8192) == 8192


def test_counts_are_the_same_elsewhere_and_nobody_waits():
    numbers = torch.tensor([3, 0, 3, 5])
    near = counted(numbers, 7)
    with as_if_away(), DeviceUse() as use:
        away = counted(numbers, 7)
    assert use.n_waits == 0
    assert near.tolist() == away.tolist() == [1, 0, 0, 2, 0, 1, 0]

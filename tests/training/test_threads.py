from threading import Thread

import pytest
import torch

from skdyn.training._threads import threads_for


def _in_new_thread(function):
    """A new thread begins with the process's own number of threads, whatever the tests set."""
    found = []
    thread = Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def _inside(n_weights, n_cases):
    torch.set_num_threads(2)
    with threads_for(n_weights, n_cases):
        inside = torch.get_num_threads()
    return inside, torch.get_num_threads()


def test_a_small_problem_computes_on_one_thread():
    assert _in_new_thread(lambda: _inside(1000, 200)) == (1, 2)


def test_a_large_problem_keeps_its_threads():
    assert _in_new_thread(lambda: _inside(1_000_000, 200)) == (2, 2)


def test_the_number_comes_back_after_an_error():
    def failing():
        torch.set_num_threads(2)
        with pytest.raises(RuntimeError, match="deliberate"), threads_for(10, 10):
            raise RuntimeError("deliberate")
        return torch.get_num_threads()

    assert _in_new_thread(failing) == 2
